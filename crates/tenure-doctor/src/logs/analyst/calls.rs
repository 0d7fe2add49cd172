//! Transcripts of command-line clients among the logs.

use super::Pass;
use crate::exchange::Exchange;
use crate::logs::Browsed;
use crate::logs::called::Called;
use crate::logs::format::transcript::{self, Transcript};

/// A transcript while it is read, and the requests that it has shown. Raw; they end with the file.
pub(super) struct Calls {
    transcript: Transcript,
    all: Vec<Exchange>,
}

impl Calls {
    /// Where the file begins as a transcript does.
    pub(super) fn begin(first: &[u8]) -> Option<Self> {
        transcript::begins(first).then(|| Self {
            transcript: Transcript::default(),
            all: Vec::new(),
        })
    }
}

impl Pass<'_> {
    /// Whether the line belongs to a transcript, which is told as a whole.
    pub(super) fn call(&mut self, line: &[u8]) -> bool {
        let Some(calls) = &mut self.calls else {
            return false;
        };
        let (taken, done) = calls.transcript.line(&String::from_utf8_lossy(line));
        if let Some(done) = done {
            self.called(done);
        }
        taken
    }

    /// What the transcript shows in the end.
    pub(super) fn calls_end(&mut self) {
        let Some(calls) = &mut self.calls else {
            return;
        };
        if let Some(done) = calls.transcript.end() {
            self.called(done);
        }
        let calls = self.calls.take().map(|calls| calls.all).unwrap_or_default();
        let called = Called::of(&self.log.name, self.log.lines, &calls);
        self.analyst.called = called.or(self.analyst.called.take());
    }

    fn called(&mut self, exchange: Exchange) {
        self.count("transcript");
        self.record(&transcript::record(&exchange));
        self.browsed(Browsed::of(&exchange));
        if let Some(calls) = &mut self.calls {
            Called::keep(&mut calls.all, exchange);
        }
    }
}
