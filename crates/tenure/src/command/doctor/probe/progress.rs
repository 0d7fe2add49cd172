//! What the probes do, on stderr while they do it.

use std::io::{IsTerminal as _, stderr};

use tenure_doctor::exchange::{Answer, Exchange};
use tenure_doctor::probe::{Probe, Stop, Trail, Watch, trail};
use tenure_doctor::{Collected, Evidence, compare};

use super::super::gathered::Gathered;
use crate::print;

/// One line for each probe; in place on a terminal.
pub(super) struct Progress {
    collected: Collected,
    budget: usize,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new(gathered: &Gathered, budget: usize) -> Self {
        let mut collected = Collected::new(&gathered.inputs);
        collected.evidence.logs.clone_from(&gathered.logs);
        Self {
            collected,
            budget,
            is_terminal: stderr().is_terminal(),
        }
    }

    /// Says how it ended, and what would be lost among the probes.
    pub(super) fn end(&self, exchanges: &[Exchange], stop: &Stop) {
        if self.is_terminal {
            print::state("");
        }
        let requests = match exchanges.len() {
            1 => "1 request".to_owned(),
            count => format!("{count} requests"),
        };
        print::note(format_args!("{requests}: {stop}"));
        match trail(exchanges) {
            Trail::Ends => {}
            Trail::Loop => print::note("the redirects lead in a circle"),
            Trail::TooLong => print::note("there are more redirects than anybody follows"),
            Trail::Elsewhere => print::note("a redirect leads to what is not HTTP"),
        }
        if let Some(statuses) = differing(exchanges) {
            print::note(format_args!(
                "the same request is answered differently: {statuses}"
            ));
        }
    }

    fn show(&self, exchange: &Exchange, number: usize) {
        let (probe, id, budget) = (exchange.probe, exchange.probe.id(), self.budget);
        let answer = match &exchange.result {
            Ok(answer) => said(answer),
            Err(failure) => failure.to_string(),
        };
        let line = format!(
            "{number:>2}/{budget} {probe} ({id}): {answer}, {} ms",
            exchange.took_ms
        );
        if self.is_terminal {
            print::state(line);
        } else {
            print::note(line);
        }
    }
}

impl Watch for Progress {
    fn sending(&mut self, probe: Probe, number: usize) {
        if self.is_terminal {
            print::state(format_args!(
                "{number:>2}/{} {probe} ({}) …",
                self.budget,
                probe.id()
            ));
        }
    }

    fn evidence(&mut self, exchanges: &[Exchange]) -> &Evidence {
        if let Some(last) = exchanges.last() {
            self.show(last, exchanges.len());
        }
        let known = self.collected.evidence.exchanges.len();
        for exchange in exchanges.iter().skip(known) {
            self.collected.add(exchange);
        }
        &self.collected.evidence
    }
}

fn said(answer: &Answer) -> String {
    let status = answer.status;
    if answer.body_bytes >= Answer::ENOUGH {
        format!("{status}, a body of 1 MiB and more")
    } else {
        status.to_string()
    }
}

/// The answers to the client's request, where not all are the same.
fn differing(exchanges: &[Exchange]) -> Option<String> {
    let alike = || exchanges.iter().filter(|exchange| exchange.probe.is_own());
    let first = alike().next()?;
    let same = |exchange: &Exchange| match (&first.result, &exchange.result) {
        (Ok(one), Ok(other)) => compare::same(one, other),
        (Err(one), Err(other)) => one == other,
        _ => false,
    };
    let status = |exchange: &Exchange| match &exchange.result {
        Ok(answer) => answer.status.to_string(),
        Err(_) => "none".to_owned(),
    };
    (!alike().all(same)).then(|| alike().map(status).collect::<Vec<_>>().join(", "))
}
