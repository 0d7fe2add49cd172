"""For the cases of those on call: services and clients of many makes under one moved clock, and their logs.

Programs run with `programs/clock.c` preloaded, so that the hours of a log pass while the requests are real.
"""

import datetime
import json
import random
import re
import subprocess
import time

from lab.common import PROGRAMS, PYTHON, ensure, inputs, scrubbed
from lab.wire import ask

VENV = PYTHON.parent
BOTS = ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "Mozilla/5.0 zgrab/0.x",
        "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)", "curl/7.88.1", "python-requests/2.31.0")
SCANNED = ("/.env", "/wp-login.php", "/actuator/health", "/.git/config", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php")
PHONES = ("okhttp/4.12.0", "Shop/412 CFNetwork/1494.0.7 Darwin/23.4.0",
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
          "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15")


class Story:
    """A lab with a clock. `begin` is the moment at which the story starts (ISO, UTC)."""

    def __init__(self, lab, begin: str):
        self.lab, self.offset, self.preload = lab, 0.0, lab.folder / "clock.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", self.preload, PROGRAMS / "clock.c"], check=True)
        at = datetime.datetime.fromisoformat(begin).replace(tzinfo=datetime.timezone.utc)
        self.random = random.Random(begin)
        self._move(at.timestamp() - time.time())

    def now(self) -> float:
        return time.time() + float((self.lab.folder / "clock").read_text())

    def pass_(self, seconds: float) -> None:
        """Lets time go by for all, once they have written what they still had to."""
        time.sleep(0.03)
        self._move(self.offset + seconds)

    def _move(self, offset: float) -> None:
        self.offset = offset
        self.lab.replace("clock", repr(offset))

    def env(self, skew: float = 0) -> dict[str, str]:
        """For a program that lives in this time, or beside it by a fixed number of seconds."""
        file = self.lab.folder / "clock"
        if skew:
            file = self.lab.write(f"clock{skew:+}", repr(self.offset + skew))
        return {"LD_PRELOAD": str(self.preload), "CLOCK": str(file)}

    def node(self, script: str, name="api", port=None, skew=0, env=None, **options) -> "Service":
        """A service of `programs/`; it reads OPTIONS."""
        port = port or self.lab.port()
        child = self.lab.start(name, ["node", "--no-deprecation", PROGRAMS / script], port=port, cwd=PROGRAMS,
                               env={**self.env(skew), "OPTIONS": json.dumps({"port": port, **options}), **(env or {})})
        return Service(self, name, port, child)

    def gunicorn(self, app: str, *more, name="web", port=None, env=None, **options) -> "Service":
        """A service of `programs/` under gunicorn."""
        port = port or self.lab.port()
        child = self.lab.start(name, [VENV / "gunicorn", "--bind", f"127.0.0.1:{port}", "--access-logfile", "-",
                                      "--no-control-socket", *more, app], port=port, cwd=PROGRAMS,
                               env={**self.env(), "OPTIONS": json.dumps(options), "PYTHONUNBUFFERED": "1",
                                    "PYTHONDONTWRITEBYTECODE": "1", **(env or {})})
        return Service(self, name, port, child)

    def python(self, script: str, name="api", port=None, skew=0, **options) -> "Service":
        """A service of `programs/` that serves by itself."""
        port = port or self.lab.port()
        child = self.lab.start(name, [PYTHON, PROGRAMS / script], port=port, cwd=PROGRAMS,
                               env={**self.env(skew), "OPTIONS": json.dumps({"port": port, **options}),
                                    "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"})
        return Service(self, name, port, child)

    def run(self, command: list, skew=0, seconds=60, env=None, **options) -> str:
        """What a program prints until it ends."""
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, cwd=self.lab.folder,
                              env={"PATH": "/usr/bin:/bin:/usr/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.lab.folder),
                                   "PYTHONDONTWRITEBYTECODE": "1", "OPTIONS": json.dumps(options), **self.env(skew), **(env or {})})
        self.offset = float((self.lab.folder / "clock").read_text())
        return tidy(self.lab, done.stdout.decode(errors="replace"))

    def inputs(self, **found) -> dict:
        """The inputs as of the story's now."""
        return inputs(now=self.now(), **found)


class Service:
    """A running service, and how it is asked."""

    def __init__(self, story: Story, name: str, port: int, child):
        self.story, self.name, self.port, self.child = story, name, port, child

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        time.sleep(0.1)
        return tidy(self.story.lab, self.story.lab.read(f"{self.name}.out"))

    def stop(self) -> None:
        self.child.terminate()
        self.child.wait(10)

    def send(self, method, path, *, body=None, form=None, headers=None, timeout=10):
        """(status, header fields, text) of one request on a connection of its own."""
        status, answered, text = ask(self.port, method, path, body=body, form=form, headers=headers, timeout=timeout)
        fields = {}
        for field, value in answered:
            fields[field.lower()] = f"{fields[field.lower()]}\n{value}" if field.lower() in fields else value
        return status, fields, text

    def noise(self, rounds: int, seconds: float = 6.0, probe="/healthz", agent="kube-probe/1.29") -> None:
        """Innocent traffic: health checks, bots, scanners."""
        chance = self.story.random
        for _ in range(rounds):
            self.send("GET", probe, headers={"user-agent": agent})
            if chance.random() < 0.2:
                path = chance.choice(SCANNED + ("/robots.txt", "/favicon.ico"))
                self.send("GET", path, headers={"user-agent": chance.choice(BOTS), "x-forwarded-for": "192.0.2.66"})
            self.story.pass_(seconds * (0.5 + chance.random()))


def tidy(lab, text: str) -> str:
    """A log without this machine's paths, those of Python's own library among them."""
    text = scrubbed(lab, text).replace("/srv/app/site-packages", "\0")
    return re.sub(r"/[\w./-]+/lib/python3\.\d+/(?=\w)", "/usr/lib/python3.11/", text).replace("\0", "/srv/app/site-packages")


def browse(story_or_lab, script: str, **job) -> dict:
    """Chromium by Playwright: runs a script of `programs/`; answers its JSON (`har`, `console` and others)."""
    lab = getattr(story_or_lab, "lab", story_or_lab)
    har = lab.folder / "page.har"
    done = subprocess.run(["node", PROGRAMS / script], input=json.dumps({"har": str(har), **job}), text=True,
                          capture_output=True, timeout=120, cwd=PROGRAMS)
    ensure(done.returncode == 0, f"browser: {done.stderr[-1500:]}")
    found = json.loads(done.stdout)
    found["har"] = har.read_text()
    return found


def sanitized(har: str) -> str:
    """As Chrome's developer tools export it: without cookies and credentials."""
    secret = {"authorization", "cookie", "set-cookie"}
    kept = json.loads(har)
    for entry in kept["log"]["entries"]:
        for side in ("request", "response"):
            entry[side]["headers"] = [field for field in entry[side]["headers"] if field["name"].lower() not in secret]
            entry[side]["cookies"] = []
        entry["response"]["status"] = max(entry["response"]["status"], 0)
        for name in ("_frameref", "_monotonicTime", "_serverPort", "_securityDetails"):
            entry.pop(name, None)
    kept["log"]["creator"] = {"name": "WebInspector", "version": "537.36"}
    return json.dumps(kept, indent=1)
