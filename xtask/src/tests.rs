//! Every test, with its skips counted.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs the tests of the workspace and of the bench; prints one line that sums them up.
///
/// Cargo builds the programs that tests start, the binary and the examples, before the first test.
pub(crate) fn run(full: bool, missing: &[&str]) -> Result<()> {
    let skips = std::env::current_dir()?.join("target/skipped-tests");
    std::fs::write(&skips, "")?;
    let mut total = Count::default();
    for arguments in [
        &["test", "--workspace", "--no-fail-fast"][..],
        // What asks AWS is not in a default build.
        &[
            "test",
            "--package",
            "tenure",
            "--features",
            "aws",
            "--test",
            "doctor_drift",
            "--no-fail-fast",
        ][..],
        &[
            "test",
            "--manifest-path",
            "bench/Cargo.toml",
            // What both workspaces need is built once.
            "--target-dir",
            "target",
            "--no-fail-fast",
        ][..],
    ] {
        let mut command = Command::new("cargo");
        command
            .args(arguments)
            .env("TENURE_SKIPS", &skips)
            .env("TENURE_BUILT", "1");
        if full {
            command.env("TENURE_FULL", "1");
        }
        println!("$ cargo {}", arguments.join(" "));
        total.add(&watch(&mut command)?);
    }
    let skipped = std::fs::read_to_string(&skips)?;
    for line in skipped.lines() {
        println!("skipped: {line}");
    }
    if !missing.is_empty() {
        println!("missing on this machine: {}", missing.join(", "));
    }
    let Count {
        passed,
        failed,
        broken,
    } = total;
    println!(
        "{passed} passed, {failed} failed, {} skipped",
        skipped.lines().count()
    );
    if failed > 0 || broken {
        bail!("tests failed");
    }
    Ok(())
}

#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    /// A test program did not build or did not finish.
    broken: bool,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.broken |= other.broken;
    }
}

/// Shows the output as it comes and adds up cargo's result lines.
fn watch(command: &mut Command) -> Result<Count> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("no output to read")?;
    let mut count = Count::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some(result) = line.strip_prefix("test result: ") {
            count.passed += before(result, " passed");
            count.failed += before(result, " failed");
        }
    }
    count.broken = !child.wait()?.success();
    Ok(count)
}

/// The number in front of `word`, as in `12 passed`.
fn before(result: &str, word: &str) -> u64 {
    let number = result
        .split(word)
        .next()
        .and_then(|text| text.split(' ').next_back());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}
