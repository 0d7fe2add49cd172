//! How the client's own request is refused, whatever the reason.

use super::reasons::gives_reason;
use super::{refusal, turned_away};
use crate::Clue;
use crate::compare::same;
use crate::drift::{Holder, compare};
use crate::exchange::Answer;
use crate::logs::Pattern;
use crate::probe::Probe;
use crate::sign::token::{begin, claims, presented};
use crate::sign::{Sign, accepted, client_answers, found, of_token, refused, seen};
use crate::token::{Shape, Token};

/// The client's request is refused.
pub(in super::super) static TURNED_AWAY: Sign = Sign {
    name: "turned-away",
    means: "the client's own request is refused",
    find: |evidence| {
        let says = |status| format!("{status} for the client's request");
        found(turned_away(evidence).map(|(probe, answer)| (probe, says(answer.status))))
    },
};

/// The client's request is refused or unanswered, or, where it was not sent, refusals are in the logs.
pub(in super::super) static SOME_TURNED_AWAY: Sign = Sign {
    name: "some-turned-away",
    means: "the client's own request fails, or somebody's in the logs",
    find: |evidence| match evidence.answer(Probe::Client) {
        Some(answer) => seen(
            !accepted(answer),
            format!("{} for the client's request", answer.status),
            Probe::Client,
        ),
        None => evidence
            .logs
            .findings
            .iter()
            .filter(|finding| {
                finding.pattern == Pattern::Refusals
                    || finding
                        .text()
                        .is_some_and(|text| text.starts_with("log-says-"))
            })
            .take(1)
            .map(|finding| Clue::new(&finding.says, finding.source.clone()))
            .collect(),
    },
};

/// Each answer to the client's request is a refusal.
pub(in super::super) static ALWAYS_REFUSED: Sign = Sign {
    name: "always-refused",
    means: "the client's own request is refused each time",
    find: |evidence| {
        // Verifiers whose error nobody handles answer 500, others 400 or a number of their own; the reason tells.
        let explained = gives_reason(evidence);
        let away = |answer: &Answer| refused(answer) || explained && answer.status >= 400;
        let all = client_answers(evidence).all(|(_, answer)| away(answer));
        let refusal = refusal(evidence).filter(|answer| all && away(answer));
        found(refusal.map(|answer| (Probe::Client, format!("{} each time", answer.status))))
    },
};

/// The answer to the client's request flips, and only some of the answers are about the signature.
pub(in super::super) static FLIPS_AS_FORGED: Sign = Sign {
    name: "flips-as-forged",
    means: "one token is accepted by some and refused by others as if it were forged",
    find: |evidence| {
        let yes = client_answers(evidence).any(|(_, answer)| accepted(answer));
        let altered = evidence.answer(Probe::Altered);
        let forged = client_answers(evidence).find(|(_, answer)| {
            refused(answer) && altered.is_some_and(|altered| same(answer, altered))
        });
        forged.map_or_else(Vec::new, |(exchange, answer)| {
            let status = answer.status;
            let says =
                format!("{status} as for an altered signature, and accepted at another time");
            seen(yes, says, exchange.probe)
        })
    },
};

/// Requests with the token take seconds longer than those without.
pub(in super::super) static SLOW_WITH_TOKEN: Sign = Sign {
    name: "slow-with-token",
    means: "the answer takes seconds with a token and none without: the verifier waits for something",
    find: |evidence| {
        let took = |probe: Probe| Some(evidence.exchange(probe)?.took_ms);
        match (took(Probe::Client), took(Probe::Bare)) {
            (Some(client), Some(bare)) => seen(
                client >= bare.saturating_add(SLOW_MS),
                format!("{client} ms with the token, {bare} ms without"),
                Probe::Client,
            ),
            _ => Vec::new(),
        }
    },
};

/// Milliseconds that no verification takes by itself.
const SLOW_MS: u64 = 900;

/// The token is whole, and neither expired nor early by anybody's clock.
pub(in super::super) static IN_ORDER: Sign = Sign {
    name: "token-in-order",
    means: "the token is whole and in time, and no place that was read asks for another issuer, audience or client",
    find: |evidence| {
        let Some((token, claims)) = presented(evidence).zip(claims(evidence)) else {
            return Vec::new();
        };
        let sent = evidence.exchange(Probe::Client);
        let at = sent.map_or(evidence.now, |exchange| exchange.at);
        let in_time = claims.exp.is_some_and(|exp| exp > at)
            && begin(evidence).is_none_or(|begin| begin <= at);
        let contradicted = compare(&evidence.beliefs)
            .iter()
            .any(|one| one.involves(Holder::Token));
        if in_time && is_whole(token) && claims.mistyped.is_empty() && !contradicted {
            of_token(
                "whole, in time, and nothing that was read contradicts its claims",
                claims.exp,
            )
        } else {
            Vec::new()
        }
    },
};

pub(super) fn is_whole(token: &Token) -> bool {
    token.shape == Shape::Jws && token.blemishes.is_empty()
}
