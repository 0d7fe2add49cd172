//! `tenure doctor explain`.

use clap::Args;

/// `doctor explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The cause, such as TN0101
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) id: Option<String>,
    /// List every cause
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    /// Print Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}
