//! Sessions: read, judged, written.

use std::collections::BTreeSet;

use redis::{FromRedisValue as _, Pipeline, Value, from_redis_value};
use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{Cut, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::time::Timestamp;

use super::codec::{self, FIELDS};
use super::error::damaged;
use super::inner::Inner;
use super::replay::Place;
use super::scripts::{ADVANCE, Call, NOTE};
use crate::{
    Entry, Judge, Loaded, Position, Revoked, Shard, StoreError, Transition, Written, cut_entries,
};

/// How often a shard may fall behind the log during one call.
const ATTEMPTS: usize = 8;

impl Inner {
    /// A session from a shard that has everything that the log is known to have. One that is missing
    /// though the log has it going on is made again.
    pub(super) async fn load(&self, lineage: LineageId) -> Result<Option<Loaded>, StoreError> {
        for _ in 0..ATTEMPTS {
            let (position, loaded) = self.read_at(lineage).await?;
            if loaded.is_some() || !self.remake(lineage, position).await? {
                return Ok(loaded);
            }
        }
        Err(behind(Shard::of(lineage)))
    }

    /// As [`Inner::load`], and leaves one missing that is.
    pub(super) async fn read(&self, lineage: LineageId) -> Result<Option<Loaded>, StoreError> {
        Ok(self.read_at(lineage).await?.1)
    }

    /// And how far the shard had got.
    async fn read_at(&self, lineage: LineageId) -> Result<(Position, Option<Loaded>), StoreError> {
        let shard = Shard::of(lineage);
        for _ in 0..ATTEMPTS {
            let read = self.read_sessions(&[lineage]).await?;
            let (at, fields) = read.into_iter().next().ok_or_else(too_few)?;
            if at >= self.heads.known(shard) {
                return Ok((Position { shard, at }, codec::loaded(&fields)?));
            }
            self.catch_up(shard).await?;
        }
        Err(behind(shard))
    }

    /// Sessions as a primary has them, all of one slot where there are slots: how far each one's shard
    /// has got, and the fields.
    pub(super) async fn read_sessions(
        &self,
        lineages: &[LineageId],
    ) -> Result<Vec<(u64, Vec<Value>)>, StoreError> {
        let mut commands = Pipeline::with_capacity(1 + 2 * lineages.len());
        if let Some(first) = lineages.first() {
            // A write that changes nothing: a server that has become a replica refuses it.
            let nothing = self.keys.scratch(Shard::of(*first), "nothing");
            commands.cmd("DEL").arg(nothing);
        }
        for lineage in lineages {
            // The position first: what it promises is in the fields that are read after it.
            commands
                .cmd("GET")
                .arg(self.keys.position(Shard::of(*lineage)))
                .cmd("HMGET")
                .arg(self.keys.session(*lineage))
                .arg(&FIELDS[..]);
        }
        let answers = self.link.read(&commands).await?;
        // After the answer: only now is it known which connection it came by.
        self.heads.read_after_loss(&self.log).await?;
        let mut answers = answers.into_iter().skip(1);
        let mut read = Vec::with_capacity(lineages.len());
        for lineage in lineages {
            let (at, fields) = parted(answers.next().zip(answers.next()))?;
            // What Redis has applied the log has given out, whether it still knows or not.
            let shard = Shard::of(*lineage);
            self.heads.note(Position { shard, at });
            read.push((at, fields));
        }
        Ok(read)
    }

    pub(super) async fn present(
        &self,
        lineage: LineageId,
        judge: Judge,
    ) -> Result<Written, StoreError> {
        let loaded = self.load(lineage).await?;
        let lifetime = loaded.as_ref().map(|loaded| Lifetime::of(&loaded.row));
        match (judge(loaded), lifetime) {
            (Some(Transition::Advance(step)), Some(lifetime)) => {
                self.advance_living(lineage, &step, lifetime).await
            }
            (Some(Transition::NoteUse { head, hash }), Some(_)) => {
                self.note_use(lineage, head, hash).await
            }
            (Some(_), None) => Ok(Written::Lost),
            (None, _) => Ok(Written::Now),
        }
    }

    pub(super) async fn advance(
        &self,
        lineage: LineageId,
        step: &Step,
    ) -> Result<Written, StoreError> {
        let Some(loaded) = self.load(lineage).await? else {
            return Ok(Written::Lost);
        };
        let lifetime = Lifetime::of(&loaded.row);
        self.advance_living(lineage, step, lifetime).await
    }

    async fn advance_living(
        &self,
        lineage: LineageId,
        step: &Step,
        lifetime: Lifetime,
    ) -> Result<Written, StoreError> {
        let call = |keys: &[&str], known| stepping(keys, known, step, lifetime);
        self.write_head(lineage, call).await
    }

    /// The call that writes a step, once, where the shard has everything that is known of the log.
    pub(super) fn step(&self, lineage: LineageId, step: &Step, lifetime: Lifetime) -> Call {
        let shard = Shard::of(lineage);
        let (position, session) = (self.keys.position(shard), self.keys.session(lineage));
        let keys = [position.as_str(), session.as_str()];
        stepping(&keys, self.heads.known(shard), step, lifetime)
    }

    pub(super) async fn note_use(
        &self,
        lineage: LineageId,
        head: TokenId,
        hash: KeyHash,
    ) -> Result<Written, StoreError> {
        let call = |keys: &[&str], known| {
            NOTE.call(keys)
                .number(known)
                .bytes(head.0)
                .bytes(hash.to_be_bytes())
                .number(codec::FULL_HEAD as u64)
        };
        self.write_head(lineage, call).await
    }

    async fn write_head(
        &self,
        lineage: LineageId,
        call: impl Fn(&[&str], u64) -> Call,
    ) -> Result<Written, StoreError> {
        let shard = Shard::of(lineage);
        let (position, session) = (self.keys.position(shard), self.keys.session(lineage));
        for _ in 0..ATTEMPTS {
            let call = call(&[&position, &session], self.heads.known(shard));
            let written: i64 = self.counted(call.run(&self.link).await)?;
            match written {
                1 => return Ok(Written::Now),
                0 => return Ok(Written::Lost),
                _ => self.catch_up(shard).await?,
            }
        }
        Err(behind(shard))
    }

    pub(super) async fn create(&self, row: &Row) -> Result<(), StoreError> {
        let exists = || damaged("this lineage exists");
        if self.read(row.lineage).await?.is_some() {
            return Err(exists());
        }
        let shard = Shard::of(row.lineage);
        let writing = self.heads.writing(shard).await?;
        let (lineage, began) = (row.lineage, Entry::created(row));
        let mut entries = vec![(shard, began.clone())];
        entries.extend(
            row.revoked
                .map(|why| (shard, Entry::Revoked { lineage, why })),
        );
        let positions = self.append(&entries).await?;
        let place = Place::of(&positions)?;
        // After the append: a cut that is set later finds this session in the log, and ends it.
        let cut = self.log.cut_of(&row.grant.subject).await?;
        let call = self.creation(place, row, &began, cut)?;
        let began_at = self.apply(place, &call).await?;
        drop(writing);
        match from_redis_value::<Option<u64>>(began_at) {
            Ok(Some(at)) if at == place.first + 1 => self.confirmed(lineage).await,
            Ok(Some(_)) => Err(exists()),
            _ => Err(self.overtaken()),
        }
    }

    pub(super) async fn revoke(
        &self,
        lineage: LineageId,
        why: Revocation,
    ) -> Result<Revoked, StoreError> {
        match self.load(lineage).await? {
            None => return Ok(Revoked::Missing),
            Some(Loaded { row, .. }) => {
                if let Some(before) = row.revoked {
                    return Ok(Revoked::Before(before));
                }
            }
        }
        let shard = Shard::of(lineage);
        let writing = self.heads.writing(shard).await?;
        let positions = self
            .append(&[(shard, Entry::Revoked { lineage, why })])
            .await?;
        let place = Place::of(&positions)?;
        let call = self.revocation(place, lineage, codec::end(place.last, why), None);
        let ended = self.ended(place, &call).await?;
        drop(writing);
        self.confirmed(lineage).await?;
        Ok(ended)
    }

    /// Who ended a session, which was there just now, is who is first in the log, whoever carries it
    /// out.
    pub(super) async fn ended(&self, place: Place, call: &Call) -> Result<Revoked, StoreError> {
        let end = self.apply(place, call).await?;
        let end = codec::bytes(&end).ok_or_else(|| self.overtaken())?;
        let (position, why) = codec::read_end(end)?;
        Ok(if position == place.last {
            Revoked::Now
        } else {
            Revoked::Before(why)
        })
    }

    /// The cut first, then who is there: a session that begins in between finds the cut itself.
    pub(super) async fn revoke_subject(
        &self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Result<Vec<LineageId>, StoreError> {
        self.log.set_cut(subject, cut).await?;
        let (kept, living) = self.living(subject, keep).await?;
        let entries = cut_entries(subject, cut, kept, &living);
        let shards: BTreeSet<Shard> = entries.iter().map(|(shard, _)| *shard).collect();
        let mut writing = Vec::with_capacity(shards.len());
        for shard in shards {
            writing.push(self.heads.writing(shard).await?);
        }
        let positions = self.append(&entries).await?;
        let mut ended = Vec::new();
        for ((_, entry), position) in entries.iter().zip(positions) {
            if let Some(lineage) = self.cut_off(position, entry, cut).await? {
                ended.push(lineage);
            }
        }
        drop(writing);
        for lineage in &ended {
            self.confirmed(*lineage).await?;
        }
        Ok(ended)
    }

    /// The sessions that a cut ends, and the one that it spares where that is the subject's.
    async fn living(
        &self,
        subject: &Subject,
        keep: Option<LineageId>,
    ) -> Result<(Option<LineageId>, Vec<LineageId>), StoreError> {
        let (mut kept, mut living) = (None, Vec::new());
        let mut theirs = self.log.sessions_of(subject).await?;
        // One that another process has appended and not carried out yet is replayed by its load.
        self.heads.read(&self.log).await?;
        if self.list_again().await? {
            theirs = self.log.sessions_of(subject).await?;
        }
        for lineage in theirs {
            match self.load(lineage).await? {
                Some(Loaded { row, .. }) if row.grant.subject == *subject => {
                    if keep == Some(lineage) {
                        kept = keep;
                    } else if row.revoked.is_none() {
                        living.push(lineage);
                    }
                }
                _ => {}
            }
        }
        Ok((kept, living))
    }

    /// Carries out one entry of a cut; the session that this ended.
    async fn cut_off(
        &self,
        position: Position,
        entry: &Entry,
        cut: Cut,
    ) -> Result<Option<LineageId>, StoreError> {
        let place = Place::at(position);
        match entry {
            Entry::Revoked { lineage, why } => {
                let end = codec::end(place.last, *why);
                let call = self.revocation(place, *lineage, end, Some(cut));
                let ended = self.ended(place, &call).await?;
                return Ok((ended == Revoked::Now).then_some(*lineage));
            }
            Entry::Cut {
                keep: Some(keep), ..
            } if Shard::of(*keep) == place.shard => {
                self.apply(place, &self.sparing(place, *keep, cut)).await?;
            }
            _ => {
                self.apply(place, &self.nothing(place)).await?;
            }
        }
        Ok(None)
    }

    pub(super) async fn sessions_of(&self, subject: &Subject) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for lineage in self.log.sessions_of(subject).await? {
            let row = self.load(lineage).await?.map(|loaded| loaded.row);
            rows.extend(row.filter(|row| row.grant.subject == *subject));
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.lineage)));
        Ok(rows)
    }
}

impl Place {
    /// Of one entry.
    pub(super) fn at(position: Position) -> Self {
        Self {
            shard: position.shard,
            first: position.at.saturating_sub(1),
            last: position.at,
        }
    }

    /// Of entries that follow one another.
    fn of(positions: &[Position]) -> Result<Self, StoreError> {
        let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
            return Err(damaged("the session log places nothing"));
        };
        Ok(Self {
            last: last.at,
            ..Self::at(*first)
        })
    }
}

fn stepping(keys: &[&str], known: u64, step: &Step, lifetime: Lifetime) -> Call {
    ADVANCE
        .call(keys)
        .number(known)
        .bytes(step.expected.0)
        .bytes(codec::head(&step.head))
        .bytes(codec::ring(step.history_unknown_until, &step.ring))
        .number(lifetime.seconds_from(step.head.since))
}

/// The limits of a session, which no presentation changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    absolute: Timestamp,
    idle: std::time::Duration,
}

impl Lifetime {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            absolute: row.expires_absolute,
            idle: row.idle,
        }
    }

    fn seconds_from(self, since: Timestamp) -> u64 {
        codec::seconds_to_live(self.absolute, self.idle, since)
    }
}

fn parted(answers: Option<(Value, Value)>) -> Result<(u64, Vec<Value>), StoreError> {
    let (at, fields) = answers.ok_or_else(too_few)?;
    match (Option::<u64>::from_redis_value(at), fields) {
        (Ok(at), Value::Array(fields)) => Ok((at.unwrap_or(0), fields)),
        _ => Err(damaged("the position of a shard")),
    }
}

fn too_few() -> StoreError {
    damaged("fewer answers than questions")
}

fn behind(shard: Shard) -> StoreError {
    StoreError::Busy(format!("shard {} falls behind the session log", shard.0))
}
