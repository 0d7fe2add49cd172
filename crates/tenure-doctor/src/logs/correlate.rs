//! What events mean together. Memory is bounded by [`PEOPLE`], [`TOKENS`] and [`ROUTES`]: who or what
//! was not met for longest is forgotten first.

mod client;
mod expiry;
mod forged;
mod fresh;
mod idle;
mod person;
mod refresh;
mod restart;
mod seen;
mod uses;
mod workers;

use std::num::NonZeroUsize;

use lru::LruCache;

pub(super) use person::{Person, RECENT};
pub(super) use seen::Seen;

use super::event::{self, Happening, Kind};
use super::findings::{Findings, Moment, Sighting, near};
use super::recall::Recall;
use super::{Event, LogFinding, Pattern};
use crate::Source;

/// Users, devices and clients that are remembered at a time.
const PEOPLE: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();
/// Refresh tokens that are remembered at a time.
const TOKENS: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// Milliseconds within which no token ends anew.
const SOON: u64 = 60_000;
/// People whose events stand for a pattern of many.
const EXAMPLES: usize = 3;
/// Pairs of a user and a path that are remembered at a time.
const ROUTES: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// All that is remembered of a log.
pub(super) struct Correlation {
    people: LruCache<u64, Box<Person>>,
    refreshes: uses::Refreshes,
    routes: workers::Routes,
    expiry: expiry::Sessions,
    restarts: restart::Restarts,
    pauses: idle::Pauses,
    pub(super) seen: Seen,
    pub(super) forged: forged::Writes,
    findings: Findings,
    recall: Recall,
    refusals: Refusals,
    files: Vec<String>,
}

#[derive(Default)]
struct Refusals {
    /// 401, 403, and refreshes refused for good by another status.
    by_status: [u64; 3],
    recovered: u64,
    /// Refusals after which the same user was answered well.
    recovered_answers: u64,
    /// Answers to refreshes among them.
    of_refreshes: u64,
    /// Refusals soon after the same client had got over one, without a sign-in or refresh between.
    again: u64,
    /// What crawlers and scanners were refused, which is not counted above.
    of_scanners: u64,
    first: Option<Moment>,
    last: Option<u64>,
}

/// What one event is judged with.
struct Scene<'a> {
    event: &'a Happening,
    person: &'a mut Person,
    found: Vec<Sighting>,
}

impl Correlation {
    pub(super) fn new() -> Self {
        Self {
            people: LruCache::new(PEOPLE),
            refreshes: uses::Refreshes::new(),
            routes: workers::Routes::new(ROUTES),
            expiry: expiry::Sessions::default(),
            restarts: restart::Restarts::default(),
            pauses: idle::Pauses::default(),
            seen: Seen::default(),
            forged: forged::Writes::default(),
            findings: Findings::default(),
            recall: Recall::default(),
            refusals: Refusals::default(),
            files: Vec::new(),
        }
    }

    /// The name of the file that the next events are from.
    pub(super) fn file(&mut self, name: &str) -> usize {
        self.files.push(name.to_owned());
        self.files.len() - 1
    }

    pub(super) fn source(&self, moment: Moment) -> Source {
        let name = self.files.get(moment.file).cloned().unwrap_or_default();
        Source::Log(name, moment.line)
    }

    /// A known text, at a line. Those of levels for developers are counted apart: they quote what others said.
    pub(super) fn text(&mut self, name: &str, moment: Moment, chatter: bool) {
        let mut seen = Sighting::new(
            Pattern::Text,
            format!("the log holds the known text \"{name}\""),
        )
        .figure("text", name);
        if chatter {
            seen = seen.figure("level", "debug");
        }
        let source = self.source(moment);
        self.findings.add(seen, source, moment.at);
    }

    /// Notes what a record shows by itself, under a name like that of a text.
    pub(super) fn noted(&mut self, name: &str, says: String, moment: Moment) {
        let seen = Sighting::new(Pattern::Text, says).figure("text", name);
        let source = self.source(moment);
        self.findings.add(seen, source, moment.at);
    }

    /// Takes one event in.
    pub(super) fn event(&mut self, event: &Happening) {
        self.count_refusal(event);
        let mut nobody = Person::default();
        let mut known = event.who.key.map(|key| self.person(key));
        let person = known.as_deref_mut().unwrap_or(&mut nobody);
        let mut scene = Scene {
            event,
            person,
            found: Vec::new(),
        };
        if event.kind == Kind::Restarted {
            self.restarts.started(event);
            self.seen.now = self.restarts.epoch();
        }
        if let Some(raw) = event.who.raw {
            let epoch = self.seen.epoch(raw);
            scene.person.good_epoch = scene.person.good_epoch.max(epoch);
        }
        refresh::judge(&mut scene, &mut self.refreshes);
        client::judge(&mut scene);
        fresh::judge(&mut scene);
        self.expiry.judge(&mut scene);
        self.restarts.judge(&mut scene);
        self.pauses.judge(&mut scene);
        self.routes.judge(&mut scene);
        self.note_refusal(&mut scene);
        scene.person.remember(event);
        let found = scene.found;
        let shown = self.shown(event);
        self.recall.event(known.as_deref_mut(), shown);
        for seen in found {
            let source = self.source(event.into());
            let count = self.findings.add(seen, source, event.at);
            self.recall.found(known.as_deref_mut(), count);
        }
        if let (Some(key), Some(person)) = (event.who.key, known) {
            self.keep(key, person);
        }
    }

    fn person(&mut self, key: u64) -> Box<Person> {
        self.people.pop(&key).unwrap_or_default()
    }

    fn keep(&mut self, key: u64, person: Box<Person>) {
        if let Some((other, forgotten)) = self.people.push(key, person)
            && other != key
        {
            self.expiry.done(&forgotten);
            self.restarts.done(&forgotten);
        }
    }

    fn count_refusal(&mut self, event: &Happening) {
        let asked = matches!(event.kind, Kind::Request | Kind::RefreshAnswered);
        let dead = is_dead(event);
        if !asked || !(event.refused() || dead) {
            return;
        }
        if event.of_scanner {
            self.refusals.of_scanners += 1;
            return;
        }
        let [unauthorized, forbidden, refreshes] = &mut self.refusals.by_status;
        *match event.status {
            Some(401) => unauthorized,
            Some(403) => forbidden,
            _ => refreshes,
        } += 1;
        self.refusals.of_refreshes += u64::from(event.kind == Kind::RefreshAnswered);
        self.refusals.first.get_or_insert(event.into());
        self.refusals.last = self.refusals.last.max(event.at);
        if let Some(raw) = event.who.raw {
            self.seen.watch(raw);
        }
    }

    /// Whoever was refused and is answered again has recovered; where nobody is named, after a renewal only.
    fn note_refusal(&mut self, scene: &mut Scene<'_>) {
        let (event, person) = (scene.event, &mut *scene.person);
        let now = Moment::from(event);
        match event.kind {
            _ if event.of_scanner => {}
            Kind::Request | Kind::RefreshAnswered if event.refused() || is_dead(event) => {
                let soon = |well: &Moment| near(well, &now, SOON);
                let again = person.well_again.take().is_some_and(|well| soon(&well));
                self.refusals.again += u64::from(again);
                person.refused_open += 1;
                person.renewed = false;
            }
            Kind::Request if event.good() && person.refused_open > 0 => {
                if event.who.of_file && !person.renewed {
                    return;
                }
                person.well_again = (!person.renewed).then_some(now);
                self.refusals.recovered += 1;
                self.refusals.recovered_answers += std::mem::take(&mut person.refused_open);
            }
            _ => {}
        }
    }

    fn shown(&self, event: &Happening) -> Event {
        let file = self.files.get(event.file).map_or("log", String::as_str);
        let who = &event.who;
        let actor = who
            .worker
            .clone()
            .or_else(|| who.client.clone())
            .or_else(|| who.user.clone());
        Event {
            at_ms: event.at.unwrap_or_default(),
            actor: actor.unwrap_or_else(|| file.to_owned()),
            what: super::recall::what(event),
            bad: super::recall::bad(event),
            source: self.source(event.into()),
        }
    }

    /// All findings, and the events around them.
    pub(super) fn finish(mut self) -> (Vec<LogFinding>, Vec<Event>) {
        let mut examples = Vec::new();
        for (_, mut person) in std::mem::replace(&mut self.people, LruCache::new(PEOPLE)) {
            self.expiry.done(&person);
            self.restarts.done(&person);
            if examples.len() < EXAMPLES && person.recent.iter().any(|event| event.bad) {
                examples.push(std::mem::take(&mut person.recent));
            }
        }
        let found = [
            self.expiry.finish(),
            self.restarts.finish(),
            self.pauses.finish(),
            self.refreshes.finish(),
            self.routes.finish(),
            self.forged.finish(),
        ];
        for (seen, count, moment, last) in found.into_iter().flatten() {
            // What is only known at the end is shown by those whom it happened to.
            examples
                .drain(..)
                .for_each(|events| self.recall.keep(events));
            let source = self.source(moment);
            self.findings.set(seen, count, source, [moment.at, last]);
        }
        self.finish_refreshes();
        self.finish_refusals();
        (self.findings.finish(), self.recall.finish())
    }

    fn finish_refreshes(&mut self) {
        let mut known: [(Pattern, Vec<_>); 3] = [
            (Pattern::RefreshRace, Vec::new()),
            (Pattern::RefreshReuse, Vec::new()),
            (Pattern::AnswerLost, Vec::new()),
        ];
        for (_, seen, moment) in self.refreshes.endings() {
            let source = self.source(moment);
            let list = known
                .iter_mut()
                .find(|(pattern, _)| *pattern == seen.pattern);
            if let Some((_, list)) = list {
                list.push((seen, source, moment.at));
            }
        }
        for (pattern, list) in known {
            self.findings.replace(pattern, list);
        }
    }

    fn finish_refusals(&mut self) {
        let [unauthorized, forbidden, refreshes] = self.refusals.by_status;
        let Some(first) = self.refusals.first else {
            if self.refusals.of_scanners > 0 {
                self.findings.drop_refusals();
            }
            return;
        };
        let recovered = self.refusals.recovered;
        let says = format!(
            "{unauthorized} answers 401, {forbidden} answers 403, {refreshes} refreshes refused otherwise; {recovered} times the same user was answered well later"
        );
        let seen = Sighting::new(Pattern::Refusals, says)
            .figure("401", unauthorized)
            .figure("403", forbidden)
            .figure("recovered", recovered)
            .figure("recovered_answers", self.refusals.recovered_answers)
            .figure("of_refreshes", self.refusals.of_refreshes)
            .figure("again", self.refusals.again);
        let source = self.source(first);
        let span = [first.at, self.refusals.last];
        self.findings
            .set(seen, unauthorized + forbidden + refreshes, source, span);
    }
}

/// A refresh that was refused for good.
fn is_dead(event: &Happening) -> bool {
    event.kind == Kind::RefreshAnswered && matches!(event.answer, event::Answer::Dead(_))
}

/// What is only known at the end: the sighting, its count, the first place and the last time.
type Summary = (Sighting, u64, Moment, Option<u64>);
