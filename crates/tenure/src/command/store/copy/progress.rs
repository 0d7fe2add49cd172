//! How far a pass is, on stderr: a bar on a terminal, a line now and then elsewhere.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use tenure_store::Part;
use tokio::time::Instant;

use crate::{print, time};

/// Between two lines of a log, and between two states of the bar.
const LINES: Duration = Duration::from_secs(5);
const STATES: Duration = Duration::from_millis(200);

const WIDTH: u64 = 30;

/// What the current pass is at.
#[derive(Debug)]
pub(super) struct Progress {
    every: Duration,
    is_terminal: bool,
    shown: Cell<Instant>,
    pass: RefCell<Option<Pass>>,
}

#[derive(Clone, Copy, Debug)]
struct Pass {
    work: &'static str,
    part: Part,
    total: Option<u64>,
    done: u64,
    begun: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        let is_terminal = stderr().is_terminal();
        Self {
            every: if is_terminal { STATES } else { LINES },
            is_terminal,
            shown: Cell::new(Instant::now()),
            pass: RefCell::new(None),
        }
    }

    /// A pass over a part of so many records, where that is known: `work` says what it does.
    pub(super) fn begin(&self, work: &'static str, part: Part, total: Option<u64>) {
        let begun = Instant::now();
        self.shown.set(begun);
        self.pass.replace(Some(Pass {
            work,
            part,
            total,
            done: 0,
            begun,
        }));
    }

    /// So many more.
    pub(super) fn add(&self, records: usize) {
        let mut pass = self.pass.borrow_mut();
        let Some(pass) = pass.as_mut() else { return };
        pass.done += records as u64;
        if self.shown.get().elapsed() < self.every {
            return;
        }
        self.shown.set(Instant::now());
        let text = pass.text();
        if self.is_terminal {
            print::state(format_args!("{} {text}", pass.bar()));
        } else {
            print::note(text);
        }
    }

    /// The pass is over.
    pub(super) fn done(&self) {
        let Some(pass) = self.pass.take() else { return };
        if self.is_terminal {
            print::state("");
        }
        if pass.done > 0 {
            print::note(pass.text());
        }
    }
}

impl Pass {
    fn text(&self) -> String {
        let (part, work, done) = (self.part.as_str(), self.work, self.done);
        let elapsed = self.begun.elapsed().as_millis().max(1);
        let rate = u128::from(done) * 1000 / elapsed;
        match self.total {
            Some(total) if total > done && rate > 0 => {
                let left = u64::try_from(u128::from(total - done) / rate).unwrap_or(u64::MAX);
                let left = time::span(Duration::from_secs(left));
                format!("{part}: {work} {done} of {total}, {rate}/s, {left} left")
            }
            _ => format!("{part}: {work} {done}, {rate}/s"),
        }
    }

    fn bar(&self) -> String {
        let total = self.total.unwrap_or_default().max(self.done).max(1);
        let full = self.done * WIDTH / total;
        let cell = |at| if at < full { '#' } else { '.' };
        format!("[{}]", (0..WIDTH).map(cell).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure_store::Part;
    use tokio::time::Instant;

    use super::Pass;

    #[tokio::test(start_paused = true)]
    async fn a_pass_tells_its_rate_and_what_is_left() {
        let mut pass = Pass {
            work: "copied",
            part: Part::Sessions,
            total: Some(1_000_000),
            done: 250_000,
            begun: Instant::now(),
        };
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(
            pass.text(),
            "sessions: copied 250000 of 1000000, 25000/s, 30s left"
        );
        assert_eq!(pass.bar(), "[#######.......................]");
        pass.total = None;
        assert_eq!(pass.text(), "sessions: copied 250000, 25000/s");
    }
}
