//! One row, and presentations of its tokens.

use std::time::Duration;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Asked, Clock, Content, Cut, EndCause, Grant, IdempotencyKey, KeyHash, MacKey, MacKeys, Policy,
    Revocation, Row, RowSecret, Rules, Step, Token, TokenId, Verdict, decide,
};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

pub(crate) const START: u64 = 1_000_000;
pub(crate) const DAY: u64 = 86_400;
pub(crate) const IDLE: u64 = 30 * DAY;
pub(crate) const ABSOLUTE: u64 = 365 * DAY;
pub(crate) const WINDOW: u64 = 60;

/// One row, and the circumstances in which its tokens are presented.
pub(crate) struct Scene {
    pub(crate) row: Row,
    pub(crate) keys: MacKeys,
    pub(crate) rules: Rules,
    pub(crate) now: u64,
    pub(crate) fresh: TokenId,
    pub(crate) client: Option<ClientId>,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) claims: Option<Vec<KeyHash>>,
    pub(crate) clock: Clock,
    pub(crate) cut: Option<Cut>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let grant = Grant {
            subject: Subject::new("ana"),
            client: ClientId::new("app"),
            scope: Scope::parse("openid offline_access"),
            audience: Vec::new(),
            auth_time: Timestamp(START),
        };
        Self {
            row: Row::new(
                LineageId::new(Timestamp(START), [7; 10]),
                RowSecret([5; 16]),
                TokenId([1; 8]),
                grant,
                (secs(IDLE), secs(ABSOLUTE)),
                Timestamp(START),
            ),
            keys: MacKeys::new(MacKey::new(&[3; 32]), vec![], vec![]),
            rules: Rules::new(Policy::RetireOnUse, secs(900)),
            now: START,
            fresh: TokenId([0xaa; 8]),
            client: Some(ClientId::new("app")),
            key: None,
            claims: None,
            clock: Clock::Trusted,
            cut: None,
        }
    }

    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked {
            client: self.client.as_ref(),
            key: self.key.as_ref(),
            claims: self.claims.as_deref(),
            fresh: self.fresh,
            now: Timestamp(self.now),
            clock: self.clock,
            cut: self.cut,
        }
    }

    pub(crate) fn read(&self, content: &Content) -> Token {
        let text = self.keys.write(content, &self.row.secret);
        self.keys.read(text.expose()).unwrap()
    }

    pub(crate) fn present(&self, content: &Content) -> Verdict {
        let token = self.read(content);
        decide(Ok(&token), Some(&self.row), &self.asked(), &self.rules)
    }

    /// Carries out the write of a verdict.
    pub(crate) fn take(&mut self, verdict: Verdict) {
        let (Verdict::Advance(step) | Verdict::Ahead(step)) = verdict else {
            panic!("nothing to write in {verdict:?}");
        };
        self.row.head = step.head;
        self.row.ring = step.ring;
        self.row.history_unknown_until = step.history_unknown_until;
    }

    /// One refresh `after` the start whose answer is used: the old head, and the newest token.
    pub(crate) fn advance(&mut self, after: u64) -> (Content, Content) {
        self.now = START + after;
        let old = Content {
            generation: self.row.head.generation,
            id: self.row.head.id,
            ..self.row.first_token()
        };
        let number = self.row.head.generation.to_be_bytes()[3] + 0x40;
        let child = Content {
            parent: old.id,
            issued_at: Timestamp(self.now),
            ..self.token(old.generation + 1, number)
        };
        let step = advance(self.present(&child));
        let newest = step.successor.clone();
        self.take(Verdict::Advance(step));
        (old, newest)
    }

    /// A token of the client's whose predecessors the store lost.
    pub(crate) fn ahead_by(&self, generations: u32) -> Content {
        let number = 0x80 + generations.to_be_bytes()[3];
        self.token(self.row.head.generation + generations, number)
    }

    pub(crate) fn token(&self, generation: u32, id: u8) -> Content {
        Content {
            generation,
            id: TokenId([id; 8]),
            parent: TokenId([0x70; 8]),
            ..self.row.first_token()
        }
    }
}

pub(crate) fn granted(verdict: Verdict) -> Content {
    match verdict {
        Verdict::Again { successor, .. } => successor,
        Verdict::Advance(step) | Verdict::Ahead(step) => step.successor,
        refused => panic!("{refused:?}"),
    }
}

pub(crate) fn advance(verdict: Verdict) -> Step {
    match verdict {
        Verdict::Advance(step) => step,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn noted(verdict: &Verdict) -> Option<KeyHash> {
    match verdict {
        Verdict::Again { note, .. } => *note,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn key(number: usize) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("key-of-an-attempt-{number:08}")).unwrap()
}

pub(crate) fn revoked(cause: EndCause) -> Revocation {
    Revocation {
        at: Timestamp(START),
        cause,
    }
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
