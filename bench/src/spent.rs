//! What server, store and generator have taken by a moment, and between two.

use std::time::Duration;

use anyhow::Result;

use crate::disk::Written;
use crate::load::{Plan, Report, float};
use crate::{cpu, wire};

/// Since each of them began.
pub(crate) struct Spent {
    generator: Duration,
    server: Duration,
    store: Duration,
    /// Another user's processes do not tell.
    disk: Option<Written>,
    client_wire: Option<u64>,
    store_wire: Option<u64>,
}

impl Spent {
    pub(crate) fn until_now(plan: &Plan) -> Result<Self> {
        Ok(Self {
            generator: cpu::of_process(std::process::id())?,
            server: cpu::of_trees(&plan.server_pids)?,
            store: cpu::of_trees(&plan.store_pids)?,
            disk: Written::by(&plan.all_pids()).ok(),
            client_wire: wire::bytes(plan.endpoint.port()).ok(),
            store_wire: plan.store_port.and_then(|port| wire::bytes(port).ok()),
        })
    }

    /// Charges the refreshes of the report with what was taken between `before` and now.
    pub(crate) fn charge(&self, before: &Self, plan: &Plan, report: &mut Report) {
        let refreshes = float(report.refreshes.max(1));
        // Saturating: a process that ended in between took its share with it.
        let micros = |now: Duration, then| now.saturating_sub(then).as_secs_f64() * 1e6 / refreshes;
        let bytes = |now: Option<u64>, then: Option<u64>| {
            let between = now.zip(then).map(|(now, then)| now.saturating_sub(then));
            between.map(|bytes| float(bytes) / refreshes)
        };
        report.generator_cpu_us = micros(self.generator, before.generator);
        let store = micros(self.store, before.store);
        if !plan.server_pids.is_empty() {
            report.server_cpu_us = Some(store + micros(self.server, before.server));
            let disk = self.disk.as_ref().zip(before.disk.as_ref());
            report.disk_bytes = disk.map(|(now, then)| float(now.since(then)) / refreshes);
            report.client_bytes = bytes(self.client_wire, before.client_wire);
        }
        if !plan.store_pids.is_empty() {
            report.store_cpu_us = Some(store);
        }
        report.store_bytes = bytes(self.store_wire, before.store_wire);
    }
}
