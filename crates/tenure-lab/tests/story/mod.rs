//! What every client has to live through, whoever wrote it.

use serde_json::Value;
use tenure_lab::deployment::{Deployment, LATE_WINDOW};
use tenure_lab::proxy::{Exchange, Fault};

/// A signed-in client that keeps its tokens as its users would.
pub(crate) trait Client: Sized {
    /// Presents the refresh token it holds, and keeps what it gets for it.
    async fn refresh(&mut self) -> Outcome;

    /// The access token and the refresh token it holds.
    fn held(&self) -> (String, String);

    /// A second holder of the same tokens, on another machine.
    async fn copied(&self) -> Self;

    /// The path it refreshes at.
    fn path(&self) -> &'static str;

    /// The service's clock was moved to so many seconds after the start.
    async fn clock_is_ahead(&mut self, _seconds: u64) {}
}

/// How a refresh ended, as the client understands it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// New tokens.
    Granted,
    /// `invalid_grant`, with `tenure_reason`.
    Ended(String),
    /// Anything else: the session may live on.
    Trouble,
}

const REFRESHES: usize = 20;
const LOST_ANSWERS: [usize; 5] = [2, 5, 9, 13, 18];
/// The server dies between the lost answer and the retry.
const KILLED_AFTER_LOSS: usize = 9;
/// The server is down when the client asks.
const KILLED_BEFORE: usize = 15;
const ACCESS_LIFETIME: u64 = 900;

/// Refreshes, loses answers, loses the server, and is still signed in.
pub(crate) async fn stays_signed_in(deployment: &mut Deployment, client: &mut impl Client) {
    let before = deployment.exchanges(client.path()).len();
    for round in 0..REFRESHES {
        deployment
            .server
            .advance_clock(ACCESS_LIFETIME)
            .await
            .unwrap();
        client
            .clock_is_ahead(ACCESS_LIFETIME * (round as u64 + 1))
            .await;
        if LOST_ANSWERS.contains(&round) {
            deployment
                .proxy
                .next(client.path(), Fault::SwallowAnswer, 1);
            assert_eq!(client.refresh().await, Outcome::Trouble, "round {round}");
            assert_eq!(deployment.proxy.pending(), 0);
        }
        if round == KILLED_AFTER_LOSS {
            deployment.server.restart().unwrap();
        }
        if round == KILLED_BEFORE {
            deployment.server.kill9().unwrap();
            assert_eq!(client.refresh().await, Outcome::Trouble, "round {round}");
            deployment.server.restart().unwrap();
        }
        assert_eq!(client.refresh().await, Outcome::Granted, "round {round}");
    }
    let exchanges = deployment.exchanges(client.path()).split_off(before);
    let lost = |e: &&_| {
        matches!(
            e,
            Exchange {
                upstream_status: Some(200),
                status: None,
                ..
            }
        )
    };
    assert_eq!(exchanges.iter().filter(lost).count(), LOST_ANSWERS.len());
    assert_eq!(
        exchanges.iter().filter(|e| e.status == Some(200)).count(),
        REFRESHES
    );
    let (access, refresh) = client.held();
    assert!(deployment.is_active(&access).await.unwrap());
    assert!(deployment.is_active(&refresh).await.unwrap());
}

/// The owner goes on; later the copy of its old token is used.
pub(crate) async fn an_old_copy_ends_the_session(deployment: &Deployment, owner: &mut impl Client) {
    let mut thief = owner.copied().await;
    assert_eq!(owner.refresh().await, Outcome::Granted);
    assert_eq!(owner.refresh().await, Outcome::Granted);
    // Inside the late window the copy may be the network's: it gives nothing and ends nothing.
    assert_eq!(thief.refresh().await, Outcome::Trouble);
    deployment
        .server
        .advance_clock(LATE_WINDOW + 1)
        .await
        .unwrap();
    assert_theft_is_noticed(deployment, &mut thief, owner).await;
}

/// The thief is faster; later the owner uses what it holds.
pub(crate) async fn a_faster_thief_ends_the_session(
    deployment: &Deployment,
    owner: &mut impl Client,
) {
    let mut thief = owner.copied().await;
    assert_eq!(thief.refresh().await, Outcome::Granted);
    assert_eq!(owner.refresh().await, Outcome::Granted);
    // Both hold a successor of the same token. The thief's is presented first.
    assert_eq!(thief.refresh().await, Outcome::Granted);
    assert_theft_is_noticed(deployment, owner, &mut thief).await;
}

async fn assert_theft_is_noticed(
    deployment: &Deployment,
    second: &mut impl Client,
    first: &mut impl Client,
) {
    let reused = deployment
        .count("tenure_refreshes_total", &[("verdict", "reuse")])
        .await
        .unwrap();
    let stolen = Outcome::Ended("theft_detected".to_owned());
    assert_eq!(second.refresh().await, stolen);
    assert_eq!(first.refresh().await, stolen);
    assert_eq!(second.refresh().await, stolen);
    for (access, refresh) in [first.held(), second.held()] {
        assert!(!deployment.is_active(&access).await.unwrap());
        assert!(!deployment.is_active(&refresh).await.unwrap());
    }
    let verdicts = deployment
        .count("tenure_refreshes_total", &[("verdict", "reuse")])
        .await
        .unwrap();
    assert_eq!(verdicts, reused + 1);
    let told = deployment
        .count("tenure_sign_outs_total", &[("reason", "theft_detected")])
        .await
        .unwrap();
    assert!(told >= 3, "{told}");
    let trail = deployment.audit().await.unwrap();
    let why = |event: &Value| event["reason"].as_str().unwrap_or_default().to_owned();
    let ends: Vec<_> = trail
        .iter()
        .filter(|event| event["event"] == "session_ended")
        .map(why)
        .collect();
    assert!(
        matches!(ends.as_slice(), [why] if why.starts_with("theft_detected")),
        "{ends:?}"
    );
}
