//! Real Redis and Valkey servers fail under a real service: nobody is signed out, nobody comes back.
//!
//! Each test prints what Redis itself had lost, as it was before any Tenure server saw it again: that
//! is the control, without which surviving would mean nothing.

// Marked as tests, because there and only there helpers may `expect`.
#[cfg(test)]
mod bench;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod power;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod sentinel;
#[cfg(test)]
mod several;
#[cfg(test)]
mod without_line_7;
