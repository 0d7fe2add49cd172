//! The SDK's own transport, in the variants that the tests need.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tenure_client::{HttpOptions, HttpTransport, Transport, Trouble};

/// The real one, or the real one behind a mistake that clients make.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Real(HttpTransport),
    /// Takes every 4xx of the refresh endpoint for the end of the session.
    AnyRefusalIsFinal(HttpTransport),
    /// Takes every 403 of the API for a 401.
    ForbiddenIsUnauthorized(HttpTransport),
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, Trouble> {
        match self {
            Self::Real(transport) => transport.send(request, most).await,
            Self::AnyRefusalIsFinal(transport) => {
                let answer = transport.send(request, most).await?;
                Ok(if answer.status().is_client_error() {
                    the_end()
                } else {
                    answer
                })
            }
            Self::ForbiddenIsUnauthorized(transport) => {
                let mut answer = transport.send(request, most).await?;
                if answer.status() == StatusCode::FORBIDDEN {
                    *answer.status_mut() = StatusCode::UNAUTHORIZED;
                    answer.headers_mut().remove("www-authenticate");
                }
                Ok(answer)
            }
        }
    }
}

/// In the words of all endpoints of the table at once.
fn the_end() -> Response<Bytes> {
    let body = r#"{"error":"invalid_grant","error_code":"refresh_token_not_found",
        "__type":"RefreshTokenReuseException","detail":"Session expired"}"#;
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
}

/// Both trust `authority`; one waits as long as a busy machine may need, one does not.
pub(crate) struct Wires {
    pub(crate) patient: HttpTransport,
    pub(crate) impatient: HttpTransport,
}

impl Wires {
    pub(crate) fn new(authority: &str) -> Self {
        let waiting = |whole| {
            HttpTransport::with(&HttpOptions {
                connect: Duration::from_mins(1),
                whole,
                authorities: authority.as_bytes().to_vec(),
                // The names here exist nowhere.
                proxy: false,
            })
            .expect("a transport")
        };
        Self {
            patient: waiting(Duration::from_mins(1)),
            impatient: waiting(Duration::from_millis(1500)),
        }
    }
}
