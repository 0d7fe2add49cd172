//! A middleware for `reqwest-middleware`.

use ::http::Extensions;
use async_trait::async_trait;
use reqwest::{Body, Request, Response, ResponseBuilderExt as _};
use reqwest_middleware::{Error as SendError, Middleware, Next, Result as SendResult};
use tenure_core::session::AccessToken;
use url::Url;

use super::peek::Peeked;
use super::{Judged, authorize, body_counts};
use crate::{Error, Session};

/// Sends requests with the session's access token, where the session
/// [allows](Session::allows) their origin.
///
/// Where the API refuses the token, the request is repeated once with a newer one, if its body can
/// be sent twice: bytes can, a stream cannot. An answer that came after a redirect to another origin
/// says nothing about the token, because that origin never saw it.
///
/// Put it inside a middleware that retries: each attempt then gets a fresh token.
#[derive(Clone, Debug)]
pub struct SessionMiddleware {
    session: Session,
}

impl SessionMiddleware {
    /// A middleware that speaks for `session`.
    pub fn new(session: Session) -> Self {
        Self { session }
    }
}

#[async_trait]
impl Middleware for SessionMiddleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> SendResult<Response> {
        if !self.session.allows_url(request.url()) {
            return next.run(request, extensions).await;
        }
        let token = self.session.access_token().await.map_err(told)?;
        let again = request.try_clone();
        let (answer, judged) = attempt(request, &token, extensions, next.clone()).await?;
        let Some(judged) = judged else {
            return Ok(answer);
        };
        let newer = self.session.follow(&token, judged, again.is_some()).await;
        let (Some(newer), Some(again)) = (newer.map_err(told)?, again) else {
            return Ok(answer);
        };
        let (answer, judged) = attempt(again, &newer, extensions, next).await?;
        if let Some(judged) = judged {
            self.session.conclude(&newer, judged, true);
        }
        Ok(answer)
    }
}

/// Sends the request; the answer is judged where the token was sent to the one who gave it.
async fn attempt(
    mut request: Request,
    token: &AccessToken,
    extensions: &mut Extensions,
    next: Next<'_>,
) -> SendResult<(Response, Option<Judged>)> {
    authorize(request.headers_mut(), token).map_err(told)?;
    let origin = request.url().origin();
    let answer = next.run(request, extensions).await?;
    if answer.url().origin() != origin {
        return Ok((answer, None));
    }
    let (answer, start) = if body_counts(answer.status()) {
        peek(answer).await?
    } else {
        (answer, Vec::new())
    };
    let judged = Judged::of(answer.status(), answer.headers(), &start);
    Ok((answer, Some(judged)))
}

/// The answer as it was, and the beginning of its body.
async fn peek(answer: Response) -> SendResult<(Response, Vec<u8>)> {
    let url: Url = answer.url().clone();
    let answer: ::http::Response<Body> = answer.into();
    let (parts, body) = answer.into_parts();
    let (body, start) = Peeked::start(body).await;
    let builder = ::http::Response::builder()
        .status(parts.status)
        .version(parts.version)
        .url(url);
    let whole = builder.body(Body::wrap(body));
    let mut whole = whole.map_err(|error| SendError::Middleware(error.into()))?;
    *whole.headers_mut() = parts.headers;
    whole.extensions_mut().extend(parts.extensions);
    Ok((whole.into(), start))
}

/// A typed error that the caller can get back with `downcast_ref`.
fn told(error: Error) -> SendError {
    SendError::Middleware(error.into())
}
