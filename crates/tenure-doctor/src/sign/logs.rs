//! What logs show.

use std::time::Duration;

use super::{Sign, accepted};
use crate::logs::{LogFinding, Pattern};
use crate::probe::Probe;
use crate::{Clue, Evidence, Source};
use tenure_core::time::Timestamp;

macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident = $pattern:ident, $text:literal, $means:literal;)*) => {
        $($(#[$doc])* pub static $name: Sign = Sign {
            name: $text,
            means: $means,
            find: |evidence| found(evidence, Pattern::$pattern),
        };)*
    };
}

patterns! {
    /// [`Pattern::RefreshRace`].
    RACE = RefreshRace, "refresh-race", "one refresh token was used twice within a second, then refused for good";
    /// [`Pattern::RefreshReuse`].
    REUSE = RefreshReuse, "refresh-reuse", "a refresh token was presented long after it had been used";
    /// [`Pattern::WipedOnTransient`].
    WIPED = WipedOnTransient, "wiped-on-transient", "the session was cleared in the second of an answer that ends no session";
    /// [`Pattern::RefreshNeverCalled`].
    NEVER_CALLED = RefreshNeverCalled, "refresh-never-called", "users are refused when the lifetime has passed since login, and nobody refreshes";
    /// [`Pattern::FreshTokenRefused`].
    FRESH_REFUSED = FreshTokenRefused, "fresh-token-refused", "a token that was just refreshed is refused";
    /// [`Pattern::RequestBeforeRestore`].
    BEFORE_RESTORE = RequestBeforeRestore, "request-before-restore", "requests went out before the stored session was read";
    /// [`Pattern::StoreKeyMissing`].
    KEY_MISSING = StoreKeyMissing, "store-key-missing", "of several keys of the stored session one was missing";
    /// [`Pattern::EmptyRefreshToken`].
    EMPTY_REFRESH = EmptyRefreshToken, "empty-refresh-token", "an empty refresh token was stored or sent";
    /// [`Pattern::MemoryFallback`].
    IN_MEMORY = MemoryFallback, "memory-fallback", "sessions are kept in the memory of one process";
    /// [`Pattern::WorkersDisagree`].
    WORKERS_DISAGREE = WorkersDisagree, "workers-disagree", "processes answer the same request differently";
    /// [`Pattern::RefusedAfterRestart`].
    AFTER_RESTART = RefusedAfterRestart, "refused-after-restart", "users are refused since a restart";
    /// [`Pattern::AnswerLost`].
    ANSWER_LOST = AnswerLost, "answer-lost", "a refresh succeeded at the service, failed at its client, and the token came back";
    /// [`Pattern::KnownInOneProcess`].
    IN_ONE_PROCESS = KnownInOneProcess, "known-in-one-process", "refresh tokens are known to the process that issued them, and to no other";
    /// [`Pattern::RefusedAfterPause`].
    AFTER_PAUSE = RefusedAfterPause, "refused-after-pause", "refreshes after a long pause are refused, and none after a shorter one";
    /// [`Pattern::ClearedSilently`].
    CLEARED = ClearedSilently, "cleared-silently", "the session was cleared and the app was not told, or the other way round";
    /// [`Pattern::Refusals`].
    REFUSALS = Refusals, "refusals-logged", "refusals are in the logs";
}

/// Of the refusals that logs show, half at least were followed by an answer of success to the same user.
pub static RECOVERED: Sign = Sign {
    name: "refusals-recovered",
    means: "users who were refused were answered well later",
    find: |evidence| {
        let refusals = evidence.logs.findings.iter().filter(|finding| {
            let after = finding.figures.get("recovered_answers");
            let after = after.and_then(|after| after.parse::<u64>().ok());
            finding.pattern == Pattern::Refusals
                && after.is_some_and(|after| after * 2 >= finding.count)
        });
        refusals
            .map(|finding| Clue::new(&finding.says, finding.source.clone()))
            .collect()
    },
};

/// A client that takes no notice of the end of its token.
pub static EXPIRED_AGAIN: Sign = Sign {
    name: "expired-again",
    means: "one client is refused for an expired token again and again, and is not served in between",
    find: |evidence| text(evidence, "expired-again"),
};

/// The same for long, while others are served: it is not the verifier's clock.
pub static EXPIRED_KEPT: Sign = Sign {
    name: "expired-token-kept",
    means: "one client goes on with an expired token for long, while others are served",
    find: |evidence| text(evidence, "expired-token-kept"),
};

/// Programs get a page for people.
pub static SENT_TO_LOGIN: Sign = Sign {
    name: "api-sent-to-login-logged",
    means: "requests of programs are answered by a redirect to a page for signing in",
    find: |evidence| text(evidence, "api-sent-to-login-logged"),
};

/// Findings of a pattern as clues.
pub(crate) fn found(evidence: &Evidence, pattern: Pattern) -> Vec<Clue> {
    clues(evidence, |finding| finding.pattern == pattern)
}

/// Findings of a known text, by its name.
pub(crate) fn text(evidence: &Evidence, name: &str) -> Vec<Clue> {
    clues(evidence, |finding| finding.text() == Some(name))
}

fn clues(evidence: &Evidence, wanted: impl Fn(&LogFinding) -> bool) -> Vec<Clue> {
    let findings = evidence.logs.findings.iter();
    findings
        .filter(|finding| wanted(finding) && !passed(evidence, finding))
        .map(|finding| Clue {
            at: finding.first_ms.map(|ms| Timestamp(ms / 1000)),
            ..Clue::new(&finding.says, finding.source.clone())
        })
        .collect()
}

/// The log shows that it is no trouble, and the client's own request is not turned away.
pub(crate) fn passed(evidence: &Evidence, finding: &LogFinding) -> bool {
    let client = evidence.exchange(Probe::Client);
    let away = client.is_some_and(|client| !client.result.as_ref().is_ok_and(accepted));
    finding.has_passed() && !away
}

/// How much a clue is worth where certainty is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    /// A line of what has passed.
    Hearsay,
    /// A line for developers, who quote.
    Quoted,
    /// A line that stands, about somebody.
    Logged,
    /// Seen, correlated or computed.
    Seen,
}

/// A line may quote a handbook, be about somebody else, or about what has passed: it counts most where it was not
/// written for developers, the client's own request is not accepted now, and who was turned away did not get over it.
pub(crate) fn worth(evidence: &Evidence, clue: &Clue) -> Worth {
    if !matches!(clue.source, Source::Log(..)) {
        return Worth::Seen;
    }
    let of_clue = |one: &&LogFinding| one.source == clue.source && one.says == clue.says;
    let mut findings = evidence.logs.findings.iter().filter(of_clue);
    let Some(line) = findings.find(|one| matches!(one.pattern, Pattern::Text | Pattern::Refusals))
    else {
        return Worth::Seen;
    };
    // What its middlewares do Traefik tells developers only.
    let of_traefik = line.text().is_some_and(|text| text.starts_with("traefik-"));
    let quoted = line.figures.contains_key("level") && !of_traefik;
    match (lasts(evidence, line), quoted) {
        (false, _) => Worth::Hearsay,
        (true, true) => Worth::Quoted,
        (true, false) => Worth::Logged,
    }
}

fn lasts(evidence: &Evidence, line: &LogFinding) -> bool {
    let client = evidence.exchange(Probe::Client);
    let works = evidence.answer(Probe::Client).is_some_and(accepted);
    let long_ago = client
        .zip(line.last_ms)
        .is_some_and(|(client, last)| client.at.since(Timestamp(last / 1_000)) > LONG_AGO);
    !works && !long_ago && !all_served(evidence) && !RECOVERED.holds(evidence)
}

/// Answers of success from which a log without any other shows that nobody is turned away.
const SERVED: u64 = 5;

/// All that logs tell of is answered well, whatever a line among it quotes.
pub(crate) fn all_served(evidence: &Evidence) -> bool {
    let only_texts = |finding: &LogFinding| finding.pattern == Pattern::Text;
    let mut answers = evidence.logs.files.iter().flat_map(|file| &file.statuses);
    let served = answers.clone().map(|(_, count)| count).sum::<u64>() >= SERVED;
    served
        && evidence.exchanges.is_empty()
        && answers.all(|(status, _)| *status < 400)
        && evidence.logs.findings.iter().all(only_texts)
}

/// A log that ends so long before the client's request does not explain its refusal.
const LONG_AGO: Duration = Duration::from_hours(24);
