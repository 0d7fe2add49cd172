//! The client's side of a session, without I/O: events in, actions out, time passed in.
//!
//! ```
//! use tenure_core::session::{Access, Event, Found, Machine, Millis, Moment, Policy, State};
//!
//! let now = Moment { wall: Millis(1_700_000_000_000), mono: Millis(0), dice: 0 };
//! let (mut machine, _load) = Machine::new(Policy::default());
//! assert_eq!(machine.state(), State::Restoring);
//! machine.handle(Event::Loaded(Ok(Found::Missing)), now);
//! assert!(matches!(machine.request(Millis(0), now).0, Access::Failed(_)));
//! ```
//!
//! * [`Record`] is what the vault keeps; a [`Change`] is the only way it changes: a pure function
//!   that the vault applies to what it holds at that moment, so every write is a compare-and-swap.
//! * [`Machine`] decides when to refresh, what to do with the [`Outcome`](crate::outcome::Outcome),
//!   and what a caller gets; the shell carries out its [`Action`]s and reports [`Event`]s.
//!
//! It does not read a clock, wait, or draw random bytes: [`Moment`] brings them.

mod change;
mod expiry;
mod machine;
mod record;
mod state;

pub use change::{Change, Need};
pub use expiry::{Deadline, Expiry, Millis, Moment};
pub use machine::{
    Access, Action, Event, Lock, Machine, Note, Policy, Presentation, Ready, Revoked, Step,
};
pub use record::{Provider, Record, Revocation, Tokens};
pub use state::{AccessToken, Cause, Failure, Found, Reason, State, VaultFault};
