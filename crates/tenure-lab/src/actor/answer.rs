//! What a token endpoint answered, kept so that a test can assert on every part of it.

use std::fmt;

use anyhow::{anyhow, bail};
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;

/// A successful token answer (RFC 6749, section 5.1). Debug shows no token.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// `Bearer`, as the server spelled it.
    pub token_type: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: Option<u64>,
    /// The refresh token; absent for client credentials and without offline access.
    pub refresh_token: Option<String>,
    /// The ID token (OIDC Core), with scope `openid`.
    pub id_token: Option<String>,
    /// The whole answer.
    pub body: Value,
}

impl Tokens {
    /// The refresh token.
    ///
    /// # Errors
    /// When the answer had none.
    pub fn refresh(&self) -> anyhow::Result<&str> {
        self.refresh_token
            .as_deref()
            .ok_or_else(|| anyhow!("the answer has no refresh_token"))
    }

    fn from_body(body: Value) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            access_token: text("access_token")?,
            token_type: text("token_type")?,
            expires_in: body.get("expires_in").and_then(Value::as_u64),
            refresh_token: text("refresh_token"),
            id_token: text("id_token"),
            body,
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .field("has_id_token", &self.id_token.is_some())
            .finish_non_exhaustive()
    }
}

/// Any other answer than tokens.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `error` of RFC 6749, section 5.2.
    pub error: Option<String>,
    /// `error_description`.
    pub description: Option<String>,
    /// Why a session ended, beside `invalid_grant`.
    pub tenure_reason: Option<String>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u64>,
    /// `WWW-Authenticate`, as sent.
    pub www_authenticate: Option<String>,
    /// The body as text.
    pub body: String,
}

impl Refusal {
    /// Reads an answer that is not a success.
    ///
    /// # Errors
    /// When the connection breaks inside the body.
    pub(super) async fn read(response: Response) -> reqwest::Result<Self> {
        let status = response.status().as_u16();
        let header = |name| {
            response
                .headers()
                .get(name)?
                .to_str()
                .ok()
                .map(str::to_owned)
        };
        let retry_after = header(RETRY_AFTER).and_then(|value| value.parse().ok());
        let www_authenticate = header(reqwest::header::WWW_AUTHENTICATE);
        let body = response.text().await?;
        let json: Value = serde_json::from_str(&body).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            status,
            error: text("error"),
            description: text("error_description"),
            tenure_reason: text("tenure_reason"),
            retry_after,
            www_authenticate,
            body,
        })
    }
}

/// How a request for tokens ended.
#[derive(Debug)]
pub enum TokenAnswer {
    /// Tokens were issued.
    Granted(Tokens),
    /// The server answered something else.
    Refused(Refusal),
    /// No whole answer arrived: whether the request was carried out is unknown.
    Lost(reqwest::Error),
}

impl TokenAnswer {
    pub(super) async fn read(sent: reqwest::Result<Response>) -> Self {
        match sent {
            Ok(response) if response.status().is_success() => Self::granted_by(response).await,
            Ok(response) => Refusal::read(response)
                .await
                .map_or_else(Self::Lost, Self::Refused),
            Err(error) => Self::Lost(error),
        }
    }

    async fn granted_by(response: Response) -> Self {
        let status = response.status().as_u16();
        match response.json().await.map(Tokens::from_body) {
            Ok(Some(tokens)) => Self::Granted(tokens),
            // The body is withheld: half a token answer may hold a whole token.
            Ok(None) => Self::Refused(Refusal {
                status,
                error: None,
                description: Some("a success without access_token or token_type".to_owned()),
                tenure_reason: None,
                retry_after: None,
                www_authenticate: None,
                body: String::new(),
            }),
            Err(error) => Self::Lost(error),
        }
    }

    /// The tokens.
    ///
    /// # Errors
    /// When none were issued, with the reason.
    pub fn granted(self) -> anyhow::Result<Tokens> {
        match self {
            Self::Granted(tokens) => Ok(tokens),
            other => bail!("no tokens were issued: {other:?}"),
        }
    }

    /// The refusal.
    ///
    /// # Errors
    /// When tokens were issued or no answer arrived.
    pub fn refused(self) -> anyhow::Result<Refusal> {
        match self {
            Self::Refused(refusal) => Ok(refusal),
            other => bail!("expected a refusal: {other:?}"),
        }
    }

    /// Whether no whole answer arrived.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}
