//! Device authorizations: added, decided, polled, redeemed.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{ClientId, Subject};
use tenure_core::time::Timestamp;

use super::START;
use super::races::at_once;
use crate::{Decision, Device, Polled, Store, TicketHash, Used, Written};

const CODE: TicketHash = [0xc0; 32];
const USER_CODE: TicketHash = [0x0c; 32];
const INTERVAL: Duration = Duration::from_secs(5);
const END: Timestamp = Timestamp(START.0 + 600);
const AFTER: Timestamp = Timestamp(END.0 + 1);

fn device() -> Device {
    Device {
        code: CODE,
        user_code: USER_CODE,
        client: client(),
        payload: r#"{"scope":"openid"}"#.to_owned(),
        expires_at: END,
        interval: INTERVAL,
        polled_at: None,
        decision: None,
        used: None,
    }
}

fn client() -> ClientId {
    ClientId::new("tv")
}

fn allowed() -> Decision {
    Decision::Allowed {
        subject: Subject::new("user-1"),
        auth_time: START,
    }
}

fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

async fn added(store: &Arc<dyn Store>) {
    assert_eq!(store.add_device(&device()).await, Ok(Written::Now));
}

async fn decided(store: &Arc<dyn Store>, decision: &Decision) {
    let written = store.decide_device(USER_CODE, decision, START).await;
    assert_eq!(written, Ok(Written::Now));
}

async fn poll(store: &Arc<dyn Store>, key: Option<u8>, now: Timestamp) -> Polled {
    let key = key.map(|byte| [byte; 32]);
    let polled = store.poll_device(CODE, &client(), key, now).await;
    polled.unwrap()
}

/// Also after it was decided and redeemed.
pub async fn a_device_authorization_reads_back_as_it_was_added(store: &Arc<dyn Store>) {
    added(store).await;
    let mut expected = device();
    let read = store.device(USER_CODE, START).await;
    assert_eq!(read, Ok(Some(expected.clone())));
    decided(store, &allowed()).await;
    expected.decision = Some(allowed());
    expected.used = Some(Used {
        at: at(1),
        key: Some([7; 32]),
    });
    assert_eq!(
        poll(store, Some(7), at(1)).await,
        Polled::Now(Box::new(expected.clone()))
    );
    assert_eq!(store.device(USER_CODE, END).await, Ok(Some(expected)));
    assert_eq!(store.device([1; 32], START).await, Ok(None));
}

/// Whoever comes second draws another one.
pub async fn a_user_code_belongs_to_one_device_authorization(store: &Arc<dyn Store>) {
    added(store).await;
    let other_code = Device {
        code: [1; 32],
        client: ClientId::new("other"),
        ..device()
    };
    let other_user_code = Device {
        user_code: [1; 32],
        ..device()
    };
    for taken in [other_code, other_user_code] {
        assert_eq!(store.add_device(&taken).await, Ok(Written::Lost));
    }
    let read = store.device(USER_CODE, START).await;
    assert_eq!(read, Ok(Some(device())));
}

/// As often as the interval allows.
pub async fn a_poll_waits_for_the_decision(store: &Arc<dyn Store>) {
    added(store).await;
    for turn in 0..4 {
        assert_eq!(poll(store, None, at(turn * 5)).await, Polled::Pending);
    }
    decided(store, &allowed()).await;
    assert!(matches!(poll(store, None, at(20)).await, Polled::Now(_)));
}

/// By five seconds each time, for good; a second is a matter of rounding. What is decided is told
/// at once.
pub async fn a_poll_before_the_interval_slows_down(store: &Arc<dyn Store>) {
    added(store).await;
    for (seconds, answer) in [
        (0, Polled::Pending),
        (4, Polled::Pending),
        (7, Polled::TooSoon),
        (15, Polled::TooSoon),
        (29, Polled::Pending),
        (43, Polled::Pending),
        (56, Polled::TooSoon),
    ] {
        assert_eq!(poll(store, None, at(seconds)).await, answer, "{seconds}");
    }
    let read = store.device(USER_CODE, START).await.unwrap().unwrap();
    assert_eq!(read.interval, Duration::from_secs(20));
    assert_eq!(read.polled_at, Some(at(56)));
    decided(store, &allowed()).await;
    assert!(matches!(poll(store, None, at(57)).await, Polled::Now(_)));
}

/// It does not even slow the right one down.
pub async fn a_poll_of_another_client_finds_and_changes_nothing(store: &Arc<dyn Store>) {
    added(store).await;
    decided(store, &allowed()).await;
    let other = ClientId::new("other");
    let foreign = store.poll_device(CODE, &other, None, START).await;
    assert_eq!(foreign, Ok(Polled::Missing));
    let unknown = store.poll_device([1; 32], &client(), None, START).await;
    assert_eq!(unknown, Ok(Polled::Missing));
    assert!(matches!(poll(store, None, START).await, Polled::Now(_)));
}

/// Who comes second learns that.
pub async fn an_allowed_device_authorization_is_redeemed_once(store: &Arc<dyn Store>) {
    added(store).await;
    decided(store, &allowed()).await;
    let Polled::Now(redeemed) = poll(store, None, at(3)).await else {
        panic!("not redeemed");
    };
    assert_eq!(redeemed.decision, Some(allowed()));
    for key in [None, Some(1)] {
        let again = poll(store, key, at(9)).await;
        assert_eq!(again, Polled::Before(redeemed.clone()));
    }
}

/// At the same moment.
pub async fn sixty_four_polls_redeem_a_device_authorization_once(store: &Arc<dyn Store>) {
    added(store).await;
    decided(store, &allowed()).await;
    let answers = at_once(0..64, |_| {
        let store = Arc::clone(store);
        async move { poll(&store, None, START).await }
    })
    .await;
    let count = |is: fn(&Polled) -> bool| answers.iter().filter(|polled| is(polled)).count();
    assert_eq!(count(|polled| matches!(polled, Polled::Now(_))), 1);
    assert_eq!(count(|polled| matches!(polled, Polled::Before(_))), 63);
}

/// As often as it comes, while the authorization lasts.
pub async fn the_key_that_redeemed_it_is_answered_again(store: &Arc<dyn Store>) {
    added(store).await;
    decided(store, &allowed()).await;
    let Polled::Now(redeemed) = poll(store, Some(1), at(3)).await else {
        panic!("not redeemed");
    };
    for _ in 0..2 {
        let again = poll(store, Some(1), END).await;
        assert_eq!(again, Polled::Again(redeemed.clone()));
    }
    let other = poll(store, Some(2), END).await;
    assert_eq!(other, Polled::Before(redeemed));
    assert_eq!(poll(store, Some(1), AFTER).await, Polled::Expired);
}

/// However often it is asked.
pub async fn a_denied_device_authorization_is_not_redeemed(store: &Arc<dyn Store>) {
    added(store).await;
    decided(store, &Decision::Denied).await;
    for _ in 0..2 {
        assert_eq!(poll(store, Some(1), START).await, Polled::Denied);
    }
    let read = store.device(USER_CODE, START).await.unwrap().unwrap();
    assert_eq!((read.decision, read.used), (Some(Decision::Denied), None));
}

/// The first one stands.
pub async fn a_decision_is_made_once(store: &Arc<dyn Store>) {
    let unknown = store.decide_device(USER_CODE, &allowed(), START).await;
    assert_eq!(unknown, Ok(Written::Lost));
    added(store).await;
    decided(store, &Decision::Denied).await;
    for late in [allowed(), Decision::Denied] {
        let written = store.decide_device(USER_CODE, &late, START).await;
        assert_eq!(written, Ok(Written::Lost));
    }
    assert_eq!(poll(store, None, START).await, Polled::Denied);
}

/// At the same moment, by as many people.
pub async fn sixty_four_decisions_are_one(store: &Arc<dyn Store>) {
    added(store).await;
    let answers = at_once(0..64, |number| {
        let store = Arc::clone(store);
        let decision = Decision::Allowed {
            subject: Subject::new(format!("user-{number}")),
            auth_time: START,
        };
        async move {
            store
                .decide_device(USER_CODE, &decision, START)
                .await
                .unwrap()
        }
    })
    .await;
    let won: Vec<usize> = (0..answers.len())
        .filter(|&number| answers[number] == Written::Now)
        .collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    let Polled::Now(redeemed) = poll(store, None, START).await else {
        panic!("not redeemed");
    };
    let winner = Subject::new(format!("user-{}", won[0]));
    assert_eq!(redeemed.subject(), Some(&winner));
}

/// It is good until its last second, decided or not.
pub async fn an_expired_device_authorization_is_neither_decided_nor_redeemed(
    store: &Arc<dyn Store>,
) {
    added(store).await;
    assert_eq!(poll(store, None, END).await, Polled::Pending);
    assert_eq!(poll(store, None, AFTER).await, Polled::Expired);
    assert_eq!(store.device(USER_CODE, AFTER).await, Ok(None));
    let late = store.decide_device(USER_CODE, &allowed(), AFTER).await;
    assert_eq!(late, Ok(Written::Lost));
    let last = store.decide_device(USER_CODE, &allowed(), END).await;
    assert_eq!(last, Ok(Written::Now));
    assert_eq!(poll(store, None, AFTER).await, Polled::Expired);
    assert!(matches!(poll(store, None, END).await, Polled::Now(_)));
}

/// Dropping one that is not there is no error.
pub async fn a_dropped_device_authorization_is_gone(store: &Arc<dyn Store>) {
    added(store).await;
    for _ in 0..2 {
        store.drop_device(CODE).await.unwrap();
        assert_eq!(poll(store, None, START).await, Polled::Missing);
        assert_eq!(store.device(USER_CODE, START).await, Ok(None));
    }
    added(store).await;
}

/// Others', and what is not decided, stay.
pub async fn what_a_subject_allowed_is_dropped_with_its_tickets(store: &Arc<dyn Store>) {
    let others = Decision::Allowed {
        subject: Subject::new("user-2"),
        auth_time: START,
    };
    let decisions = [Some(allowed()), Some(others), Some(Decision::Denied), None];
    for (number, decision) in (1..).zip(&decisions) {
        let device = Device {
            code: [number; 32],
            user_code: [number; 32],
            ..device()
        };
        store.add_device(&device).await.unwrap();
        if let Some(decision) = decision {
            let written = store.decide_device([number; 32], decision, START).await;
            assert_eq!(written, Ok(Written::Now));
        }
    }
    store
        .drop_tickets_of(&Subject::new("user-1"))
        .await
        .unwrap();
    for (number, kept) in [(1, false), (2, true), (3, true), (4, true)] {
        let read = store.device([number; 32], START).await.unwrap();
        assert_eq!(read.is_some(), kept, "{number}");
    }
}

/// Kept for ten minutes more, so that the program can be told that it has expired.
pub async fn expired_device_authorizations_go_after_a_while(store: &Arc<dyn Store>) {
    added(store).await;
    let kept = END + Duration::from_mins(10);
    assert_eq!(store.purge(kept, 100).await.unwrap().tickets, 0);
    assert_eq!(poll(store, None, kept).await, Polled::Expired);
    let late = kept + Duration::from_secs(1);
    assert_eq!(store.purge(late, 100).await.unwrap().tickets, 1);
    assert_eq!(poll(store, None, START).await, Polled::Missing);
}
