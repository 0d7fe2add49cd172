//! What stands before a line when something collected it: kubectl, containerd, journald, syslog, logcat, Apple's log.

use crate::logs::record::{Record, Value};
use crate::logs::time;

/// What was said by whom around a line.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    time: Option<u64>,
    instance: Option<&'a str>,
}

/// Envelopes within each other that are opened.
const MOST: usize = 3;

impl<'a> Envelope<'a> {
    /// Opens a line: what was around it, and what is in it.
    pub(super) fn open(line: &'a str) -> (Self, &'a str) {
        let mut envelope = Self::default();
        let mut rest = line.trim();
        for _ in 0..MOST {
            let Some(inner) = envelope.layer(rest) else {
                break;
            };
            rest = inner.trim_start();
        }
        (envelope, rest)
    }

    /// Adds what the line itself does not say.
    pub(super) fn note(self, record: &mut Record) {
        record.time = record.time.or(self.time);
        if let Some(instance) = self.instance {
            record.put("instance".to_owned(), Value::Text(instance.to_owned()));
        }
    }

    fn layer(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix("[pod/") {
            let (pod, rest) = rest.split_once("] ")?;
            self.instance = pod.split('/').next();
            return Some(rest);
        }
        if let Some((name, rest)) = container(text) {
            self.instance = Some(name);
            return Some(rest);
        }
        if let Some(rest) = self.syslog(text) {
            return Some(rest);
        }
        let (at, length) = time::prefix(text).or_else(|| time::without_year(text))?;
        let rest = text.get(length..)?;
        let known = rest
            .starts_with([' ', '\t'])
            .then(|| self.after(rest.trim_start()));
        let inner = known.flatten()?;
        self.time = self.time.or(Some(at));
        Some(inner)
    }

    /// What follows a time, where it shows that the time is the collector's.
    fn after(&mut self, text: &'a str) -> Option<&'a str> {
        for stream in ["stdout F ", "stderr F ", "stdout P ", "stderr P "] {
            if let Some(rest) = text.strip_prefix(stream) {
                return Some(rest);
            }
        }
        let own_time = || time::prefix(text.trim_start_matches('[')).is_some();
        if text.starts_with(['{', '[']) && (text.starts_with('{') || own_time()) || own_time() {
            return Some(text);
        }
        if let Some((host, rest)) = host_and_tag(text) {
            self.instance = Some(host);
            return Some(rest);
        }
        logcat(text)
            .or_else(|| apple(text))
            .or_else(|| address_first(text))
    }

    /// `Nov 21 18:00:00 host name[12]: `, after RFC 3164, perhaps with a priority.
    fn syslog(&mut self, text: &'a str) -> Option<&'a str> {
        let text = match text.strip_prefix('<') {
            Some(rest) => rest.split_once('>')?.1,
            None => text,
        };
        let (at, length) = time::syslog(text)?;
        let (host, rest) = host_and_tag(text.get(length..)?.trim_start())?;
        (self.time, self.instance) = (self.time.or(Some(at)), Some(host));
        Some(rest)
    }
}

/// The name before a bar that `docker compose logs` sets before each line, and the line.
fn container(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_at_checked(line.find(" | ")?)?;
    let name = name.trim_end();
    let named = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = !name.is_empty() && name.len() <= 64 && name.chars().all(named);
    is_name.then_some((name, rest.get(3..)?))
}

/// `host name[12]: text`.
fn host_and_tag(text: &str) -> Option<(&str, &str)> {
    let (host, rest) = text.split_once(' ')?;
    let (tag, rest) = rest.split_once(' ')?;
    let name = tag.strip_suffix("]:")?;
    let (name, pid) = name.rsplit_once('[')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let named = |c: char| c.is_ascii_alphanumeric() || "._-/@".contains(c);
    let fits = digits(pid) && !name.is_empty() && name.chars().chain(host.chars()).all(named);
    fits.then_some((host, rest))
}

/// `4711  4756 I Tag: text` (threadtime), `I/Tag( 4711): text` (time).
fn logcat(text: &str) -> Option<&str> {
    if text.as_bytes().get(1) == Some(&b'/') {
        let (head, rest) = text.split_once("): ")?;
        return head.contains('(').then_some(rest);
    }
    let mut words = text.split_ascii_whitespace();
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = number(words.next()?) && number(words.next()?);
    let level = matches!(words.next()?, "V" | "D" | "I" | "W" | "E" | "F" | "A");
    (numbers && level)
        .then(|| text.split_once(": "))?
        .map(|(_, rest)| rest)
}

/// `0x1f3a  Default  0x0  611  0  App: (library) [subsystem:category] text`, and the compact style's
/// `Df App[611:1f3a] [subsystem:category] text`.
fn apple(text: &str) -> Option<&str> {
    let mut words = text.split_ascii_whitespace();
    let (first, second, third) = (words.next()?, words.next()?, words.next()?);
    let rest = if first.starts_with("0x") && third.starts_with("0x") {
        text.split_once(": ")?.1
    } else {
        let compact = matches!(first, "Df" | "I" | "Db" | "E" | "F" | "A")
            && second.contains('[')
            && second.ends_with(']');
        compact.then(|| text.split_once("] "))??.1
    };
    let rest = match rest
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "))
    {
        Some((_, rest)) => rest,
        None => rest,
    };
    match rest
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        Some((subsystem, rest)) if subsystem.contains(':') => Some(rest),
        _ => Some(rest),
    }
}

/// An access log's line behind a time that it has itself.
fn address_first(text: &str) -> Option<&str> {
    let (address, rest) = text.split_once(" - ")?;
    (super::sentence::is_address(address) && rest.contains(" [")).then_some(text)
}
