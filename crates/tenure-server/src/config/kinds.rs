//! Texts of the web that are checked when they are read: issuer, redirect URI, origin, audience.

use std::net::IpAddr;

use tenure_core::secret::Secret;
use url::{Host, Url};

use super::ClientSecret;
use super::setting::{Setting, Wrong, text};
use super::value::Value;

/// `iss` (RFC 8414 section 2, and http on a loopback host).
pub(super) struct Issuer(pub(super) String);

impl Setting for Issuer {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let fix = "write a URL such as \"https://auth.example.com\"";
        let text = text(value, "a URL in quotes")?;
        let url = Url::parse(text).map_err(|_| format!("{text:?} is no URL; {fix}"))?;
        let why = match url.scheme() {
            "https" => None,
            "http" if is_loopback(&url) => None,
            "http" => Some("would send tokens in the clear; use https, or a loopback address"),
            _ => Some("is neither https nor http"),
        };
        let why = why
            .or(text
                .ends_with('/')
                .then_some("ends with a slash; remove it"))
            .or((url.query().is_some() || url.fragment().is_some())
                .then_some("has a query or a fragment; remove it"))
            .or((!url.username().is_empty()).then_some("has a user name; remove it"))
            // Verifiers compare `iss` as text: it must be what a URL library would print.
            .or((url.as_str().trim_end_matches('/') != text)
                .then_some("is not in its normal form: lower case, no default port"));
        why.map_or_else(
            || Ok(Self(text.to_owned())),
            |why| Err(format!("{text:?} {why}").into()),
        )
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// RFC 6749 section 3.1.2, RFC 8252 section 7.
pub(super) struct RedirectUri(pub(super) String);

impl Setting for RedirectUri {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "a URI in quotes")?;
        let why = match Url::parse(text) {
            Err(_) => {
                Some("is no absolute URI; write one such as \"https://app.example.com/callback\"")
            }
            Ok(_) if text.contains('*') => {
                Some("has a wildcard; redirect URIs match exactly: list each one")
            }
            Ok(_) if text.contains('#') => {
                Some("has a fragment, which RFC 6749 section 3.1.2 forbids; remove it")
            }
            Ok(url) if !url.username().is_empty() => Some("has a user name; remove it"),
            Ok(url) => match url.scheme() {
                "https" => None,
                "http" if is_loopback(&url) => None,
                "http" => Some(
                    "would carry the code in the clear; use https, or http on 127.0.0.1 or [::1]",
                ),
                private if private.contains('.') => None,
                _ => Some(
                    "has a scheme that any app may claim; use one that is your domain backwards, such as \"com.example.app:/callback\" (RFC 8252 section 7.1)",
                ),
            },
        };
        why.map_or_else(
            || Ok(Self(text.to_owned())),
            |why| Err(format!("{text:?} {why}").into()),
        )
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// RFC 6454 section 6.2, as browsers send it in `Origin`.
pub(super) struct Origin(pub(super) String);

impl Setting for Origin {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "an origin in quotes")?;
        let secure = |url: &Url| url.scheme() == "https" || is_loopback(url);
        let good = Url::parse(text)
            .is_ok_and(|url| url.origin().ascii_serialization() == text && secure(&url));
        if good {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is no origin; write scheme, host and port only, such as \"https://app.example.com\" (http on loopback hosts only, no wildcard)").into())
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// `aud`: a resource (RFC 8707 section 2) or a plain name that verifiers already expect.
pub(super) struct Audience(pub(super) String);

impl Setting for Audience {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "an audience in quotes")?;
        let printable = text
            .chars()
            .all(|c| c.is_ascii_graphic() && c != '#' && c != '"');
        if printable && !text.is_empty() {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is no audience; write a URI without a fragment, such as \"https://api.example.com\"").into())
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// `smtp://user:password@host:port`.
pub(super) struct SmtpUrl(pub(super) Secret);

impl Setting for SmtpUrl {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "a URL in quotes")?;
        let known = |url: &Url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host();
        if Url::parse(text).is_ok_and(|url| known(&url)) {
            return Ok(Self(Secret::new(text)));
        }
        // Not shown: it has the password in it.
        Err("is no SMTP URL; write \"smtps://user:password@mail.example.com:465\"".into())
    }

    fn show(&self) -> String {
        "set".to_owned()
    }
}

/// The hash of a client secret, in hexadecimal.
pub(super) struct SecretHash(pub(super) ClientSecret);

impl Setting for SecretHash {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "64 hexadecimal digits in quotes")?;
        unhex(text).map(|hash| Self(ClientSecret::from_hash(hash))).ok_or_else(|| {
            "is no SHA-256; write 64 hexadecimal digits, as printed by: printf %s \"$SECRET\" | sha256sum".into()
        })
    }

    fn show(&self) -> String {
        "set".to_owned()
    }
}

/// True for 127.0.0.0/8, ::1 and localhost.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (position, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(position * 2..position * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}
