//! The disk itself: inodes, names, faults and the power switch. Knows nothing of FUSE's wire.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use fastrand::Rng;
use fuser::{Errno, FileAttr, FileType, INodeNo};

use super::content::Content;
use super::names::{Change, Inode, Names, Place, ROOT};
use super::survivors::{PowerCut, Survivors};

/// A larger file is refused: it would live in the test's memory, twice.
const LARGEST_FILE: usize = 1 << 30;

/// Inode numbers shown to the kernel carry the number of power cuts above this bit, so that
/// nothing the kernel cached or still has to write back under an old number can reach the disk.
const EPOCH_SHIFT: u32 = 40;

/// How the disk behaves towards writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Healthy,
    Full,
    FullForGrowth,
    ReadOnly,
}

/// What the disk was asked to do since it was mounted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct DiskOps {
    /// Calls of write(2) and their like.
    pub writes: u64,
    /// Calls of fsync(2) and fdatasync(2) on files.
    pub fsyncs: u64,
    /// Calls of fsync(2) on directories.
    pub directory_fsyncs: u64,
    /// Requests answered with ENOSPC or EROFS.
    pub refused: u64,
    /// Times the power went.
    pub power_cuts: u64,
}

#[derive(Debug)]
pub(super) enum Body {
    File(Content),
    Directory,
    Symlink(OsString),
}

/// Who may do what; not subject to power cuts (the model is about content and names).
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

#[derive(Debug)]
struct Node {
    body: Body,
    owner: Owner,
    modified: SystemTime,
    opens: usize,
}

/// A disk with a volatile cache in front of it.
#[derive(Debug)]
pub(super) struct Image {
    nodes: HashMap<Inode, Node>,
    names: Names,
    next: Inode,
    rng: Rng,
    pub(super) health: Health,
    pub(super) ignores_syncs: bool,
    pub(super) ops: DiskOps,
}

impl Image {
    pub(super) fn new(seed: u64, owner: Owner) -> Self {
        let root = Node {
            body: Body::Directory,
            owner,
            modified: now(),
            opens: 0,
        };
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            names: Names::default(),
            next: ROOT + 1,
            rng: Rng::with_seed(seed),
            health: Health::Healthy,
            ignores_syncs: false,
            ops: DiskOps::default(),
        }
    }

    /// The power goes and comes back: everything opened before is gone (EIO).
    pub(super) fn cut(&mut self, mut survivors: Survivors) -> PowerCut {
        self.names.cut(&mut survivors);
        let names = &self.names;
        self.nodes
            .retain(|inode, _| *inode == ROOT || names.remember(*inode));
        let mut inodes: Vec<Inode> = self.nodes.keys().copied().collect();
        // A hash map's order would make one seed give different cuts.
        inodes.sort_unstable();
        for inode in inodes {
            let Some(node) = self.nodes.get_mut(&inode) else {
                continue;
            };
            node.opens = 0;
            if let Body::File(content) = &mut node.body {
                content.cut(&mut survivors);
            }
        }
        self.ops.power_cuts += 1;
        survivors.report()
    }

    pub(super) fn luck(&mut self) -> Survivors {
        Survivors::random(self.rng.fork())
    }

    /// The disk's own number for the kernel's one.
    pub(super) fn inode(&self, number: INodeNo) -> Result<Inode, Errno> {
        match number.0 >> EPOCH_SHIFT {
            _ if number.0 == ROOT => Ok(ROOT),
            epoch if epoch == self.ops.power_cuts => Ok(number.0 & ((1 << EPOCH_SHIFT) - 1)),
            _ => Err(Errno::EIO),
        }
    }

    pub(super) fn number(&self, inode: Inode) -> INodeNo {
        match inode {
            ROOT => INodeNo(ROOT),
            _ => INodeNo((self.ops.power_cuts << EPOCH_SHIFT) | inode),
        }
    }

    pub(super) fn attr(&self, inode: Inode) -> Result<FileAttr, Errno> {
        let node = self.node(inode)?;
        let (kind, size) = match &node.body {
            Body::File(content) => (FileType::RegularFile, content.len()),
            Body::Directory => (FileType::Directory, 0),
            Body::Symlink(target) => (FileType::Symlink, target.len()),
        };
        Ok(FileAttr {
            ino: self.number(inode),
            size: size as u64,
            blocks: size.div_ceil(512) as u64,
            atime: node.modified,
            mtime: node.modified,
            ctime: node.modified,
            crtime: node.modified,
            kind,
            perm: node.owner.mode,
            nlink: u32::try_from(self.names.links(inode).max(1)).unwrap_or(u32::MAX),
            uid: node.owner.uid,
            gid: node.owner.gid,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }

    pub(super) fn owner(&mut self, inode: Inode) -> Result<&mut Owner, Errno> {
        self.refuse_if(&[Health::ReadOnly])?;
        Ok(&mut self.node_mut(inode)?.owner)
    }

    pub(super) fn lookup(&self, dir: Inode, name: &OsStr) -> Result<Inode, Errno> {
        self.names.lookup(dir, name).ok_or(Errno::ENOENT)
    }

    /// `.`, `..` and the entries, each with its kind.
    pub(super) fn list(&self, dir: Inode) -> Result<Vec<(INodeNo, FileType, OsString)>, Errno> {
        let ends = [
            (OsStr::new("."), dir),
            (OsStr::new(".."), self.names.parent(dir)),
        ];
        ends.into_iter()
            .chain(self.names.list(dir))
            .map(|(name, inode)| Ok((self.number(inode), self.attr(inode)?.kind, name.to_owned())))
            .collect()
    }

    pub(super) fn create(&mut self, at: Place, body: Body, owner: Owner) -> Result<Inode, Errno> {
        self.refuse_if(&[Health::Full, Health::FullForGrowth, Health::ReadOnly])?;
        if self.names.lookup(at.0, &at.1).is_some() {
            return Err(Errno::EEXIST);
        }
        let inode = self.next;
        self.next += 1;
        self.nodes.insert(
            inode,
            Node {
                body,
                owner,
                modified: now(),
                opens: 0,
            },
        );
        self.names.apply(Change::Link(at, inode));
        Ok(inode)
    }

    pub(super) fn link(&mut self, inode: Inode, at: Place) -> Result<(), Errno> {
        self.refuse_if(&[Health::Full, Health::FullForGrowth, Health::ReadOnly])?;
        if self.names.lookup(at.0, &at.1).is_some() {
            return Err(Errno::EEXIST);
        }
        self.names.apply(Change::Link(at, inode));
        Ok(())
    }

    /// Removes a name; a directory must be empty.
    pub(super) fn remove(&mut self, at: Place) -> Result<(), Errno> {
        self.refuse_if(&[Health::ReadOnly])?;
        let inode = self.lookup(at.0, &at.1)?;
        if self.names.list(inode).next().is_some() {
            return Err(Errno::ENOTEMPTY);
        }
        self.names.apply(Change::Unlink(at));
        self.forget_if_unused(inode);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: Place, to: Place, replace: bool) -> Result<(), Errno> {
        self.refuse_if(&[Health::ReadOnly])?;
        self.lookup(from.0, &from.1)?;
        if let Some(victim) = self.names.lookup(to.0, &to.1) {
            if !replace {
                return Err(Errno::EEXIST);
            }
            if self.names.list(victim).next().is_some() {
                return Err(Errno::ENOTEMPTY);
            }
        }
        if from != to {
            self.names.apply(Change::Rename(from, to));
        }
        Ok(())
    }

    pub(super) fn target(&self, inode: Inode) -> Result<&OsStr, Errno> {
        match &self.node(inode)?.body {
            Body::Symlink(target) => Ok(target),
            _ => Err(Errno::EINVAL),
        }
    }

    pub(super) fn open(&mut self, inode: Inode, to_write: bool) -> Result<(), Errno> {
        if to_write {
            self.refuse_if(&[Health::ReadOnly])?;
        }
        self.node_mut(inode)?.opens += 1;
        Ok(())
    }

    pub(super) fn close(&mut self, inode: Inode) -> Result<(), Errno> {
        let node = self.node_mut(inode)?;
        node.opens = node.opens.saturating_sub(1);
        self.forget_if_unused(inode);
        Ok(())
    }

    pub(super) fn read(&self, inode: Inode, offset: u64, size: u32) -> Result<&[u8], Errno> {
        let offset = usize::try_from(offset).map_err(|_| Errno::EINVAL)?;
        Ok(self.content(inode)?.read(offset, size as usize))
    }

    /// `mapped`: the kernel writes back pages of a memory map. Those are never refused: their
    /// blocks were there before the trouble began.
    pub(super) fn write(
        &mut self,
        inode: Inode,
        offset: u64,
        data: &[u8],
        mapped: bool,
    ) -> Result<(), Errno> {
        self.ops.writes += 1;
        let offset = usize::try_from(offset).map_err(|_| Errno::EFBIG)?;
        let end = offset
            .checked_add(data.len())
            .filter(|end| *end <= LARGEST_FILE);
        let end = end.ok_or(Errno::EFBIG)?;
        if !mapped {
            self.refuse_if(&[Health::Full, Health::ReadOnly])?;
            if end > self.content(inode)?.len() {
                self.refuse_if(&[Health::FullForGrowth])?;
            }
        }
        self.content_mut(inode)?.write(offset, data);
        Ok(())
    }

    pub(super) fn resize(&mut self, inode: Inode, size: u64) -> Result<(), Errno> {
        self.refuse_if(&[Health::ReadOnly])?;
        let size = usize::try_from(size)
            .ok()
            .filter(|size| *size <= LARGEST_FILE);
        let size = size.ok_or(Errno::EFBIG)?;
        if size > self.content(inode)?.len() {
            self.refuse_if(&[Health::Full, Health::FullForGrowth])?;
        }
        self.content_mut(inode)?.resize(size);
        Ok(())
    }

    /// Content and length become durable; the file's name does not (fsync(2): "not necessarily").
    pub(super) fn sync_file(&mut self, inode: Inode) -> Result<(), Errno> {
        self.ops.fsyncs += 1;
        if !self.content(inode)?.is_synced() {
            self.refuse_if(&[Health::ReadOnly])?;
        }
        if !self.ignores_syncs {
            self.content_mut(inode)?.sync();
        }
        Ok(())
    }

    /// All changes of names so far become durable, in whatever directory: as a journal does it.
    pub(super) fn sync_directory(&mut self) {
        self.ops.directory_fsyncs += 1;
        if self.ignores_syncs {
            return;
        }
        self.names.sync();
        let names = &self.names;
        self.nodes
            .retain(|inode, node| node.opens > 0 || *inode == ROOT || names.remember(*inode));
    }

    fn refuse_if(&mut self, unwell: &[Health]) -> Result<(), Errno> {
        if !unwell.contains(&self.health) {
            return Ok(());
        }
        self.ops.refused += 1;
        Err(if self.health == Health::ReadOnly {
            Errno::EROFS
        } else {
            Errno::ENOSPC
        })
    }

    fn forget_if_unused(&mut self, inode: Inode) {
        let open = self.nodes.get(&inode).is_some_and(|node| node.opens > 0);
        if !open && inode != ROOT && !self.names.remember(inode) {
            self.nodes.remove(&inode);
        }
    }

    fn content(&self, inode: Inode) -> Result<&Content, Errno> {
        match &self.node(inode)?.body {
            Body::File(content) => Ok(content),
            _ => Err(Errno::EISDIR),
        }
    }

    fn content_mut(&mut self, inode: Inode) -> Result<&mut Content, Errno> {
        let node = self.node_mut(inode)?;
        node.modified = now();
        match &mut node.body {
            Body::File(content) => Ok(content),
            _ => Err(Errno::EISDIR),
        }
    }

    fn node(&self, inode: Inode) -> Result<&Node, Errno> {
        self.nodes.get(&inode).ok_or(Errno::EIO)
    }

    fn node_mut(&mut self, inode: Inode) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&inode).ok_or(Errno::EIO)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a disk stamps its files with the host's time"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
