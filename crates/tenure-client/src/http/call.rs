//! Calling an API with the session's token, and nobody else's.

use ::http::{Request, Response, Uri};
use bytes::Bytes;
use tenure_core::session::AccessToken;
use url::Url;

use super::{Judged, authorize};
use crate::{Error, Session};

/// More than an interactive caller wants to hold in memory.
const LONGEST_BODY: usize = 64 * 1024 * 1024;

impl Session {
    /// Whether the access token may go to `uri`: https or loopback, and an origin that
    /// [`Config::allow`](crate::Config::allow) named, or the issuer's.
    pub fn allows(&self, uri: &Uri) -> bool {
        let url = uri.to_string().parse().ok();
        url.is_some_and(|url| self.allows_url(&url))
    }

    /// The origins on the list are https or loopback, so only such a URL has one of them.
    pub(super) fn allows_url(&self, url: &Url) -> bool {
        self.config().origins.contains(&url.origin())
    }

    /// Adds the access token to a request that something else sends.
    ///
    /// A request to an origin that the session does not [allow](Self::allows) comes back as it is.
    /// The header is marked as sensitive; the token is in the request's extensions, too, so that it
    /// can be reported with [`Session::refused`]. What sends the request must not take the header
    /// along to another origin when it follows a redirect.
    pub async fn authorized<B>(&self, mut request: Request<B>) -> Result<Request<B>, Error> {
        if self.allows(request.uri()) {
            let token = self.access_token().await?;
            authorize(request.headers_mut(), &token)?;
            request.extensions_mut().insert(token);
        }
        Ok(request)
    }

    /// Sends `request`, with the access token if the session allows its origin.
    ///
    /// Where the API refuses the token (401, or 403 that names the token) the request is repeated
    /// once with a newer one. Redirects are returned, not followed.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        if !self.allows(request.uri()) {
            return self.send(request).await;
        }
        let token = self.access_token().await?;
        let (answer, judged) = self.attempt(&request, &token).await?;
        let Some(newer) = self.follow(&token, judged, true).await? else {
            return Ok(answer);
        };
        let (answer, judged) = self.attempt(&request, &newer).await?;
        self.conclude(&newer, judged, true);
        Ok(answer)
    }

    async fn attempt(
        &self,
        request: &Request<Bytes>,
        token: &AccessToken,
    ) -> Result<(Response<Bytes>, Judged), Error> {
        let mut request = request.clone();
        authorize(request.headers_mut(), token)?;
        let answer = self.send(request).await?;
        let judged = Judged::of(answer.status(), answer.headers(), answer.body());
        Ok((answer, judged))
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        Ok(self.config().transport.send(request, LONGEST_BODY).await?)
    }
}
