//! Keeps one signed-in session alive for a program, whatever the network, the server, the device
//! and the other processes on it do.
//!
//! ```no_run
//! # async fn example() -> Result<(), tenure_client::Error> {
//! use tenure_client::{Config, FileVault, Session};
//!
//! let vault = FileVault::new("profile");
//! let session = Session::open(Config::new("https://id.example.com", "app", vault)?).await?;
//! let token = session.access_token().await?;
//! println!("Authorization: Bearer {}", token.token.expose());
//! # Ok(()) }
//! ```
//!
//! * [`Session`] is a cheap clone for all tasks; [`Session::access_token`] is the one call that
//!   yields a usable token or an [`Error`] that says what to do, and [`State`] is what an interface
//!   shows.
//! * [`Session::call`] and [`Session::authorized`] send it to allowed origins only; with the features
//!   `reqwest-middleware` and `tower` so do `SessionMiddleware` and `SessionLayer`.
//! * [`EVENTS`] names everything that a session writes to `tracing`.
//! * [`Vault`] keeps the session between two runs: [`FileVault`], [`EncryptedFileVault`] with its key
//!   in a keystore, `KeyringVault` in the keystore of the operating system (feature `keyring`),
//!   [`ChunkedVault`] in any store of small values that implements [`KeyValue`], and [`MemoryVault`]
//!   for tests.
//! * [`Transport`], [`Clock`] and [`RefreshEndpoint`] are the seams to the outside: HTTP, time, and
//!   the kind of service: [`OAuth2`], [`JsonRoutes`] or [`Cognito`].
//!
//! What it rests on: one refresh at a time across tasks and processes, in a task of its own that no
//! caller can cancel; the idempotency key is stored before the refresh token is sent, and the answer
//! before it is used; and nothing but the service's own word about the token ends a session.
//!
//! It does not verify tokens, does not keep ID tokens, holds one session per vault, and runs on tokio
//! only. Secrets are wiped where this crate keeps them; the buffers of
//! HTTP and TLS are beyond its reach.

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/other-servers.md")]
struct OtherServers;

mod clock;
mod config;
mod discovery;
mod driver;
mod endpoint;
mod error;
mod events;
mod failpoint;
mod http;
mod locker;
mod session;
mod sign_in;
mod transport;
mod vault;

pub use clock::{Clock, SystemClock};
pub use config::Config;
pub use endpoint::{Cognito, JsonRoutes, OAuth2, RefreshEndpoint, TokenPlace};
pub use error::Error;
pub use events::{EVENTS, EventKind};
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
pub use http::Peeked;
#[cfg(feature = "reqwest-middleware")]
pub use http::SessionMiddleware;
#[cfg(feature = "tower")]
pub use http::{SessionLayer, SessionService};
pub use session::{Session, SignedOut};
pub use sign_in::{CodeSignIn, DeviceSignIn};
pub use transport::{HttpOptions, HttpTransport, Transport};
pub use vault::{ChunkedVault, EncryptedFileVault, FileVault, KeyValue, Lease, MemoryVault, Vault};
#[cfg(feature = "keyring")]
pub use vault::{KeyringVault, Keystore};

/// What [`KeyValue`] hands out: bytes that are wiped when dropped.
pub use zeroize::Zeroizing;

pub use tenure_core::lineage::EndCause;
pub use tenure_core::outcome::{
    ApiAnswer, ApiVerdict, Dialect, ErrorPattern, Granted, Trouble, judge,
};
pub use tenure_core::secret::Secret;
pub use tenure_core::session::{
    AccessToken, Cause, Change, Found, Millis, Policy, Presentation, Provider, Reason, Record,
    Revocation, State, VaultFault,
};
