//! What Redis says, by culprit.

use redis::{ErrorKind, RedisError};

use crate::StoreError;

/// Words at the beginning of an error, and what they mean for an operator. A script that fails may
/// carry them further inside.
const WORDS: [(&str, Culprit, &str); 13] = [
    (
        "OOM",
        Culprit::Full,
        "Redis is over its maxmemory and evicts nothing: give it more",
    ),
    (
        "MISCONF",
        Culprit::ReadOnly,
        "Redis takes no writes since it cannot save to its disk",
    ),
    ("READONLY", Culprit::ReadOnly, "this Redis is a replica"),
    (
        "NOREPLICAS",
        Culprit::ReadOnly,
        "Redis takes no writes: fewer replicas than min-replicas-to-write",
    ),
    ("LOADING", Culprit::Busy, "Redis is loading its data"),
    ("BUSY", Culprit::Busy, "Redis is busy with a script"),
    (
        "TRYAGAIN",
        Culprit::Busy,
        "the Redis Cluster is moving slots",
    ),
    (
        "CLUSTERDOWN",
        Culprit::Unavailable,
        "the Redis Cluster is down",
    ),
    (
        "MASTERDOWN",
        Culprit::Unavailable,
        "Redis has lost its master",
    ),
    ("NOAUTH", Culprit::Unavailable, "Redis wants a password"),
    (
        "WRONGPASS",
        Culprit::Unavailable,
        "Redis does not know this user or password",
    ),
    (
        "NOPERM",
        Culprit::Unavailable,
        "the Redis user lacks a right",
    ),
    (
        "WRONGTYPE",
        Culprit::Damaged,
        "another program has written a key of this store",
    ),
];

#[derive(Clone, Copy)]
enum Culprit {
    Full,
    ReadOnly,
    Busy,
    Unavailable,
    Damaged,
}

/// The trouble behind an error of the driver, whose text holds no password.
pub(super) fn trouble(error: &RedisError) -> StoreError {
    let said = error.to_string();
    let code = error.code().unwrap_or_default();
    // The words of NOPERM inside a script.
    if said.contains("The user executing the script can't") {
        let text = format!("the Redis user lacks a right (NOPERM): {said}");
        return StoreError::Unavailable(text);
    }
    let found = WORDS
        .iter()
        .find(|(word, ..)| code == *word || said.contains(&format!("-{word} ")));
    if let Some((word, culprit, meaning)) = found {
        return culprit.with(format!("{meaning} ({word})"));
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => {
            StoreError::Unavailable("Redis does not take this user or password".to_owned())
        }
        ErrorKind::UnexpectedReturnType | ErrorKind::Parse => StoreError::Damaged(said),
        _ if error.is_timeout() => StoreError::Busy("Redis did not answer in time".to_owned()),
        _ => StoreError::Unavailable(said),
    }
}

impl Culprit {
    fn with(self, text: String) -> StoreError {
        match self {
            Self::Full => StoreError::Full(text),
            Self::ReadOnly => StoreError::ReadOnly(text),
            Self::Busy => StoreError::Busy(text),
            Self::Unavailable => StoreError::Unavailable(text),
            Self::Damaged => StoreError::Damaged(text),
        }
    }
}

/// Whether the connection is of no use any more: it broke, it stopped answering, or what answers is
/// not a primary (any more).
pub(super) fn spoils_connection(error: &RedisError) -> bool {
    let demoted = error
        .code()
        .is_some_and(|code| ["READONLY", "MASTERDOWN"].contains(&code))
        || error.to_string().contains("-READONLY ");
    demoted || error.is_io_error() || error.is_unrecoverable_error()
}

pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}
