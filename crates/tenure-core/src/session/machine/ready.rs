//! The current access token, and until when it is enough.

use super::super::expiry::TOLERANCE;
use super::super::{AccessToken, Deadline, Millis, Moment, Tokens};
use super::Policy;
use crate::secret::Secret;

/// The access token of the record, with what only this process knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) token: Secret,
    pub(super) ends: Deadline,
    pub(super) margin: Millis,
    /// The longest rest of its life that anybody can ask for.
    half: Millis,
}

impl Current {
    pub(super) fn new(tokens: &Tokens, policy: &Policy, now: Moment) -> Self {
        let expiry = tokens.expiry;
        Self {
            token: tokens.access_token.clone(),
            ends: Deadline::after(now, expiry.left(now.wall)),
            margin: expiry.margin(policy.skew.into(), now),
            half: Millis(expiry.lifetime().0 / 2),
        }
    }

    /// What must be left for a caller who wants `min_ttl`.
    pub(super) fn asked(&self, min_ttl: Millis) -> Millis {
        min_ttl.min(self.half).max(self.margin).max(Millis(1))
    }

    pub(super) fn suffices(&self, min_ttl: Millis, now: Moment) -> bool {
        self.ends.left(now) >= self.asked(min_ttl)
    }
}

/// An access token that callers may have without asking the machine, as long as it suffices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    current: Current,
    token: AccessToken,
    offset: i64,
}

impl Ready {
    pub(super) fn new(current: &Current, offset: i64) -> Self {
        let token = AccessToken {
            token: current.token.clone(),
            expires_at: current.ends.wall(),
        };
        Self {
            current: current.clone(),
            token,
            offset,
        }
    }

    /// Whether [`Machine::request`](super::Machine::request) would hand this token out without doing
    /// anything else. The dice of `now` do not matter.
    pub fn suffices(&self, min_ttl: Millis, now: Moment) -> bool {
        let steady = now.offset().abs_diff(self.offset) <= TOLERANCE.0;
        steady && self.current.suffices(min_ttl, now)
    }

    /// Whether the token has not ended, however little of its life is left.
    pub fn is_valid(&self, now: Moment) -> bool {
        !self.current.ends.passed(now)
    }

    /// The token.
    pub fn token(&self) -> &AccessToken {
        &self.token
    }
}
