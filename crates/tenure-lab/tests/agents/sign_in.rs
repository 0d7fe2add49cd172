//! Ways to sign in where `tenure` cannot open a browser.

use std::process::ExitStatus;

use serde_json::Value;
use tenure_lab::actor::Browser;
use tenure_lab::deployment::{Deployment, EMAIL, PASSWORD};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::shell::Shell;

/// A `tenure login` that waits for somebody.
struct Login {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Login {
    fn start(shell: &Shell, how: &[&str]) -> Self {
        let mut child = shell
            .program("tenure")
            .arg("login")
            .args(how)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The first line that contains this.
    async fn says(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.next_line().await.unwrap().unwrap();
            if line.contains(text) {
                return line.trim().to_owned();
            }
        }
    }

    async fn answered(mut self, stdin: &str) -> ExitStatus {
        let mut pipe = self.child.stdin.take().unwrap();
        pipe.write_all(stdin.as_bytes()).await.unwrap();
        drop(pipe);
        self.child.wait().await.unwrap()
    }
}

#[tokio::test]
async fn a_code_typed_into_a_browser_elsewhere_signs_in() {
    let deployment = Deployment::start().await.unwrap();
    let shell = Shell::new(&deployment);
    let mut login = Login::start(&shell, &["--device"]);
    let code = login.says("and type the code ").await;
    let code = code.rsplit_once(' ').unwrap().1.to_owned();
    let page = login.says("user_code=").await;
    assert!(page.contains(&code), "{page} has {code}");
    login.says("The code works for ").await;

    // The person signs in and allows it; the page that says so has no form any more.
    let browser = Browser::new().unwrap();
    let way = browser.sign_in(page.parse().unwrap(), EMAIL, PASSWORD, "nowhere:");
    let end = way.await.unwrap_err().to_string();
    assert_eq!(end, "no form on /device");

    login.says("signed in at ").await;
    assert!(login.answered("").await.success());
    assert!(deployment.is_active(&shell.token().await).await.unwrap());
}

#[tokio::test]
async fn a_link_from_a_mail_signs_in_once() {
    let deployment = Deployment::start().await.unwrap();
    let shell = Shell::new(&deployment);
    let mut login = Login::start(&shell, &["--magic-link", "--user", EMAIL]);
    login.says("a link is on its way").await;
    let direct = reqwest::Client::builder().no_proxy().build().unwrap();
    let outbox = direct.get(format!("{}/dev/outbox", deployment.issuer()));
    let outbox = outbox.header("accept", "application/json").send().await;
    let mails: Value = outbox.unwrap().json().await.unwrap();
    let text = mails["mails"][0]["text"].as_str().unwrap();
    let mut words = text.split_whitespace();
    let link = words.find(|word| word.contains("token=")).unwrap();
    assert!(login.answered(&format!("{link}\n")).await.success());
    assert!(deployment.is_active(&shell.token().await).await.unwrap());

    let login = Login::start(&shell, &["--magic-link", "--user", EMAIL]);
    assert_eq!(login.answered(&format!("{link}\n")).await.code(), Some(1));
}

#[tokio::test]
async fn ways_to_sign_in_exclude_each_other() {
    let deployment = Deployment::start().await.unwrap();
    let shell = Shell::new(&deployment);
    for wrong in [
        &["--device", "--password", "--user", EMAIL][..],
        &["--device", "--no-browser"],
        &["--magic-link", "--password", "--user", EMAIL],
        &["--magic-link"],
        &["--user", EMAIL],
    ] {
        let ended = shell.run("tenure", &[&["login"], wrong].concat(), "").await;
        assert_eq!(ended.code, 2, "{wrong:?}: {ended:?}");
    }
}
