"""Frameworks of many languages in a lab, hours of ordinary traffic before the fault, and what a user then has."""

import json
import random
import re
import socket
import time

from lab.common import PROGRAMS, PYTHON, Lab, clock_in, inputs, record, scrubbed, target
from lab.tokens import Key, claims
from lab.wire import ask

ISSUER = "https://login.example.test"
BOTS = [("/wp-login.php", "Mozilla/5.0 (compatible; CensysInspect/1.1)"), ("/.env", "python-requests/2.31.0"),
        ("/robots.txt", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
        ("/actuator/health", "zgrab/0.x"), ("/.git/config", "Go-http-client/1.1"), ("/favicon.ico", "Mozilla/5.0 (iPhone)")]
AGENTS = ["okhttp/4.12.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36", "axios/1.12.2",
          "Shop/3.18.1 (iPhone; iOS 18.5)", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0"]


class Clock:
    """The time of the programs that it is given to, moved by a file that libfaketime reads."""

    def __init__(self, lab: Lab, hours_ago: float = 0, rest: float = 0):
        self.lab, self.offset, self.rest = lab, 0.0, rest
        self.file = lab.folder / "faketime.rc"
        self.move(-hours_ago * 3600)

    def move(self, offset: float) -> None:
        self.offset = offset
        self.lab.replace("faketime.rc", f"{offset:+.1f}s\n")

    def pass_(self, seconds: float) -> None:
        self.move(self.offset + seconds)

    def now(self) -> float:
        return time.time() + self.offset

    def env(self) -> dict[str, str]:
        return clock_in(self.file)


COMMANDS = {".mjs": lambda path: ["node", path], ".cjs": lambda path: ["node", path], ".rb": lambda path: ["ruby", path],
            ".pl": lambda path: ["perl", path], ".py": lambda path: [PYTHON, path]}


class RealClock(Clock):
    """For programs that libfaketime stops from sleeping (gunicorn): its seconds pass in a moment, unnoticed."""

    def pass_(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.04))

    def env(self) -> dict[str, str]:
        return {}


class Service:
    """A program of `programs/`, and its log."""

    def __init__(self, lab: Lab, program: str, *, clock: Clock | None = None, name="api", port=None, env=None, command=None, **options):
        self.lab, self.clock, self.name = lab, clock or Clock(lab), name
        self.port = port or lab.port()
        self.random = random.Random(name + program)
        path = PROGRAMS / program
        settings = {"port": self.port, **options}
        self.child = lab.start(
            name, command or COMMANDS[path.suffix](path), port=self.port,
            env={"OPTIONS": json.dumps(settings), "PORT": str(self.port), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1",
                 **self.clock.env(), **(env or {})})

    def log(self, last: int | None = None) -> str:
        text = scrubbed(self.lab, self.lab.read(f"{self.name}.out"))
        text = text.replace(f'"hostname":"{socket.gethostname()}"', '"hostname":"orders-6f7c9d5b8-x2k4q"')
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
        return text if last is None else "".join(text.splitlines(keepends=True)[-last:])

    def ask(self, path, token=None, method="GET", *, ip=None, agent=None, headers=None, body=None, scheme="Bearer ") -> int:
        """The status of one request."""
        sent = {"user-agent": agent or AGENTS[0], **({"x-forwarded-for": ip} if ip else {}), **(headers or {})}
        if token:
            sent["authorization"] = scheme + token
        status, self.received, self.answered = ask(self.port, method, path, body=body, headers=sent, timeout=15)
        return status

    def traffic(self, mint, *, rounds=20, minutes=60.0, paths=("/api/orders", "/api/orders/17", "/api/me"), good=True) -> list[int]:
        """What others do meanwhile: users with tokens that `mint(now, subject)` makes, probes, bots. Their statuses."""
        seen = []
        for turn in range(rounds):
            self.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
            for _ in range(self.random.randint(1, 3)):
                number = self.random.randrange(9)
                token = mint(self.clock.now(), f"u-{5100 + number}") if mint else None
                seen.append(self.ask(self.random.choice(paths), token, ip=f"203.0.113.{20 + number}", agent=AGENTS[number % 5]))
            if turn % 7 == 3:
                path, agent = BOTS[self.random.randrange(len(BOTS))]
                self.ask(path, ip=f"198.51.100.{self.random.randrange(200)}", agent=agent)
            if turn % 13 == 8:
                self.ask("/api/orders", ip="192.0.2.77", agent="curl/8.5.0")
            self.clock.pass_(minutes * 60 / rounds * self.random.uniform(0.6, 1.4))
        if good and any(status >= 400 for status in seen):
            raise AssertionError(f"others are refused: {seen}")
        return seen

    def probed(self, token, *, path="/api/orders", method="GET", origin=None, issuer=None, keep=None, keys=None, files=None,
               logs=None, last=None, log_name=None, show=True, **job) -> dict:
        """Probes it now, and answers the inputs of a user who did; `log_name` adds the log of before."""
        before = self.log(last)
        self.clock.move(self.clock.rest)
        wanted = target(f"http://127.0.0.1:{self.port}{path}", method, origin, issuer)
        exchanges = record(wanted, token, **job) if show else []
        texts = {**({log_name: before} if log_name else {}), **(logs or {})}
        given = {name: job[name] for name in ("old_token", "other_token") if name in job}
        return inputs(token=token, target=wanted, keys=keys, files=files, logs=texts, exchanges=keep(exchanges) if keep else exchanges, **given)


def mint(key: Key, *, issuer=ISSUER, secret=None, **fixed):
    """A maker of good tokens: `make(now, subject, **claims)`."""

    def make(now=None, subject="u-4711", headers=None, **more):
        return key.token(secret=secret, headers=headers, **claims(issuer, **{"subject": subject, "now": now, **fixed, **more}))

    return make


def hs(secret, **fixed):
    """The same with a shared secret and no kid."""
    return mint(Key("HS256", kid=None, private=secret), **fixed)


def show(found: dict, probe="client") -> str:
    """Status and text of an answer, for a look."""
    for exchange in found.get("exchanges", []):
        if exchange["probe"] == probe and "Ok" in exchange["result"]:
            answer = exchange["result"]["Ok"]
            return f"{answer['status']} {answer['body'][:300]} {[v for n, v in answer['headers'] if n == 'www-authenticate']}"
    return "-"
