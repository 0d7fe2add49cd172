//! Tokens that are sent on after their end: the same client, or the same moment of expiry, refused again and again.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::findings::{Moment, near};
use super::names;
use super::record::Record;
use super::{shown, time};

/// Clients, tokens and paths that are remembered at a time.
const MOST: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();
/// Milliseconds between the words and the answer.
const TOGETHER: u64 = 1_000;
/// Milliseconds within which two lines are about one request.
const ONE: u64 = 100;
/// Milliseconds by which moments of expiry differ that were counted back from a line.
const EXACT: u64 = 3_000;
/// Refusals from which a client takes no notice.
const ENOUGH: u64 = 3;
/// Milliseconds after which no difference of clocks explains a refusal by which others are not met.
const LONG: u64 = 600_000;
/// Clients or tokens that may be concerned where it is their fault, and not that of the verifier's clock.
const FEW: usize = 2;

/// Refusals for expiry, by who or what was refused.
pub(super) struct Stale {
    said: Option<Moment>,
    clients: LruCache<u64, Seen>,
    tokens: Vec<(u64, Seen)>,
    /// Paths that were refused to somebody, with how often others were served.
    paths: LruCache<String, u64>,
    /// Tokens beyond those that are remembered.
    many: bool,
}

struct Seen {
    count: u64,
    first: Moment,
    last: Moment,
}

impl Default for Stale {
    fn default() -> Self {
        Self {
            said: None,
            clients: LruCache::new(MOST),
            tokens: Vec::new(),
            paths: LruCache::new(MOST),
            many: false,
        }
    }
}

impl Stale {
    /// A line says of a token that it is expired.
    pub(super) fn said(&mut self, line: &str, now: Moment) {
        self.said = Some(now);
        let Some(end) = now.at.and_then(|at| end(line, at)) else {
            return;
        };
        let same = |(other, _): &&mut (u64, Seen)| other.abs_diff(end) <= EXACT;
        if let Some((_, seen)) = self.tokens.iter_mut().find(same) {
            seen.add(now);
        } else if self.tokens.len() < MOST.get() {
            self.tokens.push((end, Seen::of(now)));
        } else {
            self.many = true;
        }
    }

    /// A request was answered, to somebody who is known by more than the file.
    pub(super) fn answered(&mut self, record: &Record, status: u16, who: Option<u64>, now: Moment) {
        if status != 401 && (self.paths.is_empty() || !(200..300).contains(&status)) {
            return;
        }
        let path = asked(record).map(|path| shown::path(&path));
        if status == 401 {
            if let Some(path) = path {
                self.paths.get_or_insert_mut(path, u64::default);
            }
            let said = self.said.take().filter(|said| near(said, &now, TOGETHER));
            if let Some(who) = who.filter(|_| said.is_some()) {
                match self.clients.get_mut(&who) {
                    Some(seen) => seen.add(now),
                    None => {
                        self.clients.put(who, Seen::of(now));
                    }
                }
            }
            return;
        }
        let served = who.and_then(|who| self.clients.pop(&who)).is_some();
        if let Some(others) = path
            .and_then(|path| self.paths.get_mut(&path))
            .filter(|_| !served)
        {
            *others += 1;
        }
    }

    /// A name, a sentence and the place, where a token is sent on.
    pub(super) fn finish(&self) -> Option<(&'static str, String, Moment)> {
        let of_clients = self.clients.iter().map(|(_, seen)| (seen, seen.span()));
        // Who sends it is not known: a client that refreshes after some refusals does so soon.
        let of_tokens = self
            .tokens
            .iter()
            .map(|(end, seen)| (seen, seen.last.at.unwrap_or_default().saturating_sub(*end)));
        let of_tokens = of_tokens.filter(|(_, long)| *long >= LONG);
        let all = of_tokens.chain(of_clients);
        let (seen, long) = all
            .filter(|(seen, _)| seen.count >= ENOUGH)
            .max_by_key(|(_, long)| *long)?;
        let count = seen.count;
        let others = self.paths.iter().map(|(_, others)| others).max().copied();
        let alone = self.clients.len() <= FEW && self.tokens.len() <= FEW && !self.many;
        let settled = long >= LONG && alone && others.unwrap_or_default() >= ENOUGH;
        let seconds = long / 1_000;
        Some(if settled {
            let says = format!(
                "one client was refused {count} times for an expired token, the last time {seconds} s after its end or the first refusal, while others were served"
            );
            ("expired-token-kept", says, seen.first)
        } else {
            let says = format!("one client was refused {count} times for an expired token");
            ("expired-again", says, seen.first)
        })
    }
}

impl Seen {
    fn of(now: Moment) -> Self {
        Self {
            count: 1,
            first: now,
            last: now,
        }
    }

    fn add(&mut self, now: Moment) {
        if !near(&self.last, &now, ONE) {
            self.count += 1;
            self.last = now;
        }
    }

    fn span(&self) -> u64 {
        let span = self.last.at.zip(self.first.at);
        span.map_or(0, |(last, first)| last.saturating_sub(first))
    }
}

/// What was asked for; errors have a path of their own (Azure's `lastError.path`).
fn asked(record: &Record) -> Option<String> {
    let of_request = |path: &String| path.starts_with('/') || path.contains("://");
    let path = record.text(names::PATH).filter(of_request);
    path.or_else(|| record.text(&["url", "uri"]).filter(of_request))
}

/// When the token ended, as the line tells: `expired 2800 seconds ago`, `"exp" validation failure (1795295026)`,
/// `expired at 2026-11-21T10:00:00Z`, `"expiredAt":"2026-11-21T10:00:00.000Z"`.
fn end(line: &str, now: u64) -> Option<u64> {
    const BEFORE: [&str; 5] = [
        "expired at ",
        "expiredAt\":\"",
        "expiredAt: ",
        "Token Expiry: ",
        "validation failure (",
    ];
    let ago = || {
        let (_, rest) = line.split_once("expired ")?;
        let mut words = rest.split(' ');
        let seconds: u64 = words.next()?.parse().ok()?;
        let unit = words.next()?.starts_with('s') && words.next()?.starts_with("ago");
        unit.then(|| now.saturating_sub(seconds * 1_000))
    };
    let told = BEFORE.iter().find_map(|words| {
        let (_, rest) = line.split_once(words)?;
        time::prefix(rest.trim_start_matches(['\'', '"'])).map(|(at, _)| at)
    });
    told.or_else(ago).filter(|end| *end <= now)
}

#[cfg(test)]
mod tests {
    use crate::logs::Analyst;

    fn named(lines: &[String]) -> Option<String> {
        let mut analyst = Analyst::new();
        analyst.read("api.log", lines.join("\n").as_bytes());
        let findings = analyst.finish().findings;
        let mut names = findings.iter().filter_map(|one| one.text());
        names
            .find(|name| name.starts_with("expired-"))
            .map(str::to_owned)
    }

    fn answer(minute: u64, address: u64, status: u16) -> String {
        let said = if status == 401 { "jwt expired" } else { "ok" };
        format!(
            r#"{{"time":"2026-11-21T10:{minute:02}:00Z","remote_addr":"192.0.2.{address}","method":"GET","path":"/orders","status":{status},"message":"{said}"}}"#
        )
    }

    #[test]
    fn a_client_that_goes_on_is_told_from_one_that_gets_over_it() {
        let lines = |refused: &[u64], served: &[(u64, u64)]| -> Vec<_> {
            let refused = refused
                .iter()
                .map(|minute| (*minute, answer(*minute, 7, 401)));
            let served = served
                .iter()
                .map(|(minute, who)| (*minute, answer(*minute, *who, 200)));
            let mut all: Vec<_> = refused.chain(served).collect();
            all.sort();
            all.into_iter().map(|(_, line)| line).collect()
        };
        let others = [(3, 8), (8, 9), (14, 8), (22, 9)];
        let kept = named(&lines(&[1, 6, 12, 20], &others));
        assert_eq!(kept.as_deref(), Some("expired-token-kept"));
        let alone = named(&lines(&[1, 6, 12, 20], &[]));
        assert_eq!(alone.as_deref(), Some("expired-again"));
        let short = named(&lines(&[1, 2, 3, 4], &others));
        assert_eq!(short.as_deref(), Some("expired-again"));
        assert_eq!(named(&lines(&[1, 6, 12, 20], &[(21, 7)])), None);
        assert_eq!(named(&lines(&[1, 2], &others)), None);
    }

    #[test]
    fn a_token_is_known_by_its_end() {
        let line = |second: u64, ago: u64| {
            format!(
                "[Sat Nov 21 10:00:{second:02}.000000 2026] [auth_openidc:error] [client 192.0.2.7:0] oidc_proto_validate_exp: JWT expired {ago} seconds ago"
            )
        };
        let same = [line(1, 2801), line(5, 2805), line(9, 2809)];
        assert_eq!(named(&same).as_deref(), Some("expired-again"));
        let others = [line(1, 2801), line(5, 80), line(9, 1009)];
        assert_eq!(named(&others), None);
    }
}
