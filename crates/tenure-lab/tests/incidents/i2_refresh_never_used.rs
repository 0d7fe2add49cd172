//! I2: signed out every quarter of an hour and at every reopening. The access token lived 15
//! minutes, the refresh token lay in the store for 30 days, and nobody ever used it.
//!
//! The team's web client has a cookie session, which was not affected: `i2_web`.

use std::sync::Arc;

use tempfile::TempDir;
use tenure_client::{Dialect, Error, FileVault, JsonRoutes, Session, State};
use tokio::task::JoinSet;

use crate::backend::{Backend, DAY, call, kept};

struct App {
    backend: Backend,
    directory: TempDir,
}

impl App {
    async fn installed() -> Self {
        Self {
            backend: Backend::start().await,
            directory: TempDir::new().expect("a directory"),
        }
    }

    fn vault(&self) -> FileVault {
        FileVault::new(self.directory.path().join("session"))
    }

    /// As at every start.
    async fn open(&self) -> Session {
        let routes = JsonRoutes::new("/api/auth/refresh", Dialect::CAMEL_CASE).expect("a path");
        let config = self.backend.config(self.vault()).endpoint(routes);
        Session::open(config).await.expect("opened")
    }

    async fn signed_in(&self) -> Session {
        let session = self.open().await;
        let fields = [("email", "demo@example.com"), ("password", "right")];
        let fields: std::collections::BTreeMap<_, _> = fields.into();
        let signed_in = session.sign_in_at("/api/auth/login", &fields).await;
        signed_in.expect("signed in");
        session
    }

    async fn call(&self, session: &Session) -> u16 {
        call(session, &self.backend.url).await
    }

    fn refreshes(&self) -> usize {
        self.backend.books().refreshes.len()
    }
}

#[tokio::test]
async fn a_after_a_quarter_of_an_hour_the_next_request_refreshes_first_and_succeeds() {
    let app = App::installed().await;
    let session = app.signed_in().await;
    assert_eq!(app.call(&session).await, 200);
    assert_eq!(app.refreshes(), 0);
    for quarter in 1..=8 {
        app.backend.clock.pass(15 * 60 + 1);
        assert_eq!(app.call(&session).await, 200);
        assert_eq!(app.refreshes(), quarter);
    }
    let books = app.backend.books();
    let refused = books.calls.iter().filter(|(_, status)| *status != 200);
    assert_eq!(refused.count(), 0, "no request went out with an old token");
}

#[tokio::test]
async fn b_reopening_after_any_time_below_thirty_days_lands_signed_in() {
    let app = App::installed().await;
    drop(app.signed_in().await);
    for pause in [16 * 60, DAY, 29 * DAY] {
        app.backend.clock.pass(pause);
        let session = app.open().await;
        let state = session.state();
        assert!(!matches!(state, State::SignedOut { .. }), "{state:?}");
        assert_eq!(app.call(&session).await, 200, "after {pause} s");
    }
}

#[tokio::test]
async fn c_a_refresh_token_that_has_expired_leads_to_the_sign_in_page() {
    let app = App::installed().await;
    let session = app.signed_in().await;
    app.backend.clock.pass(31 * DAY);
    leads_to_sign_in(&app, &session).await;
}

#[tokio::test]
async fn c_a_refresh_token_that_was_revoked_leads_to_the_sign_in_page() {
    let app = App::installed().await;
    let session = app.signed_in().await;
    app.backend.books().revoke_all();
    app.backend.clock.pass(15 * 60 + 1);
    leads_to_sign_in(&app, &session).await;
}

async fn leads_to_sign_in(app: &App, session: &Session) {
    let told = session.access_token().await;
    assert!(
        matches!(told, Err(Error::SignInRequired { .. })),
        "{told:?}"
    );
    let state = session.state();
    assert!(matches!(state, State::SignedOut { .. }), "{state:?}");
    assert_eq!(kept(&app.vault()).tokens, None);
    let reopened = app.open().await;
    assert_eq!(reopened.state(), state, "and so it is at the next start");
}

#[tokio::test]
async fn d_any_number_of_requests_at_the_expiry_make_one_refresh() {
    let app = App::installed().await;
    let session = app.signed_in().await;
    app.backend.clock.pass(15 * 60 + 1);
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let (session, url) = (session.clone(), app.backend.url.clone());
        requests.spawn(async move { call(&session, &url).await });
    }
    let answers = requests.join_all().await;
    assert_eq!(answers, [200; 50]);
    assert_eq!(app.refreshes(), 1);
    assert!(app.backend.books().lives());
}

#[tokio::test]
async fn the_expiry_is_stored_so_a_start_refreshes_when_it_must_and_not_before() {
    let app = App::installed().await;
    drop(app.signed_in().await);
    app.backend.clock.pass(13 * 60);
    let session = app.open().await;
    assert_eq!(app.call(&session).await, 200);
    assert_eq!(app.refreshes(), 0);
    drop(session);
    app.backend.clock.pass(3 * 60);
    let session = app.open().await;
    assert_eq!(app.call(&session).await, 200);
    assert_eq!(app.refreshes(), 1);
}

/// The team's client: attaches the access token as it is, and goes to the sign-in page on any error.
struct Before {
    http: reqwest::Client,
    url: String,
    access: String,
    refresh: String,
    at_sign_in: bool,
}

impl Before {
    async fn signed_in(backend: &Backend) -> Self {
        let url = backend.url.clone();
        let (http, tokens) = backend.log_in("/api/auth/login").await;
        let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        Self {
            http,
            access: text("accessToken"),
            refresh: text("refreshToken"),
            url,
            at_sign_in: false,
        }
    }

    async fn feed(&mut self) {
        let request = self.http.get(format!("{}/api/feed", self.url));
        let answer = request.bearer_auth(&self.access).send().await;
        self.at_sign_in = !answer.is_ok_and(|answer| answer.status().is_success());
    }

    /// As a naive fix does it: every request for itself.
    async fn refreshed(&self) -> u16 {
        let body = serde_json::json!({ "refreshToken": self.refresh }).to_string();
        let route = format!("{}/api/auth/refresh", self.url);
        let answer = self.http.post(route).body(body).send().await;
        answer.expect("an answer").status().as_u16()
    }
}

#[tokio::test]
async fn before_it_was_at_the_sign_in_page_after_a_quarter_of_an_hour() {
    let backend = Backend::start().await;
    let mut app = Before::signed_in(&backend).await;
    app.feed().await;
    assert!(!app.at_sign_in);
    backend.clock.pass(15 * 60 + 1);
    app.feed().await;
    assert!(app.at_sign_in);
    assert!(backend.books().lives(), "for no reason");
}

#[tokio::test]
async fn before_a_refresh_for_every_request_would_have_revoked_the_family() {
    let backend = Backend::start().await;
    let app = Arc::new(Before::signed_in(&backend).await);
    let mut requests = JoinSet::new();
    for _ in 0..4 {
        let app = Arc::clone(&app);
        requests.spawn(async move { app.refreshed().await });
    }
    requests.join_all().await;
    assert!(!backend.books().lives());
}
