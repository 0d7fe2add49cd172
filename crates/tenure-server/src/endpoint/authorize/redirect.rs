//! Redirect URIs: which are the client's, and how an answer travels on them.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use url::{Host, Url, form_urlencoded};

use crate::config::Client;

/// Loopback literals whose port is free (RFC 8252 section 7.3); `localhost` is no literal.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// True where `asked` is one of the registered URIs: the same string (RFC 9700 section 4.1.3),
/// the port of a loopback literal excepted.
pub(super) fn is_registered(registered: &[String], asked: &str) -> bool {
    registered
        .iter()
        .any(|known| known == asked || same_but_for_port(known, asked))
}

/// True for the URIs of native apps on their own machine.
pub(super) fn is_loopback(uri: &str) -> bool {
    without_port(uri).is_some()
}

fn same_but_for_port(known: &str, asked: &str) -> bool {
    without_port(known).is_some_and(|known| Some(known) == without_port(asked))
}

/// A loopback URI as its host and what follows the port. It is never normalised: every other
/// spelling stays a different string.
fn without_port(uri: &str) -> Option<(&'static str, &str)> {
    let host = LOOPBACK.into_iter().find(|host| uri.starts_with(host))?;
    let rest = uri.strip_prefix(host)?;
    let Some(port) = rest.strip_prefix(':') else {
        return is_path(rest).then_some((host, rest));
    };
    let end = port
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(port.len());
    let (port, rest) = port.split_at(end);
    let is_port = port
        .parse::<u16>()
        .is_ok_and(|number| number.to_string() == port && number != 0);
    (is_port && is_path(rest)).then_some((host, rest))
}

fn is_path(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}

/// Where the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo {
    pub(super) uri: String,
    /// Echoed as it came.
    pub(super) state: Option<String>,
}

impl ReturnTo {
    /// RFC 6749 section 4.1.2.
    pub(super) fn with_code(&self, issuer: &str, code: &str) -> Response {
        self.answer(issuer, &[("code", code)])
    }

    /// RFC 6749 section 4.1.2.1.
    pub(super) fn with_error(&self, issuer: &str, refused: &Refused) -> Response {
        tracing::info!(
            event = "authorization_refused",
            error = refused.error,
            why = refused.why
        );
        self.answer(
            issuer,
            &[("error", refused.error), ("error_description", refused.why)],
        )
    }

    /// `iss` is in every answer (RFC 9207).
    fn answer(&self, issuer: &str, parameters: &[(&str, &str)]) -> Response {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        query.extend_pairs(self.state.as_deref().map(|state| ("state", state)));
        query.append_pair("iss", issuer);
        let joint = if self.uri.contains('?') { '&' } else { '?' };
        see_other(&format!("{}{joint}{}", self.uri, query.finish()))
    }
}

/// 303: the browser goes on with GET and leaves the posted password behind (RFC 9700 section 4.12).
pub(crate) fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// An OAuth error for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) error: &'static str,
    pub(super) why: &'static str,
}

/// Sources for `form-action`: browsers hold the redirects after a POST against it as well, those of
/// the client's own callback included. Where that leads elsewhere, it leads to another registered
/// place.
pub(super) fn form_targets(client: &Client, redirect_uri: &str) -> Vec<String> {
    let known = client.redirect_uris.iter().chain(&client.allowed_origins);
    let mut targets: Vec<String> = known
        .filter_map(|uri| origin(&Url::parse(uri).ok()?))
        .collect();
    targets.extend(source(redirect_uri));
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// The narrowest source expression (CSP level 3 section 2.3.1) that covers a URI.
fn source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    Some(origin(&url).unwrap_or_else(|| format!("{}:", url.scheme())))
}

/// The origin, where the grammar of sources can say it: it has no IPv6 addresses.
fn origin(url: &Url) -> Option<String> {
    let sayable = matches!(url.host(), Some(Host::Domain(_) | Host::Ipv4(_)));
    (sayable && url.origin().is_tuple()).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::{is_registered, source};

    #[test]
    fn only_the_registered_string_matches() {
        let registered = ["https://app.example.com/cb".to_owned()];
        assert!(is_registered(&registered, "https://app.example.com/cb"));
        let mutations = [
            "https://APP.example.com/cb",
            "https://app.example.com/CB",
            "https://app.example.com/cb/",
            "https://app.example.com/cb/more",
            "https://app.example.com/cb?x=1",
            "https://app.example.com/cb#x",
            "https://user@app.example.com/cb",
            "https://app.example.com/x/../cb",
            "https://app.example.com/%63b",
            "https://app.example.com/cb%2e",
            "https://app.example.com:443/cb",
            "https://app.example.com:8443/cb",
            "https://evil.app.example.com/cb",
            "https://app.example.com.evil.test/cb",
            "http://app.example.com/cb",
            "https://app.example.com",
            "",
        ];
        for mutation in mutations {
            assert!(!is_registered(&registered, mutation), "{mutation}");
        }
    }

    #[test]
    fn the_port_of_a_loopback_literal_is_free_and_nothing_else_of_it() {
        let registered = [
            "http://127.0.0.1/cb".to_owned(),
            "http://[::1]:7000/cb?a=b".to_owned(),
        ];
        let good = [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:1024/cb",
            "http://127.0.0.1:50000/cb",
            "http://[::1]/cb?a=b",
            "http://[::1]:65535/cb?a=b",
        ];
        for uri in good {
            assert!(is_registered(&registered, uri), "{uri}");
        }
        let bad = [
            "http://localhost:1024/cb",
            "https://127.0.0.1:1024/cb",
            "http://127.0.0.2:1024/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:080/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:+80/cb",
            "http://127.0.0.1:80@evil.test/cb",
            "http://127.0.0.1@evil.test/cb",
            "http://127.0.0.1.evil.test/cb",
            "http://127.0.0.11/cb",
            "http://127.0.0.1:1024/cb/",
            "http://127.0.0.1:1024/cb?x",
            "http://127.0.0.1:1024/./cb",
            "http://127.0.0.1:1024",
            "http://[::1]:1/cb",
            "http://[0:0:0:0:0:0:0:1]/cb?a=b",
        ];
        for uri in bad {
            assert!(!is_registered(&registered, uri), "{uri}");
        }
    }

    #[test]
    fn a_source_is_an_origin_where_there_is_one() {
        let of = |uri| source(uri).unwrap();
        assert_eq!(
            of("https://app.example.com/cb?x=1"),
            "https://app.example.com"
        );
        assert_eq!(of("http://127.0.0.1:4711/cb"), "http://127.0.0.1:4711");
        assert_eq!(of("http://[::1]:4711/cb"), "http:");
        assert_eq!(of("com.example.app:/cb"), "com.example.app:");
        assert_eq!(source("nonsense"), None);
    }
}
