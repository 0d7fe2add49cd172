//! Where the token goes, and where it does not.

use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_doctor::exchange::{Answer, Exchange};
use tenure_doctor::probe::{
    Introspection, Options, Probe, Refresh, Stop, Trail, Wire as _, request, trail,
};

use crate::server::{TOKEN, field, live, run, says, serve, subject, well};

fn redirect(to: &str) -> Vec<u8> {
    says("302 Found", &format!("location: {to}\r\n"), "")
}

#[tokio::test]
async fn a_redirect_to_another_host_never_carries_the_token() {
    let (other, seen) = serve(well).await;
    let port = other.port();
    let (first, _) = serve(move |_| redirect(&format!("http://localhost:{port}/next"))).await;
    let mut subject = subject(&format!("http://{first}/start"));
    subject.headers = vec![("x-api-key".to_owned(), Secret::new("hidden"))];
    let (watcher, ..) = run(&subject, Options::default()).await;
    assert!(watcher.sent.contains(&Probe::Hop(1)));
    assert!(!watcher.sent.contains(&Probe::KeptHop(1)));
    assert!(!seen.all().is_empty());
    for request in seen.all() {
        assert!(
            !request.contains(TOKEN) && !request.contains("hidden"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn the_token_is_kept_on_another_port_of_the_same_host_and_on_hosts_that_were_allowed() {
    let (other, seen) = serve(well).await;
    let (first, _) = serve(move |_| redirect(&format!("http://{other}/next"))).await;
    let (watcher, ..) = run(&subject(&format!("http://{first}/")), Options::default()).await;
    assert!(watcher.sent.contains(&Probe::KeptHop(1)));
    let carried = |request: &String| field(request, "authorization").is_some();
    assert_eq!(
        seen.all().iter().map(carried).collect::<Vec<_>>(),
        [false, true]
    );

    let port = other.port();
    let (second, _) = serve(move |_| redirect(&format!("http://localhost:{port}/next"))).await;
    let mut allowed = subject(&format!("http://{second}/"));
    allowed.allowed_hosts = vec!["localhost".to_owned()];
    let (watcher, ..) = run(&allowed, Options::default()).await;
    assert!(watcher.sent.contains(&Probe::KeptHop(1)));
}

#[tokio::test]
async fn metadata_cannot_send_the_token_to_a_host_that_is_not_the_issuers() {
    let (thief, seen) = serve(well).await;
    let document = format!(r#"{{"userinfo_endpoint":"http://{thief}/me"}}"#);
    let (issuer, _) = serve(move |_| says("200 OK", "", &document)).await;
    let mut subject = subject(&format!("http://{issuer}/"));
    subject.target.issuer = Some(format!("http://{issuer}"));
    let (watcher, ..) = run(&subject, Options::default()).await;
    assert!(watcher.sent.contains(&Probe::Discovery));
    assert!(!watcher.sent.contains(&Probe::Userinfo));
    assert_eq!(seen.all().len(), 0);
}

#[tokio::test]
async fn what_another_host_never_got_it_does_not_get_by_redirecting_to_itself() {
    let (other, seen) = serve(|request| match request.split(' ').nth(1) {
        Some("/one") => redirect("/two"),
        _ => well(request),
    })
    .await;
    let port = other.port();
    let (first, _) = serve(move |_| redirect(&format!("http://localhost:{port}/one"))).await;
    let mut subject = subject(&format!("http://{first}/start"));
    subject.token = None;
    subject.headers = vec![("x-api-key".to_owned(), Secret::new("hidden"))];
    let (watcher, ..) = run(&subject, Options::default()).await;
    assert!(watcher.sent.contains(&Probe::Hop(2)));
    assert!(seen.all().iter().all(|it| !it.contains("hidden")));
}

#[tokio::test]
async fn metadata_cannot_have_an_address_asked_that_is_not_the_issuers() {
    let keys = r#"{"jwks_uri":"http://169.254.169.254/latest/meta-data/"}"#;
    let (issuer, _) = serve(move |_| says("200 OK", "", keys)).await;
    let mut subject = subject(&format!("http://{issuer}/"));
    subject.target.issuer = Some(format!("http://{issuer}"));
    let (watcher, exchanges, _) = run(&subject, Options::default()).await;
    assert!(watcher.sent.contains(&Probe::Discovery));
    assert!(request(Probe::Jwks, &subject, &exchanges).is_none());
}

#[test]
fn no_redirect_from_tls_to_plain_http_carries_the_token_even_to_a_host_that_was_allowed() {
    let mut subject = subject("https://api.example/");
    subject.allowed_hosts = vec!["other.example".to_owned()];
    let sent = request(Probe::Client, &subject, &[]).unwrap().sent();
    let redirected = |to: &str| Exchange {
        probe: Probe::Client,
        request: sent.clone(),
        result: Ok(Answer {
            status: 302,
            headers: vec![("location".to_owned(), to.to_owned())],
            body: String::new(),
            body_bytes: 0,
        }),
        at: Timestamp(0),
        took_ms: 0,
        address: None,
    };
    let kept = |to| request(Probe::KeptHop(1), &subject, &[redirected(to)]);
    assert!(kept("https://other.example/").is_some());
    assert!(kept("http://other.example/").is_none());
    assert!(kept("http://api.example/").is_none());
}

#[tokio::test]
async fn the_address_behind_the_edge_is_asked_at_its_own_port_under_the_name_of_the_edge() {
    let (behind, seen) = serve(well).await;
    for url in [
        "http://api.example:8443/me",
        "http://api.example/me",
        "http://127.0.0.1/me",
    ] {
        let mut subject = subject(url);
        subject.direct = Some(behind);
        let asked = request(Probe::Direct, &subject, &[]).unwrap();
        let host = url.split('/').nth(2);
        let exchange = live(Options::default()).send(Probe::Direct, asked).await;
        assert!(exchange.result.is_ok(), "{url}");
        assert_eq!(field(seen.all().last().unwrap(), "host"), host);
    }
}

#[tokio::test]
async fn a_redirect_loop_ends_where_it_began() {
    let (address, _) = serve(|request| match request.split(' ').nth(1) {
        Some("/one") => redirect("/two"),
        _ => redirect("/one"),
    })
    .await;
    let (watcher, exchanges, _) = run(
        &subject(&format!("http://{address}/one")),
        Options::default(),
    )
    .await;
    assert!(watcher.sent.contains(&Probe::Hop(1)));
    assert!(!watcher.sent.contains(&Probe::Hop(2)));
    assert_eq!(trail(&exchanges), Trail::Loop);
}

#[tokio::test]
async fn redirects_without_end_use_up_ten_hops_and_no_more_than_the_budget() {
    let (address, seen) = serve(|request| {
        let path = request.split(' ').nth(1).unwrap();
        redirect(&format!("{path}x"))
    })
    .await;
    let (watcher, exchanges, _) =
        run(&subject(&format!("http://{address}/")), Options::default()).await;
    assert!(watcher.sent.contains(&Probe::Hop(10)));
    assert!(!watcher.sent.contains(&Probe::Hop(11)));
    assert_eq!(trail(&exchanges), Trail::TooLong);
    assert!(seen.all().len() <= tenure_doctor::probe::BUDGET);
}

#[tokio::test]
async fn debug_output_of_everything_on_the_way_is_free_of_secrets() {
    let (address, _) = serve(|_| redirect("/elsewhere?token=secret-in-url")).await;
    let mut subject = subject(&format!("http://{address}/?key=secret-in-url"));
    subject.headers = vec![("x-api-key".to_owned(), Secret::new("secret-field"))];
    subject.introspection = Some(Introspection {
        url: format!("http://{address}/introspect"),
        client_id: "api".to_owned(),
        client_secret: Secret::new("secret-of-client"),
    });
    let form = serde_json::json!({"refresh_token": "secret-refresh"});
    subject.refresh = Some(Refresh {
        url: format!("http://{address}/token"),
        form: form.as_object().cloned(),
        json: None,
        token_field: "refresh_token".to_owned(),
        headers: Vec::new(),
    });
    let (watcher, exchanges, stop) = run(&subject, Options::default()).await;
    assert_ne!(stop, Stop::Healthy);
    let request = request(Probe::Introspection, &subject, &[]).unwrap();
    let shown = format!("{exchanges:?} {request:?} {stop:?} {:?}", watcher.last);
    let shown = format!("{shown} {subject:?}");
    for secret in [TOKEN, "secret-"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
