//! The fault proxy in front of an upstream that counts and echoes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response};
use parking_lot::Mutex;
use reqwest::Client;
use tenure_lab::proxy::{Exchange, Fault, FaultProxy, Hold, Replay};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The bodies the upstream has received, in order.
type Received = Arc<Mutex<Vec<String>>>;

async fn upstream() -> (SocketAddr, Received) {
    let received = Received::default();
    let seen = Arc::clone(&received);
    let (address, _) = support::serve("127.0.0.1:0", move |request: Request<Bytes>| {
        let seen = Arc::clone(&seen);
        async move {
            let mut seen = seen.lock();
            seen.push(String::from_utf8(request.body().to_vec()).unwrap());
            let host = request.headers()["host"].to_str().unwrap();
            let text = format!(
                "{} {} {host} {}",
                seen.len(),
                request.method(),
                request.uri()
            );
            Response::builder()
                .header("x-upstream", "yes")
                .body(Full::from(text))
                .unwrap()
        }
    })
    .await;
    (address, received)
}

async fn proxied() -> (FaultProxy, Received, Client) {
    let (address, received) = upstream().await;
    let proxy = FaultProxy::start(address).await.unwrap();
    let client = Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    (proxy, received, client)
}

async fn post(client: &Client, proxy: &FaultProxy, body: &str) -> reqwest::Result<String> {
    let url = format!("{}/token?q=1", proxy.url());
    client
        .post(url)
        .body(body.to_owned())
        .send()
        .await?
        .text()
        .await
}

fn exchange(upstream_status: Option<u16>, status: Option<u16>) -> Exchange {
    Exchange {
        method: Method::POST,
        path: "/token".to_owned(),
        upstream_status,
        status,
    }
}

#[tokio::test]
async fn without_a_fault_requests_and_answers_pass_unchanged() {
    let (proxy, received, client) = proxied().await;
    let answer = client
        .post(format!("{}/token?q=%20", proxy.url()))
        .body("a=b")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["x-upstream"], "yes");
    let host = proxy.address();
    assert_eq!(
        answer.text().await.unwrap(),
        format!("1 POST {host} /token?q=%20")
    );
    assert_eq!(*received.lock(), ["a=b"]);
    assert_eq!(proxy.log(), [exchange(Some(200), Some(200))]);
}

#[tokio::test]
async fn a_swallowed_answer_reached_the_upstream_and_not_the_client() {
    let (proxy, received, client) = proxied().await;
    proxy.next("/token", Fault::SwallowAnswer, 2);
    proxy.next("/elsewhere", Fault::SwallowAnswer, 1);
    assert!(post(&client, &proxy, "1").await.unwrap_err().is_request());
    assert!(post(&client, &proxy, "2").await.unwrap_err().is_request());
    assert!(post(&client, &proxy, "3").await.unwrap().starts_with("3 "));
    assert_eq!(*received.lock(), ["1", "2", "3"]);
    let swallowed = exchange(Some(200), None);
    assert_eq!(
        proxy.log(),
        [swallowed.clone(), swallowed, exchange(Some(200), Some(200))]
    );
    assert_eq!(proxy.pending(), 1);
}

#[tokio::test]
async fn a_reset_request_never_reached_the_upstream() {
    let (proxy, received, client) = proxied().await;
    proxy.next_with(Method::GET, "/token", Fault::ResetBeforeForward, 1);
    proxy.next_with(Method::POST, "/token", Fault::ResetBeforeForward, 1);
    let mut raw = TcpStream::connect(proxy.address()).await.unwrap();
    raw.write_all(b"GET /token HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let error = raw.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(post(&client, &proxy, "1").await.is_err());
    assert_eq!(received.lock().len(), 0);
    assert_eq!(proxy.log()[1], exchange(None, None));
}

#[tokio::test]
async fn a_held_request_waits_before_the_upstream_and_a_held_answer_behind_it() {
    let (proxy, received, client) = proxied().await;
    let (before, behind) = (Hold::default(), Hold::default());
    proxy.next("/token", Fault::HoldRequest(before.clone()), 2);
    proxy.next("/token", Fault::HoldAnswer(behind.clone()), 1);
    let test = async {
        before.arrived(2).await;
        assert_eq!(received.lock().len(), 0);
        before.release();
    };
    let (first, second, ()) =
        tokio::join!(post(&client, &proxy, "1"), post(&client, &proxy, "2"), test);
    assert!(first.is_ok() && second.is_ok());
    let test = async {
        behind.arrived(1).await;
        assert_eq!(received.lock().len(), 3);
        behind.release();
    };
    let (third, ()) = tokio::join!(post(&client, &proxy, "3"), test);
    assert!(third.unwrap().starts_with("3 "));
}

#[tokio::test]
async fn a_held_request_is_carried_out_even_when_its_sender_has_gone() {
    let (proxy, received, client) = proxied().await;
    let hold = Hold::default();
    proxy.next("/token", Fault::HoldAnswer(hold.clone()), 1);
    tokio::select! {
        _ = post(&client, &proxy, "1") => panic!("nothing was released"),
        () = hold.arrived(1) => {}
    }
    assert_eq!(*received.lock(), ["1"]);
}

#[tokio::test]
async fn a_duplicate_comes_at_once_or_when_the_test_says_so() {
    let (proxy, received, client) = proxied().await;
    let replay = Replay::default();
    proxy.next("/token", Fault::Duplicate, 1);
    proxy.next("/token", Fault::HoldDuplicate(replay.clone()), 1);
    assert!(post(&client, &proxy, "1").await.unwrap().starts_with("1 "));
    assert!(post(&client, &proxy, "2").await.unwrap().starts_with("3 "));
    assert!(post(&client, &proxy, "3").await.unwrap().starts_with("4 "));
    assert_eq!(replay.len(), 1);
    let late = replay.deliver().await.unwrap();
    assert!(late.body.starts_with(b"5 POST"));
    assert!(replay.is_empty() && replay.deliver().await.is_err());
    assert_eq!(*received.lock(), ["1", "1", "2", "3", "2"]);
}

#[tokio::test]
async fn an_answer_can_be_made_up_or_cut_short() {
    let (proxy, received, client) = proxied().await;
    let busy = Fault::status(429, &[("retry-after", "7")], "later").unwrap();
    proxy.next("/token", busy, 1);
    proxy.next("/token", Fault::TruncateBody(6), 1);
    let answer = client
        .post(format!("{}/token", proxy.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(answer.text().await.unwrap(), "later");
    assert_eq!(received.lock().len(), 0);

    let mut raw = TcpStream::connect(proxy.address()).await.unwrap();
    raw.write_all(b"GET /token HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    raw.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200") && head.contains("content-length: 14"),
        "{head}"
    );
    assert_eq!(body, "1 GET ");
}

#[tokio::test]
async fn a_dead_upstream_is_a_bad_gateway() {
    let (address, _) = upstream().await;
    let proxy = FaultProxy::start(SocketAddr::new(address.ip(), 1))
        .await
        .unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    assert!(
        post(&client, &proxy, "1")
            .await
            .unwrap()
            .contains("did not answer")
    );
    assert_eq!(proxy.log(), [exchange(None, Some(502))]);
}
