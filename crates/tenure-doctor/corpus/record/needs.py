"""What recording needs beside Python, and its installation: `python3 main.py --setup`."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[3]
# One package a line; all but npm are asked of dpkg (Node's own packages bring npm).
DEBIAN = HERE / "debian.txt"
# FastAPI changed what it answers where a token is missing (0.122): the old one has an environment of its own.
PYTHON = [HERE, HERE / "programs/fastapi-0.115"]
# Folders with a lock file. The lab's has `oidc-provider`, and the Node.js that it needs.
NPM = [HERE, HERE / "programs/express-gateway", REPOSITORY / "crates/tenure-lab/foreign"]
# Scripts of other people's packages stay unrun, but for the lab's Node.js, which is made by one.
SCRIPTS = {REPOSITORY / "crates/tenure-lab/foreign"}
BUILT = [REPOSITORY / "target/debug/examples/record", REPOSITORY / "target/debug/tenure"]
# Asked by Debian's packages before they start a server; 101 forbids it.
POLICY = Path("/usr/sbin/policy-rc.d")


def missing() -> list[str]:
    """What is not there, as text for a person."""
    lacking = [f"Debian's {package}" for package in packages()]
    lacking += [str((folder / ".venv").relative_to(REPOSITORY)) for folder in PYTHON if not stamped(folder)]
    lacking += [str((folder / "node_modules").relative_to(REPOSITORY)) for folder in NPM if not locked(folder)]
    return lacking + [str(program.relative_to(REPOSITORY)) for program in BUILT if not program.exists()]


def install() -> int:
    """Installs what is missing; 1 where something still is."""
    debian(packages())
    for folder in PYTHON:
        if not stamped(folder):
            wanted, environment = folder / "requirements.txt", folder / ".venv"
            print(f"setup: pip install -r {wanted.relative_to(REPOSITORY)}", flush=True)
            run("python3", "-m", "venv", "--clear", environment)
            run(environment / "bin/pip", "install", "--quiet", "-r", wanted)
            # Last, so that what was cut short is done again.
            (environment / "complete").write_text(wanted.read_text())
    for folder in NPM:
        if not locked(folder):
            print(f"setup: npm ci in {folder.relative_to(REPOSITORY)}", flush=True)
            run("npm", "ci", "--no-audit", "--no-fund", "--silent", *([] if folder in SCRIPTS else ["--ignore-scripts"]), cwd=folder)
    # Cargo knows what is up to date.
    run("cargo", "build", "--quiet", "--package", "tenure", "--package", "tenure-doctor", "--bins", "--example", "record", cwd=REPOSITORY)
    for lacking in (still := missing()):
        print(f"setup: {lacking} is missing")
    return 1 if still else 0


def packages() -> list[str]:
    """Debian packages that are not installed."""
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *DEBIAN.read_text().split()]
    try:
        told = subprocess.run(asked, text=True, capture_output=True).stdout
    except FileNotFoundError:
        told = ""
    installed = {line.split()[0] for line in told.splitlines() if line.endswith(" installed")}
    return [name for name in DEBIAN.read_text().split() if name not in installed and not (name == "npm" and shutil.which(name))]


def debian(wanted: list[str]) -> None:
    if not wanted:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
    if os.geteuid() != 0:
        print(f"setup: apt-get needs root; run as root: {' '.join(command)}")
        return
    print(f"setup: {' '.join(command)}", flush=True)
    with without_services():
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update"], **quiet)
        if subprocess.run(command, **quiet).returncode != 0:
            print("setup: apt-get failed; the golang packages are in Debian's backports, which `cargo xtask setup` adds")


@contextlib.contextmanager
def without_services():
    """Packages of servers start them, on the ports that everybody uses. A policy that is there already stays."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()


def stamped(folder: Path) -> bool:
    """Whether the environment has what the requirements say; it keeps a copy of them."""
    copy = folder / ".venv/complete"
    return copy.exists() and copy.read_text() == (folder / "requirements.txt").read_text()


def locked(folder: Path) -> bool:
    """Whether npm installed what the lock file says; it keeps a copy of that."""
    copy, lock = folder / "node_modules/.package-lock.json", folder / "package-lock.json"
    return copy.exists() and copy.stat().st_mtime >= lock.stat().st_mtime


def run(*command, cwd=None) -> None:
    """Ends the set-up where a step fails; the step has said why."""
    if subprocess.run([str(part) for part in command], cwd=cwd).returncode != 0:
        raise SystemExit(f"setup: {' '.join(str(part) for part in command)} failed")
