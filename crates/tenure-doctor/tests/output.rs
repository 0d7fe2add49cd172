//! The forms of the answer, over a diagnosis made by hand.

#![expect(clippy::unwrap_used, reason = "test code")]

mod made_up;

use made_up::{diagnosis, evidence, undecided};
use serde_json::Value;
use tenure_doctor::cause::Family;
use tenure_doctor::output::{self, Look};
use tenure_doctor::{Evidence, Outcome, diagnose};

const LOOK: Look = Look {
    width: 78,
    color: false,
};

const FAMILIES: &[Family] = &[
    Family {
        name: "made-up",
        title: "Made up",
        causes: &made_up::CAUSES,
    },
    Family {
        name: "empty",
        title: "Empty",
        causes: &[],
    },
];

fn valid(answer: &str) {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/doctor.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let answer: Value = serde_json::from_str(answer).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&answer)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_person_reads_the_outcome_first_and_what_is_unknown_last() {
    insta::assert_snapshot!(output::human(&diagnosis(), &evidence(), LOOK));
}

#[test]
fn an_undecided_answer_names_the_step_that_would_settle_it() {
    insta::assert_snapshot!(output::human(&undecided(), &evidence(), LOOK));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let wide = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
    for width in [50, 78, 120] {
        let look = Look { width, ..LOOK };
        assert!(wide(&output::human(&diagnosis(), &evidence(), look)) <= width);
    }
}

#[test]
fn colour_is_there_only_when_it_is_asked_for() {
    let colored = Look {
        color: true,
        ..LOOK
    };
    assert!(!output::human(&diagnosis(), &evidence(), LOOK).contains('\u{1b}'));
    assert!(output::human(&diagnosis(), &evidence(), colored).contains("\u{1b}[1m"));
}

#[test]
fn json_is_as_its_schema_says() {
    let json = output::json(&diagnosis(), &evidence()).unwrap();
    valid(&json);
    valid(&output::json(&undecided(), &evidence()).unwrap());
    let nothing = Evidence::default();
    valid(&output::json(&diagnose(&nothing), &nothing).unwrap());
    insta::assert_snapshot!(json);
}

#[test]
fn sarif_has_a_rule_with_help_for_each_result_and_points_at_lines() {
    insta::assert_snapshot!(output::sarif(&diagnosis(), &evidence()));
}

#[test]
fn junit_fails_for_what_was_found() {
    insta::assert_snapshot!(output::junit(&diagnosis(), &evidence()).unwrap());
}

#[test]
fn junit_has_an_error_where_nothing_was_decided() {
    let junit = output::junit(&undecided(), &evidence()).unwrap();
    assert!(junit.contains("errors=\"1\""), "{junit}");
}

#[test]
fn markdown_disarms_what_a_server_or_a_log_line_says() {
    let markdown = output::markdown(&diagnosis(), &evidence());
    assert!(
        !markdown.contains("<img") && !markdown.contains("@everyone"),
        "{markdown}"
    );
    insta::assert_snapshot!(markdown);
}

#[test]
fn an_accepted_cause_is_no_finding_any_more() {
    let mut diagnosis = diagnosis();
    diagnosis.suppress(&["TN9901".to_owned()]);
    assert_eq!(diagnosis.outcome, Outcome::Healthy);
    let sarif: Value = serde_json::from_str(&output::sarif(&diagnosis, &evidence())).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<_> = results
        .iter()
        .filter(|result| result.get("suppressions").is_some())
        .collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["ruleId"], "TN9901");
    assert!(output::human(&diagnosis, &evidence(), LOOK).contains("Suppressed: TN9901"));
}

#[test]
fn an_accepted_cause_decides_nothing_that_was_undecided() {
    let mut diagnosis = undecided();
    diagnosis.suppress(&["TN9902".to_owned()]);
    assert_eq!(diagnosis.outcome, Outcome::Undecided);
}

#[test]
fn a_cause_has_a_page() {
    insta::assert_snapshot!(output::page(&made_up::HEADER_DROPPED));
}

#[test]
fn the_document_of_causes_has_every_page_under_its_family() {
    let pages = output::pages(FAMILIES);
    assert!(pages.contains("\n## Made up\n"));
    assert!(pages.contains("\n### TN9901: "));
    assert!(pages.contains("\n#### Fix\n"));
    assert_eq!(output::list(FAMILIES[0].causes.iter()).lines().count(), 3);
}
