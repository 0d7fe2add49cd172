//! A device that has no browser, and a person who has one (RFC 8628).

use std::sync::Arc;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, header};
use tokio::task::JoinSet;

use crate::visitor::{ISSUER, PARTNER_CALLBACK, PASSWORD, Seen, Server, Visitor, encoded};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const BOX: &str = "box:partner-secret-partner-secret-partner";
const KEY: &str = "an-idempotency-key-of-enough-characters";

async fn post(
    server: &Server,
    path: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Seen {
    let mut request =
        Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server
        .send(request.body(encoded(fields).into()).unwrap())
        .await
}

async fn begin(server: &Server, fields: &[(&str, &str)]) -> Seen {
    post(server, "/oauth2/device_authorization", &[], fields).await
}

/// A device authorization of the television, waiting.
async fn begun(server: &Server) -> Seen {
    let begun = begin(server, &[("client_id", "tv")]).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    begun
}

async fn poll_as(server: &Server, client: &str, code: &str, headers: &[(&str, &str)]) -> Seen {
    let fields = [
        ("grant_type", GRANT_TYPE),
        ("client_id", client),
        ("device_code", code),
    ];
    post(server, "/oauth2/token", headers, &fields).await
}

async fn poll(server: &Server, begun: &Seen) -> Seen {
    poll_as(server, "tv", &begun.text("device_code"), &[]).await
}

async fn poll_with_key(server: &Server, begun: &Seen, key: &str) -> Seen {
    let headers = [("idempotency-key", key)];
    poll_as(server, "tv", &begun.text("device_code"), &headers).await
}

#[track_caller]
fn refused(seen: &Seen, error: &str) {
    assert_eq!(
        (seen.status.as_u16(), &*seen.text("error")),
        (400, error),
        "{}",
        seen.body
    );
    assert_eq!(seen.headers[header::CACHE_CONTROL], "no-store");
}

fn page_of(user_code: &str) -> String {
    format!("/device?user_code={user_code}")
}

/// A person who is signed in at this server.
async fn signed_in(server: &Server) -> Visitor<'_> {
    let mut visitor = server.visitor();
    let page = visitor.open("/oauth2/sign-in?device").await;
    let back = visitor.sign_in(&page, PASSWORD).await;
    assert_eq!(back.location(), "../device");
    visitor
}

async fn press(visitor: &mut Visitor<'_>, page: &Seen, decision: &str) -> Seen {
    let fields = [
        ("user_code", &*page.hidden("user_code")),
        ("csrf", &*page.hidden("csrf")),
        ("decision", decision),
    ];
    visitor.submit("/device", &fields).await
}

/// Signs in, and says so of the device.
async fn decided(server: &Server, begun: &Seen, decision: &str) {
    let mut visitor = signed_in(server).await;
    let page = visitor.open(&page_of(&begun.text("user_code"))).await;
    let done = press(&mut visitor, &page, decision).await;
    assert_eq!(done.status, 200, "{}", done.body);
}

#[tokio::test]
async fn a_person_allows_a_device_and_it_gets_tokens() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    assert_eq!(begun.headers[header::CACHE_CONTROL], "no-store");
    let user_code = begun.text("user_code");
    assert_eq!(begun.text("verification_uri"), format!("{ISSUER}/device"));
    let complete = begun.text("verification_uri_complete");
    assert_eq!(complete, format!("{ISSUER}/device?user_code={user_code}"));
    assert_eq!(
        (&begun.json()["expires_in"], &begun.json()["interval"]),
        (&600.into(), &5.into())
    );
    refused(&poll(&server, &begun).await, "authorization_pending");

    let mut visitor = server.visitor();
    let first = visitor.open(&page_of(&user_code)).await;
    let sign_in = format!("oauth2/sign-in?device?user_code={user_code}");
    assert_eq!(first.location(), sign_in);
    let page = visitor.open(&format!("/{sign_in}")).await;
    assert!(page.body.contains("your device"));
    let wrong = visitor.sign_in(&page, "wrong").await;
    assert_eq!(wrong.status, 422);
    let back = visitor.sign_in(&wrong, PASSWORD).await;
    assert_eq!(back.location(), format!("../device?user_code={user_code}"));

    let page = visitor.open(&page_of(&user_code)).await;
    for shown in [
        "Television &#60;i&#62;4&#60;/i&#62;",
        &user_code,
        "demo@example.com",
        "See your e-mail address",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert!(!page.body.contains("<script"));
    server.later(5).await;
    refused(&poll(&server, &begun).await, "authorization_pending");
    let done = press(&mut visitor, &page, "allow").await;
    assert!(done.body.contains("Device connected"), "{}", done.body);

    let tokens = poll(&server, &begun).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(tokens.text("scope"), "email offline_access openid");
    let claims = tokens.claims("access_token");
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&"demo".into(), &"tv".into())
    );
    assert_eq!(
        claims["aud"],
        serde_json::json!(["https://api.example.com", ISSUER])
    );
    assert_eq!(tokens.claims("id_token")["aud"], "tv");
    let refreshed = server.refresh("tv", &tokens.text("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
}

#[tokio::test]
async fn a_code_is_understood_however_it_is_typed() {
    let server = Server::start().await;
    let user_code = begun(&server).await.text("user_code");
    let mut visitor = signed_in(&server).await;
    let page = visitor.open("/device").await;
    assert!(page.body.contains("Type the code"), "{}", page.body);
    let bare = user_code.replace('-', "").to_lowercase();
    let spaced = bare.chars().flat_map(|c| ['+', c]).collect::<String>();
    for typed in [&*bare, &*spaced, &user_code.replace('-', "%E2%80%93")] {
        let page = visitor.open(&page_of(typed)).await;
        assert_eq!(page.hidden("user_code"), user_code, "{typed}");
    }
    for typed in ["1234-5678", "WDJB-MJH", "%3Cb%3E"] {
        let page = visitor.open(&page_of(typed)).await;
        assert_eq!(page.status, 422, "{typed}");
        assert!(page.body.contains("not a code of ours"), "{}", page.body);
        assert!(!page.body.contains("<b>"));
    }
}

#[tokio::test]
async fn a_device_that_is_not_allowed_is_told_so() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    decided(&server, &begun, "deny").await;
    for _ in 0..2 {
        refused(&poll(&server, &begun).await, "access_denied");
    }
    let mut visitor = signed_in(&server).await;
    let page = visitor.open(&page_of(&begun.text("user_code"))).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("No device waits with that code"));
}

#[tokio::test]
async fn a_decision_that_comes_second_is_not_taken() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    let mut visitor = signed_in(&server).await;
    let page = visitor.open(&page_of(&begun.text("user_code"))).await;
    press(&mut visitor, &page, "deny").await;
    let late = press(&mut visitor, &page, "allow").await;
    assert_eq!(late.status, 422, "{}", late.body);
    refused(&poll(&server, &begun).await, "access_denied");
}

#[tokio::test]
async fn a_device_code_lives_ten_minutes() {
    let server = Server::start().await;
    let [pending, allowed] = [begun(&server).await, begun(&server).await];
    decided(&server, &allowed, "allow").await;
    server.later(601).await;
    for begun in [&pending, &allowed] {
        refused(&poll(&server, begun).await, "expired_token");
        let mut visitor = signed_in(&server).await;
        let page = visitor.open(&page_of(&begun.text("user_code"))).await;
        assert_eq!(page.status, 422);
    }
}

#[tokio::test]
async fn a_device_that_polls_too_often_is_slowed_down() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    refused(&poll(&server, &begun).await, "authorization_pending");
    refused(&poll(&server, &begun).await, "slow_down");
    server.later(6).await;
    refused(&poll(&server, &begun).await, "slow_down");
    server.later(15).await;
    refused(&poll(&server, &begun).await, "authorization_pending");
    decided(&server, &begun, "allow").await;
    assert_eq!(poll(&server, &begun).await.status, 200, "told at once");
}

#[tokio::test]
async fn another_client_s_device_code_is_refused_and_kept() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    decided(&server, &begun, "allow").await;
    let code = begun.text("device_code");
    refused(&poll_as(&server, "demo", &code, &[]).await, "invalid_grant");
    let other = format!("{code}x");
    refused(&poll_as(&server, "tv", &other, &[]).await, "invalid_grant");
    assert_eq!(poll(&server, &begun).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_parallel_redemptions_one_gets_tokens_and_the_copy_ends_the_session() {
    let server = Arc::new(Server::start().await);
    let begun = Arc::new(begun(&server).await);
    decided(&server, &begun, "allow").await;
    let mut polls = JoinSet::new();
    for _ in 0..16 {
        let (server, begun) = (Arc::clone(&server), Arc::clone(&begun));
        polls.spawn(async move { poll(&server, &begun).await });
    }
    let answers = polls.join_all().await;
    let (granted, others): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert!(granted.len() <= 1, "{} were granted", granted.len());
    for other in &others {
        refused(other, "invalid_grant");
    }
    let trail = server.audited().await;
    assert_eq!(trail.matches("session_started").count(), 1, "{trail}");
    assert_eq!(trail.matches("theft_detected").count(), 1, "{trail}");
    // Where a copy overtook the redemption, there was nothing to grant any more.
    for tokens in &granted {
        let over = server.refresh("tv", &tokens.text("refresh_token")).await;
        assert_eq!(over.text("tenure_reason"), "theft_detected");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_redemptions_with_one_key_are_one_session() {
    let server = Arc::new(Server::start().await);
    let begun = Arc::new(begun(&server).await);
    decided(&server, &begun, "allow").await;
    let mut polls = JoinSet::new();
    for _ in 0..16 {
        let (server, begun) = (Arc::clone(&server), Arc::clone(&begun));
        polls.spawn(async move { poll_with_key(&server, &begun, KEY).await });
    }
    let answers = polls.join_all().await;
    let sids = answers.iter().map(|answer| {
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.claims("access_token")["sid"].to_string()
    });
    let mut sids: Vec<String> = sids.collect();
    sids.dedup();
    assert_eq!(sids.len(), 1);
    let last = answers.last().unwrap().text("refresh_token");
    assert_eq!(server.refresh("tv", &last).await.status, 200);
}

#[tokio::test]
async fn a_device_code_that_comes_twice_ends_the_session_it_started() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    decided(&server, &begun, "allow").await;
    let tokens = poll_with_key(&server, &begun, KEY).await;
    let copied = poll(&server, &begun).await;
    refused(&copied, "invalid_grant");
    let over = server.refresh("tv", &tokens.text("refresh_token")).await;
    assert_eq!(over.text("tenure_reason"), "theft_detected");
    refused(&poll_with_key(&server, &begun, KEY).await, "invalid_grant");
}

#[tokio::test]
async fn a_lost_answer_is_given_again_until_the_session_goes_on() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    refused(
        &poll_with_key(&server, &begun, KEY).await,
        "authorization_pending",
    );
    decided(&server, &begun, "allow").await;
    let lost = poll_with_key(&server, &begun, KEY).await;
    let again = poll_with_key(&server, &begun, KEY).await;
    assert_eq!(again.status, 200, "{}", again.body);
    let token = again.text("refresh_token");
    assert_eq!(token, lost.text("refresh_token"));

    let refreshed = server.refresh("tv", &token).await;
    let next = server.refresh("tv", &refreshed.text("refresh_token")).await;
    let late = poll_with_key(&server, &begun, KEY).await;
    refused(&late, "invalid_grant");
    let still = server.refresh("tv", &next.text("refresh_token")).await;
    assert_eq!(still.status, 200, "{}", still.body);
    let weak = poll_with_key(&server, &begun, "short").await;
    refused(&weak, "invalid_request");
}

#[tokio::test]
async fn what_was_allowed_before_a_new_password_is_void() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    decided(&server, &begun, "allow").await;
    let body = r#"{"password":"another password"}"#;
    server.administer("/admin/users/demo/password", body).await;
    refused(&poll(&server, &begun).await, "invalid_grant");
}

#[tokio::test]
async fn a_form_that_was_not_shown_to_this_sign_in_decides_nothing() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    let user_code = begun.text("user_code");
    let mut visitor = signed_in(&server).await;
    let mut other = signed_in(&server).await;
    let page = visitor.open(&page_of(&user_code)).await;
    let foreign = press(&mut other, &page, "allow").await;
    assert_eq!(foreign.location(), format!("device?user_code={user_code}"));
    let forged = [
        ("user_code", &*user_code),
        ("csrf", ""),
        ("decision", "allow"),
    ];
    let forged = visitor.submit("/device", &forged).await;
    assert_eq!(forged.location(), format!("device?user_code={user_code}"));
    let nobody = press(&mut server.visitor(), &page, "allow").await;
    assert_eq!(
        nobody.location(),
        format!("oauth2/sign-in?device?user_code={user_code}")
    );
    refused(&poll(&server, &begun).await, "authorization_pending");
    let switched = press(&mut visitor, &page, "switch").await;
    assert_eq!(
        switched.location(),
        format!("oauth2/sign-in?device?user_code={user_code}")
    );
    assert_eq!(
        visitor.open("/device").await.location(),
        "oauth2/sign-in?device"
    );
}

#[tokio::test]
async fn user_codes_cannot_be_guessed() {
    let server = Server::start().await;
    let user_code = begun(&server).await.text("user_code");
    let mut nobody = server.visitor();
    for guess in [&*user_code, "BCDF-GHJK"] {
        let seen = nobody.open(&page_of(guess)).await;
        assert_eq!(
            seen.location(),
            format!("oauth2/sign-in?device?user_code={guess}"),
            "nobody learns whether a code exists without having signed in"
        );
    }
    let mut visitor = signed_in(&server).await;
    for _ in 0..10 {
        let seen = visitor.open(&page_of("BCDF-GHJK")).await;
        assert_eq!(seen.status, 422);
    }
    for guess in ["BCDF-GHJK", &user_code] {
        let seen = visitor.open(&page_of(guess)).await;
        assert_eq!(seen.status, 429);
        assert!(seen.headers.contains_key(header::RETRY_AFTER));
    }
}

#[tokio::test]
async fn only_clients_that_may_begin_a_device_authorization() {
    let server = Server::start().await;
    let machine = [("client_id", "spa")];
    refused(&begin(&server, &machine).await, "unauthorized_client");
    let spa = poll_as(&server, "spa", "code", &[]).await;
    refused(&spa, "unauthorized_client");
    let too_much = [("client_id", "tv"), ("scope", "openid tenure:admin")];
    refused(&begin(&server, &too_much).await, "invalid_scope");
    let elsewhere = [("client_id", "tv"), ("resource", "https://evil.example")];
    refused(&begin(&server, &elsewhere).await, "invalid_target");
    let nobody = begin(&server, &[]).await;
    assert_eq!(
        (nobody.status.as_u16(), &*nobody.text("error")),
        (401, "invalid_client")
    );
    let unproven = begin(&server, &[("client_id", "box")]).await;
    assert_eq!(unproven.status, 401);
    let basic = format!("Basic {}", STANDARD.encode(BOX));
    let headers = [("authorization", &*basic)];
    let path = "/oauth2/device_authorization";
    let proven = post(&server, path, &headers, &[("scope", "openid")]).await;
    assert_eq!(proven.status, 200, "{}", proven.body);
    let got = Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(server.send(got).await.status, 405);

    let narrower = [
        ("client_id", "tv"),
        ("scope", "openid"),
        ("resource", "https://files.example.com"),
    ];
    let begun = begin(&server, &narrower).await;
    decided(&server, &begun, "allow").await;
    let tokens = poll(&server, &begun).await;
    assert_eq!(tokens.text("scope"), "openid");
    assert!(tokens.json().get("refresh_token").is_none());
    assert_eq!(
        tokens.claims("access_token")["aud"],
        "https://files.example.com"
    );
}

#[tokio::test]
async fn a_mailed_link_leads_back_to_the_device() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    let user_code = begun.text("user_code");
    let mut visitor = server.visitor();
    let path = format!("/oauth2/sign-in?device?user_code={user_code}");
    let page = visitor.open(&path).await;
    visitor.ask_for_link(&page, "demo@example.com").await;
    let link = server.mailed_link().await;
    let page = visitor.open(&link).await;
    let fields = [
        ("token", &*page.hidden("token")),
        ("csrf", &*page.hidden("csrf")),
    ];
    let back = visitor.submit("/oauth2/link", &fields).await;
    assert_eq!(back.location(), format!("../device?user_code={user_code}"));
    let page = visitor.open(&page_of(&user_code)).await;
    press(&mut visitor, &page, "allow").await;
    assert_eq!(poll(&server, &begun).await.status, 200);
}

#[tokio::test]
async fn every_step_is_counted_and_the_decision_is_in_the_audit_trail() {
    let server = Server::start().await;
    let begun = begun(&server).await;
    decided(&server, &begun, "allow").await;
    poll(&server, &begun).await;
    poll(&server, &begun).await;
    let metrics = Request::get("/metrics").body(Body::empty()).unwrap();
    let metrics = server.send(metrics).await.body;
    for step in ["begun", "allowed", "redeemed", "replayed"] {
        let line = format!("step=\"{step}\"}} 1");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    let trail = server.audited().await;
    for event in ["device_allowed", "session_started", "session_ended"] {
        assert!(trail.contains(&format!("\"{event}\"")), "{event}: {trail}");
    }
    assert!(!trail.contains(&begun.text("device_code")));
    assert!(!trail.contains(&begun.text("user_code")));
}

#[tokio::test]
async fn the_metadata_name_the_device_authorization_endpoint() {
    let server = Server::start().await;
    let request = Request::get("/.well-known/oauth-authorization-server");
    let metadata = server
        .send(request.body(Body::empty()).unwrap())
        .await
        .json();
    assert_eq!(
        metadata["device_authorization_endpoint"],
        format!("{ISSUER}/oauth2/device_authorization")
    );
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&GRANT_TYPE.into()));
}

#[tokio::test]
async fn the_sign_in_page_by_itself_is_for_devices_only() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    for query in [
        "",
        "?",
        "?client_id=demo",
        &*format!("?redirect_uri={PARTNER_CALLBACK}"),
    ] {
        let seen = visitor.open(&format!("/oauth2/sign-in{query}")).await;
        assert_eq!(seen.status, 400, "{query}");
    }
}
