//! How the client's own request carries its token; values are fingerprints here.

use std::fmt;

use url::Url;

use crate::Evidence;
use crate::exchange::{Answer, Sent};
use crate::probe::Probe;

/// How the token is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `Bearer`.
    Bearer,
    /// `Bearer` in other letters, as written.
    OtherCase(String),
    /// Another scheme.
    Other(String),
    /// The token alone.
    None,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("`Bearer`"),
            Self::OtherCase(scheme) | Self::Other(scheme) => write!(f, "`{scheme}`"),
            Self::None => f.write_str("no scheme"),
        }
    }
}

/// The client's request, where it was answered.
pub(super) fn client(evidence: &Evidence) -> Option<(&Sent, &Answer)> {
    asked(evidence, Probe::Client)
}

/// A probe's request, where it was answered.
pub(super) fn asked(evidence: &Evidence, probe: Probe) -> Option<(&Sent, &Answer)> {
    let exchange = evidence.exchange(probe)?;
    Some((&exchange.request, exchange.result.as_ref().ok()?))
}

/// How the client announces its token.
pub(super) fn scheme(evidence: &Evidence) -> Option<Scheme> {
    let (sent, _) = client(evidence)?;
    announced(sent.header("authorization")?)
}

/// How the value of an Authorization header announces its token.
pub(super) fn announced(value: &str) -> Option<Scheme> {
    let value = value.trim();
    let Some((scheme, _)) = value.split_once(char::is_whitespace) else {
        let alone = !value.is_empty() && !value.eq_ignore_ascii_case("bearer");
        return alone.then_some(Scheme::None);
    };
    Some(if !scheme.eq_ignore_ascii_case("bearer") {
        Scheme::Other(scheme.to_owned())
    } else if scheme == "Bearer" {
        Scheme::Bearer
    } else {
        Scheme::OtherCase(scheme.to_owned())
    })
}

/// The word in place of a token, where there is one; `nothing` for none.
pub(super) fn word(value: &str) -> Option<&str> {
    let value = value.trim();
    let (scheme, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let rest = rest.trim().trim_matches(['"', '\'']);
    let words = [
        "undefined",
        "null",
        "none",
        "nil",
        "nan",
        "false",
        "[object object]",
    ];
    let is_word = words.iter().any(|word| rest.eq_ignore_ascii_case(word));
    if !scheme.eq_ignore_ascii_case("bearer") {
        None
    } else if rest.is_empty() {
        Some("(nothing)")
    } else {
        is_word.then_some(rest)
    }
}

/// Where else than in Authorization the request carries what looks like a token.
pub(super) fn carriers(sent: &Sent) -> Vec<String> {
    let cookies = sent.header("cookie").unwrap_or_default().split(';');
    let cookies = cookies.filter_map(|cookie| Some(cookie.split_once('=')?.0.trim()));
    let session = |name: &&str| {
        let name = name.to_ascii_lowercase();
        names_token(&name)
            || name.contains("session")
            || name.contains("token")
            || name.contains("auth")
            || name.starts_with("_pomerium")
    };
    let cookies = cookies
        .filter(session)
        .map(|name| format!("the cookie `{name}`"));
    in_query(sent).into_iter().chain(cookies).collect()
}

/// Those of them in the query.
pub(super) fn in_query(sent: &Sent) -> Vec<String> {
    let Ok(url) = Url::parse(&sent.url) else {
        return Vec::new();
    };
    url.query_pairs()
        .filter(|(name, value)| names_token(name) && !value.is_empty())
        .map(|(name, _)| format!("`{name}` in the query"))
        .collect()
}

fn names_token(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "access_token",
        "token",
        "jwt",
        "id_token",
        "auth_token",
        "auth-token",
        "bearer",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}
