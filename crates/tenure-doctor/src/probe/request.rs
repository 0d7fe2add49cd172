//! The request of each probe.

mod asked;

use std::fmt;
use std::net::SocketAddr;

use http::{HeaderName, HeaderValue, Method};
use tenure_core::secret::Secret;
use url::Url;

use self::asked::Asked;
use super::{Probe, Subject};
use crate::exchange::{Exchange, Sent};

/// What a wire sends. `Debug` shows the method only.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole URL.
    pub url: Url,
    /// Header fields in their order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The address to connect to, where it is not the name's own.
    pub to: Option<SocketAddr>,
}

/// The request of a probe; nothing where what is at hand, or what is allowed, does not suffice.
///
/// `so_far` holds the answers that redirects, metadata and refreshes build upon, as they were on the wire.
pub fn request(probe: Probe, subject: &Subject, so_far: &[Exchange]) -> Option<Request> {
    let request = Asked { subject, so_far }.request(probe)?;
    let asked_for = matches!(
        probe,
        Probe::Refresh | Probe::RefreshAgain(_) | Probe::Introspection
    );
    let allowed = asked_for || subject.unsafe_methods || request.is_safe();
    (allowed && request.can_be_sent()).then_some(request)
}

impl Request {
    fn get(url: Url) -> Self {
        Self {
            method: "GET".to_owned(),
            url,
            headers: vec![
                ("accept".to_owned(), "*/*".to_owned()),
                ("user-agent".to_owned(), AGENT.to_owned()),
            ],
            body: Vec::new(),
            to: None,
        }
    }

    /// What is noted of it.
    pub fn sent(&self) -> Sent {
        Sent {
            method: self.method.clone(),
            url: self.url.to_string(),
            headers: self.headers.clone(),
            body_bytes: self.body.len() as u64,
        }
    }

    fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// HTTP has no way to send a control character in a field: such a client fails before it sends.
    fn can_be_sent(&self) -> bool {
        let field = |(name, value): &(String, String)| {
            name.parse::<HeaderName>().is_ok() && HeaderValue::from_bytes(value.as_bytes()).is_ok()
        };
        matches!(self.url.scheme(), "http" | "https")
            && Method::from_bytes(self.method.as_bytes()).is_ok()
            && self.headers.iter().all(field)
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(field, _)| field != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn with_all(self, fields: &[(String, Secret)]) -> Self {
        fields.iter().fold(self, |request, (name, value)| {
            request.with(&name.to_ascii_lowercase(), value.expose())
        })
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(field, _)| field != name);
        self
    }

    fn at(mut self, url: Url) -> Self {
        self.url = url;
        self
    }

    fn moved(self, change: impl Fn(&Url) -> Option<Url>) -> Option<Self> {
        let url = change(&self.url)?;
        Some(self.at(url))
    }

    fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    fn to(mut self, address: SocketAddr) -> Self {
        self.to = Some(address);
        self
    }

    fn body(self, kind: &str, body: Vec<u8>) -> Self {
        Self {
            body,
            ..self.with("content-type", kind)
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (…)", self.method)
    }
}

const AGENT: &str = concat!("tenure-doctor/", env!("CARGO_PKG_VERSION"));
