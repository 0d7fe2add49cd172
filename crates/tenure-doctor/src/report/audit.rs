//! What was done to find out, in order.

use crate::exchange::Exchange;
use crate::output::{Table, failure, headline, plain, time};
use crate::{Diagnosis, Evidence};

/// Id, action, note and context of each step.
pub(super) fn log(diagnosis: &Diagnosis, evidence: &Evidence) -> Table {
    let mut steps = read(evidence);
    steps.extend(evidence.exchanges.iter().map(sent));
    for clue in &evidence.unread {
        steps.push([
            "not read".to_owned(),
            clue.says.clone(),
            clue.source.to_string(),
        ]);
    }
    steps.push([
        "diagnosed".to_owned(),
        headline(diagnosis),
        time(evidence.now),
    ]);
    let row = |(number, step): (usize, [String; 3])| {
        let cells = step.iter().map(|text| plain(text));
        [format!("A{}", number + 1)]
            .into_iter()
            .chain(cells)
            .collect()
    };
    Table {
        title: "Audit log",
        head: &["id", "action", "note", "context"],
        rows: steps.into_iter().enumerate().map(row).collect(),
    }
}

/// What was read, and what was asked of a deployment.
fn read(evidence: &Evidence) -> Vec<[String; 3]> {
    let mut steps = Vec::new();
    for token in &evidence.tokens {
        let note = format!("{}, {} bytes", token.fingerprint, token.length);
        steps.push(["token read".to_owned(), note, token.source.to_string()]);
    }
    for keys in &evidence.keys {
        let note = format!("{} keys", keys.keys.len());
        steps.push(["keys read".to_owned(), note, keys.name.clone()]);
    }
    for file in &evidence.logs.files {
        let note = format!("{} lines, {} not understood", file.lines, file.unread);
        steps.push(["log read".to_owned(), note, file.name.clone()]);
    }
    for (name, settings) in settings(evidence) {
        let note = format!("{settings} settings");
        steps.push(["settings read".to_owned(), note, name]);
    }
    for check in &evidence.deployment {
        let action = format!("checked {}", check.name);
        steps.push([action, check.says.clone(), check.source.to_string()]);
    }
    steps
}

fn sent(exchange: &Exchange) -> [String; 3] {
    let seen = match &exchange.result {
        Ok(answer) => answer.status.to_string(),
        Err(error) => failure(error),
    };
    let (method, url) = (&exchange.request.method, &exchange.request.url);
    let context = format!("{method} {url}, {}", time(exchange.at));
    [format!("sent {}", exchange.probe), seen, context]
}

/// How many settings each place holds, in the order in which the places were read.
fn settings(evidence: &Evidence) -> Vec<(String, usize)> {
    let mut places: Vec<(String, usize)> = Vec::new();
    for belief in &evidence.beliefs {
        let name = match &belief.source {
            crate::Source::File(name, _) => name.clone(),
            other => other.to_string(),
        };
        match places.iter_mut().find(|(place, _)| *place == name) {
            Some((_, count)) => *count += 1,
            None => places.push((name, 1)),
        }
    }
    places
}
