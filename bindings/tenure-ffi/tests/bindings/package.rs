//! The packages, made and installed once per run of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::documents::{self, root};
use crate::language::Language;

/// Where the wheel is installed: a virtual environment without anything else but httpx.
pub(crate) fn python() -> &'static Path {
    static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
        pack("python");
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment));
        run(Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--no-index"])
            .args(["--find-links", "target/tools/wheels"])
            .args(["--find-links", "target/package", "tenure[httpx]"]));
        environment.join("bin/python")
    });
    &PYTHON
}

/// A class path with the jar, what it needs, and the compiled scenarios and examples.
pub(crate) fn kotlin() -> &'static str {
    static CLASS_PATH: LazyLock<String> = LazyLock::new(|| {
        pack("kotlin");
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kotlin");
        drop(std::fs::remove_dir_all(&work));
        let (sources, classes) = (work.join("sources"), work.join("classes"));
        std::fs::create_dir_all(&sources).unwrap();
        for example in documents::examples(Language::Kotlin) {
            let source = sources.join(format!("{}.kt", example.name));
            std::fs::write(source, in_package(&example.name, &example.code)).unwrap();
        }
        let compiler = format!("{}/node_modules/kotlin-compiler", language_folder());
        let class_path = [
            "target/package/tenure.jar",
            "/usr/share/java/jna.jar",
            "/usr/share/java/okhttp.jar",
            "/usr/share/java/okio.jar",
            &format!("{compiler}/lib/kotlinx-coroutines-core-jvm.jar"),
            &format!("{compiler}/lib/kotlin-stdlib.jar"),
        ]
        .join(":");
        run(Command::new("bash")
            .arg(format!("{compiler}/bin/kotlinc"))
            .args(["-nowarn", "-jvm-target", "17", "-classpath", &class_path])
            .arg("-d")
            .args([&classes, &sources])
            .arg(format!("{}/tests", language_folder())));
        format!("{class_path}:{}", classes.display())
    });
    &CLASS_PATH
}

/// The examples read their issuer's address as it is in the document.
fn in_package(name: &str, code: &str) -> String {
    let issuer = "System.getenv(\"ISSUER\")";
    let code = code.replace("\"http://127.0.0.1:8420\"", issuer);
    format!("package {name}\n\n{code}")
}

pub(crate) fn language_folder() -> &'static str {
    "bindings/tenure-ffi/kotlin"
}

fn pack(language: &str) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).args(["xtask", "package", language]));
}

fn run(command: &mut Command) {
    let output = command.current_dir(root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{said}");
}
