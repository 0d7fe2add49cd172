//! The ways in which a record changes.

use super::{Expiry, Millis, Provider, Record, Tokens};
use crate::lineage::EndCause;
use crate::outcome::Granted;
use crate::secret::Secret;

/// One change of the record, applied by the vault to what it holds *at that moment*.
///
/// Another process may have written since this one looked, so every change states what it relies
/// on and does nothing where that no longer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A refresh is about to be sent: note its idempotency key. Does nothing where another process
    /// has refreshed or signed out meanwhile.
    Begin {
        /// What the caller needs.
        need: Need,
        /// A fresh idempotency key, for the case that no refresh is pending.
        key: Secret,
        /// The device's clock.
        wall: Millis,
    },
    /// The answer to a refresh. Kept only while the record holds the presented token; if somebody
    /// signed out meanwhile, the successor goes into the outbox.
    Keep {
        /// The refresh token that was sent.
        presented: Secret,
        /// The answer.
        granted: Granted,
        /// How long its access token lives.
        expiry: Expiry,
    },
    /// The service says the session is over. Believed only about the token that was presented.
    End {
        /// The refresh token that was sent.
        presented: Secret,
        /// What the service said.
        cause: EndCause,
    },
    /// Somebody signed in. A session that was there before goes into the outbox.
    SignIn {
        /// The new session.
        tokens: Tokens,
        /// Its service.
        provider: Provider,
    },
    /// The user signed out: the session moves to the outbox.
    SignOut,
    /// The service knows that the token is not used any more.
    Revoked(Secret),
    /// The service's metadata, read again. Does nothing where the session is another service's.
    Discovered(Provider),
}

/// What makes a refresh necessary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// An access token with less than this left is not enough.
    pub left: Millis,
    /// The access token that is not enough whatever its expiry says: the API may have refused it,
    /// or the monotonic clock outlived it.
    pub stale: Secret,
    /// An API's refusal is the reason: such refreshes are counted.
    pub refused: bool,
}

impl Need {
    /// Whether `tokens` have to be refreshed when the device's clock shows `wall`.
    pub fn unmet_by(&self, tokens: &Tokens, wall: Millis) -> bool {
        self.stale == tokens.access_token || tokens.expiry.left(wall) < self.left
    }
}

impl Change {
    /// Changes `record`; false where there is nothing to write.
    pub fn apply(&self, record: &mut Record) -> bool {
        match self {
            Self::Begin { need, key, wall } => begin(record, need, key, *wall),
            Self::Keep {
                presented,
                granted,
                expiry,
            } => keep(record, presented, granted, *expiry),
            Self::End { presented, cause } => end(record, presented, *cause),
            Self::SignIn { tokens, provider } => sign_in(record, tokens, provider),
            Self::SignOut => sign_out(record),
            Self::Revoked(token) => revoked(record, token),
            Self::Discovered(provider) => discovered(record, provider),
        }
    }
}

/// Writes even when the key is there already: the write proves that the answer can be saved before
/// the token is spent.
fn begin(record: &mut Record, need: &Need, key: &Secret, wall: Millis) -> bool {
    match &mut record.tokens {
        Some(tokens) if need.unmet_by(tokens, wall) => {
            tokens.begin(key, need.refused.then_some(wall));
            true
        }
        _ => false,
    }
}

fn keep(record: &mut Record, presented: &Secret, granted: &Granted, expiry: Expiry) -> bool {
    match (&mut record.tokens, &granted.refresh_token) {
        (Some(tokens), _) if tokens.refresh_token == *presented => {
            tokens.advance(granted, expiry);
            true
        }
        (None, Some(successor)) => {
            record.abandon(successor.clone());
            true
        }
        _ => false,
    }
}

fn end(record: &mut Record, presented: &Secret, cause: EndCause) -> bool {
    let current = record.holds(presented);
    if current {
        record.tokens = None;
        record.ended = Some(cause);
    }
    current
}

/// Only a service that retires on use is told about the session before: elsewhere a revocation may
/// end everything the user has there, the new session included.
fn sign_in(record: &mut Record, tokens: &Tokens, provider: &Provider) -> bool {
    let before = record.tokens.take();
    let told = record
        .provider
        .as_ref()
        .is_some_and(|provider| provider.retire_on_use);
    if let Some(before) = before.filter(|_| told) {
        record.abandon(before.refresh_token);
    }
    record.tokens = Some(tokens.clone());
    record.provider = Some(provider.clone());
    record.ended = None;
    true
}

fn sign_out(record: &mut Record) -> bool {
    let Some(tokens) = record.tokens.take() else {
        return false;
    };
    record.abandon(tokens.refresh_token);
    record.ended = Some(EndCause::LoggedOut);
    true
}

fn revoked(record: &mut Record, token: &Secret) -> bool {
    let before = record.outbox.len();
    record
        .outbox
        .retain(|revocation| revocation.token != *token);
    record.outbox.len() != before
}

/// Tokens must never come to stand beside endpoints of a service that did not issue them.
fn discovered(record: &mut Record, provider: &Provider) -> bool {
    let (issuer, client) = (&provider.issuer, &provider.client_id);
    let stays = record
        .provider
        .as_ref()
        .filter(|held| !held.is(issuer, client));
    if record.tokens.is_some() && stays.is_some() {
        return false;
    }
    record.provider = Some(provider.clone());
    true
}

#[cfg(test)]
mod tests;
