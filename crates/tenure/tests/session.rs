//! The command line as a signed-in client of a real service.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;

use support::{Place, Serving};

const PASSWORD: &str = "demo-password\n";

fn sign_in(place: &Place, serving: &Serving) {
    let args = [
        "login",
        "--issuer",
        &serving.url,
        "--password",
        "--user",
        "demo@example.com",
    ];
    let said = place.ok_with(&args, PASSWORD);
    assert_eq!(
        said,
        format!("signed in at {} as client demo\n", serving.url)
    );
}

#[test]
fn a_session_is_made_used_and_ended() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    sign_in(&place, &serving);

    let status = place.ok(&["status"]);
    for wanted in ["signed in\n", &serving.url, "demo", "default in "] {
        assert!(status.contains(wanted), "{wanted} in {status}");
    }
    // The full 15 minutes are left until the second of the sign-in is over.
    let left = ["valid for 15m", "valid for 14m"];
    assert!(left.iter().any(|left| status.contains(left)), "{status}");
    let token = place.ok(&["token"]);
    assert_eq!(
        (token.trim().split('.').count(), token.lines().count()),
        (3, 1)
    );
    assert_eq!(
        place.ok(&["token"]),
        token,
        "a valid token is not refreshed"
    );

    let me = place.ok(&["call", &format!("{}/api/auth/me", serving.url)]);
    assert!(me.contains("demo@example.com"), "{me}");

    assert_eq!(place.ok(&["logout"]), "signed out\n");
    for command in ["status", "token", "logout"] {
        let ended = place.run(&[command]);
        assert_eq!(
            ended.code,
            if command == "logout" { 0 } else { 3 },
            "{command}"
        );
    }
    let ended = place.run(&["status"]);
    assert_eq!(
        ended.stderr,
        "error: signed out; sign in with: tenure login\n"
    );
    let trail = place.ok(&["audit", "--user", "demo"]);
    assert!(trail.contains("logged_out"), "{trail}");
    serving.stop();
}

#[test]
fn a_wrong_password_says_so() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    let args = [
        "login",
        "--issuer",
        &serving.url,
        "--password",
        "--user",
        "demo@example.com",
    ];
    let ended = place.run_with(&args, "not the password\n");
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("wrong e-mail or password"),
        "{}",
        ended.stderr
    );
    serving.stop();
}

#[test]
fn without_a_service_the_session_is_kept() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    sign_in(&place, &serving);
    let token = place.ok(&["token"]);
    let url = serving.url.clone();
    serving.stop();
    assert_eq!(place.ok(&["token"]), token);
    let ended = place.run(&["call", &format!("{url}/api/auth/me")]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.starts_with("error: try again"),
        "{}",
        ended.stderr
    );
    assert!(place.ok(&["status"]).starts_with("signed in"));
}

#[test]
fn the_token_goes_to_allowed_origins_only() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    let other = place.serve_elsewhere();
    sign_in(&place, &serving);
    let url = format!("{}/api/auth/me", other.url);
    let ended = place.run(&["call", "--include", &url]);
    assert!(
        ended.stderr.contains("note: sent without the token"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.starts_with("HTTP/1.1 401"), "{}", ended.stdout);
    assert!(
        !ended.stdout.contains("invalid_token"),
        "no token came: {}",
        ended.stdout
    );
    let ended = place.run(&["call", "--fail", "--include", "--allow", &other.url, &url]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("invalid_token"),
        "a foreign token came: {}",
        ended.stdout
    );
    other.stop();
    serving.stop();
}

#[test]
fn requests_carry_method_headers_and_body() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    sign_in(&place, &serving);
    let url = |path: &str| format!("{}{path}", serving.url);
    let sessions = place.ok(&["call", &url("/api/auth/sessions")]);
    assert!(sessions.contains("demo"), "{sessions}");
    let login = r#"{"email":"demo@example.com","password":"demo-password","client_id":"demo"}"#;
    let answer = place.ok_with(&["call", &url("/api/auth/login"), "--data", "@-"], login);
    assert!(answer.contains("\"refresh_token\""));
    let ended = place.run(&["call", "-X", "DELETE", &url("/api/auth/me")]);
    assert!(ended.stderr.contains("HTTP 405"), "{}", ended.stderr);
    for (args, wanted) in [
        (
            &["call", "nowhere"][..],
            "URL \"nowhere\" is not understood",
        ),
        (
            &["call", "-H", "broken", "http://127.0.0.1"],
            "-H \"broken\" is not understood",
        ),
        (
            &["call", "-X", "B D", "http://127.0.0.1"],
            "-X \"B D\" is not understood",
        ),
        (&["status", "--profile", "../x"], "is no name"),
    ] {
        let ended = place.run(args);
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains(wanted), "{}", ended.stderr);
    }
    serving.stop();
}

#[test]
fn a_profile_holds_one_session_of_one_service() {
    let place = Place::new();
    let (serving, other) = (place.serve(&["--dev"]), place.serve_elsewhere());
    sign_in(&place, &serving);
    let args = [
        "login",
        "--issuer",
        &other.url,
        "--password",
        "--user",
        "demo@example.com",
    ];
    let ended = place.run_with(&args, PASSWORD);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("choose another --profile"),
        "{}",
        ended.stderr
    );
    place.ok_with(&[&args[..], &["--profile", "other"]].concat(), PASSWORD);
    assert!(
        place
            .ok(&["status", "--profile", "other"])
            .contains(&other.url)
    );
    assert!(place.ok(&["status"]).contains(&serving.url));
    other.stop();
    serving.stop();
}

#[test]
fn the_browser_address_is_printed() {
    use std::io::{BufRead as _, BufReader};

    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    let mut login = place
        .command(&["login", "--issuer", &serving.url, "--no-browser"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(login.stdout.take().unwrap()).lines();
    let url = lines
        .map_while(Result::ok)
        .find(|line| line.contains("/oauth2/authorize?"))
        .unwrap();
    for wanted in [
        "code_challenge_method=S256",
        "redirect_uri=http%3A%2F%2F127.0.0.1",
        "state=",
        "client_id=demo",
    ] {
        assert!(url.contains(wanted), "{wanted} in {url}");
    }
    login.kill().unwrap();
    login.wait().unwrap();
    serving.stop();
}

/// Refreshes that the service has answered, however.
fn refreshes(place: &Place, serving: &Serving) -> usize {
    let metrics = place.ok(&["call", &format!("{}/metrics", serving.url)]);
    let counters = metrics
        .lines()
        .filter(|line| line.starts_with("tenure_refreshes_total{"));
    counters
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap())
        .sum()
}

/// Access tokens live two seconds here, so the loops refresh every second; they end when enough
/// tokens have been seen, not after a time.
#[test]
fn two_shells_in_a_loop_share_one_session_without_an_extra_rotation() {
    let place = Place::new();
    let client = "[clients.demo]\nfirst_party = true\nlifetimes.access = \"2s\"\n";
    place.write("tenure.toml", client);
    let serving = place.serve(&["--dev", "--config", "tenure.toml"]);
    sign_in(&place, &serving);

    let first = place.ok(&["token"]);
    let before = refreshes(&place, &serving);
    let seen = Mutex::new(BTreeSet::from([first]));
    let shell = || {
        while seen.lock().unwrap().len() < 5 {
            let token = place.ok(&["token"]);
            seen.lock().unwrap().insert(token);
        }
    };
    thread::scope(|scope| {
        scope.spawn(shell);
        scope.spawn(shell);
    });
    let tokens = seen.into_inner().unwrap().len();
    let rotations = refreshes(&place, &serving) - before;
    // The request for the metrics may have needed a token of its own.
    assert!(
        rotations == tokens - 1 || rotations == tokens,
        "{rotations} for {tokens} tokens"
    );
    serving.stop();
}
