//! Whether the token had expired when it was sent, and by whose clock.

use tenure_core::outcome;
use tenure_core::time::Timestamp;

use super::clocks::{Clocks, with_api};
use super::reasons;
use crate::drift::{Nature, Subject};
use crate::exchange::Exchange;
use crate::probe::Probe;
use crate::sign::token::end;
use crate::sign::{Sign, accepted, drift, first_of, of_token, refused, seen};
use crate::token::Role;
use crate::{Clue, Evidence, Source};

/// Seconds after the expiry in which verifiers with the widest leeway that is known still accept (jwt-cli).
const WIDEST: u64 = 1_000;

/// Expired when it was sent, by this machine's clock and by the API's.
pub(in super::super) static EXPIRED_WHEN_SENT: Sign = Sign {
    name: "expired-when-sent",
    means: "the token had expired when it was sent, by every clock that is known",
    find: |evidence| {
        let Some((exp, at)) = end(evidence).zip(sent(evidence)) else {
            return Vec::new();
        };
        let there = Clocks::of(evidence).api.is_none_or(|api| exp <= api.date);
        let ago = at.since(exp).as_secs();
        seen(
            exp < at && there,
            format!("sent {ago} s after its expiry"),
            Probe::Client,
        )
    },
};

/// Called expired, though by every clock that can be seen it is not.
pub(in super::super) static SAID_EXPIRED_YET_FRESH: Sign = Sign {
    name: "said-expired-yet-fresh",
    means: "the refusal calls the token expired, which by every clock that can be seen it is not",
    find: |evidence| {
        let Some((exp, at)) = end(evidence).zip(sent(evidence)) else {
            return Vec::new();
        };
        let there = Clocks::of(evidence).api.is_none_or(|api| exp > api.date);
        let said = reasons::EXPIRED.holds(evidence);
        let left = exp.0.saturating_sub(at.0);
        seen(
            said && there && left > 60,
            format!("called expired {left} s before its expiry"),
            Probe::Client,
        )
    },
};

/// Expired by the API's clock only.
pub(in super::super) static EXPIRED_THERE_ONLY: Sign = Sign {
    name: "expired-there-only",
    means: "by the API's clock the token is expired, by this machine's it is not",
    find: |evidence| {
        with_api(evidence, end(evidence), |exp, api| {
            let (ago, left) = (api.date.since(exp).as_secs(), exp.since(api.here).as_secs());
            let holds = exp <= api.date && exp > api.here;
            holds.then(|| {
                format!("expired {ago} s ago by the API's clock, in {left} s by this machine's")
            })
        })
    },
};

/// Expired by this machine's clock, and accepted.
pub(in super::super) static EXPIRED_HERE_ONLY: Sign = Sign {
    name: "expired-here-only",
    means: "by this machine's clock the token is expired, by the API's it is not",
    find: |evidence| {
        with_api(evidence, end(evidence), |exp, api| {
            let (ago, left) = (api.here.since(exp).as_secs(), exp.since(api.date).as_secs());
            let holds = exp > api.date && exp <= api.here;
            holds.then(|| {
                format!("expired {ago} s ago by this machine's clock, in {left} s by the API's")
            })
        })
    },
};

/// Not expired when it was sent, by this machine's clock.
pub(in super::super) static NOT_EXPIRED: Sign = Sign {
    name: "not-expired-when-sent",
    means: "the token had not expired when it was sent",
    find: |evidence| {
        let at = sent(evidence).unwrap_or(evidence.now);
        match end(evidence) {
            Some(exp) if exp > at => of_token(
                format!(
                    "valid for {} s more when it was sent",
                    exp.since(at).as_secs()
                ),
                Some(exp),
            ),
            _ => Vec::new(),
        }
    },
};

/// It was issued and expired, or is expired now, without an answer by which to judge.
pub(in super::super) static EXPIRED_NOW: Sign = Sign {
    name: "expired-now",
    means: "the token is expired by now",
    find: |evidence| match end(evidence) {
        Some(exp) if exp < evidence.now && sent(evidence).is_none() => of_token(
            format!("expired {} s ago", evidence.now.since(exp).as_secs()),
            Some(exp),
        ),
        _ => Vec::new(),
    },
};

/// The expiry is so close that verifiers with and without leeway disagree.
pub(in super::super) static BARELY_EXPIRED: Sign = Sign {
    name: "barely-expired",
    means: "the token expired within the leeway that some verifiers grant and others do not",
    find: |evidence| {
        let at = sent(evidence).unwrap_or(evidence.now);
        match end(evidence) {
            Some(exp) if exp <= at && at.0 - exp.0 <= WIDEST => {
                of_token(format!("expired {} s before", at.0 - exp.0), Some(exp))
            }
            _ => Vec::new(),
        }
    },
};

/// Places grant different leeways.
pub(in super::super) static LEEWAYS_DIFFER: Sign = Sign {
    name: "leeways-differ",
    means: "places grant different leeways",
    find: |evidence| {
        drift::clues(&evidence.beliefs, |one| {
            one.about == Subject::Leeway && one.nature == Nature::Different
        })
    },
};

/// Just expired, one hop accepts it and another refuses it.
pub(in super::super) static HOPS_DISAGREE: Sign = Sign {
    name: "hops-disagree-at-expiry",
    means: "a token that has just expired is accepted at one hop and refused at the next",
    find: |evidence| {
        let client = evidence.answer(Probe::Client);
        let others = [
            Probe::Direct,
            Probe::OtherEndpoint,
            Probe::Userinfo,
            Probe::Echo,
        ];
        let Some(client) = client.filter(|_| BARELY_EXPIRED.holds(evidence)) else {
            return Vec::new();
        };
        let says = "one hop accepts the token that has just expired, another does not";
        first_of(evidence, &others, |_, other| {
            let differs = accepted(other) && refused(client) || refused(other) && accepted(client);
            differs.then(|| says.to_owned())
        })
    },
};

/// An expired token is accepted.
pub(in super::super) static EXPIRED_ACCEPTED: Sign = Sign {
    name: "expired-accepted",
    means: "a token that expired long ago is accepted",
    find: |evidence| {
        let clue = |exchange: &Exchange| {
            let answer = exchange.result.as_ref().ok()?;
            let role = match exchange.probe {
                Probe::Client | Probe::Again(_) | Probe::Address(_) => Role::Presented,
                Probe::Old => Role::Old,
                _ => return None,
            };
            let exp = evidence.token(role)?.claims.as_ref()?.exp?;
            let date = answer.header("date").and_then(outcome::date);
            let long = exp.0.saturating_add(WIDEST) < date.unwrap_or(exchange.at).0;
            let says = format!("{} for an expired token", answer.status);
            (long && accepted(answer)).then(|| Clue::new(says, Source::Probe(exchange.probe)))
        };
        evidence.exchanges.iter().filter_map(clue).collect()
    },
};

/// When the client's request was sent, by this machine's clock.
fn sent(evidence: &Evidence) -> Option<Timestamp> {
    let client = evidence
        .exchanges
        .iter()
        .find(|exchange| exchange.probe == Probe::Client && exchange.result.is_ok());
    client.map(|exchange| exchange.at)
}
