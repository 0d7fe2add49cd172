//! The incidents that this project exists for, each under its own name: the client as its team had
//! it signs people out, the SDK in its place does not.

// Marked as tests, because there and only there helpers may `expect`.
#[cfg(test)]
mod backend;
#[cfg(test)]
#[path = "../classification/certificates.rs"]
#[expect(dead_code, reason = "the classification tests use more of it")]
mod certificates;
#[cfg(test)]
#[path = "../classification/clock.rs"]
mod clock;
#[cfg(test)]
mod fragile;
#[cfg(test)]
#[path = "../classification/http2.rs"]
#[expect(dead_code, reason = "the classification tests use more of it")]
mod http2;
#[cfg(test)]
mod i1_android_403;
#[cfg(test)]
mod i2_refresh_never_used;
#[cfg(test)]
mod i2_web;
#[cfg(test)]
mod i3_token_loss;
#[cfg(test)]
mod i5_memory_cache;
#[cfg(test)]
mod keystore;
#[cfg(test)]
#[path = "../classification/profile.rs"]
#[expect(dead_code, reason = "the classification tests use more of it")]
mod profile;
#[cfg(test)]
#[path = "../classification/service.rs"]
#[expect(dead_code, reason = "the classification tests use more of it")]
mod service;
#[cfg(test)]
#[path = "../classification/wire.rs"]
#[expect(dead_code, reason = "the classification tests use more of it")]
mod wire;
