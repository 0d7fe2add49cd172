//! One command, one file.

mod audit;
mod call;
mod completions;
mod config;
mod credential;
mod doctor;
mod exec;
mod keys;
mod login;
mod logout;
mod man;
mod profile;
mod serve;
mod status;
mod store;
mod token;
mod user;

use std::future::Future;
use std::process::ExitCode;

use crate::cli::Command;
use crate::failure::Failure;

/// Carries the command out; answers the exit code.
pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(args) => serve::serve(args),
        Command::User(args) => wait_for(user::user(args)),
        Command::Keys(args) => wait_for(keys::keys(args)),
        Command::Audit(args) => wait_for(audit::audit(args)),
        Command::Config(args) => config::config(args),
        Command::Store(args) => wait_for(store::store(args)),
        Command::Login(args) => wait_for(login::login(args)),
        Command::Status(args) => wait_for(status::status(args)),
        Command::Token(args) => wait_for(token::token(args)),
        Command::Exec(args) => return exec::exec(args),
        Command::Credential(args) => wait_for(credential::credential(args)),
        Command::Call(args) => wait_for(call::call(args)),
        Command::Logout(args) => wait_for(logout::logout(args)),
        Command::Profile(args) => profile::profile(args),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man { directory } => man::man(directory.as_deref()),
        Command::Doctor(args) => return wait_for(doctor::doctor(*args)),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn wait_for<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(command)
}
