//! What the tests need beside Rust: Debian packages (as root), npm packages, PyPI packages.

mod backports;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A program that tests start, or a file that they read, and the Debian package that brings it.
const PROGRAMS: [(&str, &str); 18] = [
    ("chromium", "chromium"),
    ("curl", "curl"),
    ("dbus-daemon", "dbus-daemon"),
    ("fusermount3", "fuse3"),
    ("git", "git"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("groff", "groff"),
    ("jar", "openjdk-17-jdk-headless"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("python3", "python3"),
    ("redis-server", "redis-server"),
    ("valkey-server", "valkey-server"),
    ("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),
    ("/usr/sbin/nginx", "nginx-light"),
    ("/usr/share/java/jna.jar", "libjna-java"),
    ("/usr/share/java/okhttp.jar", "libokhttp-java"),
    ("/usr/share/python-wheels", "python3-venv"),
];

/// npm packages: foreign clients and servers, what steers a browser, and the Kotlin compiler. Each folder
/// has its own lock file.
const NPM: [&str; 3] = [
    "crates/tenure-lab/foreign",
    "crates/tenure-lab/chromium",
    "bindings/tenure-ffi/kotlin",
];

/// PyPI packages with their versions.
const PYPI: &str = "bindings/tenure-ffi/python/requirements.txt";

/// A virtual environment with those.
pub(crate) const PYTHON: &str = "target/tools/python";

/// The same as files, for virtual environments that tests make.
const WHEELS: &str = "target/tools/wheels";

/// A virtual environment with the foreign servers in Python, and what is in it.
const SERVERS: &str = "crates/tenure-lab/foreign/.venv";
const SERVERS_NEED: &str = "crates/tenure-lab/foreign/requirements.txt";

/// Asked by Debian's packages before they start a server; 101 forbids it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Read by Debian's PostgreSQL packages while they are installed.
const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

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
    if !missing.contains(&"python3") {
        pypi()?;
        servers()?;
    }
    Ok(missing)
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

fn install(packages: &[&str]) {
    println!("setup: apt-get install {}", packages.join(" "));
    if packages.contains(&"postgresql-15")
        && let Err(error) = no_main_cluster()
    {
        println!("setup: Debian will start a PostgreSQL server on port 5432: {error}");
    }
    let updated = apt(&["update"]);
    let (mut found, mut unknown) = sort_out(packages);
    if !unknown.is_empty() {
        match backports::add() {
            Ok(()) => _ = apt(&["update"]),
            Err(why) => println!("setup: no backports: {why:#}"),
        }
        (found, unknown) = sort_out(packages);
    }
    for package in unknown {
        println!("setup: apt knows no package {package}; is backports among its sources?");
    }
    let mut command = vec!["install", "--yes", "--no-install-recommends"];
    command.extend(found);
    if !(updated && without_services(|| apt(&command))) {
        println!(
            "setup: apt-get needs root; run as root: apt-get install {}",
            packages.join(" ")
        );
    }
}

/// Tests start servers of their own: the one that Debian makes with the package would only be in the
/// way. What somebody has decided about that already stays.
fn no_main_cluster() -> io::Result<()> {
    let path = Path::new(CREATE_CLUSTER);
    if path.exists() {
        return Ok(());
    }
    fs::create_dir_all("/etc/postgresql-common")?;
    fs::write(path, "create_main_cluster = false\n")
}

/// Packages of servers start them, on the ports that everybody uses. A policy that is there already stays.
fn without_services<T>(install: impl FnOnce() -> T) -> T {
    let path = Path::new(POLICY);
    let ours = !path.exists() && forbid_services(path).is_ok();
    let done = install();
    if ours && let Err(error) = fs::remove_file(path) {
        println!("setup: {POLICY} stays and keeps servers from starting: {error}");
    }
    done
}

fn forbid_services(path: &Path) -> io::Result<()> {
    fs::write(path, "#!/bin/sh\nexit 101\n")?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// What apt knows, and what it does not.
fn sort_out<'a>(packages: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    packages.iter().partition(|package| is_known(package))
}

fn is_known(package: &str) -> bool {
    Command::new("apt-cache")
        .args(["show", "--quiet=2", package])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn apt(arguments: &[&str]) -> bool {
    Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn npm_ci(folder: &str) -> Result<()> {
    let stamp = Path::new(folder).join("node_modules/complete");
    once(&format!("{folder}/package-lock.json"), &stamp, |_| {
        let quiet = ["--no-audit", "--no-fund", "--silent"];
        vec![
            ["npm", "ci", "--prefix", folder]
                .into_iter()
                .chain(quiet)
                .collect(),
        ]
    })
}

/// The stamp is written last, so what was cut short is done again.
fn pypi() -> Result<()> {
    let stamp = Path::new(WHEELS).join("complete");
    let pip = format!("{PYTHON}/bin/pip");
    once(PYPI, &stamp, |requirements| {
        vec![
            vec!["python3", "-m", "venv", "--clear", PYTHON],
            vec![&pip, "install", "--quiet", "-r", requirements],
            vec![
                &pip,
                "download",
                "--quiet",
                "-r",
                requirements,
                "--dest",
                WHEELS,
            ],
        ]
    })
}

/// The foreign servers' environment is beside their sources, as `node_modules` is.
fn servers() -> Result<()> {
    let stamp = Path::new(SERVERS).join("complete");
    let pip = format!("{SERVERS}/bin/pip");
    once(SERVERS_NEED, &stamp, |requirements| {
        vec![
            vec!["python3", "-m", "venv", "--clear", SERVERS],
            vec![&pip, "install", "--quiet", "-r", requirements],
        ]
    })
}

/// Carries `steps` out, unless `stamp` says that they were for the requirements as they are now.
fn once<'a>(
    requirements: &'a str,
    stamp: &Path,
    steps: impl FnOnce(&'a str) -> Vec<Vec<&'a str>>,
) -> Result<()> {
    let wanted = fs::read_to_string(requirements)?;
    if fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("setup: {requirements}");
    for command in steps(requirements) {
        let [program, arguments @ ..] = command.as_slice() else {
            continue;
        };
        if !Command::new(program).args(arguments).status()?.success() {
            bail!("{} failed: is the registry reachable?", command.join(" "));
        }
    }
    Ok(fs::write(stamp, wanted)?)
}
