//! A backend whose routes call another API with a session of the backend's own.
#![expect(clippy::print_stdout, reason = "says where it listens")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{self, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tenure_client::{Config, Error, FileVault, Policy, Session};

#[derive(Clone)]
struct Backend {
    session: Session,
    api: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = std::env::var("API_URL")?;
    let vault = FileVault::new(std::env::var("TENURE_VAULT")?);
    let config = Config::saved(vault)?.ok_or("no session: tenure login --profile backend")?;
    // The token goes to the API's origin, and renews itself before a request has to wait for it.
    let policy = Policy {
        background: true,
        ..Policy::default()
    };
    let session = Session::open(config.allow(&api)?.policy(policy)).await?;
    let routes = Router::new()
        .route("/feed", get(feed))
        .route("/health", get(health))
        .with_state(Backend { session, api });
    let address = std::env::var("LISTEN").unwrap_or("127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, routes).await?)
}

/// Hands on what the API says. A token that the API refuses is renewed and the call repeated once.
async fn feed(State(backend): State<Backend>) -> Result<Response, Unavailable> {
    let request = Request::get(format!("{}/api/thing", backend.api));
    let request = request.body(Bytes::new())?;
    let answer = backend.session.call(request).await?;
    Ok(answer.map(Body::from))
}

/// Up as long as somebody is signed in; the text says where the session stands.
async fn health(State(backend): State<Backend>) -> (StatusCode, String) {
    use tenure_client::State as At;
    let state = backend.session.state();
    let status = match &state {
        At::Active { .. } | At::Refreshing | At::Degraded { .. } => StatusCode::OK,
        At::Restoring | At::SignedOut { .. } | At::StorageLocked | At::Refused { .. } => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    (status, format!("{state:?}\n"))
}

/// The caller of this backend can do nothing about its session, except to come again.
struct Unavailable(Error);

impl From<Error> for Unavailable {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// `API_URL` makes no address.
impl From<http::Error> for Unavailable {
    fn from(error: http::Error) -> Self {
        Self(Error::Misconfigured(error.to_string()))
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let text = format!("{error}\n");
        match error {
            Error::Transient { retry_after, .. } => {
                let seconds = retry_after.as_secs().max(1).to_string();
                let wait = [(header::RETRY_AFTER, seconds)];
                (StatusCode::SERVICE_UNAVAILABLE, wait, text).into_response()
            }
            _ => (StatusCode::BAD_GATEWAY, text).into_response(),
        }
    }
}
