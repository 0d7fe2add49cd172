//! Signing and MAC keys: sealed at rest, rotated by [`tenure_core::keyset::due`], re-read while running.

mod jwt;
mod ring;
mod seal;

pub use jwt::SignError;
pub use ring::{KeyRing, RotateError, rotate};
pub use seal::Master;
