//! Clients that speak HTTP to a token service, as an app would: see [`OAuthClient`] and
//! [`FirstParty`].
//!
//! They write against the service's documented paths and never follow a redirect by themselves.

mod answer;
mod browser;
mod first_party;
mod form;
mod oauth;

use std::time::Duration;

pub use self::answer::{Refusal, TokenAnswer, Tokens};
pub use self::browser::Browser;
pub use self::first_party::FirstParty;
pub(crate) use self::form::Form;
pub use self::oauth::{Authorization, OAuthClient};

/// Longer than any answer takes, so that a hanging service fails a test instead of hanging it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client that goes straight to loopback, follows no redirect and reuses no connection: after
/// a server was killed, a pooled connection would fail in place of the request under test.
pub(crate) fn http() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(PATIENCE)
        .build()
}
