//! What the tests need beside Rust: Debian packages (as root) and npm packages.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A program that tests start, and the Debian package that brings it.
const PROGRAMS: [(&str, &str); 4] = [
    ("curl", "curl"),
    ("fusermount3", "fuse3"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// npm packages that act as foreign clients, each folder with its own lock file.
const NPM: [&str; 1] = ["crates/tenure-lab/foreign"];

/// Installs what is missing, and answers what still is.
pub(crate) fn run() -> Result<Vec<&'static str>> {
    let lacking = || {
        PROGRAMS
            .into_iter()
            .filter(|(program, _)| !installed(program))
    };
    let packages: Vec<_> = lacking().map(|(_, package)| package).collect();
    if !packages.is_empty() {
        install(&packages);
    }
    let missing: Vec<_> = lacking().map(|(program, _)| program).collect();
    for program in &missing {
        println!("setup: {program} is missing; tests that need it will be skipped and counted");
    }
    if !missing.contains(&"npm") {
        for folder in NPM.into_iter().filter(|folder| Path::new(folder).exists()) {
            npm_ci(folder)?;
        }
    }
    Ok(missing)
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn install(packages: &[&str]) {
    println!("setup: apt-get install {}", packages.join(" "));
    let apt = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let mut command = vec!["install", "--yes", "--no-install-recommends"];
    command.extend(packages);
    if !(apt(&["update"]) && apt(&command)) {
        println!(
            "setup: apt-get needs root; run as root: apt-get install {}",
            packages.join(" ")
        );
    }
}

fn npm_ci(folder: &str) -> Result<()> {
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--silent"])
        .current_dir(folder)
        .status()?;
    if !status.success() {
        bail!("npm ci failed in {folder}: is the registry reachable?");
    }
    Ok(())
}
