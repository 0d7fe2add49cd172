//! The log for a store that keeps its sessions elsewhere.

use async_trait::async_trait;
use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{Cut, Revocation};
use tenure_core::time::Timestamp;
use uuid::Uuid;

use super::Postgres;
use super::codec::{Text, cut, to_sql};
use super::{meta, sessions};
use crate::{Entry, Position, SessionLog, Shard, StoreError};

#[async_trait]
impl SessionLog for Postgres {
    async fn id(&self) -> Result<String, StoreError> {
        Ok(format!("{:016x}", self.log().id().await?))
    }

    fn place(&self) -> String {
        self.log().place().to_owned()
    }

    async fn append(&self, entries: &[(Shard, Entry)]) -> Result<Vec<Position>, StoreError> {
        self.log().give_away().await?;
        self.log().write(entries).await
    }

    async fn raise(&self, least: &[Position]) -> Result<bool, StoreError> {
        let least = least.iter().map(|least| (least.shard, least.at)).collect();
        Ok(self.log().raise_heads(&least).await? > 0)
    }

    async fn heads(&self) -> Result<Vec<Position>, StoreError> {
        let heads = self.log().heads().await?;
        let position = |(shard, at)| Position { shard, at };
        Ok(heads.into_iter().map(position).collect())
    }

    async fn after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Vec<(Position, Entry)>, StoreError> {
        self.log().after(position, limit).await
    }

    async fn end_of(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError> {
        self.log().end_of(lineage).await
    }

    async fn entries_of(&self, lineage: LineageId) -> Result<Vec<Entry>, StoreError> {
        self.log().entries_of(lineage).await
    }

    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<LineageId>, StoreError> {
        let sql = "SELECT DISTINCT lineage FROM session_log \
             WHERE subject = $1 AND kind = 'created' ORDER BY lineage";
        let lent = self.log().pool.lend().await?;
        lineages(lent.rows(sql, &[&Text(subject.as_str())]).await?)
    }

    async fn unlisted(&self, those: &[LineageId]) -> Result<Vec<LineageId>, StoreError> {
        let sql = "SELECT lineage FROM unnest($1::uuid[]) those (lineage) WHERE NOT EXISTS ( \
             SELECT FROM session_log l WHERE l.lineage = those.lineage AND l.kind = 'created')";
        let those: Vec<Uuid> = those.iter().map(|lineage| lineage.0).collect();
        lineages(self.log().pool.lend().await?.rows(sql, &[&those]).await?)
    }

    async fn sessions(
        &self,
        after: Option<LineageId>,
        limit: u32,
    ) -> Result<Vec<LineageId>, StoreError> {
        let sql = "SELECT DISTINCT lineage FROM session_log \
             WHERE lineage > $1 AND kind = 'created' ORDER BY lineage LIMIT $2";
        let after = after.map_or(Uuid::nil(), |after| after.0);
        let lent = self.log().pool.lend().await?;
        let limit = i64::from(limit);
        lineages(lent.rows(sql, &[&after, &limit]).await?)
    }

    async fn cut_of(&self, subject: &Subject) -> Result<Option<Cut>, StoreError> {
        let sql = "SELECT before, cause FROM cuts WHERE subject = $1";
        let subject = Text(subject.as_str());
        let row = self.durable.lend().await?.row(sql, &[&subject]).await?;
        row.map_or(Ok(None), |columns| cut(&columns, 0))
    }

    async fn set_cut(&self, subject: &Subject, cut: Cut) -> Result<(), StoreError> {
        let transaction = self.durable.begin().await?;
        sessions::set_cut(&transaction, subject, cut, None).await?;
        meta::bump(&transaction).await?;
        transaction.commit().await
    }

    async fn compact(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM session_log WHERE (shard, position) IN \
             (SELECT shard, position FROM session_log WHERE until < $1 ORDER BY until LIMIT $2)";
        let lent = self.log().pool.lend().await?;
        let (now, limit) = (to_sql(now), i64::from(limit));
        lent.change(sql, &[&now, &limit]).await
    }
}

fn lineages(rows: Vec<tokio_postgres::Row>) -> Result<Vec<LineageId>, StoreError> {
    let lineage = |row: tokio_postgres::Row| Ok(LineageId(row.try_get(0)?));
    rows.into_iter().map(lineage).collect()
}
