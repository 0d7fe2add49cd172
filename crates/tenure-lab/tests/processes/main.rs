//! Many processes over one vault: one of them refreshes, and whatever stops or kills it, at
//! whatever step, all of them stay signed in.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and print the figures that they counted"
)]

mod child;
mod fleet;
mod kill_points;
mod rounds;
mod service;
mod sign_outs;
mod single_flight;
mod stops;
mod strict;
#[path = "../support/mod.rs"]
mod support;
mod unsynced;
