//! What users notice when PostgreSQL fails over, lags, hangs, is full or is gone: nothing that lasts.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and print the figures that they counted"
)]

mod busy;
mod connections;
mod disk_full;
mod down;
mod lost_writes;
mod replicas;
mod synchronous;
mod without_line_7;

use serde_json::Value;
use tenure_lab::crowd::{self, Tally, User};
use tenure_lab::postgres::{self, Options, Postgres};
use tenure_lab::servers::Servers;

/// The name of the replica, as its primary knows it.
const REPLICA: &str = "replica";

const DATABASE: &str = "service";

/// A primary with a database for the service, and a replica that follows it.
struct Pair {
    primary: Postgres,
    replica: Postgres,
}

impl Pair {
    /// `None` is a counted skip.
    async fn start() -> Option<Self> {
        let primary = primary(&Options::default()).await?;
        let replica = primary.replica(REPLICA, &Options::default()).unwrap();
        Some(Self { primary, replica })
    }

    /// For clients that take the one which is the primary.
    fn url(&self) -> String {
        Postgres::url_of(&[&self.primary, &self.replica], DATABASE)
    }

    /// The primary is lost, the replica takes over.
    async fn fail_over(&mut self) {
        self.primary.kill9().unwrap();
        self.replica.promote().await.unwrap();
    }
}

async fn primary(options: &Options) -> Option<Postgres> {
    if !postgres::installed().unwrap() {
        return None;
    }
    let server = Postgres::start(options).unwrap();
    server.create_database(DATABASE).await.unwrap();
    Some(server)
}

/// Two servers over the database at `url`; `more` is more of their environment.
async fn servers(url: &str, more: &[(&str, &str)]) -> Servers {
    let mut store = vec![("TENURE_STORE_URL", url), ("TENURE_STORE_POOL", "8")];
    store.extend(more);
    Servers::start(2, &store).await.unwrap()
}

async fn signed_in(servers: &Servers, count: usize) -> Vec<User> {
    let at = servers.first_party().unwrap();
    crowd::sign_in(&at, count).await.unwrap()
}

async fn refreshed(servers: &Servers, users: Vec<User>, times: usize) -> (Vec<User>, Tally) {
    crowd::refresh(&servers.app().unwrap(), users, times).await
}

/// Nobody heard that a session is over, or anything that a client could take for it.
#[track_caller]
fn assert_nobody_is_signed_out(tally: &Tally) {
    assert!(
        tally.signed_out.is_empty() && tally.wrong.is_empty(),
        "{tally:?}"
    );
}

/// `/health/ready` of one of the servers, and its status.
async fn ready(servers: &Servers) -> (u16, Value) {
    let url = format!("{}/health/ready", servers.each[0].url());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn revoke_durability(servers: &Servers) -> String {
    let (_, ready) = ready(servers).await;
    ready["store"]["revoke_durability"]
        .as_str()
        .unwrap()
        .to_owned()
}
