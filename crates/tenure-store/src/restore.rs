//! What a restored database lacks, said before it serves.

use tenure_core::time::Timestamp;

/// A database beside its session log, found without writing to either.
///
/// Opening the store replays what is missing; this says what that will be.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct RestoreReport {
    /// Where the database is, without a password.
    pub database: String,
    /// Where the log is, without a password; `None` where there is none beside the database, and
    /// what the database lost is lost.
    pub log: Option<String>,
    /// Whether the log holds what this database was last written with. Otherwise it is missing, was
    /// replaced, or has lost its end, and all of it is replayed.
    pub log_continues: bool,
    /// Entries of the log that the database has not seen.
    pub entries: u64,
    /// Sessions that began since, and come back.
    pub sessions_missing: u64,
    /// Sessions that began since, of which the log of an older program knows too little: lost.
    pub sessions_lost: u64,
    /// Sessions that the database takes for alive, and that have ended.
    pub ends_missing: u64,
    /// Sign-outs of whole accounts that the database does not know.
    pub cuts_missing: u64,
    /// Entries that do not read: half written when the power went.
    pub torn: u64,
    /// The newest write of the database that bears a date.
    pub database_newest: Option<Timestamp>,
    /// The newest entry of the log that bears a date.
    pub log_newest: Option<Timestamp>,
}

impl RestoreReport {
    /// By how many seconds the database is older than its log; 0 where it is not.
    pub fn seconds_behind(&self) -> u64 {
        match (self.log_newest, self.database_newest) {
            (Some(log), Some(database)) if self.entries > 0 => log.since(database).as_secs(),
            _ => 0,
        }
    }

    /// Whether a replay has anything to do.
    pub fn is_complete(&self) -> bool {
        self.log_continues && self.entries == 0
    }
}
