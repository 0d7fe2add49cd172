//! A session that lies in a vault, its access token over.

use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use tenure_client::{
    Change, Cognito, Config, Dialect, ErrorPattern, FileVault, Found, Granted, JsonRoutes, Millis,
    OAuth2, Policy, Provider, Secret, Session, Vault as _,
};
use tenure_core::session::{Expiry, Tokens};

use crate::clock::{NOW, StillClock};
use crate::wire::Wire;

/// What kind of service it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    #[default]
    Oauth2,
    Cognito,
    /// Incident I2.
    Json,
    Supabase,
    Auth0,
    Github,
    /// Incidents I3 and I5.
    Fastapi,
}

/// What a vault holds afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Holding {
    /// access-2 and refresh-2.
    Rotated,
    /// access-2 and refresh-1.
    Refreshed,
    /// access-1 and refresh-1.
    Kept,
    /// No session, and why it ended.
    Cleared,
}

impl Endpoint {
    /// Where it refreshes.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Oauth2 | Self::Auth0 => "/oauth/token",
            Self::Github => "/login/oauth/access_token",
            Self::Cognito => "/",
            Self::Json => "/api/auth/refresh",
            Self::Supabase => "/auth/v1/token",
            Self::Fastapi => "/auth/refresh",
        }
    }
}

pub(crate) struct Profile {
    pub(crate) clock: StillClock,
    /// After a failure it waits for up to [`LONGEST_WAIT`], as the dice say. (Within the usual
    /// second they would say "at once" too often for a test.)
    pub(crate) policy: Policy,
    directory: TempDir,
    issuer: String,
    endpoint: Endpoint,
}

/// Less than the day after which a service's metadata are read again.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_hours(22);

impl Profile {
    /// Signed in at `issuer` a quarter of an hour ago, with access-1 and refresh-1.
    pub(crate) fn expired(issuer: &str, endpoint: Endpoint) -> Self {
        let profile = Self {
            clock: StillClock::default(),
            policy: Policy {
                shortest_wait: LONGEST_WAIT,
                longest_wait: LONGEST_WAIT,
                ..Policy::default()
            },
            directory: TempDir::new().expect("a directory"),
            issuer: issuer.to_owned(),
            endpoint,
        };
        let life = Millis(900_000);
        profile.sign_in(Expiry::new(NOW - life, life, None, NOW - life));
        profile
    }

    /// The same, a minute ago: the access token is good for a while, and not brand-new.
    pub(crate) fn active(issuer: &str, endpoint: Endpoint) -> Self {
        let profile = Self::expired(issuer, endpoint);
        let asked = NOW - Millis(60_000);
        profile.sign_in(Expiry::new(asked, Millis(900_000), None, asked));
        profile
    }

    fn sign_in(&self, expiry: Expiry) {
        let granted = Granted {
            access_token: Secret::new("access-1"),
            refresh_token: Some(Secret::new("refresh-1")),
            expires_in: None,
        };
        let sign_in = Change::SignIn {
            tokens: Tokens::new(granted, expiry).expect("a refresh token"),
            provider: Provider {
                issuer: self.issuer.clone(),
                client_id: "app".into(),
                authorization_endpoint: None,
                token_endpoint: format!("{}{}", self.issuer, self.endpoint.path()),
                revocation_endpoint: None,
                names_issuer: false,
                retire_on_use: false,
                fetched: NOW,
            },
        };
        self.vault().update(&sign_in).expect("stored");
    }

    fn vault(&self) -> FileVault {
        FileVault::new(self.directory.path().join("profile"))
    }

    /// Failures are told at once: nobody waits for a clock that stands still.
    pub(crate) async fn open(&self, wire: Wire) -> Session {
        let config = Config::new(&self.issuer, "app", self.vault())
            .expect("a good configuration")
            .clock(self.clock.clone())
            .transport(wire)
            .policy(self.policy)
            .patience(Duration::ZERO);
        let path = self.endpoint.path();
        let routes = |dialect| JsonRoutes::new(path, dialect).expect("a path");
        let config = match self.endpoint {
            Endpoint::Oauth2 => config.endpoint(OAuth2::new()),
            Endpoint::Auth0 => {
                config.endpoint(OAuth2::new().speaks(Dialect::OAUTH2.also_under(403)))
            }
            Endpoint::Github => config.endpoint(OAuth2::new().speaks(github())),
            Endpoint::Cognito => config.endpoint(Cognito::new()),
            Endpoint::Json => config.endpoint(routes(Dialect::CAMEL_CASE)),
            Endpoint::Supabase => config.endpoint(routes(supabase())),
            Endpoint::Fastapi => config.endpoint(routes(fastapi())),
        };
        Session::open(config).await.expect("opened")
    }

    /// Until the next attempt is due, whatever the dice said.
    pub(crate) fn wait(&self) {
        self.clock.pass(LONGEST_WAIT.as_secs() + 1);
    }

    /// What the vault holds on the disk, in the words of the table.
    pub(crate) fn holding(&self) -> Option<Holding> {
        let Found::Record(record) = self.vault().load().expect("readable") else {
            return None;
        };
        let Some(tokens) = record.tokens else {
            return record.ended.map(|_| Holding::Cleared);
        };
        match (tokens.access_token.expose(), tokens.refresh_token.expose()) {
            ("access-1", "refresh-1") => Some(Holding::Kept),
            ("access-2", "refresh-1") => Some(Holding::Refreshed),
            ("access-2", "refresh-2") => Some(Holding::Rotated),
            _ => None,
        }
    }
}

/// All its errors are successes (https://github.com/orgs/community/discussions/24745).
fn github() -> Dialect {
    let dialect = Dialect {
        ends: vec![ErrorPattern::code("bad_refresh_token")].into(),
        ..Dialect::OAUTH2
    };
    dialect.also_under(200)
}

/// Supabase Auth's names for the end of a session (internal/tokens/service.go).
fn supabase() -> Dialect {
    let ends = [
        "refresh_token_not_found",
        "refresh_token_already_used",
        "session_expired",
        "session_not_found",
    ];
    Dialect {
        error: "error_code".into(),
        message: Some("msg".into()),
        ends: ends.map(ErrorPattern::code).to_vec().into(),
        ..Dialect::OAUTH2
    }
}

/// Incident I5's words, besides the usual ones.
fn fastapi() -> Dialect {
    let ends = ["Session expired", "invalid_grant"];
    Dialect {
        error: "detail".into(),
        ends: ends.map(ErrorPattern::code).to_vec().into(),
        ..Dialect::OAUTH2
    }
}
