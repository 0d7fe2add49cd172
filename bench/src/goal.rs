//! The budget: what is promised, what a run measured, and how far the one is from the other.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::comparison::{Beside, Ratio, micros};
use crate::flood::Flood;
use crate::footprint::Footprint;
use crate::load::Report;
use crate::services::backing::Kind;

/// The worker count at which the budget of refreshes is stated.
pub const BUDGET_WORKERS: usize = 64;

/// What the peer took on the machine on which the budget of CPU was set: what this one takes is scaled
/// by it, because a shared machine is half as fast from one hour to the next.
const PEER_CPU_US: f64 = 285.0;

/// One line of the budget.
#[derive(Debug, Serialize)]
pub struct Goal {
    /// What is measured, with its unit.
    pub what: String,
    /// What this run measured.
    pub measured: f64,
    /// The budget.
    pub limit: f64,
    /// Whether the measured value must be at least the limit, rather than at most.
    pub at_least: bool,
    /// Whether this run kept it.
    pub met: bool,
}

impl Goal {
    /// The budget of refreshes on a store, as far as there was a run with that many workers.
    pub fn of_refreshes(kind: Kind, tenure: &[Report], ratios: &[Ratio]) -> Vec<Self> {
        let at_budget = |to| {
            let mut ratios = ratios.iter();
            ratios.find(|ratio| ratio.to == to && ratio.workers == BUDGET_WORKERS)
        };
        let mut goals = Vec::new();
        let peer = at_budget(Beside::Peer);
        let times_peer = match kind {
            Kind::Sqlite => Some(6.0),
            Kind::Postgres => None,
            Kind::Redis => Some(5.0),
        };
        if let Some((ratio, times)) = peer.zip(times_peer) {
            goals.push(Self::at_least(
                "refreshes/s, times the peer",
                ratio.refreshes,
                times,
            ));
        }
        if kind != Kind::Sqlite
            && let Some(ratio) = at_budget(Beside::Update)
        {
            goals.push(Self::at_least(
                "refreshes/s, part of bare",
                ratio.refreshes,
                0.7,
            ));
        }
        let run = tenure.iter().find(|run| run.workers == BUDGET_WORKERS);
        goals.extend(
            run.into_iter()
                .flat_map(|run| Self::of_run(kind, run, peer)),
        );
        for goal in &mut goals {
            goal.what = format!("{}: {}", kind.name(), goal.what);
        }
        goals
    }

    fn of_run(kind: Kind, run: &Report, peer: Option<&Ratio>) -> Vec<Self> {
        let mut goals = Vec::new();
        if kind == Kind::Sqlite {
            if let Some(share) = peer.and_then(|ratio| ratio.server_cpu) {
                let scaled = share * PEER_CPU_US;
                goals.push(Self::at_most("server CPU, µs, peer at 285", scaled, 45.0));
            }
            if let Some(spent) = run.server_cpu_us {
                goals.push(Self::at_most("server CPU, µs, unscaled", spent, 45.0));
            }
        }
        let spread = micros(run.p99_us) / micros(run.p50_us);
        goals.push(Self::at_most("p99, times p50", spread, 4.0));
        if let Some(peak) = run.server_mib {
            goals.push(Self::at_most("memory under load, peak, MiB", peak, 150.0));
        }
        goals
    }

    /// The budget of time, memory and disk.
    pub fn of_footprint(footprint: &Footprint) -> [Self; 3] {
        let Footprint {
            start_ms, idle_mib, ..
        } = footprint;
        let growth = footprint.after.rows_per_session() - footprint.before.rows_per_session();
        [
            Self::at_most("start to first answer, ms", *start_ms, 100.0),
            Self::at_most("memory when idle, MiB", *idle_mib, 40.0),
            Self::at_most("rows per session, growth", growth, 0.0),
        ]
    }

    /// What a flood of sign-ins may take.
    pub fn of_flood(flood: &Flood) -> [Self; 2] {
        let (kept, times) = (flood.throughput_kept(), flood.p99_times());
        [
            Self::at_least("refreshes/s kept in a flood", kept, 0.6),
            Self::at_most("p99 in a flood, times alone", times, 3.0),
        ]
    }

    fn at_least(what: &str, measured: f64, limit: f64) -> Self {
        Self {
            what: what.to_owned(),
            measured,
            limit,
            at_least: true,
            met: measured >= limit,
        }
    }

    /// A value with an upper limit.
    pub fn at_most(what: &str, measured: f64, limit: f64) -> Self {
        Self {
            what: what.to_owned(),
            measured,
            limit,
            at_least: false,
            met: measured <= limit,
        }
    }
}

impl Display for Goal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            measured,
            limit,
            at_least,
            met,
        } = self;
        let bound = if *at_least { "at least" } else { "at most" };
        let verdict = if *met { "met" } else { "MISSED" };
        // There is no distance in percent from nothing.
        let distance = if *limit > 0.0 {
            format!("{:+.1} %", (measured / limit - 1.0) * 100.0)
        } else {
            String::new()
        };
        write!(
            f,
            "{what:<41} {measured:>8.2}  {bound:>8} {limit:<4} {distance:>9}  {verdict}"
        )
    }
}
