//! Whatever is sent: the right refusal, told well, and the session goes on (checklist item R22).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod access;
mod bench;
mod client;
mod form;
mod json;
mod refresh_token;
