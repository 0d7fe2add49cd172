//! `POST /oauth2/revoke` (RFC 7009).

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use tenure_core::id::LineageId;
use tenure_core::lineage::EndCause;
use tenure_store::Loaded;

use crate::config::Client;
use crate::error::Fault;
use crate::extract::{Caller, Credentials, Form};
use crate::session::{End, end};
use crate::state::{AppState, Shared};
use crate::token::AccessClaims;

pub(crate) fn routes() -> Router<Shared> {
    let methods = post(handle)
        .fallback(async || Fault::MethodNotAllowed("the revocation endpoint takes POST"));
    Router::new().route("/oauth2/revoke", methods)
}

/// Any authentic token of the session ends it, retired ones too: signing out is never taken for
/// reuse. What is not a token of this client is answered 200 as well (RFC 7009 section 2.2).
async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    Form { fields, headers }: Form,
) -> Result<StatusCode, Fault> {
    state.limits.load().token(caller.network)?;
    let client = Credentials::of(&headers, &fields)?.authenticate(&state)?;
    let presented = fields.required("token")?;
    if let Some(loaded) = session_of(&state, presented, Some(&client.0)).await? {
        let this = End::of(&loaded.row, EndCause::LoggedOut);
        end(&state, &caller, this).await?;
    }
    Ok(StatusCode::OK)
}

/// The session that a refresh or access token belongs to, whatever its generation, if it is that
/// client's. A token under a key that this server lacks is our trouble, not a wrong token.
pub(crate) async fn session_of(
    state: &AppState,
    presented: &str,
    client: Option<&Client>,
) -> Result<Option<Loaded>, Fault> {
    let Some((lineage, token)) = lineage_of(state, presented).await? else {
        return Ok(None);
    };
    let Some(loaded) = state.store.load(lineage).await? else {
        return Ok(None);
    };
    let sealed = token.is_none_or(|token| token.is_sealed_by(&loaded.row.secret));
    let own = client.is_none_or(|client| client.id == loaded.row.grant.client);
    Ok((sealed && own).then_some(loaded))
}

type Named = (LineageId, Option<tenure_core::lineage::Token>);

async fn lineage_of(state: &AppState, presented: &str) -> Result<Option<Named>, Fault> {
    use tenure_core::lineage::Unreadable;
    if presented.starts_with("tnr1_") {
        return match state.keys.load().macs().read(presented) {
            Ok(token) => Ok(Some((token.content().lineage, Some(token)))),
            Err(Unreadable::MissingKey(_)) => Err(Fault::unavailable("this server lacks a key")),
            Err(Unreadable::Garbage | Unreadable::RetiredKey) => Ok(None),
        };
    }
    let Some(claims) = AccessClaims::read(state, presented)? else {
        return Ok(None);
    };
    Ok(claims.session(state).await?.map(|row| (row.lineage, None)))
}
