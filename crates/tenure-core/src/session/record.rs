//! What the vault keeps of a session.

use serde::{Deserialize, Serialize};

use super::{Expiry, Millis};
use crate::lineage::{EndCause, IdempotencyKey, KeyHash};
use crate::outcome::Granted;
use crate::secret::Secret;

/// Everything the vault keeps, in one piece, so that no part of it can be lost alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The service the tokens come from.
    pub provider: Option<Provider>,
    /// The session; `None` when signed out.
    pub tokens: Option<Tokens>,
    /// Why the last session is over.
    pub ended: Option<EndCause>,
    /// Refresh tokens of abandoned sessions that the service must still be told about.
    pub outbox: Vec<Revocation>,
}

/// What the service's metadata said (RFC 8414), as far as a client needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// The issuer, exactly as the metadata name it.
    pub issuer: String,
    /// The client that the tokens belong to.
    pub client_id: String,
    /// Where a browser signs in.
    pub authorization_endpoint: Option<String>,
    /// Where tokens are refreshed.
    pub token_endpoint: String,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Whether every authorization answer carries `iss` (RFC 9207).
    pub names_issuer: bool,
    /// `"tenure_rotation": "retire_on_use"`: concurrent refreshes of one token do no harm there.
    pub retire_on_use: bool,
    /// When the metadata were read, by the device's clock.
    pub fetched: Millis,
}

impl Provider {
    /// Whether this is `client_id`'s registration at `issuer`, with or without a slash at its end.
    pub fn is(&self, issuer: &str, client_id: &str) -> bool {
        let same = self.issuer.trim_end_matches('/') == issuer.trim_end_matches('/');
        same && self.client_id == client_id
    }
}

/// A signed-in session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What is presented next.
    pub refresh_token: Secret,
    /// What the API gets.
    pub access_token: Secret,
    /// How long the API takes it.
    pub expiry: Expiry,
    /// The idempotency key of a refresh that was begun and whose answer is not saved yet.
    #[serde(default)]
    pub intent: Option<Secret>,
    /// Hashes of the keys sent with `refresh_token`, newest last.
    #[serde(default)]
    pub used: Vec<KeyHash>,
    /// Hashes of the keys sent with the parent of `refresh_token`; `None` where that is not known.
    #[serde(default)]
    pub claims: Option<Vec<KeyHash>>,
    /// When the refreshes were begun that an API's refusal caused, by the device's clock, newest
    /// last: all processes together may cause no storm of them.
    #[serde(default)]
    pub refusals: Vec<Millis>,
}

/// The server's row remembers as many.
const KEYS: usize = 4;

/// So many refreshes may be caused by refusals in one window.
pub(super) const REFUSALS: usize = 3;

impl Tokens {
    /// A new session; `None` without a refresh token, because then there is nothing to keep.
    pub fn new(granted: Granted, expiry: Expiry) -> Option<Self> {
        Some(Self {
            refresh_token: granted.refresh_token?,
            access_token: granted.access_token,
            expiry,
            intent: None,
            used: Vec::new(),
            claims: None,
            refusals: Vec::new(),
        })
    }

    /// Notes that a refresh is begun, at `refused` where a refusal is the reason; the key of an
    /// unfinished one is used again.
    pub(super) fn begin(&mut self, key: &Secret, refused: Option<Millis>) {
        if let Some(wall) = refused {
            self.count_refusal(wall);
        }
        let key = self.intent.get_or_insert_with(|| key.clone());
        let Ok(parsed) = IdempotencyKey::parse(key.expose()) else {
            return;
        };
        if self.used.last() != Some(&parsed.hash()) {
            self.used.push(parsed.hash());
        }
        if self.used.len() > KEYS {
            self.used.remove(0);
        }
    }

    /// Another attempt at an unfinished refresh counts once, from now.
    fn count_refusal(&mut self, wall: Millis) {
        if self.intent.is_some() {
            self.refusals.pop();
        }
        self.refusals.push(wall);
        if self.refusals.len() > REFUSALS {
            self.refusals.remove(0);
        }
    }

    /// Takes the answer to the refresh in.
    pub(super) fn advance(&mut self, granted: &Granted, expiry: Expiry) {
        self.access_token = granted.access_token.clone();
        self.expiry = expiry;
        self.intent = None;
        if let Some(successor) = &granted.refresh_token
            && *successor != self.refresh_token
        {
            self.refresh_token = successor.clone();
            self.claims = Some(std::mem::take(&mut self.used));
        }
    }
}

/// A refresh token that the service must be told is not used any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The token.
    pub token: Secret,
    /// The client it was issued to.
    pub client_id: String,
    /// Where to say so (RFC 7009).
    pub endpoint: String,
}

/// A service that never answers must not let the record grow for ever.
const OUTBOX: usize = 16;

impl Record {
    /// True where the record has a session whose refresh token is `presented`.
    pub fn holds(&self, presented: &Secret) -> bool {
        self.tokens
            .as_ref()
            .is_some_and(|tokens| tokens.refresh_token == *presented)
    }

    /// Puts `token` into the outbox, if its service takes revocations at all.
    pub(super) fn abandon(&mut self, token: Secret) {
        let Some(provider) = &self.provider else {
            return;
        };
        let Some(endpoint) = provider.revocation_endpoint.clone() else {
            return;
        };
        if self.outbox.len() == OUTBOX {
            self.outbox.remove(0);
        }
        self.outbox.push(Revocation {
            token,
            client_id: provider.client_id.clone(),
            endpoint,
        });
    }
}
