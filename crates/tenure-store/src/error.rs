//! What goes wrong, by culprit.

use std::path::PathBuf;

/// The store cannot answer now: 503 with Retry-After, never a verdict about a user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space left for a write.
    #[error("the disk of the store is full: {0}")]
    Full(String),
    /// The store takes no writes.
    #[error("the store is read-only: {0}")]
    ReadOnly(String),
    /// The store did not answer in time, or is locked by another process.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// Reading or writing failed.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// A record does not read back.
    #[error("a record in the store is damaged: {0}")]
    Damaged(String),
}

/// The store cannot be opened: said once at start, with the fix, exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or written.
    #[error(
        "cannot write to the data directory {path}: {cause}; choose another with --data, or change its owner"
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file was written by a newer program.
    #[error(
        "{path} needs a program of schema {needed} or newer, this one has {have}; upgrade tenure, or restore the backup made before the upgrade"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The schema it asks for.
        needed: u32,
        /// The schema of this program.
        have: u32,
    },
    /// The file is no database, or it is damaged.
    #[error("cannot open the store at {path}: {cause}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the database said.
        cause: String,
    },
    /// A server that is there and cannot be used as it is.
    #[error("{place}: {problem}; {fix}")]
    Refused {
        /// URL without a password.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        fix: String,
    },
}
