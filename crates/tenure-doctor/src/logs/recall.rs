//! The events around what was found, in bounded number.

use std::collections::VecDeque;

use super::Event;
use super::correlate::{Person, RECENT};
use super::event::{Happening, Kind};
use crate::redact;

/// Events of the timeline.
const MOST: usize = 240;
/// Sightings of one pattern whose surroundings are kept.
const SIGHTINGS: u64 = 3;
/// Events that are kept after a sighting.
const FOLLOW: u8 = 6;

/// Events for the timeline.
#[derive(Debug, Default)]
pub(super) struct Recall {
    kept: Vec<Event>,
    /// Of nobody in particular.
    recent: VecDeque<Event>,
    follow: u8,
}

impl Recall {
    /// An event, of a person or of nobody in particular.
    pub(super) fn event(&mut self, person: Option<&mut Person>, event: Event) {
        let (recent, follow) = match person {
            Some(person) => (&mut person.recent, &mut person.follow),
            None => (&mut self.recent, &mut self.follow),
        };
        if *follow > 0 {
            *follow -= 1;
            if self.kept.len() < MOST {
                self.kept.push(event);
            }
            return;
        }
        if recent.len() >= RECENT {
            recent.pop_front();
        }
        recent.push_back(event);
    }

    /// Something was found for the `count`th time: what led to it is kept, and a little of what follows.
    pub(super) fn found(&mut self, person: Option<&mut Person>, count: u64) {
        if count > SIGHTINGS {
            return;
        }
        let (recent, follow) = match person {
            Some(person) => (&mut person.recent, &mut person.follow),
            None => (&mut self.recent, &mut self.follow),
        };
        let space = MOST.saturating_sub(self.kept.len());
        let beyond = recent.len().saturating_sub(space);
        self.kept.extend(recent.drain(beyond..));
        *follow = FOLLOW;
    }

    /// Keeps events that were set aside.
    pub(super) fn keep(&mut self, events: VecDeque<Event>) {
        let space = MOST.saturating_sub(self.kept.len());
        self.kept.extend(events.into_iter().take(space));
    }

    /// In the order of time; without any finding, the last events.
    pub(super) fn finish(mut self) -> Vec<Event> {
        self.kept.extend(self.recent);
        self.kept.sort_by_key(|event| event.at_ms);
        self.kept.truncate(MOST);
        // Few of all events come here, and redacting one costs more than reading its line.
        for event in &mut self.kept {
            event.actor = redact::text(&event.actor);
            event.what = redact::text(&event.what);
        }
        self.kept
    }
}

/// An event in a few words.
pub(super) fn what(event: &Happening) -> String {
    let on = |names: &Option<String>| {
        names
            .as_ref()
            .map_or(String::new(), |name| format!(" {name}"))
    };
    let token = on(&event.token_in);
    let path = on(&event.path);
    match event.kind {
        Kind::Login => "signed in".to_owned(),
        Kind::RefreshSent => format!("refresh sent{token}"),
        Kind::RefreshAnswered => format!("refresh{token}: {}", event.outcome()),
        Kind::RequestSent => format!("request{path} sent"),
        Kind::Request => format!("request{path}: {}", event.outcome()),
        Kind::RetryExhausted => format!("refused again after a refresh: {}", event.outcome()),
        Kind::Reuse => format!("a used refresh token came back{token}"),
        Kind::Cleared => format!("session cleared{}", because(event)),
        Kind::SignedOut => format!("signed out{}", because(event)),
        Kind::Revoked => format!("session ended by the issuer{}", because(event)),
        Kind::StoreRead => "session read from the store".to_owned(),
        Kind::StoreWrite => "session written to the store".to_owned(),
        Kind::Restored => "session restored".to_owned(),
        Kind::Launched => "app started".to_owned(),
        Kind::Restarted => "service started".to_owned(),
        Kind::Memory => "kept in the memory of one process".to_owned(),
    }
}

fn because(event: &Happening) -> String {
    event
        .reason
        .as_ref()
        .map_or(String::new(), |reason| format!(" ({reason})"))
}

/// Whether an event went wrong.
pub(super) fn bad(event: &Happening) -> bool {
    match event.kind {
        Kind::Request | Kind::RefreshAnswered => !event.good(),
        Kind::RetryExhausted | Kind::Reuse | Kind::Memory => true,
        Kind::Cleared | Kind::SignedOut => !event.wanted,
        Kind::StoreRead => event.parts.iter().any(|(_, there)| !there),
        _ => false,
    }
}
