//! An OAuth 2.0 client with OIDC: code + PKCE through the sign-in page, refresh, revoke, look.

use std::fmt;

use anyhow::{Context, anyhow, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::RequestBuilder;
use serde_json::Value;
use url::Url;

use super::answer::{Refusal, TokenAnswer, Tokens};
use super::browser::Browser;
use super::http;

/// One client of one issuer. Debug shows no secret.
#[derive(Clone)]
pub struct OAuthClient {
    /// The issuer URL, without a slash at the end; endpoints lie under it.
    pub issuer: String,
    /// `client_id`.
    pub client_id: String,
    /// The secret of a confidential client (sent as HTTP Basic, RFC 6749, section 2.3.1).
    pub client_secret: Option<String>,
    /// Where the code is to be sent. Nothing listens there: the redirect is read, not opened.
    pub redirect_uri: String,
    /// Space-separated scopes to ask for.
    pub scope: String,
    http: reqwest::Client,
}

/// A code and the verifier that redeems it (RFC 7636). Debug shows neither.
#[derive(Clone)]
pub struct Authorization {
    /// The authorization code.
    pub code: String,
    /// The PKCE code verifier.
    pub code_verifier: String,
}

impl OAuthClient {
    /// A public client that asks for `openid offline_access`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> anyhow::Result<Self> {
        Ok(Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret: None,
            redirect_uri: "http://127.0.0.1:7/callback".to_owned(),
            scope: "openid offline_access".to_owned(),
            http: http()?,
        })
    }

    /// Makes it a confidential client.
    #[must_use]
    pub fn with_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Signs a user in through the server's page with a fresh browser and redeems the code.
    ///
    /// # Errors
    /// When any step fails.
    pub async fn sign_in(&self, email: &str, password: &str) -> anyhow::Result<Tokens> {
        let authorization = self
            .authorize(&Browser::new()?, email, password, &[])
            .await?;
        self.redeem(&authorization).await.granted()
    }

    /// The authorization request in a browser, up to the code. `extra` are further parameters,
    /// such as `prompt`.
    ///
    /// # Errors
    /// When a page fails, the server redirects with an error, or `state` or `iss` (RFC 9207) is
    /// not the expected one.
    pub async fn authorize(
        &self,
        browser: &Browser,
        email: &str,
        password: &str,
        extra: &[(&str, &str)],
    ) -> anyhow::Result<Authorization> {
        let (state, code_verifier) = (random_text()?, random_text()?);
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, code_verifier.as_bytes()));
        let mut url = Url::parse(&self.endpoint("/oauth2/authorize"))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &self.scope)
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(extra);
        let back = browser
            .sign_in(url, email, password, &self.redirect_uri)
            .await?;
        let answer = |key: &str| {
            back.query_pairs()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.into_owned())
        };
        if let Some(error) = answer("error") {
            return Err(anyhow!(
                "{error}: {}",
                answer("error_description").unwrap_or_default()
            ));
        }
        ensure!(
            answer("state") == Some(state),
            "the redirect has another state"
        );
        let iss = answer("iss");
        ensure!(
            iss.as_deref() == Some(&self.issuer),
            "the redirect has iss {iss:?}"
        );
        let code = answer("code").context("the redirect has no code")?;
        Ok(Authorization {
            code,
            code_verifier,
        })
    }

    /// Exchanges the code for tokens.
    pub async fn redeem(&self, authorization: &Authorization) -> TokenAnswer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", &authorization.code),
            ("code_verifier", &authorization.code_verifier),
            ("redirect_uri", &self.redirect_uri),
        ])
        .await
    }

    /// Presents a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> TokenAnswer {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    /// Presents a refresh token with an `Idempotency-Key` header, and with `tenure_claims` where
    /// `claims` is not empty.
    pub async fn refresh_with_key(
        &self,
        refresh_token: &str,
        key: &str,
        claims: &str,
    ) -> TokenAnswer {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        if !claims.is_empty() {
            form.push(("tenure_claims", claims));
        }
        let request = self
            .post("/oauth2/token", &form)
            .header("Idempotency-Key", key);
        TokenAnswer::read(request.send().await).await
    }

    /// Any request to the token endpoint, with the client's authentication added.
    pub async fn token(&self, form: &[(&str, &str)]) -> TokenAnswer {
        TokenAnswer::read(self.post("/oauth2/token", form).send().await).await
    }

    /// RFC 7009 revocation.
    ///
    /// # Errors
    /// When no answer arrives or it is not a success.
    pub async fn revoke(&self, token: &str) -> anyhow::Result<()> {
        self.post("/oauth2/revoke", &[("token", token)])
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// RFC 7662 introspection, authenticated as this client.
    ///
    /// # Errors
    /// When no answer arrives, it is not a success, or not JSON.
    pub async fn introspect(&self, token: &str) -> anyhow::Result<Value> {
        let sent = self
            .post("/oauth2/introspect", &[("token", token)])
            .send()
            .await?;
        Ok(sent.error_for_status()?.json().await?)
    }

    /// OIDC userinfo: the claims, or the refusal.
    ///
    /// # Errors
    /// When no whole answer arrives.
    pub async fn userinfo(&self, access_token: &str) -> anyhow::Result<Result<Value, Refusal>> {
        let request = self
            .http
            .get(self.endpoint("/oauth2/userinfo"))
            .bearer_auth(access_token);
        let response = request.send().await?;
        if response.status().is_success() {
            Ok(Ok(response.json().await?))
        } else {
            Ok(Err(Refusal::read(response).await?))
        }
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let request = self.http.post(self.endpoint(path));
        if let Some(secret) = &self.client_secret {
            return request.basic_auth(&self.client_id, Some(secret)).form(form);
        }
        let id = [("client_id", self.client_id.as_str())];
        request.form(&[form, &id].concat())
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").finish_non_exhaustive()
    }
}

/// 256 random bits in 43 characters, as RFC 7636, section 4.1, recommends for a verifier.
fn random_text() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
