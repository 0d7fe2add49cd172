//! From a record to what happened.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::names::{self, Fate, Route, Says};
use super::record::{Record, Value};
use super::scanners;
use super::shown;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Login,
    RefreshSent,
    RefreshAnswered,
    RequestSent,
    /// A request was answered, or known to have failed.
    Request,
    RetryExhausted,
    Reuse,
    Cleared,
    SignedOut,
    Revoked,
    StoreRead,
    StoreWrite,
    Restored,
    Launched,
    Restarted,
    Memory,
}

/// How a refresh or a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Good,
    /// The token is dead, says who must know; `true`: because it was used twice.
    Dead(bool),
    /// Says nothing about the token.
    Passing,
    Unknown,
}

/// Who acted. Texts are fit to be shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Who {
    /// The user or session.
    pub(super) user: Option<String>,
    /// Process and host.
    pub(super) worker: Option<String>,
    /// App, device or address.
    pub(super) client: Option<String>,
    /// The same for all that one user, device or client does.
    pub(super) key: Option<u64>,
    /// Whether the key is a guess: an address and a browser.
    pub(super) guessed: bool,
    /// Whether nobody is named, and the whole file is taken for one client's.
    pub(super) of_file: bool,
    /// Of the user's name as it stands in the line.
    pub(super) raw: Option<u64>,
}

/// One event. Texts are fit to be shown.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    pub(super) at: Option<u64>,
    pub(super) file: usize,
    pub(super) line: u64,
    pub(super) kind: Kind,
    pub(super) who: Who,
    pub(super) answer: Answer,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
    pub(super) path: Option<String>,
    /// Whether a crawler or scanner asked.
    pub(super) of_scanner: bool,
    pub(super) token_in: Option<String>,
    pub(super) token_out: Option<String>,
    pub(super) access: Option<String>,
    pub(super) new_access: Option<String>,
    pub(super) empty_refresh: bool,
    pub(super) lifetime: Option<u64>,
    pub(super) had_token: Option<bool>,
    pub(super) retry: Option<bool>,
    /// Whether the app takes its user for signed in.
    pub(super) shown: Option<bool>,
    pub(super) wanted: bool,
    pub(super) reason: Option<String>,
    /// Of a read of the store, the parts of the session: name, and whether it was there.
    pub(super) parts: Vec<(String, bool)>,
}

impl Happening {
    pub(super) fn refused(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }

    pub(super) fn good(&self) -> bool {
        self.answer == Answer::Good
    }

    /// Status and error, in a few words.
    pub(super) fn outcome(&self) -> String {
        match (self.status, &self.error) {
            (Some(status), Some(error)) => format!("{status} {error}"),
            (Some(status), None) => status.to_string(),
            (None, Some(error)) => error.clone(),
            (None, None) if self.good() => "succeeded".to_owned(),
            (None, None) => "failed".to_owned(),
        }
    }
}

/// Reads records as events.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Not seeded: the same log gives the same findings each time.
    hashes: BuildHasherDefault<DefaultHasher>,
    /// What names say that were met before: most lines of a log have one of a few.
    sayings: HashMap<String, Option<Says>>,
}

/// Names that are remembered at a time.
const NAMES: usize = 1_024;

impl Reader {
    /// A name as it stands in a line.
    pub(super) fn raw(&self, name: &[u8]) -> u64 {
        self.hashes.hash_one(name)
    }

    /// What the record says, where it says anything that counts.
    pub(super) fn read(&mut self, record: &Record, file: usize, line: u64) -> Option<Happening> {
        let path = record.text(names::PATH);
        let status = status(record);
        let says = self.says(&record.name).or_else(|| keycloak(record));
        let kind = kind(record, says, path.as_deref(), status)?;
        let error = error(record);
        let reason = record.text(names::REASON);
        let secret = |names| record.text(names).and_then(|raw| shown::token(&raw));
        let hash = |names| record.text(names).and_then(|text| shown::hash(&text));
        let opened = kind == Kind::SignedOut && record.format == "har" && is_get(record);
        let wanted = reason.as_deref().is_some_and(wanted)
            || record.name.to_lowercase().contains("user log")
            || kind == Kind::SignedOut && path.is_some() && status.is_some() && !opened;
        Some(Happening {
            at: record.time,
            file,
            line,
            kind,
            who: self.who(record, file),
            answer: answer(says, kind, status, error.as_ref()),
            status,
            error: error.map(|(name, _)| name),
            of_scanner: scanners::asked(record, path.as_deref()),
            path: path.as_deref().map(shown::path),
            token_in: hash(names::HASH_IN).or_else(|| secret(names::TOKEN_IN)),
            token_out: hash(names::HASH_OUT).or_else(|| secret(names::TOKEN_OUT)),
            access: hash(names::ACCESS_HASH).or_else(|| secret(names::ACCESS)),
            new_access: hash(names::NEW_ACCESS_HASH).or_else(|| secret(names::NEW_ACCESS)),
            empty_refresh: empty_refresh(record, kind),
            lifetime: lifetime(record),
            had_token: record.flag(names::HAS_TOKEN),
            retry: record.flag(names::RETRY),
            shown: record.flag(names::SHOWN),
            wanted,
            reason: reason.map(|reason| shown::label(&reason)),
            parts: if matches!(kind, Kind::StoreRead | Kind::Restored) {
                parts(record)
            } else {
                Vec::new()
            },
        })
    }

    fn says(&mut self, name: &str) -> Option<Says> {
        if let Some(says) = self.sayings.get(name) {
            return *says;
        }
        if self.sayings.len() >= NAMES {
            self.sayings.clear();
        }
        let says = says(name);
        self.sayings.insert(name.to_owned(), says);
        says
    }

    pub(super) fn who(&self, record: &Record, file: usize) -> Who {
        let user = record.text(names::USER).filter(|user| user != "null");
        let session = record.text(names::SESSION);
        let client = record.text(names::CLIENT);
        let address = record.text(names::ADDRESS);
        let process = record.text(names::PROCESS);
        let host = record.text(names::HOST);
        let key = |part: &str, value: &str| Some(self.hashes.hash_one((part, value)));
        let (key, guessed) = match (&user, &session, &client, &address) {
            // One browser's recording: a sign-in names its user, and the requests after it do not.
            _ if record.format == "har" => (Some(self.hashes.hash_one(("file", file))), false),
            (Some(user), ..) => (key("user", user), false),
            (None, Some(session), ..) => (key("session", session), false),
            (None, None, Some(client), None) => (key("client", client), false),
            (None, None, _, Some(address)) => {
                let agent = record.text(names::AGENT).unwrap_or_default();
                (key("address", &format!("{address} {agent}")), true)
            }
            (None, None, None, None) if process.is_none() && host.is_none() => {
                (Some(self.hashes.hash_one(("file", file))), false)
            }
            _ => (None, false),
        };
        let worker = match (process, host) {
            (Some(process), Some(host)) => Some(format!(
                "{} pid {}",
                shown::label(&host),
                shown::label(&process)
            )),
            (Some(process), None) => Some(format!("pid {}", shown::label(&process))),
            (None, host) => host.map(|host| shown::label(&host)),
        };
        let unnamed = record.format != "har" && user.is_none() && session.is_none();
        Who {
            of_file: unnamed && client.is_none() && address.is_none(),
            raw: user.as_deref().map(|user| self.raw(user.as_bytes())),
            user: user.or(session).map(|user| shown::fingerprint(&user)),
            worker,
            client: client
                .map(|client| shown::label(&client))
                .or_else(|| address.map(|address| shown::fingerprint(&address))),
            key,
            guessed,
        }
    }
}

pub(super) fn status(record: &Record) -> Option<u16> {
    let status = record.number(names::STATUS)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be small"
    )]
    (100.0..600.0).contains(&status).then_some(status as u16)
}

fn kind(
    record: &Record,
    says: Option<Says>,
    path: Option<&str>,
    status: Option<u16>,
) -> Option<Kind> {
    match says {
        Some(Says::Nothing) => return None,
        Some(Says::Memory) if !about_sessions(record) => {}
        // What has a status was answered, though its line tells what was sent.
        Some(Says::RefreshSent) if path.is_some() && status.is_some() => {}
        Some(says) => return named(says),
        None => {}
    }
    let Some(path) = path.and_then(|path| path.split(['?', '#']).next()) else {
        return answered_alone(record, status).then_some(Kind::Request);
    };
    let path = path.split_once("://").map_or(path, |(_, rest)| {
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
    });
    let path = path.trim_end_matches('/').to_lowercase();
    let route = names::ROUTES.iter().find(|(end, _)| path.ends_with(end));
    let refreshes = || {
        let grant = record.text(names::GRANT);
        grant.map(|grant| grant == "refresh_token")
    };
    let reached = status.is_some_and(|status| status < 400);
    match route.map(|(_, route)| route) {
        Some(Route::Refresh) => Some(Kind::RefreshAnswered),
        Some(Route::Token) if refreshes() != Some(false) && issues(&path) => {
            Some(Kind::RefreshAnswered)
        }
        Some(Route::Token) if reached => Some(Kind::Login),
        Some(Route::Login) if reached && is_post(record) => Some(Kind::Login),
        Some(Route::Logout) if reached => Some(Kind::SignedOut),
        // A browser's own recording: the page for signing in was opened, and it was the app that did so.
        Some(Route::Login) if record.format == "har" && is_get(record) => Some(Kind::SignedOut),
        Some(Route::Login | Route::Token | Route::Logout) => None,
        None => (status.is_some() && !is_preflight(record)).then_some(Kind::Request),
    }
}

/// An answer whose request stands in another line.
fn answered_alone(record: &Record, status: Option<u16>) -> bool {
    const TOLD: names::Names = &["answeredstatus"];
    const ANSWERED: names::Names = &["res.statuscode", "response.statuscode", "response.status"];
    let name = record.name.to_lowercase();
    let over = ["complet", "finish", "handled", "answered"];
    status.is_some()
        && (record.find(TOLD).is_some()
            || record.find(ANSWERED).is_some() && over.iter().any(|word| name.contains(word)))
}

/// Of an issuer; other services have tokens too (of devices, for payments).
fn issues(path: &str) -> bool {
    path == "/token"
        || ["auth", "connect", "idp", "realms"]
            .iter()
            .any(|part| path.contains(part))
}

fn is_post(record: &Record) -> bool {
    record
        .text(names::METHOD)
        .is_none_or(|method| method == "POST")
}

fn is_get(record: &Record) -> bool {
    record
        .text(names::METHOD)
        .is_some_and(|method| method == "GET")
}

fn is_preflight(record: &Record) -> bool {
    record
        .text(names::METHOD)
        .is_some_and(|method| method == "OPTIONS")
}

fn named(says: Says) -> Option<Kind> {
    Some(match says {
        Says::Nothing => return None,
        Says::Login => Kind::Login,
        Says::RefreshSent => Kind::RefreshSent,
        Says::RefreshOk | Says::RefreshFailed | Says::RefreshAnswered => Kind::RefreshAnswered,
        Says::Reuse => Kind::Reuse,
        Says::RetryExhausted => Kind::RetryExhausted,
        Says::RequestSent => Kind::RequestSent,
        Says::Cleared => Kind::Cleared,
        Says::SignedOut => Kind::SignedOut,
        Says::Revoked => Kind::Revoked,
        Says::StoreRead => Kind::StoreRead,
        Says::StoreWrite => Kind::StoreWrite,
        Says::Restored => Kind::Restored,
        Says::Launched => Kind::Launched,
        Says::Restarted => Kind::Restarted,
        Says::Memory => Kind::Memory,
    })
}

/// What a name says: by its words, whatever joins them (`a_b`, `a-b`, `aB`, `a b`).
fn says(name: &str) -> Option<Says> {
    let mut words = String::with_capacity(name.len() + 8);
    let mut small = false;
    for c in name.chars() {
        if c.is_uppercase() && small {
            words.push(' ');
        }
        small = c.is_lowercase();
        words.extend(if c.is_alphanumeric() { c } else { ' ' }.to_lowercase());
    }
    let fits = |(all, _): &&(&[&str], Says)| {
        all.iter().all(|word| match word.strip_prefix('!') {
            Some(word) => !words.contains(word),
            None => words.contains(word),
        })
    };
    names::SAYINGS.iter().find(fits).map(|(_, says)| *says)
}

/// Keycloak's events have their kind in a field.
fn keycloak(record: &Record) -> Option<Says> {
    const OF_REALM: names::Names = &["realmid", "realmname"];
    record.find(OF_REALM)?;
    match record.text(&["type"])?.as_str() {
        "REFRESH_TOKEN" => Some(Says::RefreshOk),
        "REFRESH_TOKEN_ERROR" => Some(Says::RefreshFailed),
        "LOGIN" => Some(Says::Login),
        _ => None,
    }
}

fn about_sessions(record: &Record) -> bool {
    let name = record.name.to_lowercase();
    let told = |text: &str| names::KEPT.iter().any(|word| text.contains(word));
    told(&name)
        || record
            .fields
            .iter()
            .any(|(_, value)| matches!(value, Value::Text(text) if told(&text.to_lowercase())))
}

/// The error's name, fit to be shown, and what it means for a refresh token where that is known.
fn error(record: &Record) -> Option<(String, Option<Fate>)> {
    let given = record.text(names::ERROR);
    let told = [
        given.clone(),
        record.text(names::REASON),
        Some(record.name.clone()),
    ];
    let details = names::DETAIL.iter().map(|names| record.text(names));
    let texts: Vec<_> = told
        .into_iter()
        .chain(details)
        .flatten()
        .map(|text| text.to_lowercase())
        .collect();
    let known = names::FATES
        .iter()
        .find(|(needle, ..)| texts.iter().any(|text| text.contains(needle)));
    match (known, given) {
        (Some((_, name, fate)), _) => Some(((*name).to_owned(), Some(*fate))),
        (None, Some(given)) => Some((shown::label(&given), None)),
        (None, None) => None,
    }
}

fn answer(
    says: Option<Says>,
    kind: Kind,
    status: Option<u16>,
    error: Option<&(String, Option<Fate>)>,
) -> Answer {
    let fate = error.and_then(|(_, fate)| *fate);
    let failed = says == Some(Says::RefreshFailed);
    let told = error.is_none() && says == Some(Says::RefreshOk);
    let well = match status {
        Some(status) => (200..400).contains(&status) && !failed,
        None => told,
    };
    let passing = match status {
        Some(403 | 408 | 429 | 500..) => kind != Kind::Request,
        Some(400) => error.is_some(),
        None => fate == Some(Fate::Passing),
        Some(_) => false,
    };
    match fate {
        _ if well => Answer::Good,
        Some(Fate::Reused) => Answer::Dead(true),
        Some(Fate::Dead) => Answer::Dead(false),
        _ if passing => Answer::Passing,
        _ if status == Some(401) => Answer::Dead(false),
        _ => Answer::Unknown,
    }
}

fn lifetime(record: &Record) -> Option<u64> {
    let seconds = record.number(names::LIFETIME)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be small and positive"
    )]
    (1.0..1e8).contains(&seconds).then_some(seconds as u64)
}

/// A refresh token that is there and blank, or whose length is given as nothing; of what is written, beside an access
/// token with a length.
fn empty_refresh(record: &Record, kind: Kind) -> bool {
    let beside = || kind == Kind::StoreWrite && record.number(&["accesstoken"]) > Some(0.0);
    record
        .fields
        .iter()
        .any(|(path, value)| match Record::last(path) {
            "refreshtoken" => match value {
                Value::Text(text) => shown::blank(text),
                Value::Number(length) => *length == 0.0 && beside(),
                Value::Flag(_) | Value::Null => false,
            },
            "refreshtokenlength" | "refreshtokenlen" => *value == Value::Number(0.0),
            _ => false,
        })
}

/// Which parts of a stored session were there: `hasX`, `xPresent`, `xLength`, `keys.x`, `keys.x.present`, `missing`.
fn parts(record: &Record) -> Vec<(String, bool)> {
    let mut parts: Vec<(String, bool)> = Vec::new();
    for (path, value) in &record.fields {
        let mut segments = path.rsplit('.');
        let last = segments.next().unwrap_or_default();
        if names::MISSING.contains(&last) {
            if let Value::Text(text) = value {
                parts.push((shown::label(text), false));
            }
            continue;
        }
        let last = match last {
            "present" | "length" | "len" | "exists" | "found" | "bytes" => {
                segments.next().unwrap_or_default()
            }
            last => last,
        };
        let last = last.strip_prefix("has").unwrap_or(last);
        let name = names::PARTS.iter().find(|part| {
            last.strip_prefix(**part).is_some_and(|rest| {
                matches!(rest, "" | "present" | "length" | "len" | "exists" | "bytes")
            })
        });
        if let Some(name) = name {
            let there = match value {
                Value::Flag(flag) => *flag,
                Value::Number(number) => *number > 0.0,
                Value::Text(text) => !shown::blank(text) && text != "missing",
                Value::Null => false,
            };
            parts.push(((*name).to_owned(), there));
        }
    }
    parts.sort();
    parts.dedup_by(|a, b| a.0 == b.0);
    parts
}

fn wanted(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let holds = |words: names::Names| words.iter().any(|word| reason.contains(word));
    holds(names::WANTED) && !holds(names::UNWANTED)
}
