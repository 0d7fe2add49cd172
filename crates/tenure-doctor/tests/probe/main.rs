//! The probe engine against real sockets.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod failures;
mod plan;
mod play;
mod requests;
mod server;
mod tokens;
