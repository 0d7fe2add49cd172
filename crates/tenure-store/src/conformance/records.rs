//! Every field of a row, and what a store says of itself.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::lineage::{
    Device, EndCause, KeyHash, RING, Retired, Revocation, Row, RowSecret, TokenId,
};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

use super::{START, lineage, row_of, session, session_of};
use crate::Store;

/// A row with nothing left out, each value unlike the others.
pub(super) fn full_row() -> Row {
    let mut row = session_of("sub'ject \u{1f600} \0 end", 77);
    row.secret = RowSecret(std::array::from_fn(|n| u8::try_from(n * 17).unwrap()));
    row.grant.scope = Scope::parse("offline_access openid profile:read");
    row.grant.audience = vec!["https://a.example/?q=\"1\"".to_owned(), String::new()];
    row.grant.auth_time = Timestamp(1);
    row.created_at = Timestamp(2);
    row.expires_absolute = Timestamp(u64::from(u32::MAX) * 2);
    row.idle = Duration::from_secs(123_456_789);
    row.head.generation = u32::MAX;
    row.head.since = START + Duration::from_secs(3);
    row.head.uses = [b"a", b"b", b"c", b"d"]
        .map(|key| KeyHash::of(key))
        .to_vec();
    row.head.uses[1] = KeyHash::NONE;
    let retired = |n: u64| Retired {
        id: TokenId((n * 0x0101_0101_0101_0101).to_be_bytes()),
        at: Timestamp(START.0 + n),
    };
    row.ring = (0..RING as u64).map(retired).collect();
    row.history_unknown_until = Some(Timestamp(5));
    row.revoked = Some(Revocation {
        at: Timestamp(6),
        cause: EndCause::TheftDetected,
    });
    row.device = Device {
        label: Some("Ana's phone".to_owned()),
        ip_prefix: Some("2001:db8::/48".to_owned()),
        user_agent: Some(String::new()),
    };
    row.dpop_jkt = Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned());
    row
}

/// Nothing is rounded, trimmed or folded.
pub async fn a_row_with_every_field_reads_back(store: &Arc<dyn Store>) {
    for (n, cause) in (0u64..).zip(EndCause::ALL) {
        let mut row = full_row();
        row.lineage = lineage(n);
        row.revoked = Some(Revocation {
            at: Timestamp(n),
            cause,
        });
        store.create(&row).await.unwrap();
        assert_eq!(row_of(store, row.lineage).await, row);
        assert_eq!(
            store.sessions_of(&row.grant.subject).await.unwrap().len() as u64,
            n + 1
        );
    }
}

/// Nothing is made up.
pub async fn a_row_without_optional_fields_reads_back(store: &Arc<dyn Store>) {
    let mut row = session(1);
    row.grant.scope = Scope::default();
    row.grant.audience = Vec::new();
    store.create(&row).await.unwrap();
    assert_eq!(row_of(store, row.lineage).await, row);
}

/// For `/health/ready`.
pub async fn a_store_describes_itself_and_passes_its_check(store: &Arc<dyn Store>) {
    let description = store.describe();
    assert!(!description.kind.is_empty() && !description.place.is_empty());
    assert!(["separate-log", "primary-only"].contains(&description.revoke_durability));
    for _ in 0..2 {
        store.check().await.unwrap();
    }
}

/// For `/metrics`.
pub async fn counters_count_writes(store: &Arc<dyn Store>) {
    let before = store.counters();
    for n in 0..10 {
        store.create(&session(n)).await.unwrap();
    }
    let after = store.counters();
    assert_eq!(after.writes - before.writes, 10);
    assert!(after.commits > before.commits);
    assert_eq!(after.failed_commits, 0);
}
