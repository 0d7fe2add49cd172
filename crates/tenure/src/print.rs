//! Everything that the program says on stdout and stderr, the log excepted.

use std::fmt::Display;
use std::io::{self, Write as _};

use crate::failure::Failure;

/// One line for the user, or for the next program of a pipe.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    // A waiting test or supervisor reads the line now, not when a buffer is full.
    stdout.flush()
}

/// Bytes for the next program of a pipe, as they are.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Rows under a heading, in columns.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let head = head.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let width = |column: usize| {
        let cell = |row: &[String; N]| row.get(column).map_or(0, |cell| cell.chars().count());
        all().map(cell).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    for row in all() {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Something for the user to know; stdout belongs to the result.
pub(crate) fn note(text: impl Display) {
    // Without a stderr there is nobody to tell.
    let _gone = writeln!(io::stderr().lock(), "{text}");
}

/// Replaces the last line of a terminal.
pub(crate) fn state(text: impl Display) {
    let mut stderr = io::stderr().lock();
    // Back to the first column, and what stood there is erased (ECMA-48, EL).
    let _gone = write!(stderr, "\r{text}\x1b[K").and_then(|()| stderr.flush());
}

/// Why the command failed.
pub(crate) fn failure(failure: &Failure) {
    for line in failure.to_string().lines() {
        note(format_args!("error: {line}"));
    }
}
