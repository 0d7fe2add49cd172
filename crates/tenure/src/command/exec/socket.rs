//! A fresh token at any time, for the processes of one user.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::serve::Listener;
use axum::{Json, Router};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tenure_client::{AccessToken, Clock as _, Error, Millis, Secret, Session, SystemClock};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

use crate::failure::Failure;

/// A socket (0600) in a directory of its own (0700); both go when it is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    listener: UnixListener,
    directory: TempDir,
}

const NAME: &str = "tenure.sock";

impl Socket {
    /// In `$XDG_RUNTIME_DIR`, else in the directory for temporary files.
    pub(super) fn bind() -> Result<Self, Failure> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|directory| !directory.is_empty());
        let place = runtime.map_or_else(std::env::temp_dir, PathBuf::from);
        let directory = tempfile::Builder::new()
            .prefix("tenure-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&place)
            .with_context(|| format!("{}: no room for a socket", place.display()))?;
        let path = directory.path().join(NAME);
        let fix = "set XDG_RUNTIME_DIR to a directory of yours with a short name";
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("no socket at {} ({fix})", path.display()))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self {
            listener,
            directory,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join(NAME)
    }

    /// Answers until the future is dropped.
    pub(super) async fn serve(self, session: Session, min_ttl: Duration) -> io::Result<()> {
        let routes = Router::new()
            .route("/token", get(token).post(another))
            .with_state(Source { session, min_ttl });
        let _directory = self.directory;
        axum::serve(Own(self.listener), routes).await
    }
}

/// Takes connections of this user's processes only, whatever the file's mode says.
struct Own(UnixListener);

impl Listener for Own {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.0).await;
            let peer = stream.peer_cred();
            if peer.is_ok_and(|peer| peer.uid() == geteuid().as_raw()) {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[derive(Clone)]
struct Source {
    session: Session,
    min_ttl: Duration,
}

/// As a token endpoint says it (RFC 6749 section 5.1).
#[derive(Serialize)]
struct Fresh<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
}

#[derive(Serialize)]
struct Refusal {
    error: &'static str,
    error_description: String,
}

/// What a program says whose token an API turned away with 401.
#[derive(Deserialize)]
struct Refused {
    refused: Secret,
}

async fn token(State(Source { session, min_ttl }): State<Source>) -> Response {
    answer(session.access_token_with(min_ttl).await)
}

async fn another(State(source): State<Source>, Json(told): Json<Refused>) -> Response {
    let refused = AccessToken {
        token: told.refused,
        expires_at: Millis(0),
    };
    answer(source.session.access_token_instead_of(&refused).await)
}

fn answer(token: Result<AccessToken, Error>) -> Response {
    let mut answer = match token {
        Ok(token) => {
            let left = token.expires_at - SystemClock::new().wall();
            let fresh = Fresh {
                access_token: token.token.expose(),
                token_type: "Bearer",
                expires_in: left.0 / 1000,
            };
            Json(fresh).into_response()
        }
        Err(error) => refusal(&error),
    };
    let no_store = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, no_store);
    answer
}

fn refusal(error: &Error) -> Response {
    let (status, name) = match error {
        Error::Transient { .. } => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        Error::StorageUnavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable"),
        Error::SignInRequired { .. } => (StatusCode::UNAUTHORIZED, "login_required"),
        Error::Refused { .. } => (StatusCode::FORBIDDEN, "refused"),
        _ => (StatusCode::BAD_GATEWAY, "server_error"),
    };
    let refusal = Refusal {
        error: name,
        error_description: error.to_string(),
    };
    let mut answer = (status, Json(refusal)).into_response();
    if let Error::Transient { retry_after, .. } = error {
        let wait = HeaderValue::from(retry_after.as_secs() + 1);
        answer.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    answer
}
