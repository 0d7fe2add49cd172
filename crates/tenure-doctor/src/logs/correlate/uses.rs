//! What became of refresh tokens, judged once all logs have been read: they may be in any order.

use std::collections::VecDeque;

use lru::LruCache;

use super::refresh::{ANSWERED, AT_ONCE};
use super::{Summary, TOKENS};
use crate::logs::Pattern;
use crate::logs::findings::{Moment, Sighting, near};

/// Attempts and endings of clients that are remembered at a time.
const CLIENTS: usize = 256;
/// Milliseconds by which the clocks of a client and a service may differ.
const SKEW: u64 = 2_000;
/// Milliseconds in which a client does not notice that an answer was lost and try again.
const RETRIED: u64 = 250;
/// Milliseconds within which a refresh that is tried again is the same story.
const SOON: u64 = 3_600_000;

/// Refresh tokens, and what clients that name none went through.
pub(super) struct Refreshes {
    pub(super) tokens: LruCache<String, Uses>,
    /// When a client sent a refresh and when it gave up on it.
    unheard: VecDeque<(u64, u64)>,
    /// When a client was told that its token is dead.
    told: VecDeque<u64>,
    /// Refreshes of one user that was told of a token's reuse, where no token is named.
    pairs: VecDeque<Pair>,
    at_home: Home,
}

/// A good refresh of a user, and one that was refused as a reuse.
pub(super) struct Pair {
    good: Moment,
    dead: Moment,
    outcome: String,
}

impl Pair {
    pub(super) fn new(good: Moment, dead: Moment, outcome: String) -> Self {
        Self {
            good,
            dead,
            outcome,
        }
    }
}

/// Refreshes by whether the process that answered had issued the token.
#[derive(Default)]
struct Home {
    good: u64,
    refused: u64,
    good_elsewhere: u64,
    refused_elsewhere: u64,
    first: Option<Moment>,
    last: Option<u64>,
}

/// What became of one refresh token.
#[derive(Default)]
pub(super) struct Uses {
    /// The last time that it was sent.
    pub(super) sent: Option<Moment>,
    /// It was sent twice at once, this many milliseconds apart.
    pub(super) twice: Option<u64>,
    /// The first success.
    pub(super) good: Option<Moment>,
    /// Successes, told apart by [`AT_ONCE`].
    goods: u32,
    /// The token that took its place.
    next: Option<String>,
    /// A client gave up on an answer: network, timeout, 5xx.
    unheard: Option<Moment>,
    /// The first refusal for good, whether that named a reuse, and its words.
    pub(super) dead: Option<(Moment, bool)>,
    outcome: String,
    /// A success before a refusal, and one after it.
    revived: Option<Moment>,
    /// A client that had got its successor read it from its store again.
    restored: bool,
    /// The process that issued it.
    pub(super) home: Option<String>,
    pub(super) told: bool,
}

/// What a token's uses amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Race,
    Reuse,
    /// The answer never reached the client.
    Lost,
    /// A client got no answer and came back in vain; what the service did is not known.
    Unanswered,
}

impl Refreshes {
    pub(super) fn new() -> Self {
        Self {
            tokens: LruCache::new(TOKENS),
            unheard: VecDeque::new(),
            told: VecDeque::new(),
            pairs: VecDeque::new(),
            at_home: Home::default(),
        }
    }

    /// A client that names no token gave up on a refresh.
    pub(super) fn gave_up(&mut self, sent: Moment, now: Moment) {
        if let Some(attempt) = sent.at.zip(now.at) {
            push(&mut self.unheard, attempt);
        }
    }

    /// A client was told that its token is dead.
    pub(super) fn was_told(&mut self, now: Moment) {
        if let Some(at) = now.at {
            push(&mut self.told, at);
        }
    }

    /// A process answered a refresh with a token whose issuer is known.
    pub(super) fn answered_by(&mut self, token: &str, worker: &str, well: bool, now: Moment) {
        let home = self
            .tokens
            .peek(token)
            .and_then(|uses| uses.home.as_deref());
        let Some(home) = home else { return };
        let tally = &mut self.at_home;
        match (home == worker, well) {
            (true, true) => tally.good += 1,
            (true, false) => tally.refused += 1,
            (false, true) => tally.good_elsewhere += 1,
            (false, false) => {
                tally.refused_elsewhere += 1;
                tally.first.get_or_insert(now);
                tally.last = tally.last.max(now.at);
            }
        }
    }

    /// A token was issued.
    pub(super) fn issued(&mut self, token: &str, worker: Option<&String>) {
        let uses = self
            .tokens
            .get_or_insert_mut(token.to_owned(), Uses::default);
        if uses.home.is_none() {
            uses.home = worker.cloned();
        }
    }

    /// Every token that came to a bad end, with what that amounts to.
    pub(super) fn endings(&self) -> Vec<(Verdict, Sighting, Moment)> {
        let ending = |(token, uses): (&String, &Uses)| {
            let (dead, _) = uses.dead?;
            let verdict = self.verdict(uses)?;
            Some((verdict, self.sighting(verdict, token, uses), dead))
        };
        let mut endings: Vec<_> = self.tokens.iter().filter_map(ending).collect();
        let pairs = self.pairs.iter().map(|pair| {
            let (verdict, seen) = self.pair_sighting(pair);
            (verdict, seen, pair.dead)
        });
        endings.extend(pairs);
        endings.sort_by_key(|(.., moment)| (moment.at, moment.file, moment.line));
        endings
    }

    /// To be judged at the end.
    pub(super) fn keep(&mut self, pair: Pair) {
        push(&mut self.pairs, pair);
    }

    /// What is known of a pair so far.
    pub(super) fn pair_sighting(&self, pair: &Pair) -> (Verdict, Sighting) {
        let Pair {
            good,
            dead,
            outcome,
        } = pair;
        let gap = good.at.zip(dead.at).map(|(good, dead)| good.abs_diff(dead));
        let ms = gap.unwrap_or_default();
        let (verdict, pattern, says) = if self.went_unheard(good, dead) {
            let says = format!(
                "a refresh of one user succeeded at the service and failed at its client, which came back {ms} ms later and was answered {outcome}"
            );
            (Verdict::Lost, Pattern::AnswerLost, says)
        } else if near(good, dead, AT_ONCE) {
            let says = format!(
                "two refreshes of one user within {ms} ms: one succeeded, the other was answered {outcome}"
            );
            (Verdict::Race, Pattern::RefreshRace, says)
        } else {
            let says = format!("the issuer met a used refresh token again: {outcome}");
            (Verdict::Reuse, Pattern::RefreshReuse, says)
        };
        let seen = Sighting::new(pattern, says).figure("answer", outcome);
        let seen = match verdict {
            Verdict::Reuse => seen.figure("gap_s", "unknown"),
            _ => seen.figure("gap_ms", ms),
        };
        let seen = match verdict {
            Verdict::Race if ms > RETRIED => seen.figure("guessed_by", "time"),
            _ => seen,
        };
        (verdict, seen.figure("told", "user"))
    }

    /// A race, a reuse or a lost answer.
    pub(super) fn verdict(&self, uses: &Uses) -> Option<Verdict> {
        let (dead, reused) = uses.dead?;
        if uses.revived.is_some() {
            return None;
        }
        if uses.good.is_none() && !reused && uses.came_back(&dead) {
            return Some(Verdict::Unanswered);
        }
        let is_unused = self.successor(uses) != "used";
        if is_unused && (uses.restored || uses.is_unheard() || self.unheard_by_time(uses)) {
            return Some(Verdict::Lost);
        }
        let in_order = |good: &Moment| reused || after(good, &dead);
        let good = uses.good.filter(in_order);
        let at_once = good.is_some_and(|good| near(&good, &dead, AT_ONCE));
        let sent = good.is_some_and(|good| near(&good, &dead, ANSWERED)) && uses.twice.is_some();
        if at_once || sent {
            return Some(Verdict::Race);
        }
        let once = uses.goods == 1 && uses.next.is_some();
        let again = once && good.is_some_and(|good| after(&good, &dead));
        (reused || again).then_some(Verdict::Reuse)
    }

    /// The one refresh that a client gave up on while the service carried this one out, and the client
    /// was told when the token came back.
    fn unheard_by_time(&self, uses: &Uses) -> bool {
        let known = uses.good.zip(uses.dead);
        known.is_some_and(|(good, (dead, _))| self.went_unheard(&good, &dead))
    }

    fn went_unheard(&self, good: &Moment, dead: &Moment) -> bool {
        let Some((good, dead)) = good.at.zip(dead.at) else {
            return false;
        };
        let around = |(sent, failed): &&(u64, u64)| {
            *sent <= good + SKEW && good <= failed + SKEW && *failed < dead + SKEW
        };
        let told = self.told.iter().any(|at| at.abs_diff(dead) <= SKEW);
        told && self.unheard.iter().filter(around).count() == 1
    }

    fn successor(&self, uses: &Uses) -> &'static str {
        let next = uses.next.as_ref().map(|next| self.tokens.peek(next));
        match next {
            None => "unknown",
            Some(Some(uses)) if uses.was_presented() => "used",
            Some(_) => "unused",
        }
    }

    /// The verdict in words.
    pub(super) fn sighting(&self, verdict: Verdict, token: &str, uses: &Uses) -> Sighting {
        let outcome = &uses.outcome;
        let apart = uses
            .good
            .zip(uses.dead)
            .and_then(|(good, (dead, _))| good.at.zip(dead.at));
        let apart = apart.map(|(good, dead)| dead.abs_diff(good));
        let later = apart.map_or("later".to_owned(), |apart| {
            format!("{} s later", apart / 1_000)
        });
        let seen = match verdict {
            Verdict::Race => {
                let gap = uses.twice.or(apart).unwrap_or_default();
                let says = format!(
                    "refresh token {token} was presented twice within {gap} ms: one refresh succeeded, the other was answered {outcome}"
                );
                let seen = Sighting::new(Pattern::RefreshRace, says).figure("gap_ms", gap);
                if uses.twice.is_none() && gap > RETRIED {
                    seen.figure("guessed_by", "time")
                } else {
                    seen
                }
            }
            Verdict::Reuse => {
                let says = format!(
                    "refresh token {token} was presented again {later}, after it had been used, and answered {outcome}"
                );
                let gap = apart.map_or("unknown".to_owned(), |apart| (apart / 1_000).to_string());
                Sighting::new(Pattern::RefreshReuse, says).figure("gap_s", gap)
            }
            Verdict::Unanswered => {
                let says = format!(
                    "a client got no answer to a refresh with token {token}, came back with the same and was answered {outcome}"
                );
                Sighting::new(Pattern::AnswerLost, says).figure("service", "unknown")
            }
            Verdict::Lost if uses.restored => {
                let says = format!(
                    "a client refreshed with token {token}, read it from its store again instead of its successor, presented it {later} and was answered {outcome}"
                );
                Sighting::new(Pattern::AnswerLost, says)
            }
            Verdict::Lost => {
                let says = format!(
                    "a refresh with token {token} succeeded at the service and failed at its client, which came back with the same token {later} and was answered {outcome}"
                );
                Sighting::new(Pattern::AnswerLost, says)
            }
        };
        seen.figure("token", token)
            .figure("answer", outcome)
            .figure("successor", self.successor(uses))
    }

    /// Tokens that one process knows and others do not.
    pub(super) fn finish(&self) -> Option<Summary> {
        let home = &self.at_home;
        let apart = home.refused_elsewhere >= 2
            && home.good_elsewhere == 0
            && home.good > 0
            && home.refused == 0;
        if apart {
            let says = format!(
                "{} refreshes were refused by another process than the one that had issued the token, and all {} succeeded at the one that had",
                home.refused_elsewhere, home.good
            );
            let seen = Sighting::new(Pattern::KnownInOneProcess, says);
            return Some((seen, home.refused_elsewhere, home.first?, home.last));
        }
        let revived: Vec<_> = self
            .tokens
            .iter()
            .filter_map(|(_, uses)| uses.revived)
            .collect();
        let first = revived
            .iter()
            .min_by_key(|moment| (moment.at, moment.line))?;
        let says = format!(
            "{} refresh tokens were accepted, refused, and accepted again",
            revived.len()
        );
        let seen = Sighting::new(Pattern::KnownInOneProcess, says);
        Some((seen, revived.len() as u64, *first, first.at))
    }
}

impl Uses {
    /// A success; `next` is the token that it brought.
    pub(super) fn succeeded(&mut self, next: Option<String>, now: Moment) {
        let again = self
            .good
            .as_ref()
            .is_none_or(|first| !near(first, &now, AT_ONCE));
        self.goods += u32::from(again);
        if let (Some(_), Some((dead, false))) = (&self.good, &self.dead)
            && after(dead, &now)
        {
            self.revived.get_or_insert(now);
        }
        let earlier = |good: &Moment| after(&now, good);
        if self.good.as_ref().is_none_or(earlier) {
            self.good = Some(now);
        }
        self.next = next.or(self.next.take());
    }

    /// A refusal for good; the first one counts.
    pub(super) fn ended(&mut self, reused: bool, outcome: String, now: Moment) {
        let Some((first, known)) = &mut self.dead else {
            self.dead = Some((now, reused));
            self.outcome = outcome;
            return;
        };
        *known |= reused;
        if after(&now, first) {
            *first = now;
        }
    }

    /// A client has read it from its store; the one that had refreshed with it, if both are in one log.
    pub(super) fn read_back(&mut self, now: Moment) {
        let ours = |good: &Moment| good.file == now.file && after(good, &now);
        self.restored |= self.next.is_some() && self.good.as_ref().is_some_and(ours);
    }

    /// A client gave up on its answer.
    pub(super) fn gave_up(&mut self, now: Moment) {
        self.unheard = Some(now);
    }

    /// It was sent again soon after an attempt that nobody answered.
    fn came_back(&self, dead: &Moment) -> bool {
        let sent = self.sent.as_ref();
        self.unheard.is_some_and(|unheard| {
            let again = sent.is_some_and(|sent| after(&unheard, sent));
            again && after(&unheard, dead) && near(&unheard, dead, SOON)
        })
    }

    fn was_presented(&self) -> bool {
        self.sent.is_some() || self.good.is_some() || self.dead.is_some()
    }

    /// The service answered well, and the client got no answer: after the success, by clocks that may
    /// differ a little.
    fn is_unheard(&self) -> bool {
        let (Some(good), Some(unheard)) = (self.good, self.unheard) else {
            return false;
        };
        let late = |(good, unheard): (u64, u64)| unheard + SKEW >= good;
        near(&good, &unheard, ANSWERED) && good.at.zip(unheard.at).is_none_or(late)
    }
}

fn after(earlier: &Moment, later: &Moment) -> bool {
    match (earlier.at, later.at) {
        (Some(earlier), Some(later)) => later > earlier,
        _ => earlier.file == later.file && later.line > earlier.line,
    }
}

fn push<T>(queue: &mut VecDeque<T>, value: T) {
    if queue.len() >= CLIENTS {
        queue.pop_front();
    }
    queue.push_back(value);
}
