//! The whole move: copy, follow, stop, last pass, start.

use tenure_lab::actor::Browser;
use tenure_lab::crowd::{self, Tally, User};
use tenure_lab::deployment::{EMAIL, PASSWORD};
use tenure_lab::postgres;
use tenure_lab::process::Server;
use tenure_lab::redis::{Engine, Redis};
use tenure_lab::skip;

use crate::site::{Busy, Place, Site, Target, assert_all_well, seed};

const FOLLOWING: &str = "following: what begins";

/// What has to survive a move.
struct Story {
    site: Site,
    server: Server,
    place: Place,
    busy: Busy,
    sleeping: User,
    signed_out: Vec<User>,
}

impl Story {
    async fn begin(place: Place, seeded: u64, active: usize) -> Self {
        let mut site = Site::new().await;
        let server = site.serve(&place);
        if seeded > 0 {
            seed(&site.path(place.data), seeded).await;
        }
        let mut users = crowd::sign_in(&site.first_party(), active + 2)
            .await
            .unwrap();
        let (sleeping, before) = (users.pop().unwrap(), users.pop().unwrap());
        site.first_party().logout(&before.token).await.unwrap();
        let busy = Busy::begin(users, &site.app());
        Self {
            site,
            server,
            place,
            busy,
            sleeping,
            signed_out: vec![before],
        }
    }

    /// Moves to another store under load; the story goes on there.
    async fn moved(mut self, target: &Target, to: Place) -> Self {
        let mut copy = self.site.copy(&self.place, target, FOLLOWING);
        let first = self.site.first_party();
        let newcomer = User::sign_in(&first).await.unwrap();
        let leaving = User::sign_in(&first).await.unwrap();
        // Everything that is short-lived, in flight.
        let browser = Browser::new().unwrap();
        let code = self.site.app();
        let code = code
            .authorize(&browser, EMAIL, PASSWORD, &[])
            .await
            .unwrap();
        first.logout(&leaving.token).await.unwrap();

        assert!(self.server.terminate().unwrap().success());
        let ended = copy.terminate().unwrap();
        assert!(ended.success(), "{}", copy.output());
        let server = self.site.serve(&to);

        let redeemed = self.site.app().redeem(&code).await.granted().unwrap();
        let mut newcomers = vec![newcomer];
        newcomers.push(User {
            token: redeemed.refresh().unwrap().to_owned(),
            access_token: redeemed.access_token,
            rotations: 0,
        });
        let (_, tally) = crowd::refresh(&self.site.app(), newcomers, 3).await;
        assert_eq!(tally.refreshed, 6, "{tally:?}");
        self.signed_out.push(leaving);
        for user in &self.signed_out {
            let answer = self.site.app().refresh(&user.token).await;
            let refusal = answer.refused().unwrap();
            assert_eq!(refusal.tenure_reason.as_deref(), Some("logged_out"));
        }
        println!("{}", table(&copy));
        Self {
            server,
            place: to,
            ..self
        }
    }

    async fn end(mut self) -> Tally {
        let app = self.site.app();
        let (users, mut tally) = self.busy.end().await;
        tally.add(self.sleeping.refresh(&app).await);
        // Each of them once more, where it has arrived.
        let (_, last) = crowd::refresh(&app, users, 2).await;
        tally.add(last);
        tally
    }
}

fn table(copy: &Server) -> String {
    let lines = copy.output().lines();
    let table = lines.iter().skip_while(|line| !line.starts_with("PART"));
    table.cloned().collect::<Vec<_>>().join("\n")
}

fn url(url: &str) -> Vec<(&'static str, String)> {
    vec![("TENURE_STORE_URL", url.to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_postgresql_and_back_signs_nobody_out() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let there = server.url(&server.fresh_database().await.unwrap());
    let story = Story::begin(Place::sqlite("old"), 3000, 16).await;
    let target = Target::variable("NEW_STORE", there.clone());
    let story = story
        .moved(&target, Place::at("beside", &url(&there)))
        .await;
    let back = Target::word(format!("sqlite:{}", story.site.path("back").display()));
    let story = story.moved(&back, Place::sqlite("back")).await;
    let tally = story.end().await;
    println!("SQLite to PostgreSQL and back: {tally}");
    assert_all_well(&tally);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_redis_beside_postgresql_and_back_signs_nobody_out() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    if let Some(obstacle) = Engine::Redis7.obstacle() {
        skip(&obstacle).unwrap();
        return;
    }
    let redis = Redis::start(Engine::Redis7, tenure_lab::redis::Options::default()).unwrap();
    let sql = server.url(&server.fresh_database().await.unwrap());
    let variables = [
        ("TENURE_STORE_URL", redis.url()),
        ("TENURE_STORE_SQL", sql.clone()),
    ];
    let story = Story::begin(Place::sqlite("old"), 2000, 8).await;
    let target = Target {
        words: ["env:NEW_REDIS", "--to-sql", "env:NEW_SQL"]
            .map(str::to_owned)
            .to_vec(),
        variables: vec![("NEW_REDIS", redis.url()), ("NEW_SQL", sql)],
    };
    let story = story.moved(&target, Place::at("beside", &variables)).await;
    let back = Target::word(format!("sqlite:{}", story.site.path("back").display()));
    let story = story.moved(&back, Place::sqlite("back")).await;
    let tally = story.end().await;
    println!("SQLite to Redis beside PostgreSQL and back: {tally}");
    assert_all_well(&tally);
}

/// A million sessions, with 64 clients that never pause.
#[tokio::test(flavor = "multi_thread")]
async fn a_million_sessions_move_under_load() {
    if std::env::var_os("TENURE_FULL").is_none() {
        println!("a million sessions move with TENURE_FULL=1");
        return;
    }
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let there = server.url(&server.fresh_database().await.unwrap());
    let story = Story::begin(Place::sqlite("old"), 1_000_000, 64).await;
    let target = Target::variable("NEW_STORE", there.clone());
    let story = story
        .moved(&target, Place::at("beside", &url(&there)))
        .await;
    let tally = story.end().await;
    println!("a million sessions to PostgreSQL: {tally}");
    assert_all_well(&tally);
}
