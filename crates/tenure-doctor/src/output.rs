//! The diagnosis in the forms that people and programs read. Functions of their arguments.

mod causes;
mod counts;
mod facts;
mod human;
mod json;
mod junit;
mod markdown;
mod page;
mod plain;
mod sarif;
mod words;

pub use causes::{list, pages};
pub use facts::{Table, tables};
pub use human::{Look, human};
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use page::page;
pub use sarif::sarif;

pub(crate) use counts::{looked_at, not_looked_at};
pub(crate) use markdown::{grid, inline, said};
pub(crate) use plain::plain;
pub(crate) use words::{answered, command, failure, headline, layer, share, time, verdict};
