//! Whether the service is reached, and by pages.

use url::Url;

use crate::exchange::{Answer, Failure};
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::{Sign, contains, found, logs, token};
use crate::{Clue, Evidence};

/// Nothing comes back from where the service is, by its routes or by the token's issuer.
pub(in super::super) static NOTHING_COMES_BACK: Sign = Sign {
    name: "issuer-nothing-comes-back",
    means: "no connection to the issuer, which is also what the client asks, comes about",
    find: |evidence| {
        let no_way = |failure: &Failure| {
            matches!(
                failure,
                Failure::Refused | Failure::Dns | Failure::Unreachable
            )
        };
        let mut results = evidence.exchanges.iter().map(|exchange| &exchange.result);
        let all = results.all(|result| result.as_ref().is_err_and(no_way));
        if !all || !asks_the_issuer(evidence) {
            return Vec::new();
        }
        let last = evidence.exchanges.last();
        let failure = last.and_then(|last| Some((last.probe, last.result.as_ref().err()?)));
        found(failure.map(|(probe, failure)| (probe, format!("no connection: {failure}"))))
    },
};

/// Every answer from where the service is comes from a proxy that found nobody behind it.
pub(in super::super) static NOBODY_BEHIND: Sign = Sign {
    name: "issuer-nobody-behind-proxy",
    means: "a proxy answers for the issuer that nobody is behind it, whatever is asked",
    find: |evidence| {
        const OF_ISSUER: [Probe; 3] = [Probe::Discovery, Probe::Jwks, Probe::Refresh];
        let gone = |answer: &Answer| matches!(answer.status, 502 | 504) && !is_json(answer);
        let mut results = evidence.exchanges.iter().map(|exchange| &exchange.result);
        let all = results.all(|result| result.as_ref().is_ok_and(gone));
        let asked = evidence.sent(Probe::Client) || evidence.sent(Probe::Again(1));
        let issuer = OF_ISSUER.iter().find(|probe| evidence.sent(**probe));
        match issuer {
            Some(issuer) if all && asked && asks_the_issuer(evidence) => found(
                evidence
                    .answer(*issuer)
                    .map(|answer| (*issuer, format!("{} as for all else", answer.status))),
            ),
            _ => Vec::new(),
        }
    },
};

/// The log of a proxy before an issuer ends with an outage.
pub(in super::super) static GONE_IN_LOG: Sign = Sign {
    name: "issuer-behind-proxy-gone",
    means: "the proxy before the issuer finds nobody behind it, to the end of its log",
    find: |evidence| logs::text(evidence, "issuer-behind-proxy-gone"),
};

/// A page's preflight, refused in the service's own words, as the browser has recorded it.
pub(in super::super) static PAGE_REFUSED_BROWSED: Sign = Sign {
    name: "tenure-page-refused-browsed",
    means: "Tenure's service does not answer the preflight of a page of this origin",
    find: |evidence| {
        let refused = evidence.logs.browsed.iter().find_map(|one| {
            let answer = one.answer.as_ref()?;
            let asks = one.request.method == "OPTIONS"
                && one
                    .request
                    .header("access-control-request-method")
                    .is_some();
            let closed = answer.status == 405
                && answer.header("access-control-allow-origin").is_none()
                && mentions(answer.header("allow"), "GET");
            let origin = one.request.header("origin")?;
            let says = format!("405 for the preflight of a page of {origin}, by Tenure's service");
            (asks && closed && is_its_own(answer)).then(|| one.clue(says))
        });
        refused.into_iter().collect::<Vec<Clue>>()
    },
};

/// The words in which the service refuses a method.
fn is_its_own(answer: &Answer) -> bool {
    contains(&answer.body, "method_not_allowed") && contains(&answer.body, " this with ")
}

fn is_json(answer: &Answer) -> bool {
    mentions(answer.header("content-type"), "json")
}

/// Whether the client's request goes to where its tokens are from, or to a route of Tenure's.
fn asks_the_issuer(evidence: &Evidence) -> bool {
    let own = evidence.exchanges.iter().find(|it| it.probe.is_own());
    let Some(url) = own.and_then(|own| Url::parse(&own.request.url).ok()) else {
        return false;
    };
    let named = token::claims(evidence).and_then(|claims| Url::parse(claims.iss.as_deref()?).ok());
    let is_its_own = named.is_some_and(|issuer| issuer.origin() == url.origin());
    let routes = ["/api/auth/", "/oauth2/"];
    is_its_own && routes.iter().any(|route| url.path().starts_with(route))
}
