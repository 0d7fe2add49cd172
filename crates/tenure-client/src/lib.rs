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
//! * [`Vault`] keeps the session between two runs: [`FileVault`], and [`MemoryVault`] for tests.
//! * [`Transport`], [`Clock`] and [`RefreshEndpoint`] are the seams to the outside: HTTP, time, and
//!   the dialect of the service.
//!
//! What it rests on: one refresh at a time across tasks and processes, in a task of its own that no
//! caller can cancel; the idempotency key is stored before the refresh token is sent, and the answer
//! before it is used; and nothing but the service's own word about the token ends a session.
//!
//! It does not verify tokens, does not keep ID tokens, holds one session per vault, knows public
//! clients only, and runs on tokio only. Secrets are wiped where this crate keeps them; the buffers of
//! HTTP and TLS are beyond its reach.

mod call;
mod clock;
mod config;
mod discovery;
mod driver;
mod endpoint;
mod error;
mod failpoint;
mod locker;
mod notes;
mod session;
mod sign_in;
mod transport;
mod vault;

pub use clock::{Clock, SystemClock};
pub use config::Config;
pub use endpoint::{OAuth2, RefreshEndpoint};
pub use error::Error;
pub use session::{Session, SignedOut};
pub use sign_in::CodeSignIn;
pub use transport::{HttpOptions, HttpTransport, Transport};
pub use vault::{ChunkedVault, FileVault, KeyValue, Lease, MemoryVault, Vault};

/// What [`KeyValue`] hands out: bytes that are wiped when dropped.
pub use zeroize::Zeroizing;

pub use tenure_core::lineage::EndCause;
pub use tenure_core::outcome::{Dialect, ErrorPattern, Granted, Trouble};
pub use tenure_core::secret::Secret;
pub use tenure_core::session::{
    AccessToken, Cause, Change, Found, Millis, Policy, Presentation, Provider, Reason, Record,
    Revocation, State, VaultFault,
};
