//! Who acted, and when.

use crate::logs::Event;

/// Lanes that are drawn; further actors share the last one.
const MOST: usize = 6;

/// Actors in the order in which they appear.
pub(super) fn actors(events: &[Event]) -> Vec<String> {
    let mut actors: Vec<String> = Vec::new();
    for event in events {
        if !actors.contains(&event.actor) {
            actors.push(event.actor.clone());
        }
    }
    if actors.len() > MOST {
        actors.truncate(MOST - 1);
        actors.push("others".to_owned());
    }
    actors
}

/// The lane of an event.
pub(super) fn lane(actors: &[String], event: &Event) -> usize {
    let place = actors.iter().position(|actor| *actor == event.actor);
    place.unwrap_or(actors.len().saturating_sub(1))
}

/// The first moment that is known.
pub(super) fn start(events: &[Event]) -> u64 {
    events
        .iter()
        .map(|event| event.at_ms)
        .find(|at| *at > 0)
        .unwrap_or_default()
}

/// Time since the start: `+0.125 s`, `+14:59.012`, `+2 d 01:00:00`; nothing where the line had no time.
pub(super) fn since(start: u64, at: u64) -> String {
    if at == 0 {
        return String::new();
    }
    let millis = at.saturating_sub(start);
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    match seconds {
        0..60 => format!("+{seconds}.{rest:03} s"),
        60..3_600 => format!("+{}:{:02}.{rest:03}", seconds / 60, seconds % 60),
        3_600..86_400 => format!(
            "+{}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        ),
        _ => format!(
            "+{} d {:02}:{:02}:{:02}",
            seconds / 86_400,
            seconds / 3_600 % 24,
            seconds / 60 % 60,
            seconds % 60
        ),
    }
}
