//! What APIs make of the access tokens: when a refusal is a reason to refresh, and when it is not.

use super::super::record::REFUSALS;
use super::super::{Deadline, Failure, Millis, Moment, Tokens};
use super::{Action, Machine, Note, Refresh};
use crate::secret::Secret;

/// Where the current access token stands with the APIs, as far as this process was told.
#[derive(Clone, Debug, Default)]
pub(super) enum Standing {
    /// Nobody complained.
    #[default]
    Good,
    /// This one was refused; the next caller's refresh replaces it.
    Doubted(Secret),
    /// This one was refused, and another would be, too: no refresh for that reason before `until`.
    Refused {
        token: Secret,
        hint: &'static str,
        until: Deadline,
    },
}

/// What follows from the refusal of the current access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another token may help.
    Refresh,
    /// Another token would not help: no refresh for so long.
    Hold { wait: Millis, hint: &'static str },
}

/// A token that is refused so soon after it was issued has not ended in between.
const FRESH: Millis = Millis(30_000);

/// At most [`REFUSALS`] refreshes in so long are caused by refusals.
const WINDOW: Millis = Millis(10 * 60 * 1000);

const FRESH_REFUSED: &str = "an API turns away a token that was issued a moment ago, so a refresh \
    or a sign-in would not help; compare the issuer, audience and keys that the API expects with \
    the token's (`tenure doctor probe` does)";
const AGAIN_AND_AGAIN: &str = "an API has turned away three tokens in ten minutes, so there is no \
    further refresh for now; compare the issuer, audience and keys that the API expects with the \
    token's (`tenure doctor probe` does)";
const SAME_TOKEN: &str = "an API turns away a token that the service issues again and again, so a \
    refresh does not help; sign in again, or look at why the API refuses it";

/// Judges the refusal of the access token of `tokens` when the device's clock shows `wall`.
///
/// It rests on what the vault keeps and nothing else, so that all processes together are bounded:
/// a fresh token that took the place of a refused one is the last, and so is the third in a window.
pub(super) fn judge(tokens: &Tokens, wall: Millis) -> Verdict {
    let ages = || {
        let refusals = tokens.refusals.iter();
        let ages = refusals.map(|at| Millis(at.0.abs_diff(wall.0)));
        ages.filter(|age| *age < WINDOW)
    };
    let fresh = tokens.expiry.age(wall) < FRESH;
    if let Some(newest) = ages().min().filter(|age| fresh && *age < FRESH) {
        return hold(WINDOW - newest, FRESH_REFUSED);
    }
    match ages().max() {
        Some(oldest) if ages().count() >= REFUSALS => hold(WINDOW - oldest, AGAIN_AND_AGAIN),
        _ => Verdict::Refresh,
    }
}

fn hold(wait: Millis, hint: &'static str) -> Verdict {
    Verdict::Hold { wait, hint }
}

impl Machine {
    /// A refusal of any but the current token is old news: the current one is the answer to it.
    pub(super) fn refused(&mut self, token: Secret, now: Moment) -> Vec<Action> {
        let Some(tokens) = self.tokens().filter(|tokens| tokens.access_token == token) else {
            return Vec::new();
        };
        let verdict = judge(tokens, now.wall);
        match (&mut self.standing, verdict) {
            (Standing::Refused { token: worst, .. }, _) => {
                *worst = token;
                Vec::new()
            }
            (_, Verdict::Hold { wait, hint }) => self.hold(token, wait, hint, now),
            (standing, Verdict::Refresh) => {
                *standing = Standing::Doubted(token);
                Vec::new()
            }
        }
    }

    /// Only a later token than the refused one says that the trouble is over: another API may have
    /// taken that one all the time.
    pub(super) fn accepted(&mut self, token: &Secret) {
        let current = self
            .tokens()
            .is_some_and(|tokens| tokens.access_token == *token);
        if let Standing::Refused { token: bad, .. } = &self.standing
            && current
            && bad != token
        {
            self.standing = Standing::Good;
        }
    }

    /// The service may answer a refresh with the very token that was refused.
    pub(super) fn check_replacement(&mut self, now: Moment) -> Vec<Action> {
        match &self.standing {
            Standing::Doubted(token) if self.doubted() => {
                self.hold(token.clone(), WINDOW, SAME_TOKEN, now)
            }
            _ => Vec::new(),
        }
    }

    /// Time heals.
    pub(super) fn forgive(&mut self, now: Moment) {
        if let Standing::Refused { until, .. } = self.standing
            && until.passed(now)
        {
            self.standing = Standing::Good;
        }
    }

    pub(super) fn doubted(&self) -> bool {
        let current = self.tokens().map(|tokens| &tokens.access_token);
        matches!(&self.standing, Standing::Doubted(token) if current == Some(token))
    }

    /// Why there is no other token than the one that was refused.
    pub(super) fn nothing_better(&self, now: Moment) -> Failure {
        let hint = match (&self.standing, &self.refresh) {
            (_, Refresh::Unsaved(_, fault)) => return Failure::StorageUnavailable(fault.clone()),
            (Standing::Refused { hint, .. }, _) => hint,
            _ => FRESH_REFUSED,
        };
        let held = self.holding_back(now).filter(|_| self.doubted());
        held.unwrap_or_else(|| Failure::Refused {
            hint: (*hint).to_owned(),
        })
    }

    fn hold(
        &mut self,
        token: Secret,
        wait: Millis,
        hint: &'static str,
        now: Moment,
    ) -> Vec<Action> {
        let until = Deadline::after(now, wait);
        self.standing = Standing::Refused { token, hint, until };
        vec![Action::Note(Note::Refused { hint })]
    }
}

#[cfg(test)]
mod tests;
