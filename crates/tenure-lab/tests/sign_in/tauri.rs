//! What of docs/guides/tauri.md does not need Tauri.

use std::path::Path;

use tenure_client::{AccessToken, Config, Error, FileVault, Session, State};

/// What the window knows of the session: never a token.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum Shown {
    Starting,
    SignedOut { why: String },
    SignedIn,
    Offline { why: String },
    Locked,
    Refused { hint: String },
}

impl From<&State> for Shown {
    fn from(state: &State) -> Self {
        match state {
            State::Restoring => Self::Starting,
            State::SignedOut { reason } => Self::SignedOut {
                why: reason.to_string(),
            },
            State::Active { .. } | State::Refreshing => Self::SignedIn,
            State::Degraded { cause, .. } => Self::Offline {
                why: cause.to_string(),
            },
            State::StorageLocked => Self::Locked,
            State::Refused { hint } => Self::Refused { hint: hint.clone() },
        }
    }
}

/// The one session of the app, made in `setup` and given to Tauri's `manage`.
pub(crate) struct App {
    session: Session,
}

impl App {
    pub(crate) async fn start(issuer: &str, data: &Path) -> Result<Self, Error> {
        let vault = FileVault::new(data.join("session"));
        let config = Config::new(issuer, "demo", vault)?;
        let session = Session::open(config).await?;
        Ok(Self { session })
    }

    /// Tells the window of every state, the present one first, for as long as the app runs.
    pub(crate) async fn follow(&self, emit: impl Fn(&Shown)) {
        let mut states = self.session.subscribe();
        loop {
            let shown = Shown::from(&*states.borrow_and_update());
            emit(&shown);
            if states.changed().await.is_err() {
                return;
            }
        }
    }

    /// The button "Sign in".
    pub(crate) async fn sign_in(&self, open_page: impl FnOnce(&str)) -> Result<(), Error> {
        let sign_in = self.session.sign_in_code().await?;
        open_page(sign_in.url().as_str());
        sign_in.finish().await
    }

    /// For requests that the Rust side makes in the user's name.
    pub(crate) async fn token(&self) -> Result<AccessToken, Error> {
        self.session.access_token().await
    }

    /// The button "Sign out".
    pub(crate) async fn sign_out(&self) -> Result<(), Error> {
        self.session.sign_out().await.map(drop)
    }
}
