"""An orders API with FastAPI's HTTPBearer and PyJWT; OPTIONS (JSON in the environment) says what is wrong.

    OPTIONS='{"port": 8000, "secret": "…"}' python orders.py
"""

import datetime
import json
import os
import secrets
import sys
import time

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

DEFAULTS = {
    "secret": "",
    "jwks": "",
    "algorithms": ["HS256"],
    "audience": "orders-api",
    "issuer": None,
    "leeway": 0,
    "texts": "reasons",
    "missing": 401,
    "roles_claim": "roles",
    "role": "admin",
    "behind": 0,
    "hold_keys": False,
}
OPTIONS = DEFAULTS | json.loads(os.environ["OPTIONS"])
REAL_TIME = time.time


def move_clock(seconds):
    """This process's clock is that much behind; PyJWT and the Date field go by it."""

    class Moved(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - datetime.timedelta(seconds=seconds)

    jwt.api_jwt.datetime = Moved
    time.time = lambda: REAL_TIME() - seconds


if OPTIONS["behind"]:
    move_clock(OPTIONS["behind"])
SECRET = secrets.token_hex(32) if OPTIONS["secret"] == "random" else OPTIONS["secret"]
# How long PyJWT's client keeps a key set; a client that never asks again has the one of its start.
LIFESPAN = 86400 if OPTIONS["hold_keys"] else 1
CLIENT = jwt.PyJWKClient(OPTIONS["jwks"], lifespan=LIFESPAN, timeout=2) if OPTIONS["jwks"] else None
HELD = {key.key_id: key for key in CLIENT.get_signing_keys()} if OPTIONS["hold_keys"] else None
bearer = HTTPBearer(auto_error=False)
app = FastAPI(docs_url=None, redoc_url=None)


def refuse(reason):
    text = reason if OPTIONS["texts"] == "reasons" else "Could not validate credentials"
    print(f"WARNING:  orders.auth: token refused: {reason}", file=sys.stderr, flush=True)
    raise HTTPException(401, text, {"WWW-Authenticate": "Bearer"})


def key_for(token):
    if CLIENT is None:
        return SECRET
    if HELD is None:
        return CLIENT.get_signing_key_from_jwt(token).key
    kid = jwt.get_unverified_header(token).get("kid")
    if kid not in HELD:
        refuse(f"Unable to find a signing key that matches: {kid}")
    return HELD[kid].key


def judge(token):
    try:
        return jwt.decode(
            token,
            key_for(token),
            OPTIONS["algorithms"],
            audience=OPTIONS["audience"],
            issuer=OPTIONS["issuer"],
            leeway=OPTIONS["leeway"],
        )
    except jwt.PyJWTError as error:
        return refuse(str(error))


def user(credentials: HTTPAuthorizationCredentials | None = Depends(bearer)):
    if credentials is None:
        challenge = {"WWW-Authenticate": "Bearer"} if OPTIONS["missing"] == 401 else None
        raise HTTPException(OPTIONS["missing"], "Not authenticated", challenge)
    return judge(credentials.credentials)


def has_role(claims):
    at = claims
    for name in OPTIONS["roles_claim"].split("."):
        at = at.get(name, {}) if isinstance(at, dict) else {}
    return OPTIONS["role"] in (at or [])


@app.get("/orders")
@app.head("/orders")
@app.post("/orders")
def orders(claims=Depends(user)):
    return {"orders": [{"id": 17, "total": "12.50"}], "user": claims.get("sub")}


@app.get("/admin/orders")
@app.head("/admin/orders")
def admin(claims=Depends(user)):
    if not has_role(claims):
        raise HTTPException(403, f"Role '{OPTIONS['role']}' required")
    return {"orders": [], "all": True}


@app.get("/catalogue")
@app.head("/catalogue")
def catalogue(credentials: HTTPAuthorizationCredentials | None = Depends(bearer)):
    """Public: a token is not asked for, but one that is sent is looked at."""
    claims = judge(credentials.credentials) if credentials else {}
    return {"items": ["chair", "table"], "prices_for": claims.get("sub")}


@app.get("/echo")
def echo(request: Request):
    return {"headers": dict(request.headers)}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=OPTIONS["port"], log_level="info")
