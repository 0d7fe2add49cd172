//! How the answer is shown, and which exit code it has.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tenure_doctor::cause;

/// Flags of every command that gives a diagnosis.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    #[command(flatten)]
    pub(crate) form: Form,
    /// The verdict from which a cause makes the exit code 1; below it the code is 3, with never always 0
    #[arg(long, value_enum, value_name = "VERDICT", default_value_t = FailOn::Likely)]
    pub(crate) fail_on: FailOn,
    /// Leave a cause out of the verdict, by its id; may be repeated
    #[arg(long, value_name = "ID", value_parser = known)]
    pub(crate) suppress: Vec<String>,
    /// Also write what was seen to a file, as JSON without secrets, for `doctor report`
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence_out: Option<PathBuf>,
    /// Colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// A mistyped id would suppress nothing, and nobody would know.
fn known(id: &str) -> Result<String, String> {
    let id = id.to_uppercase();
    match cause::by_id(&id) {
        Some(_) => Ok(id),
        None => Err("there is no such cause; see: tenure doctor explain --all".to_owned()),
    }
}

/// Which form; for people where none is asked for.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags, of which the group lets one be given"
)]
pub(crate) struct Form {
    /// Print JSON (docs/doctor.schema.json)
    #[arg(long)]
    pub(crate) json: bool,
    /// Print SARIF 2.1.0
    #[arg(long)]
    pub(crate) sarif: bool,
    /// Print JUnit XML
    #[arg(long)]
    pub(crate) junit: bool,
    /// Print Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}

impl Form {
    /// Whether none is asked for.
    pub(crate) fn is_for_people(&self) -> bool {
        !(self.json || self.sarif || self.junit || self.markdown)
    }
}

/// The least verdict for exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Any cause that is not ruled out
    Possible,
    /// A cause more probable than all others together
    Likely,
    /// A cause without which what was seen is impossible
    Confirmed,
    /// None: the exit code is 0 whatever is found
    Never,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
