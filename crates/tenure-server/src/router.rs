//! Which path leads where.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Request, StatusCode, header};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::timeout::TimeoutLayer;

use crate::cors;
use crate::endpoint::{
    admin, api, authorize, dev_clock, device, discovery, health, introspect, jwks, metrics, outbox,
    revoke, token, userinfo,
};
use crate::error::Fault;
use crate::random;
use crate::session::carried_out;
use crate::state::Shared;

/// Every route of the service, but for monitoring where that has a listener of its own.
pub(crate) fn router(state: Shared) -> Router {
    let config = state.config.load_full();
    let cross_origin = Router::new()
        .merge(token::routes())
        .merge(device::authorization::routes())
        .merge(userinfo::routes())
        .merge(discovery::routes())
        .merge(jwks::routes())
        .layer(middleware::from_fn_with_state(
            Arc::clone(&state),
            cors::answer,
        ));
    let of_several_steps = Router::new()
        .merge(authorize::routes())
        .merge(device::routes())
        .merge(revoke::routes())
        .merge(api::routes())
        .merge(admin::routes())
        .layer(middleware::from_fn(carry_out));
    let mut router = Router::new()
        .merge(cross_origin)
        .merge(of_several_steps)
        .merge(introspect::routes())
        .merge(health::routes());
    if config.monitor_listen.is_none() {
        router = router.merge(monitoring());
    }
    if config.dev {
        router = router.merge(dev_clock::routes()).merge(outbox::routes());
    }
    finished(router, state)
}

/// What only the operator's monitoring should see, where it has a listener of its own.
pub(crate) fn monitor_router(state: Shared) -> Router {
    finished(monitoring(), state)
}

fn monitoring() -> Router<Shared> {
    Router::new()
        .merge(health::detailed_routes())
        .merge(metrics::routes())
}

fn finished(router: Router<Shared>, state: Shared) -> Router {
    let config = state.config.load_full();
    // A request that takes this long is our trouble: 503, so that clients come back.
    let timeout =
        TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, config.request_timeout);
    let panicked = CatchPanicLayer::custom(|_| {
        Fault::unavailable("the request met a bug of this server").into_response()
    });
    // One layer made of all, because axum boxes each.
    let around_all = ServiceBuilder::new()
        .map_request(forget_foreign_id)
        .layer(SetRequestIdLayer::x_request_id(RequestIds::default()))
        .layer(PropagateRequestIdLayer::x_request_id())
        .map_response(ask_to_come_back)
        .layer(timeout)
        .layer(panicked);
    router
        .fallback(async || Fault::NotFound("there is no such path"))
        .layer(around_all)
        .with_state(state)
}

async fn carry_out(request: axum::extract::Request, next: Next) -> Response {
    carried_out(async { Ok(next.run(request).await) })
        .await
        .unwrap_or_else(Fault::into_response)
}

/// Numbers requests behind a random prefix per process.
#[derive(Clone, Default)]
struct RequestIds(Arc<AtomicU64>);

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        static PREFIX: LazyLock<u32> =
            LazyLock::new(|| random::bytes().map_or(0, u32::from_be_bytes));
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let id = HeaderValue::from_str(&format!("{:08x}-{number}", *PREFIX));
        id.map(RequestId::new).ok()
    }
}

/// An id that the caller chose would stand in the audit trail.
fn forget_foreign_id(mut request: axum::extract::Request) -> axum::extract::Request {
    request.headers_mut().remove("x-request-id");
    request
}

/// The timeout layer knows only the status.
fn ask_to_come_back<B>(mut response: http::Response<B>) -> http::Response<B> {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        let headers = response.headers_mut();
        headers
            .entry(header::RETRY_AFTER)
            .or_insert(HeaderValue::from_static("2"));
    }
    response
}
