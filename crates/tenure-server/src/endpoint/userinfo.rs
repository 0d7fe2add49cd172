//! `/oauth2/userinfo` (OIDC Core section 5.3).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, header};
use serde::Serialize;
use tenure_core::id::Subject;

use crate::error::Fault;
use crate::extract::Bearer;
use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/oauth2/userinfo", get(userinfo).post(userinfo))
}

/// An account has an e-mail and nothing else that the scope `profile` could show.
#[derive(Serialize)]
struct Claims {
    sub: Subject,
    #[serde(flatten)]
    email: Option<Email>,
}

#[derive(Serialize)]
struct Email {
    email: String,
    /// No account proves its address yet, so that nothing better can be said.
    email_verified: bool,
}

async fn userinfo(State(state): State<Shared>, bearer: Bearer) -> Result<Response, Fault> {
    let Bearer(claims) = bearer;
    claims.require("openid")?;
    let email = if claims.scope.contains("email") {
        // Sessions issued for subjects of the adopter's own user table have no account here.
        let user = state.store.user(&claims.sub).await?;
        user.map(|user| Email {
            email: user.email,
            email_verified: false,
        })
    } else {
        None
    };
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((
        [no_store],
        Json(Claims {
            sub: claims.sub,
            email,
        }),
    )
        .into_response())
}
