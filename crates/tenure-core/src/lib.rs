//! The rules of Tenure: everything that decides, and nothing that waits.
//!
//! ```
//! use tenure_core::lineage::{KeyHash, IdempotencyKey};
//!
//! let key = IdempotencyKey::parse("0123456789abcdefghijkl").expect("22 characters carry 128 bits");
//! assert_eq!(key.hash(), KeyHash::of(b"0123456789abcdefghijkl"));
//! ```
//!
//! * [`lineage`]: refresh tokens that are retired on use: the token, the row, and
//!   [`lineage::decide`], which answers every presentation;
//! * [`session`]: the client's state machine, events in and actions out;
//! * [`outcome`]: what an HTTP answer means for a session;
//! * [`keyset`]: the life of a signing key; [`scope`], [`id`], [`time`], [`secret`]: the vocabulary.
//!
//! No function here reads a clock, draws randomness, or does I/O: `now` and random bytes are
//! arguments, so each rule is tested in microseconds and model-checked as shipped.

pub mod id;
pub mod keyset;
pub mod lineage;
pub mod outcome;
pub mod scope;
pub mod secret;
pub mod session;
pub mod time;
