//! Access tokens presented to this service itself (RFC 6750).

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;

use crate::error::Fault;
use crate::state::Shared;
use crate::token::AccessClaims;

/// The claims of a valid access token that this service issued for itself, whose session has not ended.
pub(crate) struct Bearer(pub(crate) AccessClaims);

impl FromRequestParts<Shared> for Bearer {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Fault> {
        let value = parts
            .headers
            .get(header::AUTHORIZATION)
            .ok_or(Fault::NoToken)?;
        let value = value
            .to_str()
            .map_err(|_| Fault::InvalidToken("the header is not text"))?;
        let (scheme, token) = value.split_once(' ').ok_or(Fault::NoToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Fault::NoToken);
        }
        let claims = AccessClaims::verify(state, token.trim())?;
        claims.require_own_audience(state)?;
        if claims.session_ended(state).await? {
            return Err(Fault::InvalidToken("the session has ended"));
        }
        Ok(Self(claims))
    }
}
