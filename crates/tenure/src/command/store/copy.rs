//! `tenure store copy`: moves a deployment to another store while it runs.
//!
//! First everything, then again and again what has changed, until it is told that the old servers
//! have stopped; then the rest, a comparison of every record, and last the keys, without which no
//! server can serve the target. A rotation that came after all of that is healed by the rule: its
//! client is ahead of the store.

mod known;
mod mover;
mod place;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tenure_core::time::Timestamp;
use tenure_server::Clock;
use tenure_store::{KeyUse, Part, Place, Store};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use self::mover::{Compared, Mover, parts_before_the_keys};
use self::progress::Progress;
use crate::beside::Beside;
use crate::cli;
use crate::failure::Failure;
use crate::print;

/// How many times longer than a look at the changes the rest after it is at least.
const REST: u32 = 5;

/// Carries everything over; fails where the two stores do not agree in the end.
pub(crate) async fn copy(args: cli::Copy) -> Result<(), Failure> {
    let mut told = Told::listen()?;
    let (from, clock) = source(&args).await?;
    let place = place::place(&args.to, args.to_sql.as_deref())?;
    let to = tenure_store::open(&place).await?;
    let mut mover = Mover::new(from, to);
    may_receive(&mut mover, &place, args.again).await?;
    let progress = Progress::new();
    print::note(format_args!(
        "copying {} to {place}",
        mover.from.describe().place
    ));
    told.or(mover.first(&progress)).await??;
    loop {
        if !args.once {
            follow(&mut mover, &mut told, args.every, &progress).await;
        }
        let now = clock.now();
        let table = told.or(last_pass(&mut mover, now, &progress)).await??;
        if let Some(table) = table {
            return finished(&table, &place);
        }
        let still = "the source is still written to: records changed during the last pass; \
                     stop every old server first";
        if args.once {
            return Err(anyhow!("{still}, then run this again").into());
        }
        print::note(still);
    }
}

async fn source(args: &cli::Copy) -> Result<(Arc<dyn Store>, Clock), Failure> {
    if let Some(word) = &args.from {
        let place = place::place(word, args.from_sql.as_deref())?;
        return Ok((tenure_store::open(&place).await?, Clock::system()));
    }
    let beside = Beside::open(args.place.clone()).await?;
    Ok((beside.store, beside.clock))
}

/// A target with keys is somebody's store: another deployment's, or this one's after the move.
async fn may_receive(mover: &mut Mover, place: &Place, again: bool) -> Result<(), Failure> {
    let (from, to) = (&mover.from, &mover.to);
    let same =
        (from.describe().kind, from.describe().place) == (to.describe().kind, to.describe().place);
    if same {
        let why = format!("{place} is the source itself; name another store with --to");
        return Err(Failure::Usage(why));
    }
    let mut mine = key_ids(from.as_ref()).await?;
    let there = key_ids(to.as_ref()).await?;
    mine.retain(|id| there.contains(id));
    let foreign = "belongs to another deployment, or a server was started on it before the copy was \
                   complete and made keys of its own; name an empty store";
    if mine.len() < there.len() {
        return Err(Failure::Usage(format!("{place} {foreign}")));
    }
    if !there.is_empty() && !again {
        let why = format!(
            "{place} holds the keys of this deployment: a copy to it was completed. If no server has run on it since, --again brings it up to date; if one has, its newer records would be overwritten"
        );
        return Err(Failure::Usage(why));
    }
    if mover.foreign_accounts().await? > 0 {
        let why =
            format!("{place} holds accounts that the source does not have; name an empty store");
        return Err(Failure::Usage(why));
    }
    Ok(())
}

async fn key_ids(store: &dyn Store) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for of in [KeyUse::Sign, KeyUse::Mac] {
        ids.extend(store.keys(of).await?.into_iter().map(|key| key.id));
    }
    Ok(ids)
}

async fn follow(mover: &mut Mover, told: &mut Told, every: Duration, progress: &Progress) {
    print::note(
        "following: what begins and ends is carried over; stop the old servers, then press Ctrl-C or send SIGTERM for the last pass",
    );
    loop {
        let begun = Instant::now();
        match mover.follow(progress).await {
            Ok(0) => {}
            Ok(sent) => print::note(format_args!("following: {sent} records")),
            // It goes on where it was, as the service does.
            Err(error) => print::note(format_args!("following: {error}; trying again")),
        }
        tokio::select! {
            () = told.once() => return,
            // A look may read the whole of a large source: it must not do so all the time.
            () = tokio::time::sleep(every.max(begun.elapsed() * REST)) => {}
        }
    }
}

/// `None` where the source went on changing.
async fn last_pass(
    mover: &mut Mover,
    now: Timestamp,
    progress: &Progress,
) -> Result<Option<Vec<Compared>>, Failure> {
    mover.follow(progress).await?;
    let mut table = Vec::new();
    for part in parts_before_the_keys() {
        table.push(mover.compare(part, now, progress).await?);
    }
    if mover.follow(progress).await? > 0 {
        return Ok(None);
    }
    if table.iter().all(|compared| compared.differing == 0) {
        table.push(mover.compare(Part::Keys, now, progress).await?);
    }
    Ok(Some(table))
}

fn finished(table: &[Compared], place: &Place) -> Result<(), Failure> {
    let row = |compared: &Compared| {
        [
            compared.part.as_str().to_owned(),
            compared.source.to_string(),
            compared.target.to_string(),
            compared.differing.to_string(),
        ]
    };
    let rows: Vec<_> = table.iter().map(row).collect();
    print::table(["PART", "SOURCE", "TARGET", "DIFFERING"], &rows)?;
    let swept: u64 = table.iter().map(|compared| compared.swept).sum();
    if swept > 0 {
        print::note(format_args!(
            "{swept} sessions that are over are in the target only: the source has deleted them meanwhile"
        ));
    }
    let differing: u64 = table.iter().map(|compared| compared.differing).sum();
    if differing > 0 {
        return Err(anyhow!("{differing} records differ").into());
    }
    print::note(format_args!(
        "done: start the new servers on {place}, with the same master secret, which the keys are sealed with"
    ));
    Ok(())
}

/// SIGINT and SIGTERM: the old servers have stopped; at any other time, give up.
#[derive(Debug)]
struct Told {
    interrupt: Signal,
    terminate: Signal,
}

impl Told {
    fn listen() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn once(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// What `work` answers, unless it is told to give up before.
    async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            done = work => Ok(done),
            () = self.once() => Err(anyhow!(
                "stopped before the copy was complete; run it again, and it goes on with what is missing"
            ).into()),
        }
    }
}
