//! Any row reads back from any backend as it was written.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Device, EndCause, Grant, Head, KeyHash, RING, Retired, Revocation, Row, RowSecret, TokenId,
};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;
use tenure_store::{Memory, Sqlite, SqliteOptions, Store};
use uuid::Uuid;

/// SQLite's integers are signed.
fn time() -> impl Strategy<Value = Timestamp> {
    (0..=i64::MAX.cast_unsigned()).prop_map(Timestamp)
}

fn token() -> impl Strategy<Value = TokenId> {
    any::<[u8; 8]>().prop_map(TokenId)
}

fn grant() -> impl Strategy<Value = Grant> {
    (
        any::<String>(),
        any::<String>(),
        any::<String>(),
        vec(any::<String>(), 0..4),
        time(),
    )
        .prop_map(|(subject, client, scope, audience, auth_time)| Grant {
            subject: Subject::new(subject),
            client: ClientId::new(client),
            scope: Scope::parse(&scope),
            audience,
            auth_time,
        })
}

fn head() -> impl Strategy<Value = Head> {
    let uses = vec(
        any::<[u8; 4]>().prop_map(KeyHash::from_be_bytes),
        0..=Head::USES,
    );
    (token(), any::<u32>(), time(), uses).prop_map(|(id, generation, since, uses)| Head {
        id,
        generation,
        since,
        uses,
    })
}

fn revocation() -> impl Strategy<Value = Revocation> {
    let cause = proptest::sample::select(EndCause::ALL.to_vec());
    (time(), cause).prop_map(|(at, cause)| Revocation { at, cause })
}

fn device() -> impl Strategy<Value = Device> {
    let text = || option::of(any::<String>());
    (text(), text(), text()).prop_map(|(label, ip_prefix, user_agent)| Device {
        label,
        ip_prefix,
        user_agent,
    })
}

fn row() -> impl Strategy<Value = Row> {
    let keys = (any::<[u8; 16]>(), any::<[u8; 16]>(), grant());
    let times = (time(), time(), time());
    let entry = (token(), time()).prop_map(|(id, at)| Retired { id, at });
    let history = (
        head(),
        vec(entry, 0..=RING),
        option::of(time()),
        option::of(revocation()),
    );
    let shown = (device(), option::of(any::<String>()));
    (keys, times, history, shown).prop_map(|(keys, times, history, shown)| Row {
        lineage: LineageId(Uuid::from_bytes(keys.0)),
        secret: RowSecret(keys.1),
        grant: keys.2,
        created_at: times.0,
        expires_absolute: times.1,
        idle: Duration::from_secs(times.2.0),
        head: history.0,
        ring: history.1,
        history_unknown_until: history.2,
        revoked: history.3,
        device: shown.0,
        dpop_jkt: shown.1,
    })
}

#[test]
fn any_row_reads_back() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&SqliteOptions::new(home.path())).unwrap();
    let stores: [Arc<dyn Store>; 2] = [Arc::new(Memory::new()), Arc::new(sqlite)];
    proptest!(|(row in row())| {
        for store in &stores {
            let read = runtime.block_on(async {
                store.create(&row).await.unwrap();
                let loaded = store.load(row.lineage).await.unwrap().unwrap();
                let listed = store.sessions_of(&row.grant.subject).await.unwrap();
                assert!(listed.contains(&loaded.row));
                loaded.row
            });
            prop_assert_eq!(&read, &row);
        }
    });
}
