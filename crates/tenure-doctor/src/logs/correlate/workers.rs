//! Processes and hosts that answer the same user differently.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use super::{Scene, Summary};
use crate::logs::Pattern;
use crate::logs::event::{Answer, Kind};
use crate::logs::findings::{Moment, Sighting, near};

/// Milliseconds between two answers that are compared.
const TOGETHER: u64 = 300_000;
/// Processes that are told apart.
const WORKERS: usize = 64;
/// Refreshes by which a process is known to refuse all, or none.
const ENOUGH: u64 = 5;

/// Answers by user and path, and refreshes by process.
pub(super) struct Routes {
    routes: LruCache<(u64, String), Trail>,
    refreshes: BTreeMap<String, Tally>,
}

#[derive(Default)]
struct Trail {
    /// Logins and refreshes before; what came before another one is not compared.
    generation: (u32, u32),
    last: Option<(String, bool, Moment)>,
    well: Vec<String>,
    refused: Vec<String>,
    /// Changes of the answer from one process to another.
    flips: u32,
    told: bool,
}

#[derive(Default)]
struct Tally {
    well: u64,
    refused: u64,
    first: Option<Moment>,
    last: Option<Moment>,
}

impl Routes {
    pub(super) fn new(most: NonZeroUsize) -> Self {
        Self {
            routes: LruCache::new(most),
            refreshes: BTreeMap::new(),
        }
    }

    pub(super) fn judge(&mut self, scene: &mut Scene<'_>) {
        let event = scene.event;
        let asked = matches!(event.kind, Kind::Request | Kind::RefreshAnswered);
        let well = event.good();
        let refused = event.refused() && event.answer != Answer::Dead(true);
        let Some(worker) = event
            .who
            .worker
            .as_ref()
            .filter(|_| asked && (well || refused))
        else {
            return;
        };
        if event.kind == Kind::RefreshAnswered {
            self.tally(worker, well, event.into());
        }
        let (Some(key), false) = (event.who.key, event.who.guessed) else {
            return;
        };
        let refreshes = if event.kind == Kind::Request {
            scene.person.refreshes
        } else {
            0
        };
        let generation = (scene.person.logins, refreshes);
        let path = match event.kind {
            Kind::Request => event.path.clone().unwrap_or_default(),
            _ => "refresh".to_owned(),
        };
        let trail = self
            .routes
            .get_or_insert_mut((key, path.clone()), Trail::default);
        if trail.generation != generation {
            *trail = Trail {
                generation,
                ..Trail::default()
            };
        }
        trail.add(worker, well, event.into());
        if trail.disagrees() {
            trail.told = true;
            scene.found.push(trail.sighting(&path));
        }
    }

    fn tally(&mut self, worker: &str, well: bool, now: Moment) {
        if self.refreshes.len() >= WORKERS && !self.refreshes.contains_key(worker) {
            return;
        }
        let tally = self.refreshes.entry(worker.to_owned()).or_default();
        if well {
            tally.well += 1;
        } else {
            tally.refused += 1;
        }
        tally.first.get_or_insert(now);
        tally.last = Some(now);
    }

    /// One process refuses every refresh while another refuses none.
    pub(super) fn finish(&mut self) -> Option<Summary> {
        let refuses = |tally: &Tally| tally.refused >= ENOUGH && tally.well == 0;
        let grants = |tally: &Tally| tally.well >= ENOUGH && tally.refused == 0;
        let overlap = |a: &Tally, b: &Tally| {
            let begin = |tally: &Tally| tally.first.and_then(|moment| moment.at);
            let end = |tally: &Tally| tally.last.and_then(|moment| moment.at);
            begin(a) <= end(b) && begin(b) <= end(a)
        };
        let (bad, worse) = self.refreshes.iter().find(|(_, tally)| refuses(tally))?;
        let (good, better) = self
            .refreshes
            .iter()
            .find(|(_, tally)| grants(tally) && overlap(tally, worse))?;
        let says = format!(
            "{bad} refused each of {} refreshes, while {good} refused none of {}",
            worse.refused, better.well
        );
        let seen = Sighting::new(Pattern::WorkersDisagree, says)
            .figure("refuses", bad)
            .figure("answers", good)
            .figure("workers", self.refreshes.len());
        Some((
            seen,
            worse.refused,
            worse.first?,
            worse.last.and_then(|moment| moment.at),
        ))
    }
}

impl Trail {
    fn add(&mut self, worker: &str, well: bool, now: Moment) {
        if let Some((other, before, moment)) = &self.last {
            if !near(moment, &now, TOGETHER) {
                *self = Self {
                    generation: self.generation,
                    ..Self::default()
                };
            } else if other != worker && *before != well {
                self.flips += 1;
            }
        }
        let list = if well {
            &mut self.well
        } else {
            &mut self.refused
        };
        if list.len() < 8 && !list.iter().any(|known| known == worker) {
            list.push(worker.to_owned());
        }
        self.last = Some((worker.to_owned(), well, now));
    }

    /// Twice at least, and nobody answered both ways.
    fn disagrees(&self) -> bool {
        let torn = self.well.iter().any(|worker| self.refused.contains(worker));
        !self.told && self.flips >= 2 && !torn
    }

    fn sighting(&self, path: &str) -> Sighting {
        let (well, refused) = (self.well.join(", "), self.refused.join(", "));
        let says =
            format!("the same user was answered well by {well} and refused by {refused}, in turns");
        Sighting::new(Pattern::WorkersDisagree, says)
            .figure("answers", well)
            .figure("refuses", refused)
            .figure("path", path)
    }
}
