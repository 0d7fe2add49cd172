//! `tenure man`.

use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::print;

/// Prints the program's page, or writes `tenure.1`, `tenure-serve.1` and so on into a directory.
pub(crate) fn man(directory: Option<&Path>) -> Result<(), Failure> {
    if let Some(directory) = directory {
        return write(directory).map_err(|error| {
            let directory = directory.display();
            Failure::Usage(format!("{directory} cannot be written: {error}"))
        });
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(print::bytes(&page)?)
}

fn write(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), directory)
}
