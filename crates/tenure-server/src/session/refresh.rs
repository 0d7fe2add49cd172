//! A session goes on: read, decide, write, sign, answer.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::ClientId;
use tenure_core::lineage::{
    Asked, Content, EndCause, Evidence, IdempotencyKey, KeyHash, Row, Rules, Step, Token, TokenId,
    Unreadable, Verdict, decide,
};
use tenure_core::scope::Scope;
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_store::{AuditEvent, Loaded, Written};

use super::{Answer, End, Tokens, carried_out, end, event};
use crate::config::{Client, GrantType};
use crate::error::Fault;
use crate::extract::{AuthenticatedClient, Caller};
use crate::random;
use crate::state::{AppState, Shared};

/// Conditional writes lost in a row before a request gives up: each loss is another's success.
const ATTEMPTS: usize = 8;

/// A presentation of a refresh token.
pub(crate) struct Refresh<'a> {
    pub(crate) presented: &'a Secret,
    /// `None` where the route lets public clients go unnamed.
    pub(crate) client: Option<&'a AuthenticatedClient>,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) claims: Option<Vec<KeyHash>>,
    /// Narrower than the grant's, or absent.
    pub(crate) scope: Option<Scope>,
    pub(crate) resources: &'a [String],
    pub(crate) caller: &'a Caller,
}

/// Answers a presentation. Nothing but a definitive verdict is ever `invalid_grant`.
pub(crate) async fn refresh(state: &Shared, ask: &Refresh<'_>) -> Result<Tokens, Fault> {
    // Taken once: a presentation that is judged again has become no older for that.
    let arrived = state.now();
    let token = match state.keys.load().macs().read(ask.presented.expose()) {
        Ok(token) => token,
        Err(unreadable) => return Err(refuse_unreadable(state, unreadable)),
    };
    for _ in 0..ATTEMPTS {
        match attempt(state, ask, &token, arrived).await? {
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

async fn attempt(
    state: &Shared,
    ask: &Refresh<'_>,
    token: &Token,
    arrived: Timestamp,
) -> Result<Attempt, Fault> {
    let lineage = token.content().lineage;
    let loaded = timed(state, state.store.load(lineage)).await?;
    let Some(Loaded { row, cut }) = loaded else {
        return Err(unknown_lineage(state, token).await?);
    };
    let named = ask.client.map(|client| &client.0);
    let registered = registered(state, named, &row.grant.client)?;
    // A row whose client is gone is still judged: what has ended otherwise keeps its own cause.
    let rules = registered.as_ref().map_or_else(
        || {
            Rules::new(
                tenure_core::lineage::Policy::RetireOnUse,
                Duration::from_mins(15),
            )
        },
        |client| client.rules.clone(),
    );
    let asked = Asked {
        client: named.map(|client| &client.id),
        key: ask.key.as_ref(),
        claims: ask.claims.as_deref(),
        fresh: TokenId(random::bytes()?),
        now: arrived,
        clock: state.clock.trust(),
        cut,
    };
    let verdict = decide(Ok(token), Some(&row), &asked, &rules);
    let judged = Judged {
        state,
        ask,
        row: &row,
    };
    judged.observe(&verdict);
    let Some(client) = registered else {
        return Err(judged.client_removed(&verdict).await);
    };
    judged.carry_out(verdict, &client).await
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

/// A verdict about one presentation, and what is needed to carry it out.
struct Judged<'a> {
    state: &'a Shared,
    ask: &'a Refresh<'a>,
    row: &'a Row,
}

impl Judged<'_> {
    async fn carry_out(&self, verdict: Verdict, client: &Client) -> Result<Attempt, Fault> {
        let (state, row) = (self.state, self.row);
        if matches!(
            verdict,
            Verdict::Again { .. } | Verdict::Advance(_) | Verdict::Ahead(_) | Verdict::Reuse(_)
        ) {
            self.check_request(client)?;
        }
        match verdict {
            Verdict::Again { successor, note } => {
                state
                    .limits
                    .load()
                    .again(row.lineage, self.ask.caller.network)?;
                if let Some(hash) = note
                    && state.store.note_use(row.lineage, row.head.id, hash).await? == Written::Lost
                {
                    return Ok(Attempt::LostTheRace);
                }
                self.answer(client, &successor)
            }
            Verdict::Advance(step) => self.advance(client, &step).await,
            Verdict::Ahead(step) => {
                if let Some(logged) = state.store.logged_end(row.lineage).await? {
                    return Err(self.ended(logged.cause, None).await?);
                }
                self.advance(client, &step).await
            }
            Verdict::Reuse(evidence) => {
                Err(self.ended(EndCause::TheftDetected, Some(evidence)).await?)
            }
            Verdict::Ended(cause) => Err(self.signed_out(cause).await),
            refused => Err(refusal(&refused)),
        }
    }

    async fn advance(&self, client: &Client, step: &Step) -> Result<Attempt, Fault> {
        let (state, row) = (self.state, self.row);
        if timed(state, state.store.advance(row.lineage, step)).await? == Written::Lost {
            return Ok(Attempt::LostTheRace);
        }
        if step.parallel_use {
            state.metrics.refreshed("parallel_use");
            state.audit(self.event("parallel_use")).await;
        }
        self.answer(client, &step.successor)
    }

    fn answer(&self, client: &Client, successor: &Content) -> Result<Attempt, Fault> {
        let (state, row, now) = (self.state, self.row, self.state.now());
        let scope = self.ask.scope.as_ref().unwrap_or(&row.grant.scope);
        let audience = match self.ask.resources {
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

    /// Refuses a request that asks for too much, before it can consume or revoke anything.
    fn check_request(&self, client: &Client) -> Result<(), Fault> {
        let grant = &self.row.grant;
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

    async fn ended(&self, cause: EndCause, evidence: Option<Evidence>) -> Result<Fault, Fault> {
        let evidence = evidence.map(Evidence::as_str);
        let (state, caller) = (Arc::clone(self.state), self.ask.caller.clone());
        let row = self.row.clone();
        let cause = carried_out(async move {
            let this = End {
                evidence,
                ..End::of(&row, cause)
            };
            end(&state, &caller, this).await
        })
        .await?;
        Ok(self.signed_out(cause).await)
    }

    async fn signed_out(&self, cause: EndCause) -> Fault {
        self.state.metrics.signed_out(cause);
        // Whoever ends a session leaves a trace; time and configuration leave none by themselves.
        let untraced = matches!(
            cause,
            EndCause::ExpiredIdle | EndCause::ExpiredAbsolute | EndCause::ClientRemoved
        );
        if untraced && self.state.limits.load().is_first_refusal(self.row.lineage) {
            let event = AuditEvent {
                reason: Some(cause.as_str().to_owned()),
                ..self.event("refresh_refused")
            };
            self.state.audit(event).await;
        }
        Fault::ended(cause)
    }

    async fn client_removed(&self, verdict: &Verdict) -> Fault {
        match *verdict {
            Verdict::Ended(cause) => self.signed_out(cause).await,
            Verdict::WrongClient | Verdict::BadSeal => refusal(verdict),
            _ => self.signed_out(EndCause::ClientRemoved).await,
        }
    }

    fn observe(&self, verdict: &Verdict) {
        let name = name(verdict);
        self.state.metrics.refreshed(name);
        let described = &self.state.described;
        let (store, durable) = (described.kind, described.durable);
        let sid = || self.state.keys.load().sid(self.row.lineage);
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

    fn event(&self, name: &str) -> AuditEvent {
        let grant = &self.row.grant;
        event(self.state, self.ask.caller, name, self.row.lineage, grant)
    }
}

fn refuse_unreadable(state: &AppState, unreadable: Unreadable) -> Fault {
    let verdict = match unreadable {
        Unreadable::MissingKey(id) => Verdict::MissingKey(id),
        Unreadable::Garbage | Unreadable::RetiredKey => Verdict::Unknown,
    };
    state.metrics.refreshed(name(&verdict));
    if let Verdict::MissingKey(id) = verdict {
        tracing::error!(event = "mac_key_missing", kid = %id, "this server lacks a key");
    } else {
        state.metrics.signed_out(EndCause::Unknown);
    }
    refusal(&verdict)
}

/// The row is gone; the revocation log may still know why.
async fn unknown_lineage(state: &AppState, token: &Token) -> Result<Fault, Fault> {
    state.metrics.refreshed(name(&Verdict::UnknownLineage));
    let logged = state.store.logged_end(token.content().lineage).await?;
    let cause = logged.map_or(EndCause::Unknown, |logged| logged.cause);
    state.metrics.signed_out(cause);
    tracing::warn!(
        event = "refresh",
        verdict = "unknown_lineage",
        reason = cause.as_str()
    );
    Ok(Fault::ended(cause))
}

/// The answer to verdicts that neither issue nor end anything.
fn refusal(verdict: &Verdict) -> Fault {
    match *verdict {
        Verdict::Unknown | Verdict::BadSeal => Fault::ended(EndCause::Unknown),
        Verdict::WrongClient => Fault::InvalidGrant {
            cause: None,
            why: "the token belongs to another client",
        },
        Verdict::RingFull { retry_after } => Fault::Unavailable {
            retry_after,
            why: "this session refreshes too often".to_owned(),
        },
        Verdict::Superseded { retry_after } => Fault::Unavailable {
            retry_after,
            why: "a newer token of this session is in use; this may be a late duplicate".to_owned(),
        },
        Verdict::MissingKey(_) => Fault::unavailable("this server lacks a key"),
        Verdict::ClockInDoubt => Fault::unavailable("this server doubts its clock"),
        _ => Fault::unavailable("this token is further ahead than any lost write explains"),
    }
}

/// The name of a verdict in metrics and logs.
fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "unknown",
        Verdict::MissingKey(_) => "missing_key",
        Verdict::UnknownLineage => "unknown_lineage",
        Verdict::WrongClient => "wrong_client",
        Verdict::BadSeal => "bad_seal",
        Verdict::Ended(_) => "ended",
        Verdict::ClockInDoubt => "clock_in_doubt",
        Verdict::Again { .. } => "again",
        Verdict::Advance(_) => "advance",
        Verdict::RingFull { .. } => "ring_full",
        Verdict::Superseded { .. } => "superseded",
        Verdict::Ahead(_) => "ahead",
        Verdict::Impossible => "impossible",
        Verdict::Reuse(_) => "reuse",
    }
}
