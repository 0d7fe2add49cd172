//! The open two thirds of the corpus, by the promises of the doctor.

use std::fs;
use std::path::Path;

use tenure_doctor::case::{Case, Tally, measure};

#[test]
fn the_open_cases_are_diagnosed_as_well_as_promised() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/open");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let cases: Vec<Case> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).unwrap();
            serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        })
        .collect();
    assert!(!cases.is_empty(), "there is no case to measure by");
    let judged = measure(&cases);
    let failures: Vec<_> = judged
        .iter()
        .filter(|case| !case.complaints().is_empty())
        .map(|case| format!("{}: {}", case.id, case.complaints().join(", ")))
        .collect();
    let missed: Vec<_> = Tally::of(&judged)
        .goals()
        .into_iter()
        .filter(|goal| !goal.met)
        .map(|goal| goal.says)
        .collect();
    assert!(
        missed.is_empty(),
        "missed: {missed:?}\n{}",
        failures.join("\n")
    );
}
