//! Which client a JSON request comes from.

use http::{HeaderMap, header};
use tenure_core::id::ClientId;

use crate::error::Fault;
use crate::extract::{AuthenticatedClient, Credentials, Fields};
use crate::state::AppState;

/// The client in the body, or in the Basic credentials of a confidential one; `None` for neither.
///
/// An access token in the `Authorization` header is nobody's client authentication: HTTP layers of
/// apps add it to every request.
pub(super) fn named(
    state: &AppState,
    headers: &HeaderMap,
    id: Option<&ClientId>,
) -> Result<Option<AuthenticatedClient>, Fault> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    if let Some(id) = id {
        form.append_pair("client_id", id.as_str());
    }
    let fields = Fields::parse(form.finish().as_bytes())?;
    let nothing = HeaderMap::new();
    let headers = if is_bearer(headers) {
        &nothing
    } else {
        headers
    };
    let credentials = Credentials::of(headers, &fields)?;
    if credentials.is_absent() {
        return Ok(None);
    }
    credentials.authenticate(state).map(Some)
}

/// The same, for routes that are open to first-party clients only.
pub(super) fn first_party(
    state: &AppState,
    headers: &HeaderMap,
    id: &ClientId,
) -> Result<AuthenticatedClient, Fault> {
    let missing = Fault::InvalidClient {
        basic: false,
        why: "the request names no client",
    };
    let client = named(state, headers, Some(id))?.ok_or(missing)?;
    if client.0.first_party {
        Ok(client)
    } else {
        Err(Fault::UnauthorizedClient(
            "this route is for first-party clients; use /oauth2/authorize",
        ))
    }
}

fn is_bearer(headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().get(..7))
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}
