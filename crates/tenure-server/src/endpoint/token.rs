//! `POST /oauth2/token` (RFC 6749 section 3.2).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use http::{HeaderMap, HeaderValue, header};
use tenure_core::id::Subject;
use tenure_core::lineage::{IdempotencyKey, KeyHash};
use tenure_core::scope::Scope;
use tenure_core::secret::Secret;

use super::authorize::code;
use super::device;
use crate::config::{Client, GrantType};
use crate::error::Fault;
use crate::extract::{AuthenticatedClient, Caller, Credentials, Fields, Form};
use crate::session::{Refresh, Start, Tokens, carried_out, refresh, start};
use crate::state::{AppState, Shared};
use crate::token::Issue;

pub(crate) fn routes() -> Router<Shared> {
    let methods: MethodRouter<Shared> = post(handle).fallback(async || {
        Fault::MethodNotAllowed("the token endpoint takes POST (RFC 6749 section 3.2)")
    });
    Router::new().route("/oauth2/token", methods)
}

async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    Form { fields, headers }: Form,
) -> Result<Response, Fault> {
    state.limits.load().token(caller.network)?;
    let credentials = Credentials::of(&headers, &fields)?;
    let grant = GrantRequest::parse(fields.required("grant_type")?)?;
    let client = credentials.authenticate(&state)?;
    let tokens = match grant {
        GrantRequest::AuthorizationCode => {
            carried_out(async move { redeem(&state, &caller, &client, &fields).await }).await?
        }
        GrantRequest::RefreshToken => {
            let ask = Refresh {
                presented: Secret::new(fields.required("refresh_token")?),
                client: Some(client),
                key: idempotency_key(&headers)?,
                claims: key_claims(fields.optional("tenure_claims"))?,
                scope: fields.optional("scope").map(Scope::parse),
                resources: fields.resources().to_vec(),
                caller,
            };
            refresh(&state, ask).await?
        }
        GrantRequest::ClientCredentials => client_credentials(&state, &client.0, &fields)?,
        GrantRequest::DeviceCode => {
            let presented = device::Presented {
                code: Secret::new(fields.required("device_code")?),
                key: idempotency_key(&headers)?,
                client,
                caller,
            };
            carried_out(async move { device::redeem(&state, presented).await }).await?
        }
    };
    Ok(answer(tokens))
}

/// A token answer is never cached (RFC 6749 section 5.1).
pub(crate) fn answer(tokens: Tokens) -> Response {
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (no_store, Json(tokens)).into_response()
}

/// The `Idempotency-Key` header, if there is one.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Fault> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .and_then(|text| IdempotencyKey::parse(text).ok());
    key.map(Some)
        .ok_or_else(|| Fault::InvalidRequest(tenure_core::lineage::WeakKey.to_string()))
}

/// `tenure_claims`: space-separated key hashes.
pub(crate) fn key_claims(text: Option<&str>) -> Result<Option<Vec<KeyHash>>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let claims: Option<Vec<_>> = text.split_ascii_whitespace().map(KeyHash::parse).collect();
    let malformed = "tenure_claims takes hashes of eight hexadecimal digits, separated by spaces";
    claims
        .map(Some)
        .ok_or_else(|| Fault::InvalidRequest(malformed.to_owned()))
}

enum GrantRequest {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    DeviceCode,
}

impl GrantRequest {
    fn parse(grant_type: &str) -> Result<Self, Fault> {
        match grant_type {
            "authorization_code" => Ok(Self::AuthorizationCode),
            "refresh_token" => Ok(Self::RefreshToken),
            "client_credentials" => Ok(Self::ClientCredentials),
            device::GRANT_TYPE => Ok(Self::DeviceCode),
            _ => Err(Fault::UnsupportedGrantType(format!(
                "grant_type is one of authorization_code, refresh_token, client_credentials, {}",
                device::GRANT_TYPE
            ))),
        }
    }
}

async fn redeem(
    state: &AppState,
    caller: &Caller,
    client: &AuthenticatedClient,
    fields: &Fields,
) -> Result<Tokens, Fault> {
    let client = &client.0;
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(Fault::UnauthorizedClient(
            "the client may not use authorization_code",
        ));
    }
    let presented = Secret::new(fields.required("code")?);
    let redirect_uri = fields.optional("redirect_uri");
    let verifier = fields.optional("code_verifier");
    let redeemed = code::redeem(state, caller, &presented, client, redirect_uri, verifier).await?;
    let granted = &redeemed.grant;
    let new = Start {
        client,
        grant: granted.session(),
        device: caller.device(None),
        lineage: Some(granted.lineage),
        nonce: granted.nonce.as_deref(),
    };
    let tokens = start(state, new).await?;
    code::check_unspoilt(state, caller, &presented, &redeemed).await?;
    Ok(tokens)
}

fn client_credentials(state: &AppState, client: &Client, fields: &Fields) -> Result<Tokens, Fault> {
    if client.is_public() || !client.may_use(GrantType::ClientCredentials) {
        return Err(Fault::UnauthorizedClient(
            "the client may not use client_credentials",
        ));
    }
    let scope = fields
        .optional("scope")
        .map_or_else(Scope::default, Scope::parse);
    if !scope.is_within(&client.scope) {
        return Err(Fault::InvalidScope(format!(
            "the client may ask for: {}",
            client.scope
        )));
    }
    let audience = audience(state, client, fields.resources())?;
    let issue = Issue {
        client,
        subject: &Subject::new(client.id.as_str()),
        scope: &scope,
        audience: &audience,
        session: None,
        now: state.now(),
    };
    Ok(Tokens {
        access_token: issue.access_token(state)?,
        token_type: "Bearer",
        expires_in: client.lifetimes.access.as_secs(),
        refresh_token: None,
        refresh_expires_in: None,
        id_token: None,
        scope,
    })
}

/// The resources asked for, where the client may ask for them; its default otherwise.
pub(crate) fn audience(
    state: &AppState,
    client: &Client,
    resources: &[String],
) -> Result<Vec<String>, Fault> {
    let issuer = &state.config.load().issuer;
    client
        .audience_for(issuer, resources)
        .ok_or_else(|| Fault::InvalidTarget("the client may not ask for that resource".to_owned()))
}
