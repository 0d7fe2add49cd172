//! A profile on disk, a clock that can be moved, and sessions over them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tenure_client::{
    Clock, Config, Error, FileVault, Found, Millis, RefreshEndpoint, Session, SystemClock, Vault,
};

/// The device's clock, which a test moves forward.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    real: SystemClock,
    ahead: Arc<AtomicU64>,
}

impl Watch {
    fn ahead(&self) -> Millis {
        Millis(self.ahead.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.ahead.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for Watch {
    fn wall(&self) -> Millis {
        self.real.wall() + self.ahead()
    }

    fn mono(&self) -> Millis {
        self.real.mono() + self.ahead()
    }
}

/// One device.
pub(crate) struct Device {
    pub(crate) watch: Watch,
    home: TempDir,
}

impl Device {
    pub(crate) fn new() -> Self {
        let watch = Watch {
            real: SystemClock::new(),
            ahead: Arc::default(),
        };
        let home = TempDir::new().unwrap();
        Self { watch, home }
    }

    /// Opens the session as `client` of `issuer`.
    pub(crate) async fn open(
        &self,
        issuer: &str,
        client: &str,
        endpoint: impl RefreshEndpoint,
    ) -> Session {
        let config = Config::new(issuer, client, FileVault::new(self.profile())).unwrap();
        let config = config.clock(self.watch.clone()).endpoint(endpoint);
        // Failures are told at once: a clock that a test moves is waited for by nobody.
        Session::open(config.patience(Duration::ZERO))
            .await
            .unwrap()
    }

    pub(crate) fn profile(&self) -> PathBuf {
        self.home.path().join("profile")
    }

    /// The refresh token in the vault.
    pub(crate) fn kept(&self) -> Option<String> {
        let Found::Record(record) = FileVault::new(self.profile()).load().unwrap() else {
            return None;
        };
        let tokens = record.tokens?;
        Some(tokens.refresh_token.expose().to_owned())
    }
}

pub(crate) async fn token(session: &Session) -> String {
    let token = session.access_token().await.expect("a token");
    token.token.expose().to_owned()
}

pub(crate) async fn failure(session: &Session) -> Error {
    session.access_token().await.expect_err("no token")
}
