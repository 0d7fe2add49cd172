//! What verifiers would say of the token, and how old it is.

use std::io;

use tenure_doctor::Evidence;
use tenure_doctor::token::{Expected, Opinion, Role, ages, failing, opinions};

use crate::print;

/// What the flags say that verifiers are set up with.
pub(super) struct Given {
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) client_id: Option<String>,
}

/// Age and clocks, every check that fails, and each verifier's answer.
pub(super) fn print(evidence: &Evidence, given: Given) -> io::Result<()> {
    let Some(token) = evidence.token(Role::Presented) else {
        return Ok(());
    };
    let discovered = || evidence.keys.iter().find_map(|set| set.issuer.clone());
    let expected = Expected {
        issuer: given.issuer.or_else(discovered),
        audience: given.audience,
        client_id: given.client_id,
        now: evidence.now,
    };
    let opinions = opinions(token, &expected);
    print::line("Time, by this machine's clock")?;
    for sentence in ages(token, evidence) {
        print::line(format_args!("  {sentence}"))?;
    }
    checks(&opinions)?;
    verifiers(&opinions)?;
    assumed(&expected)
}

fn checks(opinions: &[Opinion]) -> io::Result<()> {
    print::line("")?;
    let rows: Vec<_> = failing(opinions)
        .into_iter()
        .map(|(rule, by)| {
            let who = if by == opinions.len() {
                "every verifier".to_owned()
            } else {
                format!("{by} of {} verifiers", opinions.len())
            };
            [rule.means().to_owned(), who]
        })
        .collect();
    if rows.is_empty() {
        return print::line("No check fails.");
    }
    print::table(["Check that fails", "for"], &rows)
}

fn verifiers(opinions: &[Opinion]) -> io::Result<()> {
    print::line("")?;
    let rows: Vec<_> = opinions.iter().map(row).collect();
    print::table(["Verifier", "leeway", "would say"], &rows)
}

fn row(opinion: &Opinion) -> [String; 3] {
    let refusals = opinion.refusals.iter().map(|refusal| {
        let status = refusal
            .status
            .map(|status| format!("{status} "))
            .unwrap_or_default();
        let says = if refusal.says.is_empty() {
            refusal.rule.means()
        } else {
            refusal.says
        };
        format!("{status}{says}")
    });
    let refusals: Vec<_> = refusals.collect();
    let says = if refusals.is_empty() {
        "accepted".to_owned()
    } else {
        refusals.join("; ")
    };
    [
        opinion.verifier.to_owned(),
        format!("{} s", opinion.leeway_s),
        says,
    ]
}

/// What was not given cannot be compared.
fn assumed(expected: &Expected) -> io::Result<()> {
    let missing: Vec<_> = [
        ("--issuer", expected.issuer.is_none()),
        ("--audience", expected.audience.is_none()),
    ]
    .into_iter()
    .filter_map(|(flag, missing)| missing.then_some(flag))
    .collect();
    if !missing.is_empty() {
        print::line(format_args!(
            "Not compared, because it was not given: {}.",
            missing.join(", ")
        ))?;
    }
    print::line("")
}
