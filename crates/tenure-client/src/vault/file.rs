//! A vault in a directory of its own.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tenure_core::session::{Change, Found, Record, VaultFault};
use zeroize::Zeroizing;

use super::slot::Slot;
use super::{Lease, Vault};

/// A record in two slots, in a directory that only its owner may read (0700, files 0600).
///
/// A write goes to the older slot and is synced before it counts, so a torn one leaves the record
/// before it. Any number of processes may share the directory; it must lie on a file system with
/// working locks, so not on a network share. A process that is suspended in the few milliseconds of
/// a write keeps the others waiting; suspended anywhere else it does not.
#[derive(Clone, Debug)]
pub struct FileVault {
    directory: PathBuf,
}

const SLOTS: [&str; 2] = ["slot-a", "slot-b"];
/// Held for a read or a write, never over a wait.
const WRITE_LOCK: &str = "write.lock";
/// Held over a refresh and the saving of its answer.
const REFRESH_LOCK: &str = "refresh.lock";

impl FileVault {
    /// A vault in `directory`, which is made when something is stored for the first time.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn read(&self) -> io::Result<Contents> {
        let [a, b] = SLOTS.map(|name| read_slot(&self.directory.join(name)));
        Ok(Contents { slots: [a?, b?] })
    }

    fn write(&self, place: usize, slot: &Slot) -> io::Result<usize> {
        let bytes = slot.encode()?;
        let name = SLOTS.get(place).ok_or(io::ErrorKind::InvalidInput)?;
        // Not truncated first: overwriting the blocks it has, a slot can be written on a full disk.
        let mut file = self.private(name)?;
        file.write_all(&bytes)?;
        file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        file.sync_all()?;
        if slot.generation <= 2 {
            sync_directory(&self.directory)?;
        }
        Ok(bytes.len())
    }

    fn private(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.directory.join(name))
    }

    fn make_directory(&self) -> io::Result<()> {
        if self.directory.is_dir() {
            return restrict(&self.directory);
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.directory)?;
        self.directory.parent().map_or(Ok(()), sync_directory)
    }

    fn try_load(&self) -> io::Result<Found> {
        let contents = match File::open(self.directory.join(WRITE_LOCK)) {
            Ok(lock) => {
                lock.lock_shared()?;
                self.read()?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::NONE,
            Err(error) => return Err(error),
        };
        let found = contents.found();
        let slot = contents.newest().and_then(|(place, _)| SLOTS.get(place));
        tracing::debug!(found = name(&found), slot, "store_read");
        Ok(found)
    }

    fn try_update(&self, change: &Change) -> io::Result<Record> {
        self.make_directory()?;
        let lock = self.private(WRITE_LOCK)?;
        lock.lock()?;
        let contents = self.read()?;
        let newest = contents.newest();
        let (place, generation) = match newest {
            Some((place, slot)) => (1 - place, slot.generation + 1),
            None => (0, 1),
        };
        let mut record = newest.map_or_else(Record::default, |(_, slot)| slot.record.clone());
        if change.apply(&mut record) {
            let slot = Slot { generation, record };
            let bytes = self.write(place, &slot)?;
            tracing::debug!(ok = true, bytes, "store_write");
            record = slot.record;
        }
        Ok(record)
    }
}

impl Vault for FileVault {
    fn load(&self) -> Result<Found, VaultFault> {
        self.try_load()
            .map_err(|error| self.fault("store_read", &error))
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        self.try_update(change)
            .map_err(|error| self.fault("store_write", &error))
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        let lock = || {
            self.make_directory()?;
            let file = self.private(REFRESH_LOCK)?;
            file.lock()?;
            Ok(Lease::new(file))
        };
        lock().map_err(|error: io::Error| self.fault("store_lock", &error))
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        let lock = || {
            self.make_directory()?;
            let file = self.private(REFRESH_LOCK)?;
            match file.try_lock() {
                Ok(()) => Ok(Some(Lease::new(file))),
                Err(fs::TryLockError::WouldBlock) => Ok(None),
                Err(fs::TryLockError::Error(error)) => Err(error),
            }
        };
        lock().map_err(|error: io::Error| self.fault("store_lock", &error))
    }
}

impl FileVault {
    fn fault(&self, event: &'static str, error: &io::Error) -> VaultFault {
        let directory = self.directory.display();
        tracing::warn!(ok = false, event, %directory, %error, "store_failed");
        VaultFault::Unavailable(format!("{directory}: {error}"))
    }
}

/// The two slots as found.
struct Contents {
    slots: [Bytes; 2],
}

enum Bytes {
    Absent,
    Empty,
    Torn,
    Intact(Box<Slot>),
}

impl Contents {
    const NONE: Self = Self {
        slots: [Bytes::Absent, Bytes::Absent],
    };

    fn newest(&self) -> Option<(usize, &Slot)> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter_map(|(place, bytes)| match bytes {
                Bytes::Intact(slot) => Some((place, slot.as_ref())),
                _ => None,
            })
            .max_by_key(|(_, slot)| slot.generation)
    }

    fn found(&self) -> Found {
        match (self.newest(), &self.slots) {
            (Some((_, slot)), _) => Found::Record(Box::new(slot.record.clone())),
            (None, [Bytes::Absent, Bytes::Absent]) => Found::Missing,
            (None, [Bytes::Torn, _] | [_, Bytes::Torn]) => Found::Damaged,
            (None, _) => Found::Empty,
        }
    }
}

fn name(found: &Found) -> &'static str {
    match found {
        Found::Record(_) => "record",
        Found::Missing => "missing",
        Found::Damaged => "damaged",
        Found::Empty => "empty",
    }
}

fn read_slot(path: &Path) -> io::Result<Bytes> {
    let mut bytes = Zeroizing::new(Vec::new());
    match File::open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Bytes::Absent),
        Err(error) => return Err(error),
    };
    if bytes.is_empty() {
        return Ok(Bytes::Empty);
    }
    Ok(Slot::decode(&bytes).map_or(Bytes::Torn, |slot| Bytes::Intact(Box::new(slot))))
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

/// Makes new names in `directory` survive a power cut.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    File::open(directory)?.sync_all()
}

/// Elsewhere the file system journals names, and a directory cannot be opened as a file.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
