//! What the log itself shows to be no trouble, and its near misses.

use std::fmt::Write as _;

use tenure_doctor::logs::Pattern;
use tenure_doctor::{Evidence, Outcome, diagnose};

use super::{patterns, read};

fn outcome(text: &str) -> (Outcome, Option<&'static str>) {
    let evidence = Evidence {
        logs: read(text),
        ..Evidence::default()
    };
    let diagnosis = diagnose(&evidence);
    let first = diagnosis.ranked.first().map(|first| first.cause.id);
    (diagnosis.outcome, first)
}

/// Squid's lines; whoever is asked is served next where that is wanted.
fn squid(met: u64) -> String {
    let mut log = String::new();
    for at in 0..10_u64 {
        let from = 1_795_297_383 + at * 10;
        let _ = writeln!(
            log,
            "{from}.042     18 192.0.2.7 TCP_DENIED/407 3592 GET http://api.example/orders/{at} - HIER_NONE/- text/html"
        );
        if at < met {
            let _ = writeln!(
                log,
                "{from}.525    331 192.0.2.7 TCP_MISS/200 341 GET http://api.example/orders/{at} ana HIER_DIRECT/198.51.100.1 application/json"
            );
        }
    }
    log
}

#[test]
fn a_proxys_question_that_is_answered_is_no_refusal() {
    assert_eq!(outcome(&squid(10)).0, Outcome::Healthy);
    assert_eq!(outcome(&squid(2)), (Outcome::Found, Some("TN0209")));
    assert!(read(&squid(10)).files[0].formats.contains_key("squid"));
}

/// JSON lines of a gateway: so many are served, so many refused for expiry, each by another address.
fn gateway(served: u64, refused: u64) -> String {
    let mut log = String::new();
    for at in 0..served + refused {
        let (status, says) = if at < refused {
            (401, "The incoming token has expired")
        } else {
            (200, "-")
        };
        let _ = writeln!(
            log,
            r#"{{"requestTime":"20/Nov/2026:08:{:02}:{:02} +0000","ip":"192.0.2.{at}","httpMethod":"GET","resourcePath":"/orders","status":"{status}","errorMessage":"{says}"}}"#,
            at / 60,
            at % 60
        );
    }
    log
}

#[test]
fn one_of_many_is_no_finding_and_several_are() {
    assert_eq!(outcome(&gateway(80, 1)).0, Outcome::Healthy);
    assert_ne!(outcome(&gateway(80, 9)).0, Outcome::Healthy);
    assert_ne!(outcome(&gateway(20, 1)).0, Outcome::Healthy);
}

/// Requests of Rails with their ids; the writes of strangers are refused, those of users where that is wanted.
fn rails(users_too: bool) -> String {
    let mut log = String::new();
    let mut id = 0;
    let mut tell = |method: &str, address: u64, status: &str| {
        id += 1;
        let at = format!(
            "I, [2026-11-21T18:{:02}:{:02}.000000 #7]  INFO -- : [0a1b2c3d-0000-4000-8000-{id:012}]",
            id / 60,
            id % 60
        );
        let _ = writeln!(
            log,
            "{at} Started {method} \"/account\" for 192.0.2.{address} at 2026-11-21 18:00:00 +0000"
        );
        if status.starts_with("422") {
            let _ = writeln!(log, "{at} Can't verify CSRF token authenticity.");
        }
        let _ = writeln!(log, "{at} Completed {status} in 4ms (Allocations: 152)");
    };
    for user in 1..6 {
        tell("GET", user, "200 OK");
        tell("POST", 100 + user, "422 Unprocessable Entity");
        for _ in 0..3 {
            tell(
                "POST",
                user,
                if users_too {
                    "422 Unprocessable Entity"
                } else {
                    "200 OK"
                },
            );
        }
    }
    log
}

#[test]
fn forged_forms_are_told_from_forms_of_users() {
    assert_ne!(outcome(&rails(false)).0, Outcome::Found);
    assert!(patterns(&read(&rails(true))).contains(&Pattern::WritesRefused));
    assert_eq!(outcome(&rails(true)), (Outcome::Found, Some("TN0507")));
}

/// Requests of one program that are redirected, and of a browser; the program is served else where that is wanted.
fn redirected(agent: &str, served: bool) -> String {
    let mut log = String::new();
    for at in 0..5 {
        let mut tell = |path: &str, status: u16| {
            let _ = writeln!(
                log,
                "192.0.2.7 - - [21/Nov/2026:21:28:{at}0 +0000] \"GET {path} HTTP/1.1\" {status} 37 \"-\" \"{agent}\""
            );
        };
        tell("/orders", 302);
        tell("/login?next=/orders", 200);
        if served {
            tell("/orders", 200);
        }
    }
    log
}

#[test]
fn programs_that_get_a_page_for_people_are_told_from_people() {
    assert_eq!(
        outcome(&redirected("okhttp/4.12.0", false)),
        (Outcome::Found, Some("TN0215"))
    );
    assert_eq!(
        outcome(&redirected("okhttp/4.12.0", true)).0,
        Outcome::Healthy
    );
    assert_eq!(
        outcome(&redirected("Mozilla/5.0 Firefox/132.0", false)).0,
        Outcome::Healthy
    );
}
