//! Several processes over one vault, and processes that are killed.
//!
//! Each test runs itself a second time as the other process: with orders in its environment it
//! obeys them instead.

use std::process::Stdio;
use std::time::Duration;

use tenure_client::{
    Change, Clock as _, Config, FileVault, Found, Lease, Millis, Record, Session, SystemClock,
    Vault, VaultFault,
};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

use crate::bench::{Bench, token};
use crate::service::{Plan, Service};

/// Signed in an hour ago, so the access token has ended by everybody's clock.
async fn yesterday_s_session() -> Bench {
    let an_hour_ago = SystemClock::new().wall() - Millis(3_600_000);
    let bench = Bench::at(an_hour_ago).await;
    let session = bench.open().await;
    let signed_in = session.sign_in_password("demo@example.com", crate::service::password());
    signed_in.await.expect("signed in");
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_with_four_tasks_each_make_one_refresh() {
    if obey().await {
        return;
    }
    let bench = yesterday_s_session().await;
    bench.service.plan([Plan::Hold(Box::new(Plan::Obey))]);
    let name = "processes::two_processes_with_four_tasks_each_make_one_refresh";
    let mut others = [other(&bench, name, "ask"), other(&bench, name, "ask")];
    for other in &mut others {
        other.says("takes the lock").await;
    }
    bench.service.refreshes(1).await;
    bench.service.release();
    for other in &mut others {
        for _ in 0..4 {
            other.says("token access-2").await;
        }
        other.ends().await;
    }
    assert_eq!(bench.service.books().refreshes.len(), 1);
    assert_eq!(bench.kept(), "refresh-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_lock_two_processes_make_two_refreshes() {
    if obey().await {
        return;
    }
    let bench = yesterday_s_session().await;
    let held = || Plan::Hold(Box::new(Plan::Obey));
    bench.service.plan([held(), held()]);
    let name = "processes::control_without_the_lock_two_processes_make_two_refreshes";
    let mut others = [
        other(&bench, name, "ask without lock"),
        other(&bench, name, "ask without lock"),
    ];
    bench.service.refreshes(2).await;
    bench.service.release();
    bench.service.release();
    for other in &mut others {
        other.ends().await;
    }
    assert_eq!(bench.service.books().refreshes.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_step_of_a_refresh_leaves_the_session_alive() {
    if obey().await {
        return;
    }
    let name = "processes::a_process_killed_at_any_step_of_a_refresh_leaves_the_session_alive";
    let steps = [
        "stop before begin",
        "stop after begin",
        "stop before keep",
        "stop after keep",
    ];
    for step in steps {
        let bench = yesterday_s_session().await;
        let mut other = other(&bench, name, step);
        other.says("stopped").await;
        other.killed().await;

        let session = survivor(&bench.service, bench.vault()).await;
        assert!(token(&session).await.starts_with("access-"), "{step}");
        assert_eq!(bench.kept(), "refresh-2", "{step}");
        let books = bench.service.books();
        assert!(!books.theft, "{step}");
        let presentations = if step == "stop before keep" { 2 } else { 1 };
        assert_eq!(books.refreshes.len(), presentations, "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_it_waits_for_the_answer_leaves_the_session_alive() {
    if obey().await {
        return;
    }
    let name = "processes::a_process_killed_while_it_waits_for_the_answer_leaves_the_session_alive";
    let bench = yesterday_s_session().await;
    bench.service.plan([Plan::Hold(Box::new(Plan::Lose))]);
    let other = other(&bench, name, "ask");
    bench.service.refreshes(1).await;
    other.killed().await;
    bench.service.release();

    let session = survivor(&bench.service, bench.vault()).await;
    assert!(token(&session).await.starts_with("access-"));
    let refreshes = bench.service.refreshes(2).await;
    assert_eq!(refreshes[0], refreshes[1]);
    assert!(!bench.service.books().theft);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_a_vault_that_forgets_the_intent_loses_the_session_to_the_same_kill() {
    if obey().await {
        return;
    }
    let name =
        "processes::control_a_vault_that_forgets_the_intent_loses_the_session_to_the_same_kill";
    let bench = yesterday_s_session().await;
    let mut other = other(&bench, name, "forget and stop before keep");
    other.says("stopped").await;
    other.killed().await;

    let session = survivor(&bench.service, bench.vault()).await;
    assert!(session.access_token().await.is_err());
    assert!(bench.service.books().theft);
}

/// A session of this process, by the clock of the system.
async fn survivor(service: &Service, vault: impl Vault) -> Session {
    let config = Config::new(&service.url, "app", vault).expect("good");
    Session::open(config).await.expect("opened")
}

/// The other process, as the test sees it.
struct Other {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

const PATIENCE: Duration = Duration::from_mins(1);

fn other(bench: &Bench, name: &str, order: &str) -> Other {
    let mut process = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", name, "--nocapture"])
        .env("TENURE_TEST_ORDER", order)
        .env("TENURE_TEST_SERVICE", &bench.service.url)
        .env("TENURE_TEST_VAULT", bench.vault().directory())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("started");
    let stdout = process.stdout.take().expect("piped");
    Other {
        process,
        lines: BufReader::new(stdout).lines(),
    }
}

impl Other {
    /// Waits for a line that ends like this.
    async fn says(&mut self, text: &str) {
        let reading = async {
            while let Some(line) = self.lines.next_line().await.expect("readable") {
                if line.ends_with(&format!("@@ {text}")) {
                    return;
                }
            }
            panic!("it ended without saying {text:?}");
        };
        let told = tokio::time::timeout(PATIENCE, reading).await;
        told.unwrap_or_else(|_| panic!("it never said {text:?}"));
    }

    /// Waits for its end, which must be a good one.
    async fn ends(&mut self) {
        let ending = async {
            while self.lines.next_line().await.expect("readable").is_some() {}
            self.process.wait().await.expect("waited for")
        };
        let status = tokio::time::timeout(PATIENCE, ending).await;
        assert!(status.expect("in time").success());
    }

    async fn killed(mut self) {
        self.process.kill().await.expect("killed");
    }
}

/// Does what the environment orders; false where it orders nothing.
async fn obey() -> bool {
    let Ok(order) = std::env::var("TENURE_TEST_ORDER") else {
        return false;
    };
    let directory = std::env::var("TENURE_TEST_VAULT").expect("a directory");
    let service = std::env::var("TENURE_TEST_SERVICE").expect("a service");
    let vault = Obedient {
        vault: FileVault::new(directory),
        order,
    };
    let config = Config::new(&service, "app", vault).expect("good");
    let session = Session::open(config).await.expect("opened");
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let session = session.clone();
        tasks.spawn(async move { println!("@@ token {}", token(&session).await) });
    }
    tasks.join_all().await;
    true
}

/// A vault that says what it does, and stops or cheats on order.
#[derive(Debug)]
struct Obedient {
    vault: FileVault,
    order: String,
}

impl Obedient {
    fn stop(&self, place: &str, change: &Change) {
        let step = match change {
            Change::Begin { .. } => "begin",
            Change::Keep { .. } => "keep",
            _ => return,
        };
        if self.order.ends_with(&format!("stop {place} {step}")) {
            println!("@@ stopped");
            loop {
                std::thread::park();
            }
        }
    }
}

impl Vault for Obedient {
    fn load(&self) -> Result<Found, VaultFault> {
        self.vault.load()
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        self.stop("before", change);
        let record = if self.order.contains("forget") && matches!(change, Change::Begin { .. }) {
            let Found::Record(mut record) = self.vault.load()? else {
                return Err(VaultFault::Unavailable("nothing there".into()));
            };
            change.apply(&mut record);
            *record
        } else {
            self.vault.update(change)?
        };
        self.stop("after", change);
        Ok(record)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        self.vault.lock()
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        if self.order.contains("without lock") {
            return Ok(Some(Lease::new(())));
        }
        let lease = self.vault.try_lock()?;
        println!("@@ takes the lock");
        Ok(lease)
    }
}
