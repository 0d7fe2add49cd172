use std::net::IpAddr;
use std::sync::Mutex;

use async_trait::async_trait;
use tenure_core::time::Timestamp;

use super::*;
use crate::exchange::{Answer, Exchange, Failure, Sent};
use crate::probe::{Probe, Request, Wire};

const ISSUER: &str = "https://auth.example.com";

fn exchange(result: Result<Answer, Failure>) -> Exchange {
    Exchange {
        probe: Probe::Discovery,
        request: Sent {
            method: "GET".to_owned(),
            url: ISSUER.to_owned(),
            headers: Vec::new(),
            body_bytes: 0,
        },
        result,
        at: Timestamp(0),
        took_ms: 1,
        address: None,
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Exchange {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    exchange(Ok(Answer {
        status,
        headers,
        body: body.to_owned(),
        body_bytes: body.len() as u64,
    }))
}

fn metadata(issuer: &str) -> String {
    format!(
        r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/oauth2/jwks","token_endpoint":"{issuer}/oauth2/token","authorization_endpoint":"{issuer}/a","tenure_rotation":"retire_on_use"}}"#
    )
}

const HEALTH: &str = r#"{"ready":true,"issuer":"x","store":{"kind":"sqlite","durable":true,"revoke_durability":"quorum","warnings":[]},"keys":{"signing":"k1"},"clock":{"source":"host","trusted":true,"doubt":null,"offset_seconds":0,"store_ahead_seconds":null}}"#;

/// A deployment as it should be, with other answers to these questions.
fn looked(changes: Vec<(Route, Exchange)>) -> Looked {
    let date = [("date", "Tue, 14 Nov 2023 22:13:20 GMT")];
    let mut answers = vec![
        (Route::Discovery, answer(200, &date, &metadata(ISSUER))),
        (Route::Forwarded, answer(200, &[], &metadata(ISSUER))),
        (
            Route::Jwks,
            answer(
                200,
                &[("cache-control", "public, max-age=300")],
                r#"{"keys":[{"kid":"k1"}]}"#,
            ),
        ),
        (Route::Ready, answer(200, &[], HEALTH)),
        (
            Route::Bare,
            answer(
                401,
                &[
                    ("www-authenticate", "Bearer"),
                    ("cache-control", "no-store"),
                ],
                "",
            ),
        ),
        (
            Route::Garbage,
            answer(
                401,
                &[("www-authenticate", "Bearer error=\"invalid_token\"")],
                "",
            ),
        ),
        (Route::Nowhere, answer(404, &[], "")),
        (Route::Stranger, answer(405, &[], "")),
    ];
    for (route, exchange) in changes {
        answers.retain(|(of, _)| *of != route);
        answers.push((route, exchange));
    }
    Looked {
        base: ISSUER.to_owned(),
        origin: Some("https://app.example.com".to_owned()),
        answers,
    }
}

/// Names of the checks that are not good.
fn faults(changes: Vec<(Route, Exchange)>) -> Vec<(String, CheckResult)> {
    let checks = checks(&looked(changes), Timestamp(1_700_000_000));
    checks
        .into_iter()
        .filter(|check| check.result != CheckResult::Good)
        .map(|check| (check.name, check.result))
        .collect()
}

#[test]
fn a_sound_deployment_passes_every_check() {
    assert_eq!(faults(Vec::new()), []);
    let names: Vec<_> = checks(&looked(Vec::new()), Timestamp(1_700_000_000))
        .into_iter()
        .map(|check| check.name)
        .collect();
    assert_eq!(
        names,
        [
            "discovery",
            "issuer-equal",
            "https",
            "endpoints-of-issuer",
            "forwarded-headers",
            "jwks",
            "signing-key-published",
            "jwks-cacheable",
            "clock-equal",
            "ready",
            "store-durable",
            "revocation-durable",
            "clock-trusted",
            "unauthorized",
            "unauthorized-reason",
            "refusal-not-cached",
            "unknown-path",
            "cors-stranger",
        ]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_fault_is_named_by_its_check() {
    use CheckResult::{Bad, Unknown, Warning};
    let health = |from: &str, to: &str| answer(200, &[], &HEALTH.replace(from, to));
    let table = [
        (
            Route::Discovery,
            answer(200, &[], &metadata("https://auth.internal")),
            vec![("issuer-equal", Bad), ("forwarded-headers", Bad)],
        ),
        (
            Route::Discovery,
            answer(301, &[("location", "https://www.example.com/")], ""),
            vec![("discovery", Bad)],
        ),
        (
            Route::Discovery,
            answer(200, &[], "<html>"),
            vec![("discovery", Bad)],
        ),
        (
            Route::Discovery,
            answer(
                200,
                &[("date", "Tue, 14 Nov 2023 22:23:20 GMT")],
                &metadata(ISSUER),
            ),
            vec![("clock-equal", Warning)],
        ),
        (
            Route::Forwarded,
            answer(200, &[], &metadata("http://doctor.invalid")),
            vec![("forwarded-headers", Bad)],
        ),
        (
            Route::Jwks,
            answer(200, &[("cache-control", "max-age=60")], r#"{"keys":[]}"#),
            vec![("jwks", Bad), ("signing-key-published", Bad)],
        ),
        (
            Route::Jwks,
            answer(
                200,
                &[("cache-control", "max-age=86400")],
                r#"{"keys":[{"kid":"k1"}]}"#,
            ),
            vec![("jwks-cacheable", Warning)],
        ),
        (
            Route::Ready,
            answer(404, &[], "{}"),
            vec![("ready", Unknown)],
        ),
        (
            Route::Ready,
            health("\"ready\":true", "\"ready\":false"),
            vec![("ready", Bad)],
        ),
        (
            Route::Ready,
            health(
                "\"sqlite\",\"durable\":true",
                "\"memory\",\"durable\":false",
            ),
            vec![("store-durable", Bad)],
        ),
        (
            Route::Ready,
            health("quorum", "primary-only"),
            vec![("revocation-durable", Warning)],
        ),
        (
            Route::Ready,
            health("\"trusted\":true", "\"trusted\":false"),
            vec![("clock-trusted", Bad)],
        ),
        (
            Route::Bare,
            answer(403, &[("cache-control", "no-store")], ""),
            vec![("unauthorized", Bad)],
        ),
        (
            Route::Bare,
            answer(401, &[("www-authenticate", "Bearer"), ("age", "7")], ""),
            vec![("refusal-not-cached", Bad)],
        ),
        (
            Route::Garbage,
            answer(401, &[("www-authenticate", "Bearer")], ""),
            vec![("unauthorized-reason", Bad)],
        ),
        (
            Route::Nowhere,
            answer(200, &[], "<html>"),
            vec![("unknown-path", Warning)],
        ),
        (
            Route::Stranger,
            answer(
                204,
                &[("access-control-allow-origin", "https://doctor.invalid")],
                "",
            ),
            vec![("cors-stranger", Bad)],
        ),
        (
            Route::Origin,
            answer(403, &[], ""),
            vec![("cors-origin", Bad)],
        ),
        (
            Route::Nowhere,
            answer(503, &[], ""),
            vec![("unknown-path", Warning), ("unavailable-retry-after", Bad)],
        ),
        (
            Route::Nowhere,
            answer(404, &[("set-cookie", "sid=1; Path=/; HttpOnly")], ""),
            vec![("cookie-flags", Warning)],
        ),
    ];
    for (route, exchange, expected) in table {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, result)| (name.to_owned(), result))
            .collect();
        assert_eq!(faults(vec![(route, exchange)]), expected, "{route}");
    }
}

#[test]
fn nobody_there_is_one_check() {
    assert_eq!(
        faults(vec![(Route::Discovery, exchange(Err(Failure::Refused)))]),
        [("reachable".to_owned(), CheckResult::Bad)]
    );
}

#[test]
fn addresses_that_do_not_agree_are_told() {
    let at = |last: u8| IpAddr::from([192, 0, 2, last]);
    let keys = |kid: &str| answer(200, &[], &format!(r#"{{"keys":[{{"kid":"{kid}"}}]}}"#));
    let two = |other: &str| {
        vec![
            (
                Route::DiscoveryAt(at(1)),
                answer(200, &[], &metadata(ISSUER)),
            ),
            (
                Route::DiscoveryAt(at(2)),
                answer(200, &[], &metadata(ISSUER)),
            ),
            (Route::JwksAt(at(1)), keys("k1")),
            (Route::JwksAt(at(2)), keys(other)),
        ]
    };
    assert_eq!(faults(two("k1")), []);
    assert_eq!(
        faults(two("k2")),
        [("addresses-agree".to_owned(), CheckResult::Bad)]
    );
}

/// Answers nothing, and notes the paths that it was asked for.
#[derive(Default)]
struct Silent(Mutex<Vec<String>>);

#[async_trait]
impl Wire for Silent {
    async fn send(&self, _probe: Probe, request: Request) -> Exchange {
        self.0.lock().unwrap().push(request.url.path().to_owned());
        exchange(Err(Failure::Refused))
    }

    async fn addresses(&self, _host: &str, _port: u16) -> Vec<IpAddr> {
        Vec::new()
    }
}

#[tokio::test]
async fn who_is_asked_for_two_documents_gets_two_requests() {
    let wire = Silent::default();
    let wanted = [Route::Discovery, Route::Ready];
    ask(&wire, ISSUER, &wanted).await.unwrap();
    assert_eq!(
        wire.0.into_inner().unwrap(),
        ["/.well-known/openid-configuration", "/health/ready"]
    );
}
