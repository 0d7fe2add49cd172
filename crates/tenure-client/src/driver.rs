//! Carries out what the machine decides.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Request, Response};
use tenure_core::outcome::{Answer, Outcome, Trouble, classify, date, retry_after};
use tenure_core::secret::Secret;
use tenure_core::session::{
    Access, AccessToken, Action, Change, Event, Found, Lock, Machine, Millis, Moment, Presentation,
    Provider, Ready, Record, Revocation, Revoked, State, VaultFault,
};
use tenure_core::time::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::discovery::{LONGEST_ANSWER, discover, fixed};
use crate::events::Entry;
use crate::locker::{Locker, Taken};
use crate::{Config, Lease, failpoint};

/// One session in this process: the machine, and the hands that work for it.
///
/// Whatever waits runs in a task that holds on to this, so a refresh that was begun is finished and
/// saved even if every caller has gone.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) config: Config,
    pub(crate) state: watch::Sender<State>,
    /// Counts the events, so that callers know when to ask again.
    pub(crate) revision: watch::Sender<u64>,
    machine: Mutex<Machine>,
    /// Serves callers who need nothing but the token that is there, without the machine's lock.
    ready: ArcSwapOption<Ready>,
    /// Changes reach the machine in the order in which the vault made them.
    turn: tokio::sync::Mutex<()>,
    locker: Locker,
    lease: Mutex<Option<Lease>>,
    /// From then on a session of another service is taken for a fault of the vault.
    opened: AtomicBool,
    runtime: Handle,
}

/// What a caller wants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'a> {
    /// A token with so much left.
    Left(Millis),
    /// Another token than this one, which an API refused.
    Instead(&'a Secret),
}

/// Metadata older than this are read again before the next refresh.
const METADATA_LIFETIME: Millis = Millis(24 * 60 * 60 * 1000);

/// The service may have done its part.
const LOST: Outcome = Outcome::Transient {
    trouble: Trouble::Lost,
    retry_after: None,
};

impl Driver {
    /// Starts the machine on the current runtime.
    pub(crate) fn start(config: Config) -> Arc<Self> {
        let (machine, actions) = Machine::new(config.policy);
        let driver = Arc::new(Self {
            state: watch::Sender::new(machine.state()),
            revision: watch::Sender::new(0),
            machine: Mutex::new(machine),
            ready: ArcSwapOption::empty(),
            turn: tokio::sync::Mutex::new(()),
            locker: Locker::new(Arc::clone(&config.vault)),
            lease: Mutex::new(None),
            opened: AtomicBool::new(false),
            runtime: Handle::current(),
            config,
        });
        driver.carry_out(actions);
        driver.runtime.spawn(keep_time(Arc::downgrade(&driver)));
        driver
    }

    /// The token that needs no more than a look at two clocks; `None` where the machine decides.
    pub(crate) fn at_hand(&self, min_ttl: Millis) -> Option<AccessToken> {
        self.shown(|ready, now| ready.suffices(min_ttl, now))
    }

    /// The access token that is shown, if it has not ended.
    pub(crate) fn still_valid(&self) -> Option<AccessToken> {
        self.shown(Ready::is_valid)
    }

    fn shown(&self, is_good: impl FnOnce(&Ready, Moment) -> bool) -> Option<AccessToken> {
        let ready = self.ready.load();
        let ready = ready.as_ref()?;
        let (wall, mono) = self.config.clock.coarse();
        let now = Moment {
            wall,
            mono,
            dice: 0,
        };
        is_good(ready, now).then(|| ready.token().clone())
    }

    /// What a caller gets now.
    pub(crate) fn request(self: &Arc<Self>, wish: Wish<'_>) -> Access {
        let (access, actions) = self.step(|machine, now| match wish {
            Wish::Left(min_ttl) => machine.request(min_ttl, now),
            Wish::Instead(refused) => machine.request_instead(refused, now),
        });
        if !actions.is_empty() {
            self.carry_out(actions);
        }
        access
    }

    /// Tells the machine what happened, and does what it says.
    pub(crate) fn dispatch(self: &Arc<Self>, event: Event) {
        let ((), actions) = self.step(|machine, now| ((), machine.handle(event, now)));
        self.carry_out(actions);
    }

    /// Moves the machine and shows where it stands under one lock: what is shown, what is handed out
    /// and what the machine knows change in the same order.
    fn step<T>(
        &self,
        change: impl FnOnce(&mut Machine, Moment) -> (T, Vec<Action>),
    ) -> (T, Vec<Action>) {
        let now = self.moment();
        let mut machine = self.machine();
        let (answer, actions) = change(&mut machine, now);
        // Before anybody can make the machine take the lock again.
        if actions.contains(&Action::Unlock) {
            drop(self.lease().take());
        }
        self.publish(&machine);
        (answer, actions)
    }

    fn publish(&self, machine: &Machine) {
        self.ready.store(machine.ready().map(Arc::new));
        let state = machine.state();
        self.state.send_if_modified(|shown| {
            let news = *shown != state;
            *shown = state;
            news
        });
    }

    /// Changes the record in the vault and tells the machine.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        change: Change,
    ) -> Result<Box<Record>, VaultFault> {
        let _turn = self.turn.lock().await;
        let vault = Arc::clone(&self.config.vault);
        let step = change.step();
        let work = self.runtime.spawn_blocking(move || vault.update(&change));
        let record = work
            .await
            .unwrap_or_else(|panic| Err(VaultFault::Unavailable(panic.to_string())));
        let record = record.map(Box::new).and_then(|record| {
            self.check_owner(&record)?;
            Ok(record)
        });
        self.dispatch(Event::Changed(step, record.clone()));
        record
    }

    /// Looks at the machine.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(self: &Arc<Self>, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Note(note) => Entry::from(note).tell(),
                Action::Unlock => {}
                action => {
                    let driver = Arc::clone(self);
                    self.runtime
                        .spawn(async move { driver.perform(action).await });
                }
            }
        }
        self.revision.send_modify(|revision| *revision += 1);
    }

    async fn perform(self: Arc<Self>, action: Action) {
        match action {
            Action::Load => self.load().await,
            Action::Lock(patience) => {
                let lock = match self.locker.take(patience).await {
                    Taken::Held(lease) => {
                        *self.lease() = Some(lease);
                        Lock::Held
                    }
                    Taken::Busy => Lock::Busy,
                    Taken::Broken(fault) => Lock::Broken(fault),
                };
                let key = Secret::new(URL_SAFE_NO_PAD.encode(random::<16>()));
                self.dispatch(Event::Locked { lock, key });
            }
            Action::Commit(change) => drop(self.commit(change).await),
            Action::Send(presentation) => {
                let driver = Arc::clone(&self);
                let work = async move { driver.refresh(presentation).await };
                let (outcome, date) = self.survive(work, (LOST, None)).await;
                self.dispatch(Event::Answered { outcome, date });
            }
            Action::Revoke(revocation) => {
                let (driver, token) = (Arc::clone(&self), revocation.token.clone());
                let work = async move { driver.revoke(&revocation).await };
                let revoked = self.survive(work, Revoked::Later(None)).await;
                self.dispatch(Event::Told(token, revoked));
            }
            Action::Note(_) | Action::Unlock => {}
        }
    }

    /// A transport or an endpoint of the program's own may panic: that must end the attempt, or
    /// everybody would wait for it for ever, with the lock held.
    async fn survive<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        otherwise: T,
    ) -> T {
        self.runtime.spawn(work).await.unwrap_or(otherwise)
    }

    async fn load(self: &Arc<Self>) {
        let _turn = self.turn.lock().await;
        let vault = Arc::clone(&self.config.vault);
        let work = self.runtime.spawn_blocking(move || vault.load());
        let found = work
            .await
            .unwrap_or_else(|panic| Err(VaultFault::Unavailable(panic.to_string())));
        let found = found.and_then(|found| {
            if let Found::Record(record) = &found {
                self.check_owner(record)?;
            }
            Ok(found)
        });
        self.dispatch(Event::Loaded(found));
    }

    /// Another process may keep its session of another service in the same place.
    fn check_owner(&self, record: &Record) -> Result<(), VaultFault> {
        if !self.opened.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.stranger(record)
            .map_or(Ok(()), |held| Err(VaultFault::Unavailable(held)))
    }

    /// Whose session the record holds, if it is not this client's.
    fn stranger(&self, record: &Record) -> Option<String> {
        record.tokens.as_ref()?;
        let provider = record.provider.as_ref()?;
        let (issuer, client) = (&provider.issuer, &provider.client_id);
        let ours = provider.is(&self.config.issuer, &self.config.client_id);
        (!ours).then(|| format!("the vault holds a session of client {client} at {issuer}"))
    }

    /// Ends the opening: the vault may hold somebody else's session, of another service or of another
    /// client.
    pub(crate) fn open(&self) -> Result<(), String> {
        let stranger = self.machine().record().and_then(|held| self.stranger(held));
        self.opened.store(true, Ordering::Relaxed);
        stranger.map_or(Ok(()), Err)
    }

    async fn refresh(self: &Arc<Self>, mut asked: Presentation) -> (Outcome, Option<Timestamp>) {
        asked.provider = self.provider(asked.provider).await;
        let token = asked.refresh_token.fingerprint();
        Entry::RefreshSent { token }.tell();
        let request = match self.config.endpoint.refresh(&asked) {
            Ok(request) => request,
            Err(error) => return (Outcome::Misconfigured(error.to_string()), None),
        };
        let answer = self.exchange(request).await;
        let dialect = self.config.endpoint.dialect();
        let reply = answer.as_ref().map(parts);
        let sent = answer.as_ref().ok();
        let sent = sent.and_then(|answer| header(answer.headers(), &DATE));
        let date = sent.and_then(date);
        let now = date.unwrap_or_else(|| self.config.clock.wall().timestamp());
        let outcome = classify(&reply.map_err(|trouble| *trouble), &dialect, now);
        (outcome, date)
    }

    /// The metadata as cached, or read again if they are old and the service is willing.
    async fn provider(self: &Arc<Self>, cached: Provider) -> Provider {
        if let Some(fixed) = fixed(&self.config) {
            return fixed;
        }
        let age = self.config.clock.wall() - cached.fetched;
        if age < METADATA_LIFETIME {
            return cached;
        }
        let Ok(provider) = discover(&self.config).await else {
            return cached;
        };
        drop(self.commit(Change::Discovered(provider.clone())).await);
        provider
    }

    async fn revoke(&self, revocation: &Revocation) -> Revoked {
        let request = match self.config.endpoint.revoke(revocation) {
            Ok(Some(request)) => request,
            Ok(None) => return Revoked::Done,
            Err(_) => return Revoked::Later(None),
        };
        let now = self.config.clock.wall().timestamp();
        match self.exchange(request).await {
            // 400: it does not take this token, and never will (RFC 7009 section 2.2.1).
            Ok(answer) if answer.status().is_success() || answer.status() == 400 => Revoked::Done,
            Ok(answer) if self.dead(&answer) => Revoked::Done,
            Ok(answer) => {
                let wait = header(answer.headers(), &RETRY_AFTER);
                Revoked::Later(wait.and_then(|wait| retry_after(wait, now)))
            }
            Err(_) => Revoked::Later(None),
        }
    }

    /// Whether the service says that the session is over already.
    fn dead(&self, answer: &Response<Bytes>) -> bool {
        let dialect = self.config.endpoint.dialect();
        let outcome = classify(&Ok(parts(answer)), &dialect, Timestamp(0));
        matches!(outcome, Outcome::Definitive(_))
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Trouble> {
        failpoint::reached("before_send");
        let answer = self.config.transport.send(request, LONGEST_ANSWER).await;
        failpoint::reached("after_receive");
        answer
    }

    fn lease(&self) -> MutexGuard<'_, Option<Lease>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Moment {
        Moment {
            wall: self.config.clock.wall(),
            mono: self.config.clock.mono(),
            dice: u64::from_be_bytes(random()),
        }
    }
}

/// Wakes the machine when it wants to be woken, for as long as somebody else holds the driver.
async fn keep_time(driver: Weak<Driver>) {
    let Some(mut revision) = driver.upgrade().map(|driver| driver.revision.subscribe()) else {
        return;
    };
    loop {
        revision.mark_unchanged();
        let Some(sleep) = driver.upgrade().map(|driver| {
            let now = driver.moment();
            driver.machine().wake(now)
        }) else {
            return;
        };
        let alarm = async {
            match sleep {
                Some(sleep) => tokio::time::sleep(sleep.duration()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = revision.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = alarm => {
                if let Some(driver) = driver.upgrade() {
                    driver.dispatch(Event::Tick);
                }
            }
        }
    }
}

/// What counts of an answer.
pub(crate) fn parts(answer: &Response<Bytes>) -> Answer<'_> {
    Answer {
        status: answer.status().as_u16(),
        retry_after: header(answer.headers(), &RETRY_AFTER),
        body: answer.body(),
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Random bytes of the operating system's quality.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::expect_used,
        reason = "AWS-LC aborts the process before it fails here"
    )]
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    bytes
}
