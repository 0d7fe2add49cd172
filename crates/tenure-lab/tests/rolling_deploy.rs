//! Keys change and servers are replaced while users stay signed in.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tenure_lab::actor::{OAuthClient, Tokens};
use tenure_lab::deployment::{CLIENT, Deployment, EMAIL, LATE_WINDOW, PASSWORD};
use tenure_lab::process::{Launch, Server};

const PATIENCE: Duration = Duration::from_secs(30);
/// How long a key is published before it signs (`keys.distribute`).
const DISTRIBUTE: u64 = 24 * 3600;
const ACCESS_LIFETIME: u64 = 900;

async fn start() -> Deployment {
    let debug = |launch: Launch, _: &Path| Ok(launch.env("TENURE_LOG", "debug"));
    Deployment::start_with(debug).await.unwrap()
}

/// A second server of the same issuer, on this data.
fn second(deployment: &Deployment, data: &Path) -> Server {
    let launch = Launch::tenure(data).unwrap();
    launch
        .env("TENURE_ISSUER", deployment.issuer())
        .start()
        .unwrap()
}

/// A client that meets only that server.
fn app_at(server: &Server) -> OAuthClient {
    OAuthClient::new(server.url(), CLIENT).unwrap()
}

/// The `use` and `kid` of the keys in `state`, as `tenure keys list` tells them.
#[derive(Debug, PartialEq, Eq)]
struct Keys(Vec<[String; 3]>);

impl Keys {
    fn parse(table: &str) -> Self {
        let row = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            [words[0].clone(), words[1].clone(), words[3].clone()]
        };
        Self(table.lines().skip(1).map(row).collect())
    }

    /// The key that signs and the key that tags.
    fn active(&self) -> (String, String) {
        let one = |of| self.one(of, "active").to_owned();
        (one("sign"), one("mac"))
    }

    /// The one key of this use in this state.
    fn one(&self, of: &str, state: &str) -> &str {
        let mut found = self
            .0
            .iter()
            .filter(|[used, _, is]| used == of && is == state);
        let [_, kid, _] = found
            .next()
            .unwrap_or_else(|| panic!("no {state} {of} key: {self:?}"));
        assert!(found.next().is_none(), "{self:?}");
        kid
    }
}

/// `tenure keys list|rotate` beside the running service.
async fn keys(deployment: &Deployment, command: &str) -> Keys {
    let output = deployment
        .tenure(&["keys", command])
        .unwrap()
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Keys::parse(&String::from_utf8(output.stdout).unwrap())
}

/// Waits until the running service has noticed which keys are active.
fn noticed(server: &Server, keys: &Keys) {
    let (signing, mac) = (keys.one("sign", "active"), keys.one("mac", "active"));
    let line = format!(r#""event":"keys_reloaded","signing":"{signing}","mac":"{mac}""#);
    server.output().wait_for(&line, PATIENCE).unwrap();
}

/// Publishes the next keys, waits until they may be used, and lets them take over.
async fn rotated(deployment: &Deployment) -> Keys {
    keys(deployment, "rotate").await;
    deployment
        .server
        .advance_clock(DISTRIBUTE + 1)
        .await
        .unwrap();
    let keys = keys(deployment, "rotate").await;
    noticed(&deployment.server, &keys);
    keys
}

/// The MAC key that a refresh token names, in its first four bytes.
fn mac_of(tokens: &Tokens) -> String {
    let token = tokens.refresh().unwrap();
    let bytes = URL_SAFE_NO_PAD
        .decode(&token["tnr1_".len().."tnr1_".len() + 8])
        .unwrap();
    format!(
        "{:08x}",
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    )
}

fn json_of(base64: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(base64).unwrap()).unwrap()
}

fn kid_of(jwt: &str) -> String {
    json_of(jwt.split('.').next().unwrap())["kid"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn jwks(deployment: &Deployment) -> Vec<Value> {
    let url = format!("{}/oauth2/jwks", deployment.issuer());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let set: Value = client.get(url).send().await.unwrap().json().await.unwrap();
    set["keys"].as_array().unwrap().clone()
}

fn published(jwks: &[Value]) -> Vec<&str> {
    jwks.iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect()
}

/// The keys that an answer was made with.
fn keys_of(tokens: &Tokens) -> (String, String) {
    (kid_of(&tokens.access_token), mac_of(tokens))
}

async fn next_of(app: &OAuthClient, tokens: &Tokens) -> Tokens {
    app.refresh(tokens.refresh().unwrap())
        .await
        .granted()
        .unwrap()
}

/// What a resource server does: finds the key by `kid` and checks an ES256 signature.
fn verifies(jwt: &str, jwks: &[Value]) -> bool {
    let Some(key) = jwks.iter().find(|key| key["kid"] == *kid_of(jwt)) else {
        return false;
    };
    assert_eq!(
        (&key["alg"], &key["crv"]),
        (&"ES256".into(), &"P-256".into())
    );
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &signature)
        .is_ok()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_server_that_lacks_the_new_mac_key_answers_503_and_ends_nothing() {
    let mut deployment = start().await;
    let app = deployment.app().unwrap();
    let before = app.sign_in(EMAIL, PASSWORD).await.unwrap();
    // A server of the previous deployment: it knows the session, and not the keys to come.
    deployment.server.terminate().unwrap();
    let stale = deployment.directory().join("stale");
    copy(&deployment.directory().join("data"), &stale);
    deployment.server.restart().unwrap();
    let stale = second(&deployment, &stale);
    let keys = rotated(&deployment).await;
    let after = app
        .refresh(before.refresh().unwrap())
        .await
        .granted()
        .unwrap();
    assert_eq!(mac_of(&after), keys.one("mac", "active"));
    assert_eq!(mac_of(&before), keys.one("mac", "retiring"));

    let refusal = app_at(&stale)
        .refresh(after.refresh().unwrap())
        .await
        .refused()
        .unwrap();
    assert_eq!(refusal.status, 503, "{refusal:?}");
    assert_eq!(refusal.error.as_deref(), Some("temporarily_unavailable"));
    assert!(refusal.retry_after.is_some());
    assert!(stale.output().contains(&format!(
        r#""event":"mac_key_missing","kid":"{}""#,
        mac_of(&after)
    )));
    // Nor is it known to be inactive, or taken for signed out.
    assert!(
        app_at(&stale)
            .revoke(after.refresh().unwrap())
            .await
            .is_err()
    );
    // Whoever is sent there meanwhile with an older token is served, and so is the client elsewhere.
    app_at(&stale)
        .refresh(before.refresh().unwrap())
        .await
        .granted()
        .unwrap();
    app.refresh(after.refresh().unwrap())
        .await
        .granted()
        .unwrap();
}

#[tokio::test]
async fn keys_are_distributed_before_they_are_used() {
    let deployment = start().await;
    let app = deployment.app().unwrap();
    let first = app.sign_in(EMAIL, PASSWORD).await.unwrap();
    let old = keys(&deployment, "list").await.active();
    assert_eq!(keys_of(&first), old);

    let next = keys(&deployment, "rotate").await;
    noticed(&deployment.server, &next);
    let set = jwks(&deployment).await;
    assert_eq!(published(&set), [old.0.as_str(), next.one("sign", "next")]);
    // An impatient administrator changes nothing.
    assert_eq!(keys(&deployment, "rotate").await, next);
    let second = next_of(&app, &first).await;
    assert_eq!(keys_of(&second), old);

    deployment
        .server
        .advance_clock(DISTRIBUTE + 1)
        .await
        .unwrap();
    let now = keys(&deployment, "rotate").await;
    noticed(&deployment.server, &now);
    assert_eq!(now.one("sign", "active"), next.one("sign", "next"));
    assert_eq!(now.one("mac", "active"), next.one("mac", "next"));
    assert_eq!(keys_of(&next_of(&app, &second).await), now.active());
}

#[tokio::test]
async fn what_a_key_signed_verifies_for_as_long_as_it_lives() {
    let deployment = start().await;
    let app = deployment.app().unwrap();
    let mut tokens = app.sign_in(EMAIL, PASSWORD).await.unwrap();
    let old = keys(&deployment, "rotate").await.active();
    deployment
        .server
        .advance_clock(DISTRIBUTE + 1)
        .await
        .unwrap();
    // The last token of the old key, a moment before the takeover.
    tokens = next_of(&app, &tokens).await;
    assert_eq!(keys_of(&tokens), old);
    let now = keys(&deployment, "rotate").await;
    noticed(&deployment.server, &now);
    let set = jwks(&deployment).await;
    assert!(verifies(&tokens.access_token, &set));
    assert!(verifies(tokens.id_token.as_deref().unwrap(), &set));
    app.userinfo(&tokens.access_token).await.unwrap().unwrap();
    tokens = next_of(&app, &tokens).await;
    assert_eq!(keys_of(&tokens), now.active());
    assert!(verifies(&tokens.access_token, &set));
    assert!(
        !verifies(&tokens.access_token.replace(".e", ".f"), &set),
        "a check that can fail"
    );

    let longest = ACCESS_LIFETIME + LATE_WINDOW + 1;
    deployment.server.advance_clock(longest).await.unwrap();
    let later = keys(&deployment, "rotate").await;
    assert_eq!(later.one("sign", "retired"), old.0);
    assert_eq!(
        later.one("mac", "retiring"),
        old.1,
        "refresh tokens live longer"
    );
    next_of(&app, &tokens).await;
}

#[tokio::test]
async fn a_refresh_token_survives_the_key_that_it_was_made_under() {
    let deployment = start().await;
    let app = deployment.app().unwrap();
    let tokens = app.sign_in(EMAIL, PASSWORD).await.unwrap();
    let keys = rotated(&deployment).await;
    // Unused until shortly before the idle limit, long after the takeover.
    deployment
        .server
        .advance_clock(28 * DISTRIBUTE)
        .await
        .unwrap();
    assert_eq!(mac_of(&tokens), keys.one("mac", "retiring"));
    let tokens = app
        .refresh(tokens.refresh().unwrap())
        .await
        .granted()
        .unwrap();
    assert_eq!(mac_of(&tokens), keys.one("mac", "active"));
}

#[tokio::test]
async fn two_servers_over_one_store_are_one_service() {
    let deployment = start().await;
    let app = deployment.app().unwrap();
    let other = second(&deployment, &deployment.directory().join("data"));
    let there = app_at(&other);
    let mut tokens = app.sign_in(EMAIL, PASSWORD).await.unwrap();
    let first = tokens.refresh().unwrap().to_owned();
    for _ in 0..5 {
        tokens = there
            .refresh(tokens.refresh().unwrap())
            .await
            .granted()
            .unwrap();
        tokens = app
            .refresh(tokens.refresh().unwrap())
            .await
            .granted()
            .unwrap();
        assert!(deployment.is_active(&tokens.access_token).await.unwrap());
    }
    // Late at the other server, too, is late and not theft.
    assert_eq!(there.refresh(&first).await.refused().unwrap().status, 503);
    there.revoke(tokens.refresh().unwrap()).await.unwrap();
    let refusal = app
        .refresh(tokens.refresh().unwrap())
        .await
        .refused()
        .unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("logged_out"));
}

#[tokio::test]
async fn a_restart_is_noticed_by_nobody_who_tries_again() {
    let mut deployment = start().await;
    let app = deployment.app().unwrap();
    let mut tokens = app.sign_in(EMAIL, PASSWORD).await.unwrap();
    for _ in 0..3 {
        assert!(deployment.server.terminate().unwrap().success());
        assert_eq!(
            app.refresh(tokens.refresh().unwrap())
                .await
                .refused()
                .unwrap()
                .status,
            502
        );
        deployment.server.restart().unwrap();
        tokens = app
            .refresh(tokens.refresh().unwrap())
            .await
            .granted()
            .unwrap();
    }
}
