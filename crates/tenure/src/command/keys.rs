//! `tenure keys`.

use anyhow::anyhow;
use tenure_server::keys::{Master, rotate};
use tenure_store::{KeyRecord, KeyUse};

use crate::beside::Beside;
use crate::cli::{Keys, Place};
use crate::failure::Failure;
use crate::{print, time};

/// Lists or rotates the keys.
pub(crate) async fn keys(args: Keys) -> Result<(), Failure> {
    match args {
        Keys::List { place } => list(&Beside::open(place).await?).await,
        Keys::Rotate { place } => rotate_now(place).await,
    }
}

async fn list(beside: &Beside) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for of in [KeyUse::Sign, KeyUse::Mac] {
        rows.extend(beside.store.keys(of).await?.into_iter().map(row));
    }
    print::table(["USE", "KEY", "ALGORITHM", "STATE", "SINCE"], &rows)?;
    Ok(())
}

fn row(key: KeyRecord) -> [String; 5] {
    let state = key.state.as_str().to_owned();
    [
        key.of.as_str().to_owned(),
        key.id,
        key.algorithm,
        state,
        time::show(key.since),
    ]
}

async fn rotate_now(place: Place) -> Result<(), Failure> {
    let beside = Beside::open(place).await?;
    let master = Master::new(&beside.config.master_secret)
        .ok_or_else(|| anyhow!("the master secret is too short"))?;
    let store = beside.store.as_ref();
    let changed = rotate(store, &master, &beside.config, true, beside.now()).await?;
    if !changed {
        let wait = time::span(beside.config.keys.distribute);
        print::note(format_args!(
            "nothing changed: a key signs after it has been published for {wait} (keys.distribute), so that every verifier has it; a running service lets it take over then"
        ));
    }
    list(&beside).await
}
