//! Where the command line keeps its sessions: one vault per profile.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tenure_client::{Config, Error, FileVault, Found, Reason, Session, Vault as _};

use crate::cli;
use crate::failure::Failure;

/// A command that is about to end gives what is under way this long; nothing is lost after it.
const SETTLE: Duration = Duration::from_secs(2);

/// The name that is used where nobody names one.
pub(crate) const DEFAULT: &str = "default";

/// The vault of one profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) vault: FileVault,
}

impl Profile {
    /// `TENURE_HOME`, else `$XDG_STATE_HOME/tenure`, else `~/.local/state/tenure`.
    pub(crate) fn new(args: cli::Profile) -> Result<Self, Failure> {
        crate::log::start("off");
        let name = args.profile;
        if !is_name(&name) {
            let fix = "use letters, digits and - _ . @, without a dot at the start";
            return Err(Failure::Usage(format!(
                "--profile {name:?} is no name: {fix}"
            )));
        }
        let vault = FileVault::new(place()?.join(&name));
        Ok(Self { name, vault })
    }

    /// Every profile that has a directory, by name.
    pub(crate) fn all() -> Result<Vec<Self>, Failure> {
        crate::log::start("off");
        let place = place()?;
        let entries = match std::fs::read_dir(&place) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| place.display().to_string())?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            names.extend(
                entry
                    .file_name()
                    .into_string()
                    .ok()
                    .filter(|name| is_name(name)),
            );
        }
        names.sort();
        let profile = |name: String| Self {
            vault: FileVault::new(place.join(&name)),
            name,
        };
        Ok(names.into_iter().map(profile).collect())
    }

    /// How to open the session that the vault holds; [`Failure::SignIn`] where it holds none.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        if let Some(config) = Config::saved(self.vault.clone())? {
            return Ok(config);
        }
        let reason = match self.found()? {
            Found::Record(record) => record.ended.map_or(Reason::NeverSignedIn, Reason::Ended),
            Found::Damaged => Reason::VaultDamaged,
            Found::Missing | Found::Empty => Reason::NeverSignedIn,
        };
        Err(Failure::signed_out(reason, &self.name))
    }

    /// Opens the session as `config` says.
    pub(crate) async fn open(&self, config: Config) -> Result<Session, Failure> {
        Session::open(config)
            .await
            .map_err(|error| self.told(error))
    }

    /// What the session says, with this profile's name in the way out.
    pub(crate) fn told(&self, error: Error) -> Failure {
        match error {
            Error::SignInRequired { reason } => Failure::signed_out(reason, &self.name),
            error => error.into(),
        }
    }

    /// The client that the session belongs to; empty without one.
    pub(crate) fn client(&self) -> Result<String, Failure> {
        let provider = match self.found()? {
            Found::Record(record) => record.provider,
            Found::Damaged | Found::Missing | Found::Empty => None,
        };
        Ok(provider
            .map(|provider| provider.client_id)
            .unwrap_or_default())
    }

    /// What the vault holds.
    pub(crate) fn found(&self) -> Result<Found, Failure> {
        Ok(self.vault.load().map_err(Error::from)?)
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
}

/// Waits a moment for what is under way, such as a revocation that is still to be sent.
pub(crate) async fn settle(session: &Session) {
    let _late = tokio::time::timeout(SETTLE, session.settled()).await;
}

fn place() -> Result<PathBuf, Failure> {
    Ok(home()?.join("profiles"))
}

fn home() -> Result<PathBuf, Failure> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = variable("TENURE_HOME").map(PathBuf::from);
    let state = || variable("XDG_STATE_HOME").map(|state| PathBuf::from(state).join("tenure"));
    let user = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state/tenure"));
    own.or_else(state).or_else(user).ok_or_else(|| {
        Failure::Usage(
            "there is no home directory; set TENURE_HOME to a private directory".to_owned(),
        )
    })
}
