//! For CI servers: JUnit XML.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::words::said;
use super::{command, plain, share, verdict};
use crate::{Diagnosis, Evidence, Outcome, Ranked, Verdict};

/// One case for each cause with anything for or against it: confirmed and likely ones fail, possible and
/// suppressed ones are skipped, ruled out ones pass. Undecided is an error of its own.
///
/// # Errors
///
/// A text that XML cannot hold.
pub fn junit(diagnosis: &Diagnosis, evidence: &Evidence) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("causes");
    for ranked in &diagnosis.ranked {
        suite.add_test_case(case(ranked, status(ranked)));
    }
    for ranked in &diagnosis.suppressed {
        let mut status = TestCaseStatus::skipped();
        status.set_message("suppressed");
        suite.add_test_case(case(ranked, status));
    }
    suite.add_test_case(outcome(diagnosis));
    for clue in &evidence.unread {
        let mut status = TestCaseStatus::skipped();
        status.set_message(said(clue));
        suite.add_test_case(named("unread", &plain(&clue.source.to_string()), status));
    }
    let mut report = Report::new("tenure doctor");
    report.add_test_suite(suite);
    report.to_string()
}

fn case(ranked: &Ranked, status: TestCaseStatus) -> TestCase {
    let cause = ranked.cause;
    named(cause.id, &format!("{} {}", cause.id, cause.title), status)
}

fn named(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    case
}

fn status(ranked: &Ranked) -> TestCaseStatus {
    let mut status = match ranked.verdict {
        Verdict::RuledOut => return TestCaseStatus::success(),
        Verdict::Possible => TestCaseStatus::skipped(),
        Verdict::Likely | Verdict::Confirmed => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
    };
    status.set_message(format!("{}: {}", verdict(ranked.verdict), share(ranked)));
    let clues = ranked
        .evidence
        .iter()
        .map(|clue| format!("for: {}", said(clue)));
    let against = ranked.against.iter();
    let against = against.map(|clue| format!("against: {}", said(clue)));
    let fix = format!("fix: {}", ranked.cause.fix);
    let lines: Vec<_> = clues.chain(against).chain([fix]).collect();
    status.set_description(lines.join("\n"));
    status
}

/// Whether the question was answered at all.
fn outcome(diagnosis: &Diagnosis) -> TestCase {
    let mut status = match diagnosis.outcome {
        Outcome::Healthy | Outcome::Found => TestCaseStatus::success(),
        Outcome::Undecided => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if diagnosis.outcome == Outcome::Undecided {
        let next = diagnosis.next.iter().map(|step| {
            let (what, how) = command(step);
            format!("{what}: {how}")
        });
        status.set_message(super::headline(diagnosis));
        status.set_description(next.collect::<Vec<_>>().join("\n"));
    }
    named("outcome", "decided", status)
}
