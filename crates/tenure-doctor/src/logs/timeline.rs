//! The timeline, for a terminal and as a picture.

mod lanes;
mod svg;
mod text;

pub use self::svg::svg;
pub use self::text::text;
