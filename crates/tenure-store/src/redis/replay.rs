//! The session log into a shard that lacks some of it.

use std::collections::HashMap;
use std::sync::Arc;

use redis::cmd;
use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{Cut, Row};
use tokio::task::JoinSet;

use super::codec;
use super::inner::Inner;
use super::scripts::{CREATE, Call, DELETE, REVOKE, SPARE};
use crate::{Entry, Position, Shard, StoreError};

/// Entries that are read from the log and sent to Redis in one go.
const PAGE: u32 = 512;

/// Shards that one process replays at once: sign-ins and key reads share the SQL side with them.
pub(super) const REPLAYS: usize = 4;

/// Cuts that a replay reads side by side, for the same reason.
const CUTS: usize = 4;

/// Without getting further; others replay the same shard at the same time.
const ATTEMPTS: usize = 16;

/// Where an entry stands, and the one before it that this shard was told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) shard: Shard,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Inner {
    /// Brings a shard as far as the log is known to be.
    pub(super) async fn catch_up(&self, shard: Shard) -> Result<(), StoreError> {
        let _writing = self.heads.writing(shard).await?;
        let goal = self.heads.known(shard);
        let at = self.position(shard).await?;
        if at >= goal {
            return Ok(());
        }
        self.replay(shard, goal).await
    }

    pub(super) async fn position(&self, shard: Shard) -> Result<u64, StoreError> {
        let at: Option<u64> = self
            .link
            .ask(cmd("GET").arg(self.keys.position(shard)))
            .await?;
        Ok(at.unwrap_or(0))
    }

    /// How far every shard has got.
    pub(super) async fn positions(&self) -> Result<Vec<(Shard, u64)>, StoreError> {
        let shards = (0..Shard::COUNT).map(Shard);
        if self.link.is_cluster() {
            let mut positions = Vec::with_capacity(shards.len());
            for shard in shards {
                positions.push((shard, self.position(shard).await?));
            }
            return Ok(positions);
        }
        let mut all = cmd("MGET");
        for shard in shards.clone() {
            all.arg(self.keys.position(shard));
        }
        let positions: Vec<Option<u64>> = self.link.ask(&all).await?;
        let positions = positions.into_iter().map(Option::unwrap_or_default);
        Ok(shards.zip(positions).collect())
    }

    /// Applies what the log has up to `goal`. Several may do so at once: an entry that is not the
    /// next one any more changes nothing.
    pub(super) async fn replay(&self, shard: Shard, goal: u64) -> Result<(), StoreError> {
        // A log that came back older than it was could give positions below the goal to entries that
        // are not there yet: then what is missing would be taken for removed.
        if self.position(shard).await? < goal
            && self.log.raise(&[Position { shard, at: goal }]).await?
        {
            self.heads.note_fall();
        }
        let _few_at_once = self.replays.acquire().await;
        let (mut attempts, mut furthest) = (0, 0);
        let mut marked = false;
        while attempts < ATTEMPTS {
            let at = self.position(shard).await?;
            if at >= goal {
                return Ok(());
            }
            attempts = if at > furthest { 0 } else { attempts + 1 };
            furthest = furthest.max(at);
            let entries = self.log.after(Position { shard, at }, PAGE).await?;
            marked = marked || self.mark_if_lost(Position { shard, at }, &entries).await?;
            let calls = self.calls(Position { shard, at }, goal, &entries).await?;
            Call::run_all(&calls, &self.durable).await?;
        }
        let why = format!("shard {} does not get as far as the session log", shard.0);
        Err(StoreError::Busy(why))
    }

    async fn calls(
        &self,
        from: Position,
        goal: u64,
        entries: &[(Position, Entry)],
    ) -> Result<Vec<Call>, StoreError> {
        let cuts = self.cuts_of(entries).await?;
        let mut calls = Vec::with_capacity(entries.len() + 1);
        let mut place = Place {
            shard: from.shard,
            first: from.at,
            last: from.at,
        };
        for (position, entry) in entries.iter().filter(|(position, _)| position.at <= goal) {
            place.last = position.at;
            calls.push(self.replayed(place, entry, &cuts).await?);
            place.first = position.at;
        }
        let told = entries.len() < PAGE as usize
            || entries
                .last()
                .is_some_and(|(position, _)| position.at >= goal);
        if told && place.first < goal {
            // The rest was removed from the log, because nobody needs it any more.
            place.last = goal;
            calls.push(self.nothing(place));
        }
        Ok(calls)
    }

    async fn replayed(
        &self,
        place: Place,
        entry: &Entry,
        cuts: &HashMap<Subject, Cut>,
    ) -> Result<Call, StoreError> {
        let here = |lineage: &LineageId| Shard::of(*lineage) == place.shard;
        match entry {
            Entry::Created {
                lineage,
                at,
                begun: Some(begun),
            } if here(lineage) => {
                let row = begun.row(*lineage, *at);
                let cut = cuts.get(&row.grant.subject).copied();
                self.creation(place, &row, entry, cut)
            }
            Entry::Revoked { lineage, why } if here(lineage) => {
                let end = codec::end(place.last, *why);
                Ok(self.revocation(place, *lineage, end, None))
            }
            Entry::Cut {
                subject,
                cut,
                keep: Some(keep),
            } if here(keep) && self.log.sessions_of(subject).await?.contains(keep) => {
                Ok(self.sparing(place, *keep, *cut))
            }
            Entry::Deleted { lineages, .. } => {
                let lineages = lineages.iter().filter(|lineage| here(lineage));
                Ok(self.deletion(place, lineages))
            }
            _ => Ok(self.nothing(place)),
        }
    }

    /// The cuts of the subjects whose sessions begin here. Read after the entries: a cut that is set
    /// later ends these sessions by itself.
    async fn cuts_of(
        &self,
        entries: &[(Position, Entry)],
    ) -> Result<HashMap<Subject, Cut>, StoreError> {
        let mut subjects: Vec<Subject> = Vec::new();
        for (position, entry) in entries {
            if let Entry::Created {
                lineage,
                at,
                begun: Some(begun),
            } = entry
                && Shard::of(*lineage) == position.shard
            {
                subjects.push(begun.row(*lineage, *at).grant.subject);
            }
        }
        subjects.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        subjects.dedup();
        let mut cuts = HashMap::new();
        for subjects in subjects.chunks(CUTS) {
            let mut reading = JoinSet::new();
            for subject in subjects.iter().cloned() {
                let log = Arc::clone(&self.log);
                reading.spawn(async move { (log.cut_of(&subject).await, subject) });
            }
            for (cut, subject) in reading.join_all().await {
                cuts.extend(cut?.map(|cut| (subject, cut)));
            }
        }
        Ok(cuts)
    }

    /// A session begins; `entry` is what the log has of it.
    pub(super) fn creation(
        &self,
        place: Place,
        row: &Row,
        entry: &Entry,
        cut: Option<Cut>,
    ) -> Result<Call, StoreError> {
        let (position, session) = (
            self.keys.position(place.shard),
            self.keys.session(row.lineage),
        );
        let ring = codec::ring(row.history_unknown_until, &row.ring);
        let began = place.first + 1;
        let seconds_to_live =
            codec::seconds_to_live(row.expires_absolute, row.idle, row.head.since);
        let mut call = at(CREATE.call(&[&position, &session]), place)
            .number(seconds_to_live)
            .number(began)
            .bytes("b")
            .bytes(codec::body(entry)?)
            .bytes("h")
            .bytes(codec::head(&row.head))
            .bytes("r")
            .bytes(ring);
        if let Some(end) = row.revoked {
            call = call.bytes("e").bytes(codec::end(place.last, end));
        }
        if let Some(cut) = cut {
            call = call.bytes("c").bytes(codec::cut(cut));
        }
        Ok(call)
    }

    pub(super) fn revocation(
        &self,
        place: Place,
        lineage: LineageId,
        end: String,
        cut: Option<Cut>,
    ) -> Call {
        let (position, session) = (self.keys.position(place.shard), self.keys.session(lineage));
        at(REVOKE.call(&[&position, &session]), place)
            .number(codec::seconds_after_end())
            .bytes(end)
            .bytes(cut.map(codec::cut).unwrap_or_default())
    }

    pub(super) fn sparing(&self, place: Place, keep: LineageId, cut: Cut) -> Call {
        let (position, session) = (self.keys.position(place.shard), self.keys.session(keep));
        at(SPARE.call(&[&position, &session]), place)
            .bytes(codec::cut(cut))
            .number(cut.before.0)
    }

    pub(super) fn deletion<'l>(
        &self,
        place: Place,
        lineages: impl Iterator<Item = &'l LineageId>,
    ) -> Call {
        let call = at(DELETE.call(&[&self.keys.position(place.shard)]), place);
        lineages.fold(call, |call, lineage| call.key(&self.keys.session(*lineage)))
    }

    /// An entry that changes nothing in this shard.
    pub(super) fn nothing(&self, place: Place) -> Call {
        at(DELETE.call(&[&self.keys.position(place.shard)]), place)
    }
}

fn at(call: Call, place: Place) -> Call {
    call.number(place.first).number(place.last)
}
