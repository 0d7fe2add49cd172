//! One command, one file.

mod audit;
mod config;
mod keys;
mod serve;
mod user;

use std::future::Future;

use crate::cli::Command;
use crate::failure::Failure;

/// Carries the command out.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::serve(args),
        Command::User(args) => wait_for(user::user(args)),
        Command::Keys(args) => wait_for(keys::keys(args)),
        Command::Audit(args) => wait_for(audit::audit(args)),
        Command::Config(args) => config::config(args),
    }
}

fn wait_for(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(command)
}
