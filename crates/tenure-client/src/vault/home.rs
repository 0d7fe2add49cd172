//! A directory that only its owner may read, with the locks in it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tenure_core::session::VaultFault;
use zeroize::Zeroizing;

use super::Lease;
use crate::failpoint;

/// Held for a read or a write, never over a wait.
const WRITE_LOCK: &str = "write.lock";
/// Held over a refresh and the saving of its answer.
const REFRESH_LOCK: &str = "refresh.lock";

/// The directory, made when something is stored for the first time (0700, files 0600).
#[derive(Clone, Debug)]
pub(super) struct Home {
    directory: PathBuf,
}

impl Home {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Keeps writers out while it lives; `None` where the directory or the lock was never made.
    pub(super) fn shared(&self) -> Result<Option<File>, VaultFault> {
        self.attempt(|| {
            let lock = there(File::open(self.directory.join(WRITE_LOCK)))?;
            if let Some(lock) = &lock {
                patiently(|| lock.try_lock_shared())?;
            }
            Ok(lock)
        })
    }

    /// Keeps everybody out while it lives. Makes the directory.
    pub(super) fn exclusive(&self) -> Result<File, VaultFault> {
        self.attempt(|| {
            let lock = self.made(WRITE_LOCK)?;
            patiently(|| lock.try_lock())?;
            Ok(lock)
        })
    }

    pub(super) fn lock(&self) -> Result<Lease, VaultFault> {
        self.attempt(|| {
            let lock = self.made(REFRESH_LOCK)?;
            lock.lock()?;
            Ok(Lease::new(lock))
        })
    }

    pub(super) fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        self.attempt(|| {
            let lock = self.made(REFRESH_LOCK)?;
            match lock.try_lock() {
                Ok(()) => Ok(Some(Lease::new(lock))),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            }
        })
    }

    /// The whole file, or `None` where there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        self.attempt(|| {
            let Some(mut file) = there(File::open(self.directory.join(name)))? else {
                return Ok(None);
            };
            let size = usize::try_from(file.metadata()?.len()).unwrap_or(0);
            // Of its size at once: a vector that grows leaves copies behind that nobody wipes.
            let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
            file.read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        })
    }

    /// Stores `bytes` durably. Cut short, it leaves any mixture of what was there and `bytes`.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), VaultFault> {
        self.durably(name, |file| {
            failpoint::write_all(file, bytes)?;
            file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
            failpoint::reached("before_fsync");
            file.sync_all()?;
            failpoint::reached("after_fsync");
            Ok(())
        })
    }

    /// The same for what is no record: the places where tests kill a process are those of a record.
    pub(super) fn note(&self, name: &str, bytes: &[u8]) -> Result<(), VaultFault> {
        self.durably(name, |file| {
            file.write_all(bytes)?;
            file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
            file.sync_all()
        })
    }

    fn durably(
        &self,
        name: &str,
        store: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), VaultFault> {
        self.attempt(|| {
            let new = there(fs::metadata(self.directory.join(name)))?.is_none();
            // Not truncated first: overwriting the blocks it has works on a full disk, too.
            store(&mut self.private(name)?)?;
            if new { self.sync_names() } else { Ok(()) }
        })
    }

    /// Makes the file's content durable, and its name, whoever wrote it.
    pub(super) fn sync(&self, name: &str) -> Result<(), VaultFault> {
        self.attempt(|| {
            self.private(name)?.sync_all()?;
            sync_directory(&self.directory)
        })
    }

    fn attempt<T>(&self, work: impl FnOnce() -> io::Result<T>) -> Result<T, VaultFault> {
        let directory = self.directory.display();
        work().map_err(|error| VaultFault::Unavailable(format!("{directory}: {error}")))
    }

    fn made(&self, lock: &str) -> io::Result<File> {
        if self.directory.is_dir() {
            restrict(&self.directory)?;
        } else {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&self.directory)?;
        }
        self.private(lock)
    }

    fn private(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.directory.join(name))
    }

    /// Makes a new file survive a power cut, and the directories that were made for it: by this
    /// process, or by one that was killed before it came to this.
    fn sync_names(&self) -> io::Result<()> {
        for directory in self.directory.ancestors() {
            match sync_directory(directory) {
                // What this process may not open, it did not make either.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
                synced => synced?,
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    let nameless = directory.as_os_str().is_empty();
    let directory = if nameless { Path::new(".") } else { directory };
    match File::open(directory)?.sync_all() {
        // Some file systems, such as squashfs in the root, cannot sync a directory.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Elsewhere the file system journals names, and a directory cannot be opened as a file.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// A write takes milliseconds; whoever is in the middle of one for so long is suspended.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// Takes a lock that nobody holds over a wait. A suspended process may: then this fails, instead of
/// being suspended with it.
fn patiently(lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        match lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if waited < WRITE_PATIENCE => {}
            Err(TryLockError::WouldBlock) => {
                let stuck = "another process does not finish its write; it may be suspended";
                return Err(io::Error::new(io::ErrorKind::TimedOut, stuck));
            }
        }
        #[expect(clippy::disallowed_methods, reason = "a file lock has no deadline")]
        thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

/// `None` for what does not exist.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes away what group and others may do, where somebody else made the directory.
#[cfg(unix)]
fn restrict(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = fs::metadata(directory)?.permissions().mode() & 0o777;
    if mode & 0o700 == mode {
        return Ok(());
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_directory: &Path) -> io::Result<()> {
    Ok(())
}
