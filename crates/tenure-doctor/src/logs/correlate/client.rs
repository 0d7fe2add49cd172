//! What a client says of itself: its store, its start, its user interface.

use super::Scene;
use crate::logs::Pattern;
use crate::logs::event::Kind;
use crate::logs::findings::{Moment, Sighting, near};

/// Milliseconds within which an app restores its session after it starts.
const START: u64 = 30_000;
/// Milliseconds within which a cleared store and the user interface follow each other.
const FOLLOWS: u64 = 10_000;
/// Milliseconds for which requests after a cleared store belong to it.
const AFTERWARDS: u64 = 600_000;

/// Looks at an event of a client.
pub(super) fn judge(scene: &mut Scene<'_>) {
    match scene.event.kind {
        Kind::StoreRead => read(scene),
        Kind::StoreWrite | Kind::RefreshSent | Kind::Login => empty_token(scene),
        Kind::RefreshAnswered if scene.event.path.is_some() => empty_token(scene),
        Kind::Memory => memory(scene),
        _ => {}
    }
    start(scene);
    user_interface(scene);
    shown_without_session(scene);
}

fn read(scene: &mut Scene<'_>) {
    let (there, missing): (Vec<_>, Vec<_>) =
        scene.event.parts.iter().partition(|(_, there)| *there);
    let told = !missing.is_empty()
        && missing
            .iter()
            .all(|(name, _)| !name.contains("token") && !name.contains("expires"));
    if missing.is_empty() || there.is_empty() && !told {
        return;
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    let says = format!(
        "the stored session was read without {names}, while {} other parts were there",
        there.len()
    );
    let seen = Sighting::new(Pattern::StoreKeyMissing, says);
    scene
        .found
        .push(seen.figure("missing", names).figure("present", there.len()));
}

fn empty_token(scene: &mut Scene<'_>) {
    if scene.event.empty_refresh {
        let verb = match scene.event.kind {
            Kind::StoreWrite | Kind::Login => "stored",
            _ => "sent",
        };
        let says = format!("an empty refresh token was {verb}");
        scene
            .found
            .push(Sighting::new(Pattern::EmptyRefreshToken, says).figure("where", verb));
    }
}

fn memory(scene: &mut Scene<'_>) {
    let says = "sessions or tokens are kept in the memory of one process".to_owned();
    scene
        .found
        .push(Sighting::new(Pattern::MemoryFallback, says));
}

fn start(scene: &mut Scene<'_>) {
    let event = scene.event;
    let now = Moment::from(event);
    let person = &mut *scene.person;
    match event.kind {
        Kind::Launched => {
            person.launched = Some(now);
            person.restored = false;
            (person.early, person.bare) = (None, Vec::new());
        }
        Kind::RequestSent if !person.restored && event.had_token == Some(false) => {
            if let Some(path) = event.path.clone().filter(|_| person.bare.len() < 8) {
                person.bare.push(path);
            }
        }
        Kind::Request if event.refused() => {
            let bare = event
                .path
                .as_ref()
                .is_some_and(|path| person.bare.contains(path));
            if bare && person.restored {
                person.bare.clear();
                scene.found.push(early(1));
            } else if !person.restored {
                let (count, first) = person.early.unwrap_or((0, now));
                person.early = Some((count + 1, first));
            }
        }
        Kind::RefreshAnswered if event.good() => (person.early, person.bare) = (None, Vec::new()),
        Kind::Login | Kind::SignedOut => (person.early, person.bare) = (None, Vec::new()),
        Kind::Restored => {
            person.restored = true;
            let launch = person.launched;
            let ours = |first: &Moment| launch.is_some() || near(first, &now, START);
            if let Some((count, _)) = person.early.take().filter(|(_, first)| ours(first)) {
                scene.found.push(early(count));
            }
        }
        _ => {}
    }
}

fn early(count: u64) -> Sighting {
    let says =
        format!("{count} requests were sent and refused before the stored session had been read");
    Sighting::new(Pattern::RequestBeforeRestore, says).figure("requests", count)
}

/// What an app remembers of its user came along (a backup, another store), and the session did not.
fn shown_without_session(scene: &mut Scene<'_>) {
    let event = scene.event;
    let now = Moment::from(event);
    let person = &mut *scene.person;
    match event.kind {
        Kind::Restored | Kind::StoreRead => {
            if event.shown == Some(true) {
                person.shown = Some(now);
            }
            if !event.parts.is_empty() {
                person.found_none = event.parts.iter().all(|(_, there)| !there);
            }
        }
        Kind::Login | Kind::StoreWrite | Kind::SignedOut | Kind::Cleared => {
            (person.shown, person.found_none) = (None, false);
        }
        Kind::Request if event.refused() && event.had_token == Some(false) && person.found_none => {
            let shown = person.shown.take_if(|shown| near(shown, &now, START));
            if shown.is_some() {
                let says = "the app took its user for signed in, its store held no session, and its requests went out without a token";
                let seen = Sighting::new(Pattern::ClearedSilently, says.to_owned());
                scene.found.push(seen);
            }
        }
        _ => {}
    }
}

fn user_interface(scene: &mut Scene<'_>) {
    let event = scene.event;
    let now = Moment::from(event);
    let person = &mut *scene.person;
    match event.kind {
        Kind::Cleared if event.who.worker.is_none() && event.who.key.is_some() && !event.wanted => {
            let shown = person
                .signed_out
                .is_some_and(|shown| near(&shown, &now, FOLLOWS));
            person.cleared = (!shown).then_some(now);
        }
        Kind::SignedOut => {
            person.signed_out = Some(now);
            person.cleared = None;
        }
        Kind::Login | Kind::Launched | Kind::Restored | Kind::StoreWrite => person.cleared = None,
        Kind::Request if event.refused() => {
            if let Some(cleared) = person
                .cleared
                .take_if(|cleared| near(cleared, &now, AFTERWARDS))
            {
                let later = cleared
                    .at
                    .zip(now.at)
                    .map_or(0, |(a, b)| b.saturating_sub(a) / 1_000);
                let says = format!(
                    "the session was cleared, nobody was shown as signed out, and {later} s later the app still made requests"
                );
                scene
                    .found
                    .push(Sighting::new(Pattern::ClearedSilently, says).figure("later_s", later));
            }
        }
        _ => {}
    }
}
