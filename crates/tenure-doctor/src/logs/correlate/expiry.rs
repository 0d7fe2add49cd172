//! Sessions that end when their first access token does, because nobody refreshes.

use std::collections::BTreeMap;

use super::person::Person;
use super::{Scene, Summary};
use crate::logs::Pattern;
use crate::logs::event::Kind;
use crate::logs::findings::{Moment, Sighting};

/// Seconds below which a session has not expired but was never accepted.
const SHORTEST: u64 = 60;
/// Sessions that have to agree where the lifetime is known, and where it is not.
const KNOWN: u64 = 2;
const GUESSED: u64 = 3;
/// Different durations that are kept.
const MOST: usize = 4_096;

/// Seconds from login to the first 401 of sessions that had no refresh and did not recover.
#[derive(Default)]
pub(super) struct Sessions {
    /// How many sessions took how long.
    after: BTreeMap<u64, u64>,
    /// Lifetimes that logins promised, in the same way.
    promised: BTreeMap<u64, u64>,
    first: Option<Moment>,
    last: Option<u64>,
    /// Refreshes that nobody can be named for.
    nameless: u64,
    /// Refreshes of which only the address is known.
    guessed: u64,
    /// A session was of somebody who is named.
    named: bool,
}

impl Sessions {
    pub(super) fn judge(&mut self, scene: &mut Scene<'_>) {
        let event = scene.event;
        let person = &mut *scene.person;
        match event.kind {
            Kind::RefreshSent | Kind::RefreshAnswered | Kind::Reuse => {
                (person.login, person.expired_after) = (None, None);
                self.nameless += u64::from(event.who.key.is_none());
                self.guessed += u64::from(event.who.guessed);
            }
            Kind::Login => {
                self.done(person);
                person.expired_after = None;
                person.shared |= event.who.guessed && person.login.is_some();
                if let Some(lifetime) = event.lifetime {
                    count(&mut self.promised, lifetime);
                }
            }
            Kind::Request if event.status == Some(401) => {
                let login = person.login.take().map(|(login, _)| login);
                let after = login.and_then(|login| event.at?.checked_sub(login.at?));
                if let Some(after) = after
                    .map(|after| after / 1_000)
                    .filter(|after| *after >= SHORTEST && !person.shared)
                {
                    person.expired_after = Some((after, event.into()));
                }
            }
            Kind::Request if event.good() => person.expired_after = None,
            Kind::Revoked => (person.login, person.expired_after) = (None, None),
            _ => {}
        }
    }

    /// A person is forgotten, or begins again.
    pub(super) fn done(&mut self, person: &Person) {
        if let Some((after, moment)) = person.expired_after {
            count(&mut self.after, after);
            self.named |= !person.guessed;
            self.first.get_or_insert(moment);
            self.last = self.last.max(moment.at);
        }
    }

    pub(super) fn finish(&mut self) -> Option<Summary> {
        let all: u64 = self.after.values().sum();
        let promised = self
            .promised
            .iter()
            .max_by_key(|(_, count)| **count)
            .map(|(promised, _)| *promised);
        let lifetime = promised.or_else(|| self.after.keys().next().copied())?;
        let late = lifetime + lifetime / 4 + 60;
        let fitting: u64 = self
            .after
            .range(lifetime.saturating_sub(5)..=late)
            .map(|(_, count)| count)
            .sum();
        let enough = fitting >= promised.map_or(GUESSED, |_| KNOWN) && fitting * 5 >= all * 4;
        // A refresh that nobody is named for may have been of any of these sessions.
        if !enough || self.nameless > 0 || self.named && self.guessed > 0 {
            return None;
        }
        let says = format!(
            "{fitting} of {all} sessions met their first 401 {lifetime} s after the login or soon after, and none of them refreshed"
        );
        let histogram: Vec<_> = self
            .after
            .iter()
            .take(20)
            .map(|(after, count)| format!("{after} s: {count}"))
            .collect();
        let seen = Sighting::new(Pattern::RefreshNeverCalled, says)
            .figure("lifetime_s", lifetime)
            .figure("lifetime_known", promised.is_some())
            .figure("sessions", all)
            .figure("histogram", histogram.join(", "));
        Some((seen, fitting, self.first?, self.last))
    }
}

fn count(table: &mut BTreeMap<u64, u64>, value: u64) {
    if table.len() < MOST || table.contains_key(&value) {
        *table.entry(value).or_default() += 1;
    }
}
