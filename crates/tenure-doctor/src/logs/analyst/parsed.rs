//! Lines that are taken apart.

use std::borrow::Cow;

use super::{LOOKS, Pass};
use crate::logs::event::{self, Happening};
use crate::logs::findings::Moment;
use crate::logs::record::Record;
use crate::logs::{format, names, scanners, skew, texts, time};

impl Pass<'_> {
    pub(super) fn parse(&mut self, line: &[u8], interesting: bool, taken: bool) {
        let text = String::from_utf8_lossy(line);
        self.odd.not_utf8 += u64::from(matches!(text, Cow::Owned(_)));
        let mut record = format::read(&text);
        record.time = record.time.map(|at| time::in_year(at, self.analyst.now));
        self.count(record.format);
        self.started.note(&text, &mut record);
        if let Some(prefilter) = &self.analyst.prefilter {
            let moment = Moment {
                at: record.time,
                file: self.file,
                line: self.log.lines,
            };
            // A known text is among the words that count.
            let texts = interesting.then(|| prefilter.texts(line));
            let mut said = Vec::new();
            let by_fields = [texts::left_out(&record), texts::cached_refusal(&record)];
            let by_fields = by_fields.into_iter().flatten();
            let status = event::status(&record);
            let of_scanner = || {
                let refused = status.is_some_and(|status| (400..500).contains(&status));
                refused && scanners::asked(&record, record.text(names::PATH).as_deref())
            };
            for name in texts.into_iter().flatten().chain(by_fields) {
                // Two words for one thing are one line all the same.
                if said.contains(&name) || of_scanner() {
                    continue;
                }
                said.push(name);
                self.analyst.passing.text(name, status);
                self.analyst
                    .correlation
                    .text(name, moment, texts::is_chatter(line));
                if name == "csrf" {
                    self.analyst.correlation.forged.said(moment);
                }
                if name == "log-says-expired" {
                    self.analyst.stale.said(&text, moment);
                    self.looks = LOOKS;
                }
                if name == "log-says-kid" && self.analyst.kids.is_new(&text) {
                    self.analyst.correlation.text("unknown-kids", moment, false);
                }
            }
        }
        if !taken {
            self.record(&record);
        }
    }

    pub(super) fn record(&mut self, record: &Record) {
        if let Some((name, says)) = skew::of(record) {
            let moment = Moment {
                at: record.time,
                file: self.file,
                line: self.log.lines,
            };
            self.analyst.correlation.noted(name, says, moment);
        }
        if let Some((name, says)) = self.analyst.ends.of(record) {
            let moment = self.moment(record);
            self.analyst.correlation.noted(&name, says, moment);
        }
        let event = self.analyst.reader.read(record, self.file, self.log.lines);
        self.written(record, event.as_ref());
        if let Some(event) = event {
            self.log.understood += 1;
            if let Some(status) = event.status {
                let moment = self.moment(record);
                self.outage.answered(status, event.path.as_deref(), moment);
                // What crawlers and scanners are refused every day is no figure of the service.
                if status < 400 || !event.of_scanner {
                    *self.log.statuses.entry(status).or_default() += 1;
                }
            }
            self.analyst.correlation.event(&event);
        }
    }

    fn moment(&self, record: &Record) -> Moment {
        Moment {
            at: record.time,
            file: self.file,
            line: self.log.lines,
        }
    }

    /// A sign-in that is refused is no event, but it is a write like others.
    fn written(&mut self, record: &Record, event: Option<&Happening>) {
        let Some(status) = event::status(record) else {
            return;
        };
        let (who, of_file) = event.map_or_else(
            || {
                let who = self.analyst.reader.who(record, self.file);
                (who.key, who.of_file)
            },
            |event| (event.who.key, event.who.of_file),
        );
        let now = Moment {
            at: record.time,
            file: self.file,
            line: self.log.lines,
        };
        let writes = &mut self.analyst.correlation.forged;
        writes.answered(record, status, who, now);
        self.gates.answered(record, status, now);
        let named = who.filter(|_| !of_file);
        self.analyst.stale.answered(record, status, named, now);
        let met = self.analyst.passing.answered(record, status);
        if let Some(asked) = self.log.statuses.get_mut(&407).filter(|_| met > 0) {
            *asked = asked.saturating_sub(met);
        }
    }
}
