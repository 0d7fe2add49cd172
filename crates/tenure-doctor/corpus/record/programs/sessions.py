"""A small session service that keeps a log: FastAPI, structlog, PyJWT.

    OPTIONS='{…}' python logs_server.py

OPTIONS (JSON): port, clock (a file with the seconds by which its clock is moved), and what is set in
`DEFAULTS`. One thing is wrong with it at most, as OPTIONS says; its log is on standard output.
"""

import asyncio
import datetime
import hashlib
import json
import logging
import os
import secrets
import sqlite3
import sys
import time

import jwt
import structlog
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

DEFAULTS = {
    "access_ttl": 900,
    "refresh_ttl": 2592000,
    "idle": 0,
    "rotate": True,
    "reuse": "revoke",
    "grace": 0,
    "store": "",
    "secret": "corpus-secret-of-thirty-two-bytes!",
    "verify_with": "",
    "omit_refresh": False,
    "plan": [],
    "log": "structlog",
    "worker": "w1",
    "quiet": False,
}
OPTIONS = DEFAULTS | json.loads(os.environ["OPTIONS"])
SECRET = secrets.token_hex(32) if OPTIONS["secret"] == "random" else OPTIONS["secret"]


def now():
    with open(OPTIONS["clock"], encoding="ascii") as file:
        return time.time() + float(file.read() or 0)


def fingerprint(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def stamp(_logger, _method, event):
    moment = datetime.datetime.fromtimestamp(now(), datetime.timezone.utc)
    event["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


class Plain(logging.Formatter):
    """The layout of many Python services: time, [LEVEL], logger, text."""

    def __init__(self):
        super().__init__("%(asctime)s [%(levelname)s] %(name)s: %(message)s")

    def formatTime(self, record, datefmt=None):
        moment = datetime.datetime.fromtimestamp(now(), datetime.timezone.utc)
        return moment.strftime("%Y-%m-%d %H:%M:%S,") + f"{moment.microsecond // 1000:03d}"


class PlainLog:
    """Named loggers behind the calls of structlog."""

    def __init__(self):
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(Plain())
        self.loggers = {}
        for name in ("core.security_engine.auth", "api.access", "api.auth"):
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
            self.loggers[name] = logger

    def write(self, level, event, fields):
        name = "api.access" if event == "request" else "api.auth"
        text = " ".join(f"{key}={value}" for key, value in fields.items())
        self.loggers[name].log(level, "%s %s", event, text)

    def info(self, event, **fields):
        self.write(logging.INFO, event, fields)

    def warning(self, event, **fields):
        self.write(logging.WARNING, event, fields)


def logger():
    if OPTIONS["log"] == "plain":
        return PlainLog()
    last = (
        structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
        if OPTIONS["log"] == "logfmt"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(processors=[structlog.processors.add_log_level, stamp, last])
    return structlog.get_logger().bind(worker=OPTIONS["worker"], pid=os.getpid())


LOG = logger()


class Store:
    """Refresh tokens by hash: a dictionary of this process, or SQLite that processes share."""

    def __init__(self, path):
        self.db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS t"
            " (hash TEXT PRIMARY KEY, user TEXT, family TEXT, born REAL, used REAL)"
        )
        self.db.execute("CREATE TABLE IF NOT EXISTS revoked (family TEXT PRIMARY KEY)")

    def put(self, token, user, family):
        self.db.execute(
            "INSERT INTO t VALUES (?, ?, ?, ?, NULL)", (fingerprint(token), user, family, now())
        )

    def get(self, token):
        return self.db.execute(
            "SELECT user, family, born, used FROM t WHERE hash = ?", (fingerprint(token),)
        ).fetchone()

    def use(self, token):
        self.db.execute("UPDATE t SET used = ? WHERE hash = ?", (now(), fingerprint(token)))

    def touch(self, token):
        self.db.execute("UPDATE t SET born = ? WHERE hash = ?", (now(), fingerprint(token)))

    def revoke(self, family):
        self.db.execute("INSERT OR IGNORE INTO revoked VALUES (?)", (family,))

    def revoked(self, family):
        return bool(self.db.execute("SELECT 1 FROM revoked WHERE family = ?", (family,)).fetchone())


STORE = Store(OPTIONS["store"])
PLAN = list(OPTIONS["plan"])
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.middleware("http")
async def access(request: Request, call_next):
    begin = time.monotonic()
    answer = await call_next(request)
    fields = {
        "method": request.method,
        "path": request.url.path,
        "status": answer.status_code,
        "duration_ms": round((time.monotonic() - begin) * 1000, 1),
        "client": request.headers.get("x-device", "-"),
    }
    if request.headers.get("x-request-id"):
        fields["request_id"] = request.headers["x-request-id"]
    (LOG.warning if answer.status_code >= 400 else LOG.info)("request", **fields)
    return answer


def access_token(user):
    at = int(now())
    claims = {
        "sub": user,
        "iss": "https://auth.example.test",
        "aud": "feed",
        "iat": at,
        "exp": at + OPTIONS["access_ttl"],
        "jti": secrets.token_hex(6),
    }
    return jwt.encode(claims, SECRET, "HS256")


def grant(user, family):
    refresh = "rt_" + secrets.token_urlsafe(24)
    STORE.put(refresh, user, family)
    if OPTIONS["log"] == "plain" and not OPTIONS["store"]:
        LOG.loggers["core.security_engine.auth"].warning(
            "Using memory cache for: refresh_token:%s (cache=None, redis_available=False)",
            fingerprint(refresh),
        )
    body = {
        "access_token": access_token(user),
        "token_type": "Bearer",
        "expires_in": OPTIONS["access_ttl"],
    }
    return body | {"refresh_token": refresh}, refresh


@app.post("/login")
async def login(request: Request):
    user = (await request.json())["user"]
    body, refresh = grant(user, secrets.token_hex(6))
    LOG.info("login_succeeded", user=user, refresh_token_fp=fingerprint(refresh))
    return JSONResponse(body)


def invalid_grant(reason, token, **more):
    LOG.warning(
        "refresh_refused",
        error="invalid_grant",
        reason=reason,
        refresh_token_fp=fingerprint(token) if token else "",
        token_length=len(token or ""),
        **more,
    )
    described = {"error": "invalid_grant", "error_description": reason}
    if OPTIONS["log"] == "plain":
        return JSONResponse({"detail": "Session expired"}, 401)
    return JSONResponse(described, 400)


def planned(step):
    if step == "waf":
        return JSONResponse(
            {
                "__type": "ForbiddenException",
                "message": "Request not allowed due to WAF block.",
            },
            403,
        )
    if step == "429":
        return JSONResponse({"error": "slow_down"}, 429, {"retry-after": "2"})
    return HTMLResponse("<html><body><h1>Service Unavailable</h1></body></html>", int(step))


def judged(token):
    """The reason for which a token is refused, or its row."""
    row = STORE.get(token) if token else None
    if row is None:
        return ("missing" if not token else "unknown refresh token"), None
    user, family, born, used = row
    if STORE.revoked(family):
        return "family revoked", row
    if now() - born > OPTIONS["refresh_ttl"]:
        return "expired", row
    if OPTIONS["idle"] and now() - born > OPTIONS["idle"]:
        return "Session not active", row
    if used is not None and OPTIONS["rotate"] and now() - used > OPTIONS["grace"]:
        return "already used", row
    return None, row


@app.post("/auth/refresh")
@app.post("/oauth2/token")
async def refresh(request: Request):
    token = (await request.json()).get("refresh_token")
    step = PLAN.pop(0) if PLAN else "ok"
    if step not in ("ok", "slow"):
        return planned(step)
    reason, row = judged(token)
    if reason == "already used":
        user, family, _, used = row
        if OPTIONS["reuse"] == "revoke":
            STORE.revoke(family)
            LOG.warning("family_revoked", family=family, user=user)
        return invalid_grant(
            "refresh token already used", token, seconds_since_use=round(now() - used, 3)
        )
    if reason:
        return invalid_grant(reason, token)
    user, family, _, _ = row
    body, successor = grant(user, family)
    if OPTIONS["rotate"]:
        STORE.use(token)
    else:
        STORE.touch(token)
    if OPTIONS["omit_refresh"] or not OPTIONS["rotate"]:
        del body["refresh_token"]
    LOG.info(
        "token_refreshed",
        user=user,
        refresh_token_fp=fingerprint(token),
        successor_fp=fingerprint(successor),
    )
    if step == "slow":
        await asyncio.sleep(1)
    return JSONResponse(body)


@app.get("/api/{name:path}")
@app.post("/api/{name:path}")
async def api(name: str, request: Request):
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return JSONResponse({"detail": "Not authenticated"}, 401, {"www-authenticate": "Bearer"})
    try:
        jwt.decode(
            token,
            OPTIONS["verify_with"] or SECRET,
            ["HS256"],
            audience="feed",
            options={"verify_exp": False, "verify_iat": False},
        )
        claims = jwt.decode(token, options={"verify_signature": False})
        if claims["exp"] <= now():
            raise jwt.ExpiredSignatureError("Signature has expired")
    except jwt.PyJWTError as error:
        if not OPTIONS["quiet"]:
            LOG.warning("token_rejected", error=type(error).__name__, detail=str(error))
        challenge = 'Bearer error="invalid_token"'
        return JSONResponse({"detail": "Invalid token"}, 401, {"www-authenticate": challenge})
    return {"name": name, "items": []}


@app.get("/health")
async def health():
    return {"status": "ok"}


if __name__ == "__main__":
    LOG.info("service_started", version="2.4.1", port=OPTIONS["port"])
    uvicorn.run(app, host="127.0.0.1", port=OPTIONS["port"], log_level="critical", workers=None)
