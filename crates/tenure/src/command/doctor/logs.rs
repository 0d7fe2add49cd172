//! `tenure doctor logs`.

use std::cell::Cell;
use std::fs;
use std::io::{self, IsTerminal as _, Read};
use std::time::Duration;

use tenure_doctor::logs::{Analyst, LogFile};
use tokio::time::Instant;

use super::gathered::Gathered;
use super::read;
use crate::failure::Failure;
use crate::print;

/// Streams logs of any size through the analyst.
pub(crate) fn gather(files: &[String], gathered: &mut Gathered) -> Result<(), Failure> {
    if files.is_empty() {
        return Ok(());
    }
    let mut analyst = Analyst::new().at(gathered.inputs.now);
    for name in files {
        let progress = Progress::new(name);
        let shown = if name == "-" { "stdin" } else { name };
        analyst.read(shown, progress.watch(read::open(name)?));
        progress.done();
    }
    gathered.logs = analyst.finish();
    for log in &gathered.logs.files {
        for note in log.notes.iter().chain(&log.problem) {
            print::note(format_args!("note: {}: {note}", log.name));
        }
    }
    readable(&gathered.logs.files)
}

/// Something of what is not empty has to be a log; otherwise no answer about logs would be true.
fn readable(files: &[LogFile]) -> Result<(), Failure> {
    let failed =
        |log: &LogFile| log.lines == log.unread && (log.lines > 0 || log.problem.is_some());
    let read = |log: &LogFile| log.lines > log.unread;
    match files.iter().find(|log| failed(log)) {
        Some(log) if !files.iter().any(read) => Err(Failure::Usage(format!(
            "{} cannot be read as a log: {}",
            log.name,
            log.problem.as_deref().unwrap_or("it has no line of text")
        ))),
        _ => Ok(()),
    }
}

/// Between two states on a terminal, and two lines elsewhere.
const STATES: Duration = Duration::from_millis(200);
const LINES: Duration = Duration::from_secs(5);

/// How much of a file has been read, on stderr; of a file that is read at once, nothing.
struct Progress<'a> {
    name: &'a str,
    bytes: Option<u64>,
    terminal: bool,
    read: Cell<u64>,
    shown: Cell<Instant>,
    drawn: Cell<bool>,
}

impl<'a> Progress<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            name,
            bytes: fs::metadata(name)
                .ok()
                .map(|file| file.len())
                .filter(|bytes| *bytes > 0),
            terminal: io::stderr().is_terminal(),
            read: Cell::new(0),
            shown: Cell::new(Instant::now()),
            drawn: Cell::new(false),
        }
    }

    fn watch<R: Read>(&self, inner: R) -> impl Read {
        Watched {
            inner,
            progress: self,
        }
    }

    fn add(&self, bytes: usize) {
        self.read.set(self.read.get() + bytes as u64);
        let every = if self.terminal { STATES } else { LINES };
        if self.shown.get().elapsed() < every {
            return;
        }
        self.shown.set(Instant::now());
        self.drawn.set(true);
        let read = self.read.get() >> 20;
        let share = self.bytes.map_or_else(String::new, |bytes| {
            format!(", {} %", (self.read.get().min(bytes) * 100) / bytes)
        });
        let text = format!("reading {}: {read} MiB{share}", self.name);
        if self.terminal {
            print::state(text);
        } else {
            print::note(text);
        }
    }

    fn done(&self) {
        if self.terminal && self.drawn.get() {
            print::state("");
        }
    }
}

struct Watched<'p, 'a, R> {
    inner: R,
    progress: &'p Progress<'a>,
}

impl<R: Read> Read for Watched<'_, '_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.progress.add(read);
        Ok(read)
    }
}
