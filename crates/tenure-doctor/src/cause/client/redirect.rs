//! Redirects that leave the origin, where clients drop the Authorization header (Fetch, HTTP-redirect
//! fetch, step 13; curl without `--location-trusted`; reqwest, `redirect.rs`).

use url::Url;

use crate::exchange::{Answer, Exchange, Sent};
use crate::probe::Probe;
use crate::sign::{Sign, accepted, logs, refused, seen, together};
use crate::{Clue, Evidence, Source};

/// What a redirect changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// From http to https at the same host.
    Upgrade,
    /// A trailing slash, and https becomes http or the host or port another: the address that the app behind a proxy has.
    Slash,
    /// Another host or port, the same path.
    Moved,
    /// Another place altogether: a login page, another service.
    Elsewhere,
}

/// The host or port changes, and the path stays.
pub(crate) static MOVED: Sign = Sign {
    name: "moved-elsewhere",
    means: "the request is redirected to the same path at another host or port, where clients drop the header",
    find: |evidence| of(evidence, Move::Moved),
};

/// Host and path change.
pub(crate) static LED_ELSEWHERE: Sign = Sign {
    name: "led-elsewhere",
    means: "the request is redirected to another path of another host or port",
    find: |evidence| of(evidence, Move::Elsewhere),
};

/// http becomes https.
pub(crate) static UPGRADED: Sign = Sign {
    name: "upgraded-by-redirect",
    means: "the request is sent by http and redirected to https, where some clients drop the header and others keep it",
    find: |evidence| of(evidence, Move::Upgrade),
};

/// A slash, and the app's own idea of its address.
pub(crate) static SLASHED: Sign = Sign {
    name: "slashed-away",
    means: "the redirect corrects a trailing slash, and names another scheme, host or port than the client's",
    find: |evidence| of(evidence, Move::Slash),
};

/// The same, and TLS is lost on the way.
pub(crate) static SLASHED_TO_HTTP: Sign = Sign {
    name: "slashed-to-http",
    means: "the redirect corrects a trailing slash, and leads from https to http",
    find: |evidence| {
        let to_http = |from: &Url, to: &Url| from.scheme() == "https" && to.scheme() == "http";
        probed(evidence, |from, to| {
            nature(from, to) == Some(Move::Slash) && to_http(from, to)
        })
    },
};

/// The end of the redirects is a refusal of a request from which the header was dropped.
pub(crate) static DROPPED_AND_REFUSED: Sign = Sign {
    name: "dropped-and-refused",
    means: "followed as clients do, the request arrives without its header and is refused",
    find: |evidence| {
        let Some((hop, answer)) = last(evidence, is_hop) else {
            let natures = [Move::Upgrade, Move::Slash, Move::Moved].into_iter();
            return natures
                .filter_map(|nature| super::browsed::dropped(evidence, nature))
                .collect();
        };
        let carried = evidence
            .exchange(Probe::Client)
            .is_some_and(has_authorization);
        let dropped = carried && !has_authorization(hop);
        let says = format!(
            "{} at the end of the redirects, without the header",
            answer.status
        );
        seen(dropped && refused(answer), says, hop.probe)
    },
};

/// The client's log: a slash, TLS lost, and a refusal at the end.
pub(crate) static LOGGED_TO_HTTP: Sign = Sign {
    name: "logged-slashed-to-http",
    means: "the client's log shows a redirect for a slash from https to http, and a refusal at its end",
    find: |evidence| logs::text(evidence, "client-led-to-http"),
};

/// The same, and another host.
pub(crate) static LOGGED_TO_HOST: Sign = Sign {
    name: "logged-moved-elsewhere",
    means: "the client's log shows a redirect to another host, and a refusal at its end",
    find: |evidence| logs::text(evidence, "client-led-to-host"),
};

/// The end of the redirects cannot be reached.
pub(crate) static LEADS_NOWHERE: Sign = Sign {
    name: "redirect-leads-nowhere",
    means: "the address that the redirect names does not answer, or not by HTTP",
    find: |evidence| {
        let Some(hop) = evidence.exchanges.iter().rfind(|it| is_hop(it.probe)) else {
            return Vec::new();
        };
        match &hop.result {
            Err(failure) => seen(true, failure.to_string(), hop.probe),
            Ok(answer) => seen(
                matches!(answer.status, 400 | 404),
                format!("{} at the end of the redirects", answer.status),
                hop.probe,
            ),
        }
    },
};

/// Only the header makes the difference there.
pub(crate) static KEEPING_TURNS: Sign = Sign {
    name: "keeping-turns",
    means: "at the end of the redirects the request is refused without the header and accepted with it",
    find: |evidence| {
        let ends = (last(evidence, is_hop), last(evidence, is_kept_hop));
        let (Some((hop, without)), Some((kept, with))) = ends else {
            return Vec::new();
        };
        let holds = hop.request.url == kept.request.url && refused(without) && accepted(with);
        let says = format!(
            "{} without the header, {} with it",
            without.status, with.status
        );
        seen(holds, says, kept.probe)
    },
};

/// The place that a redirect leads to, asked with the header, refuses it too.
pub(crate) static KEEPING_HELPS_NOT: Sign = Sign {
    name: "keeping-helps-not",
    means: "at the end of the redirects the request is refused with the header, too",
    find: |evidence| match last(evidence, is_kept_hop) {
        Some((kept, answer)) => seen(
            refused(answer),
            format!("{} with the header kept", answer.status),
            kept.probe,
        ),
        None => Vec::new(),
    },
};

/// The other spelling of the path is accepted.
pub(crate) static SLASH_TURNS: Sign = Sign {
    name: "slash-turns",
    means: "with the other spelling of the path there is no redirect, and the request is accepted",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Slash];
        together(evidence, probes, |[client, slash]| {
            let (own, other) = (client.status, slash.status);
            let holds = is_redirect(client) && accepted(slash);
            holds.then(|| format!("{own} as it is, {other} with the other slash"))
        })
    },
};

/// Redirects of this nature, of the client's request and in a browser's record.
fn of(evidence: &Evidence, wanted: Move) -> Vec<Clue> {
    let mut clues = probed(evidence, |from, to| nature(from, to) == Some(wanted));
    clues.extend(super::browsed::dropped(evidence, wanted));
    clues
}

/// Redirects of the client's request from and to such places.
fn probed(evidence: &Evidence, wanted: impl Fn(&Url, &Url) -> bool) -> Vec<Clue> {
    let redirects = evidence.exchanges.iter().filter_map(|exchange| {
        let answer = exchange.result.as_ref().ok()?;
        let followed = exchange.probe == Probe::Client || is_hop(exchange.probe);
        let (from, to) = ends(&exchange.request, answer).filter(|_| followed)?;
        let says = format!("{} from {} to {}", answer.status, end(&from), end(&to));
        wanted(&from, &to).then(|| Clue::new(says, Source::Probe(exchange.probe)))
    });
    redirects.collect()
}

/// From where to where an answer redirects.
pub(super) fn ends(sent: &Sent, answer: &Answer) -> Option<(Url, Url)> {
    let from = Url::parse(&sent.url).ok()?;
    let to = from.join(answer.header("location")?).ok()?;
    is_redirect(answer).then_some((from, to))
}

pub(super) fn nature(from: &Url, to: &Url) -> Option<Move> {
    let bare = |url: &Url| url.path().trim_end_matches('/').to_owned();
    let host = from.host_str() == to.host_str();
    if from.origin() == to.origin() {
        return None;
    }
    let slash = bare(from) == bare(to) && from.path() != to.path();
    Some(
        if host && from.scheme() == "http" && to.scheme() == "https" {
            Move::Upgrade
        } else if slash {
            Move::Slash
        } else if bare(from) == bare(to) {
            Move::Moved
        } else {
            Move::Elsewhere
        },
    )
}

fn end(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!(
        "{}://{}:{port}{}",
        url.scheme(),
        url.host_str().unwrap_or_default(),
        url.path()
    )
}

fn is_redirect(answer: &Answer) -> bool {
    matches!(answer.status, 301 | 302 | 303 | 307 | 308)
}

fn last(evidence: &Evidence, wanted: fn(Probe) -> bool) -> Option<(&Exchange, &Answer)> {
    let exchange = evidence
        .exchanges
        .iter()
        .rfind(|exchange| wanted(exchange.probe))?;
    Some((exchange, exchange.result.as_ref().ok()?))
}

fn is_hop(probe: Probe) -> bool {
    matches!(probe, Probe::Hop(_))
}

fn is_kept_hop(probe: Probe) -> bool {
    matches!(probe, Probe::KeptHop(_))
}

fn has_authorization(exchange: &Exchange) -> bool {
    exchange.request.header("authorization").is_some()
}
