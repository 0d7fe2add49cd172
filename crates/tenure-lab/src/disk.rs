//! A disk that loses what was not synced, fills up, and turns read-only, on demand.
//!
//! [`FaultyDisk`] is a FUSE file system in this process's memory. It needs `/dev/fuse` and, unless
//! the process is root, Debian's package `fuse3` (for `fusermount3`); libfuse is not used.
//!
//! What survives [`FaultyDisk::power_cut`]:
//!
//! - a file's bytes and length as of its last fsync or fdatasync; of what was written since, a
//!   random set of whole 4 KiB pages, and perhaps a truncation;
//! - names (creations, renames, removals) as of the last fsync of *a directory*; of the changes
//!   since, a random prefix in the order they were made, as a journal would keep them. Syncing a
//!   file does not sync its name: POSIX does not promise it, though ext4 happens to do it;
//! - ownership and permissions, always.
//!
//! Kill the processes on the disk first: whatever they hold open across the cut answers EIO.
//! Locks are the kernel's own, and memory maps work, so SQLite runs on it in WAL mode.

mod content;
mod filesystem;
mod image;
mod names;
mod survivors;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fuser::{BackgroundSession, Config, MountOption, SessionACL};
use parking_lot::Mutex;
use rustix::mount::UnmountFlags;

pub use self::image::DiskOps;
pub use self::survivors::PowerCut;

use self::filesystem::Mounted;
use self::image::{Health, Image, Owner};
use self::survivors::Survivors;

/// A mounted faulty disk. Dropping it unmounts it and forgets its content.
#[derive(Debug)]
pub struct FaultyDisk {
    image: Arc<Mutex<Image>>,
    path: PathBuf,
    session: Option<BackgroundSession>,
}

impl FaultyDisk {
    /// Mounts an empty disk over the directory `dir`. The same seed and the same operations give
    /// the same power cuts; the seed is printed so that a failure can be repeated.
    ///
    /// # Errors
    /// `NotFound` or `PermissionDenied` where FUSE is not to be had, otherwise the mount's error.
    pub fn mount(dir: &Path, seed: u64) -> io::Result<Self> {
        let owner = Owner {
            mode: 0o755,
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
        };
        let image = Arc::new(Mutex::new(Image::new(seed, owner)));
        let mut config = Config::default();
        config
            .mount_options
            .push(MountOption::FSName("faulty-disk".to_owned()));
        if rustix::process::geteuid().is_root() {
            // For programs that refuse to run as root. Others may not let strangers in.
            config.acl = SessionACL::All;
        }
        let session = fuser::spawn_mount(Mounted(Arc::clone(&image)), dir, &config)?;
        say(&format!(
            "faulty disk at {} with seed {seed}",
            dir.display()
        ));
        Ok(Self {
            image,
            path: dir.to_owned(),
            session: Some(session),
        })
    }

    /// [`FaultyDisk::mount`], or `None` and a printed `SKIP:` line where FUSE is not to be had.
    ///
    /// # Errors
    /// Any error that is not the absence of FUSE.
    pub fn mount_or_skip(dir: &Path, seed: u64) -> io::Result<Option<Self>> {
        match Self::mount(dir, seed) {
            Ok(disk) => Ok(Some(disk)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                ) =>
            {
                say(&format!("SKIP: FUSE is not available here: {error}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The directory it is mounted on.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The power goes and comes back; see the module for what survives. The report is printed.
    pub fn power_cut(&self) -> PowerCut {
        let mut image = self.image.lock();
        let luck = image.luck();
        let report = image.cut(luck);
        say(&format!("power cut {}: {report:?}", image.ops.power_cuts));
        report
    }

    /// A power cut that nothing unsynced survives.
    pub fn power_cut_losing_all(&self) -> PowerCut {
        self.image.lock().cut(Survivors::none())
    }

    /// From now on every write, creation and growth fails with ENOSPC, as on a copy-on-write
    /// file system, where overwriting needs space too. Removals and fsync work.
    pub fn full(&self) {
        self.image.lock().health = Health::Full;
    }

    /// From now on creations and writes beyond the end of a file fail with ENOSPC; overwriting
    /// works, as on ext4.
    pub fn full_for_growth(&self) {
        self.image.lock().health = Health::FullForGrowth;
    }

    /// From now on every change fails with EROFS, and so does an fsync that had something to do.
    pub fn read_only(&self) {
        self.image.lock().health = Health::ReadOnly;
    }

    /// From now on fsync says that it did what it did not: the disk as it is for a program that never
    /// calls it.
    pub fn ignore_syncs(&self) {
        self.image.lock().ignores_syncs = true;
    }

    /// Ends [`full`](Self::full), [`full_for_growth`](Self::full_for_growth) and
    /// [`read_only`](Self::read_only).
    pub fn healthy(&self) {
        self.image.lock().health = Health::Healthy;
    }

    /// What was asked of the disk so far.
    pub fn ops(&self) -> DiskOps {
        self.image.lock().ops
    }
}

impl Drop for FaultyDisk {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        // Detaching works even where a process still has a file open; as non-root it is refused
        // and `umount_and_join` asks fusermount3.
        let detached = rustix::mount::unmount(&self.path, UnmountFlags::DETACH);
        if let Err(error) = session.umount_and_join()
            && detached.is_err()
        {
            say(&format!("{} stays mounted: {error}", self.path.display()));
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a failed test is repeated by the seed in its output"
)]
fn say(line: &str) {
    eprintln!("{line}");
}
