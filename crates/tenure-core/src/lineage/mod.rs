//! Refresh tokens that are retired on use.
//!
//! A refresh token is retired when its successor is first *presented*, never when the successor is
//! merely issued; and every presentation issues a different successor, so two holders who both go
//! on always fork, and a fork is theft.
//!
//! [`MacKeys`] reads and writes the token, [`Row`] is what the store keeps of a session, and
//! [`decide`] is the whole rule: presented token and row in, [`Verdict`] out.

mod decide;
mod idempotency;
mod row;
mod rules;
mod token;

pub use decide::{Asked, Clock, Evidence, Step, Verdict, decide};
pub use idempotency::{IdempotencyKey, KeyHash, WeakKey};
pub use row::{Cut, Device, EndCause, Grant, Head, Retired, Revocation, Row, RowSecret};
pub use rules::{Policy, RING, Rules};
pub use token::{Content, MacKey, MacKeyId, MacKeys, TOKEN_LENGTH, Token, TokenId, Unreadable};
