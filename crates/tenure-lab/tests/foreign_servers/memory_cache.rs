//! Incident I5: a backend whose refresh tokens live in a dictionary, and the same with its store.

use serde_json::json;
use tempfile::TempDir;
use tenure_client::{
    Dialect, EndCause, Error, ErrorPattern, JsonRoutes, Reason, Session, SignedOut, State,
    TokenPlace,
};
use tenure_lab::foreign::{Backend, Storage};
use tenure_lab::skip;

use crate::bench::{Device, failure, token};

pub(crate) const LIFETIME: u64 = 900;

/// The routes of the incident: what its 401 says is in `detail`.
pub(crate) fn snake_case() -> JsonRoutes {
    let dialect = Dialect {
        error: "detail".into(),
        ends: vec![ErrorPattern::code("Session expired")].into(),
        ..Dialect::OAUTH2
    };
    let routes = JsonRoutes::new("/auth/refresh", dialect).unwrap();
    routes.logout("/auth/logout").unwrap()
}

/// As in incident I2, with everything in `data` and the refresh token as bearer.
pub(crate) fn camel_case() -> JsonRoutes {
    let dialect = Dialect {
        access_token: "data.accessToken".into(),
        refresh_token: "data.refreshToken".into(),
        expires_at: Some("data.accessExpiresAt".into()),
        error: "error.code".into(),
        message: Some("error.message".into()),
        ends: ["SESSION_EXPIRED", "TOKEN_REUSED"]
            .map(ErrorPattern::code)
            .to_vec()
            .into(),
        ..Dialect::CAMEL_CASE
    };
    let routes = JsonRoutes::new("/api/auth/refresh", dialect).unwrap();
    routes.token_in(TokenPlace::Bearer)
}

pub(crate) fn credentials() -> serde_json::Value {
    json!({ "username": "ann", "password": Backend::PASSWORD })
}

/// The backend, or none where Python's packages are missing.
pub(crate) fn backend(storage: Storage<'_>) -> Option<Backend> {
    if let Some(why) = Backend::obstacle() {
        skip(&why).unwrap();
        return None;
    }
    Some(Backend::start(storage).unwrap())
}

async fn signed_in(device: &Device, backend: &Backend) -> Session {
    let session = device.open(&backend.url(), "web", snake_case()).await;
    session
        .sign_in_at("/auth/login", &credentials())
        .await
        .unwrap();
    session
}

#[tokio::test]
async fn broken_a_restart_signs_everybody_out_and_the_sdk_is_told_so() {
    let Some(mut backend) = backend(Storage::Memory) else {
        return;
    };
    let device = Device::new();
    let session = signed_in(&device, &backend).await;
    let log = "Using memory cache for: refresh_token:";
    assert!(
        backend.server().output().contains(log),
        "as in the incident"
    );
    device.watch.pass(LIFETIME);
    let before = token(&session).await;

    backend.server().restart().unwrap();
    assert_eq!(token(&session).await, before, "still valid");
    device.watch.pass(LIFETIME);
    let reason = Reason::Ended(EndCause::Unknown);
    assert_eq!(failure(&session).await, Error::SignInRequired { reason });
    assert_eq!(session.state(), State::SignedOut { reason });
}

#[tokio::test]
async fn fixed_a_refresh_after_a_restart_succeeds_for_days() {
    let home = TempDir::new().unwrap();
    let store = home.path().join("cache.db");
    let Some(mut backend) = backend(Storage::File(&store)) else {
        return;
    };
    let device = Device::new();
    let session = signed_in(&device, &backend).await;
    let kept = device.kept();
    for _ in 0..3 {
        device.watch.pass(24 * 3600);
        backend.server().restart().unwrap();
        let refreshed = token(&session).await;
        assert_eq!(token(&session).await, refreshed);
        assert_eq!(
            device.kept(),
            kept,
            "an answer without a refresh token keeps the old one"
        );
    }
    assert!(!backend.server().output().contains("Using memory cache"));
}

#[tokio::test]
async fn while_the_backend_is_down_the_session_is_kept() {
    let home = TempDir::new().unwrap();
    let store = home.path().join("cache.db");
    let Some(mut backend) = backend(Storage::File(&store)) else {
        return;
    };
    let device = Device::new();
    let session = signed_in(&device, &backend).await;
    backend.server().kill9().unwrap();
    device.watch.pass(LIFETIME);
    assert!(matches!(failure(&session).await, Error::Transient { .. }));
    assert!(matches!(session.state(), State::Degraded { .. }));
    backend.server().restart().unwrap();
    device.watch.pass(60);
    assert!(!token(&session).await.is_empty());
}

#[tokio::test]
async fn routes_in_camel_case_rotate_and_end_when_they_say_so() {
    let home = TempDir::new().unwrap();
    let store = home.path().join("cache.db");
    let Some(backend) = backend(Storage::File(&store)) else {
        return;
    };
    let device = Device::new();
    let session = device.open(&backend.url(), "app", camel_case()).await;
    session
        .sign_in_at("/api/auth/login", &credentials())
        .await
        .unwrap();
    let State::Active { expires_at } = session.state() else {
        panic!("{:?}", session.state());
    };
    let left = expires_at - tenure_client::Clock::wall(&device.watch);
    assert!(
        (LIFETIME - 10..=LIFETIME).contains(&(left.0 / 1000 + 1)),
        "{left:?}"
    );

    let first = device.kept();
    for _ in 0..5 {
        let before = (token(&session).await, device.kept());
        device.watch.pass(LIFETIME);
        let after = (token(&session).await, device.kept());
        assert_ne!(before.0, after.0);
        assert_ne!(before.1, after.1, "it rotates");
    }
    // Somebody else presents a token that was used: the family is revoked.
    let thief = reqwest::Client::builder().no_proxy().build().unwrap();
    let thief = thief.post(format!("{}/api/auth/refresh", backend.url()));
    let answer = thief.bearer_auth(first.unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    device.watch.pass(LIFETIME);
    assert!(matches!(
        failure(&session).await,
        Error::SignInRequired { .. }
    ));
}

#[tokio::test]
async fn a_wrong_password_is_told_and_a_sign_out_reaches_the_logout_route() {
    let home = TempDir::new().unwrap();
    let store = home.path().join("cache.db");
    let Some(mut backend) = backend(Storage::File(&store)) else {
        return;
    };
    let device = Device::new();
    let session = device.open(&backend.url(), "web", snake_case()).await;
    let wrong = json!({ "username": "ann", "password": "guess" });
    let refused = session.sign_in_at("/auth/login", &wrong).await.unwrap_err();
    assert!(
        matches!(&refused, Error::SignInRefused { code, .. } if code == "Incorrect username or password"),
        "{refused}"
    );
    session
        .sign_in_at("/auth/login", &credentials())
        .await
        .unwrap();
    assert_eq!(session.sign_out().await, Ok(SignedOut::Revoked));
    let told = "\"POST /auth/logout HTTP/1.1\" 204";
    let deadline = std::time::Duration::from_secs(30);
    backend.server().output().wait_for(told, deadline).unwrap();
}
