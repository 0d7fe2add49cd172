//! What is probed, and what may be done for it.

use std::fmt;
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::{Map, Value};
use tenure_core::secret::Secret;

use crate::case::Target;

/// The client's request, the tokens at hand, and what the user allows. Raw; never leaves the process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What the client requests.
    pub target: Target,
    /// The token as it was found, with its blanks and quotes.
    #[serde(default)]
    pub token: Option<Secret>,
    /// How the client carries it.
    #[serde(default)]
    pub carried: Carried,
    /// Further header fields of the client's request. They stay at its host, like the token.
    #[serde(default)]
    pub headers: Vec<(String, Secret)>,
    /// A kept old token.
    #[serde(default)]
    pub old_token: Option<Secret>,
    /// A token of another user or client.
    #[serde(default)]
    pub other_token: Option<Secret>,
    /// Another endpoint of the same API.
    #[serde(default)]
    pub other_endpoint: Option<String>,
    /// An endpoint that answers with the header fields that reached it.
    #[serde(default)]
    pub echo: Option<String>,
    /// An address behind the edge.
    #[serde(default)]
    pub direct: Option<SocketAddr>,
    /// A refresh, which uses a rotating token up.
    #[serde(default)]
    pub refresh: Option<Refresh>,
    /// The issuer's introspection endpoint (RFC 7662).
    #[serde(default)]
    pub introspection: Option<Introspection>,
    /// Whether the token may be sent to the userinfo endpoint of `target.issuer`.
    #[serde(default = "yes")]
    pub userinfo: bool,
    /// Hosts besides the target's to which a redirect may carry the token.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// Whether methods other than GET, HEAD and OPTIONS may be sent.
    #[serde(default)]
    pub unsafe_methods: bool,
    /// How often the client's request may be repeated.
    #[serde(default = "four")]
    pub repeats: u8,
    /// What paths and query parameters that nobody has seen are made of.
    #[serde(default = "salt")]
    pub salt: String,
}

/// The header field in which the client carries its token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Carried {
    /// Its name, in lower case.
    pub header: String,
    /// What stands before the token.
    pub prefix: String,
}

/// A request to the token endpoint that refreshes.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The token endpoint.
    pub url: String,
    /// Form fields, for `application/x-www-form-urlencoded`.
    #[serde(default)]
    pub form: Option<Map<String, Value>>,
    /// A JSON body instead.
    #[serde(default)]
    pub json: Option<Map<String, Value>>,
    /// Where the refresh token stands in it; members of members by a dot.
    pub token_field: String,
    /// Further header fields.
    #[serde(default)]
    pub headers: Vec<(String, Secret)>,
}

/// An introspection endpoint with the credentials of a client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Introspection {
    /// Its URL.
    pub url: String,
    /// The client that asks.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

impl Subject {
    /// Of a target alone: no token, nothing allowed.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            token: None,
            carried: Carried::default(),
            headers: Vec::new(),
            old_token: None,
            other_token: None,
            other_endpoint: None,
            echo: None,
            direct: None,
            refresh: None,
            introspection: None,
            userinfo: true,
            allowed_hosts: Vec::new(),
            unsafe_methods: false,
            repeats: four(),
            salt: salt(),
        }
    }
}

impl Default for Carried {
    fn default() -> Self {
        Self {
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
        }
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refresh(…, {})", self.token_field)
    }
}

fn yes() -> bool {
    true
}

fn four() -> u8 {
    4
}

fn salt() -> String {
    "5d1f0c".to_owned()
}
