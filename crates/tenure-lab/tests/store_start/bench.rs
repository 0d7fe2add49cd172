//! A directory, an environment with a password in it, and a search for that password in all that is
//! said.

use std::time::Duration;

use tempfile::TempDir;
use tenure_lab::canary::Search;
use tenure_lab::process::{Ended, tenure_binary};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// A refusal takes as long as a connection attempt, a few seconds at most.
const DEADLINE: Duration = Duration::from_mins(1);

/// The master secret of every server of a test, as several servers on one store need it.
pub(crate) const MASTER: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

/// A client that keeps no connection between requests.
pub(crate) fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy();
    client.pool_max_idle_per_host(0).build().unwrap()
}

/// What `tenure` is run with.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    environment: Vec<(String, String)>,
    secrets: Vec<String>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self {
            directory: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
            secrets: Vec::new(),
        };
        bench.with("TENURE_MASTER_SECRET", MASTER)
    }

    /// With this store.
    pub(crate) fn store(url: &str) -> Self {
        Self::new().with("TENURE_STORE_URL", url)
    }

    /// With a variable; the password of a URL must not be said.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let user = value
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'));
        let password = user.and_then(|(user, _)| user.split_once(':'));
        if let Some((_, password)) = password {
            self.secrets.push(password.to_owned());
        }
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Runs `tenure` to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Ended {
        let mut command = Command::new(tenure_binary().unwrap());
        for (name, _) in std::env::vars() {
            if name.starts_with("TENURE_") {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .arg("--dev")
            .arg("--data")
            .arg(self.directory.path().join("data"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("TENURE_LOG", "trace");
        let ended = tokio::time::timeout(DEADLINE, Ended::of(&mut command, "")).await;
        let ended = ended.unwrap().unwrap();
        self.keeps_quiet(&format!("{}{}", ended.stdout, ended.stderr));
        ended
    }

    /// `tenure serve` must end with code 2 and one line; answers the line.
    pub(crate) async fn refused(&self) -> String {
        let ended = self.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(ended.code, 2, "{ended:?}");
        let errors: Vec<_> = ended
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("error: "))
            .collect();
        let [error] = &errors[..] else {
            panic!("not one line: {ended:?}")
        };
        (*error).to_owned()
    }

    /// `tenure serve` must be refused with a line that has all of these.
    pub(crate) async fn is_refused_with(&self, wanted: &[&str]) {
        let error = self.refused().await;
        for text in wanted {
            assert!(error.contains(text), "{text:?} in {error:?}");
        }
    }

    /// No password in a text.
    pub(crate) fn keeps_quiet(&self, said: &str) {
        let labelled = self.secrets.iter().map(|secret| ("a password", secret));
        let search = Search::new(labelled).unwrap();
        let found = search.in_bytes("what was said", said.as_bytes());
        assert!(found.is_empty(), "{found:?} in\n{said}");
    }
}

/// A relay on a loopback port that changes what the server at `to` says: each text becomes another
/// one of the same length. The address of the relay.
pub(crate) async fn disguise(to: String, changes: Vec<(Vec<u8>, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(relay(client, to.clone(), changes.clone()));
        }
    });
    address
}

async fn relay(client: TcpStream, to: String, changes: Vec<(Vec<u8>, Vec<u8>)>) {
    let server = TcpStream::connect(to).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
        let said = &mut buffer[..length];
        for (was, is) in &changes {
            assert_eq!(was.len(), is.len());
            for start in 0..=length.saturating_sub(was.len()) {
                if said[start..].starts_with(was) {
                    said[start..start + was.len()].copy_from_slice(is);
                }
            }
        }
        if to_client.write_all(said).await.is_err() {
            return;
        }
    }
}
