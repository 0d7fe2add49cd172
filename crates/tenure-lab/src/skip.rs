//! Tests that cannot run here say so, and are counted.

use std::fs::OpenOptions;
use std::io::Write;

/// Prints `SKIP: WHY`, and adds the line to the file named by `TENURE_SKIPS`, from which
/// `cargo xtask test` counts.
///
/// # Errors
/// When that file cannot be written: an uncounted skip must not pass for a test.
#[expect(
    clippy::print_stdout,
    reason = "a skip is told where the test's result is read"
)]
pub fn skip(why: &str) -> anyhow::Result<()> {
    println!("SKIP: {why}");
    if let Some(path) = std::env::var_os("TENURE_SKIPS") {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{why}")?;
    }
    Ok(())
}
