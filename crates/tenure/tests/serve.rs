//! What `tenure serve` refuses, and that it stops when told.

mod support;

use std::net::TcpListener;

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
