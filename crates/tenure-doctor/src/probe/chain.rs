//! What one answer says about the next request.

use serde_json::Value;
use url::Url;

use super::{Probe, Refresh};
use crate::exchange::{Answer, Exchange};

/// Redirects that are followed.
pub(super) const HOPS: u8 = 10;

/// How the client's redirects end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trail {
    /// In an answer that is none, or one that could still be followed.
    Ends,
    /// At a URL where it has been.
    Loop,
    /// Not within ten hops.
    TooLong,
    /// At a scheme other than HTTP's.
    Elsewhere,
}

/// How the redirects end, by exchanges as they were on the wire.
pub fn trail(exchanges: &[Exchange]) -> Trail {
    let Some((last, url)) = chain(exchanges)
        .last()
        .and_then(|last| Some((last, leads_to(last)?)))
    else {
        return Trail::Ends;
    };
    if !matches!(url.scheme(), "http" | "https") {
        Trail::Elsewhere
    } else if chain(exchanges).any(|exchange| exchange.request.url == url.as_str()) {
        Trail::Loop
    } else if last.probe == Probe::Hop(HOPS) {
        Trail::TooLong
    } else {
        Trail::Ends
    }
}

/// The request whose answer is the `n`th redirect, and where that leads. Nothing where it leads to a URL
/// of the chain.
pub(super) fn redirect(so_far: &[Exchange], n: u8) -> Option<(&Exchange, Url)> {
    let before = if n == 1 {
        Probe::Client
    } else {
        Probe::Hop(n.checked_sub(1)?)
    };
    let from = of(so_far, before)?;
    let url = leads_to(from)?;
    // The hop itself may have been sent already: `kept-hop-N` asks again.
    let later = |probe: Probe| matches!(probe, Probe::Hop(hop) if hop >= n);
    let seen = chain(so_far)
        .filter(|exchange| !later(exchange.probe))
        .any(|exchange| exchange.request.url == url.as_str());
    (n <= HOPS && !seen).then_some((from, url))
}

/// Where an answer redirects to, of the statuses that clients follow.
pub(super) fn leads_to(from: &Exchange) -> Option<Url> {
    let answer = from.result.as_ref().ok()?;
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let base = Url::parse(&from.request.url).ok()?;
    base.join(answer.header("location")?).ok()
}

/// The client's request and the redirects that were followed.
pub(super) fn chain(so_far: &[Exchange]) -> impl Iterator<Item = &Exchange> {
    let in_chain = |e: &&Exchange| matches!(e.probe, Probe::Client | Probe::Hop(_));
    so_far.iter().filter(in_chain)
}

/// With 307 and 308 the method stays, else whatever is not GET or HEAD becomes GET (Fetch, HTTP-redirect fetch).
pub(super) fn method_after(from: &Exchange) -> Option<String> {
    let status = from.result.as_ref().ok()?.status;
    let method = from.request.method.as_str();
    let stays = matches!(status, 307 | 308) || matches!(method, "GET" | "HEAD");
    Some(if stays { method } else { "GET" }.to_owned())
}

/// A path that nobody has, below the same parent.
pub(super) fn other_path(url: &Url, salt: &str) -> Option<Url> {
    let mut other = url.clone();
    other
        .path_segments_mut()
        .ok()?
        .pop_if_empty()
        .pop()
        .push(&format!("tenure-{salt}"));
    Some(other)
}

/// With a trailing slash, or without.
pub(super) fn toggle_slash(url: &Url) -> Option<Url> {
    let path = match url.path() {
        "/" => return None,
        path => path
            .strip_suffix('/')
            .map_or_else(|| format!("{path}/"), str::to_owned),
    };
    let mut other = url.clone();
    other.set_path(&path);
    Some(other)
}

/// With a query parameter that nobody has sent.
#[expect(clippy::unnecessary_wraps, reason = "beside two others that can fail")]
pub(super) fn fresh(url: &Url, salt: &str) -> Option<Url> {
    let mut other = url.clone();
    other.query_pairs_mut().append_pair("tenure", salt);
    Some(other)
}

/// The metadata of an issuer (OpenID Connect Discovery 1.0, section 4); as given where it is named itself.
pub(super) fn discovery(issuer: &str) -> Option<Url> {
    if issuer.contains("/.well-known/") {
        return Url::parse(issuer).ok();
    }
    well_known(issuer, "openid-configuration")
}

/// A document below the issuer.
pub(super) fn well_known(issuer: &str, name: &str) -> Option<Url> {
    let issuer = issuer.split("/.well-known/").next()?;
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    Url::parse(&format!("{issuer}/.well-known/{name}")).ok()
}

/// A text member of a JSON answer.
pub(super) fn member(exchange: &Exchange, name: &str) -> Option<String> {
    let answer = exchange.result.as_ref().ok()?;
    let value: Value = serde_json::from_str(&answer.body).ok()?;
    Some(value.get(name)?.as_str()?.to_owned())
}

/// The refresh before did not succeed.
pub(super) struct NotRefreshed;

/// The token for the `n`th further refresh: what the last answer returned, or nothing for "the same".
pub(super) fn refreshed(
    so_far: &[Exchange],
    n: u8,
    given: &Refresh,
) -> Result<Option<String>, NotRefreshed> {
    let mut token = None;
    for before in 0..n {
        let probe = if before == 0 {
            Probe::Refresh
        } else {
            Probe::RefreshAgain(before)
        };
        let answer = of(so_far, probe).and_then(|exchange| exchange.result.as_ref().ok());
        let answer: &Answer = answer.ok_or(NotRefreshed)?;
        let value: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let field = given.token_field.rsplit('.').next().unwrap_or_default();
        token = find(&value, field).or(token);
    }
    Ok(token)
}

/// A refresh token anywhere in an answer, under the names that issuers use.
fn find(value: &Value, field: &str) -> Option<String> {
    let object = value.as_object()?;
    let known = |name: &str| {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        name == field || plain.eq_ignore_ascii_case("refreshtoken")
    };
    object.iter().find_map(|(name, member)| match member {
        Value::String(text) if known(name) => Some(text.clone()),
        inner => find(inner, field),
    })
}

/// What was sent for a probe.
pub(super) fn of(so_far: &[Exchange], probe: Probe) -> Option<&Exchange> {
    so_far.iter().find(|exchange| exchange.probe == probe)
}
