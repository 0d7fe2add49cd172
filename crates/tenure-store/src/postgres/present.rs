//! Presentations in groups: one read of all rows, one conditional write of all of them.

use std::collections::HashSet;

use async_trait::async_trait;
use tenure_core::id::LineageId;
use tenure_core::lineage::Step;
use uuid::Uuid;

use super::codec::{ring_to_sql, to_sql, uses_to_sql, value};
use super::pool::{Admission, Connection, Pool};
use super::sessions;
use crate::groups::{Carrier, Judged, Presentation, refuse};
use crate::{StoreError, Written};

/// What connections for groups are told. A row that somebody holds must not hold up the others of the
/// group; and whatever the planner knows of the table, a few rows are found by its key.
const IMPATIENT: &str = "SET lock_timeout = '100ms'; SET enable_seqscan = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off";

/// Two statements for a group.
#[derive(Debug)]
pub(super) struct InGroups {
    pub(super) groups: Pool,
    /// For those that are presented alone.
    pub(super) alone: Pool,
}

impl Carrier for InGroups {
    async fn carry_out(&self, group: Vec<Presentation>) {
        let sql = match self.groups.lend().await {
            Ok(sql) => sql,
            Err(error) => return refuse(group, &error),
        };
        let lineages: HashSet<LineageId> = group.iter().map(|one| one.lineage).collect();
        let lineages: Vec<Uuid> = lineages.into_iter().map(|lineage| lineage.0).collect();
        let rows = match sessions::load_all(&sql, &lineages).await {
            Ok(rows) => rows,
            Err(error) => return refuse(group, &error),
        };
        let Judged { steps, alone } = Judged::of(group, rows);
        match advance_all(&sql, &steps).await {
            Ok(written) => {
                for (_, presentation) in steps {
                    if written.contains(&presentation.lineage.0) {
                        presentation.answer(Ok(Written::Now));
                    } else {
                        self.present_alone(presentation);
                    }
                }
            }
            // Somebody holds one of the rows, or one of the steps is not taken.
            Err(StoreError::Busy(_) | StoreError::Damaged(_)) => {
                for (_, presentation) in steps {
                    self.present_alone(presentation);
                }
            }
            Err(error) => refuse(steps.into_iter().map(|(_, one)| one), &error),
        }
        for presentation in alone {
            self.present_alone(presentation);
        }
    }
}

impl InGroups {
    /// With statements and, where somebody is in between, a lock of its own.
    fn present_alone(&self, presentation: Presentation) {
        let pool = self.alone.clone();
        tokio::spawn(async move {
            let Presentation { lineage, judge, .. } = &presentation;
            let written = sessions::present(&pool, *lineage, judge).await;
            presentation.answer(written);
        });
    }
}

/// The sessions whose head was still the one that the step expects.
async fn advance_all(
    sql: &Connection,
    steps: &[(Step, Presentation)],
) -> Result<HashSet<Uuid>, StoreError> {
    if steps.is_empty() {
        return Ok(HashSet::new());
    }
    let update = "UPDATE sessions s SET head_id = n.head_id, head_generation = n.head_generation, \
        head_since = n.head_since, head_uses = n.head_uses, ring = n.ring, \
        history_unknown_until = n.history_unknown_until \
        FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], \
            $6::bytea[], $7::bytea[], $8::bigint[]) \
        AS n(lineage, expected, head_id, head_generation, head_since, head_uses, ring, \
            history_unknown_until) \
        WHERE s.lineage = n.lineage AND s.head_id = n.expected AND s.revoked_at IS NULL \
        RETURNING s.lineage";
    let lineages: Vec<Uuid> = steps.iter().map(|(_, one)| one.lineage.0).collect();
    let each = || steps.iter().map(|(step, _)| step);
    let expected: Vec<&[u8]> = each().map(|step| step.expected.0.as_slice()).collect();
    let ids: Vec<&[u8]> = each().map(|step| step.head.id.0.as_slice()).collect();
    let generations: Vec<i64> = each().map(|step| step.head.generation.into()).collect();
    let since: Vec<i64> = each().map(|step| to_sql(step.head.since)).collect();
    let uses: Vec<Vec<u8>> = each().map(|step| uses_to_sql(&step.head.uses)).collect();
    let rings: Vec<Vec<u8>> = each().map(|step| ring_to_sql(&step.ring)).collect();
    let unknown = each().map(|step| step.history_unknown_until.map(to_sql));
    let unknown: Vec<Option<i64>> = unknown.collect();
    let columns = sql
        .rows(
            update,
            &[
                &lineages,
                &expected,
                &ids,
                &generations,
                &since,
                &uses,
                &rings,
                &unknown,
            ],
        )
        .await?;
    columns.iter().map(|columns| value(columns, 0)).collect()
}

/// Lets a connection in as another admission does, and sets it up for groups.
#[derive(Debug)]
pub(super) struct ForGroups<A>(pub(super) A);

#[async_trait]
impl<A: Admission> Admission for ForGroups<A> {
    async fn admit(&self, connection: &Connection) -> Result<(), StoreError> {
        self.0.admit(connection).await?;
        connection.batch(IMPATIENT).await
    }
}
