//! A small HTTP server whose answers a test writes as a function.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An answer of the stub.
pub(crate) type Reply = Response<Full<Bytes>>;

/// Serves on `address` until the handle is aborted or the runtime ends.
pub(crate) async fn serve<F, A>(address: &str, answer: F) -> (SocketAddr, JoinHandle<()>)
where
    F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
    A: Future<Output = Reply> + Send + 'static,
{
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = Arc::clone(&answer);
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.map(Collected::to_bytes);
                        let request = Request::from_parts(parts, body.unwrap_or_default());
                        Ok::<_, Infallible>(answer(request).await)
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, serving)
}
