//! What a client's policy makes of lost answers and parallel holders, and who is slowed down.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::StatusCode;
use tenure_lab::actor::{OAuthClient, Refusal, TokenAnswer, Tokens};
use tenure_lab::deployment::{API_SECRET, Deployment, EMAIL, LATE_WINDOW, PASSWORD};
use tenure_lab::proxy::Fault;

const TOKEN: &str = "/oauth2/token";

/// Clients of the same kind with different policies.
const CLIENTS: &str = r#"
[clients.strict]
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
policy = "strict"

[clients.none]
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
policy = "none"
# demo-secret
secret_sha256 = "cd577fe2561ebff23505db0bb006300c7cdecbd46bc0e03c449afafaca2c25bf"

[clients.wary]
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
revoke_on_parallel_use = true
"#;

async fn with_clients() -> Deployment {
    let start = Deployment::start_with(|launch, directory| {
        let file = directory.join("tenure.toml");
        fs::write(&file, CLIENTS)?;
        Ok(launch.args(["--config"]).args([file]))
    });
    start.await.unwrap()
}

fn client(deployment: &Deployment, id: &str) -> OAuthClient {
    OAuthClient::new(deployment.issuer(), id).unwrap()
}

async fn sign_in(app: &OAuthClient) -> Tokens {
    app.sign_in(EMAIL, PASSWORD).await.unwrap()
}

async fn refresh(app: &OAuthClient, tokens: &Tokens) -> TokenAnswer {
    app.refresh(tokens.refresh().unwrap()).await
}

async fn next(app: &OAuthClient, tokens: &Tokens) -> Tokens {
    refresh(app, tokens).await.granted().unwrap()
}

/// A refresh under a key, with the hashes of the keys used for the token's parent.
async fn keyed(app: &OAuthClient, tokens: &Tokens, key: &str, claims: &[&str]) -> TokenAnswer {
    let claims: Vec<_> = claims.iter().map(|key| hash(key)).collect();
    app.refresh_with_key(tokens.refresh().unwrap(), key, &claims.join(" "))
        .await
}

fn hash(key: &str) -> String {
    let digest = digest(&SHA256, key.as_bytes());
    digest
        .as_ref()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

#[tokio::test]
async fn strict_retires_at_issue_and_a_lost_answer_ends_the_session() {
    let deployment = with_clients().await;
    let app = client(&deployment, "strict");
    let mut tokens = sign_in(&app).await;
    for _ in 0..20 {
        tokens = next(&app, &tokens).await;
    }
    deployment.proxy.next(TOKEN, Fault::SwallowAnswer, 1);
    assert!(refresh(&app, &tokens).await.is_lost());
    let refusal = refresh(&app, &tokens).await.refused().unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("theft_detected"));
}

#[tokio::test]
async fn none_keeps_one_token_for_a_client_with_a_secret() {
    let deployment = with_clients().await;
    let app = client(&deployment, "none").with_secret(API_SECRET);
    let first = sign_in(&app).await;
    let mut last = first.clone();
    for _ in 0..20 {
        last = next(&app, &last).await;
        deployment
            .server
            .advance_clock(20 * 24 * 3600 / 10)
            .await
            .unwrap();
    }
    next(&app, &first).await;
    next(&app, &last).await;
    let public = client(&deployment, "none");
    assert_eq!(refresh(&public, &last).await.refused().unwrap().status, 401);
}

#[tokio::test]
async fn a_retry_with_the_same_key_gets_the_same_successor() {
    let deployment = Deployment::start().await.unwrap();
    let app = deployment.app().unwrap();
    let tokens = sign_in(&app).await;
    let key = "the-key-of-the-first-attempt";
    let once = keyed(&app, &tokens, key, &[]).await.granted().unwrap();
    let again = keyed(&app, &tokens, key, &[]).await.granted().unwrap();
    next(&app, &once).await;
    // Were it another successor, this would be the second holder of a fork.
    deployment
        .server
        .advance_clock(LATE_WINDOW + 1)
        .await
        .unwrap();
    let went_on = next(&app, &again).await;
    next(&app, &went_on).await;
}

#[tokio::test]
async fn somebody_who_only_ever_uses_the_head_is_reported() {
    let deployment = with_clients().await;
    let app = deployment.app().unwrap();
    let tokens = sign_in(&app).await;
    let (owner, thief) = (
        "the-key-of-the-owners-attempt",
        "the-key-of-the-thiefs-attempt",
    );
    let mine = keyed(&app, &tokens, owner, &[]).await.granted().unwrap();
    keyed(&app, &tokens, thief, &[]).await.granted().unwrap();
    let mine = keyed(&app, &mine, "the-key-of-the-second-attempt", &[owner])
        .await
        .granted()
        .unwrap();
    let seen = [("verdict", "parallel_use")];
    assert_eq!(
        deployment
            .count("tenure_refreshes_total", &seen)
            .await
            .unwrap(),
        1
    );
    let trail = deployment.audit().await.unwrap();
    assert!(
        trail
            .iter()
            .any(|event| event.get("event").unwrap() == "parallel_use"),
        "{trail:?}"
    );
    // Nobody is signed out for it unless the policy says so, and the thief is left behind.
    next(&app, &mine).await;
    assert_eq!(refresh(&app, &tokens).await.refused().unwrap().status, 503);

    let app = client(&deployment, "wary");
    let tokens = sign_in(&app).await;
    let mine = keyed(&app, &tokens, owner, &[]).await.granted().unwrap();
    keyed(&app, &tokens, thief, &[]).await.granted().unwrap();
    let refusal = keyed(&app, &mine, "the-key-of-the-second-attempt", &[owner])
        .await
        .refused()
        .unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("theft_detected"));
}

fn assert_slowed_down(refusal: &Refusal) {
    assert_eq!(
        refusal.status,
        StatusCode::TOO_MANY_REQUESTS.as_u16(),
        "{refusal:?}"
    );
    assert_eq!(refusal.error.as_deref(), Some("slow_down"));
    assert!(
        (1..=60).contains(&refusal.retry_after.unwrap()),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn one_token_presented_again_and_again_is_slowed_down_and_the_session_goes_on() {
    let limited =
        Deployment::start_with(|launch, _| Ok(launch.env("TENURE_LIMITS_AGAIN_PER_MINUTE", "5")));
    let deployment = limited.await.unwrap();
    let app = deployment.app().unwrap();
    let tokens = sign_in(&app).await;
    let mut kept = tokens.clone();
    for _ in 0..5 {
        kept = next(&app, &tokens).await;
    }
    assert_slowed_down(&refresh(&app, &tokens).await.refused().unwrap());
    let other = sign_in(&app).await;
    next(&app, &other).await;
    next(&app, &kept).await;
}

#[tokio::test]
async fn a_flood_of_one_network_is_slowed_down_whatever_it_says_of_itself() {
    let limited =
        Deployment::start_with(|launch, _| Ok(launch.env("TENURE_LIMITS_TOKEN_PER_MINUTE", "6")));
    let deployment = limited.await.unwrap();
    let app = deployment.app().unwrap();
    let mut tokens = sign_in(&app).await;
    let slowed = loop {
        match refresh(&app, &tokens).await {
            TokenAnswer::Granted(granted) => tokens = granted,
            answer => break answer.refused().unwrap(),
        }
    };
    assert_slowed_down(&slowed);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "demo"),
        ("refresh_token", tokens.refresh().unwrap()),
    ];
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let request = http
            .post(format!("{}{TOKEN}", deployment.issuer()))
            .form(&form);
        let answer = request.header(header, "203.0.113.9").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{header}");
    }
    let active = deployment
        .count("tenure_sign_outs_total", &[])
        .await
        .unwrap();
    assert_eq!(active, 0);
    app.userinfo(&tokens.access_token).await.unwrap().unwrap();
}
