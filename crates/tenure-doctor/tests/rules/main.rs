//! Each set of signs that settles a cause, and the most similar evidence that must not.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod adversary;
mod browsed;
mod client;
mod edge;
mod ended;
mod framework;
mod gates;
mod gateway;
mod races;
mod rights;
mod session;
mod support;
mod tenure;
mod transcripts;
mod verifier;
mod verifier_twins;
mod verifier_words;
