//! Yesterday's database comes back: who was ahead of it goes on, who was signed out stays out.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::path::Path;

use tenure_lab::actor::{FirstParty, Tokens};
use tenure_lab::deployment::{Deployment, EMAIL, PASSWORD};

const DATABASE: [&str; 3] = ["tenure.db", "tenure.db-wal", "tenure.db-shm"];
const LOG: &str = "revocations.log";

struct Case {
    deployment: Deployment,
    app: FirstParty,
}

impl Case {
    async fn start() -> Self {
        let deployment = Deployment::start().await.unwrap();
        let app = deployment.first_party().unwrap();
        Self { deployment, app }
    }

    async fn sign_in(&self) -> Tokens {
        self.app.login(EMAIL, PASSWORD).await.granted().unwrap()
    }

    async fn refreshed(&self, mut tokens: Tokens, times: u32) -> Tokens {
        for _ in 0..times {
            let answer = self.app.refresh(tokens.refresh().unwrap()).await;
            tokens = answer.granted().unwrap();
        }
        tokens
    }

    async fn reason(&self, tokens: &Tokens) -> Option<String> {
        let answer = self.app.refresh(tokens.refresh().unwrap()).await;
        answer.refused().unwrap().tenure_reason
    }

    fn data(&self) -> std::path::PathBuf {
        self.deployment.directory().join("data")
    }

    fn back_up(&mut self) {
        self.deployment.server.terminate().unwrap();
        copy(&self.data(), self.deployment.directory(), &DATABASE);
        self.deployment.server.restart().unwrap();
    }

    fn restore(&mut self) {
        self.deployment.server.kill9().unwrap();
        for file in DATABASE {
            // SQLite removes its log when it is closed well.
            let _ = std::fs::remove_file(self.data().join(file));
        }
        copy(self.deployment.directory(), &self.data(), &DATABASE);
    }
}

fn copy(from: &Path, to: &Path, files: &[&str]) {
    for file in files.iter().filter(|file| from.join(file).exists()) {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_signs_nobody_out_and_revives_nobody() {
    let mut case = Case::start().await;
    let active = case.sign_in().await;
    let active = case.refreshed(active, 2).await;
    let signed_out = case.sign_in().await;
    case.back_up();

    let active = case.refreshed(active, 6).await;
    case.app
        .logout(signed_out.refresh().unwrap())
        .await
        .unwrap();
    let newcomer = case.sign_in().await;
    let newcomer = case.refreshed(newcomer, 3).await;
    let quiet = case.sign_in().await;
    case.restore();
    case.deployment.server.restart().unwrap();

    case.refreshed(active, 3).await;
    // The log makes the rows of those again that began after the backup.
    case.refreshed(newcomer, 3).await;
    case.refreshed(quiet, 3).await;
    let ahead = [("verdict", "ahead")];
    let adopted = case
        .deployment
        .count("tenure_refreshes_total", &ahead)
        .await
        .unwrap();
    assert_eq!(adopted, 2);
    assert_eq!(
        case.reason(&signed_out).await.as_deref(),
        Some("logged_out")
    );
}

/// The control: without the revocation log the ended session comes back to life, and the new one is
/// lost.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_revocation_log_a_restored_database_revives_the_signed_out() {
    let mut case = Case::start().await;
    let signed_out = case.sign_in().await;
    case.back_up();
    let newcomer = case.sign_in().await;
    case.app
        .logout(signed_out.refresh().unwrap())
        .await
        .unwrap();
    case.restore();
    std::fs::remove_file(case.data().join(LOG)).unwrap();
    case.deployment.server.restart().unwrap();
    case.refreshed(signed_out, 1).await;
    // Its row is in no file any more; it is told so, and not that somebody stole it.
    assert_eq!(case.reason(&newcomer).await.as_deref(), Some("unknown"));
}
