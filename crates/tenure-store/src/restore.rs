//! What a restored database lacks, said before it serves.

use std::collections::BTreeMap;

use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::Cut;
use tenure_core::time::Timestamp;

use crate::{Entry, OpenError, Place, Postgres, Sqlite};

/// A database beside its session log, found without writing to either.
///
/// Opening the store carries out what is missing; this says what that will be.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct RestoreReport {
    /// Where the database is, without a password.
    pub database: String,
    /// Where the log is, without a password; `None` where there is none beside the database: then
    /// what the database has lost is lost.
    pub log: Option<String>,
    /// Whether the log holds what this database was last written with. Otherwise it was replaced, or
    /// has lost its end, and all of it is carried out.
    pub log_continues: bool,
    /// Entries of the log that the database has not seen.
    pub entries: u64,
    /// Sessions that began since, and come back.
    pub sessions_missing: u64,
    /// Sessions that began since, of which the log of an older program knows too little: lost.
    pub sessions_lost: u64,
    /// Sessions that the database takes for alive, and that have ended.
    pub ends_missing: u64,
    /// Sessions in the database that were deleted, long after their end.
    pub deletions_missing: u64,
    /// Accounts of which every session was ended, and the database does not know it.
    pub cuts_missing: u64,
    /// Entries that do not read: half written when the power went.
    pub torn: u64,
    /// The newest date in the database.
    pub database_newest: Option<Timestamp>,
    /// The newest date among the entries that it has not seen.
    pub log_newest: Option<Timestamp>,
}

impl RestoreReport {
    /// By how many seconds the database is older than its log; 0 where it is not.
    pub fn seconds_behind(&self) -> u64 {
        match (self.log_newest, self.database_newest) {
            (Some(log), Some(database)) => log.since(database).as_secs(),
            _ => 0,
        }
    }

    /// Whether opening the store has nothing to carry out.
    pub fn is_complete(&self) -> bool {
        self.log_continues && self.entries == 0
    }
}

/// Compares the database of a place with its session log. Sessions in Redis are compared with it
/// whenever they are read: of such a place this looks at the accounts' sign-outs.
pub async fn restore_check(place: &Place) -> Result<RestoreReport, OpenError> {
    match place.sql() {
        Place::Sqlite(options) => Sqlite::restore_check(options),
        Place::Postgres(options) => Postgres::restore_check(options).await,
        Place::Memory | Place::Redis(..) => Ok(RestoreReport {
            database: place.to_string(),
            ..RestoreReport::default()
        }),
    }
}

/// What the database knows of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Missing,
    Alive,
    Ended,
}

/// What lies beyond the end of the log that a database has seen.
#[derive(Debug, Default)]
pub(crate) struct Lacking {
    sessions: BTreeMap<LineageId, Fate>,
    pub(crate) cuts: BTreeMap<Subject, Cut>,
}

/// What the log says of a session.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    began: Beginning,
    ended: bool,
    deleted: bool,
}

/// Whether a session began in these entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Beginning {
    #[default]
    Earlier,
    /// With all that is needed to make it again.
    Here,
    /// Without.
    HereInPart,
}

impl Lacking {
    pub(crate) fn note(&mut self, entry: &Entry, report: &mut RestoreReport) {
        report.entries += 1;
        let at = match entry {
            Entry::Created { lineage, at, begun } => {
                self.sessions.entry(*lineage).or_default().began = match begun {
                    Some(_) => Beginning::Here,
                    None => Beginning::HereInPart,
                };
                Some(*at)
            }
            Entry::Revoked { lineage, why } => {
                self.sessions.entry(*lineage).or_default().ended = true;
                Some(why.at)
            }
            Entry::Cut { subject, cut, .. } => {
                let latest = self.cuts.entry(subject.clone()).or_insert(*cut);
                if latest.before <= cut.before {
                    *latest = *cut;
                }
                Some(cut.before)
            }
            Entry::Deleted { lineages, .. } => {
                for lineage in lineages {
                    self.sessions.entry(*lineage).or_default().deleted = true;
                }
                None
            }
        };
        report.log_newest = report.log_newest.max(at);
    }

    pub(crate) fn lineages(&self) -> Vec<LineageId> {
        self.sessions.keys().copied().collect()
    }

    pub(crate) fn compare(&self, lineage: LineageId, here: Standing, report: &mut RestoreReport) {
        let fate = self.sessions.get(&lineage).copied().unwrap_or_default();
        match here {
            Standing::Missing if fate.deleted => {}
            Standing::Missing => match fate.began {
                Beginning::Earlier => {}
                Beginning::Here => report.sessions_missing += 1,
                Beginning::HereInPart => report.sessions_lost += 1,
            },
            Standing::Alive if fate.ended => report.ends_missing += 1,
            Standing::Alive | Standing::Ended if fate.deleted => report.deletions_missing += 1,
            Standing::Alive | Standing::Ended => {}
        }
    }

    /// A subject's cut as the database has it.
    pub(crate) fn compare_cut(
        &self,
        subject: &Subject,
        here: Option<Cut>,
        report: &mut RestoreReport,
    ) {
        let missing = self
            .cuts
            .get(subject)
            .is_some_and(|cut| here.is_none_or(|here| here.before < cut.before));
        report.cuts_missing += u64::from(missing);
    }
}
