//! Refresh tokens that are dead once nobody has used them for some time.

use super::{Scene, Summary};
use crate::logs::Pattern;
use crate::logs::event::{Answer, Kind};
use crate::logs::findings::{Moment, Sighting};

/// Seconds below which a pause is none.
const SHORTEST: u64 = 300;
/// Refreshes of each kind that have to agree.
const ENOUGH: u64 = 2;

/// Pauses before refreshes, in seconds.
#[derive(Default)]
pub(super) struct Pauses {
    refused: u64,
    shortest_refused: Option<u64>,
    good: u64,
    longest_good: u64,
    first: Option<Moment>,
    last: Option<u64>,
}

impl Pauses {
    pub(super) fn judge(&mut self, scene: &mut Scene<'_>) {
        let event = scene.event;
        let alive = &mut scene.person.alive;
        let pause = || {
            let before = alive.as_ref()?.at?;
            Some(event.at?.checked_sub(before)? / 1_000)
        };
        match (event.kind, event.answer) {
            (Kind::RefreshAnswered, Answer::Good) => {
                if let Some(pause) = pause() {
                    self.good += 1;
                    self.longest_good = self.longest_good.max(pause);
                }
                *alive = Some(event.into());
            }
            (Kind::RefreshAnswered, Answer::Dead(false)) => {
                if let Some(pause) = pause() {
                    self.refused += 1;
                    let shortest = self.shortest_refused.unwrap_or(pause).min(pause);
                    self.shortest_refused = Some(shortest);
                    self.first.get_or_insert(event.into());
                    self.last = self.last.max(event.at);
                }
                *alive = None;
            }
            (Kind::Login, _) => *alive = Some(event.into()),
            (Kind::Revoked | Kind::SignedOut | Kind::Reuse | Kind::Cleared, _)
            | (Kind::RefreshAnswered, Answer::Dead(true)) => *alive = None,
            _ => {}
        }
    }

    pub(super) fn finish(&self) -> Option<Summary> {
        let shortest = self.shortest_refused?;
        let apart = shortest >= SHORTEST && shortest > self.longest_good;
        if !apart || self.refused < ENOUGH || self.good < ENOUGH {
            return None;
        }
        let says = format!(
            "{} refreshes after a pause of {shortest} s or more were refused; {} after at most {} s succeeded",
            self.refused, self.good, self.longest_good
        );
        let seen = Sighting::new(Pattern::RefusedAfterPause, says)
            .figure("shortest_refused_s", shortest)
            .figure("longest_good_s", self.longest_good);
        Some((seen, self.refused, self.first?, self.last))
    }
}
