//! People who refresh, sign in and sign out while the store has its trouble.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tenure_lab::actor::{FirstParty, OAuthClient};
use tenure_lab::crowd::{Tally, User, refresh, sign_in};
use tenure_lab::deployment::LATE_WINDOW;
use tenure_lab::process::Server;
use tenure_lab::servers::Servers;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Elections and restarts stay far below this.
const PATIENCE: Duration = Duration::from_mins(2);

/// A session remembers sixteen retired tokens; who needs more within the late window has to wait.
const WITHIN_A_WINDOW: usize = 12;

/// Everybody at one client.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) app: OAuthClient,
    pub(crate) at: FirstParty,
    pub(crate) here: Vec<User>,
    /// Whose sign-out was acknowledged.
    pub(crate) gone: Vec<User>,
    /// What they met since the last report.
    met: Tally,
    /// Where the virtual clocks are.
    servers: Vec<String>,
}

/// What was acknowledged so far.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<watch::Sender<u64>>);

impl Progress {
    /// Waits until this many more refreshes, sign-ins and sign-outs were acknowledged.
    pub(crate) async fn more(&self, count: u64) {
        let mut acknowledged = self.0.subscribe();
        let goal = *acknowledged.borrow() + count;
        let reached = acknowledged.wait_for(|so_far| *so_far >= goal);
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        reached.expect("the service stands still").unwrap();
    }

    fn one(&self) {
        self.0.send_modify(|so_far| *so_far += 1);
    }
}

impl Crowd {
    pub(crate) async fn at(servers: &Servers, count: usize) -> Self {
        let at = servers.first_party().unwrap();
        Self {
            app: servers.app().unwrap(),
            here: sign_in(&at, count).await.unwrap(),
            at,
            gone: Vec::new(),
            met: Tally::default(),
            servers: servers.each.iter().map(Server::url).collect(),
        }
    }

    /// Lets the late window pass, so that nobody has to wait for it.
    async fn pass_the_window(&self) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let advance = serde_json::json!({ "advance_seconds": LATE_WINDOW + 1 });
        for server in &self.servers {
            let moved = client.post(format!("{server}/dev/clock")).json(&advance);
            moved.send().await.unwrap().error_for_status().unwrap();
        }
    }

    /// Everybody refreshes without a pause, and others sign in and out, until `trouble` is over.
    pub(crate) async fn busy<T>(&mut self, trouble: impl AsyncFnOnce(&Progress) -> T) -> T {
        self.pass_the_window().await;
        let progress = Progress(Arc::new(watch::Sender::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let mut refreshing = JoinSet::new();
        for user in self.here.drain(..) {
            let (app, stop, progress) = (self.app.clone(), Arc::clone(&stop), progress.clone());
            refreshing.spawn(refresh_until(stop, progress, app, user));
        }
        let turnover = turn_over(Arc::clone(&stop), progress.clone(), self.at.clone());
        let turnover = tokio::spawn(turnover);
        let answer = trouble(&progress).await;
        stop.store(true, Ordering::Relaxed);
        for (user, met) in refreshing.join_all().await {
            assert!(met.signed_out.is_empty() && met.wrong.is_empty(), "{met:?}");
            self.here.push(user);
            self.met.add(met);
        }
        let (stayed, gone) = turnover.await.unwrap();
        self.here.extend(stayed);
        self.gone.extend(gone);
        answer
    }

    /// Some sign in, some sign out, and everybody refreshes, all of it within moments.
    pub(crate) async fn burst(&mut self) {
        let (newcomers, leavers) = (
            sign_in(&self.at, 2),
            self.here.split_off(self.here.len() - 2),
        );
        self.here.extend(newcomers.await.unwrap());
        for user in &leavers {
            self.at.logout(&user.token).await.unwrap();
        }
        self.gone.extend(leavers);
        assert!(self.signed_out(2).await.is_empty());
    }

    /// Everybody refreshes `times` times; answers why sessions are over.
    pub(crate) async fn signed_out(&mut self, times: usize) -> Vec<String> {
        let users = std::mem::take(&mut self.here);
        let (users, met) = refresh(&self.app, users, times).await;
        self.here = users;
        assert!(met.wrong.is_empty(), "{met:?}");
        let signed_out = met.signed_out.clone();
        self.met.add(met);
        signed_out
    }

    /// Those who signed out ask too; answers how many of them got a token.
    pub(crate) async fn revived(&mut self) -> usize {
        let (users, met) = refresh(&self.app, std::mem::take(&mut self.gone), 1).await;
        self.gone = users;
        assert!(met.wrong.is_empty(), "{met:?}");
        for reason in &met.signed_out {
            assert_eq!(reason, "logged_out");
        }
        met.refreshed
    }

    /// Nobody is signed out, nobody comes back; prints the figures.
    pub(crate) async fn goes_on(&mut self, after: &str) {
        self.pass_the_window().await;
        let lost = self.signed_out(2).await;
        let revived = self.revived().await;
        println!(
            "{after}: {} of {} sessions lost, {revived} of {} revocations lost; {}",
            lost.len(),
            self.here.len(),
            self.gone.len(),
            std::mem::take(&mut self.met)
        );
        assert!(lost.is_empty(), "{lost:?}");
        assert_eq!(revived, 0);
    }
}

async fn refresh_until(
    stop: Arc<AtomicBool>,
    done: Progress,
    app: OAuthClient,
    mut user: User,
) -> (User, Tally) {
    let mut met = Tally::default();
    for _ in 0..WITHIN_A_WINDOW {
        if stop.load(Ordering::Relaxed) || !(met.signed_out.is_empty() && met.wrong.is_empty()) {
            break;
        }
        met.add(user.refresh(&app).await);
        done.one();
    }
    (user, met)
}

/// Signs people in, every second one out again. A sign-out that was not acknowledged is repeated:
/// until it is, nobody can say what is true.
async fn turn_over(
    stop: Arc<AtomicBool>,
    done: Progress,
    at: FirstParty,
) -> (Vec<User>, Vec<User>) {
    let (mut stayed, mut gone) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let Ok(user) = User::sign_in(&at).await else {
            continue;
        };
        done.one();
        if stayed.len() < gone.len() {
            stayed.push(user);
            continue;
        }
        while at.logout(&user.token).await.is_err() {
            tokio::task::yield_now().await;
        }
        done.one();
        gone.push(user);
    }
    (stayed, gone)
}
