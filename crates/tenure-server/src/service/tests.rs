use std::sync::Arc;

use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::EndCause;
use tenure_core::secret::sha256;
use tenure_store::{KeyUse, Written};
use tower::ServiceExt as _;

use super::{Service, rotate_due};
use crate::browser;
use crate::clock::Clock;
use crate::config::{Config, Flags, Inputs, Purpose, load};
use crate::endpoint::authorize::code::{self, CodeGrant};
use crate::error::Fault;
use crate::extract::Caller;
use crate::session::{Start, start};

const YEARS: u32 = 3 * 366 * 86_400;

struct Running {
    service: Service,
    data: TempDir,
}

fn config(data: &TempDir, variables: &[(&str, &str)]) -> Config {
    let flags = Flags {
        dev: true,
        dangerous_memory_store: true,
        data: Some(data.path().to_owned()),
        ..Flags::default()
    };
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let inputs = Inputs {
        flags,
        environment: variables.iter().map(owned).collect(),
        purpose: Purpose::Serve,
    };
    load(&inputs).unwrap().config
}

impl Running {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let service = Service::open(config(&data, &[])).await.unwrap();
        Self { service, data }
    }

    fn set_clock(&mut self, clock: Clock) {
        Arc::get_mut(&mut self.service.state).unwrap().clock = clock;
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.service.router().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn sign_in(&self) -> (StatusCode, Value) {
        let body = json!({
            "email": "demo@example.com", "password": "demo-password", "client_id": "demo"
        });
        let request =
            Request::post("/api/auth/login").header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(body.to_string().into()).unwrap())
            .await
    }

    async fn keys(&self) -> Vec<(String, tenure_core::keyset::KeyState)> {
        let mut keys = Vec::new();
        for of in [KeyUse::Sign, KeyUse::Mac] {
            keys.extend(self.service.state.store.keys(of).await.unwrap());
        }
        keys.into_iter().map(|key| (key.id, key.state)).collect()
    }
}

#[tokio::test]
async fn monitoring_with_an_address_of_its_own_is_nowhere_else() {
    let data = tempfile::tempdir().unwrap();
    let apart = [("TENURE_MONITOR_LISTEN", "127.0.0.1:0")];
    let apart = Service::open(config(&data, &apart)).await.unwrap();
    let usual = Service::open(config(&data, &[])).await.unwrap();
    let expected = [
        ("/metrics", 404, 200, 200),
        ("/health/ready", 404, 200, 200),
        ("/health/live", 200, 404, 200),
        ("/oauth2/jwks", 200, 404, 200),
    ];
    for (path, public, monitor, only) in expected {
        let routers = [apart.router(), apart.monitor_router(), usual.router()];
        for (router, status) in routers.into_iter().zip([public, monitor, only]) {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = router.oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_jumped_rotates_and_retires_no_key() {
    let mut running = Running::start().await;
    let before = running.keys().await;
    running.set_clock(Clock::jumped(YEARS));
    rotate_due(&running.service.state).await;
    assert_eq!(running.keys().await, before);
}

#[tokio::test]
async fn a_clock_that_jumped_begins_nothing_and_refuses_nobody() {
    let mut running = Running::start().await;
    let (_, tokens) = running.sign_in().await;
    let token = tokens["access_token"].as_str().unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    running.set_clock(Clock::jumped(YEARS));

    let me = Request::get("/api/auth/me").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let form = |path: &str, body: String| {
        Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap()
    };
    let api = "client_id=demo-api&client_secret=demo-secret";
    let code = "grant_type=authorization_code&client_id=demo&code=x&code_verifier=y".to_owned();
    let requests = [
        me.body(Body::empty()).unwrap(),
        form("/oauth2/introspect", format!("{api}&token={token}")),
        form("/oauth2/introspect", format!("{api}&token={refresh}")),
        form("/oauth2/token", code),
    ];
    for request in requests {
        let path = request.uri().path().to_owned();
        assert_eq!(running.ask(request).await.0, 503, "{path}");
    }
    assert_eq!(running.sign_in().await.0, 503);
}

#[tokio::test]
async fn a_doubted_clock_is_no_reason_where_the_time_refuses_nobody() {
    let mut running = Running::start().await;
    let (_, tokens) = running.sign_in().await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    running.set_clock(Clock::jumped(60));
    assert!(running.service.state.clock.doubt().is_some());

    for path in ["/api/auth/me", "/oauth2/userinfo"] {
        let bearer = format!("Bearer {access}");
        let request = Request::get(path).header(header::AUTHORIZATION, bearer);
        let (status, body) = running.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    for token in [access, refresh] {
        let body = format!("client_id=demo-api&client_secret=demo-secret&token={token}");
        let request = Request::post("/oauth2/introspect")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let (status, body) = running.ask(request).await;
        assert_eq!((status, &body["active"]), (StatusCode::OK, &json!(true)));
    }
    assert_eq!(running.sign_in().await.0, 503, "begins by the time");
}

#[tokio::test]
async fn a_browser_whose_account_changes_while_it_signs_in_is_not_signed_in() {
    let running = Running::start().await;
    let state = &running.service.state;
    let user = state
        .store
        .user_by_email("demo@example.com")
        .await
        .unwrap()
        .unwrap();
    let (headers, hash) = (HeaderMap::new(), user.password.as_deref());
    browser::sign_in(state, &headers, &user).await.unwrap();

    let changed = state
        .store
        .set_password(&user.subject, hash, "$argon2id$another")
        .await;
    assert_eq!(changed, Ok(Written::Now));
    browser::sign_in(state, &headers, &user).await.unwrap_err();
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused_though_its_key_is_known() {
    let running = Running::start().await;
    let (_, tokens) = running.sign_in().await;
    let token = tokens["access_token"].as_str().unwrap();
    let me = || {
        let bearer = format!("Bearer {token}");
        let request = Request::get("/api/auth/me").header(header::AUTHORIZATION, bearer);
        running.ask(request.body(Body::empty()).unwrap())
    };
    assert_eq!(me().await.0, 200);
    let other = [("TENURE_ISSUER", "http://127.0.0.1:8421")];
    running.service.reload(config(&running.data, &other));
    let (status, body) = me().await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_token"))
    );
}

#[tokio::test]
async fn a_code_that_comes_twice_before_its_session_is_there_ends_it_too() {
    let running = Running::start().await;
    let state = &running.service.state;
    let (client, now) = (state.client(&ClientId::new("demo")).unwrap(), state.now());
    let verifier = "a".repeat(43);
    let granted = CodeGrant {
        subject: Subject::new("demo"),
        client: client.id.clone(),
        scope: client.scope.clone(),
        audience: Vec::new(),
        auth_time: now,
        redirect_uri: "http://127.0.0.1/callback".to_owned(),
        code_challenge: URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())),
        nonce: None,
        lineage: LineageId::new(now, [7; 10]),
    };
    let caller = Caller {
        network: "127.0.0.0/24".parse().unwrap(),
        user_agent: None,
        request_id: None,
    };
    let code = code::issue(state, &granted).await.unwrap();
    let redeem = || code::redeem(state, &caller, &code, &client, None, Some(&verifier));
    let redeemed = redeem().await.unwrap();
    assert_eq!(redeemed.grant, granted);
    redeem().await.unwrap_err();

    let new = Start {
        client: &client,
        grant: granted.session(),
        device: caller.device(None),
        lineage: Some(granted.lineage),
        nonce: None,
    };
    start(state, new).await.unwrap();
    let refused = code::check_unspoilt(state, &caller, &code, &redeemed).await;
    assert!(
        matches!(refused, Err(Fault::InvalidGrant { .. })),
        "{refused:?}"
    );
    let loaded = state.store.load(granted.lineage).await.unwrap().unwrap();
    assert_eq!(loaded.row.revoked.unwrap().cause, EndCause::TheftDetected);
}
