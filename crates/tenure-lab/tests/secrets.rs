//! After everything that can happen to a session: no secret in the database, its log, the
//! revocation log, the service's output at its most talkative, or the metrics.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tenure_lab::actor::{Browser, OAuthClient, Tokens};
use tenure_lab::canary::{Finding, Search};
use tenure_lab::deployment::{API, API_SECRET, CLIENT, Deployment, EMAIL, PASSWORD};
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_secs(30);

/// A service, somebody who does everything with it, and all that must stay secret.
struct Suspect {
    deployment: Deployment,
    http: Client,
    app: OAuthClient,
    secrets: Vec<(String, String)>,
}

impl Suspect {
    async fn start() -> Self {
        let talkative =
            |launch: tenure_lab::process::Launch, _: &Path| Ok(launch.env("TENURE_LOG", "trace"));
        let deployment = Deployment::start_with(talkative).await.unwrap();
        let http = Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let app = deployment.app().unwrap();
        let mut suspect = Self {
            deployment,
            http,
            app,
            secrets: Vec::new(),
        };
        suspect.note("password of the demo account", PASSWORD);
        suspect.note("secret of the demo client", API_SECRET);
        let master = suspect.deployment.directory().join("data/master-secret");
        let master = std::fs::read_to_string(master).unwrap();
        suspect.note("master secret", master.trim());
        suspect
    }

    fn note(&mut self, label: &str, secret: &str) {
        self.secrets.push((label.to_owned(), secret.to_owned()));
    }

    fn note_all(&mut self, how: &str, tokens: &Tokens) {
        self.note(&format!("access token of {how}"), &tokens.access_token);
        if let Some(token) = &tokens.refresh_token {
            self.note(&format!("refresh token of {how}"), token);
        }
        if let Some(token) = &tokens.id_token {
            self.note(&format!("ID token of {how}"), token);
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self
            .http
            .post(format!("{}{path}", self.deployment.issuer()));
        request
            .header("X-Tenure-CSRF", "1")
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// A first-party answer with tokens.
    async fn tokens(&mut self, path: &str, body: &Value) -> Tokens {
        let answer: Value = self
            .post(path, body)
            .await
            .error_for_status()
            .unwrap()
            .json()
            .await
            .unwrap();
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let tokens = Tokens {
            access_token: text("access_token").unwrap(),
            token_type: text("token_type").unwrap(),
            expires_in: None,
            refresh_token: text("refresh_token"),
            id_token: text("id_token"),
            body: answer.clone(),
        };
        self.note_all(path, &tokens);
        tokens
    }

    /// Code + PKCE in a browser, refreshes with and without a key, a replayed code.
    async fn oauth(&mut self) -> Tokens {
        let browser = Browser::new().unwrap();
        let authorization = self
            .app
            .authorize(&browser, EMAIL, PASSWORD, &[])
            .await
            .unwrap();
        self.note("authorization code", &authorization.code);
        self.note("code verifier", &authorization.code_verifier);
        assert!(!browser.cookies().is_empty());
        for name in browser.cookies() {
            self.note(&format!("cookie {name}"), &browser.cookie(&name).unwrap());
        }
        let mut tokens = self.app.redeem(&authorization).await.granted().unwrap();
        self.note_all("the code", &tokens);
        for round in 0..3 {
            let key = format!("idempotency-key-of-round-{round}");
            self.note("idempotency key", &key);
            let refresh = tokens.refresh().unwrap().to_owned();
            tokens = self
                .app
                .refresh_with_key(&refresh, &key, "")
                .await
                .granted()
                .unwrap();
            self.note_all("a refresh", &tokens);
        }
        self.app
            .userinfo(&tokens.access_token)
            .await
            .unwrap()
            .unwrap();
        assert!(
            self.deployment
                .is_active(tokens.refresh().unwrap())
                .await
                .unwrap()
        );
        let again = self
            .app
            .authorize(&browser, EMAIL, PASSWORD, &[])
            .await
            .unwrap();
        self.note("second authorization code", &again.code);
        let copied = self.app.redeem(&again).await.granted().unwrap();
        self.note_all("a code that is replayed", &copied);
        self.app.redeem(&again).await.refused().unwrap();
        tokens
    }

    /// The JSON routes in bearer mode and in cookie mode.
    async fn first_party(&mut self) {
        let login = json!({ "email": EMAIL, "password": PASSWORD, "client_id": CLIENT });
        let tokens = self.tokens("/api/auth/login", &login).await;
        let refresh = json!({ "refresh_token": tokens.refresh().unwrap() });
        let tokens = self.tokens("/api/auth/refresh", &refresh).await;
        for path in ["/api/auth/me", "/api/auth/sessions"] {
            let url = format!("{}{path}", self.deployment.issuer());
            let answer = self
                .http
                .get(url)
                .bearer_auth(&tokens.access_token)
                .send()
                .await
                .unwrap();
            answer.error_for_status().unwrap();
        }
        let logout = json!({ "refresh_token": tokens.refresh().unwrap() });
        self.post("/api/auth/logout", &logout)
            .await
            .error_for_status()
            .unwrap();

        let mut login = login;
        login["mode"] = "cookie".into();
        let answer = self
            .post("/api/auth/login", &login)
            .await
            .error_for_status()
            .unwrap();
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        let pair = cookie.split(';').next().unwrap().to_owned();
        let (_, value) = pair.split_once('=').unwrap();
        assert!(value.starts_with("tnr1_"));
        self.note("refresh cookie", value);
        let url = format!("{}/api/auth/refresh", self.deployment.issuer());
        let request = self
            .http
            .post(url)
            .header(COOKIE, pair)
            .header("X-Tenure-CSRF", "1");
        let answer = request
            .json(&json!({ "mode": "cookie" }))
            .send()
            .await
            .unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        self.note(
            "access token of the cookie",
            answer["access_token"].as_str().unwrap(),
        );
    }

    async fn magic_link(&mut self) {
        let asked = json!({ "email": EMAIL, "client_id": CLIENT });
        self.post("/api/auth/magic-link", &asked)
            .await
            .error_for_status()
            .unwrap();
        let line = self
            .deployment
            .server
            .output()
            .wait_for("/auth/magic?token=", PATIENCE)
            .unwrap();
        let (_, token) = line.split_once("token=").unwrap();
        let token = token.trim().to_owned();
        self.note("magic link", &token);
        self.tokens("/api/auth/magic-link/redeem", &json!({ "token": token }))
            .await;
    }

    /// What administrators do over HTTP and beside the service.
    async fn administration(&mut self) {
        let admin = self.deployment.admin_token().await.unwrap();
        self.note("access token of the administrator", &admin);
        let post = |path: &str, body: Value| {
            let request = self
                .http
                .post(format!("{}{path}", self.deployment.issuer()));
            request.bearer_auth(&admin).json(&body).send()
        };
        let new = json!({ "email": "ada@example.com", "password": "password-of-ada" });
        post("/admin/users", new)
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        let session = json!({ "subject": "of-another-table", "client_id": CLIENT });
        let made = post("/admin/sessions", session)
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        let made: Value = made.json().await.unwrap();
        let refresh = made["sessions"][0]["refresh_token"]
            .as_str()
            .unwrap()
            .to_owned();
        self.note("password over the admin API", "password-of-ada");
        self.note("refresh token of the admin API", &refresh);
        for (command, password) in [
            ("add", "password-of-bob"),
            ("password", "new-password-of-bob"),
        ] {
            self.note("password on stdin", password);
            self.tenure(&["user", command, "bob@example.com"], password)
                .await;
        }
        self.tenure(&["keys", "rotate"], "").await;
    }

    async fn tenure(&self, arguments: &[&str], line: &str) {
        let mut command = self.deployment.tenure(arguments).unwrap();
        let command = command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(line.as_bytes()).await.unwrap();
        drop(stdin);
        assert!(child.wait().await.unwrap().success());
    }

    /// Requests that fail, with secrets in every place where they do not belong.
    async fn failures(&mut self, tokens: &Tokens) {
        let refresh = tokens.refresh().unwrap().to_owned();
        self.note("mistyped password", "demo-passwort-mistyped");
        let login =
            json!({ "email": EMAIL, "password": "demo-passwort-mistyped", "client_id": CLIENT });
        assert_eq!(self.post("/api/auth/login", &login).await.status(), 401);
        self.note("mistyped client secret", "demo-secret-mistyped");
        let wrong = OAuthClient::new(self.deployment.issuer(), API).unwrap();
        wrong
            .with_secret("demo-secret-mistyped")
            .refresh(&refresh)
            .await
            .refused()
            .unwrap();
        let unknown = json!({ "refresh_token": refresh, "password": PASSWORD });
        assert_eq!(self.post("/api/auth/refresh", &unknown).await.status(), 400);
        let cut = &refresh[..refresh.len() - 1];
        self.app.refresh(cut).await.refused().unwrap();
        self.note("truncated token", cut);
        for path in [
            "oauth2/token",
            "oauth2/userinfo",
            "no/such/path",
            "api/auth/me",
        ] {
            let query = format!(
                "refresh_token={refresh}&access_token={}",
                tokens.access_token
            );
            let url = format!("{}/{path}?{query}", self.deployment.issuer());
            assert!(
                self.http
                    .get(url)
                    .send()
                    .await
                    .unwrap()
                    .status()
                    .is_client_error()
            );
        }
        let url = format!("{}/oauth2/userinfo", self.deployment.issuer());
        let request = self
            .http
            .get(url)
            .bearer_auth(format!("{}x", tokens.access_token));
        assert_eq!(request.send().await.unwrap().status(), 401);
    }

    async fn theft(&mut self, tokens: &Tokens) {
        let refresh = tokens.refresh().unwrap();
        let thief = self.app.refresh(refresh).await.granted().unwrap();
        let owner = self.app.refresh(refresh).await.granted().unwrap();
        self.note_all("the thief", &thief);
        self.note_all("the owner", &owner);
        let thief = self
            .app
            .refresh(thief.refresh().unwrap())
            .await
            .granted()
            .unwrap();
        self.note_all("the thief's step", &thief);
        let refusal = self
            .app
            .refresh(owner.refresh().unwrap())
            .await
            .refused()
            .unwrap();
        assert_eq!(refusal.tenure_reason.as_deref(), Some("theft_detected"));
    }

    /// Everything that the service left behind so far.
    async fn findings(&self, search: &Search) -> Vec<Finding> {
        let mut findings = search
            .in_path(&self.deployment.directory().join("data"))
            .unwrap();
        // The one file that is there to hold one.
        findings.retain(|found| !found.place.ends_with("master-secret"));
        findings.extend(search.in_bytes("output", self.log().as_bytes()));
        let metrics = self
            .http
            .get(format!("{}/metrics", self.deployment.issuer()))
            .send()
            .await
            .unwrap();
        findings.extend(search.in_bytes("metrics", &metrics.bytes().await.unwrap()));
        findings
    }

    /// The output without what --dev shows on purpose: the demo credentials and its mail.
    fn log(&self) -> String {
        let mut in_mail = false;
        let mut lines = self.deployment.server.output().lines();
        lines.retain(|line| {
            let demo = [
                "demo@example.com, password demo-password",
                "demo-api, secret demo-secret",
            ];
            let was_in_mail = in_mail;
            in_mail = if in_mail {
                line != "---"
            } else {
                line.starts_with("--- mail to ")
            };
            !was_in_mail
                && !in_mail
                && !demo
                    .iter()
                    .any(|shown| line.ends_with(shown) || line.contains(shown))
        });
        lines.join("\n")
    }
}

fn told(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|found| format!("{found}\n"))
        .collect::<Vec<_>>()
        .concat()
}

#[tokio::test]
async fn nothing_that_was_issued_or_typed_in_is_left_behind() {
    let mut suspect = Suspect::start().await;
    let tokens = suspect.oauth().await;
    suspect.first_party().await;
    suspect.magic_link().await;
    suspect.administration().await;
    suspect.failures(&tokens).await;
    suspect.theft(&tokens).await;
    assert!(suspect.secrets.len() > 40, "{}", suspect.secrets.len());

    let search = Search::new(
        suspect
            .secrets
            .iter()
            .map(|(label, secret)| (label, secret.as_str())),
    )
    .unwrap();
    // While it runs, the write-ahead log is full; a killed server leaves it to the next one.
    let running = suspect.findings(&search).await;
    assert!(running.is_empty(), "{}", told(&running));
    suspect.deployment.server.restart().unwrap();
    let restarted = suspect.findings(&search).await;
    assert!(restarted.is_empty(), "{}", told(&restarted));
    suspect.deployment.server.terminate().unwrap();
    suspect.deployment.server.restart().unwrap();
    let stopped = suspect.findings(&search).await;
    assert!(stopped.is_empty(), "{}", told(&stopped));
}

#[tokio::test]
async fn the_search_finds_what_is_there() {
    let mut suspect = Suspect::start().await;
    suspect.first_party().await;
    // What is no secret stands in each of the places, so that an empty result above is one.
    let shown = [
        ("address", EMAIL),
        ("event", "session_started"),
        ("metric", "tenure_refreshes_total"),
    ];
    let search = Search::new(shown).unwrap();
    let findings = suspect.findings(&search).await;
    let found = |label: &str, place: &str| {
        findings
            .iter()
            .any(|f| f.label == label && f.place.to_string_lossy().contains(place))
    };
    assert!(found("address", "tenure.db"), "{}", told(&findings));
    assert!(
        found("event", "tenure.db-wal") && found("event", "output"),
        "{}",
        told(&findings)
    );
    assert!(found("metric", "metrics"), "{}", told(&findings));
    // And the demo credentials, where they are shown.
    let demo = Search::new([("password", PASSWORD), ("secret", API_SECRET)]).unwrap();
    let output = suspect.deployment.server.output().to_string();
    assert_eq!(demo.in_bytes("output", output.as_bytes()).len(), 2);
}
