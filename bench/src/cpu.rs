//! CPU time of process trees, as the kernel charges it (`/proc/PID/stat`).

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

// USER_HZ is part of Linux's ABI: 100 on every architecture that Rust's tier 1 knows.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time (user and system) of one process, without its children.
pub fn of_process(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} is not running"))?;
    let stat = Stat::parse(&stat).with_context(|| format!("/proc/{pid}/stat has another shape"))?;
    Ok(ticks(stat.own))
}

/// CPU time (user and system) of the processes and all their descendants, dead children included.
/// Fails if one of the processes is not running.
pub fn of_trees(roots: &[u32]) -> Result<Duration> {
    let processes = snapshot()?;
    let mut spent = 0;
    for (pid, stat) in &processes {
        if roots.iter().any(|root| descends(&processes, *pid, *root)) {
            spent += stat.own + stat.reaped;
        }
    }
    for root in roots {
        processes
            .get(root)
            .with_context(|| format!("process {root} is not running"))?;
    }
    Ok(ticks(spent))
}

/// The processes and all their descendants that are running.
pub fn trees(roots: &[u32]) -> Result<Vec<u32>> {
    let processes = snapshot()?;
    let living = processes.keys().copied();
    Ok(living
        .filter(|pid| roots.iter().any(|root| descends(&processes, *pid, *root)))
        .collect())
}

struct Stat {
    parent: u32,
    own: u64,
    reaped: u64,
}

impl Stat {
    // The name stands in parentheses and may hold spaces and parentheses: fields count from its end.
    fn parse(line: &str) -> Option<Self> {
        let (_, fields) = line.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(number(1)?).ok()?,
            own: number(11)? + number(12)?,
            reaped: number(13)? + number(14)?,
        })
    }
}

fn snapshot() -> Result<HashMap<u32, Stat>> {
    let mut processes = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end between the listing and the read.
        let Ok(line) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        if let Some(stat) = Stat::parse(&line) {
            processes.insert(pid, stat);
        }
    }
    Ok(processes)
}

fn descends(processes: &HashMap<u32, Stat>, pid: u32, root: u32) -> bool {
    let mut current = pid;
    while current != root {
        match processes.get(&current) {
            Some(stat) => current = stat.parent,
            None => return false,
        }
    }
    true
}

#[expect(clippy::cast_precision_loss, reason = "ticks stay far below 2^52")]
fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let line = "7 (a) b) c) S 3 7 7 0 -1 4194560 9 8 7 6 110 20 3 4 20 0 1 0 55 0 0";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.parent, stat.own, stat.reaped), (3, 130, 7));
    }

    #[test]
    fn a_tree_holds_at_least_the_time_of_its_root() {
        let me = std::process::id();
        let own = of_process(me).unwrap();
        assert!(of_trees(&[me]).unwrap() >= own);
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert!(of_trees(&[u32::MAX]).is_err());
    }
}
