//! One refresh token at many servers at once.

use tenure_lab::actor::{OAuthClient, TokenAnswer};
use tenure_lab::crowd::User;
use tenure_lab::deployment::LATE_WINDOW;
use tokio::task::JoinSet;

use crate::{Service, start};

const AT_ONCE: usize = 64;
const REFRESHES: usize = 20;

async fn presented_at_once(app: &OAuthClient, token: &str) -> Vec<String> {
    let asked: JoinSet<TokenAnswer> = (0..AT_ONCE)
        .map(|_| {
            let (app, token) = (app.clone(), token.to_owned());
            async move { app.refresh(&token).await }
        })
        .collect();
    let granted = asked.join_all().await.into_iter().map(|answer| {
        let tokens = answer.granted().unwrap();
        tokens.refresh().unwrap().to_owned()
    });
    granted.collect()
}

/// Goes on with one token for as long as a lineage remembers retired ones, and longer.
async fn goes_on(service: &Service, user: &mut User) {
    let app = service.servers.app().unwrap();
    for _ in 0..REFRESHES {
        let tally = user.refresh(&app).await;
        assert_eq!(tally.refreshed, 1, "{tally:?}");
        service
            .servers
            .advance_clock(LATE_WINDOW + 1)
            .await
            .unwrap();
    }
}

async fn leaves_one_branch(advanced: bool) {
    let Some(service) = start().await else { return };
    let app = service.servers.app().unwrap();
    let mut user = User::sign_in(&service.servers.first_party().unwrap())
        .await
        .unwrap();
    if advanced {
        // The presentations then race for the step itself, not only for its repetition.
        user.refresh(&app).await;
    }
    let mut kept = presented_at_once(&app, &user.token).await;
    let by_server: Vec<u64> = refreshes_by_server(&service).await;
    kept.sort_unstable();
    kept.dedup();
    assert_eq!(kept.len(), AT_ONCE, "each answer is another successor");
    let other = kept.swap_remove(0);
    user.token = kept.swap_remove(0);
    goes_on(&service, &mut user).await;
    let sessions = service
        .value("SELECT count(*) FROM sessions WHERE revoked_at IS NULL")
        .await;
    assert_eq!(sessions, "1");
    println!("{AT_ONCE} presentations by server {by_server:?}: 1 branch, 0 sign-outs");

    // The control: another successor of the same token is a second branch, and that is theft.
    let refusal = app.refresh(&other).await.refused().unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("theft_detected"));
}

async fn refreshes_by_server(service: &Service) -> Vec<u64> {
    let mut counts = Vec::new();
    for server in &service.servers.each {
        let metrics = server.metrics().await.unwrap();
        let count = metrics.value("tenure_refreshes_total", &[]).unwrap();
        assert!(count >= 16.0, "the balancer gives each server its share");
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a counter of a test"
        )]
        counts.push(count as u64);
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_presentations_of_the_first_token_leave_one_branch() {
    leaves_one_branch(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_presentations_of_a_successor_leave_one_branch() {
    leaves_one_branch(true).await;
}
