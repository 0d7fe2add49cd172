//! Which connections are for what.

use std::sync::Arc;

use super::address::Address;
use super::fence::Fence;
use super::pool::{Commit, Pool};
use super::present::{ForGroups, InGroups};
use super::{Advance, PostgresOptions};
use crate::StoreError;
use crate::groups::Groups;

/// Connections to the database of the sessions.
pub(super) struct Pools {
    pub(super) presentations: Groups<InGroups>,
    /// For what is read and written for one presentation.
    pub(super) refresh: Pool,
    /// For everything else.
    pub(super) durable: Pool,
    /// Most connections: for refreshes, and for the rest where it has some of its own.
    pub(super) sizes: (usize, Option<usize>),
}

impl Pools {
    /// None is made before it is needed.
    pub(super) fn new(
        options: &PostgresOptions,
        address: &Arc<Address>,
        fence: &Fence,
    ) -> Result<Self, StoreError> {
        let pool = |commit, size| {
            let admission = Arc::new(fence.clone());
            Pool::new(Arc::clone(address), commit, size, admission)
        };
        let (commit, rest) = match options.advance {
            Advance::Durable => (Commit::Durable, None),
            Advance::Asynchronous => (Commit::Asynchronous, Some((options.pool / 2).max(4))),
        };
        let at_once = (options.pool / 4).max(1);
        let refresh = pool(commit, options.pool.saturating_sub(at_once))?;
        let admission = Arc::new(ForGroups(fence.clone()));
        let carrier = InGroups {
            groups: Pool::new(Arc::clone(address), commit, at_once, admission)?,
            alone: refresh.clone(),
        };
        Ok(Self {
            presentations: Groups::new(carrier, at_once),
            durable: match rest {
                Some(size) => pool(Commit::Durable, size)?,
                None => refresh.clone(),
            },
            refresh,
            sizes: (options.pool, rest),
        })
    }
}
