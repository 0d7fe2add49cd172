//! Who may administer.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::Fault;
use crate::extract::Bearer;
use crate::state::Shared;

/// The scope of every admin route.
const SCOPE: &str = "tenure:admin";

/// Proof that the request comes from a client that may administer.
pub(super) struct Operator;

impl FromRequestParts<Shared> for Operator {
    type Rejection = Fault;

    /// A token that a user consented to administers nothing, whatever its scope.
    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Fault> {
        let Bearer(claims) = Bearer::from_request_parts(parts, state).await?;
        claims.require(SCOPE)?;
        if claims.sid.is_some() {
            return Err(Fault::Forbidden(
                "use a token of the client_credentials grant",
            ));
        }
        Ok(Self)
    }
}
