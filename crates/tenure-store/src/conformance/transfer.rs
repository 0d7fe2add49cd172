//! Moving a deployment to another store and back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{KeyHash, Revocation};
use tenure_core::scope::Scope;

use super::records::full_row;
use super::sessions::step;
use super::{START, create_all, cut, lineage, logout, row_of, session, session_of};
use crate::{
    AuditEvent, Consent, Decision, Device, KeyRecord, KeyUse, Loaded, Memory, Part, Record, Store,
    Ticket, TicketKind, Used, User,
};

const LATER: Duration = Duration::from_mins(1);

/// A part, page by page of three.
async fn exported(store: &Arc<dyn Store>, part: Part) -> Vec<Record> {
    let (mut records, mut from) = (Vec::new(), None);
    loop {
        let page = store.export(part, from.as_ref(), 3).await.unwrap();
        assert!(page.records.len() <= 3);
        records.extend(page.records);
        match page.next {
            Some(next) => from = Some(next),
            None => return records,
        }
    }
}

async fn copy(from: &Arc<dyn Store>, to: &Arc<dyn Store>) -> u64 {
    let mut changed = 0;
    for part in Part::ALL {
        changed += to.import(&exported(from, part).await).await.unwrap();
    }
    changed
}

async fn assert_same(one: &Arc<dyn Store>, other: &Arc<dyn Store>) {
    for part in Part::ALL {
        let (mut one, mut other) = (exported(one, part).await, exported(other, part).await);
        one.iter_mut().chain(&mut other).for_each(forget_moot_cut);
        let set = |records: &[Record]| records.iter().cloned().collect::<HashSet<_>>();
        assert_eq!(set(&one), set(&other), "{}", part.as_str());
        if matches!(part, Part::Keys | Part::Sessions | Part::Audit) {
            assert_eq!(one, other, "the order of {}", part.as_str());
        }
    }
}

/// A cut that comes after the end of a session concerns it no more.
fn forget_moot_cut(record: &mut Record) {
    if let Record::Session(loaded) = record {
        loaded.cut = loaded.cut.filter(|_| loaded.row.revoked.is_none());
    }
}

fn memory() -> Arc<dyn Store> {
    Arc::new(Memory::new())
}

fn session_record(loaded: &Loaded) -> Record {
    Record::Session(Box::new(loaded.clone()))
}

async fn loaded(store: &Arc<dyn Store>, lineage: LineageId) -> Loaded {
    store.load(lineage).await.unwrap().unwrap()
}

/// A deployment in which every kind of record has every shape.
async fn fill(store: &Arc<dyn Store>) {
    fill_sessions(store).await;
    fill_accounts(store).await;
    fill_keys(store).await;
    fill_tickets(store).await;
    fill_devices(store).await;
    let events: Vec<AuditEvent> = (0..7).map(event).collect();
    store.record(&events).await.unwrap();
}

async fn fill_sessions(store: &Arc<dyn Store>) {
    for n in 1..=5 {
        store.create(&session(n)).await.unwrap();
    }
    store.create(&full_row()).await.unwrap();
    let first = session(1);
    store
        .advance(first.lineage, &step(&first, 90))
        .await
        .unwrap();
    let head = row_of(store, first.lineage).await.head.id;
    let hash = KeyHash::of(b"attempt");
    store.note_use(first.lineage, head, hash).await.unwrap();
    store.revoke(lineage(2), logout()).await.unwrap();
    let changed = cut(START + LATER);
    let keep = Some(lineage(3));
    store
        .revoke_subject(&Subject::new("user-1"), changed, keep)
        .await
        .unwrap();
    // Its code was issued before the cut, and redeemed after it.
    store.create(&session(6)).await.unwrap();
    create_all(store, &[session_of("user-2", 7), session_of("user-2", 8)]).await;
}

async fn fill_accounts(store: &Arc<dyn Store>) {
    for n in 1..=4u64 {
        let user = user(&format!("user-{n}"), (n % 2 == 0).then_some("$argon2id$1"));
        store.add_user(&user).await.unwrap();
        let consent = Consent {
            subject: user.subject.clone(),
            client: ClientId::new("demo"),
            scope: Scope::parse("openid profile"),
            at: START,
        };
        store.set_consent(&consent).await.unwrap();
    }
    store
        .set_disabled(&Subject::new("user-4"), true)
        .await
        .unwrap();
}

fn user(name: &str, password: Option<&str>) -> User {
    User {
        subject: Subject::new(name),
        email: format!("{name}@Example.com"),
        password: password.map(str::to_owned),
        disabled: false,
        created_at: START,
    }
}

async fn fill_keys(store: &Arc<dyn Store>) {
    use KeyState::{Active, Next, Retired, Retiring};
    for (id, of, state) in [
        ("z", KeyUse::Sign, Retired),
        ("m1", KeyUse::Mac, Retiring),
        ("y", KeyUse::Sign, Retiring),
        ("x", KeyUse::Sign, Active),
        ("m0", KeyUse::Mac, Active),
        ("a", KeyUse::Sign, Next),
    ] {
        store.add_key(&key(id, of, state)).await.unwrap();
    }
}

fn key(id: &str, of: KeyUse, state: KeyState) -> KeyRecord {
    KeyRecord {
        id: id.to_owned(),
        of,
        algorithm: "ES256".to_owned(),
        state,
        since: START,
        sealed: if state == KeyState::Retired {
            Vec::new()
        } else {
            vec![0, 1, 254, 255]
        },
    }
}

async fn fill_tickets(store: &Arc<dyn Store>) {
    let kinds = [TicketKind::Code, TicketKind::MagicLink, TicketKind::Browser];
    for (n, kind) in (1..).zip(kinds.into_iter().cycle().take(7)) {
        store.add_ticket(&ticket(n, kind)).await.unwrap();
    }
    store
        .take_ticket(TicketKind::Code, [1; 32], START)
        .await
        .unwrap();
}

fn ticket(n: u8, kind: TicketKind) -> Ticket {
    Ticket {
        kind,
        hash: [n; 32],
        subject: n.is_multiple_of(2).then(|| Subject::new("user-1")),
        expires_at: START + LATER,
        used_at: None,
        payload: format!(r#"{{"n":{n}}}"#),
    }
}

async fn fill_devices(store: &Arc<dyn Store>) {
    for n in 1..=4 {
        store.add_device(&device(n)).await.unwrap();
    }
    let allowed = Decision::Allowed {
        subject: Subject::new("user-1"),
        auth_time: START,
    };
    store
        .decide_device([101; 32], &allowed, START)
        .await
        .unwrap();
    store
        .decide_device([102; 32], &Decision::Denied, START)
        .await
        .unwrap();
    for n in [1, 3] {
        let tv = ClientId::new("tv");
        store
            .poll_device([n; 32], &tv, Some([9; 32]), START)
            .await
            .unwrap();
    }
}

fn device(n: u8) -> Device {
    Device {
        code: [n; 32],
        user_code: [100 + n; 32],
        client: ClientId::new("tv"),
        payload: "{}".to_owned(),
        expires_at: START + LATER,
        interval: Duration::from_secs(5),
        polled_at: None,
        decision: None,
        used: None,
    }
}

fn event(n: u32) -> AuditEvent {
    AuditEvent {
        at: START + Duration::from_secs(1) * (n / 3),
        event: "session_started".to_owned(),
        subject: n.is_multiple_of(2).then(|| Subject::new("user-1")),
        client: n.is_multiple_of(3).then(|| ClientId::new("demo")),
        sid: Some(format!("sid-{n}")),
        reason: None,
        ip_prefix: (n == 1).then(|| "192.0.2.0/24".to_owned()),
        request_id: None,
    }
}

/// There and back, every field of every kind of record.
pub async fn everything_reads_back_from_another_store(store: &Arc<dyn Store>) {
    fill(store).await;
    let other = memory();
    copy(store, &other).await;
    assert_same(store, &other).await;
}

/// The other direction.
pub async fn everything_of_another_store_reads_back_from_this_one(store: &Arc<dyn Store>) {
    let other = memory();
    fill(&other).await;
    copy(&other, store).await;
    assert_same(&other, store).await;
    for n in 1..=8 {
        let (here, there) = (row_of(store, lineage(n)), row_of(&other, lineage(n)));
        assert_eq!(here.await, there.await);
    }
    let whose = Subject::new("user-1");
    let (here, there) = (
        store.sessions_of(&whose).await,
        other.sessions_of(&whose).await,
    );
    assert_eq!(here, there);
    assert_eq!(store.logged_end(lineage(2)).await, Ok(Some(logout())));
    let found = store.user_by_email("USER-3@example.COM").await.unwrap();
    assert_eq!(found, Some(user("user-3", None)));
}

/// A copy that begins anew goes over what is there.
pub async fn an_import_twice_changes_nothing(store: &Arc<dyn Store>) {
    let other = memory();
    fill(&other).await;
    assert!(copy(&other, store).await > 30);
    let version = store.version().await.unwrap();
    assert_eq!(copy(&other, store).await, 0);
    assert_eq!(store.version().await.unwrap(), version);
    assert_same(&other, store).await;
}

/// Nor a key of an earlier state, a ticket before its use, an undecided authorization.
pub async fn an_older_record_does_not_replace_a_newer_one(store: &Arc<dyn Store>) {
    let mut old = session(1);
    create_all(store, &[old.clone()]).await;
    store.advance(old.lineage, &step(&old, 90)).await.unwrap();
    let newer = loaded(store, old.lineage).await;
    let older = Loaded {
        row: old.clone(),
        cut: None,
    };
    let used = Ticket {
        used_at: Some(START),
        ..ticket(1, TicketKind::Code)
    };
    let redeemed = Device {
        decision: Some(Decision::Allowed {
            subject: Subject::new("user-1"),
            auth_time: START,
        }),
        used: Some(Used {
            at: START,
            key: None,
        }),
        ..device(1)
    };
    let retiring = key("k", KeyUse::Sign, KeyState::Retiring);
    let records = |ticket: &Ticket, device: &Device, key: &KeyRecord| {
        let (ticket, device, key) = (ticket.clone(), device.clone(), key.clone());
        [
            Record::Ticket(ticket),
            Record::Device(device),
            Record::Key(key),
        ]
    };
    let newest = records(&used, &redeemed, &retiring);
    assert_eq!(store.import(&newest).await, Ok(3));
    let active = key("k", KeyUse::Sign, KeyState::Active);
    let before = records(&ticket(1, TicketKind::Code), &device(1), &active);
    assert_eq!(store.import(&before).await, Ok(0));
    assert_eq!(store.import(&[session_record(&older)]).await, Ok(0));
    assert_eq!(loaded(store, old.lineage).await, newer);

    old.lineage = lineage(2);
    create_all(store, &[old.clone()]).await;
    let mut further = Loaded {
        row: old,
        cut: None,
    };
    further.row.head = newer.row.head.clone();
    further.row.ring = newer.row.ring.clone();
    assert_eq!(store.import(&[session_record(&further)]).await, Ok(1));
    assert_eq!(loaded(store, lineage(2)).await, further);
    for part in [Part::Tickets, Part::Devices, Part::Keys] {
        let here = exported(store, part).await;
        assert!(
            here.iter().all(|record| newest.contains(record)),
            "{here:?}"
        );
    }
}

/// Whichever of the two knows of it; the rotations of the other are kept with it.
pub async fn an_end_is_never_undone(store: &Arc<dyn Store>) {
    create_all(store, &[session(1), session(2)]).await;
    let alive = [
        loaded(store, lineage(1)).await,
        loaded(store, lineage(2)).await,
    ];
    store.revoke(lineage(1), logout()).await.unwrap();
    let mut further = alive.clone();
    further[0].row.head.generation = 4;
    further[1].row.revoked = Some(logout());
    let records = further.each_ref().map(session_record);
    assert_eq!(store.import(&records).await, Ok(2));
    assert_eq!(
        store.import(&alive.each_ref().map(session_record)).await,
        Ok(0)
    );
    assert_eq!(row_of(store, lineage(1)).await.head.generation, 4);
    for n in [1, 2] {
        assert_eq!(row_of(store, lineage(n)).await.revoked, Some(logout()));
        assert_eq!(store.logged_end(lineage(n)).await, Ok(Some(logout())));
    }
    let again = store.revoke(
        lineage(2),
        Revocation {
            at: START + LATER,
            ..logout()
        },
    );
    assert_eq!(again.await, Ok(crate::Revoked::Before(logout())));
}

/// An account has no order: what the source says now is what counts.
pub async fn an_account_is_replaced_by_what_is_imported(store: &Arc<dyn Store>) {
    let mut user = user("user-1", Some("$argon2id$1"));
    store.add_user(&user).await.unwrap();
    let version = store.version().await.unwrap();
    user.password = Some("$argon2id$2".to_owned());
    user.disabled = true;
    assert_eq!(store.import(&[Record::User(user.clone())]).await, Ok(1));
    assert_eq!(store.user(&user.subject).await, Ok(Some(user)));
    assert!(store.version().await.unwrap() > version);
}

/// New ones are behind the pages that were read, and in the next pages or in the changes.
pub async fn pages_do_not_miss_sessions_while_others_begin(store: &Arc<dyn Store>) {
    for n in (10..70).step_by(10) {
        store.create(&session(n)).await.unwrap();
    }
    let since = store.changes(None, 10).await.unwrap().next.unwrap();
    let (mut found, mut from, mut n) = (HashSet::new(), None, 1);
    loop {
        let page = store
            .export(Part::Sessions, from.as_ref(), 2)
            .await
            .unwrap();
        found.extend(page.records);
        for new in [n, n + 100] {
            store.create(&session(new)).await.unwrap();
        }
        let moved = session(10);
        store
            .advance(moved.lineage, &step(&moved, n))
            .await
            .unwrap();
        n += 1;
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    found.extend(changed_since(store, &since).await.0);
    let lineages: HashSet<LineageId> = found.iter().map(lineage_of).collect();
    let all = exported(store, Part::Sessions).await;
    assert!(all.len() >= 6 + 4);
    assert!(
        all.iter()
            .all(|record| lineages.contains(&lineage_of(record)))
    );
}

fn lineage_of(record: &Record) -> LineageId {
    match record {
        Record::Session(loaded) => loaded.row.lineage,
        other => panic!("{other:?} is no session"),
    }
}

/// All changes, a few at a time, and where to go on.
async fn changed_since(store: &Arc<dyn Store>, since: &[u8]) -> (HashSet<Record>, Vec<u8>) {
    let (mut records, mut since) = (HashSet::new(), since.to_vec());
    loop {
        let changes = store.changes(Some(&since), 2).await.unwrap();
        records.extend(changes.records);
        since = changes.next.unwrap();
        if !changes.more {
            return (records, since);
        }
    }
}

/// Whether they began, ended or were spared by a cut.
pub async fn changes_tell_which_sessions_began_and_ended(store: &Arc<dyn Store>) {
    create_all(
        store,
        &[session(1), session(2), session(3), session_of("user-2", 4)],
    )
    .await;
    let begun = store.changes(None, 10).await.unwrap();
    assert_eq!(begun.records, []);
    let since = begun.next.unwrap();

    store.revoke(lineage(4), logout()).await.unwrap();
    store.create(&session_of("user-2", 5)).await.unwrap();
    let (found, since) = changed_since(store, &since).await;
    assert_told(store, &found, [4, 5]).await;

    let (whose, keep) = (Subject::new("user-1"), Some(lineage(2)));
    let changed = cut(START + LATER);
    store.revoke_subject(&whose, changed, keep).await.unwrap();
    let (found, _) = changed_since(store, &since).await;
    assert_told(store, &found, [1, 2, 3]).await;
    let kept = loaded(store, lineage(2)).await;
    assert_eq!((kept.cut, kept.row.revoked), (None, None));
}

async fn assert_told<const N: usize>(
    store: &Arc<dyn Store>,
    found: &HashSet<Record>,
    numbers: [u64; N],
) {
    for n in numbers {
        let now = session_record(&loaded(store, lineage(n)).await);
        assert!(found.contains(&now), "{n} is not in {found:?}");
    }
}

/// Also where the cut came between two passes.
pub async fn a_spared_session_stays_spared_in_another_store(store: &Arc<dyn Store>) {
    let source = memory();
    create_all(&source, &[session(1), session(2)]).await;
    copy(&source, store).await;
    let (whose, first) = (Subject::new("user-1"), cut(START + LATER));
    source
        .revoke_subject(&whose, first, Some(lineage(1)))
        .await
        .unwrap();
    copy(&source, store).await;
    assert_eq!(loaded(store, lineage(1)).await.cut, None);
    assert_eq!(loaded(store, lineage(2)).await.cut, Some(first));

    let second = cut(START + LATER + LATER);
    source.revoke_subject(&whose, second, None).await.unwrap();
    copy(&source, store).await;
    assert_eq!(loaded(store, lineage(1)).await.cut, Some(second));
    assert_same(&source, store).await;
}
