//! The tables of answers.

use serde::Deserialize;

use crate::profile::{Endpoint, Holding};

/// One answer of a refresh endpoint, and what must follow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    pub(crate) name: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) endpoint: Endpoint,
    pub(crate) event: Option<Event>,
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    #[serde(default)]
    pub(crate) body: String,
    pub(crate) expect: Expected,
    pub(crate) says: Option<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) vault: Holding,
    #[serde(default = "once")]
    pub(crate) sent: usize,
}

fn once() -> usize {
    1
}

/// One answer of an API, and what must follow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    pub(crate) expect: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    NoName,
    NoListener,
    ResetBeforeRequest,
    ResetAfterRequest,
    CloseAfterRequest,
    HalfHeader,
    HalfBody,
    Silence,
    Stall,
    Endless,
    NotHttp,
    StaleKeepAlive,
    TlsSelfSigned,
    TlsWrongHost,
    TlsExpired,
    TlsPlain,
    TlsHangUp,
    TlsGood,
    H2GoawayIdle,
    H2GoawayUnprocessed,
    H2GoawayProcessed,
    H2GoawayError,
    H2Reset,
    H2RefusedStream,
    H2Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expected {
    Granted,
    Ended,
    Transient,
    Misconfigured,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Accepted,
    TokenRefused,
    Forbidden,
    Other,
}

#[derive(Deserialize)]
struct Table<T> {
    answer: Vec<T>,
}

pub(crate) fn refreshes() -> Vec<Refresh> {
    let table: Table<Refresh> = toml::from_str(include_str!("refresh.toml")).expect("a table");
    table.answer
}

pub(crate) fn apis() -> Vec<Api> {
    let table: Table<Api> = toml::from_str(include_str!("api.toml")).expect("a table");
    table.answer
}

#[test]
fn both_tables_are_large_sourced_and_without_repetition() {
    let refreshes = refreshes();
    let apis = apis();
    assert!(refreshes.len() >= 60, "{}", refreshes.len());
    assert!(apis.len() >= 30, "{}", apis.len());
    let sources = refreshes.iter().map(|case| (&case.name, &case.source));
    for (name, source) in sources.chain(apis.iter().map(|case| (&case.name, &case.source))) {
        assert!(name.len() > 2 && source.len() > 7, "{name}: {source}");
    }
    let mut names: Vec<_> = refreshes.iter().map(|case| &case.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), refreshes.len());
    for case in &refreshes {
        assert!(
            case.event.is_some() != case.status.is_some(),
            "{}",
            case.name
        );
    }
}
