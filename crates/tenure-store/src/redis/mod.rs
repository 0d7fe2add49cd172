//! Sessions in Redis or Valkey.

mod options;

pub use options::{RedisOptions, Wait};
