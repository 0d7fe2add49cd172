//! A service, a profile directory, a clock; and sessions over them.

use std::time::Duration;

use tempfile::TempDir;
use tenure_client::{Config, Error, FileVault, Found, Millis, Record, Session, Vault};

use crate::clock::StillClock;
use crate::service::{Service, password};

pub(crate) struct Bench {
    pub(crate) service: Service,
    pub(crate) clock: StillClock,
    directory: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::at(Millis(1_700_000_000_000)).await
    }

    /// A bench whose clock stands at `start`.
    pub(crate) async fn at(start: Millis) -> Self {
        Self {
            service: Service::start().await,
            clock: StillClock::at(start),
            directory: TempDir::new().expect("a directory"),
        }
    }

    /// Signed in, with `access-1` and `refresh-1`.
    pub(crate) async fn signed_in() -> (Self, Session) {
        let bench = Self::new().await;
        let session = bench.open().await;
        let signed_in = session.sign_in_password("demo@example.com", password());
        signed_in.await.expect("signed in");
        (bench, session)
    }

    /// Signed in, with an access token that has ended.
    pub(crate) async fn expired() -> (Self, Session) {
        let (bench, session) = Self::signed_in().await;
        bench.clock.pass(900);
        (bench, session)
    }

    pub(crate) fn vault(&self) -> FileVault {
        FileVault::new(self.directory.path().join("profile"))
    }

    pub(crate) fn config(&self) -> Config {
        self.config_with(self.vault())
    }

    /// Failures are told at once: nobody waits for a clock that stands still.
    pub(crate) fn config_with(&self, vault: impl Vault) -> Config {
        Config::new(&self.service.url, "app", vault)
            .expect("a good configuration")
            .clock(self.clock.clone())
            .patience(Duration::ZERO)
    }

    pub(crate) async fn open(&self) -> Session {
        Session::open(self.config()).await.expect("opened")
    }

    pub(crate) fn record(&self) -> Record {
        match self.vault().load().expect("readable") {
            Found::Record(record) => *record,
            other => panic!("no record but {other:?}"),
        }
    }

    /// The refresh token in the vault.
    pub(crate) fn kept(&self) -> String {
        let tokens = self.record().tokens.expect("signed in");
        tokens.refresh_token.expose().to_owned()
    }
}

pub(crate) async fn token(session: &Session) -> String {
    let token = session.access_token().await.expect("a token");
    token.token.expose().to_owned()
}

pub(crate) async fn failure(session: &Session) -> Error {
    session.access_token().await.expect_err("no token")
}
