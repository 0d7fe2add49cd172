//! A signed-in app whose session every refusal must leave alone.

use reqwest::header::{CACHE_CONTROL, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tenure_lab::actor::{OAuthClient, Tokens};
use tenure_lab::deployment::{CLIENT, Deployment, EMAIL, LATE_WINDOW, PASSWORD};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const TOKEN: &str = "/oauth2/token";

/// A signed-in app, and a client that says anything.
pub(crate) struct Bench {
    pub(crate) deployment: Deployment,
    pub(crate) http: Client,
    pub(crate) app: OAuthClient,
    pub(crate) tokens: Tokens,
}

/// A refusal as it came.
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Refused {
    pub(crate) fn challenge(&self) -> Option<&str> {
        let header = self.headers.get(WWW_AUTHENTICATE);
        header.map(|value| value.to_str().unwrap())
    }

    fn check(&self, status: u16, error: &str, says: &str) {
        let Self { headers, body, .. } = self;
        let what = format!("{status} {error}: {says}; got {} {body}", self.status);
        assert_eq!(self.status, status, "{what}");
        assert_eq!(headers[CACHE_CONTROL], "no-store", "{what}");
        assert!(headers.contains_key("x-request-id"), "{what}");
        if error.is_empty() {
            assert_eq!(*body, Value::Null, "{what}");
            return;
        }
        assert_eq!(body["error"], error, "{what}");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.contains(says), "{what}");
        // RFC 6749, section 5.2.
        let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        assert!(description.chars().all(allowed), "{what}");
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let deployment = Deployment::start().await.unwrap();
        let app = deployment.app().unwrap();
        let tokens = app.sign_in(EMAIL, PASSWORD).await.unwrap();
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0);
        Self {
            deployment,
            http: http.build().unwrap(),
            app,
            tokens,
        }
    }

    pub(crate) fn token(&self) -> String {
        self.tokens.refresh().unwrap().to_owned()
    }

    /// The URL at the server itself: the proxy would read a whole request first.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.deployment.server.url())
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.post(path).form(fields)
    }

    /// A refresh of the app's token with these fields in addition.
    pub(crate) fn refresh_with(&self, fields: &[(&str, &str)]) -> RequestBuilder {
        let token = self.token();
        let good = [
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT),
            ("refresh_token", &token),
        ];
        self.form(TOKEN, &[&good, fields].concat())
    }

    /// Sends it, wants this refusal in full, and then a refresh that works.
    pub(crate) async fn refused(
        &mut self,
        request: RequestBuilder,
        status: u16,
        error: &str,
        says: &str,
    ) -> Refused {
        let answer = request.send().await.unwrap();
        let refused = Refused {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default(),
        };
        refused.check(status, error, says);
        self.goes_on().await;
        refused
    }

    /// 400 `invalid_request`.
    pub(crate) async fn invalid(&mut self, request: RequestBuilder, says: &str) {
        let error = "invalid_request";
        self.refused(request, 400, error, says).await;
    }

    /// 400 `invalid_grant`.
    pub(crate) async fn no_grant(&mut self, request: RequestBuilder, says: &str) -> Refused {
        let error = "invalid_grant";
        self.refused(request, 400, error, says).await
    }

    /// 401 `invalid_client`.
    pub(crate) async fn no_client(&mut self, request: RequestBuilder, says: &str) -> Refused {
        let error = "invalid_client";
        self.refused(request, 401, error, says).await
    }

    pub(crate) async fn goes_on(&mut self) {
        let server = &self.deployment.server;
        server.advance_clock(LATE_WINDOW + 1).await.unwrap();
        self.tokens = self.app.refresh(&self.token()).await.granted().unwrap();
    }
}

/// The token with the character at `position` replaced by another of the alphabet.
pub(crate) fn flipped(token: &str, position: usize) -> String {
    let replaced = |at: usize, c: char| match (at == position, c) {
        (true, 'A') => 'B',
        (true, _) => 'A',
        (false, c) => c,
    };
    let characters = token.chars().enumerate();
    characters.map(|(at, c)| replaced(at, c)).collect()
}
