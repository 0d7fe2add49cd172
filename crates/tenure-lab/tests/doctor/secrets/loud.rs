//! A service without discretion.

use serde_json::json;

use crate::api::{Asked, say};

/// A service that says in its answers whatever it knows and was told.
#[derive(Clone)]
pub(super) struct Loud {
    pub(super) mail: String,
    pub(super) cookie: String,
    pub(super) refresh: String,
    pub(super) code: String,
    pub(super) sentence: String,
    pub(super) jwks: String,
}

impl Loud {
    pub(super) fn answer(&self, asked: &Asked) -> axum::response::Response {
        let Self {
            mail,
            cookie,
            refresh,
            code,
            sentence,
            jwks,
        } = self;
        let field = asked.header("authorization").unwrap_or("none").to_owned();
        let cookie = format!("session={cookie}; HttpOnly");
        match asked.path() {
            "/jwks" => say(200, &[], jwks),
            "/.well-known/openid-configuration" => {
                let host = asked.header("host").unwrap_or_default();
                say(200, &[], &json!({"issuer": format!("http://{host}"), "jwks_uri": format!("http://{host}/jwks"), "token_endpoint": format!("http://{host}/auth/refresh"), "userinfo_endpoint": format!("http://{host}/me"), "contact": mail}).to_string())
            }
            "/auth/refresh" => say(200, &[("set-cookie", &cookie)], &json!({"access_token": field, "refresh_token": refresh, "email": mail, "expires_in": 900}).to_string()),
            "/introspect" => say(200, &[], &json!({"active": true, "username": mail, "sub": mail}).to_string()),
            "/echo" => say(200, &[], &json!({"headers": {"authorization": field, "cookie": asked.header("cookie"), "x-api-key": asked.header("x-api-key")}}).to_string()),
            "/me" => say(302, &[("location", &format!("/welcome?code={code}&token={refresh}#{refresh}"))], ""),
            _ => {
                let challenge = format!("Bearer realm=\"{mail}\", error=\"invalid_token\", error_description=\"{field} of {mail} is not good\"");
                let body = json!({"error": "invalid_token", "message": format!("{field} of {mail} is not good"), "user": {"email": mail, "password": sentence, "refreshToken": refresh}});
                say(401, &[("www-authenticate", &challenge), ("set-cookie", &cookie), ("x-debug-user", mail)], &body.to_string())
            }
        }
    }
}
