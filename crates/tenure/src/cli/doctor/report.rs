//! `tenure doctor report`.

use std::path::PathBuf;

use clap::Args;

use super::Sources;

/// `doctor report`: exit code 0 when it is written, whatever is in it.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 written, 2 wrong usage or an input that cannot be read.")]
pub(crate) struct Report {
    /// What --evidence-out wrote or --json printed; several are put together
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// One HTML page in place of Markdown
    #[arg(long)]
    pub(crate) html: bool,
    /// What the incident is called
    #[arg(long, value_name = "TEXT", default_value = "Users are turned away")]
    pub(crate) title: String,
    /// Where to write it [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
