//! Bytes that processes made dirty in files, as the kernel counts them (`/proc/PID/io`).

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result};

use crate::cpu;

/// What each of several processes has caused to be written to the disk, write-ahead logs included.
#[derive(Debug)]
pub struct Written(HashMap<u32, u64>);

impl Written {
    /// By the processes and their descendants that run now.
    pub fn by(roots: &[u32]) -> Result<Self> {
        let mut counts = HashMap::new();
        for pid in cpu::trees(roots)? {
            // It may have ended since it was listed.
            match fs::read_to_string(format!("/proc/{pid}/io")) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    return Err(error.into());
                }
                Err(_) => {}
                Ok(io) => {
                    let bytes = parse(&io).context("/proc/PID/io has another shape")?;
                    counts.insert(pid, bytes);
                }
            }
        }
        Ok(Self(counts))
    }

    /// Bytes since an earlier moment; a process that ended in between takes its share with it.
    pub fn since(&self, before: &Self) -> u64 {
        let before = |pid| before.0.get(pid).copied().unwrap_or_default();
        let each = self.0.iter();
        each.map(|(pid, bytes)| bytes.saturating_sub(before(pid)))
            .sum()
    }
}

fn parse(io: &str) -> Option<u64> {
    let value = |name| {
        let line = io.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    let cancelled = value("cancelled_write_bytes:").unwrap_or_default();
    Some(value("write_bytes:")?.saturating_sub(cancelled))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;

    use super::Written;

    #[test]
    fn a_file_that_is_written_and_synced_counts() {
        // Not in memory: what never reaches a disk is not counted.
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let me = [std::process::id()];
        let before = Written::by(&me).unwrap();
        let mut file = File::create(directory.path().join("file")).unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        file.sync_all().unwrap();
        assert!(Written::by(&me).unwrap().since(&before) >= 1 << 20);
    }

    #[test]
    fn a_process_that_ended_takes_nothing_from_the_others() {
        let written = |counts: &[(u32, u64)]| Written(counts.iter().copied().collect());
        let (before, after) = (written(&[(1, 10), (2, 99)]), written(&[(1, 15), (3, 4)]));
        assert_eq!(after.since(&before), 9);
    }
}
