//! Sessions, tickets and device authorizations in Redis or Valkey; accounts, keys, cuts, the audit
//! trail and the session log in SQL beside it.
//!
//! **Why Redis loses nothing that was acknowledged.** A create and an end are in the session log,
//! durable, before Redis hears of them. The entries of a shard are numbered one after another in the
//! order of their commits, and Redis keeps, in the slot of the shard, the number of the last one that it
//! has applied. A script applies entry *n* and writes *n* in one step, and only where *n* − 1 stands;
//! so whatever Redis is after a crash, a failover or a restored dump, its number says exactly which
//! entries its sessions have: all up to it. Every read of a session answers the number too. A process
//! knows how far the log has got from its own appends, from a look once a second, and from one look
//! after every connection that was lost, before the answer that came over a new one is believed. A
//! shard that is behind is replayed first. Entries are applied any number of times with one result,
//! by whoever comes first; who ended a session is who stands first in the log. A log that has itself
//! come back older is raised above every number that was given out, which leaves a gap and no number
//! twice, and gets back what Redis has and it has not.
//!
//! Rotations are not in the log: a token that is ahead of its row is adopted (line 7 of the rule).
//! A shard that may have lost some is marked, and the sweep spares its sessions for one idle period;
//! all are after a restart or a replacement of a server. A session whose key alone is missing is made
//! again from the log when its token is presented.
//!
//! What remains: where a server of Redis is replaced without any connection breaking, or the one
//! before it still promises something after the new connection was made, another process's end can
//! be overlooked until the next look, for a second. In a Cluster also where a look falls between the
//! loss of a connection, which the driver tells, and the next one, which it does not tell; and where
//! it drops a node that hangs, of which it may tell nothing. `WAIT` (see [`Wait`]) and
//! `min-replicas-to-write` narrow that. Tickets and device authorizations are as durable as Redis is
//! configured: who loses one signs in again.

mod check;
mod codec;
mod devices;
mod error;
mod heads;
mod inner;
mod keys;
mod link;
mod options;
mod present;
mod records;
mod relist;
mod remake;
mod replay;
mod replayed;
mod scripts;
mod sessions;
mod store;
mod sweep;
mod target;
mod tickets;
mod transfer;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::groups::Groups;
use crate::tally::Tally;
use crate::{OpenError, Position, SessionLog, Store, StoreError};
use check::{Found, Refusal, refusal, unmarked};
use heads::Heads;
use inner::Inner;
use keys::Keys;
use link::{Epoch, Link};
pub use options::{RedisOptions, Wait};
use present::{GROUPS, InGroups};
use replay::REPLAYS;
use target::{Mode, Target};

/// How often the heads of the log are looked at, for what other processes appended.
const LOOK: Duration = Duration::from_secs(1);

/// Sessions in Redis or Valkey, alone, behind Sentinels, or a Cluster.
#[derive(Debug)]
pub struct Redis {
    inner: Arc<Inner>,
    /// Absent for a cluster, each of whose slots has its own server.
    groups: Option<Groups<InGroups>>,
    mode: Mode,
}

impl Redis {
    /// Connects, checks that the server may be used, and begins to follow the log. `sql` keeps
    /// everything but sessions, tickets and device authorizations; `log` is that store's.
    pub async fn open(
        options: &RedisOptions,
        sql: Arc<dyn Store>,
        log: Arc<dyn SessionLog>,
    ) -> Result<Self, OpenError> {
        let target = Target::parse(options.url.expose())?;
        let refused = |refusal: Refusal| OpenError::Refused {
            place: target.place.clone(),
            problem: refusal.problem,
            fix: refusal.fix,
        };
        check_prefix(&options.prefix).map_err(refused)?;
        let inner = connect(options, &target, sql, log)
            .map_err(|error| refused(refusal(&error, &target.mode)))?;
        inner.inspect(&target.mode).await.map_err(refused)?;
        inner
            .mark()
            .await
            .map_err(|error| refused(unmarked(&error)))?;
        inner.follow().await.map_err(refused)?;
        let inner = Arc::new(inner);
        tokio::spawn(look(Arc::downgrade(&inner)));
        let one_server = !inner.link.is_cluster();
        Ok(Self {
            groups: one_server.then(|| Groups::new(InGroups(Arc::clone(&inner)), GROUPS)),
            inner,
            mode: target.mode,
        })
    }

    async fn check_now(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        inner.mark().await?;
        inner
            .inspect(&self.mode)
            .await
            .map_err(|refused| StoreError::Unavailable(refused.problem))?;
        inner
            .belong_together()
            .await?
            .map_err(|refused| StoreError::Unavailable(refused.problem))?;
        inner.mark_if_restarted().await?;
        inner.heads.read(&inner.log).await
    }
}

fn connect(
    options: &RedisOptions,
    target: &Target,
    sql: Arc<dyn Store>,
    log: Arc<dyn SessionLog>,
) -> redis::RedisResult<Inner> {
    let epoch = Epoch::default();
    let link = Arc::new(Link::new(target, Duration::ZERO, &epoch)?);
    let durable = if options.wait.is_needed() {
        Arc::new(Link::new(target, options.wait.timeout, &epoch)?)
    } else {
        Arc::clone(&link)
    };
    Ok(Inner {
        place: format!("{} prefix {}", target.place, options.prefix),
        sentinels: matches!(target.mode, Mode::Sentinel { .. }),
        link,
        durable,
        keys: Keys::new(&options.prefix),
        wait: options.wait,
        sql,
        log,
        heads: Heads::new(&epoch),
        found: Mutex::new(Found::default()),
        replays: Semaphore::new(REPLAYS),
        swept_to: Mutex::new(None),
        tally: Tally::default(),
        marks: AtomicU64::new(0),
    })
}

impl Inner {
    /// Makes sure that log and server belong together, and that neither is ahead of itself.
    async fn follow(&self) -> Result<(), Refusal> {
        let trouble = |error: StoreError| Refusal {
            problem: error.to_string(),
            fix: "both Redis and the SQL side have to answer before anybody can sign in".to_owned(),
        };
        self.belong_together().await.map_err(trouble)??;
        let (mut lacks, mut behind) = (0, Vec::new());
        let positions = self.positions().await.map_err(trouble)?;
        self.heads.read(&self.log).await.map_err(trouble)?;
        let is_new = positions.iter().all(|(_, at)| *at == 0);
        for (shard, at) in positions {
            let known = self.heads.known(shard);
            let position = Position { shard, at };
            if at > known {
                // The log came back older than it was.
                self.heads.note(position);
                self.heads.note_fall();
            }
            if at < known {
                lacks += known - at;
                behind.push(position);
            }
        }
        self.list_again().await.map_err(trouble)?;
        if lacks > 0 {
            tracing::info!(
                entries = lacks,
                "Redis lacks entries of the session log; they are replayed shard by shard, when they are asked for"
            );
        }
        self.mark_if_any_lost(&behind).await.map_err(trouble)?;
        let noted = if is_new {
            self.note_runs().await
        } else {
            self.mark_if_restarted().await
        };
        noted.map_err(trouble)
    }
}

/// Keeps up with what other processes append.
async fn look(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        if let Err(error) = inner.heads.read(&inner.log).await {
            tracing::debug!(%error, "the heads of the session log cannot be read");
        }
        if let Err(error) = inner.list_again().await {
            tracing::warn!(%error, "the session log does not list every session yet");
        }
    }
}

/// Braces in it would move keys to other slots.
fn check_prefix(prefix: &str) -> Result<(), Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if !prefix.is_empty() && prefix.len() <= 64 && prefix.chars().all(fits) {
        return Ok(());
    }
    Err(Refusal {
        problem: format!("the prefix {prefix:?} cannot be used"),
        fix: "write up to 64 letters, digits, -, _, . and :".to_owned(),
    })
}
