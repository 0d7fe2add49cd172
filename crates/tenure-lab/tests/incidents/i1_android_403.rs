//! I1: 403 on every call of the API, also after signing in again. Four troubles at once: requests
//! fired before the stored session was read; a gateway that turned fresh tokens away; a recovery
//! that wiped the session; and a cache that was cleared without telling the interface.

use std::collections::BTreeMap;

use tempfile::TempDir;
use tenure_client::{
    ChunkedVault, Dialect, EndCause, Error, FileVault, Granted, JsonRoutes, Reason, Secret,
    Session, State, Vault,
};
use tokio::task::JoinSet;

use crate::backend::{Backend, call, kept_token};
use crate::fragile::{Fragile, Mood};
use crate::keystore::Keystore;

struct Phone {
    backend: Backend,
    directory: TempDir,
}

/// What API Gateway answers where it never looked at the token.
const UNMARKED: (&str, &str) = ("ForbiddenException", "Forbidden");
/// What it answers about the token, under a status that GatewayResponses changed.
const ABOUT_THE_TOKEN: (&str, &str) = ("UnauthorizedException", "Unauthorized");

impl Phone {
    async fn new() -> Self {
        Self {
            backend: Backend::start().await,
            directory: TempDir::new().expect("a directory"),
        }
    }

    fn vault(&self) -> FileVault {
        FileVault::new(self.directory.path().join("session"))
    }

    async fn open(&self, vault: impl Vault) -> Session {
        let routes = JsonRoutes::new("/auth/refresh", Dialect::OAUTH2).expect("a path");
        let config = self.backend.config(vault).endpoint(routes);
        Session::open(config).await.expect("opened")
    }

    async fn signed_in(&self) -> Session {
        let session = self.open(self.vault()).await;
        let link = BTreeMap::from([("token", "from the letter")]);
        let signed_in = session.sign_in_at("/auth/login", &link).await;
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
async fn feeds_that_fire_while_the_store_is_read_wait_and_carry_their_header() {
    let phone = Phone::new().await;
    drop(phone.signed_in().await);
    let vault = Fragile::new(phone.vault(), Mood::Locked);
    let session = phone.open(vault.clone()).await;
    assert_eq!(session.state(), State::StorageLocked, "not: signed out");

    vault.turn(Mood::Slow);
    phone.backend.clock.pass(60);
    let mut states = session.subscribe();
    let mut feeds = JoinSet::new();
    for _ in 0..5 {
        let (session, url) = (session.clone(), phone.backend.url.clone());
        feeds.spawn(async move { call(&session, &url).await });
    }
    let restoring = states.wait_for(|state| *state == State::Restoring).await;
    drop(restoring.expect("it reads"));
    assert!(phone.backend.books().calls.is_empty(), "nobody went ahead");

    vault.turn(Mood::Open);
    assert_eq!(feeds.join_all().await, [200; 5]);
    let books = phone.backend.books();
    assert!(books.calls.iter().all(|(bearer, _)| bearer.is_some()));
}

#[tokio::test]
async fn a_store_that_is_locked_at_the_start_is_an_error_of_its_own_and_sends_nothing() {
    let phone = Phone::new().await;
    drop(phone.signed_in().await);
    let vault = Fragile::new(phone.vault(), Mood::Locked);
    let session = phone.open(vault.clone()).await;
    let told = session.access_token().await;
    assert!(
        matches!(told, Err(Error::StorageUnavailable(_))),
        "{told:?}"
    );
    assert!(phone.backend.books().calls.is_empty());
    vault.turn(Mood::Open);
    phone.backend.clock.pass(60);
    assert_eq!(phone.call(&session).await, 200);
}

#[tokio::test]
async fn a_403_that_says_nothing_of_the_token_is_handed_on_and_refreshes_nothing() {
    let phone = Phone::new().await;
    let session = phone.signed_in().await;
    phone.backend.clock.pass(60);
    phone.backend.books().gate = Some(UNMARKED);
    for _ in 0..20 {
        assert_eq!(phone.call(&session).await, 403);
    }
    assert_eq!(phone.refreshes(), 0);
    assert!(matches!(session.state(), State::Active { .. }));
}

#[tokio::test]
async fn a_gateway_that_turns_fresh_tokens_away_is_named_and_costs_no_session() {
    let phone = Phone::new().await;
    let session = phone.signed_in().await;
    phone.backend.clock.pass(60);
    phone.backend.books().gate = Some(ABOUT_THE_TOKEN);
    assert_eq!(phone.call(&session).await, 403);
    assert_eq!(phone.refreshes(), 1);
    let State::Refused { hint } = session.state() else {
        panic!("{:?}", session.state());
    };
    assert!(hint.contains("issuer, audience and keys"), "{hint}");

    // No storm, however often the interface tries.
    for _ in 0..50 {
        phone.backend.clock.pass(5);
        assert_eq!(phone.call(&session).await, 403);
    }
    assert!(phone.refreshes() <= 3, "{}", phone.refreshes());

    // The gateway is deployed again: the session was there all the time.
    phone.backend.books().gate = None;
    phone.backend.clock.pass(15 * 60);
    assert_eq!(phone.call(&session).await, 200);
    assert!(matches!(session.state(), State::Active { .. }));
}

#[tokio::test]
async fn a_recovery_that_fails_does_not_wipe_the_session() {
    let phone = Phone::new().await;
    let session = phone.signed_in().await;
    let before = kept_token(&phone.vault());
    phone.backend.clock.pass(60);
    phone.backend.books().gate = Some(ABOUT_THE_TOKEN);
    for trouble in [500, 403, 404, 429] {
        phone.backend.books().outage = Some(trouble);
        let request = http::Request::get(format!("{}/api/feed", phone.backend.url));
        let answer = session.call(request.body(bytes::Bytes::new()).expect("one"));
        let answer = answer.await;
        let kept = match &answer {
            Ok(answer) => answer.status() == 403,
            Err(error) => matches!(error, Error::Transient { .. }),
        };
        assert!(kept, "{trouble}: {answer:?}");
        assert_eq!(kept_token(&phone.vault()), before, "{trouble}");
        phone.backend.clock.pass(5);
    }
    drop(session);

    phone.backend.books().outage = None;
    phone.backend.books().gate = None;
    let reopened = phone.open(phone.vault()).await;
    assert_eq!(
        phone.call(&reopened).await,
        200,
        "the next launch is signed in"
    );
}

#[tokio::test]
async fn the_interface_and_the_cache_cannot_disagree() {
    let phone = Phone::new().await;
    let session = phone.signed_in().await;
    let mut states = session.subscribe();
    phone.backend.books().revoke_all();
    phone.backend.clock.pass(15 * 60 + 1);
    let (told, screen) = tokio::join!(session.access_token(), async {
        let ended = states.wait_for(|state| matches!(state, State::SignedOut { .. }));
        ended.await.expect("told").clone()
    });
    let reason = Reason::Ended(EndCause::Unknown);
    assert_eq!(
        told.expect_err("no token"),
        Error::SignInRequired { reason }
    );
    assert_eq!(screen, State::SignedOut { reason });
    assert_eq!(session.state(), screen);
}

/// The team's tokens had 1,071, 1,091 and 1,788 bytes, and went under a key each.
fn large_tokens() -> Granted {
    Granted {
        access_token: Secret::new("a".repeat(1071 + 1091)),
        refresh_token: Some(Secret::new("r".repeat(1788))),
        expires_in: Some(std::time::Duration::from_hours(1)),
    }
}

#[tokio::test]
async fn any_one_key_may_be_missing_from_the_store_and_the_session_is_there() {
    let phone = Phone::new().await;
    let keystore = Keystore::default();
    let vault = || {
        ChunkedVault::new(
            keystore.clone(),
            "app",
            phone.directory.path().join("locks"),
        )
    };
    let session = phone.open(vault()).await;
    // Twice, so that the record before holds a session, too, as it does after the first refresh.
    session.adopt(large_tokens()).await.expect("stored");
    session.adopt(large_tokens()).await.expect("stored");
    drop(session);
    let names = keystore.names();
    assert!(names.len() >= 3, "{names:?}");
    for name in &names {
        let lost = keystore.lose(name);
        let state = phone.open(vault()).await.state();
        assert!(matches!(state, State::Active { .. }), "{name}: {state:?}");
        keystore.put(name, lost);
    }
}

/// Directly after the first sign-in there is no record to fall back to.
#[tokio::test]
async fn one_value_lost_after_the_first_sign_in_is_never_a_silent_sign_out() {
    let phone = Phone::new().await;
    let keystore = Keystore::default();
    let locks = phone.directory.path().join("locks");
    let vault = || ChunkedVault::new(keystore.clone(), "app", locks.clone());
    let session = phone.open(vault()).await;
    session.adopt(large_tokens()).await.expect("stored");
    drop(session);
    let mut damaged = 0;
    for name in keystore.names() {
        let lost = keystore.lose(&name);
        let state = phone.open(vault()).await.state();
        let reason = Reason::VaultDamaged;
        let told = state == State::SignedOut { reason };
        assert!(told || matches!(state, State::Active { .. }), "{state:?}");
        damaged += usize::from(told);
        keystore.put(&name, lost);
    }
    assert!(damaged > 0);
}

/// The team's client: a cache, a store in four keys, and an interceptor.
struct Before {
    http: reqwest::Client,
    url: String,
    store: BTreeMap<&'static str, String>,
    cache: Option<String>,
    screen_says_signed_in: bool,
}

impl Before {
    /// Signed in at an earlier start; the store has not been read yet.
    async fn starting(backend: &Backend) -> Self {
        let url = backend.url.clone();
        let (http, tokens) = backend.log_in("/auth/login").await;
        let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        let store = BTreeMap::from([
            ("id", text("access_token")),
            ("access", text("access_token")),
            ("refresh", text("refresh_token")),
            ("user", "demo".to_owned()),
        ]);
        Self {
            http,
            url,
            store,
            cache: None,
            screen_says_signed_in: false,
        }
    }

    /// Any of the four keys missing is no session.
    fn read_store(&mut self) {
        let whole = ["id", "access", "refresh", "user"].map(|key| self.store.contains_key(key));
        self.screen_says_signed_in = !whole.contains(&false);
        self.cache = self
            .store
            .get("id")
            .filter(|_| self.screen_says_signed_in)
            .cloned();
    }

    async fn feed(&mut self) -> u16 {
        let status = self.ask().await;
        if status != 403 {
            return status;
        }
        if !self.refresh().await {
            // clearSession(), without a word to the screen.
            self.store.clear();
            self.cache = None;
        }
        self.ask().await
    }

    async fn ask(&self) -> u16 {
        let mut request = self.http.get(format!("{}/api/feed", self.url));
        if let Some(token) = &self.cache {
            request = request.bearer_auth(token);
        }
        request.send().await.expect("an answer").status().as_u16()
    }

    async fn refresh(&mut self) -> bool {
        let Some(token) = self.store.get("refresh") else {
            return false;
        };
        let body = serde_json::json!({ "refresh_token": token }).to_string();
        let route = format!("{}/auth/refresh", self.url);
        let answer = self.http.post(route).body(body).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

#[tokio::test]
async fn before_the_first_feeds_went_out_without_a_header() {
    let backend = Backend::start().await;
    let mut app = Before::starting(&backend).await;
    assert_eq!(app.ask().await, 401);
    app.read_store();
    assert_eq!(app.ask().await, 200);
    assert_eq!(backend.books().calls[0].0, None);
}

#[tokio::test]
async fn before_the_recovery_wiped_the_session_and_the_screen_did_not_know() {
    let backend = Backend::start().await;
    let mut app = Before::starting(&backend).await;
    app.read_store();
    backend.books().gate = Some(UNMARKED);
    backend.books().outage = Some(503);
    assert_eq!(app.feed().await, 403);
    assert!(app.screen_says_signed_in && app.cache.is_none());
    assert!(app.store.is_empty(), "the next start finds nothing");
    assert!(backend.books().lives(), "for no reason");
}

#[tokio::test]
async fn before_one_missing_key_was_no_session() {
    let backend = Backend::start().await;
    let mut app = Before::starting(&backend).await;
    app.store.remove("user");
    app.read_store();
    assert!(!app.screen_says_signed_in);
    assert!(backend.books().lives(), "for no reason");
}
