//! Which probe comes next.

use std::fmt;

use super::{Probe, worth};
use crate::exchange::{Answer, Exchange, Failure};
use crate::{Diagnosis, Evidence, Outcome, Verdict, compare};

/// Requests that are sent at most where nothing else is asked for.
pub const BUDGET: usize = 25;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send this probe.
    Send(Probe),
    /// Send none any more.
    Stop(Stop),
}

/// Why no further probe is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A cause is confirmed.
    Confirmed,
    /// The client's request succeeds, requests without a good token are refused, and repeats agree.
    Healthy,
    /// Nothing comes back.
    NoAnswer(Failure),
    /// The budget is used up.
    Budget,
    /// No probe that is possible would tell more.
    NothingLeft,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confirmed => f.write_str("a cause is confirmed"),
            Self::Healthy => f.write_str("everything answers as it should"),
            Self::NoAnswer(failure) => write!(f, "no answer: {failure}"),
            Self::Budget => f.write_str("the budget of requests is used up"),
            Self::NothingLeft => f.write_str("no further probe would tell more"),
        }
    }
}

/// The next probe, of those that are `possible` and not yet in the evidence. A function of its arguments.
pub fn decide(
    evidence: &Evidence,
    diagnosis: &Diagnosis,
    possible: &[Probe],
    budget: usize,
) -> Decision {
    let open = Open { evidence, possible };
    let found = open
        .without_an_answer()
        .or_else(|| open.first_of(&START).map(Decision::Send))
        .or_else(|| open.redirect().map(Decision::Send));
    let decision = found.unwrap_or_else(|| open.later(diagnosis));
    match decision {
        Decision::Send(_) if evidence.exchanges.len() >= budget => Decision::Stop(Stop::Budget),
        decision => decision,
    }
}

/// What every diagnosis begins with.
const START: [Probe; 4] = [Probe::Client, Probe::Bare, Probe::Altered, Probe::Preflight];

/// Where all is well so far: what would show that it is not, before the [`LAST`].
const CHECKS: [Probe; 4] = [
    Probe::Origin,
    Probe::OtherEndpoint,
    Probe::OtherToken,
    Probe::Direct,
];

/// The same for a request that may have a body: rules of firewalls look at its size.
const SIZES: [Probe; 2] = [Probe::SmallBody, Probe::LargeBody];

/// Where no cause is likely: what separates most, first; then the [`LAST`].
const GENERAL: [Probe; 17] = [
    Probe::Garbage,
    Probe::OtherPath,
    Probe::Discovery,
    Probe::Jwks,
    Probe::Fresh,
    Probe::Trimmed,
    Probe::Echo,
    Probe::Direct,
    Probe::OtherToken,
    Probe::Old,
    Probe::OtherEndpoint,
    Probe::OtherMethod,
    Probe::Origin,
    Probe::BareOrigin,
    Probe::Browser,
    Probe::Lower,
    Probe::Slash,
];

/// What the issuer says, and repeats: worth a request when nothing else is.
const LAST: [Probe; 9] = [
    Probe::Introspection,
    Probe::Userinfo,
    Probe::Refresh,
    Probe::RefreshAgain(1),
    Probe::RefreshAgain(2),
    Probe::Again(1),
    Probe::Again(2),
    Probe::Again(3),
    Probe::Again(4),
];

struct Open<'a> {
    evidence: &'a Evidence,
    possible: &'a [Probe],
}

impl Open<'_> {
    fn later(&self, diagnosis: &Diagnosis) -> Decision {
        let confirmed = |ranked: &crate::Ranked| ranked.verdict == Verdict::Confirmed;
        if let Some(found) = diagnosis.ranked.iter().find(|ranked| confirmed(ranked)) {
            return self
                .refresh(found)
                .map_or(Decision::Stop(Stop::Confirmed), Decision::Send);
        }
        if let Some(address) = self.each_address() {
            return Decision::Send(address);
        }
        let well = self.is_well();
        let sized = || self.has_body().then(|| self.first_of(&SIZES)).flatten();
        let check = well
            .then(|| self.first_or_last(&CHECKS).or_else(sized))
            .flatten();
        let telling = || worth::most(diagnosis, |probe| self.ready(probe));
        if let Some(probe) = check.or_else(telling) {
            return Decision::Send(probe);
        }
        if well {
            return Decision::Stop(Stop::Healthy);
        }
        let lost = diagnosis.outcome != Outcome::Found;
        let general = lost.then(|| self.first_or_last(&GENERAL)).flatten();
        general.map_or(Decision::Stop(Stop::NothingLeft), Decision::Send)
    }

    /// What a confirmed cause asks first: whether the session is over, which would be a cause of it.
    fn refresh(&self, found: &crate::Ranked) -> Option<Probe> {
        let first = found.cause.next.first();
        let asks = first == Some(&crate::cause::Step::Probe(Probe::Refresh));
        asks.then(|| self.ready(Probe::Refresh)).flatten()
    }

    /// Two requests without any answer are enough; one, where the way there is the trouble.
    fn without_an_answer(&self) -> Option<Decision> {
        let exchanges = &self.evidence.exchanges;
        let mut failures = exchanges
            .iter()
            .rev()
            .filter_map(|e| e.result.as_ref().err());
        let last = failures.next()?;
        let answered = exchanges.iter().any(|exchange| exchange.result.is_ok());
        let no_way = matches!(
            last,
            Failure::Dns | Failure::Unreachable | Failure::Refused | Failure::Tls(_)
        );
        let trailing = exchanges.iter().rev().take_while(|e| e.result.is_err());
        let enough = match trailing.count() {
            1 => no_way && !answered,
            2 => !answered,
            count => count >= 3,
        };
        // Around the edge, or at another address, there may be an answer.
        let around = if enough { self.around() } else { None };
        enough.then(|| match around {
            Some(probe) => Decision::Send(probe),
            None => Decision::Stop(Stop::NoAnswer(last.clone())),
        })
    }

    fn around(&self) -> Option<Probe> {
        self.first_such(|probe| matches!(probe, Probe::Direct | Probe::Address(_)))
    }

    fn redirect(&self) -> Option<Probe> {
        self.first_such(|probe| matches!(probe, Probe::Hop(_) | Probe::KeptHop(_)))
    }

    /// Once repeats have differed.
    fn each_address(&self) -> Option<Probe> {
        let first = self.evidence.answer(Probe::Client);
        let repeats = self
            .evidence
            .exchanges
            .iter()
            .filter(|exchange| matches!(exchange.probe, Probe::Again(_) | Probe::Address(_)));
        let differs = |answer: Option<&Answer>| match (first, answer) {
            (Some(first), Some(answer)) => !compare::same(first, answer),
            (None, None) => false,
            _ => true,
        };
        let mut repeats = repeats.map(|exchange| exchange.result.as_ref().ok());
        repeats.any(differs).then_some(())?;
        self.first_such(|probe| matches!(probe, Probe::Address(_)))
    }

    fn has_body(&self) -> bool {
        let client = self.evidence.exchange(Probe::Client);
        client.is_some_and(|client| {
            matches!(client.request.method.as_str(), "POST" | "PUT" | "PATCH")
        })
    }

    fn is_well(&self) -> bool {
        let refused = |probe: Probe| {
            let answer = self.evidence.answer(probe);
            answer.is_none_or(|answer| matches!(answer.status, 300..=399 | 401 | 403))
        };
        self.reached()
            .is_some_and(|status| (200..300).contains(&status))
            && refused(Probe::Bare)
            && refused(Probe::Altered)
            && self.repeats_agree()
    }

    /// Whether what ought to be answered like the client's request is.
    fn repeats_agree(&self) -> bool {
        let client = self.evidence.answer(Probe::Client);
        let alike = |exchange: &&Exchange| {
            matches!(
                exchange.probe,
                Probe::Again(_) | Probe::Address(_) | Probe::Origin | Probe::OtherEndpoint
            )
        };
        let agrees = |exchange: &Exchange| {
            let answer = exchange.result.as_ref();
            let again = client.map(|client| client.status);
            answer.is_ok_and(|answer| {
                (200..300).contains(&answer.status) || Some(answer.status) == again
            })
        };
        self.evidence.exchanges.iter().filter(alike).all(agrees)
    }

    /// The status at the end of the client's redirects.
    fn reached(&self) -> Option<u16> {
        let chain = super::chain::chain(&self.evidence.exchanges).last()?;
        Some(chain.result.as_ref().ok()?.status)
    }

    fn first_of(&self, probes: &[Probe]) -> Option<Probe> {
        probes.iter().find_map(|probe| self.ready(*probe))
    }

    fn first_or_last(&self, probes: &[Probe]) -> Option<Probe> {
        self.first_of(probes).or_else(|| self.first_of(&LAST))
    }

    /// The first of its kind that is possible.
    fn first_such(&self, is: fn(Probe) -> bool) -> Option<Probe> {
        let such = self.possible.iter().filter(|probe| is(**probe));
        such.copied().find_map(|probe| self.ready(probe))
    }

    /// The probe, or what has to be sent before it; nothing where it was sent or is not possible.
    fn ready(&self, probe: Probe) -> Option<Probe> {
        if self.evidence.sent(probe) {
            return None;
        }
        let before = needs(probe).and_then(|before| self.ready(before));
        before.or_else(|| self.possible.contains(&probe).then_some(probe))
    }
}

/// What a probe builds upon.
fn needs(probe: Probe) -> Option<Probe> {
    match probe {
        Probe::Hop(0 | 1) | Probe::Again(0 | 1) => Some(Probe::Client),
        Probe::Hop(n) => Some(Probe::Hop(n - 1)),
        Probe::Again(n) => Some(Probe::Again(n - 1)),
        Probe::KeptHop(n) => Some(Probe::Hop(n)),
        Probe::Jwks | Probe::Userinfo => Some(Probe::Discovery),
        Probe::RefreshAgain(0 | 1) => Some(Probe::Refresh),
        Probe::RefreshAgain(n) => Some(Probe::RefreshAgain(n - 1)),
        _ => None,
    }
}
