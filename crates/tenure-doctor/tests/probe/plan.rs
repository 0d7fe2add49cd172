//! The order of probes, and when they end.

use std::sync::atomic::{AtomicUsize, Ordering};

use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_doctor::exchange::{Answer, Exchange, Sent};
use tenure_doctor::probe::{Decision, Options, Probe, Stop, decide, examine};
use tenure_doctor::{Evidence, diagnose};

use crate::server::{Watcher, live, run, says, serve, subject, well};

#[tokio::test]
async fn a_healthy_endpoint_is_left_alone_after_a_few_checks() {
    let (address, seen) = serve(well).await;
    let (watcher, exchanges, stop) = run(
        &subject(&format!("http://{address}/me")),
        Options::default(),
    )
    .await;
    assert_eq!(stop, Stop::Healthy);
    assert_eq!(
        watcher.sent[..3],
        [Probe::Client, Probe::Bare, Probe::Altered]
    );
    assert!((4..=8).contains(&exchanges.len()), "{}", exchanges.len());
    assert_eq!(seen.all().len(), exchanges.len());
}

#[tokio::test]
async fn a_redirect_that_keeps_the_token_is_healthy() {
    let (address, _) = serve(|request| match request.split(' ').nth(1) {
        Some("/me") => says("308 Permanent Redirect", "location: /me/\r\n", ""),
        _ => well(request),
    })
    .await;
    let subject = subject(&format!("http://{address}/me"));
    let (watcher, _, stop) = run(&subject, Options::default()).await;
    assert_eq!(stop, Stop::Healthy);
    assert_eq!(watcher.sent[3], Probe::Hop(1));
}

#[tokio::test]
async fn the_preflight_is_among_the_first_where_there_is_an_origin() {
    let (address, _) = serve(well).await;
    let mut subject = subject(&format!("http://{address}/me"));
    subject.target.origin = Some("https://app.example".to_owned());
    let (watcher, ..) = run(&subject, Options::default()).await;
    assert_eq!(watcher.sent[3], Probe::Preflight);
}

#[tokio::test]
async fn the_budget_is_kept_whatever_the_answers() {
    let (address, seen) = serve(|_| says("401 Unauthorized", "", "no")).await;
    let subject = subject(&format!("http://{address}/me"));
    let mut watcher = Watcher::default();
    let wire = live(Options::default());
    let (exchanges, stop) = examine(&wire, &subject, 5, &mut watcher).await;
    assert_eq!((exchanges.len(), stop), (5, Stop::Budget));
    assert_eq!(seen.all().len(), 5);
}

#[tokio::test]
async fn an_endpoint_that_answers_differently_each_time_is_not_called_healthy() {
    let count = AtomicUsize::new(0);
    let (address, _) = serve(move |request| {
        let even = count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if even {
            well(request)
        } else {
            says("401 Unauthorized", "", "not here")
        }
    })
    .await;
    let (watcher, _, stop) = run(
        &subject(&format!("http://{address}/me")),
        Options::default(),
    )
    .await;
    assert_ne!(stop, Stop::Healthy);
    assert!(watcher.sent.contains(&Probe::Again(2)));
}

#[tokio::test]
async fn each_address_of_the_name_is_tried_once_repeats_differ() {
    let (address, _) = serve(well).await;
    let count = AtomicUsize::new(0);
    let port = address.port();
    let (flaky, _) = serve(move |request| match count.fetch_add(1, Ordering::Relaxed) {
        0..=2 => well(request),
        _ => says("401 Unauthorized", "", "not here"),
    })
    .await;
    let options = Options {
        resolve: vec![(
            "api.test".to_owned(),
            vec![flaky, ([127, 0, 0, 2], port).into()],
        )],
        ..Options::default()
    };
    let url = format!("http://api.test:{}/me", flaky.port());
    let (watcher, ..) = run(&subject(&url), options).await;
    for ip in ["127.0.0.1", "127.0.0.2"] {
        assert!(
            watcher.sent.contains(&Probe::Address(ip.parse().unwrap())),
            "{:?}",
            watcher.sent
        );
    }
}

#[tokio::test]
async fn a_refresh_is_sent_only_where_one_was_given() {
    let (address, seen) = serve(|_| says("403 Forbidden", "", "no")).await;
    let mut subject = subject(&format!("http://{address}/me"));
    subject.other_token = Some(Secret::new("other-token-of-tests"));
    let (watcher, ..) = run(&subject, Options::default()).await;
    assert!(!watcher.sent.contains(&Probe::Refresh));
    assert!(
        seen.all()
            .iter()
            .all(|request| request.starts_with("GET") || request.starts_with("HEAD"))
    );
}

fn answered(probe: Probe, status: u16) -> Exchange {
    let request = Sent {
        method: "GET".to_owned(),
        url: "http://127.0.0.1/".to_owned(),
        headers: Vec::new(),
        body_bytes: 0,
    };
    let answer = Answer {
        status,
        headers: Vec::new(),
        body: String::new(),
        body_bytes: 0,
    };
    Exchange {
        probe,
        request,
        result: Ok(answer),
        at: Timestamp::default(),
        took_ms: 0,
        address: None,
    }
}

#[test]
fn a_probe_that_is_not_possible_is_never_chosen_and_none_is_chosen_twice() {
    let mut evidence = Evidence::default();
    let possible = [Probe::Client, Probe::Jwks, Probe::Fresh];
    let mut sent = Vec::new();
    loop {
        match decide(&evidence, &diagnose(&evidence), &possible, 25) {
            Decision::Send(probe) => {
                sent.push(probe);
                evidence.exchanges.push(answered(probe, 401));
            }
            Decision::Stop(stop) => break assert_eq!(stop, Stop::NothingLeft),
        }
    }
    sent.sort();
    assert_eq!(sent, [Probe::Client, Probe::Fresh, Probe::Jwks]);
}
