//! A user's home directory, and the `tenure` command line in it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tenure_lab::deployment::{Deployment, EMAIL, PASSWORD};
use tenure_lab::process::{Ended, Launch, tenure_binary};
use tokio::process::Command;

/// One user of a deployment.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub(crate) home: PathBuf,
    pub(crate) issuer: String,
}

impl Shell {
    pub(crate) fn new(deployment: &Deployment) -> Self {
        let home = deployment.directory().join("home");
        std::fs::create_dir_all(&home).unwrap();
        Self {
            home,
            issuer: deployment.issuer(),
        }
    }

    /// A program in this home, which finds `tenure`, and nothing of the tester's configuration.
    pub(crate) fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let binary = tenure_binary().unwrap();
        let mut path = binary.parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TENURE_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(&self.home)
            .env("PATH", path)
            .env("HOME", &self.home)
            .env("TENURE_HOME", self.home.join("tenure"))
            .env("TENURE_ISSUER", &self.issuer)
            .env("GIT_CONFIG_GLOBAL", self.home.join("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, program: &str, arguments: &[&str], stdin: &str) -> Ended {
        let mut command = self.program(program);
        Ended::of(command.args(arguments), stdin).await.unwrap()
    }

    pub(crate) async fn ok(&self, program: &str, arguments: &[&str]) -> String {
        let ended = self.run(program, arguments, "").await;
        assert_eq!(ended.code, 0, "{program} {arguments:?}: {ended:?}");
        ended.stdout
    }

    pub(crate) async fn sign_in(&self) {
        let login = ["login", "--password", "--user", EMAIL];
        let ended = self.run("tenure", &login, &format!("{PASSWORD}\n")).await;
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    pub(crate) async fn token(&self) -> String {
        self.ok("tenure", &["token"]).await.trim().to_owned()
    }
}

/// A service whose access tokens live so many seconds.
pub(crate) async fn deployment(seconds: u64) -> Deployment {
    let configured = |launch: Launch, directory: &Path| {
        let file = directory.join("tenure.toml");
        let text = format!(
            "[clients.demo]\nfirst_party = true\nlifetimes.access = \"{seconds}s\"\n\
             redirect_uris = [\"http://127.0.0.1/callback\"]\n"
        );
        std::fs::write(&file, text)?;
        Ok(launch.args(["--config"]).args([file]))
    };
    Deployment::start_with(configured).await.unwrap()
}
