//! A directory with what a user has, the program run in it, and what it answered.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use tenure_lab::process::{Ended, tenure_binary};
use tokio::process::Command;

/// A working directory.
#[derive(Debug)]
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the directories that it is in.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// `tenure doctor` with these arguments, without the caller's configuration.
    pub(crate) fn doctor(&self, args: &[&str]) -> Command {
        let mut command = Command::new(tenure_binary().unwrap());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_ascii_lowercase();
            if text.starts_with("tenure_") || text.starts_with("aws_") || text.ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        command
            .arg("doctor")
            .args(args)
            .current_dir(self.0.path())
            .env("TENURE_LOG", "off")
            .env("TENURE_HOME", self.path("home"));
        command
    }

    pub(crate) async fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, "").await
    }

    pub(crate) async fn run_with(&self, args: &[&str], stdin: &str) -> Ended {
        Ended::of(&mut self.doctor(args), stdin).await.unwrap()
    }

    /// What it says as JSON.
    pub(crate) async fn diagnose(&self, args: &[&str]) -> Diagnosed {
        let ended = self.run(&[args, &["--json"]].concat()).await;
        let json = serde_json::from_str(&ended.stdout);
        let json = json.unwrap_or_else(|error| panic!("{args:?}: {error}: {}", ended.stderr));
        Diagnosed { ended, json }
    }
}

/// A diagnosis in JSON.
#[derive(Debug)]
pub(crate) struct Diagnosed {
    pub(crate) ended: Ended,
    pub(crate) json: Value,
}

impl Diagnosed {
    /// The causes that are not ruled out: id and verdict.
    pub(crate) fn open(&self) -> Vec<(&str, &str)> {
        let causes = self.json["causes"].as_array().unwrap().iter();
        causes
            .map(|cause| {
                (
                    cause["id"].as_str().unwrap(),
                    cause["verdict"].as_str().unwrap(),
                )
            })
            .filter(|(_, verdict)| *verdict != "ruled-out")
            .collect()
    }

    /// The ids of the causes that are confirmed.
    pub(crate) fn confirmed(&self) -> Vec<&str> {
        let open = self.open().into_iter();
        open.filter(|(_, verdict)| *verdict == "confirmed")
            .map(|(id, _)| id)
            .collect()
    }

    /// Exit code 1, this cause first, in this layer, with evidence and a fix.
    #[track_caller]
    pub(crate) fn found(&self, id: &str, layer: &str) {
        let seen = self.seen();
        assert_eq!(self.json["outcome"], "found", "{id} expected\n{seen}");
        let first = &self.json["causes"][0];
        assert_eq!(first["id"], id, "{seen}");
        assert_eq!(first["layer"], layer, "{seen}");
        assert!(first["evidence"][0]["says"].is_string(), "{seen}");
        assert!(!first["fix"].as_str().unwrap().is_empty(), "{seen}");
        assert_eq!(self.ended.code, 1, "{seen}");
    }

    /// Exit code 0 and nobody turned away.
    #[track_caller]
    pub(crate) fn healthy(&self) {
        let seen = self.seen();
        assert_eq!(self.json["outcome"], "healthy", "{seen}");
        assert_eq!(self.ended.code, 0, "{seen}");
    }

    /// What to print when it is not as expected.
    pub(crate) fn seen(&self) -> String {
        let mut seen = format!(
            "{}\nsymptoms {}\nnext {}\n",
            self.json["says"], self.json["symptoms"], self.json["next"]
        );
        for cause in self.json["causes"].as_array().into_iter().flatten() {
            writeln!(
                seen,
                "{} {} {} {}\n  for {}\n  against {}",
                cause["id"],
                cause["verdict"],
                cause["share"],
                cause["layer"],
                cause["evidence"],
                cause["against"]
            )
            .unwrap();
        }
        seen + &self.ended.stderr
    }
}
