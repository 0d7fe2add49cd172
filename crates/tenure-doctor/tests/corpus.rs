//! The open cases of the corpus, by the promises of the doctor.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::thread;

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
    let judged: Vec<_> = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let parts = cases.chunks(cases.len().div_ceil(cores));
        let running: Vec<_> = parts.map(|part| scope.spawn(|| measure(part))).collect();
        let ended = running.into_iter();
        ended.flat_map(|part| part.join().unwrap()).collect()
    });
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
