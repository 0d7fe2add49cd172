//! What each probe puts on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenure_core::secret::Secret;
use tenure_doctor::exchange::Exchange;
use tenure_doctor::probe::{
    Carried, Introspection, Options, Probe, Refresh, Subject, Wire as _, request, set,
};

use crate::server::{TOKEN, field, live, says, serve, subject};

/// Sends every probe that is possible, as a recording does, and pairs it with the bytes that arrived.
async fn all(change: impl FnOnce(&mut Subject, &str)) -> Vec<(Probe, String)> {
    let (address, seen) = serve(|request| match request.split(' ').nth(1) {
        Some("/.well-known/openid-configuration") => {
            let host = field(request, "host").unwrap();
            let keys = format!("http://{host}/keys");
            let body = format!(r#"{{"jwks_uri":"{keys}","userinfo_endpoint":"http://{host}/me"}}"#);
            says("200 OK", "", &body)
        }
        Some("/token") => says("200 OK", "", r#"{"refresh_token":"second"}"#),
        _ => says("200 OK", "", ""),
    })
    .await;
    let base = format!("http://{address}");
    let mut subject = subject(&format!("{base}/api/me?a=1"));
    change(&mut subject, &base);
    let wire = live(Options::default());
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut sent = Vec::new();
    for probe in set(&subject, &[], 1) {
        if let Some(request) = request(probe, &subject, &exchanges) {
            exchanges.push(wire.send(probe, request).await);
            sent.push((probe, seen.all().pop().unwrap()));
        }
    }
    assert!(exchanges.iter().all(|exchange| exchange.result.is_ok()));
    sent
}

fn of(sent: &[(Probe, String)], probe: Probe) -> &str {
    let found = sent.iter().find(|(sent, _)| *sent == probe);
    &found.unwrap_or_else(|| panic!("{probe} was not sent")).1
}

#[tokio::test]
async fn every_way_to_present_a_token_reaches_the_server_as_named() {
    let sent = all(|subject, _| {
        subject.old_token = Some(Secret::new("old"));
        subject.other_token = Some(Secret::new("other"));
    })
    .await;
    let presented = |probe| field(of(&sent, probe), "authorization").map(str::to_owned);
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    assert_eq!(presented(Probe::Client), bearer(TOKEN));
    assert_eq!(presented(Probe::Bare), None);
    assert_eq!(presented(Probe::Empty).as_deref(), Some("Bearer"));
    assert_eq!(presented(Probe::Undefined), bearer("undefined"));
    assert_eq!(presented(Probe::Null), bearer("null"));
    assert_eq!(presented(Probe::Garbage), bearer("x"));
    assert_eq!(presented(Probe::Old), bearer("old"));
    assert_eq!(presented(Probe::OtherToken), bearer("other"));
    assert_eq!(presented(Probe::Lower), Some(format!("bearer {TOKEN}")));
    assert_eq!(presented(Probe::Upper), Some(format!("BEARER {TOKEN}")));
    assert_eq!(presented(Probe::Raw), Some(TOKEN.to_owned()));
    assert_eq!(
        presented(Probe::TokenScheme),
        Some(format!("Token {TOKEN}"))
    );
    let altered = presented(Probe::Altered).unwrap();
    assert_eq!(altered.len(), TOKEN.len() + "Bearer ".len());
    assert_eq!(
        altered.rsplit_once('.').unwrap().0,
        format!("Bearer {}", TOKEN.rsplit_once('.').unwrap().0)
    );
    assert_ne!(Some(altered), bearer(TOKEN));
}

#[tokio::test]
async fn every_other_variant_differs_in_the_one_thing_that_it_names() {
    let sent = all(|subject, _| {
        subject.target.origin = Some("https://app.example".to_owned());
        subject.headers = vec![("X-Tenant".to_owned(), Secret::new("7"))];
    })
    .await;
    let line = |probe| of(&sent, probe).lines().next().unwrap().to_owned();
    assert_eq!(line(Probe::Client), "GET /api/me?a=1 HTTP/1.1");
    assert_eq!(line(Probe::OtherMethod), "HEAD /api/me?a=1 HTTP/1.1");
    assert_eq!(
        line(Probe::OtherPath),
        "GET /api/tenure-5d1f0c?a=1 HTTP/1.1"
    );
    assert_eq!(line(Probe::Slash), "GET /api/me/?a=1 HTTP/1.1");
    assert_eq!(line(Probe::Fresh), "GET /api/me?a=1&tenure=5d1f0c HTTP/1.1");
    assert_eq!(line(Probe::Preflight), "OPTIONS /api/me?a=1 HTTP/1.1");
    let preflight = of(&sent, Probe::Preflight);
    assert_eq!(field(preflight, "authorization"), None);
    assert_eq!(field(preflight, "x-tenant"), None);
    assert_eq!(field(preflight, "origin"), Some("https://app.example"));
    assert_eq!(
        field(preflight, "access-control-request-method"),
        Some("GET")
    );
    assert_eq!(
        field(preflight, "access-control-request-headers"),
        Some("authorization,x-tenant")
    );
    assert_eq!(field(of(&sent, Probe::Client), "x-tenant"), Some("7"));
    assert_eq!(field(of(&sent, Probe::Client), "origin"), None);
    assert_eq!(field(of(&sent, Probe::BareOrigin), "authorization"), None);
    assert!(
        field(of(&sent, Probe::Browser), "user-agent")
            .unwrap()
            .starts_with("Mozilla/")
    );
    assert_eq!(
        field(of(&sent, Probe::SmallBody), "content-length"),
        Some("1024")
    );
    assert_eq!(
        field(of(&sent, Probe::LargeBody), "content-length"),
        Some("9216")
    );
    assert_eq!(
        field(of(&sent, Probe::LargeHeader), "x-tenure-padding")
            .unwrap()
            .len(),
        9216
    );
}

#[tokio::test]
async fn the_issuer_is_asked_for_its_documents_without_the_token_and_about_it_with() {
    let sent = all(|subject, base| {
        subject.target.issuer = Some(format!("{base}/"));
        subject.introspection = Some(Introspection {
            url: format!("{base}/introspect"),
            client_id: "api".to_owned(),
            client_secret: Secret::new("s"),
        });
        let form = serde_json::json!({"grant_type": "refresh_token", "refresh_token": "first"});
        subject.refresh = Some(Refresh {
            url: format!("{base}/token"),
            form: form.as_object().cloned(),
            json: None,
            token_field: "refresh_token".to_owned(),
            headers: Vec::new(),
        });
    })
    .await;
    for probe in [Probe::Discovery, Probe::Jwks] {
        assert_eq!(field(of(&sent, probe), "authorization"), None);
    }
    assert!(of(&sent, Probe::Jwks).starts_with("GET /keys "));
    assert!(of(&sent, Probe::Userinfo).starts_with("GET /me "));
    let introspection = of(&sent, Probe::Introspection);
    assert_eq!(
        field(introspection, "authorization"),
        Some("Basic YXBpOnM=")
    );
    assert!(introspection.ends_with(&format!("\r\n\r\ntoken={TOKEN}")));
    assert!(of(&sent, Probe::Refresh).ends_with("grant_type=refresh_token&refresh_token=first"));
    let again = of(&sent, Probe::RefreshAgain(1));
    assert!(again.ends_with("grant_type=refresh_token&refresh_token=second"));
}

#[tokio::test]
async fn a_token_with_its_quotes_is_sent_as_found_and_once_without() {
    let quoted = format!("\"{TOKEN}\"\n");
    let sent = all(|subject, _| subject.token = Some(Secret::new(quoted))).await;
    let presented = |probe| field(of(&sent, probe), "authorization").map(str::to_owned);
    assert_eq!(
        presented(Probe::Client),
        Some(format!("Bearer \"{TOKEN}\""))
    );
    assert_eq!(presented(Probe::Trimmed), Some(format!("Bearer {TOKEN}")));
}

#[test]
fn whatever_was_stored_around_a_token_is_taken_off_once() {
    let inner = TOKEN.replace('.', "%2E");
    let whole = STANDARD.encode(TOKEN);
    for found in [
        format!("'Bearer {TOKEN}'"),
        format!("Bearer%20{TOKEN}"),
        format!("Bearer%20{inner}"),
        format!("\"{whole}\"\n"),
        format!(r#"{{"access_token":"{TOKEN}","expires_in":900}}"#),
        TOKEN.replacen('.', ".\u{200b}", 1),
    ] {
        let mut subject = subject("http://127.0.0.1/");
        subject.token = Some(Secret::new(found.clone()));
        let trimmed = request(Probe::Trimmed, &subject, &[]).unwrap().sent();
        let presented = trimmed.header("authorization");
        assert_eq!(presented, Some(&*format!("Bearer {TOKEN}")), "{found:?}");
    }
}

#[tokio::test]
async fn a_client_that_carries_its_token_elsewhere_is_imitated() {
    let sent = all(|subject, _| {
        subject.carried = Carried {
            header: "x-token".to_owned(),
            prefix: String::new(),
        };
    })
    .await;
    assert_eq!(field(of(&sent, Probe::Client), "x-token"), Some(TOKEN));
    assert_eq!(field(of(&sent, Probe::Client), "authorization"), None);
    assert_eq!(field(of(&sent, Probe::Bare), "x-token"), None);
    assert_eq!(
        field(of(&sent, Probe::Trimmed), "authorization"),
        Some(&*format!("Bearer {TOKEN}"))
    );
}

#[test]
fn a_token_that_http_cannot_carry_is_not_sent() {
    let mut subject = subject("http://127.0.0.1/");
    subject.token = Some(Secret::new("one\r\nx-two: 2"));
    assert!(request(Probe::Client, &subject, &[]).is_none());
    assert!(request(Probe::Bare, &subject, &[]).is_some());
}

#[test]
fn unsafe_methods_are_sent_only_when_allowed_and_refreshes_only_when_given() {
    let mut subject = subject("http://127.0.0.1/orders");
    subject.target.method = "POST".to_owned();
    let possible = |subject: &Subject| {
        let all = set(subject, &[], 2);
        let sent = all
            .into_iter()
            .filter_map(|probe| request(probe, subject, &[]));
        sent.map(|request| request.method).collect::<Vec<_>>()
    };
    assert!(possible(&subject).iter().all(|method| method == "GET"));
    subject.unsafe_methods = true;
    assert!(possible(&subject).contains(&"POST".to_owned()));
    assert!(request(Probe::Refresh, &subject, &[]).is_none());
}
