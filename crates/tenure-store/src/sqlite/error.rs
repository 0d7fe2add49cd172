//! What SQLite says, by culprit.

use std::io::{self, Write as _};
use std::path::Path;

use rusqlite::ErrorCode;

use crate::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(text),
            Some(ErrorCode::ReadOnly) => Self::ReadOnly(text),
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Busy(text),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => Self::Unavailable(text),
            _ => Self::Damaged(text),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        let text = error.to_string();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(text),
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(text),
            _ => Self::Unavailable(text),
        }
    }
}

impl StoreError {
    /// Whether it is the disk's or the file's trouble rather than that of one statement.
    pub(super) fn concerns_everyone(&self) -> bool {
        !matches!(self, Self::Damaged(_))
    }

    /// SQLite calls a read-only and sometimes a full disk an I/O error: a small write of our own
    /// tells them apart.
    pub(super) fn diagnosed(self, dir: &Path) -> Self {
        match self {
            Self::Unavailable(text) => match probe(dir).err().map(Self::from) {
                Some(Self::Full(_)) => Self::Full(text),
                Some(Self::ReadOnly(_)) => Self::ReadOnly(text),
                _ => Self::Unavailable(text),
            },
            other => other,
        }
    }
}

fn probe(dir: &Path) -> io::Result<()> {
    let path = dir.join("tenure.probe");
    let written = std::fs::File::create(&path).and_then(|mut file| file.write_all(&[0; 8192]));
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}
