//! `tenure store migrate`: the tables as this program needs them.

use tenure_server::config::{self, Inputs, Purpose};

use crate::cli::Place;
use crate::failure::Failure;
use crate::print;

/// Migrates, and says from which schema to which. Repeating it changes nothing.
pub(crate) async fn migrate(place: Place) -> Result<(), Failure> {
    let config = config::load(&Inputs::of_process(place.flags(), Purpose::Beside))?.config;
    let before = config.store.schemas().await?;
    tenure_store::open(&config.store).await?;
    let after = config.store.schemas().await?;
    for (before, after) in before.iter().zip(&after) {
        let (of, place, was, is) = (after.of, &after.place, before.found, after.found);
        if was == is {
            print::line(format_args!("{of:12} schema {is}, nothing to do: {place}"))?;
        } else {
            print::line(format_args!("{of:12} schema {was} -> {is}: {place}"))?;
        }
    }
    Ok(())
}
