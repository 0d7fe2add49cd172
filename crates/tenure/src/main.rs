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

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;

// glibc's allocator stood out in the profile of a refresh; see bench/README.md for how to take one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match command::run(Cli::parse_from(arguments()).command) {
        Ok(code) => code,
        Err(failure) => {
            print::failure(&failure);
            failure.code()
        }
    }
}

/// Names under which other programs look for their helper, with what they stand for.
const HELPERS: [(&str, &str); 2] = [
    ("docker-credential-tenure", "docker"),
    ("git-credential-tenure", "git"),
];

/// The command line; a link under a helper's name stands for `tenure credential …`.
fn arguments() -> Vec<OsString> {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let called = Path::new(&program).file_name().unwrap_or_default();
    let helper = HELPERS.iter().find(|(name, _)| called == *name);
    let expanded = helper.map_or(vec![program.clone()], |(_, kind)| {
        vec!["tenure".into(), "credential".into(), kind.into()]
    });
    expanded.into_iter().chain(arguments).collect()
}
