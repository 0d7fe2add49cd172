//! Texts that are no refresh token of this service.

use serde_json::json;
use tenure_lab::deployment::{CLIENT, Deployment, EMAIL, PASSWORD};

use crate::bench::{Bench, TOKEN, flipped};

fn refresh(token: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT),
        ("refresh_token", token),
    ]
}

fn malformed(good: &str) -> Vec<String> {
    let mut bad = vec![
        "garbage".to_owned(),
        "tnr1_".to_owned(),
        good.replace("tnr1_", "tnr2_"),
        good.to_uppercase(),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}A"),
        format!("{good}{good}"),
        format!("{good}\0"),
        "0".repeat(60_000),
        "\u{1f511}".repeat(20),
    ];
    bad.extend((9..good.len()).step_by(9).map(|end| good[..end].to_owned()));
    bad.extend((0..good.len()).step_by(7).map(|at| flipped(good, at)));
    bad
}

#[tokio::test]
async fn what_is_no_refresh_token_is_unknown_and_harms_nobody() {
    let mut bench = Bench::start().await;
    for token in malformed(&bench.token()) {
        let request = bench.form(TOKEN, &refresh(&token));
        let refused = bench.no_grant(request, "not known").await;
        assert_eq!(refused.body["tenure_reason"], "unknown");
        let body = json!({ "refresh_token": token });
        let request = bench.post("/api/auth/refresh").json(&body);
        let refused = bench.no_grant(request, "not known").await;
        assert_eq!(refused.body["tenure_reason"], "unknown");
        // Nobody learns from these two whether a token ever existed.
        bench.app.revoke(&token).await.unwrap();
        assert!(!bench.deployment.is_active(&token).await.unwrap());
        bench.goes_on().await;
    }
}

#[tokio::test]
async fn other_tokens_of_the_session_do_not_refresh_it() {
    let mut bench = Bench::start().await;
    let others = [
        bench.tokens.access_token.clone(),
        bench.tokens.id_token.clone().unwrap(),
    ];
    for token in others {
        let request = bench.form(TOKEN, &refresh(&token));
        let refused = bench.no_grant(request, "not known").await;
        assert_eq!(refused.body["tenure_reason"], "unknown");
    }
}

#[tokio::test]
async fn a_token_of_another_service_is_this_servers_trouble_and_not_the_users() {
    let mut bench = Bench::start().await;
    let other = Deployment::start().await.unwrap();
    let foreign = other.app().unwrap().sign_in(EMAIL, PASSWORD).await.unwrap();
    let request = bench.form(TOKEN, &refresh(foreign.refresh().unwrap()));
    let error = "temporarily_unavailable";
    let refused = bench.refused(request, 503, error, "lacks a key").await;
    assert!(refused.headers.contains_key("retry-after"));
    let missing = [("verdict", "missing_key")];
    let counted = bench.deployment.count("tenure_refreshes_total", &missing);
    assert_eq!(counted.await.unwrap(), 1);
    assert!(bench.deployment.server.output().contains("mac_key_missing"));
}
