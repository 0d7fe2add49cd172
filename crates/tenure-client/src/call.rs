//! Calling an API with the session's token, and nobody else's.

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use tenure_core::session::AccessToken;
use tracing::{info, warn};
use url::Url;

use crate::config::endpoint;
use crate::driver::header;
use crate::{Error, Session};

/// More than an interactive caller wants to hold in memory.
const LONGEST_BODY: usize = 64 * 1024 * 1024;

impl Session {
    /// Whether the access token may go to `uri`: https or loopback, and an origin that
    /// [`Config::allow`](crate::Config::allow) named, or the issuer's.
    pub fn allows(&self, uri: &Uri) -> bool {
        let url = endpoint(&uri.to_string()).ok();
        url.is_some_and(|url: Url| self.config().origins.contains(&url.origin()))
    }

    /// Sends `request`, with the access token if the session allows its origin.
    ///
    /// Where the API refuses the token (401, or 403 with `invalid_token`) the request is repeated
    /// once with a newer one. Redirects are returned, not followed.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        if !self.allows(request.uri()) {
            return self.send(request).await;
        }
        let token = self.access_token().await?;
        let answer = self.send(authorized(&request, &token)?).await?;
        if !refuses_token(&answer) {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        self.refused(&token);
        let newer = self.access_token().await?;
        if newer.token == token.token {
            warn!(status, had_fresh_token = true, "auth_retry_exhausted");
            return Ok(answer);
        }
        info!(status, "auth_retry");
        let answer = self.send(authorized(&request, &newer)?).await?;
        if refuses_token(&answer) {
            let status = answer.status().as_u16();
            warn!(status, had_fresh_token = true, "auth_retry_exhausted");
        }
        Ok(answer)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        Ok(self.config().transport.send(request, LONGEST_BODY).await?)
    }
}

fn authorized(request: &Request<Bytes>, token: &AccessToken) -> Result<Request<Bytes>, Error> {
    let bearer = format!("Bearer {}", token.token.expose());
    let mut bearer = HeaderValue::try_from(bearer)
        .map_err(|_| Error::Misconfigured("the access token is not printable".into()))?;
    bearer.set_sensitive(true);
    let mut request = request.clone();
    request.headers_mut().insert(AUTHORIZATION, bearer);
    Ok(request)
}

/// RFC 6750 section 3.1 wants 401; some gateways say 403 and name the token.
fn refuses_token(answer: &Response<Bytes>) -> bool {
    let names_token = || {
        header(answer.headers(), &WWW_AUTHENTICATE)
            .is_some_and(|challenge| challenge.contains("invalid_token"))
    };
    match answer.status() {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => names_token(),
        _ => false,
    }
}
