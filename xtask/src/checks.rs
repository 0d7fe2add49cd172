//! Format, lints, crate arrows, licences.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Crates that the rules must not see: I/O, runtimes, databases.
const OUTSIDE_THE_RULES: [&str; 6] = ["tokio", "hyper", "reqwest", "rusqlite", "axum", "rand"];

const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "tenure/aws",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ])?;
    rules_see_no_io()?;
    deny()
}

/// Runs cargo and fails with its command line.
fn cargo(arguments: &[&str]) -> Result<()> {
    println!("$ cargo {}", arguments.join(" "));
    let status = Command::new("cargo").args(arguments).status()?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}

fn rules_see_no_io() -> Result<()> {
    let tree = [
        "tree",
        "--package",
        "tenure-core",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ];
    let output = Command::new("cargo").args(tree).output()?;
    let tree = String::from_utf8(output.stdout)?;
    let seen = |name: &&str| {
        tree.lines()
            .any(|line| line.split(' ').next() == Some(*name))
    };
    if let Some(name) = OUTSIDE_THE_RULES.iter().find(|name| seen(name)) {
        bail!("tenure-core sees {name}: rules take values, shells do I/O");
    }
    println!("tenure-core sees none of {}", OUTSIDE_THE_RULES.join(", "));
    Ok(())
}

/// Arrows between crates, licences and sources. The advisory database is not asked: a test run must
/// not depend on what was published since.
fn deny() -> Result<()> {
    let tools = Path::new("target/tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        let root = tools
            .to_str()
            .context("the target directory is not UTF-8")?;
        let version = format!("cargo-deny@{CARGO_DENY}");
        cargo(&["install", "--quiet", "--locked", "--root", root, &version])?;
    }
    let arguments = [
        "--log-level",
        "error",
        "check",
        "bans",
        "licenses",
        "sources",
    ];
    println!("$ cargo deny {}", arguments.join(" "));
    if !Command::new(program).args(arguments).status()?.success() {
        bail!("cargo deny: an arrow points up, or a licence or source is not allowed");
    }
    Ok(())
}
