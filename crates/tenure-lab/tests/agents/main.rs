//! Command lines and agents that share a session.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod day;
mod git;
mod guide;
mod processes;
mod shell;
mod sign_in;
#[path = "../support/mod.rs"]
mod support;
