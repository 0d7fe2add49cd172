//! Moving to and from PostgreSQL.

mod changes;
mod export;
mod import;
mod sessions;

pub(super) use self::changes::changes;
pub(super) use self::export::{count, page};
pub(super) use self::import::import;
