//! How a kind of service wants to be asked for a refresh.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use serde::Serialize;
use tenure_core::outcome::Dialect;
use tenure_core::secret::Secret;
use tenure_core::session::{Presentation, Provider, Revocation};
use url::Url;

use crate::Error;

mod cognito;
mod json;
mod oauth2;

pub use cognito::Cognito;
pub(crate) use json::path;
pub use json::{JsonRoutes, TokenPlace};
pub use oauth2::OAuth2;

/// Turns the session's wishes into requests of one kind of service, and names its answers.
pub trait RefreshEndpoint: fmt::Debug + Send + Sync + 'static {
    /// What its answers call things.
    fn dialect(&self) -> Dialect;

    /// Where the service's endpoints are, if that is fixed; `None`: its metadata say so.
    fn provider(&self, issuer: &str, client_id: &str) -> Option<Provider> {
        let (_issuer, _client) = (issuer, client_id);
        None
    }

    /// Whether metadata of `issuer` may name this endpoint: only at the issuer's own origin, unless
    /// the program says otherwise. Whoever can change the metadata would get the tokens.
    fn trusts(&self, issuer: &Url, endpoint: &Url) -> bool {
        issuer.origin() == endpoint.origin()
    }

    /// Adds what proves the client's identity to a request that is sent to the token endpoint at
    /// sign-in. [`RefreshEndpoint::refresh`] and [`RefreshEndpoint::revoke`] do it by themselves.
    fn authenticate(&self, client_id: &str, request: &mut Request<Bytes>) {
        let (_client, _request) = (client_id, request);
    }

    /// Asks for new tokens.
    fn refresh(&self, presentation: &Presentation) -> Result<Request<Bytes>, Error>;

    /// Says that a refresh token is not used any more; `None` where the service takes no such word.
    fn revoke(&self, revocation: &Revocation) -> Result<Option<Request<Bytes>>, Error>;
}

/// A form to an endpoint that was checked when it was discovered, or again here.
pub(crate) fn form(endpoint: &str, fields: &impl Serialize) -> Result<Request<Bytes>, Error> {
    let body = serde_urlencoded::to_string(fields)
        .map_err(|error| Error::Misconfigured(error.to_string()))?;
    post(endpoint, "application/x-www-form-urlencoded", body)
}

pub(crate) fn json(endpoint: &str, fields: &impl Serialize) -> Result<Request<Bytes>, Error> {
    let body =
        serde_json::to_string(fields).map_err(|error| Error::Misconfigured(error.to_string()))?;
    post(endpoint, "application/json", body)
}

pub(crate) fn post(endpoint: &str, kind: &str, body: String) -> Result<Request<Bytes>, Error> {
    let endpoint = crate::config::endpoint(endpoint)?;
    Request::post(endpoint.as_str())
        .header(CONTENT_TYPE, kind)
        .header(ACCEPT, "application/json")
        .body(Bytes::from(body))
        .map_err(|error| Error::Misconfigured(format!("{endpoint}: {error}")))
}

/// Adds a header whose value is a secret.
pub(crate) fn seal(
    request: &mut Request<Bytes>,
    name: HeaderName,
    value: &Secret,
) -> Result<(), Error> {
    let mut value = HeaderValue::from_str(value.expose())
        .map_err(|_| Error::Misconfigured(format!("the value of {name} is not printable")))?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Ok(())
}

/// The same key with every repetition (draft-ietf-httpapi-idempotency-key-header).
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
