//! Diagnosis in words: the same ones in every form.

use std::time::{Duration, UNIX_EPOCH};

use tenure_core::time::Timestamp;

use super::plain;
use crate::cause::{Layer, Step};
use crate::exchange::Failure;
use crate::probe::Probe;
use crate::{Clue, Diagnosis, Outcome, Ranked, Verdict};

/// The outcome in one sentence.
pub(crate) fn headline(diagnosis: &Diagnosis) -> String {
    let first = diagnosis.ranked.first();
    match (diagnosis.outcome, first) {
        (Outcome::Found, Some(first)) => {
            let (cause, sure) = (first.cause, verdict(first.verdict));
            format!("{sure}: {} ({})", cause.title, cause.id)
        }
        (Outcome::Healthy, _) => "Healthy: nobody is turned away in what was looked at".to_owned(),
        (_, Some(_)) => "Undecided: no cause stands out yet".to_owned(),
        (_, None) if diagnosis.symptoms.is_empty() => {
            "Undecided: nothing to judge by was given".to_owned()
        }
        (_, None) => "Undecided: users are turned away, and no known cause fits".to_owned(),
    }
}

/// A verdict as a label.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RuledOut => "Ruled out",
        Verdict::Possible => "Possible",
        Verdict::Likely => "Likely",
        Verdict::Confirmed => "Confirmed",
    }
}

/// How probable a cause is, in words.
pub(crate) fn share(ranked: &Ranked) -> &'static str {
    match (ranked.verdict, ranked.share) {
        (Verdict::RuledOut, _) => "impossible by what was seen",
        (Verdict::Confirmed, _) => "what was seen is impossible without it",
        (_, share) if share >= 0.95 => "almost certainly",
        (_, share) if share >= 0.8 => "very probably",
        (_, share) if share >= 0.5 => "more probable than all others together",
        (_, share) if share >= 0.25 => "one of the leading causes",
        _ => "worth a look",
    }
}

/// A share for programs: more digits than anybody can mean would only differ between machines.
pub(super) fn rounded(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}

/// A clue with its source.
pub(super) fn said(clue: &Clue) -> String {
    plain(&format!("{} [{}]", clue.says, clue.source))
}

/// A layer as a label.
pub(crate) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Client => "client",
        Layer::Transport => "transport between client and service",
        Layer::Cdn => "content delivery network or cache",
        Layer::Waf => "web application firewall",
        Layer::Proxy => "load balancer or reverse proxy",
        Layer::GatewayRouter => "routes and policies of a gateway",
        Layer::GatewayVerifier => "token check of a gateway",
        Layer::Framework => "token check of the service",
        Layer::Application => "rules of the application",
        Layer::Issuer => "token issuer",
        Layer::Store => "store of sessions and tokens",
        Layer::Tenure => "Tenure's own service",
    }
}

/// Who answered the client's request, where that is known.
pub(crate) fn answered(diagnosis: &Diagnosis) -> Option<String> {
    let by = diagnosis.answered.as_ref()?;
    let (product, kind, mark) = (by.product, layer(by.layer), by.mark);
    Some(format!("{product}, {kind} (known by {mark})"))
}

/// What a step is, and the command or flag that takes it.
pub(crate) fn command(step: &Step) -> (String, String) {
    match step {
        Step::Probe(probe) => (
            format!("send the probe `{probe}` ({})", probe.id()),
            format!("tenure doctor probe URL --token-file FILE{}", needs(*probe)),
        ),
        Step::Supply(what, how) => ((*what).to_owned(), (*how).to_owned()),
    }
}

/// The flags without which the probe is not sent.
fn needs(probe: Probe) -> &'static str {
    match probe {
        Probe::Old => " --old-token-file FILE",
        Probe::OtherToken => " --other-token-file FILE",
        Probe::OtherEndpoint => " --other-endpoint URL",
        Probe::Preflight | Probe::Origin | Probe::BareOrigin => " --origin ORIGIN",
        Probe::Direct => " --direct IP:PORT",
        Probe::Echo => " --echo URL",
        Probe::SmallBody | Probe::LargeBody => " --method POST --allow-unsafe",
        Probe::Refresh | Probe::RefreshAgain(_) => " --burn-refresh FILE",
        Probe::Introspection => " --introspection FILE",
        _ => "",
    }
}

/// Why no answer came.
pub(crate) fn failure(failure: &Failure) -> String {
    match failure {
        Failure::Timeout => "no answer in time".to_owned(),
        Failure::Refused => "connection refused".to_owned(),
        Failure::Reset => "connection ended early".to_owned(),
        Failure::Dns => "name has no address".to_owned(),
        Failure::Tls(why) => format!("TLS: {why}"),
        Failure::Malformed(why) => format!("not HTTP: {why}"),
        Failure::Unreachable => "address not reachable".to_owned(),
    }
}

/// RFC 3339, UTC.
pub(crate) fn time(at: Timestamp) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(at.0));
    time.map_or_else(
        || format!("{} s", at.0),
        |time| humantime::format_rfc3339_seconds(time).to_string(),
    )
}
