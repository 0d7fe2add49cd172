//! Debian's backports: newer versions of some programs, which apt prefers to nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

const SOURCE: &str = "/etc/apt/sources.list.d/tenure-backports.sources";
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Adds the backports of this Debian to apt's sources, from the mirror that is configured for the
/// release itself.
pub(super) fn add() -> Result<()> {
    let release = codename()?;
    let mirror = mirror_of(&release)?;
    let suite = format!("{release}-backports");
    let keys = if Path::new(KEYS).exists() {
        format!("Signed-By: {KEYS}\n")
    } else {
        String::new()
    };
    println!("setup: {SOURCE}: {suite} from the configured mirror");
    let source = format!("Types: deb\nURIs: {mirror}\nSuites: {suite}\nComponents: main\n{keys}");
    fs::write(SOURCE, source).with_context(|| format!("cannot write {SOURCE}"))
}

/// As `/etc/os-release` names it: `bookworm`.
fn codename() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release")?;
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name.context("this is no Debian release")?.to_owned())
}

/// apt itself reads its sources, whichever of the formats they are in.
fn mirror_of(release: &str) -> Result<String> {
    let asked = ["indextargets", "--format", "$(RELEASE) $(REPO_URI)"];
    let targets = Command::new("apt-get")
        .args(asked)
        .arg("Created-By: Packages")
        .output()?;
    let targets = String::from_utf8(targets.stdout)?;
    let mut mirrors = targets.lines().filter_map(|line| line.split_once(' '));
    let named = [release, "stable", "oldstable"];
    match mirrors.find(|(of, _)| named.contains(of)) {
        Some((_, mirror)) => Ok(mirror.to_owned()),
        None => bail!("apt has no source for {release}"),
    }
}
