//! The directory tree twice, with the ordered list of changes that lie between the two.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::survivors::Survivors;

/// Number of a file or directory, unique over the life of the disk.
pub(super) type Inode = u64;

/// The root directory.
pub(super) const ROOT: Inode = 1;

/// Where a name stands: its directory and the name itself.
pub(super) type Place = (Inode, OsString);

/// One change of the directory tree.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// `Place` now names the inode.
    Link(Place, Inode),
    /// `Place` is gone.
    Unlink(Place),
    /// The entry moves, replacing what stood at its new place.
    Rename(Place, Place),
}

type Tree = BTreeMap<Place, Inode>;

/// The names on the disk.
#[derive(Debug, Default)]
pub(super) struct Names {
    live: Tree,
    durable: Tree,
    pending: Vec<Change>,
}

impl Names {
    pub(super) fn lookup(&self, dir: Inode, name: &OsStr) -> Option<Inode> {
        self.live.get(&(dir, name.to_owned())).copied()
    }

    pub(super) fn list(&self, dir: Inode) -> impl Iterator<Item = (&OsStr, Inode)> {
        self.live
            .range((dir, OsString::new())..(dir + 1, OsString::new()))
            .map(|((_, name), inode)| (name.as_os_str(), *inode))
    }

    pub(super) fn parent(&self, dir: Inode) -> Inode {
        self.live
            .iter()
            .find(|(_, inode)| **inode == dir)
            .map_or(ROOT, |((parent, _), _)| *parent)
    }

    pub(super) fn links(&self, inode: Inode) -> usize {
        self.live.values().filter(|named| **named == inode).count()
    }

    /// Whether the inode may be named now or after a power cut.
    pub(super) fn remember(&self, inode: Inode) -> bool {
        let named = |tree: &Tree| tree.values().any(|named| *named == inode);
        named(&self.live)
            || named(&self.durable)
            || self
                .pending
                .iter()
                .any(|c| matches!(c, Change::Link(_, named) if *named == inode))
    }

    pub(super) fn apply(&mut self, change: Change) {
        carry_out(&mut self.live, change.clone());
        self.pending.push(change);
    }

    /// Makes all changes so far durable.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            carry_out(&mut self.durable, change);
        }
    }

    /// Changes reach a disk in their order: a prefix of them survives.
    pub(super) fn cut(&mut self, survivors: &mut Survivors) {
        let kept = survivors.keep_names(self.pending.len());
        for change in self.pending.drain(..).take(kept) {
            carry_out(&mut self.durable, change);
        }
        self.live.clone_from(&self.durable);
    }
}

fn carry_out(tree: &mut Tree, change: Change) {
    match change {
        Change::Link(place, inode) => {
            tree.insert(place, inode);
        }
        Change::Unlink(place) => {
            tree.remove(&place);
        }
        Change::Rename(from, to) => {
            if let Some(inode) = tree.remove(&from) {
                tree.insert(to, inode);
            }
        }
    }
}
