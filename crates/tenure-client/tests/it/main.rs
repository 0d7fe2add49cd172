//! The SDK against a service of its own, over real sockets and files.

// Marked as tests, because there and only there helpers may `expect`.
#[cfg(test)]
mod backend;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod events;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod layer;
#[cfg(test)]
mod locked;
#[cfg(test)]
mod middleware;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod service;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod sign_ins;
#[cfg(test)]
mod sign_outs;
#[cfg(test)]
mod waits;
