//! What Tenure takes beside CPU: time to start, memory, rows and bytes per session.

use std::fmt::{self, Display, Formatter};

use anyhow::Result;
use serde::Serialize;

use crate::contents::Contents;
use crate::services::Remains;
use crate::services::tenure::Tenure;

/// Odd, so that the median is one of them.
const STARTS: usize = 9;

/// Time, memory and disk.
#[derive(Debug, Serialize)]
pub struct Footprint {
    /// Median over the starts, from the spawn to the first 200 of `/health/live`, in milliseconds.
    pub start_ms: f64,
    /// Every start in ascending order, in milliseconds.
    pub starts_ms: Vec<f64>,
    /// Median over the starts of the resident memory once ready, in MiB.
    pub idle_mib: f64,
    /// The store before the first run.
    pub before: Contents,
    /// The store after the last run.
    pub after: Contents,
}

impl Footprint {
    /// Starts the program again and again on what a service that was killed left behind: what it
    /// takes with all its sessions there, recovery of the store included.
    pub async fn measure(
        tenure: &Tenure<'_>,
        remains: &Remains,
        (before, after): (Contents, Contents),
    ) -> Result<Self> {
        let (mut times, mut memory) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let start = tenure.restart(remains).await?;
            times.push(start.first_answer.as_secs_f64() * 1000.0);
            memory.push(start.resident_mib);
        }
        Ok(Self {
            start_ms: median(&mut times),
            starts_ms: times,
            idle_mib: median(&mut memory),
            before,
            after,
        })
    }
}

impl Display for Footprint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let starts = self.starts_ms.iter().map(|ms| format!("{ms:.1}"));
        let starts = starts.collect::<Vec<_>>().join(" ");
        writeln!(
            f,
            "start to first answer, ms, on this store: median {:.1} of {starts}",
            self.start_ms
        )?;
        writeln!(f, "resident when idle: {:.1} MiB", self.idle_mib)?;
        for (when, contents) in [("before", &self.before), ("after", &self.after)] {
            writeln!(
                f,
                "store {when:>6} the runs: {} rows, {:.3} rows and {:.0} bytes per session",
                contents.all_rows(),
                contents.rows_per_session(),
                contents.bytes_per_session()
            )?;
        }
        Ok(())
    }
}

/// Sorts; zero where there is nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
