//! Changes, and what became of them.

use tenure_client::{Change, Millis, Provider, Record, Secret};
use tenure_core::outcome::Granted;
use tenure_core::session::{Expiry, Tokens};

/// A sign-in with the tokens `a{turn}` and `r{turn}`.
pub(crate) fn sign_in(turn: usize) -> Change {
    sign_in_at("https://id.example.com", &turn.to_string())
}

/// A sign-in with the tokens `a{name}` and `r{name}` of a service.
///
/// The service retires on use and takes revocations, so every sign-in moves the token before it to
/// the outbox: up to seventeen sign-ins can be read off a record.
pub(crate) fn sign_in_at(issuer: &str, name: &str) -> Change {
    let granted = Granted {
        access_token: Secret::new(format!("a{name}")),
        refresh_token: Some(Secret::new(format!("r{name}"))),
        expires_in: None,
    };
    let expiry = Expiry::new(Millis(0), Millis(900_000), None, Millis(0));
    Change::SignIn {
        tokens: Tokens::new(granted, expiry).unwrap(),
        provider: provider(issuer),
    }
}

/// The service's metadata, which are stored before anybody signs in.
pub(crate) fn discovered() -> Change {
    Change::Discovered(provider("https://id.example.com"))
}

fn provider(issuer: &str) -> Provider {
    Provider {
        issuer: issuer.into(),
        client_id: "app".into(),
        authorization_endpoint: None,
        token_endpoint: format!("{issuer}/token"),
        revocation_endpoint: Some(format!("{issuer}/revoke")),
        names_issuer: false,
        retire_on_use: true,
        fetched: Millis(0),
    }
}

/// The refresh token.
pub(crate) fn token(record: &Record) -> String {
    let tokens = record.tokens.as_ref();
    tokens.map_or("signed out".into(), |tokens| {
        tokens.refresh_token.expose().to_owned()
    })
}

/// All refresh tokens, those that wait to be revoked included.
pub(crate) fn tokens(record: &Record) -> Vec<String> {
    let waiting = record.outbox.iter();
    let mut tokens: Vec<_> = waiting
        .map(|revocation| revocation.token.expose().to_owned())
        .collect();
    tokens.push(token(record));
    tokens.sort();
    tokens
}

/// A result that can be compared and shown.
pub(crate) fn outcome<T: std::fmt::Debug, E: std::fmt::Debug>(
    result: Result<T, E>,
) -> Result<T, String> {
    result.map_err(|error| format!("{error:?}"))
}
