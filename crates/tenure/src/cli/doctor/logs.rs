//! `tenure doctor logs`.

use clap::Args;

use super::Output;

/// `doctor logs`.
#[derive(Args, Debug)]
pub(crate) struct Logs {
    /// Log files and HAR files; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}
