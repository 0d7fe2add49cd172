//! What real services and networks answer, and what the SDK makes of it: over real sockets, with
//! the session opened on a vault in a file.

// Marked as tests, because there and only there helpers may `expect`.
#[cfg(test)]
mod api;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod service;
#[cfg(test)]
mod wire;
