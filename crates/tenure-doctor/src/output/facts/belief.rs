//! Who believes what.

use super::{Table, name};
use crate::Evidence;
use crate::output::plain;

pub(super) fn beliefs(evidence: &Evidence) -> Table {
    let mut beliefs: Vec<_> = evidence.beliefs.iter().collect();
    beliefs.sort_by_key(|belief| (belief.about, belief.held_by));
    let row = |belief: &&crate::drift::Belief| {
        vec![
            name(&belief.about),
            plain(&belief.value),
            plain(&belief.name),
            name(&belief.held_by),
            plain(&belief.source.to_string()),
            name(&belief.effective),
        ]
    };
    Table {
        title: "Who believes what",
        head: &[
            "about",
            "value",
            "name",
            "held by",
            "where",
            "a change counts from",
        ],
        rows: beliefs.iter().map(row).collect(),
    }
}
