//! `tenure doctor report`.

use std::process::ExitCode;

use super::gathered::Gathered;
use crate::cli::doctor::Report;
use crate::failure::Failure;
use crate::print;

/// Writes the incident document.
pub(crate) async fn report(args: Report, mut gathered: Gathered) -> Result<ExitCode, Failure> {
    super::gather(args.sources, &mut gathered).await?;
    let evidence = gathered.evidence();
    print::line(serde_json::to_string_pretty(&evidence)?)?;
    Ok(ExitCode::SUCCESS)
}
