//! The access token on requests to APIs, and what their answers say about it.
//!
//! Whoever sends the request, [`Session::call`], the middleware or the layer, asks the same two
//! questions: may the token go there, and what follows from the answer?

use ::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tenure_core::outcome::{ApiAnswer, ApiVerdict, judge};
use tenure_core::session::AccessToken;

use crate::events::Entry;
use crate::{Error, Session};

mod call;
#[cfg(feature = "tower")]
mod layer;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
mod peek;

#[cfg(feature = "tower")]
pub use layer::{SessionLayer, SessionService};
#[cfg(feature = "reqwest-middleware")]
pub use middleware::SessionMiddleware;
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
pub use peek::Peeked;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An answer as far as it was judged.
#[derive(Clone, Copy, Debug)]
struct Judged {
    status: u16,
    verdict: ApiVerdict,
}

impl From<&ApiAnswer<'_>> for Judged {
    fn from(answer: &ApiAnswer<'_>) -> Self {
        Self {
            status: answer.status,
            verdict: judge(answer),
        }
    }
}

impl Judged {
    fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let challenges: Vec<_> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|challenge| challenge.to_str().ok())
            .collect();
        let challenges = challenges.join(", ");
        let kind = headers.get(ERROR_TYPE).and_then(|kind| kind.to_str().ok());
        Self::from(&ApiAnswer {
            status: status.as_u16(),
            www_authenticate: Some(challenges.as_str()).filter(|text| !text.is_empty()),
            error_type: kind,
            body,
        })
    }
}

/// Whether an answer's body can change what it says about the token.
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
fn body_counts(status: StatusCode) -> bool {
    status == StatusCode::FORBIDDEN
}

impl Session {
    /// What follows from the first answer of an API to a request with `token`, for adapters of other
    /// HTTP clients: the token to repeat it with, or nothing, where the caller gets this answer.
    ///
    /// `repeatable` says whether the request's body can be sent a second time.
    pub async fn answered(
        &self,
        token: &AccessToken,
        answer: &ApiAnswer<'_>,
        repeatable: bool,
    ) -> Result<Option<AccessToken>, Error> {
        self.follow(token, answer.into(), repeatable).await
    }

    /// Reports the answer to a request that was repeated with `token`.
    pub fn answered_again(&self, token: &AccessToken, answer: &ApiAnswer<'_>) {
        self.conclude(token, answer.into(), true);
    }

    /// What follows from the first answer to a request with `token`: the token to repeat it with, or
    /// nothing, where the caller gets this answer.
    async fn follow(
        &self,
        token: &AccessToken,
        judged: Judged,
        repeatable: bool,
    ) -> Result<Option<AccessToken>, Error> {
        let status = judged.status;
        if judged.verdict != ApiVerdict::TokenRefused || !repeatable {
            self.conclude(token, judged, false);
            return Ok(None);
        }
        match self.access_token_instead_of(token).await {
            Ok(newer) => {
                Entry::AuthRetry { status }.tell();
                Ok(Some(newer))
            }
            Err(Error::Refused { .. }) => {
                exhausted(status, true);
                Ok(None)
            }
            Err(error) => {
                exhausted(status, false);
                Err(error)
            }
        }
    }

    /// Reports what the answer that the caller gets says about `token`.
    fn conclude(&self, token: &AccessToken, judged: Judged, fresh: bool) {
        match judged.verdict {
            ApiVerdict::Accepted => self.accepted(token),
            ApiVerdict::TokenRefused => {
                self.refused(token);
                exhausted(judged.status, fresh);
            }
            ApiVerdict::Forbidden | ApiVerdict::Other => {}
        }
    }
}

fn exhausted(status: u16, had_fresh_token: bool) {
    Entry::AuthRetryExhausted {
        status,
        had_fresh_token,
    }
    .tell();
}

/// Puts the token where RFC 6750 section 2.1 wants it, marked so that no log shows it.
fn authorize(headers: &mut HeaderMap, token: &AccessToken) -> Result<(), Error> {
    let bearer = format!("Bearer {}", token.token.expose());
    let mut bearer = HeaderValue::try_from(bearer)
        .map_err(|_| Error::Misconfigured("the access token is not printable".into()))?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    Ok(())
}
