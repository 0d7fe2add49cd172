//! The token service: OAuth 2 / OIDC and first-party sessions over HTTP.
//!
//! ```no_run
//! # async fn run(config: tenure_server::config::Config) -> Result<(), Box<dyn std::error::Error>> {
//! let service = tenure_server::Service::open(config).await?;
//! println!("{:?}", service.store());
//! let jobs = service.spawn_jobs();
//! let router = service.router(); // serve it on a listener of your choice
//! # drop((jobs, router)); Ok(()) }
//! ```
//!
//! [`config`] is what it is told, [`Service`] what runs, [`listen`] how it meets the network.
//! [`accounts`] and [`keys`] are also what the command line uses beside a running service.
//! Rules live in `tenure-core`, records in `tenure-store`; here requests become questions to both.

pub mod accounts;
mod browser;
mod clock;
pub mod config;
mod cors;
mod endpoint;
mod error;
mod extract;
pub mod keys;
mod limit;
pub mod listen;
mod mail;
mod metrics;
mod page;
mod password;
mod random;
mod router;
mod service;
mod session;
mod state;
mod token;
mod watch;

pub use clock::{Clock, Doubt};
pub use service::{OpenError, Service};
pub use watch::shortcomings;
