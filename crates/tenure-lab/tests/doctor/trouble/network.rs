//! What does not answer, or not twice the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tenure_lab::skip;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::api::{Api, say};
use crate::mint::{Mint, claims};
use tenure_lab::process::Ended;

use crate::place::Place;

fn place() -> Place {
    let place = Place::new();
    place.write("token.txt", Mint::pair("k1").token(&claims(&json!({}))));
    place
}

#[tokio::test]
async fn without_a_network_it_says_so_and_decides_nothing() {
    let place = place();
    let probe = [
        "probe",
        "http://192.0.2.1/items",
        "--token-file",
        "token.txt",
    ];
    let doctor = place.doctor(&probe);
    // A network namespace of its own has no interface that is up.
    let mut alone = Command::new("unshare");
    alone
        .args(["--net", "--"])
        .arg(doctor.as_std().get_program())
        .args(doctor.as_std().get_args())
        .current_dir(place.path("."))
        .env("TENURE_LOG", "off");
    let may = Command::new("unshare")
        .args(["--net", "true"])
        .output()
        .await;
    if !may.is_ok_and(|output| output.status.success()) {
        skip("a network namespace cannot be made here").unwrap();
        return;
    }
    let ended = Ended::of(&mut alone, "").await.unwrap();
    ended.told(3, "no way to the address");
}

#[tokio::test]
async fn plain_http_where_tls_is_asked_for_is_named() {
    let place = place();
    let api = Api::start(|_| say(200, &[], "{}")).await;
    let url = api.at("/").replace("http://", "https://");
    let ended = place
        .run(&["probe", &url, "--token-file", "token.txt"])
        .await;
    ended.told(3, "TLS was not agreed on");
}

#[tokio::test]
async fn an_answer_that_stops_amid_its_head_is_given_up_within_the_time_allowed() {
    let place = place();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // An answer before its request would not be HTTP.
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            assert!(read > 0);
            let head = b"HTTP/1.1 200 OK\r\ncontent-le";
            stream.write_all(head).await.unwrap();
            open.push(stream);
        }
    });
    let args = [
        "probe",
        &url,
        "--token-file",
        "token.txt",
        "--timeout",
        "200ms",
    ];
    place
        .run(&args)
        .await
        .told(3, "nothing came back within the time allowed");
    server.abort();
}

#[tokio::test]
async fn an_answer_without_end_is_read_to_its_first_mebibyte() {
    let place = place();
    let body = "x".repeat(8 << 20);
    let api = Api::start(move |_| say(401, &[], &body)).await;
    let args = ["probe", &api.at("/"), "--token-file", "token.txt", "--json"];
    let ended = place.run(&args).await;
    assert!([1, 3].contains(&ended.code), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("a body of 1 MiB and more"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.len() < 1 << 20, "{}", ended.stdout.len());
}

#[tokio::test]
async fn an_endpoint_that_answers_differently_each_time_is_no_confirmed_anything() {
    let place = place();
    let count = Arc::new(AtomicUsize::new(0));
    let api = Api::start(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let status = [200, 401, 503, 403, 500, 429, 404][number % 7];
        say(status, &[], &format!("{{\"number\":{number}}}"))
    })
    .await;
    let url = api.at("/items");
    let seen = place
        .diagnose(&["probe", &url, "--token-file", "token.txt"])
        .await;
    assert!([1, 3].contains(&seen.ended.code), "{}", seen.seen());
    assert_eq!(seen.confirmed(), [""; 0], "{}", seen.seen());
}

#[tokio::test]
async fn a_redirect_loop_over_many_pages_ends_within_the_budget() {
    let place = place();
    let count = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&count);
    let api = Api::start(move |asked| {
        let number = sent.fetch_add(1, Ordering::Relaxed);
        let to = format!("{}?page={number}", asked.path());
        say(307, &[("location", &to)], "")
    })
    .await;
    let url = api.at("/items");
    let seen = place
        .diagnose(&["probe", &url, "--token-file", "token.txt"])
        .await;
    assert!([1, 3].contains(&seen.ended.code), "{}", seen.seen());
    assert!(
        seen.ended
            .stderr
            .contains("more redirects than anybody follows"),
        "{}",
        seen.seen()
    );
    assert!(count.load(Ordering::Relaxed) <= 25);
}
