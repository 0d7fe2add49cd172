//! From a 401, a 403 or a forced sign-out to its cause.
//!
//! Collectors turn what there is (a token, answers of a live endpoint, configuration files, logs) into
//! [`Evidence`]; [`diagnose`] is a pure function of it that ranks the [`cause::CAUSES`] and says what
//! speaks for and against each, or which step would tell the leading two apart.
//!
//! ```
//! use tenure_doctor::{Evidence, Outcome, diagnose};
//!
//! let diagnosis = diagnose(&Evidence::default());
//! assert_eq!(diagnosis.outcome, Outcome::Undecided);
//! ```
//!
//! Nothing secret is in [`Evidence`]: tokens and secrets are fingerprinted while they are read
//! ([`Fingerprint`]), bodies, headers and log lines pass [`redact`]. What this crate does not do: it
//! changes nothing at the systems that it looks at, and it never judges by a status alone.

pub mod case;
pub mod cause;
mod collect;
pub mod compare;
pub mod deployment;
mod diagnosis;
pub mod drift;
mod evidence;
pub mod exchange;
mod fingerprint;
pub mod keys;
pub mod layer;
pub mod logs;
pub mod output;
pub mod probe;
mod rank;
pub mod redact;
pub mod report;
pub mod sign;
mod symptom;
pub mod token;
mod weight;

pub use collect::{Collected, collect};
pub use diagnosis::{Diagnosis, Outcome, Ranked, Verdict};
pub use evidence::{Clue, Evidence, Source};
pub use fingerprint::Fingerprint;
pub use rank::diagnose;
pub use weight::{Prior, Strength};
