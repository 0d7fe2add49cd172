//! Bad input to the choice of a store, against real servers: one clear line with the fix and exit
//! code 2 at start, 503 with Retry-After at run time, and never a password.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod bench;
mod clock;
mod command;
mod postgres;
mod redis;
mod running;
