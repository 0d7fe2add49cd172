//! `tenure doctor explain`.

use std::process::ExitCode;

use tenure_doctor::cause::{self, FAMILIES};
use tenure_doctor::output;

use crate::cli::doctor::Explain;
use crate::failure::Failure;
use crate::print;

/// Prints the page of a cause, or all of them.
pub(crate) fn explain(args: &Explain) -> Result<ExitCode, Failure> {
    let text = match &args.id {
        Some(id) => {
            let cause = cause::by_id(&id.to_uppercase()).ok_or_else(|| {
                Failure::Usage(format!(
                    "there is no cause {id}; see: tenure doctor explain --all"
                ))
            })?;
            output::page(cause)
        }
        None if args.markdown => output::pages(FAMILIES),
        None => output::list(cause::all()),
    };
    print::bytes(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
