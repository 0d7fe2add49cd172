//! The one place that shows a diagnosis and decides the exit code.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use tenure_doctor::output::{self, Look};
use tenure_doctor::{Diagnosis, Evidence, Outcome, Verdict, diagnose};

use crate::cli::doctor::{Color, FailOn, Output};
use crate::failure::Failure;
use crate::print;

/// Diagnoses, prints, writes the evidence where that was asked for; answers the exit code.
pub(crate) fn answer(evidence: &Evidence, output: &Output) -> Result<ExitCode, Failure> {
    keep(evidence, output)?;
    let mut diagnosis = diagnose(evidence);
    diagnosis.suppress(&output.suppress);
    print::bytes(shown(&diagnosis, evidence, output)?.as_bytes())?;
    Ok(ExitCode::from(code(&diagnosis, output.fail_on)))
}

/// Writes the evidence where that was asked for.
fn keep(evidence: &Evidence, output: &Output) -> Result<(), Failure> {
    match &output.evidence_out {
        Some(path) => write(path, &serde_json::to_string_pretty(evidence)?),
        None => Ok(()),
    }
}

/// Writes a file that was asked for.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        let path = path.display();
        Failure::Usage(format!("{path} cannot be written: {error}"))
    })
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

fn shown(diagnosis: &Diagnosis, evidence: &Evidence, output: &Output) -> Result<String, Failure> {
    let form = &output.form;
    Ok(if form.json {
        output::json(diagnosis, evidence)? + "\n"
    } else if form.sarif {
        output::sarif(diagnosis, evidence) + "\n"
    } else if form.junit {
        output::junit(diagnosis, evidence)?
    } else if form.markdown {
        output::markdown(diagnosis, evidence)
    } else {
        output::human(diagnosis, evidence, look(output.color))
    })
}

/// Columns of a line that is not read on a terminal.
const UNKNOWN_WIDTH: usize = 100;

fn look(color: Color) -> Look {
    let terminal = io::stdout().is_terminal();
    // https://no-color.org: set to anything but the empty text.
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Look {
        width: columns().unwrap_or(UNKNOWN_WIDTH),
        color: match color {
            Color::Auto => terminal && !refused && !dumb,
            Color::Always => true,
            Color::Never => false,
        },
    }
}

/// `COLUMNS`, or what the terminal says.
fn columns() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok();
    let told = told.and_then(|columns| columns.parse().ok());
    let asked = || rustix::termios::tcgetwinsize(io::stdout()).ok();
    told.or_else(|| Some(usize::from(asked()?.ws_col)))
        .filter(|columns| *columns > 0)
}
