//! Every way a session ends is told to the client, counted, and found in the audit trail.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tenure_lab::actor::{OAuthClient, Tokens};
use tenure_lab::deployment::{Deployment, EMAIL, LATE_WINDOW, PASSWORD};
use tenure_lab::process::Ended;

const DAY: u64 = 24 * 3600;
const PATIENCE: Duration = Duration::from_secs(30);

struct Case {
    deployment: Deployment,
    app: OAuthClient,
    tokens: Tokens,
}

impl Case {
    async fn start() -> Self {
        Self::with(Deployment::start().await.unwrap(), |app| app).await
    }

    async fn with(deployment: Deployment, adjust: impl FnOnce(OAuthClient) -> OAuthClient) -> Self {
        let app = adjust(deployment.app().unwrap());
        let tokens = app.sign_in(EMAIL, PASSWORD).await.unwrap();
        Self {
            deployment,
            app,
            tokens,
        }
    }

    async fn goes_on(&mut self) {
        self.tokens = self
            .app
            .refresh(self.tokens.refresh().unwrap())
            .await
            .granted()
            .unwrap();
    }

    async fn after(&self, seconds: u64) {
        self.deployment.server.advance_clock(seconds).await.unwrap();
    }

    /// A request of an app or an administrator, with a bearer token.
    async fn request(&self, method: Method, path: &str, bearer: &str) -> Value {
        let url = format!("{}{path}", self.deployment.issuer());
        let client = Client::builder().no_proxy().build().unwrap();
        let answer = client
            .request(method, url)
            .bearer_auth(bearer)
            .send()
            .await
            .unwrap();
        let answer = answer.error_for_status().unwrap();
        if answer.status() == StatusCode::NO_CONTENT {
            Value::Null
        } else {
            answer.json().await.unwrap()
        }
    }

    /// An administrator's command beside the running service.
    async fn tenure(&self, arguments: &[&str], stdin: &str) -> String {
        let mut command = self.deployment.tenure(arguments).unwrap();
        let ended = Ended::of(&mut command, stdin).await.unwrap();
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stdout
    }

    /// The session is over for this reason: the client is told, again and again; it is counted, and
    /// the administrator finds it.
    async fn is_over(&self, reason: &str) {
        let counted = self
            .deployment
            .count("tenure_sign_outs_total", &[("reason", reason)])
            .await
            .unwrap();
        for _ in 0..2 {
            let refusal = self
                .app
                .refresh(self.tokens.refresh().unwrap())
                .await
                .refused()
                .unwrap();
            assert_eq!(refusal.status, 400, "{refusal:?}");
            assert_eq!(refusal.error.as_deref(), Some("invalid_grant"));
            assert_eq!(
                refusal.tenure_reason.as_deref(),
                Some(reason),
                "{refusal:?}"
            );
            assert!(refusal.description.is_some());
        }
        let told = self
            .deployment
            .count("tenure_sign_outs_total", &[("reason", reason)])
            .await
            .unwrap();
        assert_eq!(told, counted + 2);
        assert!(
            !self
                .deployment
                .is_active(self.tokens.refresh().unwrap())
                .await
                .unwrap()
        );
        let trail = self
            .tenure(&["audit", "--user", EMAIL, "--since", "1d"], "")
            .await;
        assert!(
            trail.contains(reason),
            "why was this user signed out?\n{trail}"
        );
    }

    async fn is_active(&self) -> bool {
        self.deployment
            .is_active(&self.tokens.access_token)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_session_that_nobody_used_for_its_idle_limit() {
    let mut case = Case::start().await;
    for _ in 0..3 {
        case.after(30 * DAY - 60).await;
        case.goes_on().await;
    }
    case.after(30 * DAY + 60).await;
    case.is_over("expired_idle").await;
}

#[tokio::test]
async fn a_session_that_reached_its_absolute_lifetime() {
    let mut case = Case::start().await;
    for _ in 0..13 {
        case.after(28 * DAY).await;
        case.goes_on().await;
    }
    let left = case.tokens.body["refresh_expires_in"].as_u64().unwrap();
    assert!(left <= DAY, "{left}");
    case.after(left + 60).await;
    case.is_over("expired_absolute").await;
}

#[tokio::test]
async fn a_session_whose_user_signed_out() {
    let case = Case::start().await;
    case.app
        .revoke(case.tokens.refresh().unwrap())
        .await
        .unwrap();
    assert!(!case.is_active().await);
    case.is_over("logged_out").await;

    let case = Case::with(case.deployment, |app| app).await;
    let app = case.deployment.first_party().unwrap();
    app.logout(case.tokens.refresh().unwrap()).await.unwrap();
    assert!(!case.is_active().await);
    case.is_over("logged_out").await;
}

#[tokio::test]
async fn any_token_of_a_session_signs_it_out_and_is_never_taken_for_reuse() {
    let mut case = Case::start().await;
    let first = case.tokens.refresh().unwrap().to_owned();
    for _ in 0..3 {
        case.goes_on().await;
    }
    case.after(LATE_WINDOW + 1).await;
    case.app.revoke(&first).await.unwrap();
    case.is_over("logged_out").await;
    // The first cause counts: what comes after a sign-out is no theft.
    let refusal = case.app.refresh(&first).await.refused().unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("logged_out"));

    let case = Case::with(case.deployment, |app| app).await;
    case.app.revoke(&case.tokens.access_token).await.unwrap();
    case.is_over("logged_out").await;
}

#[tokio::test]
async fn a_session_that_the_user_ended_from_another_device() {
    let case = Case::start().await;
    let other = case.app.sign_in(EMAIL, PASSWORD).await.unwrap();
    let listed = case
        .request(Method::GET, "/api/auth/sessions", &other.access_token)
        .await;
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let id = sessions
        .iter()
        .find(|session| session["current"] == false)
        .unwrap()["id"]
        .as_str()
        .unwrap();
    case.request(
        Method::DELETE,
        &format!("/api/auth/sessions/{id}"),
        &other.access_token,
    )
    .await;
    assert!(!case.is_active().await);
    case.is_over("revoked_by_user").await;
    case.app
        .refresh(other.refresh().unwrap())
        .await
        .granted()
        .unwrap();

    let case = Case::with(case.deployment, |app| app).await;
    case.request(Method::DELETE, "/api/auth/sessions", &other.access_token)
        .await;
    case.is_over("revoked_by_user").await;
    case.app
        .refresh(other.refresh().unwrap())
        .await
        .granted()
        .unwrap();
}

#[tokio::test]
async fn a_session_that_an_administrator_ended() {
    let case = Case::start().await;
    let user = case
        .app
        .userinfo(&case.tokens.access_token)
        .await
        .unwrap()
        .unwrap();
    let subject = user["sub"].as_str().unwrap();
    let sessions = format!("/admin/subjects/{subject}/sessions");
    let admin = case.deployment.admin_token().await.unwrap();
    let listed = case.request(Method::GET, &sessions, &admin).await;
    let sid = listed["sessions"][0]["sid"].as_str().unwrap();
    case.request(
        Method::DELETE,
        &format!("/admin/sessions/{sid}?subject={subject}"),
        &admin,
    )
    .await;
    assert!(!case.is_active().await);
    case.is_over("revoked_by_admin").await;

    let case = Case::with(case.deployment, |app| app).await;
    case.request(Method::DELETE, &sessions, &admin).await;
    assert!(!case.is_active().await);
    case.is_over("revoked_by_admin").await;
}

#[tokio::test]
async fn a_session_whose_password_was_changed_beside_the_running_service() {
    let case = Case::start().await;
    let said = case
        .tenure(&["user", "password", EMAIL], "another-password\n")
        .await;
    assert!(said.contains("1 session ended"), "{said}");
    assert!(!case.is_active().await);
    case.is_over("credentials_changed").await;
    assert!(case.app.sign_in(EMAIL, PASSWORD).await.is_err());
    // The change is as fine as a second; whoever signs in after it is signed in.
    case.after(1).await;
    let tokens = case.app.sign_in(EMAIL, "another-password").await.unwrap();
    case.app
        .refresh(tokens.refresh().unwrap())
        .await
        .granted()
        .unwrap();
}

#[tokio::test]
async fn a_session_whose_account_was_disabled_beside_the_running_service() {
    let case = Case::start().await;
    case.tenure(&["user", "disable", EMAIL], "").await;
    assert!(!case.is_active().await);
    case.is_over("account_disabled").await;
    assert!(case.app.sign_in(EMAIL, PASSWORD).await.is_err());
    case.tenure(&["user", "enable", EMAIL], "").await;
    case.is_over("account_disabled").await;
    case.after(1).await;
    let tokens = case.app.sign_in(EMAIL, PASSWORD).await.unwrap();
    case.app
        .refresh(tokens.refresh().unwrap())
        .await
        .granted()
        .unwrap();
}

const WITH_CLIENT: &str = r#"
[clients.kiosk]
name = "Kiosk"
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
"#;

#[tokio::test]
async fn a_session_whose_client_was_removed_and_put_back() {
    let write = |directory: &std::path::Path, text: &str| {
        let path = directory.join("tenure.toml");
        std::fs::write(&path, text).unwrap();
        path
    };
    let deployment = Deployment::start_with(|launch, directory| {
        let config = write(directory, WITH_CLIENT);
        Ok(launch.args(["--config"]).args([config]))
    });
    let kiosk = |mut app: OAuthClient| {
        "kiosk".clone_into(&mut app.client_id);
        app
    };
    let mut case = Case::with(deployment.await.unwrap(), kiosk).await;
    case.goes_on().await;
    let output = case.deployment.server.output().clone();
    let reload = |text: &str, clients: &str| {
        write(case.deployment.directory(), text);
        case.deployment.server.hang_up().unwrap();
        output.wait_for(clients, PATIENCE).unwrap();
    };
    reload("", "\"clients\":2");
    // A client that is gone cannot authenticate; the route that needs none tells the reason.
    let refusal = case
        .app
        .refresh(case.tokens.refresh().unwrap())
        .await
        .refused()
        .unwrap();
    assert_eq!(
        (refusal.status, refusal.error.as_deref()),
        (401, Some("invalid_client"))
    );
    let app = case.deployment.first_party().unwrap();
    let refusal = app
        .refresh(case.tokens.refresh().unwrap())
        .await
        .refused()
        .unwrap();
    assert_eq!(refusal.status, 400);
    assert_eq!(refusal.tenure_reason.as_deref(), Some("client_removed"));
    let told = case
        .deployment
        .count("tenure_sign_outs_total", &[("reason", "client_removed")]);
    assert_eq!(told.await.unwrap(), 1);
    let trail = case.tenure(&["audit", "--user", EMAIL], "").await;
    assert!(trail.contains("client_removed"), "{trail}");
    // A slip in a file is no reason to sign anybody out for good.
    reload(WITH_CLIENT, "\"clients\":3");
    case.goes_on().await;
}

#[tokio::test]
async fn a_session_of_two_holders() {
    let mut case = Case::start().await;
    let copied = case.tokens.refresh().unwrap().to_owned();
    case.goes_on().await;
    case.goes_on().await;
    case.after(LATE_WINDOW + 1).await;
    let refusal = case.app.refresh(&copied).await.refused().unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("theft_detected"));
    assert!(!case.is_active().await);
    case.is_over("theft_detected").await;
}

#[tokio::test]
async fn a_token_that_was_never_issued() {
    let mut case = Case::start().await;
    let good = case.tokens.refresh().unwrap().to_owned();
    case.tokens.refresh_token = Some(good.replace("tnr1_A", "tnr1_B").replace("tnr1_", "tnr1_x"));
    let refusal = case
        .app
        .refresh(case.tokens.refresh().unwrap())
        .await
        .refused()
        .unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("unknown"));
    let told = case
        .deployment
        .count("tenure_sign_outs_total", &[("reason", "unknown")])
        .await
        .unwrap();
    assert_eq!(told, 1);
    case.app.refresh(&good).await.granted().unwrap();
}
