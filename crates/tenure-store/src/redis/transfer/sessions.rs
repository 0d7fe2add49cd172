//! Sessions of another store: begun and ended in the log as if that had happened here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use redis::{FromRedisValue as _, Value};
use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::Cut;
use tokio::task::JoinSet;

use super::super::codec;
use super::super::inner::Inner;
use super::super::replay::Place;
use super::super::scripts::{Call, FURTHER};
use super::ABREAST;
use crate::transfer::{gather, merged};
use crate::{Entry, Loaded, Position, Shard, StoreError};

/// Each once: of two records of one session, what both know.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<LineageId, Loaded>);

/// What is to be done about one session.
struct Wanted<'a> {
    loaded: &'a Loaded,
    here: Option<Loaded>,
    /// The cut that stands here and does not concern it.
    spares: Option<Cut>,
}

/// Calls of one shard, in the order of the log.
type Applied = Vec<(Place, Call)>;

impl Sessions {
    pub(super) fn add(&mut self, loaded: &Loaded) {
        gather(&mut self.0, loaded);
    }
}

impl Wanted<'_> {
    fn shard(&self) -> Shard {
        Shard::of(self.loaded.row.lineage)
    }

    /// What the log is told.
    fn entries(&self) -> Vec<Entry> {
        let row = &self.loaded.row;
        let lineage = row.lineage;
        let mut entries = Vec::new();
        if self.here.is_none() {
            entries.push(Entry::created(row));
        }
        let ended = self
            .here
            .as_ref()
            .is_some_and(|here| here.row.revoked.is_some());
        if let (Some(why), false) = (row.revoked, ended) {
            entries.push(Entry::Revoked { lineage, why });
        }
        if let Some(cut) = self.spares {
            entries.push(Entry::Cut {
                subject: row.grant.subject.clone(),
                cut,
                keep: Some(lineage),
            });
        }
        entries
    }

    /// Whether the other store's head is further than the one here.
    fn advances(&self) -> bool {
        let further = |here: &Loaded| merged(&here.row, &self.loaded.row).head != here.row.head;
        self.here.as_ref().is_some_and(further)
    }
}

impl Inner {
    /// Answers how many changed anything.
    pub(super) async fn import_sessions(
        self: &Arc<Self>,
        sessions: &Sessions,
    ) -> Result<u64, StoreError> {
        let wanted = self.wanted(sessions).await?;
        let mut entries = Vec::new();
        let mut changed = 0;
        for wanted in &wanted {
            let told = wanted.entries();
            changed += u64::from(!told.is_empty() || wanted.advances());
            entries.extend(told.into_iter().map(|entry| (wanted.shard(), entry)));
        }
        if !entries.is_empty() {
            self.write(&wanted, &entries).await?;
        }
        for wanted in wanted.iter().filter(|wanted| wanted.advances()) {
            self.write_further(wanted.loaded).await?;
        }
        Ok(changed)
    }

    /// In the order of the shards, in which every writer takes them.
    async fn wanted<'a>(
        self: &Arc<Self>,
        sessions: &'a Sessions,
    ) -> Result<Vec<Wanted<'a>>, StoreError> {
        let lineages: Vec<LineageId> = sessions.0.keys().copied().collect();
        let mut here = self.load_each(&lineages).await?;
        let cuts = self.cuts_that_spare(sessions).await?;
        let wanted = sessions.0.values().map(|loaded| {
            let here = here.remove(&loaded.row.lineage);
            let concerned = here.as_ref().is_none_or(|here| here.cut.is_some());
            let cut = cuts.get(&loaded.row.grant.subject).copied();
            Wanted {
                loaded,
                here,
                spares: cut.filter(|_| concerned && loaded.cut.is_none()),
            }
        });
        let mut wanted: Vec<Wanted<'_>> = wanted.collect();
        wanted.sort_by_key(Wanted::shard);
        Ok(wanted)
    }

    /// The cuts that stand here of subjects of whose sessions some are spared.
    async fn cuts_that_spare(
        &self,
        sessions: &Sessions,
    ) -> Result<HashMap<Subject, Cut>, StoreError> {
        let mut cuts = HashMap::new();
        if self.sql.count(crate::Part::Cuts).await? == Some(0) {
            return Ok(cuts);
        }
        let spared = sessions.0.values().filter(|loaded| loaded.cut.is_none());
        let subjects: BTreeSet<&Subject> = spared.map(|loaded| &loaded.row.grant.subject).collect();
        for subject in subjects {
            let cut = self.log.cut_of(subject).await?;
            cuts.extend(cut.map(|cut| (subject.clone(), cut)));
        }
        Ok(cuts)
    }

    async fn write(
        self: &Arc<Self>,
        wanted: &[Wanted<'_>],
        entries: &[(Shard, Entry)],
    ) -> Result<(), StoreError> {
        let shards: BTreeSet<Shard> = entries.iter().map(|(shard, _)| *shard).collect();
        let mut writing = Vec::with_capacity(shards.len());
        for shard in &shards {
            writing.push(self.heads.writing(*shard).await?);
        }
        let positions = self.append(entries).await?;
        let mut calls: BTreeMap<Shard, Applied> = BTreeMap::new();
        let mut told = entries.iter().map(|(_, entry)| entry).zip(positions);
        for wanted in wanted {
            let count = wanted.entries().len();
            let told: Vec<(&Entry, Position)> = told.by_ref().take(count).collect();
            if !told.is_empty() {
                let calls = calls.entry(wanted.shard()).or_default();
                self.calls_for(wanted, &told, calls)?;
            }
        }
        let mut calls = calls.into_values().collect::<Vec<_>>();
        while !calls.is_empty() {
            let mut applying = JoinSet::new();
            for calls in calls.drain(..calls.len().min(ABREAST)) {
                let inner = Arc::clone(self);
                applying.spawn(async move { inner.apply_all(&calls).await });
            }
            for applied in applying.join_all().await {
                applied?;
            }
        }
        drop(writing);
        for wanted in wanted {
            self.confirmed(wanted.loaded.row.lineage).await?;
        }
        Ok(())
    }

    fn calls_for(
        &self,
        wanted: &Wanted<'_>,
        told: &[(&Entry, Position)],
        calls: &mut Applied,
    ) -> Result<(), StoreError> {
        let row = &wanted.loaded.row;
        for (entry, position) in told {
            let place = Place::at(*position);
            let call = match entry {
                Entry::Created { .. } => {
                    let alive = tenure_core::lineage::Row {
                        revoked: None,
                        ..row.clone()
                    };
                    self.creation(place, &alive, entry, wanted.loaded.cut)?
                }
                Entry::Revoked { lineage, why } => {
                    let end = codec::end(place.last, *why);
                    self.revocation(place, *lineage, end, wanted.loaded.cut)
                }
                Entry::Cut { cut, .. } => self.sparing(place, row.lineage, *cut),
                Entry::Deleted { .. } => self.nothing(place),
            };
            calls.push((place, call));
        }
        Ok(())
    }

    /// All calls of a shard in one go; where it was behind, one after the other, each after what the
    /// log has before it.
    async fn apply_all(&self, calls: &[(Place, Call)]) -> Result<(), StoreError> {
        let sent: Vec<Call> = calls.iter().map(|(_, call)| call.clone()).collect();
        let answers = Call::run_all(&sent, &self.durable).await?;
        for ((place, call), answer) in calls.iter().zip(answers) {
            let at = Vec::<Value>::from_redis_value(answer).ok();
            let at = at.and_then(|answer| answer.into_iter().next());
            let at = at.and_then(|at| u64::from_redis_value(at).ok());
            if at.is_none_or(|at| at < place.last) {
                self.apply(*place, call).await?;
            }
        }
        Ok(())
    }

    async fn write_further(&self, loaded: &Loaded) -> Result<(), StoreError> {
        let row = &loaded.row;
        let (idle, since) = (row.idle, row.head.since);
        FURTHER
            .call(&[&self.keys.session(row.lineage)])
            .bytes(codec::head(&row.head))
            .bytes(codec::ring(row.history_unknown_until, &row.ring))
            .number(codec::seconds_to_live(row.expires_absolute, idle, since))
            .run::<u32>(&self.link)
            .await?;
        Ok(())
    }
}
