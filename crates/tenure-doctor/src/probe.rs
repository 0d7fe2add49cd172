//! The probe set: requests that differ in one thing each.

mod alter;
mod chain;
mod examine;
mod failure;
mod live;
mod named;
mod plan;
mod request;
mod subject;
mod worth;

pub use chain::{Trail, trail};
pub use examine::{Watch, examine};
pub use live::{Live, Options, Wire};
pub(crate) use named::is_loopback;
pub use named::may_name;
pub use plan::{BUDGET, Decision, Stop, decide};
pub use request::{Request, request};
pub use subject::{Carried, Introspection, Refresh, Subject};

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One request of the set, named by what it changes against the client's own request.
///
/// Its text form ([`fmt::Display`], [`FromStr`], serde) is stable: recordings are looked up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Probe {
    /// `client` (P0): the request as the client sends it, redirects off.
    Client,
    /// `bare` (P1): without the Authorization header.
    Bare,
    /// `empty` (P2): `Authorization: Bearer ` and nothing.
    Empty,
    /// `undefined` (P2): the word that JavaScript makes of a missing token.
    Undefined,
    /// `null` (P2): the same of a null.
    Null,
    /// `garbage` (P3): `Bearer x`.
    Garbage,
    /// `altered` (P4): the good token with the last bytes of its signature changed.
    Altered,
    /// `old` (P5): a kept, expired token of the same client.
    Old,
    /// `lower` (P6): `bearer`.
    Lower,
    /// `upper` (P6): `BEARER`.
    Upper,
    /// `raw` (P6): the token without a scheme.
    Raw,
    /// `token-scheme` (P6): `Token` in place of `Bearer`.
    TokenScheme,
    /// `trimmed`: the token without the blanks, quotes and encodings that do not belong to it.
    Trimmed,
    /// `other-path` (P7): a random path below the same parent, with the token.
    OtherPath,
    /// `bare-other-path` (P7): the same without the token.
    BareOtherPath,
    /// `other-method` (P7): HEAD where the client sends GET, else GET.
    OtherMethod,
    /// `slash` (P7): the path with a trailing slash, or without if it has one.
    Slash,
    /// `other-endpoint`: the token at another endpoint of the same API that the user named.
    OtherEndpoint,
    /// `preflight` (P8): OPTIONS as a browser asks before the client's request.
    Preflight,
    /// `origin` (P8): the client's request with `Origin`.
    Origin,
    /// `bare-origin` (P8): without the Authorization header, with `Origin`.
    BareOrigin,
    /// `hop-N` (P9): the Nth redirect followed as a client does: the header is dropped where host, port or scheme change.
    Hop(u8),
    /// `kept-hop-N` (P9): the Nth redirect followed with the header kept; same host only, unless allowed.
    KeptHop(u8),
    /// `again-N` (P10): the client's request, repeated.
    Again(u8),
    /// `address-IP` (P10): the client's request to one address of several that the name has.
    Address(IpAddr),
    /// `fresh` (P11): with a query parameter that no cache has seen.
    Fresh,
    /// `bare-fresh` (P11): the same without the Authorization header.
    BareFresh,
    /// `discovery` (P13): the issuer's metadata.
    Discovery,
    /// `jwks` (P13): the issuer's keys.
    Jwks,
    /// `direct` (P14): the client's request to an address behind the edge.
    Direct,
    /// `small-body` (P15): 1 KiB of body with the client's method (unsafe methods only when allowed).
    SmallBody,
    /// `large-body` (P15): 9 KiB of body.
    LargeBody,
    /// `large-header` (P15): 9 KiB of an extra header.
    LargeHeader,
    /// `other-token` (P16): a token of another user or client of the same issuer.
    OtherToken,
    /// `echo` (P17): the client's request to an endpoint that answers with the headers that reached it.
    Echo,
    /// `refresh` (P18): one refresh; it uses a rotating token up, so only when asked for.
    Refresh,
    /// `refresh-again-N` (P18): more refreshes, each with what the last one returned (or the same token if it returned none).
    RefreshAgain(u8),
    /// `userinfo` (P19): the issuer's userinfo endpoint with the same token.
    Userinfo,
    /// `introspection` (P19): the issuer's introspection endpoint.
    Introspection,
    /// `browser` (P20): with a browser's `User-Agent` and `Accept: text/html`.
    Browser,
}

const FIXED: &[(Probe, &str, &str)] = &[
    (Probe::Client, "client", "P0"),
    (Probe::Bare, "bare", "P1"),
    (Probe::Empty, "empty", "P2"),
    (Probe::Undefined, "undefined", "P2"),
    (Probe::Null, "null", "P2"),
    (Probe::Garbage, "garbage", "P3"),
    (Probe::Altered, "altered", "P4"),
    (Probe::Old, "old", "P5"),
    (Probe::Lower, "lower", "P6"),
    (Probe::Upper, "upper", "P6"),
    (Probe::Raw, "raw", "P6"),
    (Probe::TokenScheme, "token-scheme", "P6"),
    (Probe::Trimmed, "trimmed", "P0"),
    (Probe::OtherPath, "other-path", "P7"),
    (Probe::BareOtherPath, "bare-other-path", "P7"),
    (Probe::OtherMethod, "other-method", "P7"),
    (Probe::Slash, "slash", "P7"),
    (Probe::OtherEndpoint, "other-endpoint", "P7"),
    (Probe::Preflight, "preflight", "P8"),
    (Probe::Origin, "origin", "P8"),
    (Probe::BareOrigin, "bare-origin", "P8"),
    (Probe::Fresh, "fresh", "P11"),
    (Probe::BareFresh, "bare-fresh", "P11"),
    (Probe::Discovery, "discovery", "P13"),
    (Probe::Jwks, "jwks", "P13"),
    (Probe::Direct, "direct", "P14"),
    (Probe::SmallBody, "small-body", "P15"),
    (Probe::LargeBody, "large-body", "P15"),
    (Probe::LargeHeader, "large-header", "P15"),
    (Probe::OtherToken, "other-token", "P16"),
    (Probe::Echo, "echo", "P17"),
    (Probe::Refresh, "refresh", "P18"),
    (Probe::Userinfo, "userinfo", "P19"),
    (Probe::Introspection, "introspection", "P19"),
    (Probe::Browser, "browser", "P20"),
];

/// Every probe that may be possible for a subject, in the order in which a recording sends them: those that
/// use something up come last.
pub fn set(subject: &Subject, addresses: &[IpAddr], refreshes: u8) -> Vec<Probe> {
    let fixed = FIXED.iter().map(|(probe, ..)| *probe);
    let hops = (1..=chain::HOPS).flat_map(|n| [Probe::Hop(n), Probe::KeptHop(n)]);
    let several = addresses.iter().filter(|_| addresses.len() > 1);
    fixed
        .filter(|probe| *probe != Probe::Refresh)
        .chain(hops)
        .chain(several.map(|address| Probe::Address(*address)))
        .chain((1..=subject.repeats).map(Probe::Again))
        .chain([Probe::Refresh])
        .chain((1..=refreshes).map(Probe::RefreshAgain))
        .collect()
}

impl Probe {
    /// The id in the documents: `P0` to `P20`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Hop(_) | Self::KeptHop(_) => "P9",
            Self::Again(_) | Self::Address(_) => "P10",
            Self::RefreshAgain(_) => "P18",
            fixed => fixed.row().map_or("P0", |(.., id)| id),
        }
    }

    /// Whether it is the client's request as it is: first, repeated, or to one address.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Client | Self::Again(_) | Self::Address(_))
    }

    fn row(self) -> Option<&'static (Self, &'static str, &'static str)> {
        FIXED.iter().find(|(probe, ..)| *probe == self)
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hop(n) => write!(f, "hop-{n}"),
            Self::KeptHop(n) => write!(f, "kept-hop-{n}"),
            Self::Again(n) => write!(f, "again-{n}"),
            Self::RefreshAgain(n) => write!(f, "refresh-again-{n}"),
            Self::Address(address) => write!(f, "address-{address}"),
            fixed => f.write_str(fixed.row().map_or("", |(_, name, _)| name)),
        }
    }
}

/// Makes a probe of its number.
type Numbered = fn(u8) -> Probe;

/// There is no probe of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no probe `{0}`")]
pub struct UnknownProbe(String);

impl FromStr for Probe {
    type Err = UnknownProbe;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((probe, ..)) = FIXED.iter().find(|(_, name, _)| *name == text) {
            return Ok(*probe);
        }
        let numbered: [(&str, Numbered); 4] = [
            ("refresh-again-", Self::RefreshAgain),
            ("again-", Self::Again),
            ("kept-hop-", Self::KeptHop),
            ("hop-", Self::Hop),
        ];
        let by_number = numbered.iter().find_map(|(prefix, make)| {
            let number = text.strip_prefix(prefix)?.parse().ok()?;
            Some(make(number))
        });
        let by_address = || Some(Self::Address(text.strip_prefix("address-")?.parse().ok()?));
        by_number
            .or_else(by_address)
            .ok_or_else(|| UnknownProbe(text.to_owned()))
    }
}

impl Serialize for Probe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_probe() {
        let more = [
            "hop-1",
            "kept-hop-2",
            "again-3",
            "refresh-again-1",
            "address-127.0.0.1",
        ];
        for name in FIXED.iter().map(|(_, name, _)| *name).chain(more) {
            let probe: Probe = name.parse().unwrap();
            assert_eq!(probe.to_string(), name);
        }
        assert!("again".parse::<Probe>().is_err());
    }
}
