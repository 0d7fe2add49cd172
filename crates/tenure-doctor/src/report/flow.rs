//! How requests and events went, as a Mermaid sequence diagram.

use crate::exchange::Exchange;
use crate::logs::Event;
use crate::output::{failure, plain};
use crate::{Diagnosis, Evidence, layer};

/// More events make a picture that nobody reads.
const EVENTS: usize = 40;
/// Letters of a label.
const LABEL: usize = 80;

/// The probes through the layers that they passed, then the events of the logs; empty where there are
/// neither.
pub(super) fn mermaid(diagnosis: &Diagnosis, evidence: &Evidence) -> String {
    let by = diagnosis.answered.as_ref();
    let mut flow = Flow {
        service: by.map_or("service", |answered| answered.product).to_owned(),
        actors: Vec::new(),
        lines: Vec::new(),
    };
    for exchange in &evidence.exchanges {
        flow.asked(exchange);
    }
    for event in evidence.logs.timeline.iter().take(EVENTS) {
        flow.happened(event);
    }
    let rest = evidence.logs.timeline.len().saturating_sub(EVENTS);
    if rest > 0 {
        flow.lines
            .push(format!("%% {rest} more events are in the logs"));
    }
    flow.finish()
}

struct Flow {
    service: String,
    actors: Vec<String>,
    lines: Vec<String>,
}

impl Flow {
    fn asked(&mut self, exchange: &Exchange) {
        let passed = match &exchange.result {
            Ok(answer) => layer::passed(answer),
            Err(_) => Vec::new(),
        };
        let service = self.service.clone();
        let between = passed.into_iter().filter(|product| *product != service);
        let path = ["doctor"]
            .into_iter()
            .chain(between)
            .chain([service.as_str()]);
        let path: Vec<_> = path.map(|name| self.actor(name)).collect();
        for (from, to) in path.iter().zip(path.iter().skip(1)) {
            let (probe, method) = (exchange.probe.to_string(), &exchange.request.method);
            let line = format!("{from}->>{to}: {} ({method})", label(&probe));
            self.lines.push(line);
        }
        let (doctor, service) = (self.actor("doctor"), self.actor(&service));
        self.lines.push(match &exchange.result {
            Ok(answer) => format!("{service}-->>{doctor}: {}", answer.status),
            Err(error) => format!("{service}--x{doctor}: {}", label(&failure(error))),
        });
    }

    fn happened(&mut self, event: &Event) {
        let actor = self.actor(&event.actor);
        let mark = if event.bad { "✗ " } else { "" };
        let line = format!("Note over {actor}: {mark}{}", label(&event.what));
        self.lines.push(line);
    }

    /// The id of an actor: names may hold what Mermaid would obey.
    fn actor(&mut self, name: &str) -> String {
        let known = self.actors.iter().position(|actor| actor == name);
        let number = known.unwrap_or_else(|| {
            self.actors.push(name.to_owned());
            self.actors.len() - 1
        });
        format!("a{number}")
    }

    fn finish(self) -> String {
        if self.lines.is_empty() {
            return String::new();
        }
        let actors = self.actors.iter().enumerate();
        let actors =
            actors.map(|(number, name)| format!("participant a{number} as {}", label(name)));
        let lines: Vec<_> = actors.chain(self.lines).collect();
        format!("sequenceDiagram\n    {}\n", lines.join("\n    "))
    }
}

/// A text that means nothing to Mermaid: its entity codes stand for the characters it would obey.
fn label(text: &str) -> String {
    let mut out = String::new();
    for char in plain(text).chars().take(LABEL) {
        match char {
            '#' | ';' | '<' | '>' | '"' | ':' | ',' | '-' | '+' | '%' | '{' | '}' | '`' => {
                let code = u32::from(char).to_string();
                out.extend(["#", &code, ";"]);
            }
            char => out.push(char),
        }
    }
    out
}
