//! What was seen, as tables.

mod belief;
mod check;
mod exchange;
mod log;
mod token;

use crate::Evidence;

/// What was seen of one kind. Every row has as many cells as the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// For a heading.
    pub title: &'static str,
    /// Names of the columns.
    pub head: &'static [&'static str],
    /// Cells, without control characters.
    pub rows: Vec<Vec<String>>,
}

/// The tables of whatever was looked at; none for what was not.
pub fn tables(evidence: &Evidence) -> Vec<Table> {
    let all = [
        token::tokens(evidence),
        token::signatures(evidence),
        exchange::exchanges(evidence),
        belief::beliefs(evidence),
        belief::disagreements(evidence),
        log::files(evidence),
        log::findings(evidence),
        check::checks(evidence),
    ];
    all.into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

/// A value that may be absent.
fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| super::plain(&value.to_string()))
}

/// The stable name of an enum's variant, as JSON has it.
fn name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
