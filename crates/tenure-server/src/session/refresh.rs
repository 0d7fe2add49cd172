//! A session goes on: the store reads, the rule decides, the store writes; sign, answer.

mod refusal;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenure_core::id::ClientId;
use tenure_core::lineage::{
    Asked, Content, EndCause, Evidence, Grant, IdempotencyKey, KeyHash, Policy, Row, Rules, Step,
    Token, TokenId, Verdict, decide,
};
use tenure_core::scope::Scope;
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_store::{AuditEvent, Loaded, Transition, Written};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use self::refusal::{name, refusal, refuse_unreadable, unknown_lineage};
use super::{Answer, End, Tokens, end, event, outcome};
use crate::config::{Client, GrantType};
use crate::error::Fault;
use crate::extract::{AuthenticatedClient, Caller};
use crate::random;
use crate::state::{AppState, Shared};

/// Conditional writes lost in a row before a request gives up: each loss is another's success.
const ATTEMPTS: usize = 8;

/// A presentation of a refresh token.
pub(crate) struct Refresh {
    pub(crate) presented: Secret,
    /// `None` where the route lets public clients go unnamed.
    pub(crate) client: Option<AuthenticatedClient>,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) claims: Option<Vec<KeyHash>>,
    /// Narrower than the grant's, or absent.
    pub(crate) scope: Option<Scope>,
    pub(crate) resources: Vec<String>,
    pub(crate) caller: Caller,
}

/// Answers a presentation. Nothing but a definitive verdict is ever `invalid_grant`.
pub(crate) async fn refresh(state: &Shared, ask: Refresh) -> Result<Tokens, Fault> {
    // Taken once: a presentation that is judged again has become no older for that.
    let arrived = state.now();
    let token = match state.keys.load().macs().read(ask.presented.expose()) {
        Ok(token) => token,
        Err(unreadable) => return Err(refuse_unreadable(state, unreadable)),
    };
    let presentation = Arc::new(Presentation {
        state: Arc::clone(state),
        ask,
        token,
        arrived,
        judged: Mutex::new(Judged::NotYet),
        runtime: Handle::current(),
    });
    for _ in 0..ATTEMPTS {
        match presentation.attempt().await? {
            Attempt::Done(tokens) => return Ok(tokens),
            Attempt::LostTheRace => state.metrics.refreshed("lost_race"),
        }
    }
    Err(Fault::unavailable("many refreshes of this session at once"))
}

enum Attempt {
    Done(Tokens),
    LostTheRace,
}

/// What is judged while the store holds the session still, and the judgement for when it is written.
struct Presentation {
    state: Shared,
    ask: Refresh,
    token: Token,
    arrived: Timestamp,
    judged: Mutex<Judged>,
    /// The judge runs on a thread of the store.
    runtime: Handle,
}

enum Judged {
    NotYet,
    NoSuchLineage,
    /// The request itself is wrong; it consumes and revokes nothing.
    Refused(Fault),
    Decided(Box<Decided>),
}

struct Decided {
    row: Row,
    verdict: Verdict,
    /// `None` where it is not registered any more.
    client: Option<Arc<Client>>,
    /// The end of a stolen session, begun when it was judged: a thief who hangs up gains nothing.
    theft: Option<JoinHandle<Result<EndCause, Fault>>>,
}

impl Presentation {
    async fn attempt(self: &Arc<Self>) -> Result<Attempt, Fault> {
        let (state, this) = (&self.state, Arc::clone(self));
        let judge = Arc::new(move |loaded| this.judge(loaded));
        let lineage = self.token.content().lineage;
        let written = timed(state, state.store.present(lineage, judge)).await?;
        let judged = std::mem::replace(&mut *self.judged.lock(), Judged::NotYet);
        match judged {
            _ if written == Written::Lost => Ok(Attempt::LostTheRace),
            Judged::NotYet => Err(Fault::unavailable("the store did not ask for a judgement")),
            Judged::NoSuchLineage => Err(unknown_lineage(state, &self.token).await?),
            Judged::Refused(fault) => Err(fault),
            Judged::Decided(decided) => self.carry_out(*decided).await,
        }
    }

    fn judge(&self, loaded: Option<Loaded>) -> Option<Transition> {
        let judged = match loaded.map(|loaded| self.decide(loaded)) {
            None => Judged::NoSuchLineage,
            Some(Err(fault)) => Judged::Refused(fault),
            Some(Ok(decided)) => Judged::Decided(Box::new(decided)),
        };
        let transition = match &judged {
            Judged::Decided(decided) => decided.transition(),
            _ => None,
        };
        *self.judged.lock() = judged;
        transition
    }

    fn decide(&self, Loaded { row, cut }: Loaded) -> Result<Decided, Fault> {
        let named = self.ask.client.as_ref().map(|client| &client.0);
        let client = registered(&self.state, named, &row.grant.client)?;
        // A row whose client is gone is still judged: what has ended otherwise keeps its own cause.
        let unregistered;
        let rules = if let Some(client) = &client {
            &client.rules
        } else {
            unregistered = Rules::new(Policy::RetireOnUse, Duration::from_mins(15));
            &unregistered
        };
        let asked = Asked {
            client: named.map(|client| &client.id),
            key: self.ask.key.as_ref(),
            claims: self.ask.claims.as_deref(),
            fresh: TokenId(random::bytes()?),
            now: self.arrived,
            clock: self.state.clock.trust(),
            cut,
        };
        let verdict = decide(Ok(&self.token), Some(&row), &asked, rules);
        if let Some(client) = &client
            && matches!(
                verdict,
                Verdict::Again { .. } | Verdict::Advance(_) | Verdict::Ahead(_) | Verdict::Reuse(_)
            )
        {
            self.check_request(client, &row.grant)?;
        }
        let theft = match &verdict {
            Verdict::Reuse(evidence) if client.is_some() => {
                let ending = self.ending(&row, EndCause::TheftDetected, Some(*evidence));
                Some(self.runtime.spawn(ending))
            }
            _ => None,
        };
        Ok(Decided {
            row,
            verdict,
            client,
            theft,
        })
    }

    /// Refuses a request that asks for too much, before it can consume or revoke anything.
    fn check_request(&self, client: &Client, grant: &Grant) -> Result<(), Fault> {
        if !client.may_use(GrantType::RefreshToken) {
            return Err(Fault::UnauthorizedClient(
                "the client may not use the refresh_token grant",
            ));
        }
        if let Some(scope) = &self.ask.scope
            && !scope.is_within(&grant.scope)
        {
            let why = format!("the session was granted: {}", grant.scope);
            return Err(Fault::InvalidScope(why));
        }
        if self
            .ask
            .resources
            .iter()
            .any(|asked| !grant.audience.contains(asked))
        {
            let why = "the session was not granted for that resource".to_owned();
            return Err(Fault::InvalidTarget(why));
        }
        Ok(())
    }

    async fn carry_out(&self, mut decided: Decided) -> Result<Attempt, Fault> {
        let state = &self.state;
        self.observe(&decided);
        if let Some(theft) = decided.theft.take() {
            return Err(self.ended(&decided.row, theft).await?);
        }
        let Decided { row, verdict, .. } = &decided;
        let Some(client) = &decided.client else {
            return Err(self.client_removed(&decided).await);
        };
        match verdict {
            Verdict::Again { successor, .. } => {
                let network = self.ask.caller.network;
                state.limits.load().again(row.lineage, network)?;
                self.answer(client, row, successor)
            }
            Verdict::Advance(step) => self.advanced(client, row, step).await,
            Verdict::Ahead(step) => {
                if let Some(logged) = state.store.logged_end(row.lineage).await? {
                    let ending = tokio::spawn(self.ending(row, logged.cause, None));
                    return Err(self.ended(row, ending).await?);
                }
                if timed(state, state.store.advance(row.lineage, step)).await? == Written::Lost {
                    return Ok(Attempt::LostTheRace);
                }
                self.advanced(client, row, step).await
            }
            Verdict::Ended(cause) => Err(self.signed_out(row, *cause).await),
            refused => Err(refusal(refused)),
        }
    }

    async fn advanced(&self, client: &Client, row: &Row, step: &Step) -> Result<Attempt, Fault> {
        if step.parallel_use {
            self.state.metrics.refreshed("parallel_use");
            self.state.audit(self.event(row, "parallel_use")).await;
        }
        self.answer(client, row, &step.successor)
    }

    fn answer(&self, client: &Client, row: &Row, successor: &Content) -> Result<Attempt, Fault> {
        let (state, now) = (&self.state, self.state.now());
        let scope = self.ask.scope.as_ref().unwrap_or(&row.grant.scope);
        let audience = match self.ask.resources.as_slice() {
            [] => row.grant.audience.as_slice(),
            asked => asked,
        };
        let refresh_token = state.keys.load().macs().write(successor, &row.secret);
        Answer {
            client,
            row,
            scope,
            audience,
            nonce: None,
            now,
        }
        .with(state, Some(refresh_token))
        .map(Attempt::Done)
    }

    fn ending(
        &self,
        row: &Row,
        cause: EndCause,
        evidence: Option<Evidence>,
    ) -> impl Future<Output = Result<EndCause, Fault>> + Send + use<> {
        let evidence = evidence.map(Evidence::as_str);
        let (state, caller) = (Arc::clone(&self.state), self.ask.caller.clone());
        let row = row.clone();
        async move {
            let this = End {
                evidence,
                ..End::of(&row, cause)
            };
            end(&state, &caller, this).await
        }
    }

    async fn ended(
        &self,
        row: &Row,
        ending: JoinHandle<Result<EndCause, Fault>>,
    ) -> Result<Fault, Fault> {
        let cause = outcome(ending).await?;
        Ok(self.signed_out(row, cause).await)
    }

    async fn signed_out(&self, row: &Row, cause: EndCause) -> Fault {
        self.state.metrics.signed_out(cause);
        // Whoever ends a session leaves a trace; time and configuration leave none by themselves.
        let untraced = matches!(
            cause,
            EndCause::ExpiredIdle | EndCause::ExpiredAbsolute | EndCause::ClientRemoved
        );
        if untraced && self.state.limits.load().is_first_refusal(row.lineage) {
            let event = AuditEvent {
                reason: Some(cause.as_str().to_owned()),
                ..self.event(row, "refresh_refused")
            };
            self.state.audit(event).await;
        }
        Fault::ended(cause)
    }

    async fn client_removed(&self, Decided { row, verdict, .. }: &Decided) -> Fault {
        match *verdict {
            Verdict::Ended(cause) => self.signed_out(row, cause).await,
            Verdict::WrongClient | Verdict::BadSeal => refusal(verdict),
            _ => self.signed_out(row, EndCause::ClientRemoved).await,
        }
    }

    fn observe(&self, Decided { row, verdict, .. }: &Decided) {
        let name = name(verdict);
        self.state.metrics.refreshed(name);
        let described = self.state.described.load();
        let (store, durable) = (described.kind, described.durable);
        let sid = || self.state.keys.load().sid(row.lineage);
        let is_usual = matches!(
            verdict,
            Verdict::Again { .. } | Verdict::Advance(_) | Verdict::Superseded { .. }
        );
        // A store that forgets is said in every line, not only at start.
        if is_usual && durable {
            tracing::debug!(
                event = "refresh",
                verdict = name,
                sid = sid(),
                store,
                durable
            );
        } else {
            tracing::warn!(
                event = "refresh",
                verdict = name,
                sid = sid(),
                store,
                durable
            );
        }
    }

    fn event(&self, row: &Row, name: &str) -> AuditEvent {
        event(&self.state, &self.ask.caller, name, row.lineage, &row.grant)
    }
}

impl Decided {
    /// What the store can write at once; whatever else follows needs more than this row.
    fn transition(&self) -> Option<Transition> {
        self.client.as_ref()?;
        match &self.verdict {
            Verdict::Advance(step) => Some(Transition::Advance(step.clone())),
            Verdict::Again {
                note: Some(hash), ..
            } => Some(Transition::NoteUse {
                head: self.row.head.id,
                hash: *hash,
            }),
            _ => None,
        }
    }
}

/// Observes how long the store took.
async fn timed<T>(state: &AppState, asked: impl Future<Output = T>) -> T {
    let before = state.clock.monotonic();
    let answer = asked.await;
    let took = state.clock.monotonic().saturating_sub(before);
    state.metrics.store_seconds.observe(took.as_secs_f64());
    answer
}

/// The row's client, if it is still registered. A confidential one must have authenticated.
fn registered(
    state: &AppState,
    named: Option<&Arc<Client>>,
    id: &ClientId,
) -> Result<Option<Arc<Client>>, Fault> {
    if let Some(client) = named.filter(|client| client.id == *id) {
        return Ok(Some(Arc::clone(client)));
    }
    let client = state.client(id);
    if named.is_none() && client.as_ref().is_some_and(|client| !client.is_public()) {
        let why = "the client of this token must authenticate";
        return Err(Fault::InvalidClient { basic: false, why });
    }
    Ok(client)
}
