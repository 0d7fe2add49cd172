"""A small session service with a clock of its own, and apps that use it, in a lab.

The hours of a log pass by moving a clock that all processes read; the requests are real.
"""

import base64
import datetime
import email.utils
import hashlib
import http.client
import json
import sys
import time

from lab.common import PROGRAMS, Lab, ensure, inputs, scrubbed
from lab.versions import versions
from lab.wire import ask

FASTAPI = versions("fastapi", "structlog", "PyJWT")
PINO = versions("express", "pino-http", "jsonwebtoken")
WINSTON = versions("express", "winston", "jsonwebtoken")
MORGAN = versions("express", "morgan", "jsonwebtoken")
APP = "a scripted app"


def fields(text: str) -> dict:
    """The payload of a JWT."""
    body = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


class World:
    """A lab with a clock. `begin` is the moment at which the story starts (ISO, UTC)."""

    def __init__(self, lab: Lab, begin: str):
        self.lab = lab
        self.clock = lab.folder / "clock"
        self.set(begin)

    def set(self, moment: str) -> None:
        at = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.timezone.utc)
        self._move(at.timestamp() - time.time())

    def pass_(self, seconds: float) -> None:
        """Moves the clock of all, once the services have written what they still had to."""
        time.sleep(0.02)
        self._move(float(self.clock.read_text()) + seconds)

    def _move(self, offset: float) -> None:
        self.lab.replace("clock", repr(offset))

    def now(self) -> float:
        return time.time() + float(self.clock.read_text())

    def python(self, name="api", port: int | None = None, **options) -> "Server":
        """The FastAPI service."""
        port = port or self.lab.port()
        settings = json.dumps({"port": port, "clock": str(self.clock), "worker": name, **options})
        child = self.lab.start(name, [sys.executable, PROGRAMS / "sessions.py"], port=port,
                               env={"OPTIONS": settings, "PYTHONUNBUFFERED": "1"})
        return Server(self, name, port, child, "/auth/refresh")

    def node(self, name="api", port: int | None = None, **options) -> "Server":
        """The Express service."""
        port = port or self.lab.port()
        child = self.lab.start(name, ["node", "--require", PROGRAMS / "clock.cjs", PROGRAMS / "sessions.mjs"], port=port,
                               env={"OPTIONS": json.dumps({"port": port, **options}), "CLOCK": str(self.clock)})
        return Server(self, name, port, child, "/api/auth/refresh")


class Server:
    """A running service."""

    def __init__(self, world: World, name: str, port: int, child, refresh_path: str):
        self.world, self.name, self.port, self.child = world, name, port, child
        self.refresh_path = refresh_path

    def log(self) -> str:
        return scrubbed(self.world.lab, self.world.lab.read(f"{self.name}.out"))

    def stop(self) -> None:
        self.child.terminate()
        self.child.wait(5)

    def send(self, method, path, *, body=None, headers=None, timeout=5):
        """(status, headers, body) of one request on a connection of its own."""
        status, fields, text = ask(self.port, method, path, body=body, headers=headers, timeout=timeout)
        return status, dict(fields), text

    def noise(self, rounds: int, seconds: float = 7.0) -> None:
        """Innocent traffic: health checks, things that are not there, callers without a token."""
        for turn in range(rounds):
            self.send("GET", "/health", headers={"user-agent": "kube-probe/1.29"})
            if turn % 9 == 4:
                self.send("GET", "/favicon.ico", headers={"user-agent": "Mozilla/5.0"})
            if turn % 23 == 11:
                self.send("GET", "/robots.txt", headers={"user-agent": "bingbot/2.0"})
            if turn % 31 == 17:
                self.send("GET", "/api/feed", headers={"user-agent": "zgrab/0.x"})
            self.world.pass_(seconds)


class App:
    """A client that keeps a session and a log of what it does.

    `layout` is the format of its lines: `named` (name and trailing JSON), `bare` (the same without
    time), `logfmt`, `tracing`, `winston`, `pino`.
    """

    def __init__(self, server: Server, user: str, layout="named", device: str | None = None, ip: str | None = None):
        self.server, self.user, self.layout = server, user, layout
        self.device = device or f"{user}-phone"
        self.ip = ip
        self.world = server.world
        self.lines: list[str] = []
        self.entries: list[dict] = []
        self.access = self.refresh_token = ""

    def event(self, name: str, level="info", **more) -> None:
        self.lines.append(LAYOUTS[self.layout](self.world.now(), level, name, more, self))

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def call(self, method, path, *, body=None, token=None, timeout=5, record=True):
        """One request; it goes into the HAR as a browser would have it."""
        headers = {"x-device": self.device, "user-agent": "okhttp/4.12.0"}
        if self.ip:
            headers["x-forwarded-for"] = self.ip
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        begin = self.world.now()
        status, received, text = self.server.send(method, path, body=body, headers=headers, timeout=timeout)
        # The moved clock does not reach the HTTP layer of the services.
        received["date"] = email.utils.formatdate(self.world.now(), usegmt=True)
        received.pop("Date", None)
        if record:
            self.entries.append(entry(self.server.port, method, path, headers, body, begin, status, received, text,
                                      self.world.now()))
        return status, received, text

    def login(self) -> None:
        status, _, text = self.call("POST", "/login", body={"user": self.user})
        ensure(status == 200, f"login {status}")
        self.keep(json.loads(text))
        self.event("login_succeeded", expires_in=json.loads(text)["expires_in"], user=self.user)

    def keep(self, grant: dict, blank=False) -> None:
        self.access = grant["access_token"]
        given = grant.get("refresh_token")
        if given is not None or blank:
            self.refresh_token = given or ""

    def get(self, path="/api/feed", token=True, quiet=False) -> int:
        status, _, _ = self.call("GET", path, token=self.access if token else None)
        if not quiet:
            self.event("request", "info" if status < 400 else "warn", method="GET", path=path, status=status,
                       had_token=bool(token and self.access))
        return status

    def refresh(self, *, token=None, timeout=5, keep=True, blank=False, quiet=False):
        """The status, or the exception's name; the body as text."""
        sent = self.refresh_token if token is None else token
        if not quiet:
            self.event("token_refresh_started", refresh_token_fp=short(sent), refresh_token_length=len(sent))
        try:
            status, _, text = self.call("POST", self.server.refresh_path, body={"refresh_token": sent},
                                        timeout=timeout)
        except (TimeoutError, ConnectionError) as error:
            if not quiet:
                self.event("token_refresh_failed", "error", error=type(error).__name__, message=str(error))
            return 0, type(error).__name__
        if status == 200:
            if keep:
                self.keep(json.loads(text), blank)
            if not quiet:
                self.event("token_refresh_succeeded", refresh_token_fp=short(self.refresh_token),
                           expires_in=json.loads(text)["expires_in"])
        elif not quiet:
            self.event("token_refresh_failed", "error", status=status, body=text[:120])
        return status, text

    def sign_out(self, why: str, name="session_cleared") -> None:
        self.access = self.refresh_token = ""
        self.event(name, "warn", reason=why)

    def har(self, sanitized=True) -> str:
        """HAR 1.2, as Chrome exports it: without credentials, unless told otherwise."""
        secret = {"authorization", "cookie", "set-cookie"}
        entries = json.loads(json.dumps(self.entries))
        for each in entries if sanitized else []:
            for side in ("request", "response"):
                each[side]["headers"] = [h for h in each[side]["headers"] if h["name"].lower() not in secret]
        creator = {"name": "WebInspector", "version": "537.36"}
        return json.dumps({"log": {"version": "1.2", "creator": creator, "pages": [], "entries": entries}}, indent=1)


def entry(port, method, path, headers, body, begin, status, received, text, end) -> dict:
    pairs = lambda named: [{"name": name, "value": value} for name, value in named.items()]
    request = {"method": method, "url": f"http://127.0.0.1:{port}{path}", "httpVersion": "HTTP/1.1",
               "headers": pairs(headers), "queryString": [], "cookies": [], "headersSize": -1,
               "bodySize": len(json.dumps(body)) if body is not None else 0}
    if body is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
    mime = next((value for name, value in received.items() if name.lower() == "content-type"), "")
    response = {"status": status, "statusText": http.client.responses.get(status, ""), "httpVersion": "HTTP/1.1",
                "headers": pairs(received), "cookies": [], "redirectURL": "", "headersSize": -1,
                "bodySize": len(text), "content": {"size": len(text), "mimeType": mime, "text": text}}
    return {"startedDateTime": iso(begin), "time": round((end - begin) * 1000, 1), "request": request,
            "response": response, "cache": {}, "timings": {"send": 0, "wait": round((end - begin) * 1000, 1), "receive": 0}}


def short(token: str) -> str:
    """As the services write it."""
    return hashlib.sha256(token.encode()).hexdigest()[:12] if token else ""


def iso(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def named(at, level, name, more, app):
    return f"{iso(at)} [auth] {level.upper()} {name} {json.dumps(more)}"


def bare(_at, _level, name, more, _app):
    return f" LOG  [auth] {name} {json.dumps(more)}"


def logfmt(at, level, name, more, app):
    words = {"ts": iso(at), "level": level, "msg": name, "device": app.device, **more}
    quoted = lambda value: json.dumps(value) if isinstance(value, str) and (" " in value or '"' in value or not value) else (
        json.dumps(value) if not isinstance(value, str) else value)
    return " ".join(f"{key}={quoted(value)}" for key, value in words.items())


def tracing(at, level, name, more, app):
    return json.dumps({"timestamp": iso(at), "level": level.upper(), "fields": {"message": name, **more},
                       "target": "app::session", "span": {"device": app.device, "name": "session"},
                       "spans": [{"device": app.device, "name": "session"}]})


def winston(at, level, name, more, app):
    return json.dumps({"device": app.device, "level": level, "message": name, **more, "timestamp": iso(at)})


def pino(at, level, name, more, app):
    return json.dumps({"level": {"info": 30, "warn": 40, "error": 50}[level], "time": int(at * 1000), "pid": 4711,
                       "hostname": app.device, **more, "msg": name})


LAYOUTS = {"named": named, "bare": bare, "logfmt": logfmt, "tracing": tracing, "winston": winston, "pino": pino}


def merged(*apps: App, key=None) -> str:
    """The lines of several apps in one file, by time (layouts that begin with it)."""
    return "\n".join(sorted(line for app in apps for line in app.lines)) + "\n"


def of(world: World, **logs) -> dict:
    """The inputs of a user who has logs only."""
    return inputs(now=world.now(), logs={name.replace("__", "."): text for name, text in logs.items()})
