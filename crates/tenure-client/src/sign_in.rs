//! Signing in.

use bytes::Bytes;
use http::header::{DATE, RETRY_AFTER};
use http::{Request, Response};
use serde::Deserialize;
use tenure_core::outcome::{Answer, Dialect, Outcome, Trouble, classify, date};
use tenure_core::session::{Cause, Change, Expiry, Millis, Provider, Tokens};

use crate::discovery::LONGEST_ANSWER;
use crate::driver::header;
use crate::{Error, Session};

mod code;
mod loopback;
mod password;

pub use code::CodeSignIn;

impl Session {
    /// Sends the last request of a sign-in and stores what comes back, in a task that the caller
    /// cannot cancel: once the service has made a session, it is kept.
    async fn complete(&self, request: Request<Bytes>, provider: Provider) -> Result<(), Error> {
        let session = self.clone();
        let work = tokio::spawn(async move {
            let asked = session.now();
            let transport = &session.config().transport;
            let answer = transport.send(request, LONGEST_ANSWER).await?;
            let tokens = session.tokens(&answer, asked)?;
            let change = Change::SignIn { tokens, provider };
            session.driver().commit(change).await?;
            Ok(())
        });
        work.await
            .map_err(|panic| Error::Misconfigured(panic.to_string()))?
    }

    fn tokens(&self, answer: &Response<Bytes>, asked: Millis) -> Result<Tokens, Error> {
        let now = self.now();
        let reply = Answer {
            status: answer.status().as_u16(),
            retry_after: header(answer.headers(), &RETRY_AFTER),
            body: answer.body(),
        };
        let granted = match classify(&Ok(reply), &Dialect::OAUTH2, now.timestamp()) {
            Outcome::Granted(granted) => granted,
            Outcome::Transient { trouble, .. } if refusal(trouble) => return Err(refused(answer)),
            Outcome::Transient {
                trouble,
                retry_after,
            } => {
                return Err(Error::Transient {
                    cause: Cause::Trouble(trouble),
                    retry_after: retry_after.unwrap_or_default(),
                });
            }
            Outcome::Definitive(_) | Outcome::Misconfigured(_) => return Err(refused(answer)),
        };
        let assumed = self.config().policy.assumed_lifetime;
        let lifetime = granted.expires_in.unwrap_or(assumed);
        let date = header(answer.headers(), &DATE).and_then(date);
        let expiry = Expiry::new(asked, lifetime.into(), date, now);
        Tokens::new(granted, expiry).ok_or_else(|| {
            Error::Misconfigured("the service gave no refresh token (scope offline_access?)".into())
        })
    }
}

/// At sign-in there is no session to protect: these mean what they say.
fn refusal(trouble: Trouble) -> bool {
    matches!(trouble, Trouble::Status(400 | 401 | 403))
}

#[derive(Default, Deserialize)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
}

fn refused(answer: &Response<Bytes>) -> Error {
    let refusal: Refusal = serde_json::from_slice(answer.body()).unwrap_or_default();
    let status = answer.status().as_u16();
    Error::Refused {
        code: refusal.error.unwrap_or_else(|| format!("status {status}")),
        description: refusal.error_description,
    }
}
