//! The life of a key: next, active, retiring, retired.
//!
//! A signing key is published while it is *next*, so that every verifier has it before the first
//! token under it appears; it signs while *active*; it is still published while *retiring*, until
//! the last token it signed has expired; then it is *retired*. MAC keys of refresh tokens live the
//! same life with the longest refresh lifetime in the place of the longest access token.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Distributed, not used yet.
    Next,
    /// Signs.
    Active,
    /// Verifies only.
    Retiring,
    /// Neither; its id is kept.
    Retired,
}

impl KeyState {
    /// The name in the store and in `tenure keys list`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Active, Self::Retiring, Self::Retired]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// How long a key spends in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// As *next*: longer than any server takes to notice it and any verifier caches the key set.
    pub distribute: Duration,
    /// As *active*.
    pub sign: Duration,
    /// As *retiring*: at least as long as the longest token it signed lives.
    pub verify: Duration,
}

/// One key of the set, without its material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// Where it stands.
    pub state: KeyState,
    /// Since when.
    pub since: Timestamp,
}

/// What is due for a set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Make a new key. The very first one becomes active at once, since nothing is out yet.
    Create(KeyState),
    /// Key at this position moves to this state.
    Move(usize, KeyState),
}

/// The one most urgent change, or `None`. Call it again after carrying it out.
///
/// `rotate_now` asks for a rotation ahead of schedule: a next key is made at once, and takes over when
/// it has been distributed long enough.
pub fn due(keys: &[KeyLife], schedule: &Schedule, rotate_now: bool, now: Timestamp) -> Option<Due> {
    let find = |state| keys.iter().position(|key| key.state == state);
    let age = |key: &KeyLife| now.since(key.since);
    let old = |position: usize, limit| keys.get(position).is_some_and(|key| age(key) >= limit);

    let Some(active) = find(KeyState::Active) else {
        return Some(
            find(KeyState::Next).map_or(Due::Create(KeyState::Active), |next| {
                Due::Move(next, KeyState::Active)
            }),
        );
    };
    // Two active keys: a takeover that was cut in half. The older one gives way.
    let actives = keys
        .iter()
        .enumerate()
        .filter(|(_, key)| key.state == KeyState::Active);
    if let Some((oldest, _)) = actives.clone().min_by_key(|(_, key)| key.since)
        && actives.count() > 1
    {
        return Some(Due::Move(oldest, KeyState::Retiring));
    }
    if let Some(done) = keys
        .iter()
        .position(|key| key.state == KeyState::Retiring && age(key) >= schedule.verify)
    {
        return Some(Due::Move(done, KeyState::Retired));
    }
    let lead = schedule.sign.saturating_sub(schedule.distribute);
    match find(KeyState::Next) {
        None if rotate_now || old(active, lead) => Some(Due::Create(KeyState::Next)),
        Some(next) if old(next, schedule.distribute) => Some(Due::Move(next, KeyState::Active)),
        _ => None,
    }
}
