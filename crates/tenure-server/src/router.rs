//! Which path leads where.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::cors;
use crate::endpoint::{
    admin, api, authorize, dev_clock, device, discovery, health, introspect, jwks, metrics, outbox,
    revoke, token, userinfo,
};
use crate::error::Fault;
use crate::extract::RequestId;
use crate::session::carried_out;
use crate::state::Shared;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Every route of the service.
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
        .merge(health::routes())
        .merge(metrics::routes());
    if config.dev {
        router = router.merge(dev_clock::routes()).merge(outbox::routes());
    }
    // A request that takes this long is our trouble: 503, so that clients come back.
    let timeout =
        TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, config.request_timeout);
    router
        .fallback(async || Fault::NotFound("there is no such path"))
        .layer(CatchPanicLayer::custom(|_| {
            Fault::unavailable("the request met a bug of this server").into_response()
        }))
        .layer(timeout)
        .layer(middleware::from_fn_with_state(
            RequestIds::default(),
            name_request,
        ))
        .with_state(state)
}

async fn carry_out(request: Request, next: Next) -> Response {
    carried_out(async { Ok(next.run(request).await) })
        .await
        .unwrap_or_else(Fault::into_response)
}

/// Numbers requests behind a random prefix per process.
#[derive(Clone, Default)]
struct RequestIds(Arc<AtomicU64>);

async fn name_request(State(ids): State<RequestIds>, mut request: Request, next: Next) -> Response {
    static PREFIX: std::sync::LazyLock<u32> =
        std::sync::LazyLock::new(|| crate::random::bytes().map_or(0, u32::from_be_bytes));
    let number = ids.0.fetch_add(1, Ordering::Relaxed);
    let id: Arc<str> = format!("{:08x}-{number}", *PREFIX).into();
    let value = HeaderValue::from_str(&id);
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        // The timeout layer knows only the status.
        let headers = response.headers_mut();
        headers
            .entry(header::RETRY_AFTER)
            .or_insert(HeaderValue::from_static("2"));
    }
    if let Ok(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
