//! A deployment moves to another store while its users go on, and comes back from a backup.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and print the figures that they counted"
)]

mod backup;
mod guide;
mod half;
mod kills;
mod site;
mod switch;
