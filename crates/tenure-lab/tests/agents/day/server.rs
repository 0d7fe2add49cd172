//! The service as the simulation sees it: the shipped rule over rows in memory.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Asked, Clock, Content, EndCause, Grant, IdempotencyKey, MacKey, MacKeys, Policy, Revocation,
    Row, RowSecret, Rules, Token, TokenId, Verdict, decide,
};
use tenure_core::scope::Scope;
use tenure_core::secret::Secret;
use tenure_core::session::{Expiry, Millis, Presentation, Provider, Record, Tokens};
use tenure_core::time::Timestamp;

/// Life of an access token in seconds.
pub(super) const LIFETIME: u64 = 900;

const DAY: Duration = Duration::from_hours(24);

/// An answer as it leaves the server.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: String,
}

/// What the server saw of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Presentations that were answered with tokens.
    pub(super) granted: u64,
    /// Presentations under a key that had been seen before: an earlier answer was lost or late.
    pub(super) repeated: u64,
    keys: BTreeSet<String>,
}

impl Seen {
    /// Refreshes: presentations with a key of their own.
    pub(super) fn refreshes(&self) -> usize {
        self.keys.len()
    }
}

/// Every session's row.
pub(super) struct Server {
    rows: HashMap<LineageId, Row>,
    seen: HashMap<LineageId, Seen>,
    keys: MacKeys,
    rules: Rules,
    random: fastrand::Rng,
    serial: u64,
}

impl Server {
    pub(super) fn new(random: fastrand::Rng) -> Self {
        Self {
            rows: HashMap::new(),
            seen: HashMap::new(),
            keys: MacKeys::new(MacKey::new(&[3; 32]), vec![], vec![]),
            rules: Rules::new(Policy::RetireOnUse, Duration::from_secs(LIFETIME)),
            random,
            serial: 0,
        }
    }

    /// Signs somebody in whose device shows `wall`; answers what their vault holds then.
    pub(super) fn sign_in(&mut self, now: Timestamp, wall: Millis) -> (LineageId, Record) {
        let lineage = LineageId::new(now, self.bytes());
        let grant = Grant {
            subject: Subject::new("ana"),
            client: ClientId::new("agents"),
            scope: Scope::parse("openid offline_access"),
            audience: Vec::new(),
            auth_time: now,
        };
        let secret = RowSecret(self.bytes());
        let first = TokenId(self.bytes());
        let row = Row::new(lineage, secret, first, grant, (30 * DAY, 365 * DAY), now);
        let refresh_token = self.keys.write(&row.first_token(), &row.secret);
        let granted = tenure_core::outcome::Granted {
            access_token: Secret::new(self.access_token(now)),
            refresh_token: Some(refresh_token),
            expires_in: Some(Duration::from_secs(LIFETIME)),
        };
        let expiry = Expiry::new(wall, Millis(LIFETIME * 1000), Some(now), wall);
        let record = Record {
            provider: Some(provider()),
            tokens: Tokens::new(granted, expiry),
            ..Record::default()
        };
        self.rows.insert(lineage, row);
        self.seen.insert(lineage, Seen::default());
        (lineage, record)
    }

    /// What it saw of a session, and why that is over, if it is.
    pub(super) fn report(&self, lineage: LineageId) -> (&Seen, Option<EndCause>) {
        let revoked = self.rows[&lineage].revoked;
        (&self.seen[&lineage], revoked.map(|end| end.cause))
    }

    /// Until when it takes an access token.
    pub(super) fn ends(access_token: &str) -> Timestamp {
        let (issued, _) = access_token.split_once('-').unwrap();
        Timestamp(issued.parse().unwrap()) + Duration::from_secs(LIFETIME)
    }

    /// Reads, decides and writes in one step, as a store does.
    pub(super) fn present(&mut self, asked: &Presentation, now: Timestamp) -> Answer {
        let token = self.keys.read(asked.refresh_token.expose()).unwrap();
        let lineage = token.content().lineage;
        let key = IdempotencyKey::parse(asked.key.expose()).unwrap();
        let seen = self.seen.get_mut(&lineage).unwrap();
        if !seen.keys.insert(asked.key.expose().to_owned()) {
            seen.repeated += 1;
        }
        match self.verdict(&token, asked, &key, now) {
            Verdict::Again { successor, note } => {
                let uses = &mut self.row(lineage).head.uses;
                uses.extend(note);
                self.grant(&successor, now)
            }
            Verdict::Advance(step) => {
                let row = self.row(lineage);
                row.head = step.head;
                row.ring = step.ring;
                row.history_unknown_until = step.history_unknown_until;
                self.grant(&step.successor, now)
            }
            Verdict::RingFull { retry_after } | Verdict::Superseded { retry_after } => {
                unavailable(retry_after.as_secs() + 1)
            }
            Verdict::Reuse(_) => {
                let cause = EndCause::TheftDetected;
                self.row(lineage).revoked = Some(Revocation { at: now, cause });
                over(cause)
            }
            Verdict::Ended(cause) => over(cause),
            verdict => panic!("{verdict:?} in a world without forgery or lost writes"),
        }
    }

    fn verdict(
        &mut self,
        token: &Token,
        asked: &Presentation,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Verdict {
        let asked = Asked {
            client: None,
            key: Some(key),
            claims: asked.claims.as_deref(),
            fresh: TokenId(self.bytes()),
            now,
            clock: Clock::Trusted,
            cut: None,
        };
        let row = self.rows.get(&token.content().lineage);
        decide(Ok(token), row, &asked, &self.rules)
    }

    fn grant(&mut self, successor: &Content, now: Timestamp) -> Answer {
        self.seen.get_mut(&successor.lineage).unwrap().granted += 1;
        let access_token = self.access_token(now);
        let refresh_token = self
            .keys
            .write(successor, &self.rows[&successor.lineage].secret);
        let body = serde_json::json!({
            "access_token": access_token,
            "refresh_token": refresh_token,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
        });
        Answer {
            status: 200,
            retry_after: None,
            body: body.to_string(),
        }
    }

    fn access_token(&mut self, now: Timestamp) -> String {
        self.serial += 1;
        format!("{}-{}", now.0, self.serial)
    }

    fn row(&mut self, lineage: LineageId) -> &mut Row {
        self.rows.get_mut(&lineage).unwrap()
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}

/// What a proxy answers while the server is restarted.
pub(super) fn unavailable(retry_after: u64) -> Answer {
    Answer {
        status: 503,
        retry_after: Some(retry_after.to_string()),
        body: r#"{"error":"temporarily_unavailable"}"#.to_owned(),
    }
}

fn over(cause: EndCause) -> Answer {
    let body = serde_json::json!({ "error": "invalid_grant", "tenure_reason": cause.as_str() });
    Answer {
        status: 400,
        retry_after: None,
        body: body.to_string(),
    }
}

fn provider() -> Provider {
    Provider {
        issuer: "https://id.example.com".into(),
        client_id: "agents".into(),
        authorization_endpoint: None,
        token_endpoint: "https://id.example.com/token".into(),
        revocation_endpoint: None,
        names_issuer: false,
        retire_on_use: true,
        fetched: Millis(0),
    }
}
