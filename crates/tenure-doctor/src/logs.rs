//! What logs say, in files of any size.
//!
//! [`Analyst`] reads lines of many formats, mixed and compressed, turns those that count into events,
//! and looks for [`Pattern`]s. Patterns are observations with figures; what they mean is for
//! [`crate::cause`]. Raw values live for one line; what stays are fingerprints.

mod analyst;
mod archive;
mod called;
mod correlate;
mod ended;
mod event;
mod findings;
mod format;
mod gates;
mod kids;
mod led;
mod lines;
mod names;
mod outage;
mod passing;
mod prefilter;
mod recall;
mod record;
mod scanners;
mod shown;
mod skew;
mod stale;
mod started;
mod texts;
mod time;
pub mod timeline;
mod words;

pub use self::analyst::Analyst;
pub use self::called::Called;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exchange::{Answer, Exchange, Sent};
use crate::{Clue, Source, redact};

/// What was found in all logs together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logs {
    /// One for each file.
    pub files: Vec<LogFile>,
    /// Patterns, each once with its count.
    pub findings: Vec<LogFinding>,
    /// The events around the findings, in the order of time; bounded.
    pub timeline: Vec<Event>,
    /// Requests of HAR files, redacted, in their order; bounded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub browsed: Vec<Browsed>,
    /// The client's own request, where the last transcript shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<Called>,
}

/// One log file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogFile {
    /// Its name.
    pub name: String,
    /// Formats that were met, with their lines.
    pub formats: BTreeMap<String, u64>,
    /// Bytes read (after decompression).
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that said what happened to a request or a session.
    pub understood: u64,
    /// Lines that could not be read (binary, too long).
    pub unread: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// What was odd about its lines, with counts.
    pub notes: Vec<String>,
    /// Why reading ended early, where it did.
    pub problem: Option<String>,
}

/// A request of a HAR file, with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browsed {
    /// The file's name.
    pub file: String,
    /// Its place in the file, from 1.
    pub entry: u64,
    /// What was sent. Browsers leave credentials out of exported files unless asked not to; see [`Logs::with_credentials`].
    pub request: Sent,
    /// Bytes of the Authorization header field, before it was redacted.
    #[serde(default)]
    pub token_bytes: u64,
    /// What came back, as far as the browser showed it to the page.
    pub answer: Option<Answer>,
}

impl Browsed {
    /// Redacted; its place in the file is still to come.
    fn of(raw: &Exchange) -> Self {
        let token = raw.request.header("authorization").unwrap_or_default();
        let shown = redact::exchange(raw);
        Self {
            file: String::new(),
            entry: 0,
            token_bytes: token.len() as u64,
            request: shown.request,
            answer: shown.result.ok(),
        }
    }

    /// Whether it is a call, and not a picture or a script of a page.
    pub(crate) fn is_telling(&self) -> bool {
        let part = self.request.header("sec-fetch-dest");
        !matches!(
            part,
            Some("image" | "script" | "style" | "font" | "video" | "audio")
        )
    }

    /// What is to be said of it, with its place.
    pub(crate) fn clue(&self, says: impl Into<String>) -> Clue {
        Clue::new(says, Source::Log(self.file.clone(), self.entry))
    }

    /// Whether method and URL are the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.request.method == other.request.method && self.request.url == other.request.url
    }
}

impl Logs {
    /// Calls of HAR files that failed, and were not answered well afterwards.
    pub(crate) fn unrecovered(&self) -> impl Iterator<Item = (&Browsed, &Answer)> {
        let well = |one: &Browsed| one.answer.as_ref().is_some_and(|it| it.status < 400);
        self.browsed
            .iter()
            .enumerate()
            .filter_map(move |(at, one)| {
                let answer = one.answer.as_ref().filter(|answer| answer.status >= 400)?;
                let mut later = self.browsed.iter().skip(at + 1);
                let again = later.any(|later| later.is_like(one) && well(later));
                (one.request.method != "OPTIONS" && !again).then_some((one, answer))
            })
    }

    /// Requests of HAR files from which credentials were not left out: one at least shows some.
    pub(crate) fn with_credentials(&self) -> impl Iterator<Item = &Browsed> {
        let shows = |one: &Browsed| {
            let sent = ["authorization", "cookie"];
            let answered = one.answer.as_ref();
            sent.iter().any(|name| one.request.header(name).is_some())
                || answered.is_some_and(|answer| answer.header("set-cookie").is_some())
        };
        let files: Vec<_> = self
            .browsed
            .iter()
            .filter(|one| shows(one))
            .map(|one| &one.file)
            .collect();
        self.browsed
            .iter()
            .filter(move |one| files.contains(&&one.file))
    }
}

/// A pattern that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFinding {
    /// Which.
    pub pattern: Pattern,
    /// How often.
    pub count: u64,
    /// In a sentence with figures, without secrets.
    pub says: String,
    /// The first place.
    pub source: Source,
    /// The first time, in milliseconds since 1970, where lines have one.
    pub first_ms: Option<u64>,
    /// The last time.
    pub last_ms: Option<u64>,
    /// Figures of the pattern by name (`lifetime_s`, `workers`, `status`, `text`).
    pub figures: BTreeMap<String, String>,
}

impl LogFinding {
    /// The name of the known text that it is a finding of.
    pub fn text(&self) -> Option<&str> {
        let text = self.figures.get("text")?;
        (self.pattern == Pattern::Text).then_some(text.as_str())
    }

    /// Whether the log itself shows that it is no trouble: see [`passing`].
    pub(crate) fn has_passed(&self) -> bool {
        self.figures.contains_key(passing::PASSED)
    }
}

/// What logs can show. Stable names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Two refreshes of one token within a second, then `invalid_grant`.
    RefreshRace,
    /// A token was presented again long after it had been used, and its family was revoked.
    RefreshReuse,
    /// A sign-out in the same second as an answer to a refresh that is not definitive.
    WipedOnTransient,
    /// Nobody refreshes: the time from login to the first 401 is the lifetime, each time.
    RefreshNeverCalled,
    /// A refresh succeeded, and its token was refused at once.
    FreshTokenRefused,
    /// Requests went out before the stored session was read.
    RequestBeforeRestore,
    /// The store of the client was read with a key missing, of several that belong together.
    StoreKeyMissing,
    /// An empty refresh token was stored or sent.
    EmptyRefreshToken,
    /// Sessions or tokens are kept in the memory of one process.
    MemoryFallback,
    /// Processes or hosts answer the same request differently.
    WorkersDisagree,
    /// Users were refused after a restart who were not before.
    RefusedAfterRestart,
    /// A refresh succeeded at the service, its client never heard of it, and the token came back.
    AnswerLost,
    /// A refresh token is refused as unknown by processes other than the one that issued it, or is
    /// good again after a refusal.
    KnownInOneProcess,
    /// Refreshes after a long pause are refused, and none after a shorter one.
    RefusedAfterPause,
    /// The session was cleared, and the app went on as signed in, or the other way round.
    ClearedSilently,
    /// Writes were refused beside words about forged requests, of people who were served else.
    WritesRefused,
    /// A known text was met in a line: figure `text` is its name.
    Text,
    /// Answers 401 or 403, or refreshes refused for good, at all.
    Refusals,
}

/// One event of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What acted: client, process, host, user by fingerprint.
    pub actor: String,
    /// What happened, in a few words without secrets.
    pub what: String,
    /// Whether it went wrong.
    pub bad: bool,
    /// Where it stands.
    pub source: Source,
}
