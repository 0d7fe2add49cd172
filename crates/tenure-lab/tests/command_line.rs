//! The `tenure` command line as a user's session, in front of a service that dies and a network
//! that loses answers.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use parking_lot::Mutex;
use tenure_lab::actor::Browser;
use tenure_lab::deployment::{Deployment, EMAIL, PASSWORD};
use tenure_lab::process::{Ended, Launch, tenure_binary};
use tenure_lab::proxy::{Fault, Hold};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use url::Url;

const TOKEN: &str = "/oauth2/token";

/// Exit code of a command that needs somebody to sign in.
const SIGN_IN: i32 = 3;

/// Refreshes are due every second, so that a loop meets many.
const SHORT_LIVED: &str = r#"
[clients.demo]
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
lifetimes.access = "2s"
"#;

/// One user's home directory, and the service that they use.
struct Shell {
    home: std::path::PathBuf,
    issuer: String,
}

impl Shell {
    fn new(deployment: &Deployment) -> Self {
        Self {
            home: deployment.directory().join("home"),
            issuer: deployment.issuer(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tenure_binary().unwrap());
        command
            .args(arguments)
            .env("TENURE_HOME", &self.home)
            .env("TENURE_ISSUER", &self.issuer)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn run_with(&self, arguments: &[&str], stdin: &str) -> Ended {
        let mut command = self.command(arguments);
        Ended::of(&mut command, stdin).await.unwrap()
    }

    async fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.run_with(arguments, "").await;
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.stdout
    }

    async fn sign_in(&self) {
        let login = ["login", "--password", "--user", EMAIL];
        let ended = self.run_with(&login, &format!("{PASSWORD}\n")).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("signed in"), "{ended:?}");
    }

    async fn token(&self) -> String {
        self.ok(&["token"]).await.trim().to_owned()
    }
}

async fn short_lived() -> Deployment {
    let configured = |launch: Launch, directory: &Path| {
        let file = directory.join("tenure.toml");
        std::fs::write(&file, SHORT_LIVED)?;
        Ok(launch.args(["--config"]).args([file]))
    };
    Deployment::start_with(configured).await.unwrap()
}

/// Successful refreshes, whether or not their answers arrived.
fn refreshes(deployment: &Deployment) -> usize {
    let mut exchanges = deployment.exchanges(TOKEN);
    exchanges.retain(|exchange| exchange.upstream_status == Some(200));
    exchanges.len()
}

/// `tenure token` again and again until so many tokens have been seen.
async fn token_loop(
    shell: Arc<Shell>,
    seen: Arc<Mutex<BTreeSet<String>>>,
    count: watch::Sender<usize>,
    until: usize,
) {
    while *count.borrow() < until {
        let ended = shell.run_with(&["token"], "").await;
        // With the service down an expired token cannot be replaced; that ends nothing.
        assert_ne!(ended.code, SIGN_IN, "{ended:?}");
        if ended.code == 0 {
            let mut seen = seen.lock();
            seen.insert(ended.stdout.trim().to_owned());
            count.send_replace(seen.len());
        }
    }
}

#[tokio::test]
async fn two_shells_share_one_session_over_lost_answers_and_a_killed_service() {
    const TOKENS: usize = 8;
    const LOST: usize = 3;
    let mut deployment = short_lived().await;
    let shell = Arc::new(Shell::new(&deployment));
    shell.sign_in().await;
    let first = shell.token().await;
    let before = refreshes(&deployment);
    let seen = Arc::new(Mutex::new(BTreeSet::from([first])));
    let count = watch::Sender::new(1);
    let shells = [(); 2].map(|()| {
        let (shell, seen, count) = (Arc::clone(&shell), Arc::clone(&seen), count.clone());
        tokio::spawn(token_loop(shell, seen, count, TOKENS))
    });
    let mut counted = count.subscribe();
    counted.wait_for(|count| *count >= 2).await.unwrap();
    deployment.proxy.next(TOKEN, Fault::SwallowAnswer, LOST);
    counted.wait_for(|count| *count >= 4).await.unwrap();
    deployment.server.kill9().unwrap();
    deployment.server.restart().unwrap();
    for shell in shells {
        shell.await.unwrap();
    }
    assert_eq!(deployment.proxy.pending(), 0);
    let tokens = seen.lock().len();
    let rotations = refreshes(&deployment) - before - LOST;
    // The last refresh may have been one that no command printed.
    assert!(
        rotations == tokens - 1 || rotations == tokens,
        "{rotations} for {tokens} tokens"
    );
    let sign_outs = deployment
        .count("tenure_sign_outs_total", &[])
        .await
        .unwrap();
    assert_eq!(sign_outs, 0);

    assert!(shell.ok(&["status"]).await.contains("signed in"));
    let me = shell
        .ok(&["call", &format!("{}/api/auth/me", shell.issuer)])
        .await;
    assert!(me.contains(EMAIL), "{me}");
    let last = shell.token().await;
    assert!(deployment.is_active(&last).await.unwrap());
    assert_eq!(shell.ok(&["logout"]).await, "signed out\n");
    assert!(!deployment.is_active(&last).await.unwrap());
    assert_eq!(shell.run_with(&["token"], "").await.code, SIGN_IN);
}

#[tokio::test]
async fn a_command_killed_amid_its_refresh_loses_nothing() {
    let deployment = short_lived().await;
    let shell = Shell::new(&deployment);
    shell.sign_in().await;
    for _ in 0..3 {
        let hold = Hold::default();
        deployment
            .proxy
            .next(TOKEN, Fault::HoldAnswer(hold.clone()), 1);
        loop {
            let mut child = shell.command(&["token"]).spawn().unwrap();
            tokio::select! {
                // The service has rotated, and the command has not heard of it.
                () = hold.arrived(1) => {
                    child.kill().await.unwrap();
                    break;
                }
                ended = child.wait() => assert!(ended.unwrap().success()),
            }
        }
        hold.release();
        let token = shell.token().await;
        assert!(deployment.is_active(&token).await.unwrap());
    }
    assert!(shell.ok(&["status"]).await.contains("signed in"));
    assert_eq!(
        deployment
            .count("tenure_sign_outs_total", &[])
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn a_sign_in_in_the_browser_ends_in_a_session() {
    let deployment = Deployment::start().await.unwrap();
    let shell = Shell::new(&deployment);
    let mut child = shell.command(&["login", "--no-browser"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Ok(url) = Url::parse(line.trim()) {
            break url;
        }
    };
    let redirect = url
        .query_pairs()
        .find(|(name, _)| name == "redirect_uri")
        .unwrap()
        .1
        .into_owned();
    let browser = Browser::new().unwrap();
    let back = browser
        .sign_in(url, EMAIL, PASSWORD, &redirect)
        .await
        .unwrap();
    let page = browser.open(back).await.unwrap();
    assert!(page.status().is_success());
    assert!(child.wait().await.unwrap().success());
    let token = shell.token().await;
    assert!(deployment.is_active(&token).await.unwrap());
}

#[tokio::test]
async fn a_sign_out_while_the_service_is_down_is_made_up_for() {
    let mut deployment = Deployment::start().await.unwrap();
    let shell = Shell::new(&deployment);
    shell.sign_in().await;
    let token = shell.token().await;
    deployment.server.kill9().unwrap();
    let ended = shell.run_with(&["logout"], "").await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(shell.run_with(&["token"], "").await.code, SIGN_IN);
    deployment.server.restart().unwrap();
    assert!(deployment.is_active(&token).await.unwrap());
    // The next command tells the service.
    assert_eq!(shell.run_with(&["status"], "").await.code, SIGN_IN);
    assert!(!deployment.is_active(&token).await.unwrap());
}

#[tokio::test]
async fn a_copied_vault_is_a_theft_and_both_are_told_to_sign_in() {
    let deployment = short_lived().await;
    let shell = Shell::new(&deployment);
    shell.sign_in().await;
    let thief = Shell {
        home: deployment.directory().join("stolen"),
        issuer: shell.issuer.clone(),
    };
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&shell.home)
        .arg(&thief.home)
        .status();
    assert!(copied.await.unwrap().success());
    // They go on in turns until one of them meets the other's step.
    let told = loop {
        let owner = shell.run_with(&["token"], "").await;
        let stolen = thief.run_with(&["token"], "").await;
        // Once the session is over, a token may live for as long as it was issued for.
        deployment.server.advance_clock(17).await.unwrap();
        for code in [owner.code, stolen.code] {
            assert!([0, 1, SIGN_IN].contains(&code), "{code}");
        }
        if [owner.code, stolen.code] == [SIGN_IN; 2] {
            break [owner, stolen];
        }
    };
    for ended in told {
        assert!(ended.stderr.contains("sign in"), "{ended:?}");
    }
    let reason = [("reason", "theft_detected")];
    assert!(
        deployment
            .count("tenure_sign_outs_total", &reason)
            .await
            .unwrap()
            >= 1
    );
}
