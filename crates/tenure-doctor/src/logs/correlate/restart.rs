//! Users who were answered well before a restart, and are turned away after it.

use super::person::Person;
use super::{Scene, Summary};
use crate::logs::Pattern;
use crate::logs::event::{Answer, Happening, Kind};
use crate::logs::findings::{Moment, Sighting, near};

/// Milliseconds within which several processes start together.
const TOGETHER: u64 = 60_000;
/// Milliseconds after a restart in which a refusal belongs to it.
const AFTERWARDS: u64 = 1_800_000;

/// Restarts, and who was lost.
#[derive(Default)]
pub(super) struct Restarts {
    /// So far, and one; as [`Person::good_epoch`] counts.
    now: u32,
    last: Option<Moment>,
    lost: u64,
    /// Of them, those whose refresh was refused.
    refreshes: u64,
    first: Option<Moment>,
    latest: Option<u64>,
    /// People who were turned away for good without a restart in between.
    before: u64,
    /// People who were ever answered well; counted to two.
    people: Option<u64>,
    several: bool,
}

impl Restarts {
    pub(super) fn started(&mut self, event: &Happening) {
        let now = Moment::from(event);
        let together = self.last.is_some_and(|last| near(&last, &now, TOGETHER));
        if !together {
            self.now += 1;
        }
        self.last = Some(now);
    }

    /// As [`super::Seen`] counts.
    pub(super) fn epoch(&self) -> u32 {
        self.now + 1
    }

    pub(super) fn judge(&mut self, scene: &mut Scene<'_>) {
        let event = scene.event;
        let now = self.epoch();
        let asked = matches!(
            event.kind,
            Kind::Request | Kind::RefreshAnswered | Kind::Login
        );
        if event.who.key.is_none() || !asked {
            if matches!(event.kind, Kind::Revoked | Kind::SignedOut | Kind::Reuse) {
                scene.person.good_epoch = 0;
            }
            return;
        }
        let person = &mut *scene.person;
        let well = event.kind == Kind::Login || event.good();
        if well {
            self.several |= self
                .people
                .is_some_and(|other| Some(other) != event.who.key);
            self.people = self.people.or(event.who.key);
            if event.kind != Kind::Login {
                person.lost = None;
            }
            person.good_epoch = now;
            return;
        }
        let refused = event.status == Some(401) || matches!(event.answer, Answer::Dead(_));
        if !refused || person.good_epoch == 0 {
            return;
        }
        let across = person.good_epoch < now;
        let soon = || {
            self.last
                .is_some_and(|last| near(&last, &event.into(), AFTERWARDS))
        };
        if person.lost.is_none() && (!across || soon()) {
            person.lost = Some((across, event.kind == Kind::RefreshAnswered, event.into()));
        }
        person.good_epoch = 0;
    }

    pub(super) fn done(&mut self, person: &Person) {
        let Some((across, refresh, moment)) = person.lost else {
            return;
        };
        if across {
            self.lost += 1;
            self.refreshes += u64::from(refresh);
            let first = self.first.get_or_insert(moment);
            if moment.at < first.at {
                *first = moment;
            }
            self.latest = self.latest.max(moment.at);
        } else {
            self.before += 1;
        }
    }

    pub(super) fn finish(&mut self) -> Option<Summary> {
        let enough = if self.several {
            self.lost >= 2
        } else {
            self.lost >= 1
        };
        if !enough || self.lost <= 2 * self.before {
            return None;
        }
        let says = format!(
            "{} users who had been answered well before a restart were turned away within half an hour after it, and did not recover without signing in",
            self.lost
        );
        let seen = Sighting::new(Pattern::RefusedAfterRestart, says)
            .figure("users", self.lost)
            .figure("of_refreshes", self.refreshes)
            .figure("refused_before", self.before)
            .figure("restarts", self.now);
        Some((seen, self.lost, self.first?, self.latest))
    }
}
