//! `tenure doctor explain`.

use std::process::ExitCode;

use tenure_doctor::cause;

use crate::cli::doctor::Explain;
use crate::failure::Failure;
use crate::print;

/// Prints the page of a cause, or the list of all.
pub(crate) fn explain(args: &Explain) -> Result<ExitCode, Failure> {
    let Some(id) = &args.id else {
        for cause in cause::all() {
            print::line(format_args!("{}  {}", cause.id, cause.title))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let cause = cause::by_id(id).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no cause {id}; see: tenure doctor explain --all"
        ))
    })?;
    print::line(cause.story)?;
    Ok(ExitCode::SUCCESS)
}
