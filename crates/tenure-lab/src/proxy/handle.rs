//! One request's way through the proxy.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, Incoming};
use hyper::{Request, Response, StatusCode};

use super::exchange::{Answer, Recorded};
use super::fault::Fault;
use super::{Exchange, Shared, Whole};

type Reply = Response<BoxBody<Bytes, io::Error>>;

/// The connection ends without an answer.
#[derive(Debug)]
pub(super) enum Cut {
    /// By a FIN.
    Close,
    /// By an RST.
    Reset,
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the script cuts this connection")
    }
}

impl std::error::Error for Cut {}

pub(super) async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Reply, Cut> {
    let request = Recorded::read(request, shared.upstream)
        .await
        .map_err(|_| Cut::Close)?;
    // In a task of its own: hyper drops this future when the client goes away.
    tokio::spawn(play(shared, request))
        .await
        .unwrap_or(Err(Cut::Close))
}

/// Applies the request's fault, if it has one, and logs how it ended.
async fn play(shared: Arc<Shared>, request: Recorded) -> Result<Reply, Cut> {
    let method = request.parts().method.clone();
    let path = request.parts().uri.path().to_owned();
    let fault = shared.fault_for(&method, &path);
    let (upstream, reply) = apply(fault, &request).await;
    shared.log.lock().push(Exchange {
        method,
        path,
        upstream_status: upstream.map(|status| status.as_u16()),
        status: reply.as_ref().ok().map(|reply| reply.status().as_u16()),
    });
    reply
}

/// The upstream's status if it was asked, and what the client gets.
async fn apply(
    fault: Option<Fault>,
    request: &Recorded,
) -> (Option<StatusCode>, Result<Reply, Cut>) {
    match &fault {
        Some(Fault::ResetBeforeForward) => return (None, Err(Cut::Reset)),
        Some(Fault::Status {
            status,
            headers,
            body,
        }) => {
            let (status, headers, body) = (*status, headers.clone(), body.clone());
            return (
                None,
                Ok(Answer {
                    status,
                    headers,
                    body,
                }
                .whole()),
            );
        }
        Some(Fault::HoldRequest(hold)) => hold.pass().await,
        Some(Fault::HoldDuplicate(replay)) => replay.keep(request.clone()),
        _ => {}
    }
    let answer = match request.forward().await {
        Ok(answer) => answer,
        Err(error) => return (None, Ok(bad_gateway(&error))),
    };
    let status = Some(answer.status);
    match fault {
        Some(Fault::SwallowAnswer) => (status, Err(Cut::Close)),
        Some(Fault::TruncateBody(length)) => (status, Ok(answer.truncated(length))),
        Some(Fault::HoldAnswer(hold)) => {
            hold.pass().await;
            (status, Ok(answer.whole()))
        }
        Some(Fault::Duplicate) => match request.forward().await {
            Ok(_) => (status, Ok(answer.whole())),
            Err(error) => (status, Ok(bad_gateway(&error))),
        },
        _ => (status, Ok(answer.whole())),
    }
}

impl Answer {
    fn whole(self) -> Reply {
        let body = Whole::new(self.body.clone());
        self.with(body.map_err(|never: Infallible| match never {}).boxed())
    }

    fn truncated(self, length: usize) -> Reply {
        let rest = self.body.slice(..length.min(self.body.len()));
        self.with(
            Truncated {
                rest,
                flushed: false,
            }
            .boxed(),
        )
    }

    fn with(self, body: BoxBody<Bytes, io::Error>) -> Reply {
        let mut reply = Response::new(body);
        *reply.status_mut() = self.status;
        *reply.headers_mut() = self.headers;
        reply
    }
}

fn bad_gateway(error: &anyhow::Error) -> Reply {
    let body = Bytes::from(format!("the proxy's upstream did not answer: {error:#}"));
    let (status, headers) = (StatusCode::BAD_GATEWAY, hyper::HeaderMap::new());
    Answer {
        status,
        headers,
        body,
    }
    .whole()
}

/// A body that breaks after `rest`.
struct Truncated {
    rest: Bytes,
    flushed: bool,
}

impl Body for Truncated {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        if !self.flushed {
            // hyper sends what it has buffered when the body has to be waited for, and drops it
            // when the body breaks.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("the script cuts this body"))))
    }
}
