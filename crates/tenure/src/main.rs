//! `tenure`: the service, its administration, and a signed-in command line, in one program.

mod beside;
mod cli;
mod command;
mod failure;
mod log;
mod password;
mod print;
mod profile;
mod time;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;

// glibc's allocator stood out in the profile of a refresh; see bench/README.md for how to take one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match command::run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::failure(&failure);
            failure.code()
        }
    }
}
