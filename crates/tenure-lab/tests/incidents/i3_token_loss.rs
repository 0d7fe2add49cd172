//! I3: signed out at random although active. Any failure of a refresh cleared the tokens; two HTTP
//! clients refreshed against each other; a missing refresh token was stored as an empty one; and
//! there were two endpoints, an OAuth one and a route of the API's own.

use bytes::Bytes;
use http::Request;
use tempfile::TempDir;
use tenure_client::{
    Dialect, Error, FileVault, Granted, JsonRoutes, OAuth2, Secret, Session, State, Transport as _,
};
use tokio::net::TcpSocket;

use crate::backend::{Backend, DAY, call, kept_token};
use crate::certificates::Authority;
use crate::http2::Turn;
use crate::profile::{Endpoint, Holding, Profile};
use crate::service::{Act, Service, answer};
use crate::wire::{Wire, Wires};

const BOTH: [Endpoint; 2] = [Endpoint::Oauth2, Endpoint::Fastapi];
const TOKENS: &str = r#"{"access_token":"access-2","refresh_token":"refresh-2","expires_in":900}"#;

/// What a session has to do with one refresh, and what its vault holds then.
struct Tried {
    profile: Profile,
    session: Session,
    service: Service,
}

impl Tried {
    async fn with(act: Act, endpoint: Endpoint, wire: Wire) -> Self {
        let service = Service::start([act]).await;
        let issuer = format!("http://127.0.0.1:{}", service.port);
        let profile = Profile::expired(&issuer, endpoint);
        let session = profile.open(wire).await;
        drop(session.access_token().await);
        Self {
            profile,
            session,
            service,
        }
    }

    /// The trouble passes, and the session is what it was.
    async fn goes_on(self, what: &str) {
        assert!(
            matches!(self.session.state(), State::Degraded { .. }),
            "{what}"
        );
        assert_eq!(self.profile.holding(), Some(Holding::Kept), "{what}");
        self.service.then([Act::Answer(answer(200, &[], TOKENS))]);
        self.profile.wait();
        let token = self.session.access_token().await;
        assert_eq!(token.expect(what).token.expose(), "access-2");
        assert_eq!(self.profile.holding(), Some(Holding::Rotated), "{what}");
    }
}

fn wires() -> Wires {
    Wires::new(&Authority::new().pem)
}

fn patient() -> Wire {
    Wire::Real(wires().patient)
}

#[tokio::test]
async fn transient_answers_keep_the_session_at_both_endpoints() {
    let wire = patient();
    for endpoint in BOTH {
        for status in [503, 500, 502, 504, 429] {
            let act = Act::Answer(answer(status, &[], r#"{"error":"invalid_grant"}"#));
            let tried = Tried::with(act, endpoint, wire.clone()).await;
            tried.goes_on(&format!("{endpoint:?} {status}")).await;
        }
    }
}

#[tokio::test]
async fn transport_errors_keep_the_session_at_both_endpoints() {
    let wire = patient();
    for endpoint in BOTH {
        for act in [Act::ResetBefore, Act::ResetAfter, Act::Answer(Vec::new())] {
            let tried = Tried::with(act, endpoint, wire.clone()).await;
            tried.goes_on(&format!("{endpoint:?}")).await;
        }
    }
}

#[tokio::test]
async fn a_timeout_keeps_the_session_at_both_endpoints() {
    let wire = Wire::Real(wires().impatient);
    for endpoint in BOTH {
        let tried = Tried::with(Act::Hold(Vec::new()), endpoint, wire.clone()).await;
        tried.goes_on(&format!("{endpoint:?}")).await;
    }
}

#[tokio::test]
async fn being_offline_keeps_the_session_at_both_endpoints() {
    let socket = TcpSocket::new_v4().expect("a socket");
    let address = "127.0.0.1:0".parse().expect("an address");
    socket.bind(address).expect("a port nobody listens on");
    let port = socket.local_addr().expect("an address").port();
    let wire = patient();
    for endpoint in BOTH {
        let profile = Profile::expired(&format!("http://127.0.0.1:{port}"), endpoint);
        let session = profile.open(wire.clone()).await;
        let told = session.access_token().await;
        assert!(matches!(told, Err(Error::Transient { .. })), "{told:?}");
        assert_eq!(profile.holding(), Some(Holding::Kept));
    }
}

#[tokio::test]
async fn a_kept_alive_connection_that_was_dropped_keeps_the_session() {
    let wires = wires();
    let alive = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    let service = Service::start([Act::AnswerThenReset(alive.into())]).await;
    let issuer = format!("http://127.0.0.1:{}", service.port);
    stale(service, &issuer, wires).await;
}

#[tokio::test]
async fn an_http2_connection_that_the_proxy_has_dropped_keeps_the_session() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", &["h2"]);
    let turns = vec![Turn::Answer("{}".into()), Turn::Reset];
    let again = authority.acceptor("127.0.0.1", &["h2"]);
    let answered = vec![Turn::Answer(TOKENS.into())];
    let acts = [Act::Http2(acceptor, turns), Act::Http2(again, answered)];
    let service = Service::start(acts).await;
    let issuer = format!("https://127.0.0.1:{}", service.port);
    stale(service, &issuer, Wires::new(&authority.pem)).await;
}

/// A connection is used, goes stale, and the refresh is sent into it.
async fn stale(service: Service, issuer: &str, wires: Wires) {
    let warm = Request::get(format!("{issuer}/warm")).body(Bytes::new());
    let warm = wires.patient.send(warm.expect("a request"), 64).await;
    assert_eq!(warm.expect("an answer").status(), 200);
    let profile = Profile::expired(issuer, Endpoint::Oauth2);
    let session = profile.open(Wire::Real(wires.patient)).await;
    let told = session.access_token().await;
    assert!(matches!(told, Err(Error::Transient { .. })), "{told:?}");
    assert_eq!(service.seen().len(), 2, "it went into the stale connection");
    let tried = Tried {
        profile,
        session,
        service,
    };
    tried.goes_on(issuer).await;
}

#[tokio::test]
async fn a_definitive_answer_clears_the_session_at_both_endpoints() {
    let wire = patient();
    for endpoint in BOTH {
        let field = match endpoint {
            Endpoint::Fastapi => "detail",
            _ => "error",
        };
        for status in [400, 401] {
            let body = format!(r#"{{"{field}":"invalid_grant"}}"#);
            let act = Act::Answer(answer(status, &[], &body));
            let tried = Tried::with(act, endpoint, wire.clone()).await;
            let state = tried.session.state();
            assert!(matches!(state, State::SignedOut { .. }), "{state:?}");
            assert_eq!(tried.profile.holding(), Some(Holding::Cleared));
        }
    }
}

#[tokio::test]
async fn a_success_is_kept_and_one_without_a_refresh_token_keeps_the_old_one() {
    let wire = patient();
    let without = |field: &str| format!(r#"{{"access_token":"access-2","expires_in":900{field}}}"#);
    for endpoint in BOTH {
        for (body, holding) in [
            (TOKENS.to_owned(), Holding::Rotated),
            (without(""), Holding::Refreshed),
            (without(r#","refresh_token":"""#), Holding::Refreshed),
            (without(r#","refresh_token":null"#), Holding::Refreshed),
            (
                without(r#","refresh_token":"undefined""#),
                Holding::Refreshed,
            ),
        ] {
            let act = Act::Answer(answer(200, &[], &body));
            let tried = Tried::with(act, endpoint, wire.clone()).await;
            assert!(
                matches!(tried.session.state(), State::Active { .. }),
                "{body}"
            );
            assert_eq!(tried.profile.holding(), Some(holding), "{body}");
        }
    }
}

/// A device with the real thing behind it: single use, reuse ends the family.
struct Device {
    backend: Backend,
    directory: TempDir,
}

impl Device {
    async fn new() -> Self {
        let backend = Backend::start().await;
        backend.books().refresh_life = DAY;
        Self {
            backend,
            directory: TempDir::new().expect("a directory"),
        }
    }

    fn vault(&self) -> FileVault {
        FileVault::new(self.directory.path().join("session"))
    }

    async fn open(&self, endpoint: Endpoint) -> Session {
        let config = self.backend.config(self.vault());
        let config = match endpoint {
            Endpoint::Oauth2 => config.endpoint(OAuth2::new()),
            _ => config.endpoint(JsonRoutes::new("/auth/refresh", Dialect::OAUTH2).expect("one")),
        };
        Session::open(config).await.expect("opened")
    }

    async fn signed_in(&self, endpoint: Endpoint) -> Session {
        let session = self.open(endpoint).await;
        let signed_in = session.sign_in_at("/auth/login", &()).await;
        signed_in.expect("signed in");
        session
    }
}

#[tokio::test]
async fn two_http_clients_share_the_session_and_never_refresh_against_each_other() {
    for endpoint in BOTH {
        let device = Device::new().await;
        let identity = device.signed_in(endpoint).await;
        let shared = identity.clone();
        // And one that somebody built by itself on the same store.
        let biometric = device.open(endpoint).await;
        let url = &device.backend.url;
        for round in 1..=8 {
            device.backend.clock.pass(15 * 60 + 1);
            let answers = tokio::join!(
                call(&identity, url),
                call(&biometric, url),
                call(&shared, url)
            );
            assert_eq!(answers, (200, 200, 200), "{endpoint:?} {round}");
            let refreshes = device.backend.books().refreshes.len();
            assert_eq!(refreshes, round, "{endpoint:?}: one for all");
        }
        assert!(device.backend.books().lives());
    }
}

#[tokio::test]
async fn the_refresh_token_slides_for_as_long_as_the_app_is_used_once_a_day() {
    let device = Device::new().await;
    let session = device.signed_in(Endpoint::Oauth2).await;
    for day in 0..60 {
        device.backend.clock.pass(DAY - 60);
        assert_eq!(call(&session, &device.backend.url).await, 200, "day {day}");
    }
}

#[tokio::test]
async fn a_blank_refresh_token_is_never_stored_over_a_good_one() {
    let device = Device::new().await;
    let session = device.signed_in(Endpoint::Oauth2).await;
    let before = kept_token(&device.vault());
    device.backend.books().rotates = false;
    for _ in 0..3 {
        device.backend.clock.pass(15 * 60 + 1);
        assert_eq!(call(&session, &device.backend.url).await, 200);
        assert_eq!(kept_token(&device.vault()), before);
    }
}

#[tokio::test]
async fn tokens_that_are_blank_are_not_a_sign_in() {
    let device = Device::new().await;
    let session = device.open(Endpoint::Fastapi).await;
    for blank in ["", "  ", "undefined", "null"] {
        let granted = Granted {
            access_token: Secret::new("access"),
            refresh_token: Some(Secret::new(blank)),
            expires_in: None,
        };
        let adopted = session.adopt(granted).await;
        assert!(
            matches!(adopted, Err(Error::Misconfigured(_))),
            "{adopted:?}"
        );
        let told = session.access_token().await;
        assert!(
            matches!(told, Err(Error::SignInRequired { .. })),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn a_session_of_one_endpoint_goes_on_at_the_other() {
    let device = Device::new().await;
    drop(device.signed_in(Endpoint::Fastapi).await);
    device.backend.clock.pass(15 * 60 + 1);
    let moved = device.open(Endpoint::Oauth2).await;
    assert_eq!(call(&moved, &device.backend.url).await, 200);
    assert!(device.backend.books().lives());
}

/// The team's client: no failure is told from another, and there are two of them.
struct Before {
    http: reqwest::Client,
    url: String,
    refresh: Option<String>,
}

impl Before {
    async fn signed_in(backend: &Backend) -> Self {
        let url = backend.url.clone();
        let (http, tokens) = backend.log_in("/auth/login").await;
        let refresh = tokens["refresh_token"].as_str().map(str::to_owned);
        Self { http, url, refresh }
    }

    /// Another client with the token that it read at its start.
    fn second(&self) -> Self {
        Self {
            http: self.http.clone(),
            url: self.url.clone(),
            refresh: self.refresh.clone(),
        }
    }

    async fn refresh(&mut self) {
        let Some(token) = &self.refresh else {
            return;
        };
        let body = serde_json::json!({ "refresh_token": token }).to_string();
        let sent = self
            .http
            .post(format!("{}/auth/refresh", self.url))
            .body(body)
            .send();
        self.refresh = match sent.await.and_then(reqwest::Response::error_for_status) {
            Ok(answer) => {
                let tokens: serde_json::Value = answer.json().await.expect("JSON");
                Some(tokens["refresh_token"].as_str().unwrap_or("").to_owned())
            }
            Err(_) => None,
        };
    }
}

#[tokio::test]
async fn before_one_503_cleared_the_tokens() {
    let backend = Backend::start().await;
    let mut app = Before::signed_in(&backend).await;
    backend.books().outage = Some(503);
    app.refresh().await;
    assert_eq!(app.refresh, None);
    assert!(backend.books().lives(), "for no reason");
}

#[tokio::test]
async fn before_the_second_client_revoked_the_family() {
    let backend = Backend::start().await;
    let mut identity = Before::signed_in(&backend).await;
    let mut biometric = identity.second();
    identity.refresh().await;
    assert!(backend.books().lives());
    biometric.refresh().await;
    assert!(!backend.books().lives());
}

#[tokio::test]
async fn before_a_missing_refresh_token_was_stored_as_an_empty_one_and_presented() {
    let backend = Backend::start().await;
    let mut app = Before::signed_in(&backend).await;
    backend.books().rotates = false;
    app.refresh().await;
    assert_eq!(app.refresh.as_deref(), Some(""));
    app.refresh().await;
    assert_eq!(app.refresh, None);
    assert_eq!(
        backend.books().refreshes.last().map(String::as_str),
        Some("")
    );
    assert!(backend.books().lives(), "for no reason");
}
