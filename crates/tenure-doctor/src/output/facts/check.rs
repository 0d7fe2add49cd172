//! Checks of a deployment.

use super::{Table, name};
use crate::Evidence;
use crate::output::plain;

pub(super) fn checks(evidence: &Evidence) -> Table {
    let row = |check: &crate::deployment::Check| {
        vec![
            plain(&check.name),
            name(&check.result),
            plain(&check.says),
            plain(&check.source.to_string()),
        ]
    };
    Table {
        title: "Checks of the deployment",
        head: &["check", "result", "what was seen", "where"],
        rows: evidence.deployment.iter().map(row).collect(),
    }
}
