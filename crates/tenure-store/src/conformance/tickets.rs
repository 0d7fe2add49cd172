//! Codes, links and browser sign-ins.

use std::sync::Arc;

use tenure_core::id::Subject;
use tenure_core::time::Timestamp;

use super::START;
use super::races::at_once;
use crate::{Store, Taken, Ticket, TicketKind};

const HASH: [u8; 32] = [0xa5; 32];
const END: Timestamp = Timestamp(START.0 + 60);
const AFTER: Timestamp = Timestamp(END.0 + 1);

fn ticket(kind: TicketKind) -> Ticket {
    Ticket {
        kind,
        hash: HASH,
        subject: Some(Subject::new("user-1")),
        expires_at: END,
        used_at: None,
        payload: r#"{"nonce":"ü"}"#.to_owned(),
    }
}

fn used(at: Timestamp) -> Ticket {
    Ticket {
        used_at: Some(at),
        ..ticket(TicketKind::Code)
    }
}

/// With and without a subject, used or not.
pub async fn a_ticket_reads_back_as_it_was_added(store: &Arc<dyn Store>) {
    let anonymous = Ticket {
        subject: None,
        used_at: Some(START),
        ..ticket(TicketKind::MagicLink)
    };
    for ticket in [
        ticket(TicketKind::Code),
        ticket(TicketKind::Browser),
        anonymous,
    ] {
        store.add_ticket(&ticket).await.unwrap();
        let read = store.ticket(ticket.kind, HASH, START).await;
        assert_eq!(read, Ok(Some(ticket)));
    }
}

/// It is good until its last second.
pub async fn an_expired_ticket_is_gone(store: &Arc<dyn Store>) {
    store.add_ticket(&ticket(TicketKind::Code)).await.unwrap();
    let read = store.ticket(TicketKind::Code, HASH, END).await.unwrap();
    assert_eq!(read, Some(ticket(TicketKind::Code)));
    assert_eq!(store.ticket(TicketKind::Code, HASH, AFTER).await, Ok(None));
    assert_eq!(
        store.take_ticket(TicketKind::Code, HASH, AFTER).await,
        Ok(Taken::Missing)
    );
    assert_eq!(
        store.take_ticket(TicketKind::Code, HASH, END).await,
        Ok(Taken::Now(used(END)))
    );
}

/// Who comes second learns that, and when the first one came.
pub async fn a_ticket_is_taken_once(store: &Arc<dyn Store>) {
    store.add_ticket(&ticket(TicketKind::Code)).await.unwrap();
    let taken = store.take_ticket(TicketKind::Code, HASH, START).await;
    assert_eq!(taken, Ok(Taken::Now(used(START))));
    let again = store.take_ticket(TicketKind::Code, HASH, END).await;
    assert_eq!(again, Ok(Taken::Before(used(START))));
    assert_eq!(
        store.ticket(TicketKind::Code, HASH, END).await,
        Ok(Some(used(START)))
    );
    let unknown = store.take_ticket(TicketKind::Code, [1; 32], START).await;
    assert_eq!(unknown, Ok(Taken::Missing));
}

/// A code that is redeemed twice at the same moment.
pub async fn sixty_four_takers_of_one_ticket_get_it_once(store: &Arc<dyn Store>) {
    store.add_ticket(&ticket(TicketKind::Code)).await.unwrap();
    let answers = at_once(0..64, |_| {
        let store = Arc::clone(store);
        async move {
            store
                .take_ticket(TicketKind::Code, HASH, START)
                .await
                .unwrap()
        }
    })
    .await;
    let now = answers
        .iter()
        .filter(|taken| matches!(taken, Taken::Now(_)))
        .count();
    let before = answers
        .iter()
        .filter(|taken| matches!(taken, Taken::Before(_)))
        .count();
    assert_eq!((now, before), (1, 63));
}

/// A sign-in link is no authorization code.
pub async fn a_ticket_of_another_kind_is_another_ticket(store: &Arc<dyn Store>) {
    store.add_ticket(&ticket(TicketKind::Code)).await.unwrap();
    let other = store.take_ticket(TicketKind::MagicLink, HASH, START).await;
    assert_eq!(other, Ok(Taken::Missing));
    assert_eq!(
        store.ticket(TicketKind::MagicLink, HASH, START).await,
        Ok(None)
    );
}

/// Dropping one that is not there is no error.
pub async fn a_dropped_ticket_is_gone(store: &Arc<dyn Store>) {
    store
        .add_ticket(&ticket(TicketKind::Browser))
        .await
        .unwrap();
    for _ in 0..2 {
        store.drop_ticket(TicketKind::Browser, HASH).await.unwrap();
        assert_eq!(
            store.ticket(TicketKind::Browser, HASH, START).await,
            Ok(None)
        );
    }
}

/// Of every kind; others' and nobody's stay.
pub async fn all_tickets_of_a_subject_are_dropped(store: &Arc<dyn Store>) {
    let others = Ticket {
        hash: [1; 32],
        subject: Some(Subject::new("user-2")),
        ..ticket(TicketKind::Code)
    };
    let nobodys = Ticket {
        hash: [2; 32],
        subject: None,
        ..ticket(TicketKind::Code)
    };
    let theirs = [ticket(TicketKind::Code), ticket(TicketKind::Browser)];
    for ticket in theirs.iter().chain([&others, &nobodys]) {
        store.add_ticket(ticket).await.unwrap();
    }
    store
        .drop_tickets_of(&Subject::new("user-1"))
        .await
        .unwrap();
    for ticket in theirs {
        assert_eq!(
            store.ticket(ticket.kind, ticket.hash, START).await,
            Ok(None)
        );
    }
    for ticket in [others, nobodys] {
        let read = store.ticket(ticket.kind, ticket.hash, START).await;
        assert_eq!(read, Ok(Some(ticket)));
    }
}
