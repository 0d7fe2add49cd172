//! `tenure doctor drift`.

use clap::Args;

use super::{Output, Tokens};

/// `doctor drift`.
#[derive(Args, Debug)]
pub(crate) struct Drift {
    /// Configuration files, templates and .env files
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) more: Files,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Where else beliefs are looked for.
#[derive(Args, Debug)]
pub(crate) struct Files {}
