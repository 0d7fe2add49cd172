//! Whose clock is wrong: this machine's, the API's or the issuer's.
//!
//! Two clocks that differ do not tell which of them is wrong. A third one does: the issuer's, in the `Date` of its own
//! answers or in a token that it has just issued.

use tenure_core::outcome;
use tenure_core::time::Timestamp;

use super::authority;
use crate::Evidence;
use crate::drift::{Nature, Subject};
use crate::exchange::Exchange;
use crate::probe::Probe;
use crate::sign::answer::clocks;
use crate::sign::token::{claims, presented};
use crate::sign::{Sign, accepted, drift, logs, of_token, refused, seen};

/// Seconds by which answers' clocks may differ: `Date` is in whole seconds, and answers travel.
const APART: i64 = 30;

/// Seconds after the expiry in which verifiers with the widest leeway that is known still accept (jwt-cli).
const WIDEST: u64 = 1_000;

/// The token begins after the time that the API's clock shows.
pub(in super::super) static BEGINS_AFTER_SERVER: Sign = Sign {
    name: "begins-after-server",
    means: "by the clock of the API the token begins in the future",
    find: |evidence| {
        let begin = claims(evidence).and_then(|claims| claims.nbf.max(claims.iat));
        match begin.zip(Clocks::of(evidence).api) {
            Some((begin, api)) => {
                let ahead = begin.0.saturating_sub(api.date.0);
                seen(
                    ahead > 1,
                    format!("the token begins {ahead} s after the API's `Date`"),
                    Probe::Client,
                )
            }
            None => Vec::new(),
        }
    },
};

/// The API's clock differs from this machine's and the issuer's.
pub(in super::super) static SERVER_ALONE: Sign = Sign {
    name: "server-clock-alone",
    means: "the API's clock is wrong: this machine's and the issuer's agree with each other",
    find: |evidence| {
        let clocks = Clocks::of(evidence);
        let Some((api, issuer)) = clocks.api.zip(clocks.issuer) else {
            return Vec::new();
        };
        let alone = api.offset.abs() > APART && issuer.offset.abs() <= APART;
        seen(
            alone,
            format!(
                "the API's `Date` is off by {} s, the issuer's is not",
                api.offset
            ),
            Probe::Client,
        )
    },
};

/// This machine's clock differs from the API's and the issuer's.
pub(in super::super) static DEVICE_ALONE: Sign = Sign {
    name: "device-clock-alone",
    means: "this machine's clock is wrong: the API's and the issuer's agree with each other",
    find: |evidence| {
        let clocks = Clocks::of(evidence);
        let Some(api) = clocks.api else {
            return Vec::new();
        };
        let by_date = clocks
            .issuer
            .is_some_and(|issuer| (issuer.offset - api.offset).abs() <= APART);
        // What was issued in the future of this machine and in the past of the API shows that the issuer's clock is with the API.
        let begin = claims(evidence).and_then(|claims| claims.nbf.max(claims.iat));
        let by_token = begin
            .is_some_and(|begin| begin <= api.date && begin.0 > api.here.0 + APART.unsigned_abs());
        seen(
            api.offset.abs() > APART && (by_date || by_token),
            format!(
                "API and issuer agree; this machine's clock is off by {} s",
                -api.offset
            ),
            Probe::Client,
        )
    },
};

/// Logs of a client show its clock beside the server's, and refusals.
pub(in super::super) static CLIENT_CLOCK_LOGGED: Sign = Sign {
    name: "client-clock-logged",
    means: "the client's own records show that its clock differs from the server's, and that it is refused",
    find: |evidence| {
        let refused = evidence.logs.files.iter().any(|file| {
            file.statuses
                .iter()
                .any(|(status, count)| matches!(status, 401 | 403) && *count > 0)
        });
        if !refused {
            return Vec::new();
        }
        ["client-behind-server", "client-ahead-of-server"]
            .into_iter()
            .flat_map(|name| logs::text(evidence, name))
            .collect()
    },
};

/// The issuer's clock is ahead of the API's, and of this machine's.
pub(in super::super) static ISSUER_AHEAD: Sign = Sign {
    name: "issuer-clock-ahead",
    means: "the token is issued in the future of the API and of this machine: the issuer's clock is ahead",
    find: |evidence| {
        let begin = claims(evidence).and_then(|claims| claims.iat);
        let Some((begin, api)) = begin.zip(Clocks::of(evidence).api) else {
            return Vec::new();
        };
        let ahead = begin.0.saturating_sub(api.date.0.max(api.here.0));
        seen(
            ahead > 1,
            format!("issued {ahead} s in the future of both clocks"),
            Probe::Client,
        )
    },
};

/// Expired when it was sent, by this machine's clock and by the API's.
pub(in super::super) static EXPIRED_WHEN_SENT: Sign = Sign {
    name: "expired-when-sent",
    means: "the token had expired when it was sent, by every clock that is known",
    find: |evidence| {
        let Some((exp, at)) = claims(evidence)
            .and_then(|claims| claims.exp)
            .zip(sent(evidence))
        else {
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

/// The token begins so long after the API's time that no leeway helps.
pub(in super::super) static BEGINS_LONG_AFTER_SERVER: Sign = Sign {
    name: "begins-long-after-server",
    means: "by the clock of the API the token begins more than a minute in the future, by this machine's it has begun",
    find: |evidence| {
        let begin = claims(evidence).and_then(|claims| claims.nbf.max(claims.iat));
        match begin.zip(Clocks::of(evidence).api) {
            Some((begin, api)) => seen(
                begin.0.saturating_sub(api.date.0) > 60 && begin <= api.here,
                format!(
                    "begins {} s after the API's `Date`",
                    begin.0.saturating_sub(api.date.0)
                ),
                Probe::Client,
            ),
            None => Vec::new(),
        }
    },
};

/// Called expired, though by every clock that can be seen it is not.
pub(in super::super) static SAID_EXPIRED_YET_FRESH: Sign = Sign {
    name: "said-expired-yet-fresh",
    means: "the refusal calls the token expired, which by every clock that can be seen it is not",
    find: |evidence| {
        let exp = claims(evidence).and_then(|claims| claims.exp);
        let Some((exp, at)) = exp.zip(sent(evidence)) else {
            return Vec::new();
        };
        let there = Clocks::of(evidence).api.is_none_or(|api| exp > api.date);
        let said = !(super::reasons::EXPIRED.find)(evidence).is_empty();
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
        let exp = claims(evidence).and_then(|claims| claims.exp);
        match exp.zip(Clocks::of(evidence).api) {
            Some((exp, api)) => seen(
                exp <= api.date && exp > api.here,
                format!(
                    "expired {} s ago by the API's clock, in {} s by this machine's",
                    api.date.since(exp).as_secs(),
                    exp.since(api.here).as_secs()
                ),
                Probe::Client,
            ),
            None => Vec::new(),
        }
    },
};

/// Expired by this machine's clock, and accepted.
pub(in super::super) static EXPIRED_HERE_ONLY: Sign = Sign {
    name: "expired-here-only",
    means: "by this machine's clock the token is expired, by the API's it is not",
    find: |evidence| {
        let exp = claims(evidence).and_then(|claims| claims.exp);
        match exp.zip(Clocks::of(evidence).api) {
            Some((exp, api)) => seen(
                exp > api.date && exp <= api.here,
                format!(
                    "expired {} s ago by this machine's clock, in {} s by the API's",
                    api.here.since(exp).as_secs(),
                    exp.since(api.date).as_secs()
                ),
                Probe::Client,
            ),
            None => Vec::new(),
        }
    },
};

/// Not expired when it was sent, by this machine's clock.
pub(in super::super) static NOT_EXPIRED: Sign = Sign {
    name: "not-expired-when-sent",
    means: "the token had not expired when it was sent",
    find: |evidence| {
        let exp = claims(evidence).and_then(|claims| claims.exp);
        let at = sent(evidence).unwrap_or(evidence.now);
        match exp {
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
    find: |evidence| {
        let exp = claims(evidence).and_then(|claims| claims.exp);
        match exp {
            Some(exp) if exp < evidence.now && sent(evidence).is_none() => of_token(
                format!("expired {} s ago", evidence.now.since(exp).as_secs()),
                Some(exp),
            ),
            _ => Vec::new(),
        }
    },
};

/// The expiry is so close that verifiers with and without leeway disagree.
pub(in super::super) static BARELY_EXPIRED: Sign = Sign {
    name: "barely-expired",
    means: "the token expired within the leeway that some verifiers grant and others do not",
    find: |evidence| {
        let exp = claims(evidence).and_then(|claims| claims.exp);
        let at = sent(evidence).unwrap_or(evidence.now);
        match exp {
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
        let differs = others.into_iter().find(|probe| {
            evidence
                .answer(*probe)
                .zip(client)
                .is_some_and(|(other, client)| {
                    accepted(other) && refused(client) || refused(other) && accepted(client)
                })
        });
        match differs {
            Some(probe) if !(BARELY_EXPIRED.find)(evidence).is_empty() => seen(
                true,
                "one hop accepts the token that has just expired, another does not",
                probe,
            ),
            _ => Vec::new(),
        }
    },
};

/// An expired token is accepted.
pub(in super::super) static EXPIRED_ACCEPTED: Sign = Sign {
    name: "expired-accepted",
    means: "a token that expired long ago is accepted",
    find: |evidence| {
        let mut clues = Vec::new();
        for exchange in &evidence.exchanges {
            let Ok(answer) = &exchange.result else {
                continue;
            };
            let token = match exchange.probe {
                Probe::Client | Probe::Again(_) | Probe::Address(_) => presented(evidence),
                Probe::Old => evidence
                    .tokens
                    .iter()
                    .find(|token| token.role == crate::token::Role::Old),
                _ => None,
            };
            let exp = token.and_then(|token| token.claims.as_ref()?.exp);
            let long = exp.is_some_and(|exp| {
                exp.0.saturating_add(WIDEST) < date(exchange).unwrap_or(exchange.at).0
            });
            if long && accepted(answer) {
                clues.extend(seen(
                    true,
                    format!("{} for an expired token", answer.status),
                    exchange.probe,
                ));
            }
        }
        clues
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

fn date(exchange: &Exchange) -> Option<Timestamp> {
    outcome::date(exchange.result.as_ref().ok()?.header("date")?)
}

/// What one other clock shows.
#[derive(Clone, Copy)]
struct Reading {
    /// This machine's.
    here: Timestamp,
    date: Timestamp,
    /// Seconds by which it is ahead of this machine's.
    offset: i64,
}

struct Clocks {
    api: Option<Reading>,
    issuer: Option<Reading>,
}

impl Clocks {
    fn of(evidence: &Evidence) -> Self {
        let url = |probe: Probe| {
            let exchange = evidence
                .exchanges
                .iter()
                .find(|exchange| exchange.probe == probe)?;
            authority(&exchange.request.url)
        };
        let api = url(Probe::Client);
        let mut own = Self {
            api: None,
            issuer: None,
        };
        for (probe, here, date) in clocks(evidence) {
            let offset = i64::try_from(date.0).unwrap_or_default()
                - i64::try_from(here.0).unwrap_or_default();
            let reading = Reading { here, date, offset };
            let of_issuer = matches!(
                probe,
                Probe::Discovery
                    | Probe::Jwks
                    | Probe::Userinfo
                    | Probe::Introspection
                    | Probe::Refresh
            );
            match probe {
                Probe::Client => own.api = Some(reading),
                // One machine that is both is one clock.
                _ if of_issuer && url(probe) != api => own.issuer = own.issuer.or(Some(reading)),
                _ => {}
            }
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_answers_there_is_no_clock_to_compare() {
        let clocks = Clocks::of(&Evidence::default());
        assert!(clocks.api.is_none() && clocks.issuer.is_none());
        let nothing = (EXPIRED_WHEN_SENT.find)(&Evidence::default());
        assert!(nothing.is_empty());
    }
}
