//! Who believes what.

use super::{Table, name};
use crate::Evidence;
use crate::drift::{Belief, compare};
use crate::output::plain;

pub(super) fn beliefs(evidence: &Evidence) -> Table {
    let mut beliefs: Vec<_> = evidence.beliefs.iter().collect();
    beliefs.sort_by_key(|belief| (belief.about, belief.held_by));
    let row = |belief: &&Belief| {
        vec![
            name(&belief.about),
            plain(&belief.value),
            plain(&belief.name),
            name(&belief.held_by),
            plain(&belief.source.to_string()),
            effective(belief),
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

pub(super) fn disagreements(evidence: &Evidence) -> Table {
    let found = compare(&evidence.beliefs);
    let side = |beliefs: &[Belief]| {
        let value = beliefs.first().map(|belief| plain(&belief.value));
        let places = beliefs.iter().map(|belief| {
            format!(
                "{} ({})",
                plain(&belief.source.to_string()),
                name(&belief.held_by)
            )
        });
        let places: Vec<_> = places.collect();
        format!("{} in {}", value.unwrap_or_default(), places.join(", "))
    };
    let rows = found.iter().map(|one| {
        vec![
            name(&one.about),
            name(&one.nature),
            side(&one.left),
            side(&one.right),
        ]
    });
    Table {
        title: "Who disagrees",
        head: &["about", "how", "one side", "the other"],
        rows: rows.collect(),
    }
}

/// When a change counts, and what is to be known about it.
fn effective(belief: &Belief) -> String {
    let when = name(&belief.effective);
    match &belief.note {
        Some(note) => format!("{when}; {}", plain(note)),
        None => when,
    }
}
