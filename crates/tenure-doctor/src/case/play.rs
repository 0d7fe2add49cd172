//! A case, diagnosed as if its systems still ran.

use super::Case;
use crate::collect::Collected;
use crate::probe::{BUDGET, Decision, Probe, Stop, decide};
use crate::{Diagnosis, Evidence, diagnose};

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
        let mut collected = Collected::new(&self.inputs);
        loop {
            let evidence = &collected.evidence;
            let diagnosis = diagnose(evidence);
            let stop = match decide(evidence, &diagnosis, &possible, BUDGET) {
                Decision::Send(probe) => match recorded.iter().find(|it| it.probe == probe) {
                    Some(exchange) => {
                        collected.add(exchange);
                        continue;
                    }
                    None => Stop::NothingLeft,
                },
                Decision::Stop(stop) => stop,
            };
            return Played {
                diagnosis,
                requests: collected.evidence.exchanges.len(),
                evidence: collected.evidence,
                stop,
            };
        }
    }
}
