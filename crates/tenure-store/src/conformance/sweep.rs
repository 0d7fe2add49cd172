//! What a sweep deletes, to the second.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::lineage::{Retired, Row};
use tenure_core::time::Timestamp;

use super::sessions::step;
use super::{ABSOLUTE, IDLE, START, create_all, lineage, logout, session};
use crate::{Purged, Store, Ticket, TicketKind, Written};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

async fn sessions_purged(store: &Arc<dyn Store>, now: Timestamp) -> u64 {
    store.purge(now, 100).await.unwrap().sessions
}

/// One that was refreshed at the last moment, and one whose head was presented again at its last.
pub async fn living_sessions_stay(store: &Arc<dyn Store>) {
    let row = session(1);
    create_all(store, &[row.clone(), session(2)]).await;
    let mut late = step(&row, 2);
    late.head.since = START + IDLE;
    late.ring = vec![Retired {
        id: row.head.id,
        at: late.head.since,
    }];
    assert_eq!(store.advance(row.lineage, &late).await, Ok(Written::Now));
    assert_eq!(sessions_purged(store, START + IDLE + IDLE).await, 0);
    assert_eq!(
        sessions_purged(store, START + IDLE + IDLE + SECOND).await,
        1
    );
    assert!(store.load(lineage(1)).await.unwrap().is_some());
}

/// Not a second earlier.
pub async fn sessions_go_after_their_absolute_limit(store: &Arc<dyn Store>) {
    let mut row = session(1);
    row.idle = ABSOLUTE * 2;
    create_all(store, &[row]).await;
    assert_eq!(sessions_purged(store, START + ABSOLUTE).await, 0);
    assert_eq!(sessions_purged(store, START + ABSOLUTE + SECOND).await, 1);
    assert_eq!(store.load(lineage(1)).await, Ok(None));
}

/// Twice, because a presentation of the head extends it without a write.
pub async fn sessions_go_after_twice_their_idle_limit(store: &Arc<dyn Store>) {
    create_all(store, &[session(1)]).await;
    assert_eq!(sessions_purged(store, START + IDLE + IDLE).await, 0);
    assert_eq!(
        sessions_purged(store, START + IDLE + IDLE + SECOND).await,
        1
    );
    assert_eq!(store.load(lineage(1)).await, Ok(None));
}

/// Kept for a day, so that its holder can be told why.
pub async fn ended_sessions_go_after_a_day(store: &Arc<dyn Store>) {
    create_all(store, &[session(1), session(2)]).await;
    store.revoke(lineage(1), logout()).await.unwrap();
    assert_eq!(sessions_purged(store, START + DAY).await, 0);
    assert_eq!(sessions_purged(store, START + DAY + SECOND).await, 1);
    assert_eq!(store.load(lineage(1)).await, Ok(None));
    assert!(store.load(lineage(2)).await.unwrap().is_some());
}

/// Used or not.
pub async fn expired_tickets_go(store: &Arc<dyn Store>) {
    for n in 0..3 {
        store.add_ticket(&ticket(n)).await.unwrap();
    }
    store
        .take_ticket(TicketKind::Code, [0; 32], START)
        .await
        .unwrap();
    assert_eq!(store.purge(START + SECOND, 100).await.unwrap().tickets, 1);
    assert_eq!(
        store.purge(START + SECOND * 9, 100).await.unwrap().tickets,
        2
    );
}

fn ticket(n: u8) -> Ticket {
    Ticket {
        kind: TicketKind::Code,
        hash: [n; 32],
        subject: None,
        expires_at: START + SECOND * u32::from(n),
        used_at: None,
        payload: "{}".to_owned(),
    }
}

/// Call after call until nothing is left.
pub async fn a_sweep_stops_at_its_limit(store: &Arc<dyn Store>) {
    let rows: Vec<Row> = (0..300).map(session).collect();
    create_all(store, &rows).await;
    store.add_ticket(&ticket(1)).await.unwrap();
    let now = START + ABSOLUTE + SECOND;
    let mut left = rows.len() as u64;
    while left > 0 {
        let Purged { sessions, .. } = store.purge(now, 70).await.unwrap();
        assert_eq!(sessions, left.min(70));
        left -= sessions;
    }
    let rest = store.purge(now, 70).await.unwrap();
    assert_eq!(rest.sessions, 0);
    assert_eq!(store.load(lineage(299)).await, Ok(None));
    assert_eq!(
        store.ticket(TicketKind::Code, [1; 32], START).await,
        Ok(None)
    );
}
