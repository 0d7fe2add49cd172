//! Probes and their answers.

use super::{Table, or_dash};
use crate::Evidence;
use crate::exchange::Exchange;
use crate::output::{failure, plain};

pub(super) fn exchanges(evidence: &Evidence) -> Table {
    Table {
        title: "Probes",
        head: &["probe", "request", "answer", "by", "ms"],
        rows: evidence.exchanges.iter().map(row).collect(),
    }
}

fn row(exchange: &Exchange) -> Vec<String> {
    let (answer, by) = match &exchange.result {
        Ok(answer) => (
            format!("{}, {} bytes", answer.status, answer.body_bytes),
            or_dash(answer.header("server")),
        ),
        Err(error) => (plain(&failure(error)), "-".to_owned()),
    };
    let request = format!("{} {}", exchange.request.method, exchange.request.url);
    vec![
        format!("{} ({})", exchange.probe, exchange.probe.id()),
        plain(&request),
        answer,
        by,
        exchange.took_ms.to_string(),
    ]
}
