//! `tenure store check`: is this store one to run a service on?

use anyhow::anyhow;
use tenure_store::Description;

use crate::beside::Beside;
use crate::cli::Place;
use crate::failure::Failure;
use crate::print;

/// Opens the store and prints what it is; fails where it takes no write.
pub(crate) async fn check(place: Place) -> Result<(), Failure> {
    let beside = Beside::open(place)?;
    let checked = beside.store.check().await;
    for (name, value) in facts(beside.store.describe()) {
        print::line(format_args!("{name:20} {value}"))?;
    }
    checked.map_err(|error| anyhow!("the store takes no write: {error}"))?;
    Ok(())
}

fn facts(store: Description) -> Vec<(&'static str, String)> {
    let durable = if store.durable { "yes" } else { "no" };
    let first = [
        ("store", store.kind.to_owned()),
        ("place", store.place),
        ("durable", durable.to_owned()),
        ("revocations", store.revoke_durability.to_owned()),
    ];
    first.into_iter().chain(store.facts).collect()
}
