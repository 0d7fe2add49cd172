//! Cross-origin requests (Fetch, CORS protocol), on the routes that a browser app calls itself.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::config::Config;
use crate::state::Shared;

const SHARED: [(HeaderName, HeaderValue); 1] = [(
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    HeaderValue::from_static("WWW-Authenticate, Retry-After, X-Request-Id"),
)];

const PREFLIGHT: [(HeaderName, HeaderValue); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization, Content-Type, Idempotency-Key"),
    ),
    (
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    ),
];

/// Middleware: answers preflights, and lets the origins of registered clients read the answers.
///
/// Cookies are never allowed along: what these routes trust is in the request itself.
pub(crate) async fn answer(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let origin = allowed_origin(&state.config.load(), request.headers());
    let mut response = match &origin {
        Some(_) if is_preflight(&request) => (StatusCode::NO_CONTENT, PREFLIGHT).into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.extend(SHARED);
    }
    response
}

/// The same string as in the configuration; `null` is everybody's origin and nobody's.
fn allowed_origin(config: &Config, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin
        .to_str()
        .ok()
        .filter(|text| *text != "null" && *text != "*")?;
    let mut origins = config
        .clients
        .values()
        .flat_map(|client| &client.allowed_origins);
    origins
        .any(|allowed| allowed == text)
        .then(|| origin.clone())
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}
