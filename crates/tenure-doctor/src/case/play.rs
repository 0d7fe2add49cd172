//! A case, diagnosed as if its systems still ran.

use super::{Case, Inputs};
use crate::exchange::Exchange;
use crate::probe::{BUDGET, Decision, Probe, Stop, decide};
use crate::{Diagnosis, Evidence, collect, diagnose};

/// What came of a case.
#[derive(Debug)]
pub struct Played {
    /// What the doctor said in the end.
    pub diagnosis: Diagnosis,
    /// What it said that by.
    pub evidence: Evidence,
    /// Requests that it sent.
    pub requests: usize,
    /// Why it sent no more.
    pub stop: Stop,
}

impl Case {
    /// Collects, probes by the plan and diagnoses. Probes that were not recorded are not possible.
    pub fn play(&self) -> Played {
        let recorded = &self.inputs.exchanges;
        let possible: Vec<Probe> = recorded.iter().map(|exchange| exchange.probe).collect();
        let mut inputs = Inputs {
            exchanges: Vec::new(),
            ..self.inputs.clone()
        };
        loop {
            let evidence = collect(&inputs);
            let diagnosis = diagnose(&evidence);
            let stop = match decide(&evidence, &diagnosis, &possible, BUDGET) {
                Decision::Send(probe) => match answer(recorded, probe) {
                    Some(exchange) => {
                        inputs.exchanges.push(exchange.clone());
                        continue;
                    }
                    None => Stop::NothingLeft,
                },
                Decision::Stop(stop) => stop,
            };
            return Played {
                diagnosis,
                evidence,
                requests: inputs.exchanges.len(),
                stop,
            };
        }
    }
}

fn answer(recorded: &[Exchange], probe: Probe) -> Option<&Exchange> {
    recorded.iter().find(|exchange| exchange.probe == probe)
}
