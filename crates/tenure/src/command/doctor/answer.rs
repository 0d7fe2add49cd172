//! The one place that shows a diagnosis and decides the exit code.

use std::process::ExitCode;

use tenure_doctor::{Diagnosis, Evidence, Outcome, Verdict, diagnose};

use crate::cli::doctor::{FailOn, Output};
use crate::failure::Failure;
use crate::print;

/// Diagnoses, prints, writes the evidence where that was asked for; answers the exit code.
pub(crate) fn answer(evidence: &Evidence, output: &Output) -> Result<ExitCode, Failure> {
    if let Some(path) = &output.evidence_out {
        std::fs::write(path, serde_json::to_string_pretty(evidence)?)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    }
    let diagnosis = diagnose(evidence);
    print::line(format_args!("{:?}", diagnosis.outcome))?;
    Ok(ExitCode::from(code(&diagnosis, output.fail_on)))
}

/// 0 healthy, 1 a cause found, 3 undecided at the level asked for.
fn code(diagnosis: &Diagnosis, fail_on: FailOn) -> u8 {
    let least = match fail_on {
        FailOn::Possible => Verdict::Possible,
        FailOn::Likely => Verdict::Likely,
        FailOn::Confirmed => Verdict::Confirmed,
        FailOn::Never => return 0,
    };
    let found = diagnosis
        .ranked
        .iter()
        .any(|ranked| ranked.verdict >= least);
    match diagnosis.outcome {
        _ if found => 1,
        Outcome::Healthy => 0,
        Outcome::Found | Outcome::Undecided => 3,
    }
}
