//! Every store passes the same cases, on the servers that it is made for.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod histories;
mod postgres;
mod redis;
mod restored;
mod session_log;
