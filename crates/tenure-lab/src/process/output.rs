//! The lines a program has written, and waiting for one of them.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use parking_lot::{Condvar, Mutex};

/// The lines of a program's stdout and stderr, in the order they arrived. A cheap clone.
#[derive(Debug, Clone, Default)]
pub struct Output(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Heard {
    lines: Vec<String>,
    open_streams: usize,
}

impl Output {
    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.heard.lock().lines.clone()
    }

    /// Whether a line so far contains `text`.
    pub fn contains(&self, text: &str) -> bool {
        self.0
            .heard
            .lock()
            .lines
            .iter()
            .any(|line| line.contains(text))
    }

    /// The first line that contains `text`, waiting for it if it has not been written yet.
    ///
    /// # Errors
    /// When the program closes its output first, or the deadline passes; with its output.
    pub fn wait_for(&self, text: &str, deadline: Duration) -> anyhow::Result<String> {
        self.wait_for_since(0, text, deadline)
    }

    /// [`wait_for`](Self::wait_for) among the lines from number `since` (counted from 0) on.
    pub(crate) fn wait_for_since(
        &self,
        since: usize,
        text: &str,
        deadline: Duration,
    ) -> anyhow::Result<String> {
        let find = |heard: &Heard| {
            heard
                .lines
                .iter()
                .skip(since)
                .find(|line| line.contains(text))
                .cloned()
        };
        let mut heard = self.0.heard.lock();
        let pending = |heard: &mut Heard| find(heard).is_none() && heard.open_streams > 0;
        let waited = self.0.changed.wait_while_for(&mut heard, pending, deadline);
        if let Some(line) = find(&heard) {
            return Ok(line);
        }
        let why = if waited.timed_out() {
            "in time"
        } else {
            "before it closed its output"
        };
        let said = heard.lines.join("\n");
        bail!("the program did not say {text:?} {why}; it said:\n{said}")
    }

    /// Waits until the program and everybody it passed its output to have closed it.
    pub(super) fn wait_for_end(&self, deadline: Duration) -> anyhow::Result<()> {
        let mut heard = self.0.heard.lock();
        let open = |heard: &mut Heard| heard.open_streams > 0;
        if self
            .0
            .changed
            .wait_while_for(&mut heard, open, deadline)
            .timed_out()
        {
            bail!("somebody keeps the ended program's output open");
        }
        Ok(())
    }

    /// Collects the two streams in the background; returns the number of lines heard before.
    pub(super) fn follow(
        &self,
        stdout: Option<impl Read + Send + 'static>,
        stderr: Option<impl Read + Send + 'static>,
    ) -> anyhow::Result<usize> {
        let heard = self.0.heard.lock().lines.len();
        if let Some(stream) = stdout {
            self.collect(stream)?;
        }
        if let Some(stream) = stderr {
            self.collect(stream)?;
        }
        Ok(heard)
    }

    fn collect(&self, stream: impl Read + Send + 'static) -> anyhow::Result<()> {
        let shared = Arc::clone(&self.0);
        shared.heard.lock().open_streams += 1;
        std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    shared.heard.lock().lines.push(line);
                    shared.changed.notify_all();
                }
                shared.heard.lock().open_streams -= 1;
                shared.changed.notify_all();
            })?;
        Ok(())
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .heard
            .lock()
            .lines
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}
