//! `tenure doctor config`.

use clap::Args;

use super::Output;
use crate::cli::Place;

/// `doctor config`.
#[derive(Args, Debug)]
pub(crate) struct Config {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) output: Output,
}
