//! Refreshes of one token: at once, and long after; and sign-outs that follow an answer which says nothing.

use lru::LruCache;

use super::Scene;
use crate::logs::Pattern;
use crate::logs::event::{Answer, Kind};
use crate::logs::findings::{Moment, Sighting, near};

/// Milliseconds within which two refreshes are a race.
const AT_ONCE: u64 = 1_000;
/// Milliseconds within which an answer belongs to a request.
const ANSWERED: u64 = 60_000;

/// What became of one refresh token.
#[derive(Default)]
pub(super) struct Uses {
    /// The last time that it was sent.
    sent: Option<Moment>,
    /// It was sent twice at once, this many milliseconds apart.
    twice: Option<u64>,
    /// The first success.
    good: Option<Moment>,
    /// Successes, told apart by [`AT_ONCE`].
    goods: u32,
    /// A success brought another token.
    rotated: bool,
    /// The token that took its place.
    next: Option<String>,
    /// A client gave up on an answer: network, timeout, 5xx.
    unheard: Option<Moment>,
    dead: Option<(Moment, bool)>,
    told: bool,
}

/// Looks at an event that is about a refresh, or a sign-out.
pub(super) fn judge(scene: &mut Scene<'_>, tokens: &mut LruCache<String, Uses>) {
    let event = scene.event;
    match event.kind {
        Kind::RefreshSent => sent(scene, tokens),
        Kind::RefreshAnswered | Kind::Reuse => {
            answered(scene, tokens);
            wiped_before(scene);
        }
        Kind::Cleared | Kind::SignedOut if !event.wanted => wiped(scene),
        _ => {}
    }
}

fn sent(scene: &mut Scene<'_>, tokens: &mut LruCache<String, Uses>) {
    let event = scene.event;
    let now = Moment::from(event);
    let gap = |earlier: &Moment| earlier.at.zip(now.at).map_or(0, |(a, b)| a.abs_diff(b));
    if let Some(token) = &event.token_in {
        let uses = tokens.get_or_insert_mut(token.clone(), Uses::default);
        let twice = uses
            .sent
            .as_ref()
            .filter(|earlier| same_log(earlier, &now) && near(earlier, &now, AT_ONCE));
        if let Some(earlier) = twice {
            uses.twice = Some(gap(earlier));
        }
        uses.sent = Some(now);
    }
    let earlier = scene.person.sent.take();
    let unnamed = event.token_in.is_none() && !event.who.guessed && event.who.key.is_some();
    if let Some((None, earlier)) = earlier
        && unnamed
        && near(&earlier, &now, AT_ONCE)
    {
        scene.person.sent_twice = Some(gap(&earlier));
    }
    scene.person.sent = Some((event.token_in.clone(), now));
}

/// One log writes an event once; two logs may write the same one.
fn same_log(a: &Moment, b: &Moment) -> bool {
    a.file == b.file
}

fn answered(scene: &mut Scene<'_>, tokens: &mut LruCache<String, Uses>) {
    let event = scene.event;
    let now = Moment::from(event);
    let sent = scene.person.sent.as_ref();
    let pending = sent
        .filter(|(_, sent)| near(sent, &now, ANSWERED))
        .and_then(|(token, _)| token.clone());
    let Some(token) = event.token_in.clone().or(pending) else {
        unnamed(scene);
        return;
    };
    let uses = tokens.get_or_insert_mut(token.clone(), Uses::default);
    match event.answer {
        Answer::Good if event.kind == Kind::RefreshAnswered => {
            let again = uses
                .good
                .as_ref()
                .is_none_or(|first| !near(first, &now, AT_ONCE));
            uses.goods += u32::from(again);
            uses.good.get_or_insert(now);
            uses.next = event.token_out.clone().filter(|next| *next != token);
            uses.rotated |= uses.next.is_some();
        }
        Answer::Passing => uses.unheard = Some(now),
        Answer::Dead(reused) => {
            let known = uses.dead.map_or(reused, |(_, known)| known || reused);
            uses.dead = Some((now, known));
        }
        _ if event.kind == Kind::Reuse => uses.dead = Some((now, true)),
        _ => {}
    }
    let Some(seen) = uses.verdict(&token, scene.event.outcome()) else {
        return;
    };
    uses.told = true;
    let unheard = uses.is_unheard();
    let next = uses.next.clone();
    let successor = match next.map(|next| {
        tokens
            .peek(&next)
            .is_some_and(|uses| uses.sent.is_some() || uses.good.is_some() || uses.dead.is_some())
    }) {
        Some(true) => "used",
        Some(false) => "unused",
        None => "unknown",
    };
    let seen = seen
        .figure("successor", successor)
        .figure("unheard", unheard);
    scene.found.push(seen);
}

impl Uses {
    /// The service answered well, and the client got no answer: after the success, by clocks that may
    /// differ a little.
    fn is_unheard(&self) -> bool {
        let (Some(good), Some(unheard)) = (self.good, self.unheard) else {
            return false;
        };
        let late = |(good, unheard): (u64, u64)| unheard + 2 * AT_ONCE >= good;
        near(&good, &unheard, ANSWERED) && good.at.zip(unheard.at).is_none_or(late)
    }

    /// A race or a reuse, once for each token.
    fn verdict(&self, token: &str, outcome: String) -> Option<Sighting> {
        let (dead, reused) = self.dead.filter(|_| !self.told)?;
        let good = self.good;
        let apart = good
            .and_then(|good| good.at.zip(dead.at))
            .map(|(a, b)| b.abs_diff(a));
        let at_once = good.is_some_and(|good| near(&good, &dead, AT_ONCE));
        let race = good.is_some_and(|good| near(&good, &dead, ANSWERED)) && self.twice.is_some();
        if at_once || race {
            let gap = self.twice.or(apart).unwrap_or_default();
            let says = format!(
                "refresh token {token} was presented twice within {gap} ms: one refresh succeeded, the other was answered {outcome}"
            );
            let seen = Sighting::new(Pattern::RefreshRace, says);
            return Some(
                seen.figure("gap_ms", gap)
                    .figure("token", token)
                    .figure("answer", outcome),
            );
        }
        let once = self.goods == 1
            && self.rotated
            && good
                .zip(Some(dead))
                .is_some_and(|(good, dead)| after(&good, &dead));
        if !(reused || once) {
            return None;
        }
        let gap = apart.map_or("unknown".to_owned(), |apart| (apart / 1_000).to_string());
        let says = match apart {
            Some(apart) => format!(
                "refresh token {token} was presented again {} s after it had been used, and answered {outcome}",
                apart / 1_000
            ),
            None => format!(
                "refresh token {token} was presented again after it had been used: {outcome}"
            ),
        };
        let seen = Sighting::new(Pattern::RefreshReuse, says);
        Some(
            seen.figure("gap_s", gap)
                .figure("token", token)
                .figure("answer", outcome),
        )
    }
}

fn after(earlier: &Moment, later: &Moment) -> bool {
    match (earlier.at, later.at) {
        (Some(earlier), Some(later)) => later > earlier,
        _ => earlier.file == later.file && later.line > earlier.line,
    }
}

/// Without tokens in the log: one user's two refreshes at once, one of which went well.
fn unnamed(scene: &mut Scene<'_>) {
    let event = scene.event;
    if event.kind == Kind::Reuse || matches!(event.answer, Answer::Dead(true)) {
        let says = format!(
            "the issuer met a used refresh token again: {}",
            event.outcome()
        );
        let seen = Sighting::new(Pattern::RefreshReuse, says).figure("gap_s", "unknown");
        scene.found.push(seen.figure("answer", event.outcome()));
        return;
    }
    let now = Moment::from(event);
    let good = scene
        .person
        .refreshed
        .as_ref()
        .is_some_and(|(good, _)| near(good, &now, ANSWERED));
    if let Answer::Dead(_) = event.answer
        && let Some(gap) = scene.person.sent_twice.take()
        && good
    {
        let says = format!(
            "two refreshes of one client within {gap} ms: one succeeded, the other was answered {}",
            event.outcome()
        );
        let seen = Sighting::new(Pattern::RefreshRace, says).figure("gap_ms", gap);
        scene.found.push(seen.figure("answer", event.outcome()));
    }
}

/// A sign-out or a cleared store next to an answer that says nothing about the token.
fn wiped(scene: &mut Scene<'_>) {
    let now = Moment::from(scene.event);
    let dead = scene
        .person
        .dead
        .is_some_and(|dead| near(&dead, &now, AT_ONCE));
    let passing = scene
        .person
        .passing
        .take_if(|(moment, _)| near(moment, &now, AT_ONCE));
    if let Some((moment, answer)) = passing
        && !dead
    {
        scene.found.push(wiping(&answer, &moment, &now));
    }
}

/// The answer may be logged after what it caused.
fn wiped_before(scene: &mut Scene<'_>) {
    let event = scene.event;
    let now = Moment::from(event);
    let removed = scene.person.removed.as_ref();
    if event.answer == Answer::Passing
        && let Some((moment, _)) = removed.filter(|(moment, _)| near(moment, &now, AT_ONCE))
    {
        scene.found.push(wiping(&event.outcome(), &now, moment));
        scene.person.removed = None;
    }
}

fn wiping(answer: &str, answered: &Moment, wiped: &Moment) -> Sighting {
    let apart = answered.at.zip(wiped.at).map_or(0, |(a, b)| a.abs_diff(b));
    let says = format!(
        "the session was removed {apart} ms from a refresh that ended with {answer}, which says nothing about the token"
    );
    Sighting::new(Pattern::WipedOnTransient, says)
        .figure("answer", answer)
        .figure("apart_ms", apart)
}
