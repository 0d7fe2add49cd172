//! What networks and reverse proxies do to requests and answers never ends a session.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use tenure_lab::actor::{OAuthClient, Refusal};
use tenure_lab::deployment::{CLIENT, Deployment, EMAIL, LATE_WINDOW, PASSWORD};
use tenure_lab::proxy::{Fault, Hold, Replay};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const TOKEN: &str = "/oauth2/token";

struct Session {
    deployment: Deployment,
    app: OAuthClient,
    token: String,
}

impl Session {
    async fn start() -> Self {
        let deployment = Deployment::start().await.unwrap();
        let app = deployment.app().unwrap();
        let tokens = app.sign_in(EMAIL, PASSWORD).await.unwrap();
        Self {
            deployment,
            app,
            token: tokens.refresh().unwrap().to_owned(),
        }
    }

    async fn goes_on(&mut self) {
        let tokens = self.app.refresh(&self.token).await.granted().unwrap();
        tokens.refresh().unwrap().clone_into(&mut self.token);
    }

    /// The next presentation meets the fault, gets no answer, and the one after it succeeds.
    async fn survives(&mut self, fault: Fault) {
        self.deployment.proxy.next(TOKEN, fault, 1);
        let answer = self.app.refresh(&self.token).await;
        assert!(answer.is_lost(), "{answer:?}");
        self.goes_on().await;
    }

    async fn sign_outs(&self) -> u64 {
        self.deployment
            .count("tenure_sign_outs_total", &[])
            .await
            .unwrap()
    }
}

fn assert_is_our_trouble(refusal: &Refusal) {
    assert_eq!(refusal.status, 503, "{refusal:?}");
    assert_eq!(refusal.error.as_deref(), Some("temporarily_unavailable"));
    assert!(refusal.retry_after.is_some(), "{refusal:?}");
    assert_eq!(refusal.tenure_reason, None);
}

#[tokio::test]
async fn requests_and_answers_that_get_lost_end_nothing() {
    let mut session = Session::start().await;
    for length in [0, 1, 20, 200] {
        session.survives(Fault::SwallowAnswer).await;
        session.survives(Fault::ResetBeforeForward).await;
        session.survives(Fault::TruncateBody(length)).await;
        session
            .deployment
            .server
            .advance_clock(LATE_WINDOW + 1)
            .await
            .unwrap();
    }
    // Lost again and again, and hours apart.
    for _ in 0..5 {
        session
            .deployment
            .proxy
            .next(TOKEN, Fault::SwallowAnswer, 1);
        assert!(session.app.refresh(&session.token).await.is_lost());
        session
            .deployment
            .server
            .advance_clock(12 * 3600)
            .await
            .unwrap();
    }
    session.goes_on().await;
    assert_eq!(session.sign_outs().await, 0);
}

#[tokio::test]
async fn answers_that_a_gateway_makes_up_end_nothing() {
    let mut session = Session::start().await;
    for (status, body) in [
        (502, "<html>bad gateway</html>"),
        (403, "blocked"),
        (500, ""),
    ] {
        session
            .deployment
            .proxy
            .next(TOKEN, Fault::status(status, &[], body).unwrap(), 1);
        let refusal = session.app.refresh(&session.token).await.refused().unwrap();
        assert_eq!(refusal.status, status);
        session.goes_on().await;
    }
}

#[tokio::test]
async fn a_request_delivered_twice_is_one_holder() {
    let mut session = Session::start().await;
    for _ in 0..20 {
        session.deployment.proxy.next(TOKEN, Fault::Duplicate, 1);
        session.goes_on().await;
        session
            .deployment
            .server
            .advance_clock(LATE_WINDOW + 1)
            .await
            .unwrap();
    }
    session.goes_on().await;
    assert_eq!(session.sign_outs().await, 0);
}

#[tokio::test]
async fn a_late_duplicate_gets_503_and_revokes_nothing() {
    let mut session = Session::start().await;
    let replay = Replay::default();
    session
        .deployment
        .proxy
        .next(TOKEN, Fault::HoldDuplicate(replay.clone()), 3);
    for _ in 0..4 {
        session.goes_on().await;
    }
    assert_eq!(replay.len(), 3);
    session
        .deployment
        .server
        .advance_clock(LATE_WINDOW - 20)
        .await
        .unwrap();
    while !replay.is_empty() {
        let answer = replay.deliver().await.unwrap();
        assert_eq!(answer.status, 503);
        let after: u64 = answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=LATE_WINDOW).contains(&after), "{after}");
        session.goes_on().await;
    }
    let verdicts = [("verdict", "superseded")];
    assert_eq!(
        session
            .deployment
            .count("tenure_refreshes_total", &verdicts)
            .await
            .unwrap(),
        3
    );
    assert_eq!(session.sign_outs().await, 0);
}

#[tokio::test]
async fn reordered_requests_of_one_client_end_nothing() {
    let mut session = Session::start().await;
    let hold = Hold::default();
    session
        .deployment
        .proxy
        .next(TOKEN, Fault::HoldRequest(hold.clone()), 1);
    let stuck = tokio::spawn({
        let (app, token) = (session.app.clone(), session.token.clone());
        async move { app.refresh(&token).await }
    });
    hold.arrived(1).await;
    // The client gave up on the request that is stuck, and has moved on twice when it arrives.
    session.goes_on().await;
    session.goes_on().await;
    hold.release();
    assert_is_our_trouble(&stuck.await.unwrap().refused().unwrap());
    session.goes_on().await;
    assert_eq!(session.sign_outs().await, 0);
}

#[tokio::test]
async fn an_answer_that_overtakes_another_leaves_both_usable_until_one_is_used() {
    let mut session = Session::start().await;
    let hold = Hold::default();
    session
        .deployment
        .proxy
        .next(TOKEN, Fault::HoldAnswer(hold.clone()), 1);
    let slow = tokio::spawn({
        let (app, token) = (session.app.clone(), session.token.clone());
        async move { app.refresh(&token).await }
    });
    hold.arrived(1).await;
    let quick = session.app.refresh(&session.token).await.granted().unwrap();
    hold.release();
    let slow = slow.await.unwrap().granted().unwrap();
    assert_ne!(quick.refresh_token, slow.refresh_token);
    // The client keeps what arrived last; the other answer is forgotten.
    slow.refresh().unwrap().clone_into(&mut session.token);
    session.goes_on().await;
    session
        .deployment
        .server
        .advance_clock(LATE_WINDOW + 1)
        .await
        .unwrap();
    session.goes_on().await;
}

#[tokio::test]
async fn a_server_that_is_down_or_hangs_ends_nothing() {
    let mut session = Session::start().await;
    session.goes_on().await;
    session.deployment.server.kill9().unwrap();
    let refusal = session.app.refresh(&session.token).await.refused().unwrap();
    assert_eq!(refusal.status, 502, "the proxy says that nobody listens");
    session.deployment.server.restart().unwrap();
    session.goes_on().await;

    // A client gives up on a suspended server, which carries the request out when it wakes.
    session.deployment.server.suspend().unwrap();
    let mut connection = TcpStream::connect(session.deployment.server.listen())
        .await
        .unwrap();
    let form = format!(
        "grant_type=refresh_token&client_id={CLIENT}&refresh_token={}",
        session.token
    );
    let request = format!(
        "POST {TOKEN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len(),
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    drop(connection);
    session.deployment.server.resume().unwrap();
    session.goes_on().await;
    session.goes_on().await;
    assert_eq!(session.sign_outs().await, 0);
}

#[tokio::test]
async fn a_client_that_hurries_is_slowed_down_and_stays_signed_in() {
    let mut session = Session::start().await;
    let refusal = loop {
        match session.app.refresh(&session.token).await {
            tenure_lab::actor::TokenAnswer::Granted(tokens) => {
                tokens.refresh().unwrap().clone_into(&mut session.token);
            }
            answer => break answer.refused().unwrap(),
        }
    };
    assert_is_our_trouble(&refusal);
    assert!(refusal.retry_after.unwrap() <= LATE_WINDOW);
    session
        .deployment
        .server
        .advance_clock(refusal.retry_after.unwrap() + 1)
        .await
        .unwrap();
    session.goes_on().await;
    assert_eq!(session.sign_outs().await, 0);
}
