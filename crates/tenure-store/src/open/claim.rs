//! The one process that may serve sessions in Redis beside a data directory.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::Place;
use crate::OpenError;

const FILE: &str = "serve.lock";

/// Held by a process for as long as it serves a place that no other process may serve meanwhile. The
/// system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Claim {
    _locked: File,
}

impl Place {
    /// Claims the place, where only one process may serve it: SQLite can be shared by the processes
    /// of one machine, Redis by those of many, and the two together by one process only, because the
    /// others would not see each other's accounts, keys and session log.
    pub fn claim(&self) -> Result<Option<Claim>, OpenError> {
        match self {
            Self::Redis(_, sql) => sql.directory().map(claim).transpose(),
            _ => Ok(None),
        }
    }
}

fn claim(dir: &Path) -> Result<Claim, OpenError> {
    let path = dir.join(FILE);
    let unwritable = |cause| OpenError::Directory {
        path: dir.to_owned(),
        cause,
    };
    let mut maker = DirBuilder::new();
    maker
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(unwritable)?;
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(Claim { _locked: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::Refused {
            place: dir.display().to_string(),
            problem: "another process serves Redis with the SQLite store of this directory"
                .to_owned(),
            fix: "stop that one first, or set store.sql to a postgres:// URL, which several \
                  processes can share"
                .to_owned(),
        }),
        Err(TryLockError::Error(cause)) => Err(unwritable(cause)),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Place, StoreUrl};

    #[test]
    fn redis_beside_sqlite_is_claimed_by_one_and_everything_else_by_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let url = |text: &str| StoreUrl::parse(text).unwrap();
        let sqlite = url(&format!("sqlite:{}", dir.path().display()));
        let shared = Place::at(&sqlite, None).unwrap();
        let alone = Place::at(&url("redis://127.0.0.1"), Some(&sqlite)).unwrap();

        let first = alone.claim().unwrap();
        let refused = alone.claim().unwrap_err().to_string();
        assert!(
            refused.contains("another process serves Redis"),
            "{refused}"
        );
        assert!(shared.claim().unwrap().is_none());
        drop(first);
        assert!(alone.claim().unwrap().is_some());
    }
}
