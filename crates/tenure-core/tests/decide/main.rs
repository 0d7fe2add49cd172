//! The rule of refresh-token rotation, line by line: each test fails where its line is missing.

#![expect(
    clippy::unwrap_used,
    reason = "a scene that cannot be set up fails its test"
)]

mod adoption;
mod head;
mod refusals;
mod reuse;
mod scene;
