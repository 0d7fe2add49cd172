"""What all recordings share: a lab of real programs, the recorder, and the file of a case.

A module of recordings declares functions with `@case(...)`; each gets a `Lab`, breaks one thing in
it, and returns the inputs that a doctor would have had (`inputs(...)`). `main.py` runs them.
"""

import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Callable

HERE = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = HERE.parents[3]
# What labs start, and what that is made of (`main.py --setup`).
PROGRAMS = HERE / "programs"
MODULES = HERE / "node_modules"
PYTHON = HERE / ".venv/bin/python"
OLD_FASTAPI = PROGRAMS / "fastapi-0.115/.venv/bin/python"
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
RECORDER = REPOSITORY / "target/debug/examples/record"
FAMILIES = {"client", "edge", "gateway", "verifier", "framework", "session", "tenure", "healthy"}

# Nobody's machine: where a lab's folder seems to be in what is recorded, and its kernel.
SCRUBBED = "/srv/lab"
KERNEL = "6.1.0-28-amd64"


@dataclass(frozen=True)
class Recording:
    """A case, and how it is recorded again."""

    id: str
    family: str
    fault: str
    expected: list[str]
    settling: bool
    origin: dict[str, str]
    record: Callable[["Lab"], dict]


RECORDINGS: dict[str, Recording] = {}


def case(id, *, family, fault, expected=(), settling=False, recorded=None, documented=None):
    """Declares a recording. `recorded` names the systems with versions, or `documented` the source."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id), id
    assert family in FAMILIES, family
    assert (family == "healthy") == (not expected), id
    assert (recorded is None) != (documented is None), id
    assert all(re.fullmatch(r"TN0[1-7]\d\d", cause) for cause in expected), id
    assert id not in RECORDINGS, f"two cases {id}"
    origin = {"recorded": recorded} if recorded else {"documented": documented}

    def declare(record):
        RECORDINGS[id] = Recording(id, family, fault, list(expected), settling, origin, record)
        return record

    return declare


def inputs(*, now=None, token=None, old_token=None, other_token=None, keys=None, target=None,
           exchanges=(), files=None, logs=None) -> dict:
    """The inputs of a case. `keys`, `files` and `logs` are `{name: text}`."""
    given = {"now": int(now if now is not None else time.time())}
    secrets = {"token": token, "old_token": old_token, "other_token": other_token}
    given.update({name: value for name, value in secrets.items() if value is not None})
    for name, texts in (("keys", keys), ("files", files), ("logs", logs)):
        if texts:
            given[name] = [{"name": file, "text": text} for file, text in texts.items()]
    if target is not None:
        given["target"] = target
    if exchanges:
        given["exchanges"] = list(exchanges)
    return given


def target(url, method="GET", origin=None, issuer=None) -> dict:
    """`case::Target`."""
    wanted = {"url": url, "method": method, "origin": origin, "issuer": issuer}
    return {name: value for name, value in wanted.items() if value is not None}


def record(wanted: dict, token=None, *, clock=0, **job) -> list[dict]:
    """Sends every probe that the job makes possible, and answers the exchanges.

    `clock` is by how many seconds the doctor's own machine is ahead.
    """
    job = {"target": wanted, "token": token, **job}
    job = {name: value for name, value in job.items() if value is not None}
    done = subprocess.run([RECORDER], input=json.dumps(job), text=True, capture_output=True, timeout=300,
                          env={**os.environ, **(other_clock(clock) if clock else {})})
    if done.returncode != 0:
        raise RuntimeError(f"recorder: {done.stderr.strip()}")
    return json.loads(done.stdout)


def other_clock(seconds: int) -> dict[str, str]:
    """For the environment of a program whose clock is to be that much ahead (libfaketime)."""
    return faketime(FAKETIME=f"{seconds:+}s")


def clock_in(file: pathlib.Path) -> dict[str, str]:
    """The same with a clock that a file moves: its text is as in `+90s`."""
    return faketime(FAKETIME_TIMESTAMP_FILE=str(file), FAKETIME_NO_CACHE="1")


def faketime(**settings: str) -> dict[str, str]:
    return {"LD_PRELOAD": FAKETIME, "FAKETIME_DONT_FAKE_MONOTONIC": "1", **settings}


def only(exchanges: list[dict], *probes: str) -> list[dict]:
    """Those of these probes (for a user who asked less); `*` at the end takes all that begin so."""
    wanted = lambda name: any(name == probe or (probe.endswith("*") and name.startswith(probe[:-1]))
                              for probe in probes)
    return [exchange for exchange in exchanges if wanted(exchange["probe"])]


def without(exchanges: list[dict], *probes: str) -> list[dict]:
    """All others."""
    dropped = only(exchanges, *probes)
    return [exchange for exchange in exchanges if exchange not in dropped]


def answer(exchanges: list[dict], probe: str) -> dict:
    """The answer to a probe as `{"status", "headers", "body"}`; raises where there is none."""
    for exchange in exchanges:
        if exchange["probe"] == probe:
            result = exchange["result"]
            return result["Ok"] if "Ok" in result else {"status": 0, "failure": result["Err"]}
    raise KeyError(probe)


def status(exchanges: list[dict], probe: str) -> int:
    """The status of a probe; 0 where no HTTP answer came."""
    return answer(exchanges, probe)["status"]


def ensure(holds: bool, what: str) -> None:
    """A recording that does not show its fault is worthless: it fails here."""
    if not holds:
        raise AssertionError(f"the recording does not show it: {what}")


class Lab:
    """Programs on free loopback ports, in a folder that goes away with them."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lab-"))
        # Servers that drop root's rights have to reach what is in it.
        self.folder.chmod(0o755)
        self._closing = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def enter(self, manager):
        """Something to close at the end (a server of `servers.py`)."""
        return self._closing.enter_context(manager)

    def port(self) -> int:
        """A port that is free now."""
        return free_port()

    def write(self, name: str, text: str) -> pathlib.Path:
        """A file in the lab's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def replace(self, name: str, text: str) -> pathlib.Path:
        """The same for a file that programs read at any moment: never half of it."""
        return self.write(f"{name}.next", text).replace(self.folder / name)

    def read(self, name: str) -> str:
        """A file of the lab's folder, such as a log."""
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, name: str, command: list, *, port: int | None = None, env: dict | None = None,
              cwd=None, seconds: float = 30) -> subprocess.Popen:
        """Starts a program, and waits until it accepts connections. What it prints is in `NAME.out`."""
        with open(self.folder / f"{name}.out", "wb") as output:
            child = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, cwd=cwd or self.folder,
                env={**os.environ, "LC_ALL": "C", "TZ": "UTC", **(env or {})},
            )
        self._closing.callback(stop, child)
        if port is not None:
            try:
                wait_for(port, child, seconds)
            except TimeoutError as late:
                raise RuntimeError(f"{name}: {late}\n{self.read(f'{name}.out')}") from late
        return child


def stop(child: subprocess.Popen) -> None:
    """Ends a program of ours, by its own pid."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, child: subprocess.Popen | None = None, seconds: float = 30) -> None:
    """Waits until something accepts connections there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if child is not None and child.poll() is not None:
            raise TimeoutError(f"ended with {child.returncode} before it accepted")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing accepts on port {port}")


def run(recording: Recording, cases: pathlib.Path) -> pathlib.Path:
    """Records one case, and writes its file into this folder."""
    with Lab() as lab:
        found = recording.record(lab)
        text = json.dumps({
            "id": recording.id, "family": recording.family, "fault": recording.fault,
            "expected": recording.expected, "settling": recording.settling,
            "origin": recording.origin, "inputs": found,
        }, indent=1, ensure_ascii=False)
        text = scrubbed(lab, text)
    check_scrubbed(recording.id, text)
    cases.mkdir(parents=True, exist_ok=True)
    path = cases / f"{recording.id}.json"
    path.write_text(text + "\n")
    return path


def scrubbed(lab: Lab, text: str) -> str:
    """As on nobody's machine: what is in `programs/` and what they need seem to be in `/srv/app`."""
    places = [(lab.folder, SCRUBBED), (platform.release(), KERNEL)]
    for python in (OLD_FASTAPI, PYTHON):
        packages = python.parents[1] / "lib/python3.11/site-packages"
        places += [(packages, "/srv/app/site-packages"), (python.parent, "/srv/app")]
    places += [(PROGRAMS, "/srv/app"), (MODULES, "/srv/app/node_modules")]
    for found, shown in places:
        text = text.replace(str(found), shown)
    return text


def check_scrubbed(id: str, text: str) -> None:
    """Nothing of this machine may be in a case."""
    home = str(pathlib.Path.home())
    parts = {str(REPOSITORY), "/".join(REPOSITORY.parts[:2]).replace("//", "/") + "/",
             home + "/", tempfile.gettempdir() + "/", socket.gethostname(), platform.release()}
    for part in parts:
        # A whole word: a short name may stand within a key.
        if found := re.search(rf"(?<![\w.-]){re.escape(part)}(?![\w-])" if part[-1] != "/" else rf"(?<![\w.-]){re.escape(part)}", text):
            at = found.start()
            raise AssertionError(f"{id} holds {part}: …{text[max(0, at - 80):at + 80]}…")
