//! Where an answer gives a reason, and which words count as one.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use crate::cause::edge::signs::platform::is_gate;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::{At, is_aside};
use crate::sign::{accepted, answers, logs, refused};
use crate::{Clue, Evidence, Source};

/// Words in any case, across lines.
pub(super) fn pattern(words: &str) -> Option<Regex> {
    RegexBuilder::new(words)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .ok()
}

/// `the token is expired, revoked, or malformed` gives no reason but a list of them.
static VAGUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"\b(or|and/or) (has |is )?(expired|malformed|revoked|invalid)\b|expired(,| or|/)")
});

/// Bytes of a body in which a reason is looked for.
const REASON: usize = 1_024;

/// Where a refusal of the client's own request gives the reason.
pub(super) fn said(evidence: &Evidence, words: Option<&Regex>) -> Vec<Clue> {
    let Some(words) = words else {
        return Vec::new();
    };
    let reason = |answer: &Answer| {
        let found = reasons_of(answer).find_map(|text| words.find(text))?;
        Some(format!("{} with `{}`", answer.status, found.as_str()))
    };
    let probed = own(evidence)
        .filter_map(|(probe, answer)| Some(Clue::new(reason(answer)?, Source::Probe(probe))));
    let browsed = evidence.logs.browsed.iter().filter_map(|one| {
        let answer = one.answer.as_ref();
        let refusal = answer.filter(|answer| refused(answer) && !is_aside(answer))?;
        Some(one.clue(reason(refusal)?))
    });
    // Where the client's own request was sent, nobody else's counts.
    let browsed = browsed.take(if evidence.sent(Probe::Client) {
        0
    } else {
        BROWSED
    });
    probed.chain(browsed).collect()
}

/// Requests of a HAR file that are quoted for one reason.
const BROWSED: usize = 3;

/// Where a log gives the reason. A line or two among many requests that went well are somebody's, and no finding about the
/// service, unless the client's own request is turned away too.
pub(super) fn logged(evidence: &Evidence, name: &str) -> Vec<Clue> {
    let turned_away = evidence
        .answer(Probe::Client)
        .is_some_and(|answer| !accepted(answer));
    let findings = evidence.logs.findings.iter();
    let count = findings
        .filter(|finding| finding.text() == Some(name))
        .map(|finding| finding.count)
        .max();
    let served: u64 = evidence
        .logs
        .files
        .iter()
        .flat_map(|file| &file.statuses)
        .filter(|(status, _)| (200..300).contains(*status))
        .map(|(_, count)| count)
        .sum();
    let stray = count.is_some_and(|count| count <= STRAY && count * 10 <= served);
    if stray && !turned_away {
        return Vec::new();
    }
    logs::text(evidence, name)
}

/// Lines that may be those of one visitor.
const STRAY: u64 = 3;

/// Refusals of the client's own request, at the end of its redirects too; not those of a platform's gate, which are
/// about another token.
pub(super) fn own(evidence: &Evidence) -> impl Iterator<Item = (Probe, &Answer)> {
    answers(evidence).filter(|(probe, answer)| {
        let theirs = is_gate(evidence, answer);
        At::Client.includes(*probe) && !accepted(answer) && !is_aside(answer) && !theirs
    })
}

/// The texts of an answer in which a reason may stand.
fn reasons_of(answer: &Answer) -> impl Iterator<Item = &str> {
    let telling = |name: &str| {
        [
            "authenticate",
            "error",
            "reason",
            "message",
            "denied",
            "dpop",
        ]
        .iter()
        .any(|part| name.contains(part))
    };
    let fields = answer
        .headers
        .iter()
        .filter(move |(name, _)| telling(name))
        .map(|(_, value)| value.as_str());
    let head = beginning(&answer.body);
    // Pages of frameworks that explain an error begin with styles.
    let page = answer.header("content-type");
    let is_page = page.is_some_and(|page| page.contains("html"));
    let shown = answer.body.find("<body").filter(|_| is_page);
    let shown = shown.and_then(|at| Some(beginning(answer.body.get(at..)?)));
    let body = std::iter::once(head).chain(shown);
    let vague = |text: &&str| VAGUE.as_ref().is_some_and(|vague| vague.is_match(text));
    fields.chain(body).filter(move |text| !vague(text))
}

/// The part of a text in which a reason is looked for.
fn beginning(text: &str) -> &str {
    let mut ends = (0..=REASON.min(text.len())).rev();
    let end = ends.find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}
