"""Applications of `programs/` in a lab, tokens for them, and what a user then has."""

import json
import sys
import time

from lab.common import PROGRAMS, Lab, inputs, record, target
from lab.tokens import Key, claims

PYTHON_APPS = {"fastapi": "orders", "flask": "flask_orders", "drf": "drf_orders"}


def start(lab: Lab, kind: str, name="api", port: int | None = None, **options) -> int:
    """Starts `fastapi`, `flask`, `drf` or `express`; answers its port. Its log is `NAME.out`."""
    port = port or lab.port()
    env = {"OPTIONS": json.dumps({"port": port, **options}), "PYTHONUNBUFFERED": "1"}
    if kind == "express":
        command = ["node", PROGRAMS / "orders.mjs"]
    else:
        command = [sys.executable, PROGRAMS / f"{PYTHON_APPS[kind]}.py"]
    lab.start(name, command, port=port, env=env)
    return port


def secret_token(secret, *, alg="HS256", headers=None, issuer="https://auth.example.test", **more) -> str:
    """An HS256 token, issued a minute ago."""
    key = Key(alg, kid=None, private=secret)
    return key.token(headers={"kid": None, **(headers or {})}, **claims(issuer, **more))


def probed(port: int, token: str | None, *, path="/orders", method="GET", origin=None, issuer=None, keep=None,
           now=None, keys=None, files=None, logs=None, shown_issuer=True, **job) -> dict:
    """Probes the API, and answers the inputs of a user who did. `keep` picks the exchanges."""
    wanted = target(f"http://127.0.0.1:{port}{path}", method, origin, issuer)
    exchanges = record(wanted, token, **job)
    given = {name: job[name] for name in ("old_token", "other_token") if name in job}
    if not shown_issuer:
        wanted.pop("issuer", None)
    return inputs(now=now or time.time(), token=token, target=wanted, keys=keys, files=files, logs=logs,
                  exchanges=keep(exchanges) if keep else exchanges, **given)
