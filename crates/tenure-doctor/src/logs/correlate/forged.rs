//! Writes that are refused beside words about forged requests.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use super::Summary;
use crate::logs::findings::{Moment, Sighting, near};
use crate::logs::record::Record;
use crate::logs::{Pattern, names, shown};

/// Milliseconds between the words and the answer.
const TOGETHER: u64 = 1_000;
/// Paths that are told apart.
const PATHS: usize = 64;
/// People who are remembered as served.
const PEOPLE: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();
/// Refusals, and people among whom they are, from which it is no single page that was open for too long.
const ENOUGH: (u64, usize) = (3, 2);

/// Answers to what writes, by path.
pub(in crate::logs) struct Writes {
    said: Option<Moment>,
    refused: Option<(String, Option<u64>, Moment)>,
    paths: BTreeMap<String, Path>,
    served: LruCache<u64, ()>,
}

#[derive(Default)]
struct Path {
    refused: u64,
    well: u64,
    /// Passed since the last refusal.
    since: u64,
    /// Those who were refused and served else.
    people: Vec<u64>,
    first: Option<Moment>,
    last: Option<u64>,
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            said: None,
            refused: None,
            paths: BTreeMap::new(),
            served: LruCache::new(PEOPLE),
        }
    }
}

impl Writes {
    /// A line speaks of a forged request.
    pub(in crate::logs) fn said(&mut self, at: Moment) {
        match self.refused.take() {
            Some((path, who, moment)) if near(&moment, &at, TOGETHER) => {
                self.count(path, who, moment);
            }
            _ => self.said = Some(at),
        }
    }

    /// A request was answered.
    pub(in crate::logs) fn answered(
        &mut self,
        record: &Record,
        status: u16,
        who: Option<u64>,
        now: Moment,
    ) {
        if !matches!(status, 200..400 | 400 | 401 | 403 | 412 | 419 | 422) {
            return;
        }
        let method = record.text(names::METHOD);
        let writes = matches!(method.as_deref(), Some("POST" | "PUT" | "PATCH" | "DELETE"));
        if let (200..400, Some(who)) = (status, who) {
            self.served.put(who, ());
        }
        if !writes || status < 400 && self.paths.is_empty() {
            return;
        }
        let path = record.text(names::PATH).map(|path| shown::path(&path));
        let path = path.unwrap_or_default();
        if status < 400 {
            if let Some(path) = self.paths.get_mut(&path) {
                path.well += 1;
                path.since += 1;
            }
            return;
        }
        match self.said.take() {
            Some(said) if near(&said, &now, TOGETHER) => self.count(path, who, now),
            _ => self.refused = Some((path, who, now)),
        }
    }

    fn count(&mut self, path: String, who: Option<u64>, at: Moment) {
        let (Some(who), true) = (
            who,
            self.paths.len() < PATHS || self.paths.contains_key(&path),
        ) else {
            return;
        };
        let path = self.paths.entry(path).or_default();
        path.refused += 1;
        path.since = 0;
        path.first.get_or_insert(at);
        path.last = path.last.max(at.at);
        if path.people.len() <= ENOUGH.1
            && self.served.contains(&who)
            && !path.people.contains(&who)
        {
            path.people.push(who);
        }
    }

    /// Whether each path lets more writes pass than it refuses, and none of those refused was served else: the forms are
    /// forged indeed.
    pub(in crate::logs) fn mostly_pass(&self) -> bool {
        let passes = |path: &Path| path.well > path.refused && path.people.is_empty();
        !self.paths.is_empty() && self.paths.values().all(passes)
    }

    /// The path of which more writes are refused than pass, to the end.
    pub(super) fn finish(&self) -> Option<Summary> {
        let refuses = |path: &Path| {
            let lasts = path.refused > path.well && path.since < ENOUGH.0;
            lasts && path.refused >= ENOUGH.0 && path.people.len() >= ENOUGH.1
        };
        let mut paths = self.paths.iter();
        let (name, path) = paths.find(|(_, path)| refuses(path))?;
        let says = format!(
            "{} writes to {name} were refused beside words about forged requests, {} passed",
            path.refused, path.well
        );
        let seen = Sighting::new(Pattern::WritesRefused, says).figure("path", name);
        Some((seen, path.refused, path.first?, path.last))
    }
}
