//! npm `openid-client` in a Node process, against the service behind the fault proxy.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod story;

use serde_json::{Value, json};
use tenure_lab::actor::Browser;
use tenure_lab::deployment::{API, API_SECRET, CLIENT, Deployment, EMAIL, PASSWORD};
use tenure_lab::foreign::{NodeClient, NodeError};
use tenure_lab::skip;
use url::Url;

use self::story::{Client, Outcome};

const REDIRECT: &str = "http://127.0.0.1:7/callback";

struct App {
    node: NodeClient,
    issuer: String,
    tokens: Value,
}

impl App {
    /// Signs in with code + PKCE through the sign-in form.
    async fn sign_in(issuer: String) -> Self {
        let mut node = NodeClient::discover(&issuer, CLIENT, None).await.unwrap();
        let authorize = json!({ "do": "authorize", "redirect_uri": REDIRECT, "scope": "openid email offline_access" });
        let url = ok(&mut node, &authorize).await;
        let browser = Browser::new().unwrap();
        let url = Url::parse(url.as_str().unwrap()).unwrap();
        let back = browser
            .sign_in(url, EMAIL, PASSWORD, REDIRECT)
            .await
            .unwrap();
        let tokens = ok(
            &mut node,
            &json!({ "do": "callback", "url": back.as_str() }),
        )
        .await;
        Self {
            node,
            issuer,
            tokens,
        }
    }

    async fn ok(&mut self, command: &str) -> Value {
        ok(&mut self.node, &json!({ "do": command })).await
    }
}

impl Client for App {
    async fn refresh(&mut self) -> Outcome {
        match self
            .node
            .command(&json!({ "do": "refresh" }))
            .await
            .unwrap()
        {
            Ok(tokens) => {
                self.tokens = tokens;
                Outcome::Granted
            }
            Err(NodeError {
                error: Some(error),
                reason,
                ..
            }) if error == "invalid_grant" => Outcome::Ended(reason.unwrap()),
            Err(_) => Outcome::Trouble,
        }
    }

    fn held(&self) -> (String, String) {
        let token = |name: &str| self.tokens[name].as_str().unwrap().to_owned();
        (token("access_token"), token("refresh_token"))
    }

    async fn copied(&self) -> Self {
        let mut node = NodeClient::discover(&self.issuer, CLIENT, None)
            .await
            .unwrap();
        ok(&mut node, &json!({ "do": "hold", "tokens": self.tokens })).await;
        Self {
            node,
            issuer: self.issuer.clone(),
            tokens: self.tokens.clone(),
        }
    }

    fn path(&self) -> &'static str {
        "/oauth2/token"
    }

    async fn clock_is_ahead(&mut self, seconds: u64) {
        ok(
            &mut self.node,
            &json!({ "do": "clock", "ahead_seconds": seconds }),
        )
        .await;
    }
}

async fn ok(node: &mut NodeClient, command: &Value) -> Value {
    node.command(command).await.unwrap().unwrap()
}

/// The service, or none where Node is missing.
async fn deployment() -> Option<Deployment> {
    if let Some(why) = NodeClient::obstacle() {
        skip(&why).unwrap();
        return None;
    }
    Some(Deployment::start().await.unwrap())
}

#[tokio::test]
async fn it_discovers_signs_in_looks_and_revokes() {
    let Some(deployment) = deployment().await else {
        return;
    };
    let mut app = App::sign_in(deployment.issuer()).await;
    let claims = &app.tokens["claims"];
    assert_eq!(claims["iss"], deployment.issuer());
    assert_eq!(claims["aud"], CLIENT);
    let user = app.ok("userinfo").await;
    assert_eq!(user["sub"], app.tokens["claims"]["sub"]);
    assert_eq!(user["email"], EMAIL);

    let mut api = NodeClient::discover(&deployment.issuer(), API, Some(API_SECRET))
        .await
        .unwrap();
    let (access, refresh) = app.held();
    for token in [&access, &refresh] {
        let described = ok(&mut api, &json!({ "do": "introspect", "token": token })).await;
        assert_eq!(described["active"], true);
        assert_eq!(described["sub"], user["sub"]);
        assert_eq!(described["client_id"], CLIENT);
    }
    app.ok("revoke").await;
    for token in [&access, &refresh] {
        let described = ok(&mut api, &json!({ "do": "introspect", "token": token })).await;
        assert_eq!(described, json!({ "active": false }));
    }
    assert_eq!(app.refresh().await, Outcome::Ended("logged_out".to_owned()));
}

#[tokio::test]
async fn twenty_refreshes_five_lost_answers_and_two_kills_later_it_is_still_signed_in() {
    let Some(mut deployment) = deployment().await else {
        return;
    };
    let mut app = App::sign_in(deployment.issuer()).await;
    story::stays_signed_in(&mut deployment, &mut app).await;
    assert_eq!(app.ok("userinfo").await["email"], EMAIL);
}

#[tokio::test]
async fn an_old_copy_of_its_token_ends_the_session_of_both() {
    let Some(deployment) = deployment().await else {
        return;
    };
    let mut app = App::sign_in(deployment.issuer()).await;
    story::an_old_copy_ends_the_session(&deployment, &mut app).await;
}

#[tokio::test]
async fn a_thief_who_goes_on_first_ends_the_session_of_both() {
    let Some(deployment) = deployment().await else {
        return;
    };
    let mut app = App::sign_in(deployment.issuer()).await;
    story::a_faster_thief_ends_the_session(&deployment, &mut app).await;
}
