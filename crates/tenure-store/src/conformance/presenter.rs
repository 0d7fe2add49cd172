//! A token endpoint in forty lines: loads, decides with the shipped rule, writes.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenure_core::lineage::{
    Asked, Clock, Content, EndCause, MacKey, MacKeys, Policy, Revocation, Row, Rules, Token,
    TokenId, Verdict, decide,
};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;

use crate::{Judge, Loaded, Store, StoreError, Transition, Written};

/// A presentation that keeps losing to others is answered with trouble.
const ATTEMPTS: usize = 32;

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A new refresh token.
    Token(Secret),
    /// 503: try again.
    Trouble,
    /// The session is over.
    Ended(EndCause),
    /// The token belongs to no session.
    Unknown,
}

impl Heard {
    /// The token; panics where there is none.
    #[track_caller]
    pub fn token(self) -> Secret {
        match self {
            Self::Token(token) => token,
            other => panic!("expected a token, heard {other:?}"),
        }
    }
}

/// A server over a store.
#[derive(Clone, Debug)]
pub struct Presenter {
    store: Arc<dyn Store>,
    keys: MacKeys,
    rules: Rules,
}

impl Presenter {
    /// With the default policy and a late window of 60 s.
    pub fn new(store: &Arc<dyn Store>) -> Self {
        Self {
            store: Arc::clone(store),
            keys: MacKeys::new(MacKey::new(&[42; 32]), Vec::new(), Vec::new()),
            rules: Rules::new(Policy::RetireOnUse, Duration::from_mins(15)),
        }
    }

    /// The token that a new session hands out.
    pub fn first_token(&self, row: &Row) -> Secret {
        self.keys.write(&row.first_token(), &row.secret)
    }

    /// Presents a token; `fresh` is the random id of what is issued for it.
    pub async fn present(
        &self,
        token: &Secret,
        fresh: u64,
        now: Timestamp,
    ) -> Result<Heard, StoreError> {
        let Ok(token) = self.keys.read(token.expose()) else {
            return Ok(Heard::Unknown);
        };
        let lineage = token.content().lineage;
        for _ in 0..ATTEMPTS {
            let judged = Arc::new(Mutex::new(None));
            let judge = judge(&token, fresh, now, &self.rules, Arc::clone(&judged));
            if self.store.present(lineage, judge).await? == Written::Lost {
                continue;
            }
            let Some((row, verdict)) = judged.lock().take() else {
                return Ok(Heard::Unknown);
            };
            if let Some(heard) = self.carry_out(&row, verdict, now).await? {
                return Ok(heard);
            }
        }
        Ok(Heard::Trouble)
    }

    /// `None` where the write was lost to another one.
    async fn carry_out(
        &self,
        row: &Row,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Option<Heard>, StoreError> {
        Ok(Some(match verdict {
            Verdict::Advance(step) => self.issue(row, &step.successor),
            Verdict::Ahead(step) => {
                if let Some(end) = self.store.logged_end(row.lineage).await? {
                    return Ok(Some(Heard::Ended(end.cause)));
                }
                if self.store.advance(row.lineage, &step).await? == Written::Lost {
                    return Ok(None);
                }
                self.issue(row, &step.successor)
            }
            Verdict::Again { successor, .. } => self.issue(row, &successor),
            Verdict::Reuse(_) => {
                let cause = EndCause::TheftDetected;
                let why = Revocation { at: now, cause };
                self.store.revoke(row.lineage, why).await?;
                Heard::Ended(cause)
            }
            Verdict::Ended(cause) => Heard::Ended(cause),
            Verdict::Superseded { .. } | Verdict::RingFull { .. } => Heard::Trouble,
            _ => Heard::Unknown,
        }))
    }

    fn issue(&self, row: &Row, successor: &Content) -> Heard {
        Heard::Token(self.keys.write(successor, &row.secret))
    }
}

/// The shipped rule; what it judged goes into `judged`.
fn judge(
    token: &Token,
    fresh: u64,
    now: Timestamp,
    rules: &Rules,
    judged: Arc<Mutex<Option<(Row, Verdict)>>>,
) -> Judge {
    let (token, rules) = (token.clone(), rules.clone());
    Arc::new(move |loaded| {
        let Loaded { row, cut } = loaded?;
        let asked = Asked {
            client: None,
            key: None,
            claims: None,
            fresh: TokenId(fresh.to_be_bytes()),
            now,
            clock: Clock::Trusted,
            cut,
        };
        let verdict = decide(Ok(&token), Some(&row), &asked, &rules);
        let transition = match &verdict {
            Verdict::Advance(step) => Some(Transition::Advance(step.clone())),
            _ => None,
        };
        *judged.lock() = Some((row, verdict));
        transition
    })
}
