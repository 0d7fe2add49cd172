//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`: the same
//! document under both names (OIDC Discovery section 3, RFC 8414).

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::device::GRANT_TYPE;
use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/.well-known/openid-configuration", get(handle))
        .route("/.well-known/oauth-authorization-server", get(handle))
}

async fn handle(State(state): State<Shared>) -> Json<Value> {
    let config = state.config.load();
    let at = |path: &str| format!("{}{path}", config.issuer);
    let mut scopes: Vec<&str> = config
        .clients
        .values()
        .flat_map(|client| client.scope.iter())
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    Json(json!({
        "issuer": config.issuer,
        "authorization_endpoint": at("/oauth2/authorize"),
        "token_endpoint": at("/oauth2/token"),
        "device_authorization_endpoint": at("/oauth2/device_authorization"),
        "revocation_endpoint": at("/oauth2/revoke"),
        "introspection_endpoint": at("/oauth2/introspect"),
        "userinfo_endpoint": at("/oauth2/userinfo"),
        "jwks_uri": at("/oauth2/jwks"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            GRANT_TYPE,
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": state.keys.load().algorithms(),
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "request_uri_parameter_supported": false,
        "prompt_values_supported": ["none", "login", "consent"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "sid", "nonce", "email"],
        "tenure_rotation": "retire_on_use",
    }))
}
