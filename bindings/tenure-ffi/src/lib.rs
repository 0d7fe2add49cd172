//! The client SDK for other languages: [`tenure_client`] as Python, Kotlin and Swift see it.
//!
//! Nothing is decided here. Types become flat, durations become milliseconds, and what the other
//! language brings (a keystore, an HTTP client) becomes a [`tenure_client::KeyValue`] or a
//! [`tenure_client::Transport`].
//!
//! * [`Session`] is the one handle; its async methods run on a tokio runtime of this library, so a
//!   caller that is cancelled ends its own wait and nothing else.
//! * [`TenureError`] says what to do; [`State`] is what an interface shows.
//! * [`Vault`], [`KeyValue`] and [`Transport`] are where a program brings its own.
//!
//! The functions that other languages link to are made by UniFFI; `examples/bindgen.rs` makes the
//! sources that call them.

mod config;
mod endpoint;
mod error;
mod http;
mod runtime;
mod session;
mod sign_in;
mod state;
mod vault;

pub use config::{Config, Vault};
pub use endpoint::Endpoint;
pub use error::TenureError;
pub use http::{Header, HttpRequest, HttpResponse, Transport, TransportError};
pub use runtime::shut_down;
pub use session::{AccessToken, ApiAnswer, Session, SignedOut};
pub use sign_in::{CodeSignIn, DeviceSignIn};
pub use state::State;
pub use vault::{KeyValue, StorageError};

uniffi::setup_scaffolding!();
