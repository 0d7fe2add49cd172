//! Whose clock is wrong: this machine's, the API's or the issuer's.
//!
//! Two clocks that differ do not tell which of them is wrong. A third one does: the issuer's, in the `Date` of its own
//! answers or in a token that it has just issued.

use tenure_core::time::Timestamp;

use super::{authority, prevailing};
use crate::probe::Probe;
use crate::sign::answer::clocks;
use crate::sign::token::{accepted_rivals, begin, claims, presented};
use crate::sign::{Sign, accepted, found, logs, of_token, seen};
use crate::token::Token;
use crate::{Clue, Evidence};

/// Seconds by which answers' clocks may differ: `Date` is in whole seconds, and answers travel.
const APART: i64 = 30;

/// The token begins after the time that the API's clock shows.
pub(in super::super) static BEGINS_AFTER_SERVER: Sign = Sign {
    name: "begins-after-server",
    means: "by the clock of the API the token begins in the future",
    find: |evidence| {
        with_api(evidence, begin(evidence), |begin, api| {
            let ahead = begin.0.saturating_sub(api.date.0);
            (ahead > 1).then(|| format!("the token begins {ahead} s after the API's `Date`"))
        })
    },
};

/// The token begins so long after the API's time that no leeway helps.
pub(in super::super) static BEGINS_LONG_AFTER_SERVER: Sign = Sign {
    name: "begins-long-after-server",
    means: "by the clock of the API the token begins more than a minute in the future, by this machine's it has begun",
    find: |evidence| {
        with_api(evidence, begin(evidence), |begin, api| {
            let ahead = begin.0.saturating_sub(api.date.0);
            let holds = ahead > 60 && begin <= api.here;
            holds.then(|| format!("begins {ahead} s after the API's `Date`"))
        })
    },
};

/// Another token that begins as late is accepted: nobody looks at that clock.
pub(in super::super) static AS_EARLY_ACCEPTED: Sign = Sign {
    name: "as-early-accepted",
    means: "another token that begins and ends at much the same time is accepted, so that no clock is to blame",
    find: |evidence| {
        let times = |token: &Token| {
            let claims = token.claims.as_ref()?;
            Some((claims.nbf.max(claims.iat)?.0, claims.exp?.0))
        };
        let Some(own) = presented(evidence).and_then(times) else {
            return Vec::new();
        };
        let at_once = |(begin, end): &(u64, u64)| {
            begin.saturating_add(1) >= own.0 && *end <= own.1.saturating_add(1)
        };
        let rival = accepted_rivals(evidence)
            .find(|(_, other)| times(other).is_some_and(|times| at_once(&times)));
        let says = "another token begins no earlier, ends no later, and is accepted";
        found(rival.map(|(probe, _)| (probe, says.to_owned())))
    },
};

/// Issued in the future of this machine, which the API finds too.
pub(in super::super) static ISSUED_AHEAD: Sign = Sign {
    name: "issued-ahead",
    means: "by this machine's clock too the token is issued in the future",
    find: |evidence| {
        let issued = claims(evidence).and_then(|claims| claims.iat);
        let sent = evidence.exchange(Probe::Client).map(|client| client.at);
        let ahead = issued
            .zip(sent)
            .map(|(issued, sent)| issued.0.saturating_sub(sent.0));
        match ahead {
            Some(ahead) if ahead > 1 => {
                let says = format!("issued {ahead} s in the future of this machine");
                of_token(says, issued)
            }
            _ => Vec::new(),
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
        let by_token = begin(evidence)
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

/// The issuer's clock is ahead of the API's, and of this machine's.
pub(in super::super) static ISSUER_AHEAD: Sign = Sign {
    name: "issuer-clock-ahead",
    means: "the token is issued in the future of the API and of this machine: the issuer's clock is ahead",
    find: |evidence| {
        let issued = claims(evidence).and_then(|claims| claims.iat);
        with_api(evidence, issued, |issued, api| {
            let ahead = issued.0.saturating_sub(api.date.0.max(api.here.0));
            (ahead > 1).then(|| format!("issued {ahead} s in the future of both clocks"))
        })
    },
};

/// The issuer's clock differs from this machine's and the API's.
pub(in super::super) static ISSUER_ALONE: Sign = Sign {
    name: "issuer-clock-alone",
    means: "the issuer's clock is wrong: this machine's and the API's agree with each other",
    find: |evidence| {
        let clocks = Clocks::of(evidence);
        let Some((api, issuer)) = clocks.api.zip(clocks.issuer) else {
            return Vec::new();
        };
        let alone = issuer.offset.abs() > APART && api.offset.abs() <= APART;
        let says = format!(
            "the issuer's `Date` is off by {} s, the API's is not",
            issuer.offset
        );
        seen(alone, says, Probe::Client)
    },
};

/// By this machine's clock the token was issued just now, so that the issuer's clock shows the same.
pub(in super::super) static ISSUED_JUST_NOW: Sign = Sign {
    name: "issued-just-now",
    means: "by this machine's clock the token was issued within the last minute: the issuer's clock agrees with it, the API's does not",
    find: |evidence| {
        let issued = claims(evidence).and_then(|claims| claims.iat);
        with_api(evidence, issued, |issued, api| {
            let ago = api.here.0.checked_sub(issued.0).filter(|ago| *ago <= 60)?;
            let differ = api.offset.abs() > 5 * APART;
            let offset = api.offset;
            differ.then(|| {
                format!(
                    "issued {ago} s ago by this machine's clock; the API's is off by {offset} s"
                )
            })
        })
    },
};

/// Tokens that lie in the future of the verifier, for a while: the same users are answered well afterwards.
pub(in super::super) static EARLY_THEN_FINE: Sign = Sign {
    name: "early-then-fine",
    means: "tokens are not valid yet for a while, and accepted later",
    find: |evidence| {
        let early = prevailing::MOSTLY_EARLY.holds(evidence);
        let recovered = logs::RECOVERED.find;
        if !early || evidence.answer(Probe::Client).is_some_and(accepted) {
            return Vec::new();
        }
        recovered(evidence)
            .into_iter()
            .map(|clue| Clue {
                says: "tokens are not valid yet, and accepted some time later".to_owned(),
                ..clue
            })
            .collect()
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

/// One clue from a time of the token and the clock of the API, where both are known.
pub(super) fn with_api(
    evidence: &Evidence,
    time: Option<Timestamp>,
    says: impl FnOnce(Timestamp, Reading) -> Option<String>,
) -> Vec<Clue> {
    let pair = time.zip(Clocks::of(evidence).api);
    let says = pair.and_then(|(time, api)| says(time, api));
    found(says.map(|says| (Probe::Client, says)))
}

/// What one other clock shows.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// This machine's.
    pub(super) here: Timestamp,
    pub(super) date: Timestamp,
    /// Seconds by which it is ahead of this machine's.
    offset: i64,
}

pub(super) struct Clocks {
    pub(super) api: Option<Reading>,
    issuer: Option<Reading>,
}

impl Clocks {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let url = |probe: Probe| authority(&evidence.exchange(probe)?.request.url);
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
    use super::super::expiry::EXPIRED_WHEN_SENT;
    use super::*;

    #[test]
    fn without_answers_there_is_no_clock_to_compare() {
        let clocks = Clocks::of(&Evidence::default());
        assert!(clocks.api.is_none() && clocks.issuer.is_none());
        let nothing = (EXPIRED_WHEN_SENT.find)(&Evidence::default());
        assert!(nothing.is_empty());
    }
}
