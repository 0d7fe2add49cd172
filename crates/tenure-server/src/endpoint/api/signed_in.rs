//! Who asks about their own account.

use axum::extract::FromRequestParts;
use http::request::Parts;
use tenure_core::lineage::Row;

use crate::error::Fault;
use crate::extract::Bearer;
use crate::state::Shared;
use crate::token::AccessClaims;

/// A user of a first-party client, with the session that the access token belongs to.
pub(super) struct SignedIn {
    pub(super) claims: AccessClaims,
    pub(super) session: Row,
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Fault;

    /// A third party's token must not list or end the user's other sessions.
    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Fault> {
        let Bearer(claims) = Bearer::from_request_parts(parts, state).await?;
        if claims.sid.is_none() {
            return Err(Fault::Forbidden("this token is of a client, not of a user"));
        }
        if !state
            .client(&claims.client_id)
            .is_some_and(|client| client.first_party)
        {
            return Err(Fault::Forbidden("this route is for first-party clients"));
        }
        match claims.session(state).await? {
            Some(session) => Ok(Self { claims, session }),
            None => Err(Fault::InvalidToken("the session has ended")),
        }
    }
}
