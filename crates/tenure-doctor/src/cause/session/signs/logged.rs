//! What logs show of sessions and refreshes.

use super::said::of_refresh;
use crate::cause::session::texts;
use crate::logs::{LogFinding, Pattern};
use crate::probe::Probe;
use crate::sign::{Sign, accepted, client_answers, each, logs, refused, seen};
use crate::{Clue, Evidence};

/// Two refreshes at once of one token or user; not merely of one address or log.
pub(in super::super) static RACE_KNOWN: Sign = Sign {
    name: "refresh-race-known",
    means: "one user's refresh token was used twice within a second, then refused for good",
    find: |evidence| {
        finding(evidence, Pattern::RefreshRace, |found| {
            !found.figures.contains_key("guessed_by")
        })
    },
};

/// The service is known to have carried out the refresh whose answer was lost.
pub(in super::super) static CARRIED_OUT: Sign = Sign {
    name: "answer-lost-carried-out",
    means: "the service carried out a refresh that failed at its client, and the token came back",
    find: |evidence| {
        finding(evidence, Pattern::AnswerLost, |found| {
            !found.figures.contains_key("service")
        })
    },
};

/// A used token came back though its successor is in use.
pub(in super::super) static TWO_HOLDERS: Sign = Sign {
    name: "refresh-two-holders",
    means: "a used refresh token came back while its successor was in use: there are two holders",
    find: |evidence| {
        finding(evidence, Pattern::RefreshReuse, |found| {
            is(found, "successor", "used")
        })
    },
};

/// A used token came back, and nobody ever used its successor.
pub(in super::super) static SUCCESSOR_UNUSED: Sign = Sign {
    name: "refresh-successor-unused",
    means: "a used refresh token came back, and nobody ever presented its successor",
    find: |evidence| {
        finding(evidence, Pattern::RefreshReuse, |found| {
            is(found, "successor", "unused")
        })
    },
};

/// Refreshes were refused, by the logs.
pub(in super::super) static REFRESHES_REFUSED: Sign = Sign {
    name: "refreshes-refused",
    means: "refreshes were refused",
    find: |evidence| {
        finding(evidence, Pattern::Refusals, |found| {
            found
                .figures
                .get("of_refreshes")
                .is_some_and(|count| count != "0")
        })
    },
};

/// Sessions in the memory of a process, and refreshes that it refused for no other reason that is known.
pub(in super::super) static LOST_FROM_MEMORY: Sign = Sign {
    name: "refreshes-lost-from-memory",
    means: "refresh tokens are kept in one process's memory, and refreshes are refused",
    find: |evidence| {
        let otherwise = [
            &logs::RACE,
            &logs::REUSE,
            &logs::WIPED,
            &logs::EMPTY_REFRESH,
        ];
        let both = [&logs::IN_MEMORY, &REFRESHES_REFUSED];
        let lost = both.iter().all(|sign| sign.holds(evidence));
        if lost && !otherwise.iter().any(|sign| sign.holds(evidence)) {
            each(evidence, &both)
        } else {
            Vec::new()
        }
    },
};

/// An issuer that warns of its own memory does not know a refresh token. It may be another issuer's,
/// so that this settles nothing by itself.
pub(in super::super) static UNKNOWN_TO_MEMORY: Sign = Sign {
    name: "refresh-unknown-to-memory",
    means: "the issuer keeps its grants in memory, and does not know the refresh token",
    find: |evidence| {
        let memory = (texts::OIDC_IN_MEMORY.find)(evidence);
        let unknown = of_refresh(evidence, (texts::REFRESH_NOT_FOUND.find)(evidence));
        if memory.is_empty() || unknown.is_empty() {
            return Vec::new();
        }
        memory.into_iter().chain(unknown).collect()
    },
};

/// Who was turned away after a restart was so when refreshing.
pub(in super::super) static REFRESHES_END_WITH_RESTART: Sign = Sign {
    name: "refreshes-end-with-restart",
    means: "refreshes that worked before a restart are refused after it",
    find: |evidence| {
        finding(evidence, Pattern::RefusedAfterRestart, |found| {
            let of = |name: &str| found.figures.get(name).cloned().unwrap_or_default();
            of("of_refreshes") == of("users")
        })
    },
};

/// Processes disagree about refreshes.
pub(in super::super) static WORKERS_DISAGREE_ON_REFRESH: Sign = Sign {
    name: "workers-disagree-on-refresh",
    means: "whether a refresh succeeds depends on the process that answers it",
    find: |evidence| {
        finding(evidence, Pattern::WorkersDisagree, |found| {
            found
                .figures
                .get("path")
                .is_none_or(|path| path == "refresh")
        })
    },
};

/// The client's own request is answered well and refused in turns, with a cookie that says nothing by itself.
pub(in super::super) static COOKIE_FLIPS: Sign = Sign {
    name: "session-cookie-flips",
    means: "one session cookie is taken and refused in turns",
    find: |evidence| {
        let own = evidence.exchange(Probe::Client);
        let by_cookie = own.is_some_and(|own| {
            own.request.header("cookie").is_some() && own.request.header("authorization").is_none()
        });
        let all: Vec<_> = client_answers(evidence).collect();
        let well = all.iter().filter(|(_, answer)| accepted(answer)).count();
        let away = all.iter().filter(|(_, answer)| refused(answer)).count();
        let flips = by_cookie && well >= 2 && away >= 2 && well + away == all.len();
        let says = format!("the same cookie is answered well {well} times, refused {away} times");
        seen(flips, says, Probe::Client)
    },
};

/// The session was cleared and the app not told, and no failed refresh explains the clearing.
pub(in super::super) static CLEARED_ALONE: Sign = Sign {
    name: "cleared-without-a-word",
    means: "the session was cleared while the app went on as signed in, for no failed refresh",
    find: |evidence| {
        let otherwise = [&logs::WIPED, &logs::RACE, &logs::REUSE];
        if otherwise.iter().any(|sign| sign.holds(evidence)) {
            return Vec::new();
        }
        (logs::CLEARED.find)(evidence)
    },
};

/// Findings of a pattern that fulfil a condition, as clues.
fn finding(
    evidence: &Evidence,
    pattern: Pattern,
    wanted: impl Fn(&LogFinding) -> bool,
) -> Vec<Clue> {
    let all = evidence.logs.findings.iter();
    let mut matching = all.filter(|found| found.pattern == pattern);
    if matching.any(wanted) {
        logs::found(evidence, pattern)
    } else {
        Vec::new()
    }
}

fn is(found: &LogFinding, figure: &str, value: &str) -> bool {
    found
        .figures
        .get(figure)
        .is_some_and(|figure| figure == value)
}
