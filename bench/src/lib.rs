//! Measures how many refreshes per second a token service carries, and what each costs it.
//!
//! - [`load`] is a closed-loop generator for the `refresh_token` grant of any OAuth 2 token endpoint
//!   (binary `refresh-load`);
//! - [`services`] starts Tenure and the peer, each with its store, on free loopback ports;
//! - [`footprint`] is what Tenure takes beside CPU, [`flood`] what a flood of sign-ins takes from it;
//! - [`comparison`] turns all of it into ratios and [`goal`]s (binary `bench-compare`).
//!
//! The generator shares the machine with what it measures, so it is one thread with hand-made
//! HTTP/1.1 ([`http`]): absolute figures move with the machine, ratios in one run are what counts.

pub mod comparison;
pub mod contents;
pub mod cpu;
pub mod disk;
pub mod flood;
pub mod footprint;
pub mod goal;
pub mod holding;
pub mod http;
pub mod load;
pub mod loaded;
pub mod memory;
pub mod services;
mod spent;
pub mod wire;
