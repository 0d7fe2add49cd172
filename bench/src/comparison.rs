//! Ratios between systems of one run, the budget, and both as a table.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::flood::Flood;
use crate::footprint::Footprint;
use crate::goal::{BUDGET_WORKERS, Goal};
use crate::load::Report;
use crate::services::backing::Kind;

/// One system, how it was set up, and a report per worker count.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// Name for the table.
    pub name: String,
    /// Versions, signing and durability.
    pub settings: BTreeMap<String, String>,
    /// In the order they ran.
    pub runs: Vec<Report>,
}

/// What was measured on one store.
#[derive(Debug, Serialize)]
pub struct OnStore {
    /// The store.
    pub kind: Kind,
    /// Next to nothing but its conditional update, and the same with a read before; or nobody.
    pub bare: Vec<Measured>,
    /// Tenure.
    pub tenure: Measured,
}

/// Tenure on SQLite, next to nobody.
#[derive(Debug, Serialize)]
pub struct Alone {
    /// What it takes beside CPU.
    pub footprint: Footprint,
    /// What a flood of sign-ins takes from its refreshes.
    pub flood: Flood,
}

/// Tenure on one store divided by another system at one worker count.
#[derive(Debug, Serialize)]
pub struct Ratio {
    /// Tenure's store.
    pub store: Kind,
    /// What it is divided by.
    pub to: Beside,
    /// Connections.
    pub workers: usize,
    /// Refreshes per second: above 1 is faster.
    pub refreshes: f64,
    /// 99th percentile: below 1 is faster.
    pub p99: f64,
    /// CPU per refresh of server and store: below 1 is cheaper.
    pub server_cpu: Option<f64>,
}

/// What Tenure is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Beside {
    /// npm `oidc-provider`.
    Peer,
    /// The bare conditional update of the same store.
    Update,
    /// The bare read and conditional update of the same store.
    LoadAndUpdate,
}

impl Beside {
    /// The bare ones, in the order of [`OnStore::bare`].
    const BARE: [Self; 2] = [Self::Update, Self::LoadAndUpdate];

    fn name(self) -> &'static str {
        match self {
            Self::Peer => "oidc-provider, Redis",
            Self::Update => "bare, update",
            Self::LoadAndUpdate => "bare, load + update",
        }
    }
}

/// Everything that one run of `bench-compare` found.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The machine and the file system under the stores.
    pub machine: BTreeMap<&'static str, String>,
    /// The peer, which was measured first.
    pub peer: Option<Measured>,
    /// The stores in the order in which they were measured.
    pub stores: Vec<OnStore>,
    /// Per store, other system and worker count.
    pub ratios: Vec<Ratio>,
    /// What only Tenure on SQLite is measured for.
    pub alone: Option<Alone>,
    /// The budget as far as this run can judge it.
    pub goals: Vec<Goal>,
}

impl Comparison {
    /// Compares the reports of Tenure and the others, any of which may be absent.
    pub fn new(
        machine: BTreeMap<&'static str, String>,
        peer: Option<Measured>,
        stores: Vec<OnStore>,
        alone: Option<Alone>,
    ) -> Self {
        let mut ratios = Vec::new();
        let mut goals = Vec::new();
        for on in &stores {
            let bare = Beside::BARE.into_iter().zip(&on.bare);
            let others = peer.iter().map(|peer| (Beside::Peer, peer)).chain(bare);
            let of_store: Vec<Ratio> = others
                .flat_map(|(to, other)| of(on, to, &other.runs))
                .collect();
            goals.extend(Goal::of_refreshes(on.kind, &on.tenure.runs, &of_store));
            ratios.extend(of_store);
        }
        if let Some(Alone { footprint, flood }) = &alone {
            goals.extend(Goal::of_footprint(footprint));
            goals.extend(Goal::of_flood(flood));
        }
        Self {
            machine,
            peer,
            stores,
            ratios,
            alone,
            goals,
        }
    }

    /// Whether every goal was met and no answer was an error.
    pub fn passed(&self) -> bool {
        let runs = self.systems().flat_map(|system| &system.runs);
        let flood = self.alone.iter().map(|alone| &alone.flood);
        let more = flood.flat_map(|flood| [&flood.alone, &flood.flooded]);
        self.goals.iter().all(|goal| goal.met)
            && runs
                .chain(more)
                .all(|run| run.errors.is_empty() && run.refreshes > 0)
    }

    fn systems(&self) -> impl Iterator<Item = &Measured> {
        let stores = self.stores.iter();
        let on_stores = stores.flat_map(|on| on.bare.iter().chain([&on.tenure]));
        self.peer.iter().chain(on_stores)
    }
}

fn of(on: &OnStore, to: Beside, others: &[Report]) -> Vec<Ratio> {
    let pairs = on
        .tenure
        .runs
        .iter()
        .zip(others)
        .filter(|(ours, theirs)| ours.workers == theirs.workers);
    pairs
        .map(|(ours, theirs)| Ratio {
            store: on.kind,
            to,
            workers: ours.workers,
            refreshes: ours.refreshes_per_second / theirs.refreshes_per_second,
            p99: micros(ours.p99_us) / micros(theirs.p99_us),
            server_cpu: ours
                .server_cpu_us
                .zip(theirs.server_cpu_us)
                .map(|(a, b)| a / b),
        })
        .collect()
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.machine {
            writeln!(f, "{key}: {value}")?;
        }
        for system in self.systems() {
            let settings = system
                .settings
                .iter()
                .map(|(key, value)| format!("{key} {value}"));
            writeln!(
                f,
                "\n{} ({})",
                system.name,
                settings.collect::<Vec<_>>().join("; ")
            )?;
            write_runs(f, &system.runs)?;
        }
        if !self.ratios.is_empty() {
            let title = "Tenure on  divided by            workers  refreshes/s      p99  all CPU";
            writeln!(f, "\n{title}")?;
        }
        for ratio in &self.ratios {
            let (store, to) = (ratio.store.name(), ratio.to.name());
            let server_cpu = ratio.server_cpu.unwrap_or(f64::NAN);
            writeln!(
                f,
                "{store:<10} {to:<20} {:>8} {:>11.2}x {:>7.2}x {server_cpu:>7.2}x",
                ratio.workers, ratio.refreshes, ratio.p99
            )?;
        }
        if let Some(Alone { footprint, flood }) = &self.alone {
            write!(f, "\nTenure on SQLite alone\n{footprint}\n{flood}")?;
        }
        if !self.goals.is_empty() {
            writeln!(f, "\nbudget, refreshes at {BUDGET_WORKERS} workers")?;
        }
        self.goals.iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}

/// Writes reports as a table, one line each, and every kind of error below its line.
///
/// CPU and memory are those of the server, then of its store; bytes on the disk are those of both, on
/// the wire between clients and server, and between server and store. All but memory are per refresh.
pub fn write_runs(f: &mut impl fmt::Write, runs: &[Report]) -> fmt::Result {
    writeln!(
        f,
        "workers refreshes/s  p50 ms  p99 ms p99.9 ms | CPU µs: server  store  generator | MiB: server  store \
         | bytes: disk  clients  store | errors"
    )?;
    for run in runs {
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let store_cpu = run.store_cpu_us.unwrap_or_default();
        writeln!(
            f,
            "{:>7} {:>11.0} {:>7.2} {:>7.2} {:>8.2} | {:>14.1} {:>6.1} {:>10.1} | {:>11.1} {:>6.1} \
             | {:>11.0} {:>8.0} {:>6.0} | {:>6}",
            run.workers,
            run.refreshes_per_second,
            micros(run.p50_us) / 1000.0,
            micros(run.p99_us) / 1000.0,
            micros(run.p999_us) / 1000.0,
            known(run.server_cpu_us) - store_cpu,
            store_cpu,
            run.generator_cpu_us,
            known(run.server_mib),
            run.store_mib.unwrap_or_default(),
            known(run.disk_bytes),
            known(run.client_bytes),
            run.store_bytes.unwrap_or_default(),
            run.errors.values().sum::<u64>(),
        )?;
        for (kind, count) in &run.errors {
            writeln!(f, "        {count} x {kind}")?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "latencies stay far below 2^52")]
pub(crate) fn micros(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(refreshes_per_second: f64, server_cpu_us: f64, p99_us: u64) -> Report {
        Report {
            workers: BUDGET_WORKERS,
            refreshes: 1,
            refreshes_per_second,
            p50_us: 1000,
            p99_us,
            server_cpu_us: Some(server_cpu_us),
            server_mib: Some(100.0),
            ..Report::default()
        }
    }

    fn measured(run: Report) -> Measured {
        Measured {
            name: "x".to_owned(),
            settings: BTreeMap::new(),
            runs: vec![run],
        }
    }

    fn compared(kind: Kind, tenure: Report) -> Comparison {
        let on = OnStore {
            kind,
            bare: vec![measured(run(10_000.0, 100.0, 9000))],
            tenure: measured(tenure),
        };
        let peer = Some(measured(run(1000.0, 300.0, 9000)));
        Comparison::new(BTreeMap::new(), peer, vec![on], None)
    }

    fn missed(kind: Kind, tenure: Report) -> usize {
        let comparison = compared(kind, tenure);
        let missed = comparison.to_string().matches("MISSED").count();
        assert_eq!(comparison.passed(), missed == 0);
        missed
    }

    #[test]
    fn the_budget_is_kept_at_its_limits_and_missed_beyond_them() {
        assert_eq!(missed(Kind::Sqlite, run(6000.0, 45.0, 4000)), 0);
        assert_eq!(missed(Kind::Sqlite, run(5999.0, 45.0, 4000)), 1);
        assert_eq!(missed(Kind::Sqlite, run(6000.0, 45.1, 4000)), 1);
        assert_eq!(missed(Kind::Sqlite, run(6000.0, 45.0, 4001)), 1);
    }

    #[test]
    fn other_stores_are_measured_by_their_own_update_and_redis_by_the_peer_on_it_too() {
        assert_eq!(missed(Kind::Postgres, run(7000.0, 500.0, 4000)), 0);
        assert_eq!(missed(Kind::Postgres, run(6999.0, 500.0, 4000)), 1);
        assert_eq!(missed(Kind::Redis, run(7000.0, 500.0, 4000)), 0);
        assert_eq!(missed(Kind::Redis, run(4999.0, 500.0, 4000)), 2);
    }

    #[test]
    fn an_error_fails_a_run_and_is_printed() {
        let mut failing = run(6000.0, 45.0, 4000);
        failing.errors.insert("503".into(), 7);
        let comparison = compared(Kind::Sqlite, failing);
        assert!(!comparison.passed());
        assert!(comparison.to_string().contains("7 x 503"));
    }
}
