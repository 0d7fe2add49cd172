//! Measures how many refreshes per second a token service carries, and what each costs it.
//!
//! - [`load`] is a closed-loop generator for the `refresh_token` grant of any OAuth 2 token endpoint
//!   (binary `refresh-load`);
//! - [`services`] starts Tenure and the peer, each with its store, on free loopback ports;
//! - [`comparison`] turns the reports of both into ratios and goals (binary `bench-compare`).
//!
//! The generator shares the machine with what it measures, so it is one thread with hand-made
//! HTTP/1.1 ([`http`]): absolute figures move with the machine, ratios in one run are what counts.

pub mod comparison;
pub mod cpu;
pub mod http;
pub mod load;
pub mod services;
