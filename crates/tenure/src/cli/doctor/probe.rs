//! `tenure doctor probe`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::{Output, Tokens};

/// `doctor probe`: sends GET, HEAD and OPTIONS only, and the token to no other host, unless told so.
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

/// What the client requests, beside the URL, and how it is probed.
#[derive(Args, Debug)]
#[command(next_help_heading = "Probes")]
pub(crate) struct Request {
    /// The method that the client uses
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// Send the method of --method even though it may change something
    #[arg(long)]
    pub(crate) allow_unsafe: bool,
    /// The origin of the web page that sends the request
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// The token issuer's URL; it may be asked about the token [default: the token's own `iss`, for public documents only]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// A further header field of the client, `Name: value`; secrets belong into --header-file
    #[arg(long, value_name = "FIELD")]
    pub(crate) header: Vec<String>,
    /// File with further header fields of the client, one on a line
    #[arg(long, value_name = "FILE")]
    pub(crate) header_file: Option<String>,
    /// The header field in which the client carries the token
    #[arg(long, value_name = "NAME", default_value = "authorization")]
    pub(crate) token_header: String,
    /// What the client puts before the token
    #[arg(long, value_name = "TEXT", default_value = "Bearer ")]
    pub(crate) token_prefix: String,
    /// Another endpoint of the same API; the token is sent there
    #[arg(long, value_name = "URL")]
    pub(crate) other_endpoint: Option<String>,
    /// An endpoint that answers with the header fields that reached it; the token is sent there
    #[arg(long, value_name = "URL")]
    pub(crate) echo: Option<String>,
    /// The address of the service behind its proxies, `IP:PORT`
    #[arg(long, value_name = "ADDR")]
    pub(crate) direct: Option<SocketAddr>,
    /// A host besides the URL's own to which a redirect may carry the token; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,
    /// Refresh, which uses a rotating token up: a JSON file with url, form or json, and token_field
    #[arg(long, value_name = "FILE")]
    pub(crate) burn_refresh: Option<String>,
    /// Ask the introspection endpoint: a JSON file with url, client_id and client_secret
    #[arg(long, value_name = "FILE")]
    pub(crate) introspection: Option<String>,
    /// Requests at most, redirects included
    #[arg(long, value_name = "N", default_value_t = tenure_doctor::probe::BUDGET)]
    pub(crate) budget: usize,
    /// Time for one request
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: std::time::Duration,
    /// Certificates (PEM) to trust besides those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}
