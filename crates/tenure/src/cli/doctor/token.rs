//! `tenure doctor token`.

use clap::Args;

use super::Output;

/// `doctor token`: without `--token-file` and `--token-env` it reads stdin.
#[derive(Args, Debug)]
pub(crate) struct Token {
    /// Taken only to refuse it: arguments can be seen by every user of the machine.
    #[arg(hide = true)]
    pub(crate) argument: Option<String>,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
    #[command(flatten)]
    pub(crate) verifier: Verifier,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What the verifier goes by.
#[derive(Args, Debug)]
#[command(next_help_heading = "The verifier's side")]
pub(crate) struct Verifier {
    /// Its key set
    #[arg(long, value_name = "FILE_OR_URL")]
    pub(crate) jwks: Option<String>,
    /// The issuer's metadata; the keys that it names are fetched, too
    #[arg(long, value_name = "FILE_OR_URL")]
    pub(crate) discovery: Option<String>,
    /// Its public key or certificate
    #[arg(long, value_name = "FILE")]
    pub(crate) pem: Option<String>,
    /// File with its shared secret
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<String>,
    /// Environment variable with its shared secret
    #[arg(long, value_name = "NAME")]
    pub(crate) secret_env: Option<String>,
    /// The issuer that it trusts [default: the one of --discovery]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// Its audience
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// The client that it knows [default: the audience]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
}

/// Tokens and the keys that ought to verify them. Never the token itself: arguments are visible to everybody.
#[derive(Args, Debug)]
pub(crate) struct Tokens {
    /// File with the token that the client presents; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
    /// Environment variable with that token
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    pub(crate) token_env: Option<String>,
    /// File with a kept old token of the same client
    #[arg(long, value_name = "FILE")]
    pub(crate) old_token_file: Option<String>,
    /// File with a token of another user or client
    #[arg(long, value_name = "FILE")]
    pub(crate) other_token_file: Option<String>,
    /// Keys of the verifier's side: a JWKS, a discovery document, a PEM (*.pem) or a secret (*.secret)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) keys: Vec<String>,
}
