//! Client authentication (RFC 6749 section 2.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use tenure_core::id::ClientId;
use tenure_core::secret::Secret;

use super::Fields;
use crate::config::Client;
use crate::error::Fault;
use crate::state::AppState;

/// What the request offers: `client_secret_basic`, `client_secret_post`, or a bare `client_id`.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    id: Option<ClientId>,
    secret: Option<Secret>,
    basic: bool,
}

/// A client that proved who it is, or a public one that says so.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticatedClient(pub(crate) Arc<Client>);

impl Credentials {
    /// Reads the header and the body; both at once is an error.
    pub(crate) fn of(headers: &HeaderMap, fields: &Fields) -> Result<Self, Fault> {
        let posted_id = fields.optional("client_id");
        let posted_secret = fields.optional("client_secret");
        let Some((id, secret)) = basic(headers)? else {
            return Ok(Self {
                id: posted_id.map(ClientId::new),
                secret: posted_secret.map(Secret::new),
                basic: false,
            });
        };
        if posted_secret.is_some() || posted_id.is_some_and(|posted| posted != id) {
            let why = "the client authenticates in the header and in the body; use one of them";
            return Err(Fault::InvalidRequest(why.to_owned()));
        }
        Ok(Self {
            id: Some(ClientId::new(id)),
            secret: Some(secret),
            basic: true,
        })
    }

    /// True where the request names no client at all.
    pub(crate) fn is_absent(&self) -> bool {
        self.id.is_none()
    }

    /// The client, where what it offers is enough for its kind.
    pub(crate) fn authenticate(&self, state: &AppState) -> Result<AuthenticatedClient, Fault> {
        let fault = |why| Fault::InvalidClient {
            basic: self.basic,
            why,
        };
        let id = self
            .id
            .as_ref()
            .ok_or(fault("the request names no client"))?;
        let client = state
            .client(id)
            .ok_or(fault("the client is not registered"))?;
        match (&client.secret, &self.secret) {
            (None, None) => Ok(AuthenticatedClient(client)),
            (None, Some(_)) => Err(fault("a public client has no secret; send none")),
            (Some(_), None) => Err(fault("the client must authenticate")),
            (Some(expected), Some(presented)) if expected.matches(presented.expose()) => {
                Ok(AuthenticatedClient(client))
            }
            (Some(_), Some(_)) => Err(fault("the client secret is wrong")),
        }
    }
}

/// RFC 6749 section 2.3.1: both halves are form-encoded inside the Basic credentials.
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, Fault> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let malformed = || Fault::InvalidClient {
        basic: true,
        why: "the Authorization header is not Basic client_id:secret",
    };
    let value = value.to_str().map_err(|_| malformed())?;
    let (scheme, credentials) = value.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD
        .decode(credentials.trim())
        .map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    Ok(Some((form_decoded(id), Secret::new(form_decoded(secret)))))
}

fn form_decoded(text: &str) -> String {
    let pair = format!("v={}", text.replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}
