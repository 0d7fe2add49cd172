//! A token endpoint in forty lines: loads, decides with the shipped rule, writes.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::LineageId;
use tenure_core::lineage::{
    Asked, Clock, Content, EndCause, MacKey, MacKeys, Policy, Revocation, Row, Rules, TokenId,
    Verdict, decide,
};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;

use crate::{Store, StoreError, Written};

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
        let token = self.keys.read(token.expose());
        let Ok(lineage) = token.as_ref().map(|token| token.content().lineage) else {
            return Ok(Heard::Unknown);
        };
        for _ in 0..ATTEMPTS {
            let loaded = self.store.load(lineage).await?;
            let asked = Asked {
                client: None,
                key: None,
                claims: None,
                fresh: TokenId(fresh.to_be_bytes()),
                now,
                clock: Clock::Trusted,
                cut: loaded.as_ref().and_then(|loaded| loaded.cut),
            };
            let row = loaded.as_ref().map(|loaded| &loaded.row);
            let verdict = decide(token.as_ref().map_err(|why| *why), row, &asked, &self.rules);
            if let Some(heard) = self.carry_out(lineage, row, verdict, now).await? {
                return Ok(heard);
            }
        }
        Ok(Heard::Trouble)
    }

    /// `None` where the write was lost to another one.
    async fn carry_out(
        &self,
        lineage: LineageId,
        row: Option<&Row>,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Option<Heard>, StoreError> {
        let written = match &verdict {
            Verdict::Advance(step) => self.store.advance(lineage, step).await?,
            Verdict::Ahead(step) => match self.store.logged_end(lineage).await? {
                Some(end) => return Ok(Some(Heard::Ended(end.cause))),
                None => self.store.advance(lineage, step).await?,
            },
            _ => Written::Now,
        };
        if written == Written::Lost {
            return Ok(None);
        }
        Ok(Some(match verdict {
            Verdict::Advance(step) | Verdict::Ahead(step) => self.issue(row, &step.successor),
            Verdict::Again { successor, .. } => self.issue(row, &successor),
            Verdict::Reuse(_) => {
                let cause = EndCause::TheftDetected;
                self.store
                    .revoke(lineage, Revocation { at: now, cause })
                    .await?;
                Heard::Ended(cause)
            }
            Verdict::Ended(cause) => Heard::Ended(cause),
            Verdict::Superseded { .. } | Verdict::RingFull { .. } => Heard::Trouble,
            _ => Heard::Unknown,
        }))
    }

    fn issue(&self, row: Option<&Row>, successor: &Content) -> Heard {
        row.map_or(Heard::Unknown, |row| {
            Heard::Token(self.keys.write(successor, &row.secret))
        })
    }
}
