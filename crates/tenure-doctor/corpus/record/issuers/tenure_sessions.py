"""Sessions of Tenure's own service that end, and answers that say why."""

import json
import sqlite3
import time

import jwt
from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.formats import event
from lab.servers import Api
from lab.tenure import CAUSE, EMAIL, SYSTEM, Service, ready
from lab.wire import later, sent

API = f"{SYSTEM}, PyJWT 2.15.1"


def says(seen, probe, text):
    ensure(text in answer(seen["exchanges"], probe)["body"], f"{probe}: {text} in {answer(seen['exchanges'], probe)}")


@case("tenure-signed-out-elsewhere", family="session", recorded=SYSTEM, expected=[CAUSE["ended"]], settling=True,
      fault="An administrator ended all sessions of the user.")
def signed_out(lab):
    service = Service(lab)
    tokens = service.sign_in()
    headers = service.admin()
    ended = sent("client", f"{service.base}/admin/subjects/demo/sessions", headers=headers, method="DELETE")
    ensure(ended["result"]["Ok"]["status"] < 300, str(ended))
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    says(seen, "client", "the session has ended")
    says(seen, "refresh", "revoked_by_admin")
    return inputs(**seen)


@case("tenure-account-disabled", family="session", recorded=SYSTEM, expected=[CAUSE["disabled"]], settling=True,
      fault="The account was disabled.")
def disabled(lab):
    service = Service(lab)
    tokens = service.sign_in()
    service.cli("user", "disable", EMAIL)
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    says(seen, "refresh", "account_disabled")
    return inputs(**seen, logs=service.log())


@case("tenure-client-removed", family="session", recorded=SYSTEM, expected=[CAUSE["client"], "TN0608"], settling=True,
      fault="The app's client was taken out of the configuration, which was read again.")
def client_removed(lab):
    service = Service(lab)
    tokens = service.sign_in()
    service.configure(client=None)
    service.start()
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure(answer(seen["exchanges"], "refresh")["status"] in (400, 401), "refused")
    return inputs(**seen, logs=service.log(), files=service.toml() | {"app/.env": "OIDC_CLIENT_ID=app\n"})


def copied(service):
    """A session that was ended as its token had two holders; the tokens of the rightful one."""
    stolen = service.sign_in()["refresh_token"]
    first = service.refresh(stolen)[2]["refresh_token"]
    second = service.refresh(first)[2]
    service.later(3600)
    third = service.refresh(second["refresh_token"])[2]
    ensure(service.refresh(stolen)[2].get("tenure_reason") == "theft_detected", "the thief is noticed")
    return third


@case("tenure-theft", family="session", recorded=SYSTEM, expected=[CAUSE["theft"], "TN0602"], settling=True,
      fault="Somebody copied the refresh token, and both holders went on with it: the session was ended.")
def theft(lab):
    service = Service(lab)
    tokens = copied(service)
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    says(seen, "refresh", "theft_detected")
    kept = later(only(seen["exchanges"], "client", "bare", "altered", "refresh"), 3600)
    return inputs(now=int(time.time()) + 3600, **seen | {"exchanges": kept})


@case("tenure-theft-log", family="session", recorded=SYSTEM, expected=[CAUSE["theft"], "TN0602"], settling=True,
      fault="As `tenure-theft`; there is the service's log and nothing else.")
def theft_log(lab):
    service = Service(lab)
    tokens = copied(service)
    ensure(service.refresh(tokens["refresh_token"])[0] == 400, "the user is out")
    ensure("theft_detected" in service.log()["tenure.log"], "the log says why")
    return inputs(logs=service.log())


@case("tenure-idle", family="session", recorded=SYSTEM, expected=[CAUSE["lifetime"], "TN0610"], settling=True,
      fault="The session was not used for longer than its idle limit of an hour.")
def idle(lab):
    service = Service(lab, client='[clients.app.lifetimes]\naccess = "5m"\nidle = "1h"\nabsolute = "1d"')
    tokens = service.sign_in()
    now = service.later(7200)
    seen = service.record(None, only=["refresh"], refresh=service.refreshing(tokens["refresh_token"]))
    says(seen, "refresh", "expired_idle")
    return inputs(now=now, exchanges=later(seen["exchanges"], 7200), files=service.toml())


@case("tenure-clock-jumped", family="verifier", recorded=SYSTEM, expected=[CAUSE["clock"], "TN0416"], settling=True,
      fault="The clock of the service was put two hours ahead: to it, a token of a minute ago has expired.")
def clock(lab):
    service = Service(lab)
    tokens = service.sign_in()
    service.later(7200)
    seen = service.record(tokens["access_token"])
    ensure(status(seen["exchanges"], "client") == 401, "expired to it")
    return inputs(**seen, files=ready(service))


@case("tenure-memory-restarted", family="session", recorded=SYSTEM, expected=[CAUSE["memory"], "TN0606", "TN0409"], settling=True,
      fault="The service runs with --dangerous-memory-store, and was restarted: sessions and keys are gone.")
def memory(lab):
    service = Service(lab, flags=["--dangerous-memory-store"])
    tokens = service.sign_in()
    service.start()
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure(status(seen["exchanges"], "client") == 401, "its keys are new too")
    ensure(answer(seen["exchanges"], "refresh")["status"] == 503, str(answer(seen["exchanges"], "refresh")))
    return inputs(**seen, logs=service.log(), files=ready(service))


@case("tenure-rate-limited", family="session", recorded=SYSTEM, expected=[CAUSE["limit"], "TN0316", "TN0604"], settling=True,
      fault="The service allows two token requests a minute, and the app takes 429 for the end of its session.")
def limited(lab):
    service = Service(lab, config="[limits]\ntoken_per_minute = 2\n")
    tokens = service.sign_in()
    for _ in range(3):
        code, _, more = service.refresh(tokens["refresh_token"])
        tokens = more if code == 200 else tokens
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure(answer(seen["exchanges"], "refresh")["status"] == 429, "429")
    log = event(118, "token_refresh_failed", status=429) + event(118.1, "will_clear_session") + event(118.2, "redirect_to_login")
    return inputs(**seen, logs={"app.log": log}, files=service.toml())


@case("tenure-store-read-only", family="session", recorded=SYSTEM, expected=[CAUSE["store"]], settling=True,
      fault="Another process holds the database: the service cannot write, and answers 503.")
def store(lab):
    service = Service(lab)
    tokens = service.sign_in()
    holder = sqlite3.connect(service.data / "tenure.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        seen = service.record(tokens["access_token"], timeout_s=20, repeats=1, refresh=service.refreshing(tokens["refresh_token"]))
        ready_then = ready(service)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    ensure(answer(seen["exchanges"], "refresh")["status"] == 503, str(answer(seen["exchanges"], "refresh")))
    return inputs(**seen, logs=service.log(), files=ready_then)


@case("tenure-healthy", family="healthy", recorded=SYSTEM,
      fault="Nothing: the service with a session that was refreshed three times, one refresh of them twice.")
def healthy(lab):
    service = Service(lab)
    first = service.sign_in()
    second = service.refresh(first["refresh_token"])[2]
    again = service.refresh(first["refresh_token"])
    ensure(again[0] == 200, "a late duplicate is answered")
    seen = service.record(second["access_token"], refresh=service.refreshing(second["refresh_token"]),
                          introspection=service.introspecting())
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "refresh") == 200, "200")
    return inputs(**seen, logs=service.log(), files=service.toml() | ready(service))


@case("tenure-healthy-late-duplicate", family="healthy", recorded=SYSTEM,
      fault="Nothing: a phone lost the answer to its refresh and came back with the old token, and was served.")
def late_duplicate(lab):
    service = Service(lab)
    first = service.sign_in()
    ensure(service.refresh(first["refresh_token"])[0] == 200, "the answer that was lost")
    now = service.later(60)
    exchanges = service.record(None, only=["refresh"], refresh=service.refreshing(first["refresh_token"]))["exchanges"]
    ensure(status(exchanges, "refresh") == 200, "served")
    token = json.loads(answer(exchanges, "refresh")["body"])["access_token"]
    seen = service.record(token)
    ensure(status(seen["exchanges"], "client") == 200, "200")
    log = (event(0, "token_refresh_failed", error="SocketTimeoutException") + event(60, "token_refresh_started")
           + event(60.2, "token_refresh_succeeded", status=200))
    return inputs(now=now, **seen | {"exchanges": later(seen["exchanges"] + exchanges, 60)}, logs={"app.log": log} | service.log())


@case("tenure-revoked-but-accepted", family="session", recorded=API, expected=["TN0609"], settling=True,
      fault="The session was ended; an API that verifies by signature alone goes on, introspection says it is over.")
def revoked(lab):
    service = Service(lab)
    tokens = service.sign_in()
    known = {key.key_id: (key.key, key.algorithm_name) for key in jwt.PyJWKSet.from_json(service.jwks()).keys}
    port = lab.enter(Api(keys=lambda: known, issuer=service.issuer, audience=service.issuer).running())
    service.call("/oauth2/revoke", token=tokens["refresh_token"], client_id="app")
    wanted = target(f"http://127.0.0.1:{port}/orders", issuer=service.base)
    exchanges = record(wanted, tokens["access_token"], introspection=service.introspecting())
    ensure(status(exchanges, "client") == 200, "the API lets it in")
    ensure('"active":false' in answer(exchanges, "introspection")["body"], "it is over")
    ensure(status(exchanges, "userinfo") == 401, "at the service too")
    return inputs(target=wanted, token=tokens["access_token"], exchanges=exchanges)
