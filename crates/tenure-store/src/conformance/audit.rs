//! The audit trail.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{ClientId, Subject};

use super::START;
use crate::{AuditEvent, AuditQuery, Store};

fn event(second: u32, subject: Option<&str>) -> AuditEvent {
    AuditEvent {
        at: START + Duration::from_secs(1) * second,
        event: "session_ended".to_owned(),
        subject: subject.map(Subject::new),
        client: subject.map(|_| ClientId::new("demo")),
        sid: Some(format!("sid-{second}")),
        reason: Some("theft_detected".to_owned()),
        ip_prefix: Some("192.0.2.0/24".to_owned()),
        request_id: None,
    }
}

fn bare(second: u32) -> AuditEvent {
    AuditEvent {
        sid: None,
        reason: None,
        ip_prefix: None,
        request_id: Some(format!("request-{second}")),
        ..event(second, None)
    }
}

/// Also where they were recorded out of order; of one second, the last recorded first.
pub async fn events_are_read_newest_first(store: &Arc<dyn Store>) {
    let second = AuditEvent {
        sid: None,
        ..event(3, Some("user-1"))
    };
    store
        .record(&[event(3, Some("user-1")), bare(1)])
        .await
        .unwrap();
    store
        .record(&[second.clone(), event(2, None)])
        .await
        .unwrap();
    store.record(&[]).await.unwrap();
    let read = store.audit(&AuditQuery::default()).await;
    let expected = vec![second, event(3, Some("user-1")), event(2, None), bare(1)];
    assert_eq!(read, Ok(expected));
}

/// By subject, by time, by number.
pub async fn events_are_filtered_and_limited(store: &Arc<dyn Store>) {
    let subject = |second: u32| {
        if second.is_multiple_of(2) {
            "even"
        } else {
            "odd"
        }
    };
    let events: Vec<AuditEvent> = (0..1100)
        .map(|second| event(second, Some(subject(second))))
        .collect();
    store.record(&events).await.unwrap();
    let read = |query: AuditQuery| async move { store.audit(&query).await.unwrap() };

    let all = read(AuditQuery::default()).await;
    assert_eq!((all.len(), &all[0]), (1000, &events[1099]));

    let odd = AuditQuery {
        subject: Some(Subject::new("odd")),
        since: Some(START + Duration::from_secs(1095)),
        limit: 0,
    };
    let expected: Vec<AuditEvent> = [1099, 1097, 1095].map(|n| events[n].clone()).to_vec();
    assert_eq!(read(odd.clone()).await, expected);
    assert_eq!(read(AuditQuery { limit: 2, ..odd }).await, expected[..2]);
    let nobody = AuditQuery {
        subject: Some(Subject::new("nobody")),
        ..AuditQuery::default()
    };
    assert_eq!(read(nobody).await, []);
}
