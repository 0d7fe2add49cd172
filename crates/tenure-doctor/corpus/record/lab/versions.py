"""Names with versions of what a case was recorded from."""

import json
import re
import subprocess

from lab.common import HERE


def npm(*packages: str) -> str:
    """npm packages, by `package.json`."""
    pinned = json.loads((HERE / "package.json").read_text())["dependencies"]
    return ", ".join(f"{package} {pinned[package]}" for package in packages)


def pypi(*packages: str, requirements="requirements.txt") -> str:
    """PyPI packages, by the requirements of an environment."""
    lines = (line.split("==") for line in (HERE / requirements).read_text().split())
    pinned = {plain(name): version for name, version in lines}
    return ", ".join(f"{package} {pinned[plain(package)]}" for package in packages)


def versions(*packages: str) -> str:
    """Packages of both, in this order."""
    known = json.loads((HERE / "package.json").read_text())["dependencies"]
    return ", ".join(npm(package) if package in known else pypi(package) for package in packages)


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def debian(*packages: str) -> str:
    """Debian packages, with upstream versions."""
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages], text=True, capture_output=True)
    return ", ".join(re.sub(r" (?:\d+:)?([\d.]+).*", r" \1", line) for line in found.stdout.split("\n") if line)
