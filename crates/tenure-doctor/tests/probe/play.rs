//! Recordings replay through the same plan.

use tenure_core::time::Timestamp;
use tenure_doctor::case::{Case, Inputs, Origin, Tally, measure};
use tenure_doctor::exchange::Exchange;
use tenure_doctor::probe::{Options, Probe};

use crate::server::{run, serve, subject, well};

fn healthy(exchanges: Vec<Exchange>) -> Case {
    Case {
        id: "local-healthy".to_owned(),
        family: "healthy".to_owned(),
        fault: String::new(),
        expected: Vec::new(),
        settling: false,
        origin: Origin::Recorded("a socket of this test".to_owned()),
        inputs: Inputs {
            now: Timestamp(1_700_000_000),
            exchanges,
            ..Inputs::default()
        },
    }
}

#[tokio::test]
async fn a_recording_is_asked_the_same_questions_as_the_endpoint_was() {
    let (address, _) = serve(well).await;
    let (_, exchanges, stop) = run(
        &subject(&format!("http://{address}/me")),
        Options::default(),
    )
    .await;
    let mut shuffled = exchanges.clone();
    shuffled.reverse();
    let played = healthy(shuffled).play();
    let probes = |exchanges: &[Exchange]| exchanges.iter().map(|e| e.probe).collect::<Vec<_>>();
    assert_eq!(probes(&played.evidence.exchanges), probes(&exchanges));
    assert_eq!(played.stop, stop);
}

#[tokio::test]
async fn what_was_not_recorded_cannot_be_asked() {
    let (address, _) = serve(well).await;
    let (_, mut exchanges, _) = run(
        &subject(&format!("http://{address}/me")),
        Options::default(),
    )
    .await;
    exchanges.retain(|exchange| exchange.probe != Probe::Bare);
    let played = healthy(exchanges).play();
    assert!(!played.evidence.sent(Probe::Bare));
}

#[test]
fn a_case_with_no_answers_is_diagnosed_all_the_same() {
    let judged = measure(&[healthy(Vec::new())]);
    let tally = Tally::of(&judged);
    assert_eq!((tally.cases, tally.sick, tally.requests), (1, 0, 0));
    assert!(tally.goals().iter().all(|goal| goal.met));
}
