//! Resident memory of processes (`/proc/PID/status`).

use std::fs;

use anyhow::{Context, Result};

use crate::cpu;

/// Resident memory of one process now, in MiB.
pub fn resident_mib(pid: u32) -> Result<f64> {
    mebibytes(pid, "VmRSS:")
}

/// Peak resident memory since [`forget_peaks`] of the processes and their descendants together, in
/// MiB; pages that two of them share count twice.
pub fn peak_mib(roots: &[u32]) -> Result<f64> {
    let peaks = cpu::trees(roots)?;
    peaks
        .into_iter()
        .map(|pid| mebibytes(pid, "VmHWM:"))
        .sum::<Result<f64>>()
}

/// Lets the peaks of the processes and their descendants begin anew. Those of another user's
/// processes go on as they are: the kernel refuses, and a peak that is too high hides nothing.
pub fn forget_peaks(roots: &[u32]) -> Result<()> {
    const RESET_PEAK: &str = "5";
    for pid in cpu::trees(roots)? {
        fs::write(format!("/proc/{pid}/clear_refs"), RESET_PEAK).ok();
    }
    Ok(())
}

fn mebibytes(pid: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} is not running"))?;
    parse(&status, field).with_context(|| format!("/proc/{pid}/status has another shape"))
}

fn parse(status: &str, field: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u32 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kibibytes) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_forgotten_and_never_below_what_is_resident() {
        let me = std::process::id();
        let large = vec![1u8; 64 << 20];
        assert!(resident_mib(me).unwrap() > 64.0);
        drop(large);
        assert!(peak_mib(&[me]).unwrap() > 64.0);
        forget_peaks(&[me]).unwrap();
        assert!(peak_mib(&[me]).unwrap() < 64.0);
    }

    #[test]
    fn kibibytes_become_mebibytes() {
        let status = "Name:\tx\nVmHWM:\t    4096 kB\nVmRSS:\t    1536 kB\n";
        assert_eq!(parse(status, "VmRSS:"), Some(1.5));
        assert_eq!(parse(status, "VmHWM:"), Some(4.0));
        assert_eq!(parse(status, "VmSwap:"), None);
    }
}
