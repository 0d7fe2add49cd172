//! Several processes over one vault.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tenure_client::{Clock as _, FileVault, Found, SystemClock, Vault as _};
use tenure_lab::deployment::{EMAIL, PASSWORD};

use crate::child::Child;
use crate::service::{CLIENT, LIFETIME};

/// Processes that share a vault and a clock; the clock moves only by [`Fleet::pass`].
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Those that run.
    pub(crate) children: Vec<Child>,
    issuer: String,
    vault: PathBuf,
    without: Option<&'static str>,
    wall: u64,
}

impl Fleet {
    /// So many processes, over a vault that one of them has signed in.
    pub(crate) async fn signed_in(issuer: &str, vault: &Path, count: usize) -> Self {
        Self::without(issuer, vault, count, None).await
    }

    /// The same with a rule left out, such as `without-lock`; see `session-process`.
    pub(crate) async fn without(
        issuer: &str,
        vault: &Path,
        count: usize,
        without: Option<&'static str>,
    ) -> Self {
        let mut fleet = Self {
            children: Vec::new(),
            issuer: issuer.to_owned(),
            vault: vault.to_owned(),
            without,
            wall: SystemClock::new().wall().0,
        };
        fleet.join().await;
        fleet.sign_in().await;
        for _ in 1..count {
            fleet.join().await;
        }
        fleet
    }

    /// Starts one more process.
    pub(crate) async fn join(&mut self) {
        let wall = self.wall.to_string();
        let mut arguments = vec![
            self.issuer.as_ref(),
            CLIENT.as_ref(),
            self.vault.as_os_str(),
            wall.as_ref(),
        ];
        arguments.extend(self.without.map(std::ffi::OsStr::new));
        self.children.push(Child::start(&arguments).await);
    }

    /// The first process signs in, and the service knows that the session before is over.
    pub(crate) async fn sign_in(&mut self) {
        let first = &mut self.children[0];
        first.order(&format!("sign-in {EMAIL} {PASSWORD}")).await;
        first.says("signed_in").await;
        first.order("settle").await;
        first.says("settled").await;
    }

    /// Time passes for every process.
    pub(crate) async fn pass(&mut self, millis: u64) {
        self.wall += millis;
        for child in &mut self.children {
            child.order(&format!("advance {millis}")).await;
        }
        for child in &mut self.children {
            child.says("advanced").await;
        }
    }

    /// The access token ends.
    pub(crate) async fn expire(&mut self) {
        self.pass(LIFETIME * 1000).await;
    }

    /// Every process asks with so many tasks.
    pub(crate) async fn ask(&mut self, tasks: usize) {
        for child in &mut self.children {
            child.ask(tasks).await;
        }
    }

    /// Waits until every process has tried to take the lock; how many did not get it.
    pub(crate) async fn busy(&mut self) -> usize {
        let mut busy = 0;
        for child in &mut self.children {
            busy += usize::from(child.says("lock").await == "busy");
        }
        busy
    }

    /// Waits for every process's tokens, which must all be the same one.
    pub(crate) async fn one_token(&mut self) -> String {
        let mut tokens = Vec::new();
        for child in &mut self.children {
            tokens.extend(child.answer().await.unwrap());
        }
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "processes disagree");
        tokens.remove(0)
    }

    /// This process waits as long as it was told, and asks again.
    pub(crate) async fn try_again(&mut self, number: usize, failed: &Value) {
        assert_eq!(failed["failed"], "transient", "{failed}");
        let wait = failed["retry_after"].as_u64().unwrap() + 1;
        let child = &mut self.children[number];
        child.order(&format!("advance {wait}")).await;
        child.says("advanced").await;
        child.ask(1).await;
    }

    /// The vault they share.
    pub(crate) fn vault(&self) -> FileVault {
        FileVault::new(&self.vault)
    }

    /// The refresh token in the vault; `None` when signed out.
    pub(crate) fn kept(&self) -> Option<String> {
        let Found::Record(record) = self.vault().load().unwrap() else {
            return None;
        };
        let tokens = record.tokens?;
        Some(tokens.refresh_token.expose().to_owned())
    }
}
