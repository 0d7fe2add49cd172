//! `tenure serve` with a client that is as wary as the service allows.

use std::fs;

use tenure_lab::deployment::Deployment;

use crate::fleet::Fleet;

/// Where tokens are refreshed.
pub(crate) const TOKEN: &str = "/oauth2/token";

/// The client of these tests: a key that its sender does not own up to ends the session, so a client
/// that forgets what it sent is found out. An access token lives for [`LIFETIME`].
pub(crate) const CLIENT: &str = "wary";

/// In seconds; the late window is as long.
pub(crate) const LIFETIME: u64 = 60;

const CONFIGURATION: &str = r#"
[clients.wary]
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
lifetimes = { access = "60s" }
revoke_on_parallel_use = true

# A thousand rounds pass in minutes of real time.
[limits]
login_per_minute = 1000000
token_per_minute = 1000000
again_per_minute = 1000000
"#;

pub(crate) async fn serve() -> Deployment {
    let start = Deployment::start_with(|launch, directory| {
        let file = directory.join("tenure.toml");
        fs::write(&file, CONFIGURATION)?;
        Ok(launch.args(["--config"]).args([file]))
    });
    start.await.unwrap()
}

/// How many refreshes the service has seen.
pub(crate) fn refreshes(deployment: &Deployment) -> usize {
    deployment.exchanges(TOKEN).len()
}

/// The access token ends, by everybody's clock.
pub(crate) async fn expire(deployment: &Deployment, fleet: &mut Fleet) {
    deployment.server.advance_clock(LIFETIME).await.unwrap();
    fleet.expire().await;
}
