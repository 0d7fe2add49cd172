//! What `tenure serve` refuses, and that it stops when told.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use support::{Place, tenure};

#[test]
fn a_port_in_use_is_exit_2_with_the_fix() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = place.run(&["serve", "--dev", "--listen", &address]);
    assert_eq!(ended.code, 2);
    assert_eq!(
        ended.stderr.trim(),
        format!(
            "error: {address} is in use by another program; stop it, or choose another address with --listen"
        )
    );
}

#[test]
fn an_unwritable_data_directory_is_exit_2_with_the_fix() {
    let place = Place::new();
    place.write("file", "in the way");
    let ended = place.run(&[
        "serve",
        "--dev",
        "--data",
        "file",
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .stderr
            .contains("cannot write to the data directory file:"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("choose another with --data"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_missing_master_secret_is_exit_2_and_leaves_no_trace() {
    let place = Place::new();
    place.write("tenure.toml", "issuer = \"https://auth.example.com\"\n");
    let ended = place.run(&[
        "serve",
        "--config",
        "tenure.toml",
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains(
            "master_secret: is missing; give at least 32 random bytes in TENURE_MASTER_SECRET"
        ),
        "{}",
        ended.stderr
    );
    assert!(!place.path("tenure-data").exists());
}

#[test]
fn dev_on_a_public_address_is_exit_2() {
    let ended = Place::new().run(&["serve", "--dev", "--listen", "0.0.0.0:0"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("--dev has a public password"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_database_from_a_newer_version_is_exit_2_with_both_versions() {
    let place = Place::new();
    place.serve(&["--dev"]).stop();
    place.pretend_newer();
    let ended = place.run(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .stderr
            .contains("tenure.db needs a program of schema 9999 or newer"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("upgrade tenure"), "{}", ended.stderr);
}

#[test]
fn every_choice_is_printed_and_a_stop_is_clean() {
    let place = Place::new();
    let said = place.serve(&["--dev"]).stop();
    for wanted in [
        "issuer          http://127.0.0.1:",
        "store           sqlite, durable, ./tenure-data/tenure.db",
        "revocations     separate-log",
        "signing key     ",
        "master secret   generated ./tenure-data/master-secret",
        "clock           the host's",
        "monitoring      /metrics and /health/ready, on the address that apps use",
        "configuration   no file",
        "demo@example.com, password demo-password",
        "demo-api, secret demo-secret",
        " login --issuer http://127.0.0.1:",
        " status",
        "/api/auth/me",
    ] {
        assert!(said.contains(wanted), "{wanted} in\n{said}");
    }
}

#[test]
fn monitoring_has_the_address_that_it_was_given() {
    let place = Place::new();
    place.write("tenure.toml", "monitor_listen = \"127.0.0.1:0\"\n");
    let serving = place.serve(&["--dev", "--config", "tenure.toml"]);
    let (_, rest) = serving
        .said()
        .split_once("monitoring      http://")
        .unwrap();
    let (monitor, rest) = rest.split_once('/').unwrap();
    assert!(rest.starts_with("metrics and /health/ready, only there\n"));
    let public = serving.url.strip_prefix("http://").unwrap();
    for (address, status) in [(monitor, "200 OK"), (public, "404 Not Found")] {
        for path in ["/metrics", "/health/ready"] {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{answer}"
            );
        }
    }
    serving.stop();
}

#[test]
fn a_store_in_memory_is_announced() {
    let place = Place::new();
    let said = place.serve(&["--dev", "--dangerous-memory-store"]).stop();
    assert!(said.contains("THE STORE IS IN MEMORY"), "{said}");
    assert!(said.contains("NOT durable"), "{said}");
    assert!(!place.path("tenure-data/tenure.db").exists());
}

#[test]
fn the_program_names_its_version() {
    let output = tenure().arg("--version").output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim(),
        concat!("tenure ", env!("CARGO_PKG_VERSION"))
    );
}
