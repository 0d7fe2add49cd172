//! `tenure doctor report`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use tenure_doctor::report::{Report, merge};
use tenure_doctor::{Evidence, diagnose};

use super::answer::write;
use super::gathered::Gathered;
use crate::cli::doctor;
use crate::failure::Failure;
use crate::print;

/// Writes the incident document. From collected evidence alone nothing is asked of anybody.
pub(crate) async fn report(
    args: doctor::Report,
    mut gathered: Gathered,
) -> Result<ExitCode, Failure> {
    let mut all = Vec::new();
    for path in &args.evidence {
        all.push(collected(path)?);
    }
    Box::pin(super::gather(args.sources, &mut gathered)).await?;
    let now = gathered.evidence();
    if now.looked_at_anything() || !now.keys.is_empty() || !now.unread.is_empty() {
        all.push(now);
    }
    if all.is_empty() {
        return Err(Failure::Usage(
            "name files that --evidence-out wrote, or give something to look at; see: tenure doctor report --help"
                .to_owned(),
        ));
    }
    let evidence = merge(all);
    let report = Report::new(&args.title, &diagnose(&evidence), &evidence);
    let text = if args.html {
        report.html()?
    } else {
        report.markdown()?
    };
    match &args.out {
        Some(path) => write(path, &text)?,
        None => print::bytes(text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The evidence that `--evidence-out` wrote, or that is part of what `--json` printed.
fn collected(path: &Path) -> Result<Evidence, Failure> {
    let wrong = |why: String| Failure::Usage(format!("{} {why}", path.display()));
    let text = super::read::text(&path.to_string_lossy())?;
    let mut value: Value = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("is not JSON (line {})", error.line())))?;
    if let Some(within) = value.get_mut("evidence") {
        value = within.take();
    }
    // Each member may be absent by its type, so that any object would do.
    if value.get("now").is_none() || value.get("exchanges").is_none() {
        return Err(wrong("is not what --evidence-out writes".to_owned()));
    }
    // What serde says would quote the file.
    serde_json::from_value(value)
        .map_err(|_| wrong("is not what this version's --evidence-out writes".to_owned()))
}
