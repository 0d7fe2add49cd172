//! Plays labelled cases and prints how well they are diagnosed: `measure [--list|--json] FILE…`, each a case
//! (`.json`), a folder of them, or many (`.jsonl.gz`, one a line). Exit code 1 where a goal is missed.
//!
//! `--list` names what went wrong; `--json` prints each whole diagnosis instead, so that two states of the
//! rules can be compared.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::bufread::MultiGzDecoder;
use tenure_doctor::case::{Case, Judged, Tally, measure};
use tenure_doctor::output;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failed> {
    let (flags, files): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let flag = flags.first().map(String::as_str);
    if files.is_empty() || flags.len() > 1 || !matches!(flag, None | Some("--list" | "--json")) {
        return Err("usage: measure [--list|--json] CASE.json|FOLDER|CASES.jsonl.gz…".into());
    }
    let mut cases = Vec::new();
    for file in &files {
        read(Path::new(file), &mut cases)?;
    }
    if cases.is_empty() {
        return Err("there is no case to measure by".into());
    }
    let mut out = std::io::stdout().lock();
    if flag == Some("--json") {
        return diagnoses(&mut out, &cases);
    }
    let judged = measure(&cases);
    print(&mut out, &judged)?;
    if flag == Some("--list") {
        list(&mut out, &judged)?;
    }
    let missed = Tally::of(&judged).goals().into_iter().any(|goal| !goal.met);
    Ok(ExitCode::from(u8::from(missed)))
}

fn read(path: &Path, cases: &mut Vec<Case>) -> Result<(), Failed> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    if path.is_dir() {
        let mut files: Vec<PathBuf> = path
            .read_dir()?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
        files.sort();
        return files.iter().try_for_each(|file| read(file, cases));
    }
    let file = BufReader::new(File::open(path).map_err(|error| named(&error))?);
    if path.extension().is_some_and(|ending| ending == "gz") {
        for line in BufReader::new(MultiGzDecoder::new(file)).lines() {
            cases.push(serde_json::from_str(&line?).map_err(|error| named(&error))?);
        }
    } else {
        cases.push(serde_json::from_reader(file).map_err(|error| named(&error))?);
    }
    Ok(())
}

fn diagnoses(out: &mut impl Write, cases: &[Case]) -> Result<ExitCode, Failed> {
    for case in cases {
        let played = case.play();
        let answer = output::json(&played.diagnosis, &played.evidence)?;
        writeln!(out, "{}\n{answer}", case.id)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut impl Write, judged: &[Judged]) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<10} {:>5} {:>11} {:>11} {:>8} {:>11} {:>7} {:>6} {:>8}",
        "family", "cases", "top-1", "top-3", "wrong C.", "Confirmed", "false", "called", "requests"
    )?;
    writeln!(
        out,
        "{:<10} {:>5} {:>11} {:>11} {:>8} {:>11} {:>7} {:>6} {:>8}",
        "", "", "", "", "", "of settling", "healthy", "sick", "mean"
    )?;
    for (family, tally) in Tally::by_family(judged) {
        row(out, family, &tally)?;
    }
    let whole = Tally::of(judged);
    row(out, "all", &whole)?;
    for goal in whole.goals() {
        writeln!(
            out,
            "{:<6} {}",
            if goal.met { "met" } else { "MISSED" },
            goal.says
        )?;
    }
    Ok(())
}

fn row(out: &mut impl Write, name: &str, tally: &Tally) -> std::io::Result<()> {
    let part = |part: usize, whole: usize| match (part * 100).checked_div(whole) {
        Some(percent) => format!("{part}/{whole} {percent:>3}%"),
        None => "-".to_owned(),
    };
    let tenths = (tally.requests * 10).checked_div(tally.probed).unwrap_or(0);
    writeln!(
        out,
        "{name:<10} {:>5} {:>11} {:>11} {:>8} {:>11} {:>7} {:>6} {:>6}.{}",
        tally.cases,
        part(tally.top_1, tally.sick),
        part(tally.top_3, tally.sick),
        tally.wrong_confirmed,
        part(tally.settled, tally.settling),
        tally.false_healthy,
        tally.called_sick,
        tenths / 10,
        tenths % 10,
    )
}

fn list(out: &mut impl Write, judged: &[Judged]) -> std::io::Result<()> {
    for case in judged {
        let complaints = case.complaints();
        if complaints.is_empty() {
            continue;
        }
        let ranked = case
            .ranked
            .iter()
            .take(5)
            .map(|(id, verdict, share)| format!("{id} {verdict:?} {share:.2}"));
        writeln!(
            out,
            "{}: {}; expected {}; {:?}: {}",
            case.id,
            complaints.join(", "),
            case.expected.join(" "),
            case.outcome,
            ranked.collect::<Vec<_>>().join(", "),
        )?;
    }
    Ok(())
}
