//! Many at once: the store decides who was first.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::lineage::{EndCause, Row};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::presenter::{Heard, Presenter};
use super::sessions::step;
use super::{ABSOLUTE, IDLE, START, create_all, lineage, logout, row_of, session};
use crate::{Revoked, Store, Written};

const CROWD: u64 = 64;

/// Longer than the late window.
const LATER: Duration = Duration::from_mins(10);

/// Runs one task per number, all from the same moment, and answers in order of the numbers.
pub(super) async fn at_once<T, F>(numbers: std::ops::Range<u64>, task: impl Fn(u64) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let count = usize::try_from(numbers.end - numbers.start).unwrap();
    let start = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for number in numbers {
        let (start, task) = (Arc::clone(&start), task(number));
        tasks.spawn(async move {
            start.wait().await;
            (number, task.await)
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Presents one token many times at once.
async fn crowd(server: &Presenter, token: &Secret, now: Timestamp) -> Vec<Heard> {
    at_once(0..CROWD, |number| {
        let (server, token) = (server.clone(), token.clone());
        async move { server.present(&token, 1000 + number, now).await.unwrap() }
    })
    .await
}

async fn signed_in(store: &Arc<dyn Store>, row: &Row) -> (Presenter, Secret) {
    store.create(row).await.unwrap();
    let server = Presenter::new(store);
    let token = server.first_token(row);
    (server, token)
}

/// A refresh that has read the row before a logout must not write it back to life after it.
pub async fn a_logout_between_read_and_write_wins(store: &Arc<dyn Store>) {
    let (server, token) = signed_in(store, &session(1)).await;
    let next = server.present(&token, 2, START).await.unwrap().token();
    let read = row_of(store, lineage(1)).await;
    assert_eq!(store.revoke(lineage(1), logout()).await, Ok(Revoked::Now));
    assert_eq!(
        store.advance(lineage(1), &step(&read, 9)).await,
        Ok(Written::Lost)
    );
    let heard = server.present(&next, 3, START).await;
    assert_eq!(heard, Ok(Heard::Ended(EndCause::LoggedOut)));
}

/// Both have read the same head.
pub async fn of_two_advances_from_one_head_one_is_written(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let answers = at_once(0..CROWD, |number| {
        let (store, step) = (Arc::clone(store), step(&row, 100 + number));
        async move { store.advance(lineage(1), &step).await.unwrap() }
    })
    .await;
    let won: Vec<usize> = (0..answers.len())
        .filter(|&number| answers[number] == Written::Now)
        .collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    let head = row_of(store, lineage(1)).await.head.id;
    assert_eq!(head.0, (100 + won[0] as u64).to_be_bytes());
}

/// Every one of them is answered, the session goes on from any one of the answers, and the first
/// answer that goes on is the only one that does.
pub async fn sixty_four_presentations_of_one_token_leave_one_branch(store: &Arc<dyn Store>) {
    for kept in [0, 31, 63] {
        let row = session(kept as u64 + 1);
        let (server, first) = signed_in(store, &row).await;
        let shared = server.present(&first, 2, START).await.unwrap().token();
        let answers = crowd(&server, &shared, START).await;
        let answers: Vec<Secret> = answers.into_iter().map(Heard::token).collect();

        let mut token = answers[kept].clone();
        let mut now = START;
        for fresh in 0..20 {
            now = now + LATER;
            token = server
                .present(&token, 2000 + fresh, now)
                .await
                .unwrap()
                .token();
        }
        assert_eq!(row_of(store, row.lineage).await.revoked, None);

        let theft = Ok(Heard::Ended(EndCause::TheftDetected));
        assert_eq!(
            server.present(&answers[(kept + 1) % 64], 3000, now).await,
            theft
        );
        assert_eq!(server.present(&token, 3001, now).await, theft);
    }
}

/// None of them writes more than a note.
pub async fn sixty_four_presentations_of_the_head_are_all_answered(store: &Arc<dyn Store>) {
    let row = session(1);
    let (server, first) = signed_in(store, &row).await;
    let answers = crowd(&server, &first, START).await;
    let last = answers.into_iter().map(Heard::token).next_back().unwrap();
    assert_eq!(row_of(store, lineage(1)).await.head, row.head);
    server
        .present(&last, 5000, START + LATER)
        .await
        .unwrap()
        .token();
}

/// Groups of writes do not mix up whose is whose.
pub async fn sixty_four_sessions_move_at_once(store: &Arc<dyn Store>) {
    let rows: Vec<Row> = (0..CROWD).map(session).collect();
    create_all(store, &rows).await;
    let written = at_once(0..CROWD, |number| {
        let (store, step) = (Arc::clone(store), step(&session(number), 500 + number));
        async move { store.advance(lineage(number), &step).await.unwrap() }
    })
    .await;
    assert!(written.iter().all(|written| *written == Written::Now));
    for number in 0..CROWD {
        let head = row_of(store, lineage(number)).await.head;
        assert_eq!(head.id.0, (500 + number).to_be_bytes());
    }
}

/// Others in its group are written.
pub async fn a_write_that_fails_alone_fails_alone(store: &Arc<dyn Store>) {
    store.create(&session(0)).await.unwrap();
    let answers = at_once(0..CROWD, |number| {
        let store = Arc::clone(store);
        // Every other one is there already.
        async move { store.create(&session(number * (number % 2))).await.is_ok() }
    })
    .await;
    for (number, created) in (0..).zip(answers) {
        assert_eq!(created, number % 2 == 1);
        assert_eq!(
            store.load(lineage(number)).await.unwrap().is_some(),
            created || number == 0
        );
    }
}

/// One caller ends it, the others hear that it had ended.
pub async fn sixty_four_ends_of_one_session_end_it_once(store: &Arc<dyn Store>) {
    store.create(&session(1)).await.unwrap();
    let answers = at_once(0..CROWD, |_| {
        let store = Arc::clone(store);
        async move { store.revoke(lineage(1), logout()).await.unwrap() }
    })
    .await;
    let ended = answers
        .iter()
        .filter(|answer| **answer == Revoked::Now)
        .count();
    let before = answers
        .iter()
        .filter(|answer| **answer == Revoked::Before(logout()))
        .count();
    assert_eq!((ended, before), (1, answers.len() - 1));
}

/// Whatever the order, the session is over once the logout is acknowledged.
pub async fn refreshes_and_a_logout_at_once_end_the_session(store: &Arc<dyn Store>) {
    let (server, first) = signed_in(store, &session(1)).await;
    let token = server.present(&first, 2, START).await.unwrap().token();
    let answers = at_once(0..CROWD, |number| {
        let (server, token, store) = (server.clone(), token.clone(), Arc::clone(store));
        async move {
            if number == CROWD / 2 {
                store.revoke(lineage(1), logout()).await.unwrap();
                return server.present(&token, 1, START).await.unwrap();
            }
            server.present(&token, 1000 + number, START).await.unwrap()
        }
    })
    .await;
    let over = Heard::Ended(EndCause::LoggedOut);
    assert_eq!(answers[answers.len() / 2], over);
    for answer in answers {
        if let Heard::Token(token) = answer {
            assert_eq!(server.present(&token, 9, START).await, Ok(over.clone()));
        }
    }
}

/// To the second, counted from the newest presentation.
pub async fn an_idle_session_expires_at_its_limit(store: &Arc<dyn Store>) {
    let (server, first) = signed_in(store, &session(1)).await;
    let token = server
        .present(&first, 2, START + IDLE)
        .await
        .unwrap()
        .token();
    let limit = START + IDLE + IDLE;
    let token = server.present(&token, 3, limit).await.unwrap().token();
    let too_late = limit + IDLE + Duration::from_secs(1);
    let heard = server.present(&token, 4, too_late).await;
    assert_eq!(heard, Ok(Heard::Ended(EndCause::ExpiredIdle)));
}

/// However active it is.
pub async fn a_busy_session_expires_at_its_absolute_limit(store: &Arc<dyn Store>) {
    let (server, mut token) = signed_in(store, &session(1)).await;
    let days = ABSOLUTE.as_secs() / IDLE.as_secs();
    for day in 1..=days {
        let now = START + IDLE * u32::try_from(day).unwrap();
        token = server
            .present(&token, 100 + day, now)
            .await
            .unwrap()
            .token();
    }
    let too_late = START + ABSOLUTE + Duration::from_secs(1);
    let heard = server.present(&token, 4, too_late).await;
    assert_eq!(heard, Ok(Heard::Ended(EndCause::ExpiredAbsolute)));
}
