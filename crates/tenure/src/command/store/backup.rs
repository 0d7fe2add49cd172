//! `tenure store backup`: the database of the embedded store, while it is served.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use tenure_server::config::{self, Inputs, Purpose};
use tenure_store::{Place, Sqlite};

use crate::cli;
use crate::failure::Failure;
use crate::print;

/// Writes the file, or nothing.
pub(crate) async fn backup(to: &Path, place: cli::Place) -> Result<(), Failure> {
    let config = config::load(&Inputs::of_process(place.flags(), Purpose::Beside))?.config;
    let Place::Sqlite(options) = config.store.sql() else {
        let why = format!(
            "{} is backed up by its own tools, such as pg_basebackup or pg_dump; docs/guides/operations.md says how",
            config.store
        );
        return Err(Failure::Usage(why));
    };
    let (options, file) = (options.clone(), to.to_owned());
    let written = tokio::task::spawn_blocking(move || Sqlite::back_up(&options, &file)).await?;
    let bytes = match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let why = format!("{} exists; name a new file", to.display());
            return Err(Failure::Usage(why));
        }
        written => written.with_context(|| format!("{} could not be written", to.display()))?,
    };
    print::line(format_args!("{} {bytes} bytes", to.display()))?;
    print::note(
        "the revocation log is not in it: keep the live one, a restored database learns from it what it lacks",
    );
    Ok(())
}
