//! `tenure store check`: is this store one to run a service on?

use std::time::Duration;

use anyhow::anyhow;
use tenure_server::config::{self, Inputs, Purpose};
use tenure_server::{Clock, shortcomings};
use tenure_store::{Description, Store, StoreError};

use crate::cli::Place;
use crate::failure::Failure;
use crate::print;

/// Round trips whose median is shown; odd.
const TRIPS: usize = 9;

/// Prints what the store is, and fails with everything that is wrong with it. It changes no table.
pub(crate) async fn check(place: Place) -> Result<(), Failure> {
    let loaded = config::load(&Inputs::of_process(place.flags(), Purpose::Beside))?;
    let place = &loaded.config.store;
    for schema in place.schemas().await? {
        let (of, found) = (schema.of, schema.found);
        say("schema", format_args!("{found} of the {of}"))?;
        if schema.is_behind() {
            let latest = schema.latest;
            return Err(anyhow!(
                "the {of} at {} is behind this program, which needs schema {latest}; tenure store migrate brings it there, and so does tenure serve",
                schema.place
            )
            .into());
        }
    }
    let store = tenure_store::open(place).await?;
    let clock = Clock::system();
    let mut problems = Vec::new();
    if let Err(error) = write(store.as_ref(), &clock).await {
        problems.push(format!("the store takes no write: {error}"));
    }
    if let Err(error) = compare(store.as_ref(), &clock).await {
        problems.push(format!("the store does not tell its time: {error}"));
    }
    problems.extend(clock.doubt().map(|doubt| doubt.to_string()));
    let described = store.describe();
    describe(&described)?;
    for shortcoming in shortcomings(&described) {
        print::note(format_args!("warning: {shortcoming}"));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(anyhow!(problems.join("\n")).into())
}

async fn write(store: &dyn Store, clock: &Clock) -> Result<(), Failure> {
    // The first of each warms connections and caches.
    store.version().await?;
    store.check().await?;
    let read = median(clock, async || store.version().await.map(drop)).await?;
    let write = median(clock, async || store.check().await).await?;
    say("read", format_args!("{read:.3?} (median of {TRIPS})"))?;
    say(
        "write test",
        format_args!("{write:.3?} (median of {TRIPS})"),
    )?;
    Ok(())
}

async fn median(
    clock: &Clock,
    mut ask: impl AsyncFnMut() -> Result<(), StoreError>,
) -> Result<Duration, StoreError> {
    let mut took = Vec::with_capacity(TRIPS);
    for _ in 0..TRIPS {
        let before = clock.monotonic();
        ask().await?;
        took.push(clock.monotonic().saturating_sub(before));
    }
    took.sort_unstable();
    Ok(took.get(TRIPS / 2).copied().unwrap_or_default())
}

async fn compare(store: &dyn Store, clock: &Clock) -> Result<(), Failure> {
    let asked = clock.host();
    match store.clock().await? {
        None => say("clock", "this machine's")?,
        Some(told) => {
            clock.compare(asked, told);
            let ahead = clock.store_difference().unwrap_or_default();
            say("clock", format_args!("the store's is {ahead} s ahead"))?;
        }
    }
    Ok(())
}

fn describe(store: &Description) -> Result<(), Failure> {
    say("store", store.kind)?;
    say("place", &store.place)?;
    say("durable", if store.durable { "yes" } else { "no" })?;
    say("revocations", store.revoke_durability)?;
    for (name, value) in &store.facts {
        say(name, value)?;
    }
    Ok(())
}

fn say(name: &str, value: impl std::fmt::Display) -> Result<(), Failure> {
    print::line(format_args!("{name:22} {value}"))?;
    Ok(())
}
