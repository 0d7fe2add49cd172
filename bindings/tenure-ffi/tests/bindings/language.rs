//! How a program of each language is run.

use std::ffi::OsStr;
use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;

use crate::documents::{Example, root};
use crate::program::Program;
use crate::{Stage, package};

#[derive(Clone, Copy)]
pub(crate) enum Language {
    Python,
    Kotlin,
}

impl Language {
    /// Why it cannot be run here, if it cannot.
    pub(crate) fn obstacle(self) -> Option<String> {
        let needed: &[&str] = match self {
            Self::Python => &["python3", "target/tools/wheels/complete"],
            Self::Kotlin => &[
                "java",
                "jar",
                "/usr/share/java/jna.jar",
                "/usr/share/java/okhttp.jar",
                "bindings/tenure-ffi/kotlin/node_modules/kotlin-compiler/bin/kotlinc",
            ],
        };
        let missing = needed.iter().find(|name| !present(name))?;
        Some(format!(
            "the bindings' tests need {missing}; run cargo xtask setup"
        ))
    }

    /// The scenarios of the adapters of HTTP clients.
    pub(crate) fn adapters(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["adapter", "adapter_sync"],
            Self::Kotlin => &["adapter"],
        }
    }
}

impl Stage {
    /// Starts a scenario of `python/tests/scenarios.py` or `kotlin/tests/Scenarios.kt`.
    pub(crate) fn scenario(&self, name: &str) -> Program {
        let mut command = match self.language {
            Language::Python => {
                let mut python = Command::new(package::python());
                python.arg(root().join("bindings/tenure-ffi/python/tests/scenarios.py"));
                python
            }
            Language::Kotlin => java("ScenariosKt"),
        };
        command
            .arg(name)
            .env("OTHER", self.deployment.server.url())
            .env("DIRECTORY", self.deployment.directory());
        self.start(command)
    }

    /// Starts an example from the documents, in a directory of its own.
    pub(crate) fn example(&self, example: &Example) -> Program {
        let directory = TempDir::new_in(self.deployment.directory()).unwrap().keep();
        let mut command = match self.language {
            Language::Python => {
                let program = directory.join("example.py");
                std::fs::write(&program, example.at(&self.deployment.issuer())).unwrap();
                let mut python = Command::new(package::python());
                python.arg(program);
                python
            }
            Language::Kotlin => {
                let name = &example.name;
                let (first, rest) = name.split_at(1);
                java(&format!("{name}.{}{rest}Kt", first.to_uppercase()))
            }
        };
        command.current_dir(directory);
        self.start(command)
    }

    fn start(&self, mut command: Command) -> Program {
        // Cargo's, in which the library would be found that is not in the package.
        command.env_remove("LD_LIBRARY_PATH");
        command.env("ISSUER", self.deployment.issuer());
        Program::start(command)
    }
}

/// A class of the tests or the examples; relative paths in the class path are the workspace's.
fn java(class: &str) -> Command {
    let absolute = |path: &str| root().join(path).into_os_string();
    let class_path: Vec<_> = package::kotlin().split(':').map(absolute).collect();
    let mut java = Command::new("java");
    java.arg("-classpath")
        .arg(class_path.join(OsStr::new(":")))
        .arg(class);
    java
}

fn present(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = |name| std::env::split_paths(&path).any(|folder| folder.join(name).exists());
    root().join(name).exists() || (Path::new(name).components().count() == 1 && in_path(name))
}
