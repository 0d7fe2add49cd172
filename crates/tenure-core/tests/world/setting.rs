//! What does not change while a world runs: the rules, the bounds, the keys.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Asked, Grant, MacKey, MacKeys, Policy, Row, RowSecret, Rules, Token, TokenId, Unreadable,
    Verdict, decide,
};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

use super::START;
use super::verdicts::Verdicts;

/// One presentation, as the rule is asked about it.
pub(crate) struct Case<'a> {
    pub(crate) token: Result<&'a Token, Unreadable>,
    pub(crate) row: &'a Row,
    pub(crate) asked: &'a Asked<'a>,
    pub(crate) rules: &'a Rules,
}

/// What the shipped rule says.
pub(crate) fn shipped(case: &Case<'_>) -> Verdict {
    decide(case.token, Some(case.row), case.asked, case.rules)
}

/// Answers a case: [`shipped`], or that with one line taken out.
pub(crate) type Judge = fn(&Case<'_>) -> Verdict;

/// What the world is like; the same for all of its states.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) rules: Rules,
    /// Idle limit and absolute lifetime, seconds.
    pub(crate) lifetimes: (u64, u64),
    /// The client sends an idempotency key with every attempt, and claims the keys it used.
    pub(crate) keyed: bool,
    pub(crate) judge: Judge,
    /// A store that writes the whole row back as it was read, whatever happened since.
    pub(crate) blind_writes: bool,
    pub(crate) bounds: Bounds,
    pub(crate) verdicts: Arc<Verdicts>,
    pub(crate) row: Row,
    /// Of a server before the rotation of the key, and after it.
    pub(super) keys: [MacKeys; 2],
}

/// How much may happen.
#[derive(Clone, Default)]
pub(crate) struct Bounds {
    /// Requests of the client.
    pub(crate) presentations: u16,
    /// Duplicates of requests.
    pub(crate) copies: u16,
    /// Requests of the thief, who copies the vault once; 0 for a world without one.
    pub(crate) attacks: u16,
    /// Times the store falls back to an earlier state.
    pub(crate) restores: u16,
    /// States that the store keeps to fall back to, beside the first one.
    pub(crate) backups: usize,
    /// Seconds the clock may advance by at once, and the last second of the world.
    pub(crate) ticks: &'static [u64],
    pub(crate) end: u64,
    pub(crate) logout: bool,
    /// The MAC key is rotated, and the second server lacks the new key for a while.
    pub(crate) rotation: bool,
}

impl Setting {
    pub(crate) fn new(rules: Rules, lifetimes: (u64, u64), keyed: bool, bounds: Bounds) -> Self {
        let (old, new) = (MacKey::new(&[1; 32]), MacKey::new(&[2; 32]));
        let before = MacKeys::new(old.clone(), vec![], vec![]);
        let after = MacKeys::new(new, vec![old], vec![]);
        let grant = Grant {
            subject: Subject::new(""),
            client: ClientId::new(""),
            scope: Scope::default(),
            audience: vec![],
            auth_time: Timestamp(START),
        };
        let row = Row::new(
            LineageId::new(Timestamp(START), [7; 10]),
            RowSecret([5; 16]),
            TokenId([1; 8]),
            grant,
            (
                Duration::from_secs(lifetimes.0),
                Duration::from_secs(lifetimes.1),
            ),
            Timestamp(START),
        );
        Self {
            rules,
            lifetimes,
            keyed,
            judge: shipped,
            blind_writes: false,
            bounds,
            verdicts: Arc::default(),
            row,
            keys: [before, after],
        }
    }

    pub(super) fn window(&self) -> u64 {
        self.rules.late_window.as_secs()
    }
}

/// The rules of every world here.
pub(crate) fn rules(late_window: u64, ring: usize) -> Rules {
    Rules {
        late_window: Duration::from_secs(late_window),
        ring,
        ..Rules::new(Policy::RetireOnUse, Duration::from_mins(15))
    }
}
