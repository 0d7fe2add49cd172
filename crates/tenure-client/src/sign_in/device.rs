//! Device authorization (RFC 8628): this program waits, a person decides in a browser elsewhere.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use tenure_core::outcome::{Trouble, retry_after};
use tenure_core::secret::{Secret, is_blank};
use tenure_core::session::{Change, Millis, Provider};
use tokio::sync::{Mutex, watch};

use super::unsuccessful;
use crate::discovery::{LONGEST_ANSWER, discover_device};
use crate::driver::{header, random};
use crate::endpoint::{IDEMPOTENCY_KEY, form, seal};
use crate::events::Entry;
use crate::{Error, Session};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// RFC 8628 section 3.2: where the service names no interval.
const INTERVAL: Duration = Duration::from_secs(5);

/// RFC 8628 section 3.5: what `slow_down` adds.
const STEP: Duration = Duration::from_secs(5);

/// However bad the network is, the person who has just allowed it does not wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A sign-in that waits for a person with a browser. Dropping it gives it up.
#[derive(Debug)]
pub struct DeviceSignIn {
    pending: Arc<Pending>,
    /// The task that polls, once somebody waits.
    polling: Mutex<Option<Verdict>>,
}

/// What became of it; `None` while nobody knows.
type Verdict = watch::Receiver<Option<Result<(), Error>>>;

#[derive(Debug)]
struct Pending {
    session: Session,
    provider: Provider,
    device_code: Secret,
    /// The same with every poll: a service that knows it gives a lost answer again.
    key: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Duration,
    interval: Duration,
    /// By the clock that only goes forward.
    ends: Millis,
}

#[derive(Serialize)]
struct Begin<'a> {
    client_id: &'a str,
    scope: &'a str,
}

#[derive(Serialize)]
struct Poll<'a> {
    grant_type: &'a str,
    device_code: &'a Secret,
    client_id: &'a str,
}

/// RFC 8628 section 3.2.
#[derive(Deserialize)]
struct Begun {
    device_code: Secret,
    user_code: String,
    // The name in the drafts, which some services have kept.
    #[serde(alias = "verification_url")]
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl Session {
    /// Begins a sign-in for a device without a browser: the answer has the code to show, and where
    /// to type it. [`DeviceSignIn::wait`] then waits for the decision.
    pub async fn sign_in_device(&self) -> Result<DeviceSignIn, Error> {
        let (provider, endpoint) = discover_device(self.config()).await?;
        let found = Change::Discovered(provider.clone());
        self.driver().commit(found).await?;
        let config = self.config();
        let asking = Begin {
            client_id: &provider.client_id,
            scope: &config.scope,
        };
        let mut request = form(&endpoint, &asking)?;
        config
            .endpoint
            .authenticate(&provider.client_id, &mut request);
        let asked = config.clock.mono();
        let answer = config.transport.send(request, LONGEST_ANSWER).await?;
        let begun = begun(self, &answer)?;
        let started = Entry::SignInStarted {
            flow: "device",
            redirect_uri: None,
        };
        started.tell();
        let expires_in = Duration::from_secs(begun.expires_in);
        let interval = begun.interval.map(Duration::from_secs);
        let pending = Pending {
            session: self.clone(),
            provider,
            device_code: begun.device_code,
            key: Secret::new(URL_SAFE_NO_PAD.encode(random::<16>())),
            user_code: begun.user_code,
            verification_uri: page(&begun.verification_uri)?,
            verification_uri_complete: begun
                .verification_uri_complete
                .filter(|uri| !is_blank(uri))
                .map(|uri| page(&uri))
                .transpose()?,
            expires_in,
            interval: interval.unwrap_or(INTERVAL).max(Duration::from_secs(1)),
            ends: asked + expires_in.into(),
        };
        Ok(DeviceSignIn {
            pending: Arc::new(pending),
            polling: Mutex::default(),
        })
    }
}

fn begun(session: &Session, answer: &Response<Bytes>) -> Result<Begun, Error> {
    if !answer.status().is_success() {
        let dialect = session.config().endpoint.dialect();
        return Err(match unsuccessful(answer, &dialect) {
            // No person has been asked yet.
            Error::SignInRefused { code, description } => {
                let why = description.unwrap_or_default();
                Error::Misconfigured(format!("the service answers {code} {why}"))
            }
            error => error,
        });
    }
    let begun: Result<Begun, _> = serde_json::from_slice(answer.body());
    let begun = begun.map_err(|_| Trouble::Unintelligible)?;
    if begun.device_code.is_blank() || is_blank(&begun.user_code) {
        return Err(Trouble::Unintelligible.into());
    }
    Ok(begun)
}

/// A page that a person is sent to: https, or http on loopback.
fn page(uri: &str) -> Result<String, Error> {
    crate::config::endpoint(uri).map(|_| uri.to_owned())
}

impl DeviceSignIn {
    /// What the person types, as it should be shown.
    pub fn user_code(&self) -> &str {
        &self.pending.user_code
    }

    /// Where the person types it.
    pub fn verification_uri(&self) -> &str {
        &self.pending.verification_uri
    }

    /// The same with the code in it, for a link or a QR code. Show the code all the same: the person
    /// compares it.
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.pending.verification_uri_complete.as_deref()
    }

    /// How long the code works, from when it was made.
    pub fn expires_in(&self) -> Duration {
        self.pending.expires_in
    }

    /// Waits for the decision, and signs in.
    ///
    /// Trouble of the network or the service does not end the wait; a refusal does
    /// ([`Error::SignInRefused`] with `access_denied` or `expired_token`), and storage that takes no
    /// session. Dropping the future loses nothing: the polls go on until the handle is dropped, and
    /// an answer that is under way even then is kept. It may be called again, also after an error.
    pub async fn wait(&self) -> Result<(), Error> {
        let mut verdict = self.verdict().await;
        let decided = verdict.wait_for(Option::is_some).await;
        let decided = decided.ok().and_then(|verdict| verdict.clone());
        decided.unwrap_or_else(|| Err(Error::Misconfigured("the poll panicked".into())))
    }

    /// The verdict of the task that polls; a new one where there is none, or where it has failed.
    async fn verdict(&self) -> Verdict {
        let mut polling = self.polling.lock().await;
        if let Some(verdict) = &*polling
            && verdict.has_changed().is_ok()
            && !matches!(*verdict.borrow(), Some(Err(_)))
        {
            return verdict.clone();
        }
        let (tell, verdict) = watch::channel(None);
        tokio::spawn(poll(Arc::clone(&self.pending), tell));
        polling.insert(verdict).clone()
    }
}

/// Asks until it is decided, or until nobody wants to know any more.
async fn poll(pending: Arc<Pending>, tell: watch::Sender<Option<Result<(), Error>>>) {
    let mut interval = pending.interval;
    let mut wait = interval;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = tell.closed() => return,
        }
        wait = match pending.ask().await {
            Step::Over(verdict) => {
                tell.send_replace(Some(verdict));
                // Whoever asks for it later finds it as long as this lives.
                return tell.closed().await;
            }
            Step::Wait => interval,
            Step::Slower => {
                interval += STEP;
                interval
            }
            Step::Trouble { cause, not_before } => {
                let doubled = (wait * 2).min(LONGEST_WAIT).max(interval);
                let wait = not_before.map_or(doubled, |time| time.max(interval));
                let wait_seconds = wait.as_secs();
                Entry::DevicePollFailed {
                    cause,
                    wait_seconds,
                }
                .tell();
                wait
            }
        };
        if pending.session.config().clock.mono() >= pending.ends {
            tell.send_replace(Some(Err(expired())));
            return tell.closed().await;
        }
    }
}

fn expired() -> Error {
    Error::SignInRefused {
        code: "expired_token".into(),
        description: Some("nobody has decided in time".into()),
    }
}

/// What one poll has brought.
enum Step {
    Over(Result<(), Error>),
    /// Nobody has decided.
    Wait,
    /// Nobody has decided, and this asks too often.
    Slower,
    Trouble {
        cause: String,
        not_before: Option<Duration>,
    },
}

impl Pending {
    async fn ask(&self) -> Step {
        let request = match self.request() {
            Ok(request) => request,
            Err(error) => return Step::Over(Err(error)),
        };
        let asked = self.session.now();
        let transport = &self.session.config().transport;
        match transport.send(request, LONGEST_ANSWER).await {
            Ok(answer) => self.read(&answer, asked).await,
            Err(trouble) => Step::trouble(trouble),
        }
    }

    fn request(&self) -> Result<Request<Bytes>, Error> {
        let poll = Poll {
            grant_type: GRANT_TYPE,
            device_code: &self.device_code,
            client_id: &self.provider.client_id,
        };
        let mut request = form(&self.provider.token_endpoint, &poll)?;
        seal(&mut request, IDEMPOTENCY_KEY, &self.key)?;
        let endpoint = &self.session.config().endpoint;
        endpoint.authenticate(&self.provider.client_id, &mut request);
        Ok(request)
    }

    async fn read(&self, answer: &Response<Bytes>, asked: Millis) -> Step {
        let tokens = match self.session.tokens(answer, asked) {
            Ok(tokens) => tokens,
            Err(error) => return self.refused(answer, error),
        };
        let provider = self.provider.clone();
        let change = Change::SignIn { tokens, provider };
        let saved = self.session.driver().commit(change).await;
        Step::Over(saved.map(drop).map_err(Error::from))
    }

    fn refused(&self, answer: &Response<Bytes>, error: Error) -> Step {
        let dialect = self.session.config().endpoint.dialect();
        let named = dialect.refusal(answer.body());
        match (error, named) {
            (Error::SignInRefused { code, description }, Some(_)) => match code.as_str() {
                "authorization_pending" => Step::Wait,
                "slow_down" => Step::Slower,
                _ => Step::Over(Err(Error::SignInRefused { code, description })),
            },
            // Somebody in between answers, who knows nothing of the device.
            (Error::SignInRefused { .. } | Error::Transient { .. }, _) => Step::Trouble {
                cause: Trouble::Status(answer.status().as_u16()).to_string(),
                not_before: self.retry_after(answer),
            },
            (error, _) => Step::Over(Err(error)),
        }
    }

    fn retry_after(&self, answer: &Response<Bytes>) -> Option<Duration> {
        let wait = header(answer.headers(), &RETRY_AFTER)?;
        retry_after(wait, self.session.now().timestamp())
    }
}

impl Step {
    fn trouble(trouble: Trouble) -> Self {
        Self::Trouble {
            cause: trouble.to_string(),
            not_before: None,
        }
    }
}
