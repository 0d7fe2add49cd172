//! `cargo xtask test`: sets up what the tests need, runs every check, and counts what it had to skip.
//! `cargo xtask package`: the client SDK for other languages.

#![expect(clippy::print_stdout, reason = "a command line tool")]

mod checks;
mod package;
mod setup;
mod tests;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Tenure's own checks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set up, check format, lints, crate arrows and licences, and run every test.
    Test {
        /// The large counts: 200 kills instead of 20, and so on.
        #[arg(long)]
        full: bool,
    },
    /// Install what the tests need, and say what is missing.
    Setup,
    /// Format, lints, crate arrows and licences only.
    Check,
    /// The client SDK for another language, in `target/package`.
    Package {
        /// Which one.
        language: package::Language,
        /// Optimised, as users want it.
        #[arg(long)]
        release: bool,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    match *task {
        Task::Test { full } => {
            let missing = setup::run()?;
            checks::run()?;
            tests::run(full, &missing)
        }
        Task::Setup => {
            for name in setup::run()? {
                println!("missing: {name}");
            }
            Ok(())
        }
        Task::Check => checks::run(),
        Task::Package { language, release } => package::run(language, release),
    }
}
