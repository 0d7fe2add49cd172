//! `tenure profile`.

use std::fs;

use anyhow::Context as _;
use tenure_client::{Found, Reason, Vault as _};

use crate::cli::{self, Profiles};
use crate::failure::{Failure, explanation};
use crate::print;
use crate::profile::Profile;

/// Lists the profiles, or removes one.
pub(crate) fn profile(args: Profiles) -> Result<(), Failure> {
    match args {
        Profiles::List => list(),
        Profiles::Remove { name } => remove(&Profile::new(cli::Profile { profile: name })?),
    }
}

fn list() -> Result<(), Failure> {
    let rows: Vec<_> = Profile::all()?.iter().map(row).collect();
    Ok(print::table(
        ["PROFILE", "ISSUER", "CLIENT", "SESSION"],
        &rows,
    )?)
}

fn row(profile: &Profile) -> [String; 4] {
    let found = profile.vault.load();
    let provider = match &found {
        Ok(Found::Record(record)) => record.provider.as_ref(),
        _ => None,
    };
    let (issuer, client) = provider.map_or(("-", "-"), |provider| {
        (&provider.issuer, &provider.client_id)
    });
    let session = match &found {
        Ok(Found::Record(record)) => match (&record.tokens, record.ended) {
            (Some(_), _) => "signed in",
            (None, Some(cause)) => explanation(Reason::Ended(cause)),
            (None, None) => explanation(Reason::NeverSignedIn),
        },
        Ok(Found::Missing | Found::Empty) => explanation(Reason::NeverSignedIn),
        Ok(Found::Damaged) => explanation(Reason::VaultDamaged),
        Err(_) => "cannot be read now",
    };
    [&profile.name, issuer, client, session].map(str::to_owned)
}

/// Only without a session: a directory that is merely deleted leaves one alive at the service.
fn remove(profile: &Profile) -> Result<(), Failure> {
    let directory = profile.vault.directory();
    let name = &profile.name;
    if !directory.is_dir() {
        let fix = "see: tenure profile list";
        return Err(Failure::Usage(format!("there is no profile {name}; {fix}")));
    }
    let lease = profile.vault.try_lock();
    let Some(_lease) = lease.map_err(tenure_client::Error::from)? else {
        let busy = "is in use by another process; try again";
        return Err(Failure::Usage(format!("profile {name} {busy}")));
    };
    let obstacle = match profile.found()? {
        Found::Record(record) if record.tokens.is_some() => "is signed in; sign out first",
        Found::Record(record) if !record.outbox.is_empty() => {
            "has yet to tell its service of the sign-out"
        }
        _ => {
            fs::remove_dir_all(directory).with_context(|| directory.display().to_string())?;
            return Ok(print::line(format_args!("removed profile {name}"))?);
        }
    };
    let fix = format!("tenure logout --profile {name}");
    Err(Failure::Usage(format!("profile {name} {obstacle}: {fix}")))
}
