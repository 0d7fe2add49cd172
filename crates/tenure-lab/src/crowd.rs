//! Many users who refresh at once, try again whatever is not final, and say how it went.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;

use crate::actor::{FirstParty, OAuthClient, TokenAnswer};
use crate::deployment::{EMAIL, PASSWORD};

/// Between two tries of a client: `Retry-After` would make a test last for minutes.
const PAUSE: Duration = Duration::from_millis(100);

/// A user who has not been answered after so many tries is counted as left waiting.
const TRIES: u32 = 600;

/// One signed-in device.
#[derive(Debug, Clone)]
pub struct User {
    /// The refresh token that it saved last.
    pub token: String,
    /// The access token that came with it.
    pub access_token: String,
    /// How many refreshes were answered with a new token.
    pub rotations: u32,
}

/// What users met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Refreshes that were answered with tokens.
    pub refreshed: usize,
    /// Answers 503 with `Retry-After`.
    pub unavailable: usize,
    /// Requests whose answer did not arrive.
    pub unanswered: usize,
    /// Users who heard `invalid_grant`, with the reason.
    pub signed_out: Vec<String>,
    /// Answers that are none of these, such as 401, or 503 without `Retry-After`; users who were
    /// still waiting at the end.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Adds another one's counts.
    pub fn add(&mut self, other: Self) {
        self.refreshed += other.refreshed;
        self.unavailable += other.unavailable;
        self.unanswered += other.unanswered;
        self.signed_out.extend(other.signed_out);
        self.wrong.extend(other.wrong);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            refreshed,
            unavailable,
            unanswered,
            signed_out,
            wrong,
        } = self;
        let (signed_out, wrong) = (signed_out.len(), wrong.len());
        write!(
            f,
            "{refreshed} refreshes, {unavailable} answers 503, {unanswered} without answer, \
             {signed_out} signed out, {wrong} wrong answers"
        )
    }
}

impl User {
    /// Signs in on the JSON route.
    ///
    /// # Errors
    /// When no tokens are issued.
    pub async fn sign_in(at: &FirstParty) -> anyhow::Result<Self> {
        let tokens = at.login(EMAIL, PASSWORD).await.granted()?;
        Ok(Self {
            token: tokens.refresh()?.to_owned(),
            access_token: tokens.access_token,
            rotations: 0,
        })
    }

    /// One refresh, tried until its answer is final.
    pub async fn refresh(&mut self, app: &OAuthClient) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..TRIES {
            match app.refresh(&self.token).await {
                TokenAnswer::Granted(tokens) if tokens.refresh_token.is_some() => {
                    self.token = tokens.refresh_token.unwrap_or_default();
                    self.access_token = tokens.access_token;
                    self.rotations += 1;
                    tally.refreshed = 1;
                    return tally;
                }
                TokenAnswer::Lost(_) => tally.unanswered += 1,
                TokenAnswer::Refused(refusal)
                    if refusal.status == 503 && refusal.retry_after.is_some() =>
                {
                    tally.unavailable += 1;
                }
                TokenAnswer::Refused(refusal)
                    if refusal.status == 400
                        && refusal.error.as_deref() == Some("invalid_grant") =>
                {
                    tally.signed_out = vec![refusal.tenure_reason.unwrap_or_default()];
                    return tally;
                }
                other => {
                    tally.wrong = vec![format!("{other:?}")];
                    return tally;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        tally.wrong = vec!["still waiting".to_owned()];
        tally
    }
}

/// `count` users, signed in a few at a time.
///
/// # Errors
/// When one of them cannot sign in.
pub async fn sign_in(at: &FirstParty, count: usize) -> anyhow::Result<Vec<User>> {
    let mut users = Vec::with_capacity(count);
    while users.len() < count {
        let several: JoinSet<_> = (users.len()..count)
            .take(4)
            .map(|_| {
                let at = at.clone();
                async move { User::sign_in(&at).await }
            })
            .collect();
        for user in several.join_all().await {
            users.push(user.context("a user cannot sign in")?);
        }
    }
    Ok(users)
}

/// Each user refreshes `times` times, all users at once; answers the users as they are then. A user
/// who is signed out stops.
pub async fn refresh(app: &OAuthClient, users: Vec<User>, times: usize) -> (Vec<User>, Tally) {
    let working: JoinSet<_> = users
        .into_iter()
        .map(|mut user| {
            let app = app.clone();
            async move {
                let mut tally = Tally::default();
                for _ in 0..times {
                    tally.add(user.refresh(&app).await);
                    if !(tally.signed_out.is_empty() && tally.wrong.is_empty()) {
                        break;
                    }
                }
                (user, tally)
            }
        })
        .collect();
    let mut all = Tally::default();
    let mut users = Vec::new();
    for (user, tally) in working.join_all().await {
        users.push(user);
        all.add(tally);
    }
    (users, all)
}
