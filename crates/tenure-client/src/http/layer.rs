//! A layer for tower services that speak HTTP.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body::Body;
use tenure_core::session::AccessToken;
use tower_layer::Layer;
use tower_service::Service;

use super::peek::Peeked;
use super::{Judged, authorize, body_counts};
use crate::Session;

/// Sends requests with the session's access token, where the session
/// [allows](Session::allows) their origin.
///
/// Where the API refuses the token, the request is repeated once with a newer one, if its body can
/// be sent twice. Errors of the session come out as [`Error`](crate::Error) in a box.
///
/// The service inside must not follow redirects, or it would decide where the token goes; put a
/// layer that follows them, or one that retries, outside: each hop and each attempt is then judged
/// by its own address and gets a token of its own.
pub struct SessionLayer<B> {
    session: Session,
    replay: fn(&B) -> Option<B>,
}

impl<B: Clone> SessionLayer<B> {
    /// A layer that speaks for `session`, for bodies whose clone is the same body.
    pub fn new(session: Session) -> Self {
        Self::replaying(session, |body| Some(body.clone()))
    }
}

impl<B> SessionLayer<B> {
    /// The same for other bodies: `replay` makes a second one, or says that there is none.
    pub fn replaying(session: Session, replay: fn(&B) -> Option<B>) -> Self {
        Self { session, replay }
    }
}

impl<B> Clone for SessionLayer<B> {
    fn clone(&self) -> Self {
        Self {
            session: self.session.clone(),
            replay: self.replay,
        }
    }
}

impl<B> fmt::Debug for SessionLayer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").finish_non_exhaustive()
    }
}

impl<S, B> Layer<S> for SessionLayer<B> {
    type Service = SessionService<S, B>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service that sends its requests with the session's access token; [`SessionLayer`] makes it.
#[derive(Debug)]
pub struct SessionService<S, B> {
    inner: S,
    layer: SessionLayer<B>,
}

impl<S: Clone, B> Clone for SessionService<S, B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, B, R> Service<Request<B>> for SessionService<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Send + 'static,
    R: Body<Data = Bytes> + Send + Unpin + 'static,
    R::Error: Send + Unpin,
{
    type Response = Response<Peeked<R>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was asked whether it is ready serves; the clone may not be.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move { layer.send(inner, request).await })
    }
}

impl<B> SessionLayer<B> {
    async fn send<S, R>(
        self,
        mut inner: S,
        request: Request<B>,
    ) -> Result<Response<Peeked<R>>, BoxError>
    where
        S: Service<Request<B>, Response = Response<R>>,
        S::Error: Into<BoxError>,
        R: Body<Data = Bytes> + Unpin,
    {
        if !self.session.allows(request.uri()) {
            let answer = inner.call(request).await.map_err(Into::into)?;
            return Ok(answer.map(Peeked::unseen));
        }
        let token = self.session.access_token().await?;
        let again = self.again(&request);
        let (answer, judged) = attempt(&mut inner, request, &token).await?;
        let newer = self.session.follow(&token, judged, again.is_some()).await?;
        let (Some(newer), Some(again)) = (newer, again) else {
            return Ok(answer);
        };
        poll_fn(|context| inner.poll_ready(context))
            .await
            .map_err(Into::into)?;
        let (answer, judged) = attempt(&mut inner, again, &newer).await?;
        self.session.conclude(&newer, judged, true);
        Ok(answer)
    }

    fn again(&self, request: &Request<B>) -> Option<Request<B>> {
        let mut again = Request::new((self.replay)(request.body())?);
        *again.method_mut() = request.method().clone();
        *again.uri_mut() = request.uri().clone();
        *again.version_mut() = request.version();
        *again.headers_mut() = request.headers().clone();
        *again.extensions_mut() = request.extensions().clone();
        Some(again)
    }
}

async fn attempt<S, B, R>(
    inner: &mut S,
    mut request: Request<B>,
    token: &AccessToken,
) -> Result<(Response<Peeked<R>>, Judged), BoxError>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Unpin,
{
    authorize(request.headers_mut(), token)?;
    let answer = inner.call(request).await.map_err(Into::into)?;
    let (parts, body) = answer.into_parts();
    let (body, start) = if body_counts(parts.status) {
        Peeked::start(body).await
    } else {
        (Peeked::unseen(body), Vec::new())
    };
    let judged = Judged::of(parts.status, &parts.headers, &start);
    Ok((Response::from_parts(parts, body), judged))
}
