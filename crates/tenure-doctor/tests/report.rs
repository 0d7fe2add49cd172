//! The incident document, over a diagnosis made by hand.

mod made_up;

use made_up::{diagnosis, evidence, undecided};
use tenure_core::time::Timestamp;
use tenure_doctor::report::{Report, merge};
use tenure_doctor::{Evidence, diagnose};

const TITLE: &str = "Users of the <app> are signed out";

#[test]
fn the_document_goes_from_the_facts_to_the_checks_that_close_it() {
    let report = Report::new(TITLE, &diagnosis(), &evidence());
    insta::assert_snapshot!(report.markdown().unwrap());
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let page = Report::new(TITLE, &diagnosis(), &evidence())
        .html()
        .unwrap();
    for foreign in [
        "<script", "<link", "<img", "src=\"", "@import", "url(", "onload",
    ] {
        assert!(!page.contains(foreign), "{foreign} in {page}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("&lt;img") || page.contains("&#60;img"));
}

#[test]
fn what_is_not_known_is_asked() {
    let markdown = Report::new(TITLE, &undecided(), &evidence())
        .markdown()
        .unwrap();
    assert!(markdown.contains("## Open questions"));
    assert!(markdown.contains("the proxy's configuration"));
    assert!(markdown.contains("notes.bin"));
}

#[test]
fn no_evidence_makes_a_document_that_says_so() {
    let nothing = Evidence::default();
    let report = Report::new(TITLE, &diagnose(&nothing), &nothing);
    assert!(report.markdown().unwrap().contains("None was collected."));
    assert!(report.html().unwrap().contains("None was collected."));
}

#[test]
fn two_looks_are_one_and_what_both_saw_is_there_once() {
    let mut later = evidence();
    later.now = Timestamp(1_700_009_000);
    later.exchanges.truncate(1);
    later.exchanges[0].at = later.now;
    let whole = merge([later.clone(), evidence()]);
    assert_eq!(whole.now, later.now);
    assert_eq!(whole.exchanges.len(), 4);
    assert_eq!(whole.exchanges[3], later.exchanges[0]);
    assert_eq!(whole.tokens.len(), 1);
    assert_eq!(whole.logs.timeline.len(), 2);
}
