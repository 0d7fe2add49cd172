//! Ratios between two systems of one run, the budget, and both as a table.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::flood::Flood;
use crate::footprint::Footprint;
use crate::goal::{BUDGET_WORKERS, Goal};
use crate::load::Report;

/// One system, how it was set up, and a report per worker count.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// Name for the table.
    pub name: &'static str,
    /// Versions, signing and durability.
    pub settings: BTreeMap<String, String>,
    /// In the order they ran.
    pub runs: Vec<Report>,
}

/// Tenure, next to nobody.
#[derive(Debug, Serialize)]
pub struct Alone {
    /// What it takes beside CPU.
    pub footprint: Footprint,
    /// What a flood of sign-ins takes from its refreshes.
    pub flood: Flood,
}

/// Tenure divided by the peer at one worker count.
#[derive(Debug, Serialize)]
pub struct Ratio {
    /// Connections.
    pub workers: usize,
    /// Refreshes per second, Tenure / peer: above 1 is faster.
    pub refreshes: f64,
    /// 99th percentile, Tenure / peer: below 1 is faster.
    pub p99: f64,
    /// Server CPU per refresh, Tenure / peer: below 1 is cheaper.
    pub server_cpu: Option<f64>,
}

/// Everything that one run of `bench-compare` found.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The machine and the file system under the stores.
    pub machine: BTreeMap<&'static str, String>,
    /// The systems in the order they were measured.
    pub systems: Vec<Measured>,
    /// Per worker count; empty unless both sides were measured.
    pub ratios: Vec<Ratio>,
    /// What only Tenure is measured for.
    pub alone: Option<Alone>,
    /// The budget as far as this run can judge it.
    pub goals: Vec<Goal>,
}

impl Comparison {
    /// Compares the reports of Tenure and the peer, either of which may be absent.
    pub fn new(
        machine: BTreeMap<&'static str, String>,
        tenure: Option<Measured>,
        peer: Option<Measured>,
        alone: Option<Alone>,
    ) -> Self {
        let ratios = match (&tenure, &peer) {
            (Some(tenure), Some(peer)) => ratios(&tenure.runs, &peer.runs),
            _ => Vec::new(),
        };
        let mut goals = Vec::new();
        if let Some(tenure) = &tenure {
            goals.extend(Goal::of_refreshes(&tenure.runs, &ratios));
        }
        if let Some(Alone { footprint, flood }) = &alone {
            goals.extend(Goal::of_footprint(footprint));
            goals.extend(Goal::of_flood(flood));
        }
        let systems = peer.into_iter().chain(tenure).collect();
        Self {
            machine,
            systems,
            ratios,
            alone,
            goals,
        }
    }

    /// Whether every goal was met and no answer was an error.
    pub fn passed(&self) -> bool {
        let runs = self.systems.iter().flat_map(|system| &system.runs);
        let flood = self.alone.iter().map(|alone| &alone.flood);
        let more = flood.flat_map(|flood| [&flood.alone, &flood.flooded]);
        self.goals.iter().all(|goal| goal.met)
            && runs
                .chain(more)
                .all(|run| run.errors.is_empty() && run.refreshes > 0)
    }
}

fn ratios(tenure: &[Report], peer: &[Report]) -> Vec<Ratio> {
    let pairs = tenure
        .iter()
        .zip(peer)
        .filter(|(ours, theirs)| ours.workers == theirs.workers);
    pairs
        .map(|(ours, theirs)| Ratio {
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
        for system in &self.systems {
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
            writeln!(
                f,
                "\nTenure / peer\nworkers  refreshes/s      p99  server CPU"
            )?;
        }
        for Ratio {
            workers,
            refreshes,
            p99,
            server_cpu,
        } in &self.ratios
        {
            let server_cpu = server_cpu.unwrap_or(f64::NAN);
            writeln!(
                f,
                "{workers:>7} {refreshes:>11.2}x {p99:>7.2}x {server_cpu:>10.2}x"
            )?;
        }
        if let Some(Alone { footprint, flood }) = &self.alone {
            write!(f, "\nTenure alone\n{footprint}\n{flood}")?;
        }
        if !self.goals.is_empty() {
            writeln!(f, "\nbudget, refreshes at {BUDGET_WORKERS} workers")?;
        }
        self.goals.iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}

/// Writes reports as a table, one line each, and every kind of error below its line.
pub fn write_runs(f: &mut impl fmt::Write, runs: &[Report]) -> fmt::Result {
    writeln!(
        f,
        "workers  refreshes/s  p50 ms  p99 ms  p99.9 ms  server CPU µs  server MiB  generator CPU µs  errors"
    )?;
    for run in runs {
        writeln!(
            f,
            "{:>7} {:>12.0} {:>7.2} {:>7.2} {:>9.2} {:>14.1} {:>11.1} {:>17.1} {:>7}",
            run.workers,
            run.refreshes_per_second,
            micros(run.p50_us) / 1000.0,
            micros(run.p99_us) / 1000.0,
            micros(run.p999_us) / 1000.0,
            run.server_cpu_us.unwrap_or(f64::NAN),
            run.server_mib.unwrap_or(f64::NAN),
            run.generator_cpu_us,
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
            seconds: 1.0,
            refreshes: 1,
            refreshes_per_second,
            p50_us: 1000,
            p99_us,
            p999_us: p99_us,
            errors: BTreeMap::new(),
            sessions_lost: 0,
            server_cpu_us: Some(server_cpu_us),
            server_mib: Some(100.0),
            generator_cpu_us: 1.0,
        }
    }

    fn measured(run: Report) -> Measured {
        Measured {
            name: "x",
            settings: BTreeMap::new(),
            runs: vec![run],
        }
    }

    #[test]
    fn the_budget_is_kept_at_its_limits_and_missed_beyond_them() {
        let peer = || Some(measured(run(1000.0, 300.0, 9000)));
        let compare =
            |tenure| Comparison::new(BTreeMap::new(), Some(measured(tenure)), peer(), None);
        assert!(compare(run(6000.0, 45.0, 4000)).passed());
        for missed in [
            run(5999.0, 45.0, 4000),
            run(6000.0, 45.1, 4000),
            run(6000.0, 45.0, 4001),
        ] {
            let comparison = compare(missed);
            assert!(!comparison.passed());
            assert_eq!(comparison.to_string().matches("MISSED").count(), 1);
        }
    }

    #[test]
    fn an_error_fails_a_run_and_is_printed() {
        let mut failing = run(6000.0, 45.0, 4000);
        failing.errors.insert("503".into(), 7);
        let comparison = Comparison::new(BTreeMap::new(), Some(measured(failing)), None, None);
        assert!(!comparison.passed());
        assert!(comparison.to_string().contains("7 x 503"));
    }
}
