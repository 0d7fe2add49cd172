//! Looking again at a vault that held no session: another process may have signed in.

use super::super::{Deadline, Failure, Millis, Moment};
use super::{Access, Action, Machine, failed};

/// When the vault was last read or written, as far as that matters while there is no session.
#[derive(Clone, Debug, Default)]
pub(super) enum Look {
    /// Never, or too long ago.
    #[default]
    Due,
    /// It is being read.
    UnderWay,
    /// What is known of it is good enough until then.
    Enough(Deadline),
}

/// So that a program that asks all the time does not read all the time.
const PAUSE: Millis = Millis(1_000);

impl Machine {
    /// What a caller gets while there is no session.
    pub(super) fn look_again(&mut self, now: Moment) -> (Access, Vec<Action>) {
        match &self.look {
            Look::UnderWay => (Access::Wait, Vec::new()),
            Look::Enough(until) if !until.passed(now) => {
                failed(Failure::SignInRequired(self.reason()))
            }
            Look::Due | Look::Enough(_) => {
                self.look = Look::UnderWay;
                (Access::Wait, vec![Action::Load])
            }
        }
    }

    /// Whether an answer to [`Action::Load`] is still of use.
    pub(super) fn looking(&self) -> bool {
        matches!(self.look, Look::UnderWay) && self.tokens().is_none()
    }

    pub(super) fn looked(&mut self, now: Moment) {
        self.look = Look::Enough(Deadline::after(now, PAUSE));
    }
}
