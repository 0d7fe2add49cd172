"""The backend of incident I5, as its team described it, and as it should have been.

    python server.py 127.0.0.1:PORT memory    # SecurityManager() built without its cache
    python server.py 127.0.0.1:PORT FILE      # the cache injected, here SQLite in FILE

Two families of routes: /auth/* as that team had them (snake_case, the refresh token in the body and kept
for its whole life), and /api/auth/* as in incident I2 (camelCase inside "data", the refresh token as
bearer, used once; a second use revokes the family).
"""

import json
import secrets
import sqlite3
import sys
import time
from datetime import datetime, timedelta, timezone

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel

ACCESS_SECONDS = 900
REFRESH_SECONDS = 604800
USERS = {"ann": "correct horse"}


class SqliteCache:
    """What Redis was meant to be: outside the process, shared by all workers."""

    def __init__(self, path):
        self.path = path
        with self.connect() as db:
            db.execute("CREATE TABLE IF NOT EXISTS cache (key TEXT PRIMARY KEY, value TEXT, ends REAL)")

    def connect(self):
        return sqlite3.connect(self.path, isolation_level=None)

    def set(self, key, value, expire):
        row = (key, json.dumps(value), time.time() + expire)
        with self.connect() as db:
            db.execute("INSERT OR REPLACE INTO cache VALUES (?, ?, ?)", row)

    def get(self, key):
        query = "SELECT value FROM cache WHERE key = ? AND ends > ?"
        with self.connect() as db:
            row = db.execute(query, (key, time.time())).fetchone()
        return json.loads(row[0]) if row else None

    def delete(self, key):
        with self.connect() as db:
            db.execute("DELETE FROM cache WHERE key = ?", (key,))


class SecurityManager:
    """Falls back to a dictionary without telling anybody but the log: the incident's cause."""

    def __init__(self, cache=None):
        self.cache = cache
        self.memory = {}

    def set(self, key, value, expire=REFRESH_SECONDS):
        if self.cache is None:
            shown = f"{key.split(':')[0]}:…"
            print(f"Using memory cache for: {shown} (cache=None, redis_available=False)", flush=True)
            self.memory[key] = value
        else:
            self.cache.set(key, value, expire)

    def get(self, key):
        return self.memory.get(key) if self.cache is None else self.cache.get(key)

    def delete(self, key):
        if self.cache is None:
            self.memory.pop(key, None)
        else:
            self.cache.delete(key)


listen, store = sys.argv[1:3]
security = SecurityManager() if store == "memory" else SecurityManager(cache=SqliteCache(store))
app = FastAPI()


class Login(BaseModel):
    username: str
    password: str


class Refresh(BaseModel):
    refresh_token: str


def check(login):
    if USERS.get(login.username) != login.password:
        raise HTTPException(401, "Incorrect username or password")


@app.post("/auth/login")
def login(login: Login):
    check(login)
    token = secrets.token_urlsafe(32)
    security.set(f"refresh_token:{token}", login.username)
    return {**access(), "refresh_token": token}


@app.post("/auth/refresh")
def refresh(body: Refresh):
    if security.get(f"refresh_token:{body.refresh_token}") is None:
        raise HTTPException(401, "Session expired")
    return access()


@app.post("/auth/logout", status_code=204)
def logout(body: Refresh):
    security.delete(f"refresh_token:{body.refresh_token}")


def access():
    return {"access_token": secrets.token_urlsafe(32), "token_type": "bearer", "expires_in": ACCESS_SECONDS}


@app.post("/api/auth/login")
def api_login(login: Login):
    check(login)
    return rotated(secrets.token_urlsafe(8))


@app.post("/api/auth/refresh")
def api_refresh(authorization: str = Header("")):
    token = authorization.removeprefix("Bearer ")
    family = security.get(f"family_of:{token}")
    if family is None or security.get(f"family:{family}") is None:
        return refused("SESSION_EXPIRED", "The session is over.")
    if security.get(f"used:{token}"):
        security.delete(f"family:{family}")
        return refused("TOKEN_REUSED", "The refresh token was used before.")
    security.set(f"used:{token}", True)
    return rotated(family)


def rotated(family):
    token = secrets.token_urlsafe(32)
    security.set(f"family:{family}", True)
    security.set(f"family_of:{token}", family)
    ends = datetime.now(timezone.utc) + timedelta(seconds=ACCESS_SECONDS)
    tokens = {"accessToken": secrets.token_urlsafe(32), "refreshToken": token, "accessExpiresAt": ends.isoformat()}
    return {"data": tokens}


def refused(code, message):
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=401)


host, port = listen.split(":")
uvicorn.run(app, host=host, port=int(port))
