//! The jar: generated and hand-written Kotlin, compiled, with the library where JNA looks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Built, PACKAGES, SOURCES, emptied, succeed};

/// Debian's jars that the sources refer to.
const JARS: [&str; 3] = [
    "/usr/share/java/jna.jar",
    "/usr/share/java/okhttp.jar",
    "/usr/share/java/okio.jar",
];

/// Coroutines come with the compiler.
const COMPILER: &str = "bindings/tenure-ffi/kotlin/node_modules/kotlin-compiler";

pub(super) fn jar(built: &Built) -> Result<PathBuf> {
    let sources = emptied("kotlin")?;
    built.generate("kotlin", &sources.join("src"))?;
    let jar = Path::new(PACKAGES).join("tenure.jar");
    let coroutines = format!("{COMPILER}/lib/kotlinx-coroutines-core-jvm.jar");
    let class_path = [&JARS[..], &[&coroutines]].concat().join(":");
    let mut compiler = Command::new("bash");
    compiler.arg(format!("{COMPILER}/bin/kotlinc"));
    compiler.args(["-nowarn", "-jvm-target", "17", "-classpath", &class_path]);
    compiler.arg("-d").arg(&jar).arg(sources.join("src"));
    succeed(compiler.arg(Path::new(SOURCES).join("kotlin/src")))?;
    let resources = sources.join("resources");
    let folder = resources.join(platform());
    fs::create_dir_all(&folder)?;
    let library = built.library.file_name().context("a library has a name")?;
    fs::copy(&built.library, folder.join(library))?;
    let mut add = Command::new("jar");
    add.arg("--update").arg("--file").arg(&jar);
    succeed(add.arg("-C").arg(&resources).arg("."))?;
    Ok(jar)
}

/// The folder in which JNA looks for the library of this machine.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        system => system,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        processor => processor,
    };
    format!("{system}-{processor}")
}
