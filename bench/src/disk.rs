//! Bytes that processes made dirty in files, as the kernel counts them (`/proc/PID/io`).

use std::fs;

use anyhow::{Context, Result};

use crate::cpu;

/// What the processes and their descendants that run now have caused to be written to the disk,
/// write-ahead logs included. A process that ended takes its share with it.
pub fn written(roots: &[u32]) -> Result<u64> {
    let counts = cpu::trees(roots)?.into_iter().map(of_process);
    counts.sum()
}

fn of_process(pid: u32) -> Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))
        .with_context(|| format!("/proc/{pid}/io cannot be read"))?;
    let value = |name| {
        let line = io.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    let written = value("write_bytes:").context("/proc/PID/io has another shape")?;
    Ok(written
        - value("cancelled_write_bytes:")
            .unwrap_or_default()
            .min(written))
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_file_that_is_written_and_synced_counts() {
        use std::io::Write as _;
        // Not in memory: what never reaches a disk is not counted.
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let me = std::process::id();
        let before = written(&[me]).unwrap();
        let mut file = std::fs::File::create(directory.path().join("file")).unwrap();
        file.write_all(&[7; 1 << 20]).unwrap();
        file.sync_all().unwrap();
        assert!(written(&[me]).unwrap() - before >= 1 << 20);
    }
}
