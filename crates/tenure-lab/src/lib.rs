//! Breaks Tenure on purpose, from outside.
//!
//! - [`process`]: a program under test, started on a loopback port, killed, stopped, restarted.
//! - [`proxy`]: a reverse proxy that loses, delays, doubles and cuts answers by script.
//! - [`disk`]: a file system that loses what was not synced.
//! - [`canary`]: a search for secrets in whatever a test left behind, in any encoding.
//! - [`chromium`]: a real browser, with or without JavaScript.
//! - [`actor`]: OAuth and first-party clients that sign in and refresh over HTTP.
//! - [`foreign`]: npm `openid-client` and `curl`, which know nothing of this project.
//! - [`deployment`]: the service behind the fault proxy, as most tests want it.
//! - [`postgres`]: real PostgreSQL servers, killed, promoted, lagging.
//! - [`redis`]: Redis and Valkey servers, alone, with Sentinels, as a Cluster.
//! - [`round_robin`], [`servers`]: several servers over one store behind a balancer.
//! - [`crowd`]: many users who refresh at once, and what they met.
//! - [`skip`](skip()): tests that cannot run here are counted.
//!
//! Nothing here knows the service's code: it speaks HTTP, signals and files. Simulated time and
//! the comparison of rotation policies are not part of this crate yet.

pub mod actor;
pub mod canary;
pub mod chromium;
pub mod crowd;
pub mod deployment;
pub mod disk;
pub mod foreign;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod round_robin;
pub mod servers;
mod skip;
mod steered;

pub use self::skip::skip;
