//! `tenure doctor config`.

use clap::Args;

use super::Output;
use crate::cli::Place;

/// `doctor config`.
#[derive(Args, Debug)]
pub(crate) struct Config {
    /// The service's URL; without it only the configuration is checked
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The origin of the app's web page, which the service ought to let in
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) output: Output,
}
