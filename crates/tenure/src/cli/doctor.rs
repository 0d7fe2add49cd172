//! `tenure doctor`: from a 401, a 403 or a forced sign-out to its cause.

use clap::{Args, Subcommand};

mod config;
mod drift;
mod explain;
mod logs;
mod output;
mod probe;
mod report;
mod token;

pub(crate) use config::Config;
pub(crate) use drift::{Drift, Files};
pub(crate) use explain::Explain;
pub(crate) use logs::Logs;
pub(crate) use output::{Color, FailOn, Output};
pub(crate) use probe::{Probe, Request};
pub(crate) use report::Report;
pub(crate) use token::{Token, Tokens, Verifier};

/// `doctor`.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "Without a command, everything that is given is looked at together:\n  \
                  tenure doctor --token-file token.txt --url https://api.example.com/me --files .env template.yaml --logs app.log\n\
                  Exit codes: 0 healthy, 1 a cause found, 2 wrong usage or an input that cannot be read, 3 undecided."
)]
pub(crate) struct Doctor {
    #[command(subcommand)]
    pub(crate) what: Option<Examine>,
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Examine {
    /// Take a token apart, verify it, and say what verifiers would answer
    Token(Token),
    /// Send requests that differ in one thing each, and compare the answers
    Probe(Probe),
    /// Compare what the places that know issuer, audience, client, keys and secrets believe
    Drift(Drift),
    /// Read logs and HAR files of any size
    Logs(Logs),
    /// Look at a Tenure deployment: its configuration and its health
    Config(Config),
    /// Write the incident document, from collected evidence or from what is given now
    Report(Report),
    /// Explain a cause by its id
    Explain(Explain),
}

/// Everything that can be looked at; each may be absent.
#[derive(Args, Debug)]
pub(crate) struct Sources {
    #[command(flatten)]
    pub(crate) tokens: Tokens,
    /// The URL that the client requests
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) request: Request,
    /// Configuration files, templates and .env files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) more_files: Files,
    /// Log files and HAR files; `-` is stdin
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) logs: Vec<String>,
}
