//! A deployment that changes its store: two ports behind a balancer, one store after the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tenure_core::id::Subject;
use tenure_lab::actor::{FirstParty, OAuthClient};
use tenure_lab::crowd::{Tally, User};
use tenure_lab::deployment::CLIENT;
use tenure_lab::process::{Launch, Port, Server, tenure_binary};
use tenure_lab::round_robin::RoundRobin;
use tenure_store::conformance::session_of;
use tenure_store::{Loaded, Record, Sqlite, SqliteOptions, Store};
use tokio::task::JoinHandle;

const MASTER_SECRET: &str = "the master secret that the old and the new servers have";

/// Between two refreshes of a busy user: more than sixteen in one late window are put off.
const PACE: Duration = Duration::from_secs(4);

const LIMITS: [&str; 3] = [
    "TENURE_LIMITS_LOGIN_PER_MINUTE",
    "TENURE_LIMITS_TOKEN_PER_MINUTE",
    "TENURE_LIMITS_AGAIN_PER_MINUTE",
];

/// Where a store is: a data directory, and variables that name another store.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) data: &'static str,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Place {
    pub(crate) fn sqlite(data: &'static str) -> Self {
        let variables = Vec::new();
        Self { data, variables }
    }

    pub(crate) fn at(data: &'static str, variables: &[(&'static str, String)]) -> Self {
        let variables = variables.to_vec();
        Self { data, variables }
    }
}

/// What users talk to, whichever server is behind it.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) directory: TempDir,
    balancer: RoundRobin,
    ports: Vec<Port>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let ports: Vec<Port> = (0..3).map(|_| Port::reserve().unwrap()).collect();
        let addresses = ports.iter().map(Port::address).collect();
        Self {
            directory: TempDir::new().unwrap(),
            balancer: RoundRobin::start(addresses).await.unwrap(),
            ports,
        }
    }

    /// Starts the next server.
    pub(crate) fn serve(&mut self, place: &Place) -> Server {
        let launch = Launch::tenure(&self.path(place.data)).unwrap();
        let launch = LIMITS
            .into_iter()
            .fold(launch, |launch, name| launch.env(name, "1000000"));
        let port = self.ports.pop().unwrap();
        self.known(launch, place).on(port).start().unwrap()
    }

    fn known(&self, launch: Launch, place: &Place) -> Launch {
        let launch = launch
            .env("TENURE_ISSUER", self.balancer.url())
            .env("TENURE_MASTER_SECRET", MASTER_SECRET);
        let variables = place.variables.iter();
        variables.fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    /// `tenure store …` beside the servers on a place; `{name}` of `words` are not touched.
    pub(crate) fn tenure(&self, from: &Place, words: &[&str]) -> Launch {
        let launch = Launch::new(tenure_binary().unwrap())
            .args(["store"])
            .args(words);
        let data = self.path(from.data);
        self.known(launch.args(["--dev", "--data"]).args([data]), from)
    }

    /// `tenure store copy`, ready when it says this.
    pub(crate) fn copy(&self, from: &Place, to: &Target, ready: &str) -> Server {
        let words: Vec<&str> = ["copy", "--every", "1s", "--to"]
            .into_iter()
            .chain(to.words.iter().map(String::as_str))
            .collect();
        let launch = self.tenure(from, &words).ready_when(ready);
        let variables = to.variables.iter();
        let launch = variables.fold(launch, |launch, (name, value)| launch.env(name, value));
        launch.start().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn first_party(&self) -> FirstParty {
        FirstParty::new(self.balancer.url(), CLIENT).unwrap()
    }

    pub(crate) fn app(&self) -> OAuthClient {
        OAuthClient::new(self.balancer.url(), CLIENT).unwrap()
    }
}

/// What `--to` is told, and the variables that it names.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) words: Vec<String>,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Target {
    pub(crate) fn variable(name: &'static str, url: String) -> Self {
        Self {
            words: vec![format!("env:{name}")],
            variables: vec![(name, url)],
        }
    }

    pub(crate) fn word(word: String) -> Self {
        Self {
            words: vec![word],
            variables: Vec::new(),
        }
    }
}

/// Users who refresh until they are told to stop.
#[derive(Debug)]
pub(crate) struct Busy {
    stop: Arc<AtomicBool>,
    working: Vec<JoinHandle<(User, Tally)>>,
}

impl Busy {
    pub(crate) fn begin(users: Vec<User>, app: &OAuthClient) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let work = |mut user: User| {
            let (stop, app) = (Arc::clone(&stop), app.clone());
            tokio::spawn(async move {
                let mut tally = Tally::default();
                let mut ticks = tokio::time::interval(PACE);
                while !stop.load(Ordering::Relaxed)
                    && tally.signed_out.is_empty()
                    && tally.wrong.is_empty()
                {
                    tally.add(user.refresh(&app).await);
                    ticks.tick().await;
                }
                (user, tally)
            })
        };
        let working = users.into_iter().map(work).collect();
        Self { stop, working }
    }

    /// The users as they are then, and what all of them met.
    pub(crate) async fn end(self) -> (Vec<User>, Tally) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut users, mut all) = (Vec::new(), Tally::default());
        for working in self.working {
            let (user, tally) = working.await.unwrap();
            users.push(user);
            all.add(tally);
        }
        (users, all)
    }
}

/// Nobody is signed out, and nobody meets anything but success and trouble that passes.
pub(crate) fn assert_all_well(tally: &Tally) {
    assert!(tally.refreshed > 0);
    assert_eq!(
        (&tally.signed_out, &tally.wrong),
        (&Vec::new(), &Vec::new())
    );
}

/// So many sessions of so many users, as if they had begun long ago.
pub(crate) async fn seed(data: &Path, count: u64) {
    let store = Sqlite::open(&SqliteOptions::new(data)).unwrap();
    let numbers: Vec<u64> = (0..count).collect();
    for numbers in numbers.chunks(2000) {
        let row = |n: &u64| session_of(&format!("seeded-{}", n / 2), *n);
        let loaded = |n: &u64| Loaded {
            row: row(n),
            cut: None,
        };
        let record = |n| Record::Session(Box::new(loaded(n)));
        let records: Vec<Record> = numbers.iter().map(record).collect();
        store.import(&records).await.unwrap();
    }
}

/// The sessions of the user of the crowd.
pub(crate) async fn sessions(store: &dyn Store, email: &str) -> usize {
    let user = store.user_by_email(email).await.unwrap();
    let subject = user.map_or_else(|| Subject::new(""), |user| user.subject);
    store.sessions_of(&subject).await.unwrap().len()
}
