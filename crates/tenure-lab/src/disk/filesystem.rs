//! FUSE's requests, each carried to the [`Image`] and its answer back.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenAccMode, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow,
    WriteFlags,
};
use parking_lot::Mutex;

use super::content::Content;
use super::image::{Body, Health, Image, Owner};

/// The kernel must ask again each time: what it remembers may be gone after a power cut.
const NO_CACHE: Duration = Duration::ZERO;

const NO_HANDLE: FileHandle = FileHandle(0);

/// The image as FUSE's session loop sees it.
#[derive(Debug)]
pub(super) struct Mounted(pub(super) Arc<Mutex<Image>>);

impl Mounted {
    fn add(
        &self,
        parent: INodeNo,
        name: &OsStr,
        body: Body,
        owner: Owner,
    ) -> Result<FileAttr, Errno> {
        let mut image = self.0.lock();
        let place = (image.inode(parent)?, name.to_owned());
        let inode = image.create(place, body, owner)?;
        image.attr(inode)
    }

    fn take_away(&self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        let mut image = self.0.lock();
        let place = (image.inode(parent)?, name.to_owned());
        image.remove(place)
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let image = self.0.lock();
        let found = image.inode(parent).and_then(|dir| image.lookup(dir, name));
        answer_entry(found.and_then(|inode| image.attr(inode)), reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let image = self.0.lock();
        answer_attr(image.inode(ino).and_then(|inode| image.attr(inode)), reply);
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut image = self.0.lock();
        let changed = image.inode(ino).and_then(|inode| {
            if let Some(size) = size {
                image.resize(inode, size)?;
            }
            if mode.is_some() || uid.is_some() || gid.is_some() {
                let owner = image.owner(inode)?;
                owner.mode = mode.map_or(owner.mode, permissions);
                owner.uid = uid.unwrap_or(owner.uid);
                owner.gid = gid.unwrap_or(owner.gid);
            }
            image.attr(inode)
        });
        answer_attr(changed, reply);
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        let image = self.0.lock();
        match image.inode(ino).and_then(|inode| image.target(inode)) {
            Ok(target) => reply.data(target.as_bytes()),
            Err(errno) => reply.error(errno),
        }
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let owner = owner(request, mode & !umask);
        answer_entry(self.add(parent, name, Body::Directory, owner), reply);
    }

    fn symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let body = Body::Symlink(target.as_os_str().to_owned());
        answer_entry(self.add(parent, name, body, owner(request, 0o777)), reply);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let file = Body::File(Content::default());
        let created = self.add(parent, name, file, owner(request, mode & !umask));
        let opened = created.and_then(|attr| {
            let mut image = self.0.lock();
            let inode = image.inode(attr.ino)?;
            image.open(inode, true)?;
            Ok(attr)
        });
        match opened {
            Ok(attr) => {
                let flags = FopenFlags::empty();
                reply.created(&NO_CACHE, &attr, Generation(0), NO_HANDLE, flags);
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn link(&self, _: &Request, ino: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut image = self.0.lock();
        let linked = image.inode(ino).and_then(|inode| {
            let place = (image.inode(parent)?, name.to_owned());
            image.link(inode, place)?;
            image.attr(inode)
        });
        answer_entry(linked, reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(self.take_away(parent, name), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(self.take_away(parent, name), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let known = RenameFlags::RENAME_NOREPLACE;
        if !known.contains(flags) {
            return reply.error(Errno::EINVAL);
        }
        let mut image = self.0.lock();
        let from = image.inode(parent).map(|dir| (dir, name.to_owned()));
        let to = image.inode(newparent).map(|dir| (dir, newname.to_owned()));
        let renamed = from.and_then(|from| image.rename(from, to?, flags.is_empty()));
        answer(renamed, reply);
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let to_write = flags.acc_mode() != OpenAccMode::O_RDONLY;
        let mut image = self.0.lock();
        match image
            .inode(ino)
            .and_then(|inode| image.open(inode, to_write))
        {
            Ok(()) => reply.opened(NO_HANDLE, FopenFlags::empty()),
            Err(errno) => reply.error(errno),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let image = self.0.lock();
        match image
            .inode(ino)
            .and_then(|inode| image.read(inode, offset, size))
        {
            Ok(bytes) => reply.data(bytes),
            Err(errno) => reply.error(errno),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        write_flags: WriteFlags,
        _flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mapped = write_flags.contains(WriteFlags::FUSE_WRITE_CACHE);
        let mut image = self.0.lock();
        match image
            .inode(ino)
            .and_then(|inode| image.write(inode, offset, data, mapped))
        {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(errno),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _flags: OpenFlags,
        _: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        let mut image = self.0.lock();
        answer(image.inode(ino).and_then(|inode| image.close(inode)), reply);
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let mut image = self.0.lock();
        answer(
            image.inode(ino).and_then(|inode| image.sync_file(inode)),
            reply,
        );
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let mut image = self.0.lock();
        answer(image.inode(ino).map(|_| image.sync_directory()), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let image = self.0.lock();
        let entries: Vec<(INodeNo, _, OsString)> =
            match image.inode(ino).and_then(|dir| image.list(dir)) {
                Ok(entries) => entries,
                Err(errno) => return reply.error(errno),
            };
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        for (next, (number, kind, name)) in (1..).zip(entries).skip(skip) {
            if reply.add(number, next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let full = matches!(self.0.lock().health, Health::Full | Health::FullForGrowth);
        let free = if full { 0 } else { 1 << 18 };
        reply.statfs(1 << 20, free, free, 1 << 20, 1 << 19, 4096, 255, 4096);
    }
}

fn owner(request: &Request, mode: u32) -> Owner {
    Owner {
        mode: permissions(mode),
        uid: request.uid(),
        gid: request.gid(),
    }
}

/// The permission bits of a mode; its upper bits tell the kind of file.
fn permissions(mode: u32) -> u16 {
    u16::try_from(mode & 0o7777).unwrap_or_default()
}

fn answer(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(errno),
    }
}

fn answer_attr(result: Result<FileAttr, Errno>, reply: ReplyAttr) {
    match result {
        Ok(attr) => reply.attr(&NO_CACHE, &attr),
        Err(errno) => reply.error(errno),
    }
}

fn answer_entry(result: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match result {
        Ok(attr) => reply.entry(&NO_CACHE, &attr, Generation(0)),
        Err(errno) => reply.error(errno),
    }
}
