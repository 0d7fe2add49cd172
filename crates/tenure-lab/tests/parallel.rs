//! Many presentations of one refresh token at once: each is answered, and each answer is good.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use tenure_lab::actor::{OAuthClient, TokenAnswer, Tokens};
use tenure_lab::deployment::{Deployment, EMAIL, LATE_WINDOW, PASSWORD};
use tokio::task::JoinSet;

const AT_ONCE: usize = 64;
const REFRESHES: usize = 20;

async fn signed_in(app: &OAuthClient) -> String {
    app.sign_in(EMAIL, PASSWORD)
        .await
        .unwrap()
        .refresh()
        .unwrap()
        .to_owned()
}

async fn next(app: &OAuthClient, token: &str) -> String {
    app.refresh(token)
        .await
        .granted()
        .unwrap()
        .refresh()
        .unwrap()
        .to_owned()
}

/// The same token 64 times at once, each with its number.
fn presentations(app: &OAuthClient, token: &str) -> JoinSet<(usize, TokenAnswer)> {
    (0..AT_ONCE)
        .map(|number| {
            let (app, token) = (app.clone(), token.to_owned());
            async move { (number, app.refresh(&token).await) }
        })
        .collect()
}

/// Goes on with one token for as long as a lineage remembers retired ones, and longer.
async fn goes_on(deployment: &Deployment, app: &OAuthClient, mut token: String) {
    for round in 0..REFRESHES {
        let answer = app.refresh(&token).await;
        let tokens = answer
            .granted()
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        tokens.refresh().unwrap().clone_into(&mut token);
        deployment
            .server
            .advance_clock(LATE_WINDOW + 1)
            .await
            .unwrap();
    }
    assert!(deployment.is_active(&token).await.unwrap());
}

/// Signs in, presents one token 64 times at once, and goes on with the answer at `pick`.
async fn keeps_one_of_many(deployment: &Deployment, pick: usize, advanced: bool) {
    let app = deployment.app().unwrap();
    let mut token = signed_in(&app).await;
    if advanced {
        // The presentations then race for the step itself, not only for its repetition.
        token = next(&app, &token).await;
    }
    let mut answers = presentations(&app, &token).join_all().await;
    answers.sort_unstable_by_key(|(number, _)| *number);
    let refreshed = |answer: TokenAnswer| answer.granted().unwrap().refresh().unwrap().to_owned();
    let mut kept: Vec<_> = answers
        .into_iter()
        .map(|(_, answer)| refreshed(answer))
        .collect();
    let mut different = kept.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), AT_ONCE, "each answer is another successor");
    goes_on(deployment, &app, kept.swap_remove(pick)).await;
}

#[tokio::test]
async fn the_first_of_64_answers_goes_on_20_times() {
    let deployment = Deployment::start().await.unwrap();
    keeps_one_of_many(&deployment, 0, false).await;
    keeps_one_of_many(&deployment, 0, true).await;
}

#[tokio::test]
async fn the_last_of_64_answers_goes_on_20_times() {
    let deployment = Deployment::start().await.unwrap();
    keeps_one_of_many(&deployment, AT_ONCE - 1, false).await;
    keeps_one_of_many(&deployment, AT_ONCE - 1, true).await;
}

#[tokio::test]
async fn any_of_64_answers_goes_on_20_times() {
    let deployment = Deployment::start().await.unwrap();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for advanced in [false, true, true] {
        keeps_one_of_many(&deployment, random.usize(..AT_ONCE), advanced).await;
    }
}

/// Presents one token 64 times, kills the server when so many are answered, and returns an answer.
async fn killed_after(
    answered: usize,
    deployment: &mut Deployment,
    app: &OAuthClient,
    token: &str,
) -> Option<Tokens> {
    let mut presentations = presentations(app, token);
    let mut kept = None;
    let mut granted = 0;
    loop {
        if granted == answered && deployment.server.pid().is_some() {
            deployment.server.kill9().unwrap();
        }
        match presentations.join_next().await {
            Some(answer) => {
                if let Ok(tokens) = answer.unwrap().1.granted() {
                    granted += 1;
                    kept = Some(tokens);
                }
            }
            None => break,
        }
    }
    assert!(
        deployment.server.pid().is_none() && granted >= answered,
        "{granted} answers"
    );
    deployment.server.restart().unwrap();
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_amid_64_presentations_whoever_has_an_answer_goes_on() {
    let mut deployment = Deployment::start().await.unwrap();
    let app = deployment.app().unwrap();
    let mut token = signed_in(&app).await;
    for answered in [0, 1, 20, 63] {
        token = next(&app, &token).await;
        if let Some(kept) = killed_after(answered, &mut deployment, &app, &token).await {
            kept.refresh().unwrap().clone_into(&mut token);
        }
        token = next(&app, &token).await;
        deployment
            .server
            .advance_clock(LATE_WINDOW + 1)
            .await
            .unwrap();
    }
    goes_on(&deployment, &app, token).await;
}
