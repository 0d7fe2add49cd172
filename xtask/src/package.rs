//! The client SDK as other languages install it: a wheel, a jar, Swift sources.

mod kotlin;
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

/// Where the packages' hand-written parts are.
const SOURCES: &str = "bindings/tenure-ffi";

/// Where the packages go.
const PACKAGES: &str = "target/package";

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Language {
    /// A wheel for this machine.
    Python,
    /// A jar with the library for this machine in it.
    Kotlin,
    /// Sources, header and module map. Nothing here compiles them.
    Swift,
}

/// Builds the library and packs it, with what the language needs around it.
pub(crate) fn run(language: Language, release: bool) -> Result<()> {
    let built = Built::new(release)?;
    let package = match language {
        Language::Python => python::wheel(&built)?,
        Language::Kotlin => kotlin::jar(&built)?,
        Language::Swift => built.generate("swift", &emptied("swift")?)?,
    };
    println!("packed {}", package.display());
    Ok(())
}

/// The library, and the program that writes the sources to call it.
struct Built {
    library: PathBuf,
    bindgen: PathBuf,
}

impl Built {
    /// `TENURE_BUILT` says that `cargo test` has built both, which leaves the library beside its
    /// dependencies.
    fn new(release: bool) -> Result<Self> {
        let profile = Path::new("target").join(if release { "release" } else { "debug" });
        let mut beside = "deps";
        if release || std::env::var_os("TENURE_BUILT").is_none() {
            let mut cargo = Command::new("cargo");
            cargo.args(["build", "--quiet", "--package", "tenure-ffi", "--lib"]);
            cargo.args(["--example", "bindgen"]);
            cargo.args(release.then_some("--release"));
            succeed(&mut cargo)?;
            beside = "";
        }
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let library = profile
            .join(beside)
            .join(format!("{prefix}tenure_ffi{suffix}"));
        let bindgen = profile.join("examples/bindgen");
        Ok(Self { library, bindgen })
    }

    /// Writes a language's sources to `folder`, and answers it.
    fn generate(&self, language: &str, folder: &Path) -> Result<PathBuf> {
        let mut bindgen = Command::new(&self.bindgen);
        bindgen.args(["generate", "--no-format", "--language", language]);
        bindgen.arg("--out-dir").args([folder, &self.library]);
        succeed(&mut bindgen)?;
        Ok(folder.to_owned())
    }
}

/// An empty folder for a package's parts.
fn emptied(name: &str) -> Result<PathBuf> {
    let folder = Path::new(PACKAGES).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn succeed(command: &mut Command) -> Result<()> {
    let named = command.get_program().display().to_string();
    let output = command.output();
    let output = output.with_context(|| format!("cannot start {named}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let also = String::from_utf8_lossy(&output.stdout);
        bail!("{named} failed:\n{said}{also}");
    }
    Ok(())
}
