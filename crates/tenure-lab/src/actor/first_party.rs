//! An app with its own login screen, which speaks the service's JSON endpoints.

use serde_json::{Value, json};

use super::answer::{Refusal, TokenAnswer};
use super::http;

/// A first-party client in bearer mode.
#[derive(Debug, Clone)]
pub struct FirstParty {
    /// The service's URL, without a slash at the end.
    pub base_url: String,
    /// `client_id`.
    pub client_id: String,
    http: reqwest::Client,
}

impl FirstParty {
    /// A client of the service at `base_url`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(base_url: impl Into<String>, client_id: impl Into<String>) -> anyhow::Result<Self> {
        Ok(Self {
            base_url: base_url.into(),
            client_id: client_id.into(),
            http: http()?,
        })
    }

    /// `POST /api/auth/login`.
    pub async fn login(&self, email: &str, password: &str) -> TokenAnswer {
        let body = json!({ "email": email, "password": password, "client_id": self.client_id });
        self.tokens("/api/auth/login", &body).await
    }

    /// `POST /api/auth/refresh`.
    pub async fn refresh(&self, refresh_token: &str) -> TokenAnswer {
        self.tokens(
            "/api/auth/refresh",
            &json!({ "refresh_token": refresh_token }),
        )
        .await
    }

    /// `POST /api/auth/logout`.
    ///
    /// # Errors
    /// When no answer arrives or it is not a success.
    pub async fn logout(&self, refresh_token: &str) -> anyhow::Result<()> {
        let body = json!({ "refresh_token": refresh_token });
        let request = self
            .http
            .post(self.endpoint("/api/auth/logout"))
            .json(&body);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// `GET /api/auth/me`: the user, or the refusal.
    ///
    /// # Errors
    /// When no whole answer arrives.
    pub async fn me(&self, access_token: &str) -> anyhow::Result<Result<Value, Refusal>> {
        let request = self
            .http
            .get(self.endpoint("/api/auth/me"))
            .bearer_auth(access_token);
        let response = request.send().await?;
        if response.status().is_success() {
            Ok(Ok(response.json().await?))
        } else {
            Ok(Err(Refusal::read(response).await?))
        }
    }

    async fn tokens(&self, path: &str, body: &Value) -> TokenAnswer {
        let request = self.http.post(self.endpoint(path)).json(body);
        TokenAnswer::read(request.send().await).await
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}
