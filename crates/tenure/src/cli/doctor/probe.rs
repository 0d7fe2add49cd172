//! `tenure doctor probe`.

use clap::Args;

use super::{Output, Tokens};

/// `doctor probe`.
#[derive(Args, Debug)]
pub(crate) struct Probe {
    /// The URL that the client requests
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) request: Request,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What the client requests, beside the URL.
#[derive(Args, Debug)]
pub(crate) struct Request {
    /// The method that the client uses
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// The origin of the web page that sends the request
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// The token issuer's URL
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
}
