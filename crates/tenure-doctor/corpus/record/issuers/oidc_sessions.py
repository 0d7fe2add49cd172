"""Refreshes and sessions of `oidc-provider`, which rotates strictly: a second use revokes the grant."""

import json
import socket
import threading
import time
import urllib.parse

from issuers.oidc_tokens import asked
from lab.common import answer, case, ensure, inputs, record, status, target
from lab.formats import event
from lab.oidc import SYSTEM, WITH_API, Provider, api
from lab.servers import Api, Denied


def refreshed(provider, token, client="web", times=1):
    """The exchanges of refreshes with this token, by the recorder."""
    probes = ["refresh", *(f"refresh-again-{number}" for number in range(1, times))]
    return record(target(f"{provider.base}/me"), refresh=provider.refreshing(token, client), only=probes, refreshes=times)


@case("oidc-refresh-race", family="session", recorded=SYSTEM, expected=["TN0602"], settling=True,
      fault="Two tabs refresh with the same token at once; the provider takes the second for a theft and ends the session.")
def race(lab):
    provider = Provider(lab)
    tokens = provider.tokens()
    seen = []
    tabs = [threading.Thread(target=lambda: seen.append(provider.refresh(tokens["refresh_token"]))) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    ensure(sorted(code for code, _ in seen) == [200, 400], f"one of two: {seen}")
    successor = next(body for code, body in seen if code == 200)["refresh_token"]
    exchanges = refreshed(provider, successor)
    ensure(answer(exchanges, "refresh")["status"] == 400, "the family is gone")
    return inputs(exchanges=exchanges, logs=provider.logs())


@case("oidc-refresh-response-lost", family="session", recorded=SYSTEM, expected=["TN0603"], settling=True,
      fault="The answer to a refresh never reached the phone; half a minute later it presented the old token again.")
def lost(lab):
    provider = Provider(lab)
    tokens = provider.tokens()
    form = urllib.parse.urlencode(provider.refreshing(tokens["refresh_token"])["form"])
    began = time.time()
    with socket.create_connection(("127.0.0.1", provider.port)) as connection:
        # Gone before the answer is read, as a phone that leaves its network.
        connection.sendall(f"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                           f"Content-Length: {len(form)}\r\n\r\n{form}".encode())
        time.sleep(0.3)
    time.sleep(32)
    exchanges = refreshed(provider, tokens["refresh_token"])
    ensure(answer(exchanges, "refresh")["status"] == 400, "taken for a theft")
    late = began - time.time() + 120
    log = (event(late, "token_refresh_started") + event(late + 10, "token_refresh_failed", error="SocketTimeoutException")
           + event(119, "token_refresh_started") + event(119.1, "token_refresh_failed", status=400, error="invalid_grant")
           + event(119.1, "redirect_to_login", reason="invalid_grant"))
    return inputs(exchanges=exchanges, logs=provider.logs() | {"app.log": log})


@case("oidc-client-removed", family="session", recorded=SYSTEM, expected=["TN0608"],
      fault="The client of the phone app was removed from the provider while its sessions went on.")
def client_removed(lab):
    provider = Provider(lab)
    token = provider.begin("phone")
    provider.post("/lab/remove-client?client=phone")
    exchanges = refreshed(provider, token, "phone")
    ensure("invalid_client" in answer(exchanges, "refresh")["body"], "invalid_client")
    log = event(119, "token_refresh_failed", status=401, error="invalid_client") + event(119.1, "redirect_to_login")
    return inputs(exchanges=exchanges, logs={"app.log": log} | provider.logs(), files={"app/.env": "OIDC_CLIENT_ID=phone\n"})


@case("oidc-session-idle", family="session", recorded=SYSTEM, expected=["TN0610"],
      fault="Refresh tokens live shorter than the app sleeps: after a night the session is over.")
def idle(lab):
    provider = Provider(lab, refresh_ttl=2)
    token = provider.begin()
    time.sleep(3)
    exchanges = refreshed(provider, token)
    ensure("invalid_grant" in answer(exchanges, "refresh")["body"], "expired")
    ensure("refresh token is expired" in provider.logs()["oidc.log"], "and its log says so")
    return inputs(exchanges=exchanges, logs=provider.logs())


@case("oidc-memory-adapter", family="session", recorded=SYSTEM, expected=["TN0606"], settling=True,
      fault="The provider keeps its grants in memory and was restarted: no refresh token of before is known.")
def memory(lab):
    provider = Provider(lab)
    token = provider.tokens()["refresh_token"]
    before = lab.read("oidc.out")
    provider.again()
    exchanges = refreshed(provider, token)
    ensure("invalid_grant" in answer(exchanges, "refresh")["body"], "unknown after a restart")
    ensure("in-memory adapter" in lab.read("oidc.out"), "it warns of it")
    return inputs(exchanges=exchanges, logs=provider.logs() | {"provider.out": before + lab.read("oidc.out")})


@case("oidc-revoked-but-accepted", family="session", recorded=SYSTEM, expected=["TN0609"], settling=True,
      fault="The token was revoked at the provider; the API keeps what introspection said for five minutes, and lets it in.")
def revoked(lab):
    provider = Provider(lab)
    credentials = {"client_id": "api", "client_secret": "lab-secret"}
    remembered = {}

    def verify(request):
        token = (request.header("authorization") or "").partition(" ")[2]
        if token not in remembered:
            remembered[token] = provider.post("/token/introspection", token=token, **credentials)[1]
        if not remembered[token].get("active"):
            raise Denied(401, "invalid_token", "the token is not active")
        return remembered[token]

    behind = Api(keys=dict)
    behind.verify = verify
    port = lab.enter(behind.running())
    token = provider.tokens(resource=None)["access_token"]
    url = f"http://127.0.0.1:{port}/orders"
    ensure(status(asked(url, token, provider, only=["client"])["exchanges"], "client") == 200, "before")
    provider.revoke(token)
    seen = asked(url, token, provider, introspection={"url": f"{provider.base}/token/introspection", **credentials})
    ensure(status(seen["exchanges"], "client") == 200, "the API lets it in")
    ensure(status(seen["exchanges"], "userinfo") == 401, "the provider does not")
    return inputs(**seen)


@case("oidc-healthy-rotation", family="healthy", recorded=WITH_API,
      fault="Nothing: the token is replaced twice, each time with a new refresh token; an old 401 in the log was recovered.")
def rotation(lab):
    provider = Provider(lab)
    tokens = provider.tokens()
    exchanges = refreshed(provider, tokens["refresh_token"], times=3)
    ensure(all(found["result"]["Ok"]["status"] == 200 for found in exchanges), "200")
    token = json.loads(answer(exchanges, "refresh-again-2")["body"])["access_token"]
    seen = asked(api(lab, provider), token, provider)
    ensure(status(seen["exchanges"], "client") == 200, "200")
    log = (event(0, "request_failed", path="/orders", status=401) + event(0.1, "token_refresh_started")
           + event(0.4, "token_refresh_succeeded", status=200) + event(0.5, "request_succeeded", path="/orders", status=200))
    seen["exchanges"] += exchanges
    return inputs(**seen, logs={"app.log": log} | provider.logs())
