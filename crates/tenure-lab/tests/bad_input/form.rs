//! Forms that are not well formed, too long, or of another kind.

use reqwest::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;
use tenure_lab::deployment::CLIENT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bench::{Bench, FORM, TOKEN};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn parameters_that_are_missing_repeated_or_malformed_are_named() {
    let mut bench = Bench::start().await;
    let mut fields = vec![];
    let request = bench.form(TOKEN, &fields);
    bench.invalid(request, "grant_type is missing").await;
    fields.extend([("grant_type", "refresh_token"), ("client_id", CLIENT)]);
    let request = bench.form(TOKEN, &fields);
    bench.invalid(request, "refresh_token is missing").await;
    fields.push(("refresh_token", ""));
    let request = bench.form(TOKEN, &fields);
    bench.invalid(request, "refresh_token is missing").await;
    for name in ["grant_type", "refresh_token", "client_id", "scope", "more"] {
        let request = bench.refresh_with(&[(name, "a"), (name, "b")]);
        bench
            .invalid(request, &format!("{name} is sent more"))
            .await;
    }
    for claims in ["xyz", "0123456", "01234567,01234567"] {
        let request = bench.refresh_with(&[("tenure_claims", claims)]);
        bench.invalid(request, "tenure_claims").await;
    }
    for key in ["short", "with a space but long enough to pass"] {
        let request = bench.refresh_with(&[]).header("Idempotency-Key", key);
        bench.invalid(request, "Idempotency-Key").await;
    }
}

#[tokio::test]
async fn grants_that_do_not_exist_are_refused() {
    let mut bench = Bench::start().await;
    for grant in ["password", "implicit", "refresh_token\n", "x"] {
        let fields = [("grant_type", grant), ("client_id", CLIENT)];
        let request = bench.form(TOKEN, &fields);
        let error = "unsupported_grant_type";
        bench.refused(request, 400, error, "grant_type").await;
    }
}

fn text(bench: &Bench) -> String {
    let token = bench.token();
    format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={token}")
}

#[tokio::test]
async fn bodies_of_the_wrong_kind_are_refused() {
    let mut bench = Bench::start().await;
    let kinds = [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
    ];
    for kind in kinds {
        let request = bench
            .post(TOKEN)
            .header(CONTENT_TYPE, kind)
            .body(text(&bench));
        bench.refused(request, 415, "invalid_request", FORM).await;
    }
    let request = bench.post(TOKEN).body(text(&bench));
    bench.refused(request, 415, "invalid_request", FORM).await;
    let invalid: [&[u8]; 4] = [
        b"&scope=%ff%fe",
        b"&scope=\xff\xfe",
        b"&\xc3\x28=x",
        b"&a=%c0%af",
    ];
    for bytes in invalid {
        let body = [text(&bench).as_bytes(), bytes].concat();
        let request = bench.post(TOKEN).header(CONTENT_TYPE, FORM).body(body);
        bench.invalid(request, "UTF-8").await;
    }
}

#[tokio::test]
async fn parameters_in_the_url_and_other_methods_are_refused() {
    let mut bench = Bench::start().await;
    // RFC 6749, section 3.2: they would stand in every log.
    let request = bench.post(&format!("{TOKEN}?{}", text(&bench)));
    let request = request.header(CONTENT_TYPE, FORM).body("");
    bench.invalid(request, "into the body").await;
    for path in [
        TOKEN,
        "/oauth2/revoke",
        "/oauth2/introspect",
        "/api/auth/refresh",
    ] {
        let url = bench.url(&format!("{path}?{}", text(&bench)));
        for request in [bench.http.get(&url), bench.http.put(&url)] {
            let refused = bench
                .refused(request, 405, "method_not_allowed", "POST")
                .await;
            assert_eq!(refused.headers[ALLOW], "POST");
        }
    }
}

#[tokio::test]
async fn a_mebibyte_where_a_word_belongs_is_refused() {
    let mut bench = Bench::start().await;
    let long = "x".repeat(MIB);
    let names = [
        "refresh_token",
        "client_id",
        "grant_type",
        "scope",
        "client_secret",
        "more",
    ];
    let paths = names.map(|name| (TOKEN, name));
    let others = [("/oauth2/revoke", "token"), ("/oauth2/introspect", "token")];
    for (path, name) in paths.into_iter().chain(others) {
        let request = bench.form(path, &[(name, &long)]);
        bench
            .refused(request, 413, "invalid_request", "64 KiB")
            .await;
    }
    for (path, name) in [
        ("/api/auth/login", "password"),
        ("/api/auth/login", "email"),
        ("/api/auth/refresh", "refresh_token"),
        ("/api/auth/magic-link", "email"),
    ] {
        let request = bench.post(path).json(&json!({ name: long }));
        bench
            .refused(request, 413, "invalid_request", "64 KiB")
            .await;
    }
    // Headers have HTTP's own limit, before anybody is asked.
    let request = bench
        .post(TOKEN)
        .header(AUTHORIZATION, format!("Basic {long}"));
    assert_eq!(request.send().await.unwrap().status(), 431);
    bench.goes_on().await;
}

#[tokio::test]
async fn a_body_whose_chunks_make_no_sense_is_malformed_and_not_too_long() {
    let bench = Bench::start().await;
    let listen = bench.deployment.server.listen();
    let mut stream = tokio::net::TcpStream::connect(listen).await.unwrap();
    let request = format!(
        "POST {TOKEN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("malformed"), "{answer}");
}
