//! Magic links: asked for, mailed, opened, redeemed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod app;

use app::{API, App, EMAIL, basic, link, token};
use axum::body::Body;
use http::{Request, header};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

const ASK: &str = "/api/auth/magic-link";
const REDEEM: &str = "/api/auth/magic-link/redeem";

async fn mailed(app: &App) -> String {
    let body = json!({ "email": EMAIL, "client_id": "demo" });
    let seen = app.post(ASK, &body).await;
    assert_eq!(seen.status, 202, "{}", seen.body);
    app.mailed_links(1).await.remove(0)
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let app = App::start().await;
    let link = mailed(&app).await;
    assert!(
        link.starts_with("http://127.0.0.1:8420/auth/magic?token="),
        "{link}"
    );
    let body = json!({ "token": token(&link), "device_label": "Ana's phone" });
    let tokens = app.post(REDEEM, &body).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(app.refresh(&tokens.text("refresh_token")).await.status, 200);
    let me = app.get("/api/auth/me", &tokens.text("access_token")).await;
    assert_eq!(me.text("email"), EMAIL);
    app.post(REDEEM, &body).await.refused(400, "invalid_grant");
    assert_eq!(app.refresh(&tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn two_who_redeem_one_link_at_once_get_one_session() {
    let app = std::sync::Arc::new(App::start().await);
    let link = mailed(&app).await;
    let mut at_once = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (app, body) = (
            std::sync::Arc::clone(&app),
            json!({ "token": token(&link) }),
        );
        at_once.spawn(async move { app.post(REDEEM, &body).await.status.as_u16() });
    }
    let answers = at_once.join_all().await;
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        1,
        "{answers:?}"
    );
    assert_eq!(
        answers.iter().filter(|status| **status == 400).count(),
        15,
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_link_is_over_after_a_quarter_of_an_hour() {
    let app = App::start().await;
    let link = mailed(&app).await;
    app.later(15 * 60 + 1).await;
    let body = json!({ "token": token(&link) });
    app.post(REDEEM, &body).await.refused(400, "invalid_grant");
    app.post(REDEEM, &json!({ "token": "nonsense" }))
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn nobody_learns_which_accounts_exist_and_disabled_ones_get_no_mail() {
    let app = App::start().await;
    let gone =
        json!({ "email": "gone@example.com", "password": "correct horse", "subject": "gone" });
    assert_eq!(app.admin("/admin/users", &gone).await.status, 201);
    app.admin("/admin/users/gone/disable", &json!({})).await;
    for email in ["nobody@example.com", "gone@example.com"] {
        let seen = app
            .post(ASK, &json!({ "email": email, "client_id": "demo" }))
            .await;
        assert_eq!(
            (seen.status.as_u16(), seen.body.as_str()),
            (202, ""),
            "{email}"
        );
    }
    // Asked for last and there: what was asked for before it would be, too.
    mailed(&app).await;
    assert_eq!(app.mailed_links(1).await.len(), 1);
}

#[tokio::test]
async fn whoever_is_disabled_meanwhile_is_not_signed_in() {
    let app = App::start().await;
    let link = mailed(&app).await;
    app.admin("/admin/users/demo/disable", &json!({})).await;
    app.admin("/admin/users/demo/enable", &json!({})).await;
    // A link on its way ends with the account's sessions, even if that is enabled again.
    app.post(REDEEM, &json!({ "token": token(&link) }))
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_request_that_is_wrong_does_not_use_the_link_up() {
    let app = App::start().await;
    let link = mailed(&app).await;
    let good = json!({ "token": token(&link) });
    let mut label = good.clone();
    label["device_label"] = json!("x".repeat(200));
    app.post(REDEEM, &label)
        .await
        .refused(400, "invalid_request");
    let mut cookie = good.clone();
    cookie["mode"] = json!("cookie");
    app.post(REDEEM, &cookie)
        .await
        .refused(403, "access_denied");
    let mut typo = good.clone();
    typo["tokn"] = json!("x");
    app.post(REDEEM, &typo)
        .await
        .refused(400, "invalid_request");
    let csrf = [("x-tenure-csrf", "1")];
    let seen = app.post_with(REDEEM, &csrf, &cookie).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(
        seen.cookie("tenure_refresh")
            .unwrap()
            .0
            .starts_with("tnr1_")
    );
    assert!(!seen.body.contains("tnr1_"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is_looked_up() {
    let app = App::start().await;
    let ask = async |body: serde_json::Value| app.post(ASK, &body).await;
    ask(json!({ "email": "ana", "client_id": "demo" }))
        .await
        .refused(400, "invalid_request");
    ask(json!({ "email": EMAIL, "client_id": "partner" }))
        .await
        .refused(400, "unauthorized_client");
    ask(json!({ "email": EMAIL, "client_id": "nobody" }))
        .await
        .refused(401, "invalid_client");
    let elsewhere =
        json!({ "email": EMAIL, "client_id": "spa", "redirect_uri": "https://evil.example" });
    ask(elsewhere).await.refused(400, "invalid_request");
    for _ in 0..200 {
        let seen = ask(json!({ "email": "nobody@example.com", "client_id": "demo" })).await;
        if seen.status == 429 {
            assert!(seen.headers.contains_key(header::RETRY_AFTER));
            return;
        }
    }
    panic!("two hundred mails to one address");
}

#[tokio::test]
async fn a_link_can_lead_to_the_app_itself() {
    let app = App::start().await;
    let body =
        json!({ "email": EMAIL, "client_id": "spa", "redirect_uri": "https://spa.example/cb" });
    assert_eq!(app.post(ASK, &body).await.status, 202);
    let link = app.mailed_links(1).await.remove(0);
    assert!(link.starts_with("https://spa.example/cb?token="), "{link}");

    // A client with a secret redeems with it, and its links lead to itself.
    let headers = [("authorization", basic(API))];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let body = json!({ "email": EMAIL, "client_id": "demo-api" });
    app.post_with(ASK, &headers, &body)
        .await
        .refused(400, "invalid_request");
    let callback = "http://127.0.0.1/callback";
    let body = json!({ "email": EMAIL, "client_id": "demo-api", "redirect_uri": callback });
    assert_eq!(app.post_with(ASK, &headers, &body).await.status, 202);
    let link = app.mailed_links(2).await.remove(0);
    let body = json!({ "token": token(&link) });
    app.post(REDEEM, &body).await.refused(401, "invalid_client");
    assert_eq!(app.post_with(REDEEM, &headers, &body).await.status, 200);
}

fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn opening_the_page_uses_nothing_up_and_its_button_signs_the_browser_in() {
    let app = App::start().await;
    let link = mailed(&app).await;
    let path = link.strip_prefix("http://127.0.0.1:8420").unwrap();
    let scanner = app.get(path, "").await;
    assert_eq!(scanner.status, 200, "{}", scanner.body);
    let page = app.get(path, "").await;
    assert!(page.body.contains(EMAIL), "whose link it is");
    assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");

    let (form_cookie, _) = page.cookie("tenure-form").unwrap();
    let form_cookie = format!("tenure-form={form_cookie}");
    let (secret, csrf) = (hidden(&page.body, "token"), hidden(&page.body, "csrf"));
    let press = async |cookie: &str, csrf: &str| {
        let body = format!("token={secret}&csrf={csrf}");
        app.post_form("/auth/magic", &[("cookie", cookie)], body)
            .await
    };
    assert_eq!(
        press("", &csrf).await.status,
        400,
        "another browser, or another site"
    );
    assert_eq!(press(&form_cookie, "").await.status, 400);
    let done = press(&form_cookie, &csrf).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(!done.body.contains("tnr1_"));
    let (token, attributes) = done.cookie("tenure_refresh").unwrap();
    assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Strict"));
    assert_eq!(app.refresh(&token).await.status, 200);

    assert_eq!(press(&form_cookie, &csrf).await.status, 400);
    let over = app.get(path, "").await;
    assert_eq!(over.status, 400);
    assert!(over.body.contains("used before"), "{}", over.body);
    assert_eq!(app.get("/auth/magic", "").await.status, 400);
}

#[tokio::test]
async fn the_outbox_is_a_page_of_dev_only() {
    let app = App::start().await;
    let link = mailed(&app).await;
    let page = app.get("/dev/outbox", "").await;
    assert!(
        page.body.contains(EMAIL) && page.body.contains(token(&link)),
        "{}",
        page.body
    );
    let deployed = App::deployed(None).await;
    deployed
        .get("/dev/outbox", "")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn without_a_mail_server_links_are_refused_for_everybody() {
    let app = App::deployed(None).await;
    let body = json!({ "email": EMAIL, "client_id": "demo" });
    app.post(ASK, &body).await.refused(404, "not_found");
}

/// Takes one mail (RFC 5321) and answers its text.
async fn mail_server(listener: TcpListener) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 test\r\n").await.unwrap();
    let (mut mail, mut in_data, mut line) = (String::new(), false, String::new());
    while stream.read_line(&mut line).await.unwrap() > 0 {
        let answer = match line.trim_end() {
            "." => break,
            text if in_data => {
                // Quoted-printable folds long lines with a trailing "=" (RFC 2045 section 6.7).
                mail.push_str(text.strip_suffix('=').unwrap_or(&line));
                ""
            }
            "DATA" => {
                in_data = true;
                "354 go on\r\n"
            }
            _ => "250 ok\r\n",
        };
        stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
        line.clear();
    }
    stream.get_mut().write_all(b"250 taken\r\n").await.unwrap();
    mail.replace("=3D", "=")
}

#[tokio::test]
async fn a_mailed_link_signs_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = App::deployed(Some(listener.local_addr().unwrap().port())).await;
    let server = tokio::spawn(mail_server(listener));
    let user = json!({ "email": EMAIL });
    assert_eq!(app.admin("/admin/users", &user).await.status, 201);
    let body = json!({ "email": EMAIL, "client_id": "demo" });
    assert_eq!(app.post(ASK, &body).await.status, 202);
    let mail = server.await.unwrap();
    assert!(mail.contains("To: demo@example.com"), "{mail}");
    let link = link(&mail);
    assert!(
        link.starts_with("https://id.example.com/auth/magic?token="),
        "{mail}"
    );
    let tokens = app.post(REDEEM, &json!({ "token": token(&link) })).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
}

#[tokio::test]
async fn a_link_of_the_oauth_page_is_not_for_these_routes() {
    let app = App::start().await;
    let query = "response_type=code&client_id=demo&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback\
        &scope=openid&state=s&code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\
        &code_challenge_method=S256";
    let request = Request::get(format!("/oauth2/authorize?{query}"));
    let page = app.send(request.body(Body::empty()).unwrap()).await;
    let (form_cookie, _) = page.cookie("tenure-form").unwrap();
    let form_cookie = format!("tenure-form={form_cookie}");
    let authorization = hidden(&page.body, "authorization").replace("&#38;", "&");
    let fields = [
        ("authorization", authorization.as_str()),
        ("csrf", &hidden(&page.body, "csrf")),
        ("email", EMAIL),
        ("action", "link"),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let sent = app
        .post_form("/oauth2/sign-in", &[("cookie", &form_cookie)], body)
        .await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    let link = app.mailed_links(1).await.remove(0);
    assert!(link.contains("/oauth2/link?token="), "{link}");
    app.post(REDEEM, &json!({ "token": token(&link) }))
        .await
        .refused(400, "invalid_grant");
    let path = format!("/auth/magic?token={}", token(&link));
    assert_eq!(app.get(&path, "").await.status, 400);
}
