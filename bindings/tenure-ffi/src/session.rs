//! The handle that a program holds.

use std::sync::Arc;
use std::time::Duration;

use tenure_client::Millis;

use crate::runtime::on_runtime;
use crate::{Config, State, TenureError};

/// A session. Its async methods may be cancelled at any time: a refresh that has begun goes on
/// without its caller and is saved.
#[derive(Debug, uniffi::Object)]
pub struct Session(tenure_client::Session);

impl Session {
    pub(crate) fn client(&self) -> &tenure_client::Session {
        &self.0
    }
}

#[uniffi::export]
impl Session {
    /// Opens the session that the vault holds, or the empty place for one. Returns when the vault
    /// was read; one that cannot be read is not an error here but `StorageLocked`.
    #[uniffi::constructor]
    pub async fn open(config: Config) -> Result<Self, TenureError> {
        on_runtime(async {
            let config = config.into_client()?;
            Ok(Self(tenure_client::Session::open(config).await?))
        })
        .await
    }

    /// An access token that is valid now; refreshes first if it must.
    pub async fn access_token(&self) -> Result<Arc<AccessToken>, TenureError> {
        self.access_token_with(0).await
    }

    /// The same, with at least so much of its life left; at most half of it can be asked for.
    pub async fn access_token_with(
        &self,
        min_ttl_ms: u64,
    ) -> Result<Arc<AccessToken>, TenureError> {
        on_runtime(async {
            let min_ttl = Duration::from_millis(min_ttl_ms);
            let token = self.0.access_token_with(min_ttl).await?;
            Ok(Arc::new(AccessToken(token)))
        })
        .await
    }

    /// Whether the access token may go to this URL: https or loopback, and an origin of the
    /// configuration.
    pub fn allows(&self, url: &str) -> bool {
        url.parse().is_ok_and(|uri| self.0.allows(&uri))
    }

    /// Where the session stands; no waiting, no I/O.
    pub fn state(&self) -> State {
        State::from(&self.0.state())
    }

    /// Waits until the session stands elsewhere than at `previous`, and says where. States that
    /// came and went in between are not told.
    pub async fn next_state(&self, previous: State) -> State {
        on_runtime(async {
            let mut states = self.0.subscribe();
            let news = states
                .wait_for(|state| State::from(state) != previous)
                .await
                .map(|state| State::from(&*state));
            // The sender lives as long as the session.
            news.unwrap_or(previous)
        })
        .await
    }

    /// Another access token than `refused`, which an API turned away. Refreshes once if that is still
    /// the current one; `Refused` where a fresh one is turned away again.
    pub async fn access_token_instead_of(
        &self,
        refused: &AccessToken,
    ) -> Result<Arc<AccessToken>, TenureError> {
        on_runtime(async {
            let token = self.0.access_token_instead_of(&refused.0).await?;
            Ok(Arc::new(AccessToken(token)))
        })
        .await
    }

    /// Reports that an API turned this token away. If it is still the current one, the next access
    /// token is a newer one.
    pub fn refused(&self, token: &AccessToken) {
        self.0.refused(&token.0);
    }

    /// What follows from the first answer of an API to a request with this token: the token to repeat
    /// it with, or nothing, where the caller gets this answer. `repeatable` says whether the request's
    /// body can be sent a second time.
    pub async fn answered(
        &self,
        token: &AccessToken,
        answer: ApiAnswer,
        repeatable: bool,
    ) -> Result<Option<Arc<AccessToken>>, TenureError> {
        on_runtime(async {
            let answer = answer.borrowed();
            let newer = self.0.answered(&token.0, &answer, repeatable).await?;
            Ok(newer.map(|token| Arc::new(AccessToken(token))))
        })
        .await
    }

    /// Reports the answer to a request that was repeated with this token.
    pub fn answered_again(&self, token: &AccessToken, answer: &ApiAnswer) {
        self.0.answered_again(&token.0, &answer.borrowed());
    }

    /// Ends the session on this device, then tells the service.
    pub async fn sign_out(&self) -> Result<SignedOut, TenureError> {
        on_runtime(async { Ok(self.0.sign_out().await?.into()) }).await
    }

    /// Waits until nothing is under way; for a program that is about to end.
    pub async fn settled(&self) {
        on_runtime(self.0.settled()).await;
    }
}

/// An access token: an object, so that no log shows it by accident.
#[derive(Debug, uniffi::Object)]
pub struct AccessToken(tenure_client::AccessToken);

#[uniffi::export]
impl AccessToken {
    /// The token itself, for the `Authorization` header.
    pub fn expose(&self) -> String {
        self.0.token.expose().to_owned()
    }

    /// When it ends, in milliseconds since 1970 by the device's clock.
    pub fn expires_at_ms(&self) -> u64 {
        let Millis(expires_at) = self.0.expires_at;
        expires_at
    }
}

/// The parts of an API's answer that say whether it was about the token.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ApiAnswer {
    /// The status code.
    pub status: u16,
    /// `WWW-Authenticate`; several of them joined by `", "`.
    #[uniffi(default = None)]
    pub www_authenticate: Option<String>,
    /// `x-amzn-errortype`.
    #[uniffi(default = None)]
    pub error_type: Option<String>,
    /// The body, or as much of it as is at hand; needed for 403 only.
    #[uniffi(default)]
    pub body: Vec<u8>,
}

impl ApiAnswer {
    fn borrowed(&self) -> tenure_client::ApiAnswer<'_> {
        tenure_client::ApiAnswer {
            status: self.status,
            www_authenticate: self.www_authenticate.as_deref(),
            error_type: self.error_type.as_deref(),
            body: &self.body,
        }
    }
}

/// What became of a sign-out. In each case the vault holds no session any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SignedOut {
    /// The service knows.
    Revoked,
    /// The service could not be reached; it is told when this vault is opened again, or earlier.
    Pending,
    /// There was no session, or the service takes no revocations.
    Nothing,
}

impl From<tenure_client::SignedOut> for SignedOut {
    fn from(signed_out: tenure_client::SignedOut) -> Self {
        match signed_out {
            tenure_client::SignedOut::Revoked => Self::Revoked,
            tenure_client::SignedOut::Pending => Self::Pending,
            tenure_client::SignedOut::Nothing => Self::Nothing,
        }
    }
}
