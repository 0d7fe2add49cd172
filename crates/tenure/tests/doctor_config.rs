//! `tenure doctor config`, against a real service.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::fs;

use serde_json::Value;
use support::Place;

/// Names and results of the checks that a run noted.
fn checks(place: &Place, args: &[&str]) -> Vec<(String, String)> {
    let args = [
        &["doctor", "config"],
        args,
        &["--evidence-out", "evidence.json"],
    ]
    .concat();
    let ended = place.run(&args);
    assert!([0, 1, 3].contains(&ended.code), "{}", ended.stderr);
    let text = fs::read_to_string(place.path("evidence.json")).unwrap();
    let evidence: Value = serde_json::from_str(&text).unwrap();
    let of = |check: &Value, key: &str| check.get(key).and_then(Value::as_str).unwrap().to_owned();
    let checks = evidence.get("deployment").and_then(Value::as_array);
    let checks = checks.unwrap();
    checks
        .iter()
        .map(|check| (of(check, "name"), of(check, "result")))
        .collect()
}

#[test]
fn a_service_for_trying_out_is_sound_for_what_it_is() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    let checks = checks(&place, &[&serving.url]);
    let bad: Vec<_> = checks
        .iter()
        .filter(|(_, result)| result == "bad")
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
    for name in [
        "issuer-equal",
        "jwks",
        "signing-key-published",
        "ready",
        "store-durable",
        "unauthorized",
        "unauthorized-reason",
        "cors-stranger",
    ] {
        assert!(
            checks.contains(&(name.to_owned(), "good".to_owned())),
            "{name}: {checks:?}"
        );
    }
}

#[test]
fn another_name_than_the_issuers_is_told() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    let other = serving.url.replace("127.0.0.1", "localhost");
    let checks = checks(&place, &[&other]);
    assert!(
        checks.contains(&("issuer-equal".to_owned(), "bad".to_owned())),
        "{checks:?}"
    );
}

#[test]
fn a_configuration_that_is_wrong_is_told_by_its_line() {
    let place = Place::new();
    place.write(
        "tenure.toml",
        "issuer = \"https://auth.example.com\"\nlisten = \"nowhere\"\n",
    );
    let checks = checks(&place, &["--config", "tenure.toml"]);
    assert!(
        checks.contains(&("configuration".to_owned(), "bad".to_owned())),
        "{checks:?}"
    );
    let text = fs::read_to_string(place.path("evidence.json")).unwrap();
    assert!(text.contains("\"tenure.toml\",\n          2"), "{text}");
}

#[test]
fn what_is_no_url_is_wrong_usage() {
    let ended = Place::new().run(&["doctor", "config", "auth.example.com"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
}
