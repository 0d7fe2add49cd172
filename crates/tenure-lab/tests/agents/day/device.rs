//! A device: one vault, and the processes that share it.

use std::collections::VecDeque;

use tenure_core::id::LineageId;
use tenure_core::session::{Machine, Record};

/// Which process, and which of its lives: what was under way for an earlier one is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) agent: usize,
    pub(super) number: u32,
}

/// One vault with its lock.
pub(super) struct Vault {
    pub(super) lineage: LineageId,
    pub(super) record: Record,
    /// Device clock minus server clock, in milliseconds.
    pub(super) ahead: i64,
    owner: Option<Life>,
    queue: VecDeque<Life>,
}

impl Vault {
    pub(super) fn new(lineage: LineageId, record: Record, ahead: i64) -> Self {
        Self {
            lineage,
            record,
            ahead,
            owner: None,
            queue: VecDeque::new(),
        }
    }

    /// Takes the lock, or stands in line for it; true where it is taken.
    pub(super) fn lock(&mut self, life: Life) -> bool {
        if self.owner.is_none() {
            self.owner = Some(life);
            return true;
        }
        self.queue.push_back(life);
        false
    }

    /// Leaves the line; true where it stood there.
    pub(super) fn give_up(&mut self, life: Life) -> bool {
        let before = self.queue.len();
        self.queue.retain(|waiting| *waiting != life);
        self.queue.len() != before
    }

    /// Lets go of the lock, if it is this one's; answers whose it is next.
    pub(super) fn unlock(&mut self, life: Life) -> Option<Life> {
        if self.owner != Some(life) {
            return None;
        }
        self.owner = self.queue.pop_front();
        self.owner
    }
}

/// One process: the shipped machine, and what the simulation knows about its run.
pub(super) struct Agent {
    pub(super) vault: usize,
    /// `None` while it does not run.
    pub(super) machine: Option<Machine>,
    pub(super) life: Life,
    /// When it started, on the server's clock in milliseconds.
    pub(super) started: u64,
    /// Suspended until then.
    pub(super) suspended: u64,
    /// It waits for a token.
    pub(super) asking: bool,
    /// Counts timers, so that an old one is known as such.
    pub(super) timer: u32,
}

impl Agent {
    pub(super) fn new(agent: usize, vault: usize) -> Self {
        Self {
            vault,
            machine: None,
            life: Life { agent, number: 0 },
            started: 0,
            suspended: 0,
            asking: false,
            timer: 0,
        }
    }
}
