//! How a kind of service wants to be asked for a refresh.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use serde::Serialize;
use tenure_core::outcome::Dialect;
use tenure_core::session::{Presentation, Revocation};

use crate::Error;

/// Turns the session's wishes into requests of one kind of service, and names its answers.
pub trait RefreshEndpoint: fmt::Debug + Send + Sync + 'static {
    /// What its answers call things.
    fn dialect(&self) -> Dialect;

    /// Asks for new tokens.
    fn refresh(&self, presentation: &Presentation) -> Result<Request<Bytes>, Error>;

    /// Says that a refresh token is not used any more.
    fn revoke(&self, revocation: &Revocation) -> Result<Request<Bytes>, Error>;
}

/// RFC 6749 section 6 and RFC 7009, for public clients.
#[derive(Clone, Copy, Debug, Default)]
pub struct OAuth2;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl RefreshEndpoint for OAuth2 {
    fn dialect(&self) -> Dialect {
        Dialect::OAUTH2
    }

    fn refresh(&self, presentation: &Presentation) -> Result<Request<Bytes>, Error> {
        let provider = &presentation.provider;
        let claims = presentation.claims.as_ref().map(|claims| {
            let claims: Vec<_> = claims.iter().map(ToString::to_string).collect();
            claims.join(" ")
        });
        let fields = RefreshForm {
            grant_type: "refresh_token",
            refresh_token: presentation.refresh_token.expose(),
            client_id: &provider.client_id,
            // Nobody else knows the parameter, and some refuse what they do not know.
            tenure_claims: claims.filter(|_| provider.retire_on_use),
        };
        let mut request = form(&provider.token_endpoint, &fields)?;
        let mut key = HeaderValue::from_str(presentation.key.expose())
            .map_err(|_| Error::Misconfigured("the idempotency key is not printable".into()))?;
        key.set_sensitive(true);
        request.headers_mut().insert(IDEMPOTENCY_KEY, key);
        Ok(request)
    }

    fn revoke(&self, revocation: &Revocation) -> Result<Request<Bytes>, Error> {
        let fields = RevokeForm {
            token: revocation.token.expose(),
            token_type_hint: "refresh_token",
            client_id: &revocation.client_id,
        };
        form(&revocation.endpoint, &fields)
    }
}

#[derive(Serialize)]
struct RefreshForm<'a> {
    grant_type: &'a str,
    refresh_token: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenure_claims: Option<String>,
}

#[derive(Serialize)]
struct RevokeForm<'a> {
    token: &'a str,
    token_type_hint: &'a str,
    client_id: &'a str,
}

/// A form to an endpoint that was checked when it was discovered, or again here.
pub(crate) fn form(endpoint: &str, fields: &impl Serialize) -> Result<Request<Bytes>, Error> {
    let body = serde_urlencoded::to_string(fields)
        .map_err(|error| Error::Misconfigured(error.to_string()))?;
    post(endpoint, "application/x-www-form-urlencoded", body)
}

pub(crate) fn post(endpoint: &str, kind: &str, body: String) -> Result<Request<Bytes>, Error> {
    let endpoint = crate::config::endpoint(endpoint)?;
    Request::post(endpoint.as_str())
        .header(CONTENT_TYPE, kind)
        .header(ACCEPT, "application/json")
        .body(Bytes::from(body))
        .map_err(|error| Error::Misconfigured(format!("{endpoint}: {error}")))
}

#[cfg(test)]
mod tests {
    use tenure_core::lineage::KeyHash;
    use tenure_core::secret::Secret;
    use tenure_core::session::{Millis, Presentation, Provider};

    use super::{OAuth2, RefreshEndpoint as _};

    fn presentation(retire_on_use: bool, claims: Option<Vec<KeyHash>>) -> Presentation {
        Presentation {
            provider: Provider {
                issuer: "https://id.example.com".into(),
                client_id: "my app".into(),
                authorization_endpoint: None,
                token_endpoint: "https://id.example.com/token".into(),
                revocation_endpoint: None,
                names_issuer: false,
                retire_on_use,
                fetched: Millis(0),
            },
            refresh_token: Secret::new("r+1"),
            key: Secret::new("AAAAAAAAAAAAAAAAAAAAAA"),
            claims,
        }
    }

    fn body(presentation: &Presentation) -> String {
        let request = OAuth2.refresh(presentation).expect("a request");
        assert_eq!(
            request.headers().get("idempotency-key").expect("a key"),
            "AAAAAAAAAAAAAAAAAAAAAA"
        );
        assert!(!format!("{:?}", request.headers()).contains("AAAA"));
        String::from_utf8(request.into_body().to_vec()).expect("text")
    }

    #[test]
    fn a_refresh_is_a_form_with_the_key_in_its_header() {
        assert_eq!(
            body(&presentation(true, None)),
            "grant_type=refresh_token&refresh_token=r%2B1&client_id=my+app"
        );
    }

    #[test]
    fn claims_go_to_services_that_know_them() {
        let claims = ["00000001", "deadbeef"].map(|hash| KeyHash::parse(hash).expect("a hash"));
        let known = body(&presentation(true, Some(claims.to_vec())));
        assert!(
            known.ends_with("&tenure_claims=00000001+deadbeef"),
            "{known}"
        );
        let unknown = body(&presentation(false, Some(claims.to_vec())));
        assert!(!unknown.contains("tenure_claims"), "{unknown}");
    }
}
