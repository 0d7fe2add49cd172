//! The loop that probes a live endpoint.

use std::net::IpAddr;

use url::Url;

use super::{Decision, Probe, Stop, Subject, Wire, decide, request, set};
use crate::exchange::Exchange;
use crate::{Evidence, diagnose};

/// Who watches, and who turns what came back into evidence.
pub trait Watch: Send {
    /// A probe is about to be sent; `number` counts from 1.
    fn sending(&mut self, probe: Probe, number: usize);

    /// What is known with these exchanges, which are as they were on the wire.
    fn evidence(&mut self, exchanges: &[Exchange]) -> &Evidence;
}

/// Refreshes after the first, where refreshing is allowed.
const REFRESHES: u8 = 2;

/// Sends probes until one cause is confirmed or no more would tell anything; at most `budget`. Answers the
/// exchanges, raw, and why it stopped.
pub async fn examine(
    wire: &dyn Wire,
    subject: &Subject,
    budget: usize,
    watch: &mut dyn Watch,
) -> (Vec<Exchange>, Stop) {
    let all = set(subject, &addresses(wire, subject).await, REFRESHES);
    let mut exchanges = Vec::new();
    loop {
        let possible: Vec<_> = all
            .iter()
            .copied()
            .filter(|probe| request(*probe, subject, &exchanges).is_some())
            .collect();
        let evidence = watch.evidence(&exchanges);
        let next = decide(evidence, &diagnose(evidence), &possible, budget);
        let probe = match next {
            Decision::Send(probe) => probe,
            Decision::Stop(stop) => return (exchanges, stop),
        };
        let Some(request) = request(probe, subject, &exchanges) else {
            return (exchanges, Stop::NothingLeft);
        };
        watch.sending(probe, exchanges.len() + 1);
        exchanges.push(wire.send(probe, request).await);
    }
}

/// Those of a name that has several.
async fn addresses(wire: &dyn Wire, subject: &Subject) -> Vec<IpAddr> {
    let Ok(url) = Url::parse(&subject.target.url) else {
        return Vec::new();
    };
    match (url.domain(), url.port_or_known_default()) {
        (Some(host), Some(port)) => wire.addresses(host, port).await,
        _ => Vec::new(),
    }
}
