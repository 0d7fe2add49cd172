//! What answers to refreshes show.

use crate::cause::session::texts;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::At;
use crate::sign::{Sign, accepted, answers, contains, found, refused, seen, token};
use crate::{Clue, Evidence, Source};

/// A refresh is refused, and the same token is good a moment later.
pub(in super::super) static REFRESH_FLIPS: Sign = Sign {
    name: "refresh-flips",
    means: "a refresh token that was refused is accepted a moment later",
    find: |evidence| {
        let says = |status| format!("{status} for a refresh whose repetition succeeded");
        found(flip(evidence).map(|(probe, refused)| (probe, says(refused.status))))
    },
};

/// The refusal in [`REFRESH_FLIPS`] is about a session that is not known.
pub(in super::super) static FLIP_SAYS_UNKNOWN: Sign = Sign {
    name: "refresh-flip-says-unknown",
    means: "the refusal says that the session or token is not known, and a moment later it is",
    find: |evidence| {
        const UNKNOWN: [&str; 5] = ["session", "not found", "unknown", "not known", "no such"];
        const OTHER: [&str; 4] = ["signature", "client", "already used", "reuse"];
        let Some((probe, refused)) = flip(evidence) else {
            return Vec::new();
        };
        let says = |words: &[&str]| words.iter().any(|word| contains(&refused.body, word));
        seen(
            says(&UNKNOWN) && !says(&OTHER),
            "the refusal speaks of a session or token that is not known",
            probe,
        )
    },
};

/// 400 or 401 for a refresh, then a success.
fn flip(evidence: &Evidence) -> Option<(Probe, &Answer)> {
    let all: Vec<_> = refreshes(evidence).collect();
    let dead = |answer: &&Answer| matches!(answer.status, 400 | 401);
    let at = all.iter().position(|(_, answer)| dead(answer))?;
    let later = all.iter().skip(at).any(|(_, answer)| accepted(answer));
    later.then(|| all.get(at).copied()).flatten()
}

/// Each refresh fails for reasons that say nothing about the token.
pub(in super::super) static REFRESH_PASSING: Sign = Sign {
    name: "refresh-not-definitive",
    means: "refreshes fail for a reason that ends no session: network, firewall, overload",
    find: |evidence| {
        let refreshes = evidence
            .exchanges
            .iter()
            .filter(|exchange| At::Refresh.includes(exchange.probe));
        let failed = refreshes.filter_map(|exchange| {
            let says = match &exchange.result {
                Ok(answer) if matches!(answer.status, 403 | 408 | 429 | 500..) => {
                    format!("{} for a refresh", answer.status)
                }
                Err(failure) => failure.to_string(),
                Ok(_) => return None,
            };
            Some(Clue::new(says, Source::Probe(exchange.probe)))
        });
        failed.collect()
    },
};

/// The client's token is expired and refused, and a refresh brings another.
pub(in super::super) static EXPIRED_REFRESH_WORKS: Sign = Sign {
    name: "expired-though-refresh-works",
    means: "the client presents an expired token, though a refresh would bring a new one",
    find: |evidence| {
        let works = refreshes(evidence)
            .next()
            .filter(|(_, answer)| accepted(answer));
        let turned_away = evidence.answer(Probe::Client).is_some_and(refused);
        let holds = turned_away && token::EXPIRED.holds(evidence);
        works.map_or_else(Vec::new, |(probe, answer)| {
            let says = format!("the token is expired; {} for a refresh", answer.status);
            seen(holds, says, probe)
        })
    },
};

/// A success without a refresh token in it.
pub(in super::super) static NO_SUCCESSOR: Sign = Sign {
    name: "refresh-without-successor",
    means: "the answer to a refresh holds no refresh token: the old one stays good",
    find: |evidence| {
        let without = refreshes(evidence)
            .find(|(_, answer)| accepted(answer) && !contains(&answer.body, "refresh"));
        let says = "a refresh succeeded without a refresh token in its answer";
        found(without.map(|(probe, _)| (probe, says.to_owned())))
    },
};

/// An answer or request with a refresh token that is blank.
pub(in super::super) static BLANK_SUCCESSOR: Sign = Sign {
    name: "blank-successor",
    means: "the answer to a refresh holds an empty refresh token",
    find: |evidence| {
        let blank = refreshes(evidence).find(|(_, answer)| {
            let body: String = answer.body.split_whitespace().collect();
            accepted(answer)
                && [
                    "\"refresh_token\":\"\"",
                    "\"refreshToken\":\"\"",
                    "\"RefreshToken\":\"\"",
                ]
                .iter()
                .any(|empty| body.contains(empty))
        });
        let says = "a refresh succeeded with an empty refresh token";
        found(blank.map(|(probe, _)| (probe, says.to_owned())))
    },
};

/// Amazon Cognito does not know the client that refreshes.
pub(in super::super) static POOL_CLIENT_GONE: Sign = Sign {
    name: "cognito-client-gone",
    means: "the user pool has no client of that id",
    find: |evidence| {
        let gone = refreshes(evidence).find(|(_, answer)| {
            !accepted(answer)
                && contains(&answer.body, "ResourceNotFoundException")
                && contains(&answer.body, "client")
        });
        let says = |status| format!("{status} for a refresh: the user pool has no such client");
        found(gone.map(|(probe, answer)| (probe, says(answer.status))))
    },
};

/// The words of Amazon Cognito, by its name for them: many services have the same.
pub(in super::super) static COGNITO_REFUSES: Sign = Sign {
    name: "cognito-refuses-refresh",
    means: "the user pool does not take the refresh token",
    find: |evidence| {
        if texts::NOT_AUTHORIZED.holds(evidence) {
            (texts::COGNITO_INVALID.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The token says that Cognito tracks devices.
pub(in super::super) static DEVICE_TRACKED: Sign = Sign {
    name: "cognito-device-tracked",
    means: "the token belongs to a device that the user pool tracks",
    find: |evidence| {
        token::of_claims(evidence, |claims| {
            let tracked = claims.names.iter().any(|name| name == "device_key");
            tracked.then(|| "the token has the claim `device_key`".to_owned())
        })
    },
};

/// Answers to refreshes, in their order.
pub(super) fn refreshes(evidence: &Evidence) -> impl Iterator<Item = (Probe, &Answer)> {
    answers(evidence).filter(|(probe, _)| At::Refresh.includes(*probe))
}
