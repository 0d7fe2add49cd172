//! OAuth 2 and OpenID Connect services.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use serde::Serialize;
use tenure_core::outcome::Dialect;
use tenure_core::secret::Secret;
use tenure_core::session::{Presentation, Revocation};
use url::{Origin, Url};

use super::{IDEMPOTENCY_KEY, RefreshEndpoint, form, seal};
use crate::Error;

/// RFC 6749 section 6 and RFC 7009, at the endpoints that the service's metadata name.
///
/// Where refresh tokens rotate strictly (a second use revokes all), one thing cannot be survived: an
/// answer that is lost after the service has carried the refresh out. The repetition is then answered
/// with `invalid_grant`, the session ends, and the event `answer_lost` says why. A service that
/// retires on use, as Tenure's does, answers the repetition with the same successor.
#[derive(Clone, Debug, Default)]
pub struct OAuth2 {
    secret: Option<Secret>,
    trusted: Vec<Origin>,
    dialect: Option<Dialect>,
}

impl OAuth2 {
    /// A public client of a service whose endpoints all are at the issuer's origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// A confidential client: `secret` goes into an `Authorization: Basic` header
    /// (`client_secret_basic`). For servers; a secret inside an app is none.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Reads answers in another dialect than RFC 6749's. Auth0 ends a session under 403, where
    /// others have their firewall:
    ///
    /// ```
    /// use tenure_client::{Dialect, OAuth2};
    ///
    /// let auth0 = OAuth2::new().speaks(Dialect::OAUTH2.also_under(403));
    /// ```
    #[must_use]
    pub fn speaks(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Accepts endpoints at the origin of `url`, too. Some services have their token endpoint at
    /// another host than their issuer; without this they are `Misconfigured`.
    pub fn trust(mut self, url: &str) -> Result<Self, Error> {
        self.trusted.push(crate::config::endpoint(url)?.origin());
        Ok(self)
    }
}

impl RefreshEndpoint for OAuth2 {
    fn dialect(&self) -> Dialect {
        self.dialect.clone().unwrap_or(Dialect::OAUTH2)
    }

    fn trusts(&self, issuer: &Url, endpoint: &Url) -> bool {
        let origin = endpoint.origin();
        origin == issuer.origin() || self.trusted.contains(&origin)
    }

    /// RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    fn authenticate(&self, client_id: &str, request: &mut Request<Bytes>) {
        let Some(secret) = &self.secret else {
            return;
        };
        let encode = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let pair = Secret::new(format!("{}:{}", encode(client_id), encode(secret.expose())));
        let basic = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
        if let Ok(mut basic) = HeaderValue::from_str(basic.expose()) {
            basic.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, basic);
        }
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
        self.authenticate(&provider.client_id, &mut request);
        seal(&mut request, IDEMPOTENCY_KEY, &presentation.key)?;
        Ok(request)
    }

    fn revoke(&self, revocation: &Revocation) -> Result<Option<Request<Bytes>>, Error> {
        let fields = RevokeForm {
            token: revocation.token.expose(),
            token_type_hint: "refresh_token",
            client_id: &revocation.client_id,
        };
        let mut request = form(&revocation.endpoint, &fields)?;
        self.authenticate(&revocation.client_id, &mut request);
        Ok(Some(request))
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
        let request = OAuth2::new().refresh(presentation).expect("a request");
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

    #[test]
    fn a_secret_goes_into_a_header_that_debug_does_not_show() {
        let client = OAuth2::new().secret(Secret::new("p:ss word"));
        let request = client
            .refresh(&presentation(true, None))
            .expect("a request");
        // "my+app:p%3Ass+word" as the RFC has it.
        let basic = "Basic bXkrYXBwOnAlM0Fzcyt3b3Jk";
        assert_eq!(request.headers().get("authorization").expect("it"), basic);
        assert!(!format!("{:?} {client:?}", request.headers()).contains("bXkr"));
        assert!(!format!("{client:?}").contains("ss word"));
    }
}
