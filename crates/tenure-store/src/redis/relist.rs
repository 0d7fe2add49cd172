//! Sessions that Redis has and the session log does not tell of any more, because it came back older
//! than it was: it is told of them again. Whatever asks it who is there finds them then: the end of
//! all sessions of a subject, the sweep, a copy to another store.

use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{FromRedisValue as _, Value, cmd};
use tenure_core::id::LineageId;
use tenure_core::lineage::{Revocation, Row};
use tenure_core::time::Timestamp;

use super::check::everywhere;
use super::codec;
use super::error::{damaged, trouble};
use super::inner::Inner;
use super::keys::Keys;
use super::replay::Place;
use crate::{Entry, Loaded, Shard, StoreError};

/// Keys that Redis looks at in one go.
const PAGE: u32 = 1000;

impl Inner {
    /// Tells the log of every session, where it fell back since this was last done. Answers whether it
    /// did.
    pub(super) async fn list_again(&self) -> Result<bool, StoreError> {
        let _one = self.heads.listing.lock().await;
        if !self.heads.take_fall() {
            return Ok(false);
        }
        let listed = self.list_all().await;
        if listed.is_err() {
            self.heads.note_fall();
        }
        listed.map(|()| true)
    }

    async fn list_all(&self) -> Result<(), StoreError> {
        tracing::error!(
            log = self.log.place(),
            "the session log came back older than it was; it is told of the sessions that Redis has, \
             but what else its database has lost is lost"
        );
        let known = self.heads.all_known((0..Shard::COUNT).map(Shard));
        for node in self.scanned().await? {
            self.list_node(&node).await?;
        }
        // Last, so that whoever starts after a crash before it sees that this is not done.
        self.log.raise(&known).await?;
        Ok(())
    }

    /// Where every key is found: one server, or the primaries of a cluster.
    async fn scanned(&self) -> Result<Vec<RoutingInfo>, StoreError> {
        if !self.link.is_cluster() {
            return Ok(vec![everywhere()]);
        }
        let answers = self.link.route(cmd("PING"), everywhere()).await;
        let Ok(Value::Map(answers)) = answers.map_err(|error| trouble(&error)) else {
            return Err(damaged("the nodes of the cluster"));
        };
        let node = |(address, _): (Value, Value)| {
            let address = String::from_redis_value(address).ok()?;
            let (host, port) = address.rsplit_once(':')?;
            let there = SingleNodeRoutingInfo::ByAddress {
                host: host.to_owned(),
                port: port.parse().ok()?,
            };
            Some(RoutingInfo::SingleNode(there))
        };
        let nodes: Option<Vec<_>> = answers.into_iter().map(node).collect();
        nodes.ok_or_else(|| damaged("the address of a node of the cluster"))
    }

    async fn list_node(&self, node: &RoutingInfo) -> Result<(), StoreError> {
        let mut from = 0;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(from).arg("MATCH").arg(self.keys.sessions());
            scan.arg("COUNT").arg(PAGE);
            let answer = self.link.route(scan, node.clone()).await;
            let answer = answer.map_err(|error| trouble(&error))?;
            let (next, keys) = <(u64, Vec<String>)>::from_redis_value(answer)
                .map_err(|why| StoreError::Damaged(why.to_string()))?;
            let lineages: Vec<_> = keys.iter().filter_map(|key| Keys::lineage(key)).collect();
            self.list(&lineages).await?;
            if next == 0 {
                return Ok(());
            }
            from = next;
        }
    }

    async fn list(&self, lineages: &[LineageId]) -> Result<(), StoreError> {
        let unlisted = self.log.unlisted(lineages).await?;
        if unlisted.is_empty() {
            return Ok(());
        }
        // One that the log has just been told to forget is gone by the time its shard has that entry.
        self.heads.read(&self.log).await?;
        for lineage in unlisted {
            if self.read(lineage).await?.is_some() {
                self.list_one(lineage).await?;
            }
        }
        Ok(())
    }

    async fn list_one(&self, lineage: LineageId) -> Result<(), StoreError> {
        let shard = Shard::of(lineage);
        let _writing = self.heads.writing(shard).await?;
        let Some(Listed { row, began, .. }) = self.to_list(lineage).await? else {
            return Ok(());
        };
        let mut entries = vec![(shard, began)];
        let end = |why| (shard, Entry::Revoked { lineage, why });
        entries.extend(row.revoked.map(end));
        for position in self.append(&entries).await? {
            let place = Place::at(position);
            self.apply(place, &self.nothing(place)).await?;
        }
        if row.revoked.is_some() {
            return Ok(());
        }
        self.list_end(lineage).await
    }

    /// What ended it while the log did not list it: another process, which wrote that before the
    /// beginning, or a cut, which did not find it.
    async fn list_end(&self, lineage: LineageId) -> Result<(), StoreError> {
        let Some(Listed { row, spared, .. }) = self.to_list(lineage).await? else {
            return Ok(());
        };
        let cut = self.log.cut_of(&row.grant.subject).await?;
        let cut = cut.filter(|cut| cut.before > row.grant.auth_time.max(spared));
        let by_cut = cut.map(|cut| Revocation {
            at: cut.before,
            cause: cut.cause,
        });
        let Some(why) = row.revoked.or(by_cut) else {
            return Ok(());
        };
        let end = (Shard::of(lineage), Entry::Revoked { lineage, why });
        for position in self.append(&[end]).await? {
            let place = Place::at(position);
            let end = codec::end(place.last, why);
            self.ended(place, &self.revocation(place, lineage, end, cut))
                .await?;
        }
        Ok(())
    }

    async fn to_list(&self, lineage: LineageId) -> Result<Option<Listed>, StoreError> {
        let read = self.read_sessions(&[lineage]).await?;
        let Some((_, fields)) = read.into_iter().next() else {
            return Ok(None);
        };
        let Some(Loaded { row, .. }) = codec::loaded(&fields)? else {
            return Ok(None);
        };
        let began = codec::beginning(&fields);
        let (began, spared) = began.ok_or_else(|| damaged("the beginning of a session"))?;
        Ok(Some(Listed { row, began, spared }))
    }
}

/// A session that the log does not tell of.
struct Listed {
    row: Row,
    began: Entry,
    /// No cut up to this moment ends it.
    spared: Timestamp,
}
