//! The wheel: Python sources, the library, and the three files that make it one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Built, PACKAGES, SOURCES, emptied, succeed};
use crate::setup;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn wheel(built: &Built) -> Result<PathBuf> {
    let staged = emptied("python")?;
    let package = staged.join("tenure");
    fs::create_dir(&package)?;
    built.generate("python", &package)?;
    for source in fs::read_dir(Path::new(SOURCES).join("python/tenure"))? {
        let source = source?;
        if source.path().is_file() {
            fs::copy(source.path(), package.join(source.file_name()))?;
        }
    }
    let library = built.library.file_name().context("a library has a name")?;
    fs::copy(&built.library, package.join(library))?;
    let tag = format!("py3-none-{}", platform()?);
    describe(&staged.join(format!("tenure-{VERSION}.dist-info")), &tag)?;
    let mut pack = python();
    pack.args(["-m", "wheel", "pack"]).arg(&staged);
    succeed(pack.args(["--dest-dir", PACKAGES]))?;
    Ok(Path::new(PACKAGES).join(format!("tenure-{VERSION}-{tag}.whl")))
}

/// The name that pip has for this machine (PEP 425).
fn platform() -> Result<String> {
    let ask = "import sysconfig; print(sysconfig.get_platform())";
    let output = python().args(["-c", ask]).output()?;
    let name = String::from_utf8(output.stdout)?;
    Ok(name.trim().replace(['-', '.'], "_"))
}

fn describe(folder: &Path, tag: &str) -> Result<()> {
    fs::create_dir(folder)?;
    let metadata = format!(
        "Metadata-Version: 2.4\n\
         Name: tenure\n\
         Version: {VERSION}\n\
         Summary: A signed-in session that no crash, race or bad network ends\n\
         License-Expression: MIT OR Apache-2.0\n\
         Requires-Python: >=3.10\n\
         Provides-Extra: httpx\n\
         Requires-Dist: httpx>=0.27; extra == \"httpx\"\n"
    );
    fs::write(folder.join("METADATA"), metadata)?;
    let wheel =
        format!("Wheel-Version: 1.0\nGenerator: tenure\nRoot-Is-Purelib: false\nTag: {tag}\n");
    Ok(fs::write(folder.join("WHEEL"), wheel)?)
}

fn python() -> Command {
    Command::new(Path::new(setup::PYTHON).join("bin/python"))
}
