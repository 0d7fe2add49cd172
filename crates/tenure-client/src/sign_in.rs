//! Signing in.

use bytes::Bytes;
use http::header::DATE;
use http::{Request, Response};
use tenure_core::outcome::{Dialect, Outcome, Trouble, classify, date};
use tenure_core::session::{Cause, Change, Expiry, Millis, Provider, Tokens};

use crate::discovery::LONGEST_ANSWER;
use crate::driver::{header, parts};
use crate::{Error, Session};

mod adopt;
mod code;
mod device;
mod loopback;
mod magic_link;
mod password;

pub use code::CodeSignIn;
pub use device::DeviceSignIn;

impl Session {
    /// Sends the last request of a sign-in and stores what comes back, in a task that the caller
    /// cannot cancel: once the service has made a session, it is kept.
    async fn complete(&self, mut request: Request<Bytes>, provider: Provider) -> Result<(), Error> {
        let session = self.clone();
        // Compared as `form` writes it: metadata may spell it with a default port or in capitals.
        let token_endpoint = crate::config::endpoint(&provider.token_endpoint)?;
        if *request.uri() == *token_endpoint.as_str() {
            let endpoint = &self.config().endpoint;
            endpoint.authenticate(&provider.client_id, &mut request);
        }
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
        let date = header(answer.headers(), &DATE).and_then(date);
        let dialect = self.config().endpoint.dialect();
        let server = date.unwrap_or_else(|| now.timestamp());
        let granted = match classify(&Ok(parts(answer)), &dialect, server) {
            Outcome::Granted(granted) => granted,
            Outcome::Transient { trouble, .. } if refusal(trouble) => {
                return Err(refused(answer, &dialect));
            }
            Outcome::Transient {
                trouble,
                retry_after,
            } => {
                return Err(Error::Transient {
                    cause: Cause::Trouble(trouble),
                    retry_after: retry_after.unwrap_or_default(),
                });
            }
            Outcome::Definitive(_) | Outcome::Misconfigured(_) => {
                return Err(refused(answer, &dialect));
            }
        };
        let assumed = self.config().policy.assumed_lifetime;
        let lifetime = granted.expires_in.unwrap_or(assumed);
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

/// What an answer other than 2xx means, where nobody asked for tokens.
fn unsuccessful(answer: &Response<Bytes>, dialect: &Dialect) -> Error {
    let status = answer.status();
    let passing = [408, 425, 429].contains(&status.as_u16());
    if status.is_client_error() && !passing && dialect.refusal(answer.body()).is_some() {
        return refused(answer, dialect);
    }
    Trouble::Status(status.as_u16()).into()
}

fn refused(answer: &Response<Bytes>, dialect: &Dialect) -> Error {
    let status = answer.status().as_u16();
    let refusal = dialect.refusal(answer.body());
    let (code, description) = refusal.map_or_else(
        || (format!("status {status}"), None),
        |refusal| (refusal.code, refusal.message),
    );
    Error::SignInRefused { code, description }
}
