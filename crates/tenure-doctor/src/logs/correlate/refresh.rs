//! Refreshes of one token: at once, and long after; and sign-outs that follow an answer which says nothing.

use super::Scene;
use super::uses::{Pair, Refreshes};
use crate::logs::Pattern;
use crate::logs::event::{Answer, Kind};
use crate::logs::findings::{Moment, Sighting, near};

/// Milliseconds within which two refreshes are a race.
pub(super) const AT_ONCE: u64 = 1_000;
/// Milliseconds within which an answer belongs to a request.
pub(super) const ANSWERED: u64 = 60_000;

/// Looks at an event that is about a refresh, or a sign-out.
pub(super) fn judge(scene: &mut Scene<'_>, refreshes: &mut Refreshes) {
    let event = scene.event;
    match event.kind {
        Kind::RefreshSent => sent(scene, refreshes),
        Kind::RefreshAnswered | Kind::Reuse => {
            answered(scene, refreshes);
            wiped_before(scene);
        }
        Kind::Login => issued(scene, refreshes),
        Kind::Restored | Kind::StoreRead => read_back(scene, refreshes),
        Kind::Cleared | Kind::SignedOut if !event.wanted => wiped(scene),
        _ => {}
    }
}

fn read_back(scene: &Scene<'_>, refreshes: &mut Refreshes) {
    let token = scene.event.token_in.as_ref();
    if let Some(uses) = token.and_then(|token| refreshes.tokens.get_mut(token)) {
        uses.read_back(scene.event.into());
    }
}

fn sent(scene: &mut Scene<'_>, refreshes: &mut Refreshes) {
    let event = scene.event;
    let now = Moment::from(event);
    let gap = |earlier: &Moment| earlier.at.zip(now.at).map_or(0, |(a, b)| a.abs_diff(b));
    if let Some(token) = &event.token_in {
        let uses = refreshes
            .tokens
            .get_or_insert_mut(token.clone(), Default::default);
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

fn answered(scene: &mut Scene<'_>, refreshes: &mut Refreshes) {
    let event = scene.event;
    let now = Moment::from(event);
    let sent = scene.person.sent.as_ref();
    let pending = sent
        .filter(|(_, sent)| near(sent, &now, ANSWERED))
        .and_then(|(token, _)| token.clone());
    note_client(scene, refreshes);
    let (named, next) = match (event.token_in.clone(), event.token_out.clone(), pending) {
        // A client may name only the token that it got.
        (Some(named), None, Some(sent)) if event.good() && named != sent => {
            (Some(sent), Some(named))
        }
        (named, next, pending) => (named.or(pending), next),
    };
    let Some(token) = named else {
        unnamed(scene, refreshes);
        return;
    };
    let next = next.filter(|next| *next != token);
    let worker = event.who.worker.as_ref();
    let well = event.good() && event.kind == Kind::RefreshAnswered;
    if let Some(worker) = worker.filter(|_| well || event.answer == Answer::Dead(false)) {
        refreshes.answered_by(&token, worker, well, now);
    }
    if let Some(next) = next.as_ref().filter(|_| well) {
        refreshes.issued(next, worker);
    }
    let uses = refreshes
        .tokens
        .get_or_insert_mut(token.clone(), Default::default);
    match event.answer {
        Answer::Good if well => uses.succeeded(next, now),
        Answer::Passing => uses.gave_up(now),
        Answer::Dead(reused) => uses.ended(reused, event.outcome(), now),
        _ if event.kind == Kind::Reuse => uses.ended(true, event.outcome(), now),
        // RFC 6749, section 5.2: the one status for a refresh that is refused.
        Answer::Unknown if event.status == Some(400) => uses.ended(false, event.outcome(), now),
        _ => {}
    }
    tell(scene, refreshes, &token);
}

/// For the timeline; what counts is judged at the end.
fn tell(scene: &mut Scene<'_>, refreshes: &mut Refreshes, token: &str) {
    let Some(uses) = refreshes.tokens.peek(token).filter(|uses| !uses.told) else {
        return;
    };
    let Some(verdict) = refreshes.verdict(uses) else {
        return;
    };
    scene.found.push(refreshes.sighting(verdict, token, uses));
    if let Some(uses) = refreshes.tokens.peek_mut(token) {
        uses.told = true;
    }
}

/// What a client went through, whether it names its token or not.
fn note_client(scene: &Scene<'_>, refreshes: &mut Refreshes) {
    let event = scene.event;
    if event.who.worker.is_some() {
        return;
    }
    let now = Moment::from(event);
    let sent = scene.person.sent.as_ref().map(|(_, sent)| *sent);
    match (event.answer, sent) {
        (Answer::Passing, Some(sent)) if near(&sent, &now, ANSWERED) => {
            refreshes.gave_up(sent, now);
        }
        (Answer::Dead(_), _) => refreshes.was_told(now),
        _ => {}
    }
}

/// A sign-in whose refresh token is named.
fn issued(scene: &Scene<'_>, refreshes: &mut Refreshes) {
    let event = scene.event;
    if let Some(token) = event.token_out.as_ref().or(event.token_in.as_ref()) {
        refreshes.issued(token, event.who.worker.as_ref());
    }
}

/// Without tokens in the log: one user's two refreshes, one of which went well.
fn unnamed(scene: &mut Scene<'_>, refreshes: &mut Refreshes) {
    let event = scene.event;
    let now = Moment::from(event);
    let good = scene.person.refreshed.as_ref().map(|(good, _)| *good);
    if let Answer::Dead(true) = event.answer
        && let Some(good) = good
    {
        let pair = Pair::new(good, now, event.outcome());
        scene.found.push(refreshes.pair_sighting(&pair).1);
        refreshes.keep(pair);
        return;
    }
    if event.kind == Kind::Reuse || matches!(event.answer, Answer::Dead(true)) {
        let says = format!(
            "the issuer met a used refresh token again: {}",
            event.outcome()
        );
        let seen = Sighting::new(Pattern::RefreshReuse, says).figure("gap_s", "unknown");
        scene.found.push(seen.figure("answer", event.outcome()));
        return;
    }
    let Answer::Dead(_) = event.answer else {
        return;
    };
    let within = |most| good.is_some_and(|good| near(&good, &now, most));
    let twice = scene.person.sent_twice.take();
    if twice.is_none() && within(AT_ONCE) {
        alike(scene);
    }
    if let Some(gap) = twice
        && within(ANSWERED)
    {
        let says = format!(
            "two refreshes of one client within {gap} ms: one succeeded, the other was answered {}",
            event.outcome()
        );
        let seen = Sighting::new(Pattern::RefreshRace, says).figure("gap_ms", gap);
        scene.found.push(seen.figure("answer", event.outcome()));
    }
}

/// Two answers to one address and browser, or in one client's log: of one session, as far as can be seen.
fn alike(scene: &mut Scene<'_>) {
    let event = scene.event;
    let by = match (event.who.guessed, event.who.of_file) {
        (true, _) => "address",
        (_, true) if event.who.key.is_some() => "file",
        _ => return,
    };
    if scene.person.logins > 1 {
        return;
    }
    let says = format!(
        "two refreshes of one {by} within a second: one succeeded, the other was answered {}",
        event.outcome()
    );
    let seen = Sighting::new(Pattern::RefreshRace, says).figure("guessed_by", by);
    scene.found.push(seen.figure("answer", event.outcome()));
}

/// A sign-out or a cleared store next to an answer that says nothing about the token.
fn wiped(scene: &mut Scene<'_>) {
    let now = Moment::from(scene.event);
    if scene.event.path.is_some() && !has_session(scene) {
        return;
    }
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

/// A visitor who has no session is sent to sign in after a refresh that could not work.
fn has_session(scene: &Scene<'_>) -> bool {
    scene.person.logins > 0 || scene.person.refreshes > 0
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
