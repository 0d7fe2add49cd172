//! Files in, [`Logs`] out.

mod calls;
mod parsed;

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read};
use std::sync::LazyLock;

use memchr::memchr;

use self::calls::Calls;
use super::archive::Plain;
use super::called::Called;
use super::correlate::Correlation;
use super::ended::Ends;
use super::event::Reader;
use super::findings::Moment;
use super::format::{self, har};
use super::gates::Gates;
use super::kids::Kids;
use super::led::Led;
use super::lines::{self, Line};
use super::outage::Outage;
use super::passing::Passing;
use super::prefilter::Prefilter;
use super::stale::Stale;
use super::started::Started;
use super::{Browsed, LogFile, Logs};
use crate::redact;
use tenure_core::time::Timestamp;

/// Bytes by which a HAR is told from JSON lines.
const FIRST: u64 = 64 * 1024;
/// Requests of HAR files that are kept.
const BROWSED: usize = 512;
/// Answers of success that are taken apart after a token was called expired, however fast the lines come.
const LOOKS: u8 = 4;

/// Reads logs of any size, one file after the other, with constant memory.
///
/// It remembers at most 8,192 users or devices (12 events of each for the timeline), 16,384 refresh
/// tokens by fingerprint, 4,096 pairs of a user and a path, 32,768 users by when they were last
/// answered well, and one line of at most 1 MiB. Beyond that, who was not met for longest is
/// forgotten, and patterns that span so much may be missed. Times without a zone are taken as UTC.
pub struct Analyst {
    prefilter: Option<&'static Prefilter>,
    reader: Reader,
    correlation: Correlation,
    files: Vec<LogFile>,
    browsed: Vec<Browsed>,
    called: Option<Called>,
    kids: Kids,
    ends: Ends,
    passing: Passing,
    stale: Stale,
    /// For times without a year.
    now: u64,
}

impl std::fmt::Debug for Analyst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyst")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// The tables, built once: they take longer than a short log.
fn prefilter() -> Option<&'static Prefilter> {
    static TABLES: LazyLock<Option<Prefilter>> = LazyLock::new(|| Prefilter::new().ok());
    TABLES.as_ref()
}

impl Default for Analyst {
    fn default() -> Self {
        Self::new()
    }
}

impl Analyst {
    /// Has read nothing.
    pub fn new() -> Self {
        Self {
            prefilter: prefilter(),
            reader: Reader::default(),
            correlation: Correlation::new(),
            files: Vec::new(),
            browsed: Vec::new(),
            called: None,
            kids: Kids::default(),
            ends: Ends::default(),
            passing: Passing::default(),
            stale: Stale::default(),
            now: 0,
        }
    }

    /// Takes times without a year for the last ones before this moment.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now.0.saturating_mul(1_000);
        self
    }

    /// Reads a file to its end, or to where it cannot be read further; that is noted in
    /// [`LogFile::problem`]. Gzip is recognised by its first bytes.
    pub fn read(&mut self, name: &str, reader: impl Read) {
        let mut pass = Pass {
            file: self.correlation.file(name),
            log: LogFile {
                name: name.to_owned(),
                ..LogFile::default()
            },
            analyst: self,
            formats: [("", 0); 8],
            odd: Odd::default(),
            calls: None,
            led: None,
            outage: Outage::default(),
            started: Started::default(),
            gates: Gates::default(),
            looks: 0,
        };
        pass.stream(reader);
        let log = pass.done();
        self.files.push(log);
    }

    /// What all files say together.
    pub fn finish(mut self) -> Logs {
        if let Some((name, says, first)) = self.stale.finish() {
            self.correlation.noted(name, says, first);
        }
        let forged_only = self.correlation.forged.mostly_pass();
        let (mut findings, timeline) = self.correlation.finish();
        self.passing.mark(&mut findings, &self.files, forged_only);
        Logs {
            files: self.files,
            findings,
            timeline,
            browsed: self.browsed,
            called: self.called,
        }
    }
}

/// One file while it is read.
struct Pass<'a> {
    analyst: &'a mut Analyst,
    file: usize,
    log: LogFile,
    /// Lines by format; few enough to be looked through.
    formats: [(&'static str, u64); 8],
    odd: Odd,
    calls: Option<Calls>,
    led: Option<Led>,
    outage: Outage,
    started: Started,
    gates: Gates,
    /// Answers of success that are still to be taken apart, since a token was called expired.
    looks: u8,
}

/// Lines that are not as lines should be.
#[derive(Default)]
struct Odd {
    long: u64,
    binary: u64,
    not_utf8: u64,
    /// Requests of a HAR that show no credentials.
    sanitized: u64,
}

impl Pass<'_> {
    fn stream(&mut self, reader: impl Read) {
        let mut plain = match Plain::of(reader) {
            Ok(plain) => plain,
            Err(error) => return self.broken(&error.to_string()),
        };
        let mut first = Vec::new();
        let began = plain.by_ref().take(FIRST).read_to_end(&mut first);
        let is_har = har::begins(&first);
        self.calls = Calls::begin(&first);
        self.led = Led::begin(&first);
        let bytes = first.len() as u64;
        let whole = Cursor::new(first).chain(plain);
        if is_har {
            self.har(whole);
        } else {
            self.lines(whole);
            self.calls_end();
        }
        if let Err(error) = began {
            self.log.bytes = bytes;
            self.broken(&error.to_string());
        }
    }

    fn broken(&mut self, why: &str) {
        let why = redact::text(why);
        self.log
            .problem
            .get_or_insert(format!("reading ended early: {why}"));
    }

    fn har(&mut self, reader: impl Read) {
        let mut counted = Counted {
            inner: reader,
            bytes: 0,
        };
        let result = har::read(
            BufReader::with_capacity(1 << 16, &mut counted),
            &mut |record, browsed| {
                self.log.lines += 1;
                self.count("har");
                self.odd.sanitized += u64::from(record.sanitized);
                self.record(record);
                self.browsed(browsed);
            },
        );
        self.log.bytes = counted.bytes;
        if let Err(error) = result {
            self.broken(&format!(
                "not a whole HAR ({:?}, line {})",
                error.classify(),
                error.line()
            ));
        }
    }

    fn browsed(&mut self, browsed: Browsed) {
        if self.analyst.browsed.len() < BROWSED && browsed.is_telling() {
            self.analyst.browsed.push(Browsed {
                file: self.log.name.clone(),
                entry: self.log.lines,
                ..browsed
            });
        }
    }

    fn lines(&mut self, mut reader: impl Read) {
        let (bytes, error) = lines::each(&mut reader, |line| match line {
            Line::Whole(line) => self.line(line),
            Line::TooLong => {
                self.log.lines += 1;
                self.log.unread += 1;
                self.odd.long += 1;
            }
        });
        self.log.bytes = bytes;
        if let Some(error) = error {
            self.broken(&error.to_string());
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.log.lines += 1;
        let taken = self.call(line);
        if let Some((name, says)) = self.led.as_mut().and_then(|led| led.line(line)) {
            let moment = Moment {
                at: None,
                file: self.file,
                line: self.log.lines,
            };
            self.analyst.correlation.noted(name, says, moment);
        }
        if line.is_empty() {
            return;
        }
        if memchr(0, line).is_some() {
            self.log.unread += 1;
            self.odd.binary += 1;
            return;
        }
        let prefilter = self.analyst.prefilter.as_ref();
        let interesting = prefilter.is_none_or(|prefilter| prefilter.interesting(line));
        if interesting || !taken && self.passes(line) {
            self.parse(line, interesting, taken);
        }
    }

    /// Whether a line without any word that counts is worth taking apart; counts those that are not.
    fn passes(&mut self, line: &[u8]) -> bool {
        let Some(prefilter) = &self.analyst.prefilter else {
            return true;
        };
        let format = format::glance(line);
        if format == "access" {
            return true;
        }
        let status = prefilter.status(line);
        if let Some(status) = status {
            if status >= 400 {
                return true;
            }
            if self.looks > 0 {
                self.looks -= 1;
                return true;
            }
            if let Some(user) = prefilter.user(line) {
                let user = self.analyst.reader.raw(user);
                if self.analyst.correlation.seen.good(user) {
                    return true;
                }
            }
            self.outage.over();
            self.log.understood += 1;
            *self.log.statuses.entry(status).or_default() += 1;
        } else if prefilter.tells(line) {
            return true;
        }
        self.count(format);
        false
    }

    fn count(&mut self, format: &'static str) {
        let place = self
            .formats
            .iter_mut()
            .find(|(name, _)| *name == format || name.is_empty());
        if let Some(place) = place {
            *place = (format, place.1 + 1);
        }
    }

    fn done(mut self) -> LogFile {
        if let Some((name, says, first)) = self.outage.finish() {
            self.analyst.correlation.noted(name, says, first);
        }
        if let Some((name, says, first)) = self.gates.finish() {
            self.analyst.correlation.noted(name, says, first);
        }
        self.log.statuses.retain(|_, count| *count > 0);
        let formats = self.formats.iter().filter(|(name, _)| !name.is_empty());
        self.log.formats = formats
            .map(|(name, lines)| ((*name).to_owned(), *lines))
            .collect::<BTreeMap<_, _>>();
        let long = format!("longer than {} MiB, passed over", lines::LONGEST >> 20);
        let odd = [
            (self.odd.long, long.as_str()),
            (self.odd.binary, "with NUL bytes (binary), passed over"),
            (
                self.odd.not_utf8,
                "with bytes that are not UTF-8, read all the same",
            ),
        ];
        let odd = odd.iter().filter(|(lines, _)| *lines > 0);
        self.log.notes = odd
            .map(|(lines, what)| format!("{lines} lines {what}"))
            .collect();
        if self.odd.sanitized > 0 && self.odd.sanitized == self.log.lines {
            // Chrome leaves them out of an export unless told otherwise.
            self.log.notes.push(format!(
                "no request of {} shows Authorization or Cookie; browsers leave both out of what they export, so \
                 whether they were sent is unknown",
                self.log.lines
            ));
        }
        self.log
    }
}

struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        self.bytes += read as u64;
        Ok(read)
    }
}
