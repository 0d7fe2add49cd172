//! Refresh routes written by hand.

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use serde_json::{Map, Value};
use tenure_core::outcome::Dialect;
use tenure_core::secret::Secret;
use tenure_core::session::{Millis, Presentation, Provider, Revocation};

use super::{IDEMPOTENCY_KEY, RefreshEndpoint, json, seal};
use crate::Error;

/// Routes of an API's own that take and give JSON, such as `POST /api/auth/refresh`.
///
/// The issuer of the [`Config`](crate::Config) is the URL in front of the routes. A refresh is a
/// POST of `{"refreshToken": …}`, or whatever the last name of [`Dialect::refresh_token`] is; the
/// `Idempotency-Key` header goes with it, and a route that knows nothing of it may ignore it.
/// Which errors end the session is for [`Dialect::ends`] to say: for any other, it is kept.
///
/// ```
/// use tenure_client::{Dialect, ErrorPattern, JsonRoutes};
///
/// # fn main() -> Result<(), tenure_client::Error> {
/// let dialect = Dialect {
///     error: "detail".into(),
///     ends: vec![ErrorPattern::code("Session expired")].into(),
///     ..Dialect::OAUTH2
/// };
/// let routes = JsonRoutes::new("/auth/refresh", dialect)?.logout("/auth/logout")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct JsonRoutes {
    dialect: Dialect,
    refresh: String,
    logout: Option<String>,
    place: TokenPlace,
    more: Map<String, Value>,
}

/// Where a route wants the refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In this field of the JSON body.
    Field(String),
    /// In the header `Authorization: Bearer`.
    Bearer,
}

impl JsonRoutes {
    /// Refreshes at the path `refresh`, which begins with a slash.
    pub fn new(refresh: &str, dialect: Dialect) -> Result<Self, Error> {
        let last = dialect.refresh_token.rsplit('.').next();
        Ok(Self {
            refresh: path(refresh)?,
            logout: None,
            place: TokenPlace::Field(last.unwrap_or_default().to_owned()),
            more: Map::new(),
            dialect,
        })
    }

    /// Tells the service of a sign-out at this path, with the refresh token in the same place.
    pub fn logout(mut self, logout: &str) -> Result<Self, Error> {
        self.logout = Some(path(logout)?);
        Ok(self)
    }

    /// Sends the refresh token elsewhere.
    #[must_use]
    pub fn token_in(mut self, place: TokenPlace) -> Self {
        self.place = place;
        self
    }

    /// Sends one more field in every body, such as a device's name.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.more.insert(field.to_owned(), value.into());
        self
    }

    fn carry(&self, endpoint: &str, token: &Secret) -> Result<Request<Bytes>, Error> {
        let mut fields = self.more.clone();
        let TokenPlace::Field(field) = &self.place else {
            let mut request = json(endpoint, &fields)?;
            let bearer = Secret::new(format!("Bearer {}", token.expose()));
            seal(&mut request, AUTHORIZATION, &bearer)?;
            return Ok(request);
        };
        fields.insert(field.clone(), token.expose().into());
        json(endpoint, &fields)
    }
}

impl RefreshEndpoint for JsonRoutes {
    fn dialect(&self) -> Dialect {
        self.dialect.clone()
    }

    fn provider(&self, issuer: &str, client_id: &str) -> Option<Provider> {
        let url = |path: &String| format!("{issuer}{path}");
        Some(Provider {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            authorization_endpoint: None,
            token_endpoint: url(&self.refresh),
            revocation_endpoint: self.logout.as_ref().map(url),
            names_issuer: false,
            retire_on_use: false,
            fetched: Millis(0),
        })
    }

    fn refresh(&self, presentation: &Presentation) -> Result<Request<Bytes>, Error> {
        let endpoint = &presentation.provider.token_endpoint;
        let mut request = self.carry(endpoint, &presentation.refresh_token)?;
        seal(&mut request, IDEMPOTENCY_KEY, &presentation.key)?;
        Ok(request)
    }

    fn revoke(&self, revocation: &Revocation) -> Result<Option<Request<Bytes>>, Error> {
        self.carry(&revocation.endpoint, &revocation.token)
            .map(Some)
    }
}

/// A path that, put behind the issuer, cannot lead to another host.
pub(crate) fn path(path: &str) -> Result<String, Error> {
    if path.starts_with('/') {
        return Ok(path.to_owned());
    }
    let relative = format!("{path}: the path of a route begins with a slash");
    Err(Error::Misconfigured(relative))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use tenure_core::outcome::Dialect;
    use tenure_core::secret::Secret;
    use tenure_core::session::{Presentation, Revocation};

    use super::{JsonRoutes, RefreshEndpoint as _, TokenPlace};
    use crate::Error;

    const API: &str = "https://api.example.com/v1";

    fn routes() -> JsonRoutes {
        let routes = JsonRoutes::new("/auth/refresh", Dialect::CAMEL_CASE).expect("a path");
        routes.logout("/auth/logout").expect("a path")
    }

    fn refresh(routes: &JsonRoutes) -> Request<bytes::Bytes> {
        let presentation = Presentation {
            provider: routes.provider(API, "app").expect("fixed"),
            refresh_token: Secret::new("r\"1"),
            key: Secret::new("AAAAAAAAAAAAAAAAAAAAAA"),
            claims: None,
        };
        routes.refresh(&presentation).expect("a request")
    }

    #[test]
    fn the_token_is_in_the_body_under_the_dialect_s_own_name() {
        let request = refresh(&routes());
        assert_eq!(request.uri(), "https://api.example.com/v1/auth/refresh");
        assert_eq!(request.body(), r#"{"refreshToken":"r\"1"}"#);
        assert!(request.headers().contains_key("idempotency-key"));
        let dialect = Dialect {
            refresh_token: "data.next_token".into(),
            ..Dialect::OAUTH2
        };
        let nested = JsonRoutes::new("/r", dialect).expect("a path");
        assert_eq!(refresh(&nested).body(), r#"{"next_token":"r\"1"}"#);
    }

    #[test]
    fn the_token_goes_where_the_route_wants_it() {
        let field = TokenPlace::Field("token".into());
        let request = refresh(&routes().token_in(field).with("deviceId", "d"));
        assert_eq!(request.body(), r#"{"deviceId":"d","token":"r\"1"}"#);
        let request = refresh(&routes().token_in(TokenPlace::Bearer));
        assert_eq!(request.body(), "{}");
        assert_eq!(request.headers()["authorization"], "Bearer r\"1");
        assert!(!format!("{request:?}").contains("r\\\"1"));
    }

    #[test]
    fn a_sign_out_is_told_at_its_own_route() {
        let provider = routes().provider(API, "app").expect("fixed");
        let revocation = Revocation {
            token: Secret::new("r"),
            client_id: "app".into(),
            endpoint: provider.revocation_endpoint.expect("a route"),
        };
        let request = routes().revoke(&revocation).expect("good").expect("told");
        assert_eq!(request.uri(), "https://api.example.com/v1/auth/logout");
        assert_eq!(request.body(), r#"{"refreshToken":"r"}"#);
    }

    #[test]
    fn a_route_stays_at_its_host() {
        for evil in [
            "",
            "refresh",
            ".evil.example",
            "@evil.example/",
            "https://evil.example/",
        ] {
            let refused = JsonRoutes::new(evil, Dialect::CAMEL_CASE);
            assert!(matches!(refused, Err(Error::Misconfigured(_))), "{evil}");
        }
    }
}
