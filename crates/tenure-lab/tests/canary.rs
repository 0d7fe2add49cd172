//! The search for secrets.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tenure_lab::canary::{Encoding, Search};

const SECRET: &str = "tnr1_s3cret/with+every>thing?";

#[test]
fn a_secret_is_found_in_each_encoding_with_its_place() {
    let search = Search::new([("refresh token", SECRET)]).unwrap();
    let found = |text: &str| {
        search
            .in_bytes("log", text.as_bytes())
            .iter()
            .map(|f| f.encoding)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(&format!("a {SECRET} b {SECRET}")),
        [Encoding::Raw, Encoding::Raw]
    );
    for lead in ["", "x", "xy", "xyz"] {
        assert_eq!(
            found(&STANDARD.encode(format!("{lead}{SECRET}z"))),
            [Encoding::Base64]
        );
    }
    let hex = SECRET
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat();
    assert_eq!(found(&hex), [Encoding::Hex]);
    assert_eq!(
        found("token=tnr1_s3cret%2Fwith%2Bevery%3Ething%3F&x"),
        [Encoding::Percent]
    );
    assert_eq!(found("tnr1_s3cret/with+every>thing"), []);

    let finding = search
        .in_bytes("log", format!("a {SECRET}").as_bytes())
        .remove(0);
    assert_eq!(finding.to_string(), "log:2: refresh token (Raw)");
    assert!(!format!("{search:?}{finding:?}").contains(SECRET));
}

#[test]
fn files_in_subdirectories_and_their_names_are_searched() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    std::fs::write(
        dir.path().join("sub/tenure.db-wal"),
        [b"\0\0", SECRET.as_bytes()].concat(),
    )
    .unwrap();
    std::fs::write(dir.path().join("clean"), "nothing").unwrap();
    std::fs::write(dir.path().join("password=hunter2hunter2"), "").unwrap();
    let search = Search::new([("token", SECRET), ("password", "hunter2hunter2")]).unwrap();
    let mut findings: Vec<_> = search
        .in_path(dir.path())
        .unwrap()
        .into_iter()
        .map(|f| (f.label, f.place.file_name().unwrap().to_owned()))
        .collect();
    findings.sort();
    let expected = [
        ("password".to_owned(), "password=hunter2hunter2".into()),
        ("token".to_owned(), "tenure.db-wal".into()),
    ];
    assert_eq!(findings, expected);
    assert!(search.in_path(Path::new("/no/such/file")).is_err());
}

#[test]
fn a_secret_that_would_be_found_by_chance_is_refused() {
    assert!(Search::new([("pin", "1234567")]).is_err());
}

#[test]
fn thousands_of_secrets_are_searched_for_at_once() {
    let secrets: Vec<String> = (0..5000).map(|n| format!("tnr1_{n:040}")).collect();
    let search = Search::new(secrets.iter().map(|secret| ("token", secret))).unwrap();
    let haystack = format!("{}{}", "tnr1_0000".repeat(100_000), secrets[4321]);
    assert_eq!(search.in_bytes("log", haystack.as_bytes()).len(), 1);
}
