"""Sessions and tokens of Glewlwyd, which gives no reasons, and what is seen of them elsewhere."""

import hashlib
import json
import time
import urllib.request

import jwt
from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.formats import event
from lab.glewlwyd import SYSTEM, Glewlwyd
from lab.servers import Api
from lab.tokens import Key

WITH_API = f"{SYSTEM}, PyJWT 2.15.1"


def fingerprint(token):
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def stamped(name, **more):
    """A line of an app's log, at this moment."""
    return event(120, name, **more)


def keys(provider):
    with urllib.request.urlopen(f"{provider.issuer}/jwks") as answered:
        sets = jwt.PyJWKSet.from_json(answered.read().decode())
    return {key.key_id: (key.key, key.algorithm_name or "ES256") for key in sets.keys}


def api(lab, provider, **changes):
    """An API that verifies this provider's tokens; the target of a case."""
    known = keys(provider)
    settings = {"keys": lambda: known, "issuer": provider.issuer, "audience": None} | changes
    port = lab.enter(Api(**settings).running())
    return target(f"http://127.0.0.1:{port}/orders", issuer=provider.issuer)


def seen(wanted, token, **job):
    given = {name: job[name] for name in ("old_token", "other_token") if name in job}
    return {"target": wanted, "token": token, "exchanges": record(wanted, token, **job), **given}


def refreshed(provider, token):
    return record(target(f"{provider.issuer}/userinfo"), refresh=provider.refreshing(token), only=["refresh"])


@case("glewlwyd-tabs-race", family="session", recorded=SYSTEM, expected=["TN0602"], settling=True,
      fault="Two tabs of the shop refresh with the same one-time token; the second breaks the chain, and the last token of it is disabled.")
def race(lab):
    provider = Glewlwyd(lab)
    provider.bustle(2)
    mine = provider.sign_in()["refresh_token"]
    log = stamped("session_restored", tab=1) + stamped("session_restored", tab=2)
    log += stamped("refresh_started", tab=1, refresh_token=fingerprint(mine)) + stamped("refresh_started", tab=2, refresh_token=fingerprint(mine))
    code, tokens = provider.refresh(mine)
    log += stamped("refresh_succeeded", tab=1, status=code, refresh_token=fingerprint(tokens["refresh_token"]))
    code, _ = provider.refresh(mine)
    log += stamped("refresh_failed", tab=2, status=code)
    provider.bustle(1)
    exchanges = refreshed(provider, tokens["refresh_token"])
    ensure(status(exchanges, "refresh") == 400, "the chain is broken")
    log += stamped("refresh_failed", tab=1, status=400, refresh_token=fingerprint(tokens["refresh_token"])) + stamped("redirect_to_login", tab=1)
    return inputs(exchanges=exchanges, logs=provider.log() | {"shop.log": log})


@case("glewlwyd-answer-lost", family="session", recorded=SYSTEM, expected=["TN0603"], settling=True,
      fault="The phone lost the answer to its refresh in a lift, and came back with the token that was used up.")
def lost(lab):
    provider = Glewlwyd(lab)
    mine = provider.sign_in()["refresh_token"]
    log = event(60, "refresh_started", refresh_token=fingerprint(mine))
    provider.refresh(mine)
    log += event(70, "refresh_failed", error="SocketTimeoutException: timeout", refresh_token=fingerprint(mine)) + event(70.1, "network_lost") + event(116, "network_available")
    provider.bustle(1)
    exchanges = refreshed(provider, mine)
    ensure(status(exchanges, "refresh") == 400, "used up")
    log += event(119, "refresh_started", refresh_token=fingerprint(mine)) + event(119.3, "refresh_failed", status=400) + event(119.4, "redirect_to_login")
    return inputs(exchanges=exchanges, logs=provider.log() | {"app.log": log})


@case("glewlwyd-refresh-token-ended", family="session", recorded=SYSTEM, expected=["TN0610"],
      fault="Refresh tokens last eight hours, and the till is switched off overnight; each morning it must be signed in again.")
def ended(lab):
    provider = Glewlwyd(lab, **{"refresh-token-duration": 2, "refresh-token-rolling": False})
    mine = provider.sign_in()["refresh_token"]
    time.sleep(3)
    exchanges = refreshed(provider, mine)
    ensure(status(exchanges, "refresh") == 400, "ended")
    days = "".join(
        f'2026-11-{day} 21:58:10,112 INFO  till.auth refresh ok expires_in=900\n2026-11-{day} 22:04:41,007 INFO  till.main power off\n'
        f'2026-11-{day + 1} 07:51:33,420 INFO  till.main start\n2026-11-{day + 1} 07:51:34,018 WARN  till.auth refresh refused status=400 since_last_refresh=35604s\n'
        f'2026-11-{day + 1} 07:52:20,300 INFO  till.auth signed in user=samir\n' for day in (16, 17, 18, 19))
    shown = {name: value for name, value in provider.parameters.items() if name not in ("key", "cert")} | {"refresh-token-duration": 28800}
    return inputs(exchanges=exchanges, logs={"till.log": days}, files={"plugin-oidc.json": json.dumps({"module": "oidc", "name": "oidc", "parameters": shown}, indent=1)})


@case("glewlwyd-audience-is-scope", family="verifier", recorded=WITH_API, expected=["TN0412"], settling=True,
      fault="The provider puts the scopes into aud; the API asks for `orders-api` there.")
def audience(lab):
    provider = Glewlwyd(lab)
    wanted = api(lab, provider, audience="orders-api")
    found = seen(wanted, provider.sign_in()["access_token"])
    ensure(status(found["exchanges"], "client") == 401, "another audience")
    return inputs(**found | {"exchanges": only(found["exchanges"], "client", "bare", "garbage", "altered", "discovery", "jwks", "userinfo")},
                  files={"orders/settings.ini": f"[oidc]\nissuer = {provider.issuer}\naudience = orders-api\n"})


@case("glewlwyd-plugin-made-anew", family="verifier", recorded=WITH_API, expected=["TN0401"], settling=True,
      fault="The provider's plugin was given another key; the API has the former key set in memory.")
def anew(lab):
    provider = Glewlwyd(lab)
    wanted = api(lab, provider)
    old = provider.sign_in()["access_token"]
    now = Key("ES256")
    changed = provider.parameters | {"key": now.private_pem(), "cert": now.pem(), "default-kid": "second"}
    provider.admin("PUT", "mod/plugin/oidc", {"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "parameters": changed})
    provider.admin("PUT", "mod/plugin/oidc/reset", None)
    token = provider.sign_in("li")["access_token"]
    found = seen(wanted, token, old_token=old)
    ensure(status(found["exchanges"], "client") == 401, "the new key: " + str(answer(found["exchanges"], "client")))
    ensure(status(found["exchanges"], "old") == 200, "the former one")
    return inputs(**found)


@case("glewlwyd-issuer-http-name", family="verifier", recorded=WITH_API, expected=["TN0411"], settling=True,
      fault="The plugin's issuer is the host name of the intranet; the API asks for the address that it fetches keys from.")
def issuer(lab):
    provider = Glewlwyd(lab, iss="http://sso.intranet.example/api/oidc")
    wanted = api(lab, provider)
    found = seen(wanted, provider.sign_in()["access_token"])
    ensure(status(found["exchanges"], "client") == 401, "another issuer")
    return inputs(**found | {"exchanges": only(found["exchanges"], "client", "bare", "altered", "discovery", "again-1")},
                  files={"orders/.env": f"OIDC_ISSUER={provider.issuer}\n"})


@case("glewlwyd-client-deleted", family="session", recorded=SYSTEM, expected=["TN0608"],
      fault="An administrator removed the client `shop` and made `shop-web` in its place; apps in the field still say `shop`.")
def client_deleted(lab):
    provider = Glewlwyd(lab)
    provider.bustle(2)
    mine = provider.sign_in()["refresh_token"]
    provider.client("shop-web")
    provider.admin("DELETE", "client/shop", None)
    exchanges = refreshed(provider, mine)
    ensure(status(exchanges, "refresh") in (400, 401, 403), str(exchanges))
    ensure("Client 'shop' removed" in provider.log()["glewlwyd.log"] or "deleted" in provider.log()["glewlwyd.log"], provider.log()["glewlwyd.log"][-500:])
    return inputs(exchanges=exchanges, logs=provider.log(), files={"app/.env.production": f"OIDC_ISSUER={provider.issuer}\nOIDC_CLIENT_ID=shop\n"})


@case("glewlwyd-healthy", family="healthy", recorded=WITH_API,
      fault="Nothing: tokens are refreshed and accepted; wrong passwords of others and a crawler are in the log.")
def healthy(lab):
    provider = Glewlwyd(lab)
    wanted = api(lab, provider, leeway=30)
    provider.bustle(3)
    mine = provider.sign_in()
    for _ in range(3):
        code, mine = provider.refresh(mine["refresh_token"])
        ensure(code == 200, "refreshed")
    provider.bustle(1)
    found = seen(wanted, mine["access_token"], refresh=provider.refreshing(mine["refresh_token"]), refreshes=1)
    ensure(status(found["exchanges"], "client") == status(found["exchanges"], "refresh") == 200, "200")
    return inputs(**found, logs=provider.log())
