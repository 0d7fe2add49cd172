//! `tenure doctor probe` from outside.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use support::{Ended, Place};

const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRlc3RzLXRoYXQtaXMtbG9uZyE";

/// Answers each connection with what `answer` makes of the request and of its number; ends with the test.
fn serve(answer: impl Fn(&str, usize) -> &'static [u8] + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/me", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let request = head(&mut stream);
            // The doctor hangs up on a body that is too long.
            let _gone = stream.write_all(answer(&request, number));
        }
    });
    url
}

fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        bytes.extend(byte);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const FINE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";

/// With the token on stdin.
fn probe(url: &str, more: &[&str]) -> Ended {
    let args = [&["doctor", "probe", url, "--token-file", "-"][..], more].concat();
    Place::new().run_with(&args, TOKEN)
}

#[test]
fn a_healthy_endpoint_ends_with_zero_and_a_line_for_each_request() {
    let url = serve(|request, _| {
        if request.contains(TOKEN) {
            FINE
        } else {
            REFUSED
        }
    });
    let ended = probe(&url, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains(" 1/25 client (P0): 200"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("requests: everything answers as it should")
    );
    assert!(!(ended.stdout + &ended.stderr).contains(TOKEN));
}

#[test]
fn no_answer_is_said_in_one_line_and_is_not_called_healthy() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let binary = serve(|_, _| b"\x00\x01\xff\xfe binary\n");
    for (url, says) in [
        (format!("http://{closed}/"), "nothing listens there"),
        (format!("https://{closed}/"), "nothing listens there"),
        ("http://no-such-name.invalid/".to_owned(), "has no address"),
        (binary, "is not HTTP"),
    ] {
        let ended = probe(&url, &[]);
        assert_eq!(ended.code, 3, "{url}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{url}: {}", ended.stderr);
    }
}

#[test]
fn a_url_that_hangs_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let ended = probe(&url, &["--timeout", "50ms"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("2 requests: no answer: nothing came back")
    );
}

#[test]
fn a_redirect_loop_is_named() {
    let url = serve(|request, _| match request.split(' ').nth(1) {
        Some("/me") => b"HTTP/1.1 302 Found\r\nlocation: /you\r\ncontent-length: 0\r\n\r\n",
        _ => b"HTTP/1.1 302 Found\r\nlocation: /me\r\ncontent-length: 0\r\n\r\n",
    });
    let ended = probe(&url, &[]);
    assert!(
        ended.stderr.contains("the redirects lead in a circle"),
        "{}",
        ended.stderr
    );
}

#[test]
fn answers_that_differ_each_time_are_named() {
    let url = serve(|_, number| {
        if number.is_multiple_of(2) {
            FINE
        } else {
            REFUSED
        }
    });
    let ended = probe(&url, &[]);
    assert!(
        ended.stderr.contains("is answered differently: 200"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_token_cannot_have_an_address_asked_that_it_names_as_its_issuer() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwOi8vMTY5LjI1NC4xNjkuMjU0In0.c2lnbmF0dXJl";
    let url = serve(|_, _| REFUSED);
    let args = ["doctor", "probe", &url, "--token-file", "-"];
    let ended = Place::new().run_with(&args, token);
    assert!(ended.stderr.contains("is not asked"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("discovery"), "{}", ended.stderr);
}

#[test]
fn wrong_usage_ends_with_two_and_quotes_no_secret() {
    let place = Place::new();
    place.write("secret.txt", "Authorization: Bearer planted-secret");
    let url = "http://127.0.0.1:1/";
    for (args, says) in [
        (&["ftp://127.0.0.1/"][..], "begin with http://"),
        (&["me"], "cannot be read"),
        (
            &["http://u:planted-secret@127.0.0.1/"],
            "user name or password",
        ),
        (&[url, "--method", "POST"], "--allow-unsafe"),
        (&[url, "--header-file", "secret.txt"], "--token-file"),
        (&[url, "--burn-refresh", "secret.txt"], "line 1"),
        (&[url, "--ca", "secret.txt"], "no certificate"),
        (&[url, "--token-file", "missing.txt"], "missing.txt"),
        (
            &[url, "--token-file", "-", "--old-token-file", "-"],
            "one input only",
        ),
    ] {
        let ended = place.run(&[&["doctor", "probe"], args].concat());
        assert_eq!(ended.code, 2, "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{args:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("planted-secret"), "{}", ended.stderr);
    }
}
