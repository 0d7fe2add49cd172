//! `tenure doctor explain`.

use clap::Args;

/// `doctor explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The cause, such as TN0101
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) id: Option<String>,
    /// List every cause: its id and title
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    /// With --all: the page of every cause, as Markdown (docs/causes.md)
    #[arg(long, requires = "all")]
    pub(crate) markdown: bool,
}
