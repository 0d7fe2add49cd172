//! The handle that a program holds.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::session::{Access, AccessToken, Change, Event, Failure, Millis, Provider, State};
use tokio::sync::watch;

use crate::discovery::discover;
use crate::driver::{Driver, Wish};
use crate::{Config, Error};

/// A session. Clones are cheap and share everything; give one to each task.
#[derive(Clone, Debug)]
pub struct Session {
    driver: Arc<Driver>,
}

/// A caller with a token that has not ended yet waits so long for a better one: the owner of the lock
/// may be suspended, and the network slow.
const SLOW: Millis = Millis(2_000);

/// What became of a sign-out. In each case the vault holds no session any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// The service knows.
    Revoked,
    /// The service could not be reached; it is told when this vault is opened again, or earlier.
    Pending,
    /// There was no session, or the service takes no revocations.
    Nothing,
}

impl Session {
    /// Opens the session that the vault holds, or the empty place for one.
    ///
    /// Returns when the vault was read. A vault that cannot be read is not an error here but
    /// [`State::StorageLocked`]: it is tried again.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let driver = Driver::start(config);
        let session = Self { driver };
        let mut states = session.subscribe();
        // The sender lives in the driver, which lives in `session`.
        drop(states.wait_for(|state| *state != State::Restoring).await);
        session.driver.open().map_err(Error::Misconfigured)?;
        Ok(session)
    }

    /// An access token that is valid now and, as far as its lifetime allows, for a minute more.
    ///
    /// Refreshes first if it must. If that has transient trouble, or takes more than two seconds, a
    /// token that is still valid is handed out nevertheless. Dropping the future loses nothing: the refresh goes on.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        self.access_token_with(Duration::ZERO).await
    }

    /// The same, with at least `min_ttl` left; at most half of a token's life can be asked for.
    pub async fn access_token_with(&self, min_ttl: Duration) -> Result<AccessToken, Error> {
        let min_ttl = min_ttl.into();
        match self.driver.at_hand(min_ttl) {
            Some(token) => Ok(token),
            None => self.granted(Wish::Left(min_ttl)).await,
        }
    }

    /// Another access token than `refused`, to which an API answered 401 (or 403, naming the token).
    ///
    /// If `refused` is still the current one, this refreshes once. Where a token that was just issued
    /// is refused again the answer is [`Error::Refused`] and the state [`State::Refused`]: at most
    /// three refreshes in ten minutes are caused by refusals. [`Session::access_token`] goes on to
    /// hand out the token: other APIs may take it.
    pub async fn access_token_instead_of(
        &self,
        refused: &AccessToken,
    ) -> Result<AccessToken, Error> {
        self.refused(refused);
        self.granted(Wish::Instead(&refused.token)).await
    }

    /// Asks the machine, and again after every event, until there is an answer.
    async fn granted(&self, wish: Wish<'_>) -> Result<AccessToken, Error> {
        let clock = &self.driver.config.clock;
        let asked = clock.mono();
        let until = asked + self.driver.config.patience.into();
        let slow = asked + SLOW;
        let mut revision = self.driver.revision.subscribe();
        loop {
            revision.mark_unchanged();
            let wait = match self.driver.request(wish) {
                Access::Ready(token) => return Ok(token),
                Access::Wait if clock.mono() < slow => Some((slow - clock.mono()).duration()),
                Access::Wait => match wish {
                    Wish::Left(_) if let Some(token) = self.driver.still_valid() => {
                        return Ok(token);
                    }
                    _ => None,
                },
                Access::Failed(Failure::Transient { retry_after, .. })
                    if clock.mono() + retry_after.into() < until =>
                {
                    Some(retry_after)
                }
                Access::Failed(failure) => return Err(failure.into()),
            };
            let sleep = tokio::time::sleep(wait.unwrap_or(Duration::MAX));
            tokio::select! {
                _ = revision.changed() => {}
                () = sleep => {}
            }
        }
    }

    /// Where the session stands; no waiting, no I/O.
    pub fn state(&self) -> State {
        self.driver.state.borrow().clone()
    }

    /// Follows the state.
    pub fn subscribe(&self) -> watch::Receiver<State> {
        self.driver.state.subscribe()
    }

    /// Reports that an API answered 401 to `token`. If it is still the current one, the next caller
    /// refreshes, within the bounds of [`Session::access_token_instead_of`].
    pub fn refused(&self, token: &AccessToken) {
        self.driver.dispatch(Event::Refused(token.token.clone()));
    }

    /// Reports that an API took `token`, which ends [`State::Refused`] if it is a later one than the
    /// refused one. Costs next to nothing in any other state.
    pub fn accepted(&self, token: &AccessToken) {
        if matches!(*self.driver.state.borrow(), State::Refused { .. }) {
            self.driver.dispatch(Event::Accepted(token.token.clone()));
        }
    }

    /// Ends the session on this device, then tells the service.
    ///
    /// The session leaves the vault and enters its outbox in one write, so a crash leaves a
    /// revocation to send, never a live session that nobody remembers. Returns when the service has
    /// answered once or could not be reached; it is told again until it knows.
    pub async fn sign_out(&self) -> Result<SignedOut, Error> {
        let driver = Arc::clone(&self.driver);
        let work = tokio::spawn(async move { driver.commit(Change::SignOut).await });
        let record = work
            .await
            .map_err(|panic| Error::StorageUnavailable(panic.to_string()))??;
        if record.outbox.is_empty() {
            return Ok(SignedOut::Nothing);
        }
        self.settled().await;
        let machine = self.driver.machine();
        let told = machine
            .record()
            .is_none_or(|record| record.outbox.is_empty());
        Ok(if told {
            SignedOut::Revoked
        } else {
            SignedOut::Pending
        })
    }

    /// Waits until nothing is under way: no refresh, no revocation. A program that is about to end
    /// calls it to spare the next one a retry; it loses nothing if it does not.
    pub async fn settled(&self) {
        let mut revision = self.driver.revision.subscribe();
        loop {
            revision.mark_unchanged();
            if self.driver.machine().settled() {
                return;
            }
            drop(revision.changed().await);
        }
    }

    /// The service's metadata, read now and stored; which also proves, before anybody types a
    /// password, that the vault can be written.
    pub(crate) async fn discovered(&self) -> Result<Provider, Error> {
        let provider = discover(&self.driver.config).await?;
        self.driver
            .commit(Change::Discovered(provider.clone()))
            .await?;
        Ok(provider)
    }

    pub(crate) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    pub(crate) fn config(&self) -> &Config {
        &self.driver.config
    }

    pub(crate) fn now(&self) -> Millis {
        self.driver.config.clock.wall()
    }
}
