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
#[command(next_help_heading = "Beliefs")]
pub(crate) struct Files {
    /// An issuer whose metadata is read, and of a Tenure service its health; may be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) discovery: Vec<String>,
    /// Read parameters, gateways and user pools of AWS, with the credentials of its command line; changes nothing
    #[arg(long)]
    pub(crate) aws: bool,
}
