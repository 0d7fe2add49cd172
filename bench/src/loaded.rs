//! What a full store costs a refresh, and what a purge of a million rows does.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::comparison::{micros, write_runs};
use crate::goal::Goal;
use crate::holding::Holding;
use crate::load::Report;
use crate::services::backing::Kind;

/// One store, with few and with many sessions.
#[derive(Debug, Serialize)]
pub struct Loaded {
    /// The store.
    pub kind: Kind,
    /// Seconds that the generator took to add the many.
    pub fill_seconds: f64,
    /// With the sessions that are refreshed, and no others.
    pub few: Report,
    /// With the many beside them.
    pub many: Report,
    /// While rows whose time is over are deleted.
    pub purging: Report,
    /// Once they are.
    pub purged: Report,
    /// Seconds from the start of the server until the last of them was gone.
    pub purge_seconds: f64,
    /// What came to the store with the many.
    pub holding: Holding,
    /// Bytes in the session log of each session that signed in; an import need not append to it.
    pub log_bytes_each: u64,
    /// Rows that were deleted.
    pub deleted: u64,
    /// Of these, while refreshes were measured.
    pub deleted_meanwhile: u64,
}

impl Loaded {
    /// 99th percentile during the purge, divided by that after it.
    pub fn p99_times(&self) -> f64 {
        self.purging.p99_ms() / self.purged.p99_ms()
    }

    /// The budget of memory and of the purge.
    pub fn goals(&self) -> Vec<Goal> {
        let name = self.kind.name();
        let what = format!("{name}: p99 in a purge, times after");
        let mut goals = vec![Goal::at_most(&what, self.p99_times(), 2.0)];
        if let Some(mib) = self.many.server_mib {
            let what = format!("{name}: server with many, MiB");
            goals.push(Goal::at_most(&what, mib, 150.0));
        }
        goals
    }
}

impl Display for Loaded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sessions = self.holding.sessions;
        let store = self.holding.bytes.checked_div(sessions).unwrap_or_default();
        let (log, kind, seconds) = (self.log_bytes_each, self.kind.name(), self.fill_seconds);
        writeln!(
            f,
            "\n{kind}: {sessions} sessions added in {seconds:.0} s; bytes of each: {store} in the store, {log} in the log"
        )?;
        for (when, run) in [
            ("with few sessions", &self.few),
            ("with many", &self.many),
            ("during the purge", &self.purging),
            ("after it", &self.purged),
        ] {
            writeln!(f, "{when}")?;
            write_runs(f, std::slice::from_ref(run))?;
        }
        let (deleted, meanwhile) = (self.deleted, self.deleted_meanwhile);
        let (seconds, p99) = (self.purge_seconds, self.p99_times());
        let p50 = micros(self.purging.p50_us) / micros(self.purged.p50_us);
        writeln!(
            f,
            "purge: {deleted} rows in {seconds:.0} s, {meanwhile} of them in the run above: {p50:.2}x p50, {p99:.2}x p99"
        )
    }
}
