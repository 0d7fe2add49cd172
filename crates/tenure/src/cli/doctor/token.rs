//! `tenure doctor token`.

use clap::Args;

use super::Output;

/// `doctor token`: without `--token-file` and `--token-env` it reads stdin.
#[derive(Args, Debug)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) tokens: Tokens,
    #[command(flatten)]
    pub(crate) output: Output,
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
