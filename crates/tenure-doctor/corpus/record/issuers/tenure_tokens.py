"""Tokens of Tenure at an API, and what its service refuses pages and clients."""

import json
import time

import jwt
from lab.common import answer, case, ensure, inputs, record, status, target
from lab.servers import Api
from lab.tenure import CAUSE, EMAIL, PASSWORD, SYSTEM, Service
from lab.wire import later, sent

WITH_API = f"{SYSTEM}, PyJWT 2.15.1"
PAGE = "https://app.example.com"


def fetched(service):
    sets = jwt.PyJWKSet.from_json(service.jwks())
    return {key.key_id: (key.key, key.algorithm_name) for key in sets.keys}


def api(lab, service, keys, **changes):
    settings = {"issuer": service.issuer, "audience": service.issuer} | changes
    port = lab.enter(Api(keys=keys, **settings).running())
    return target(f"http://127.0.0.1:{port}/orders", issuer=service.base)


AHEAD = 120
SOON = '[keys]\ndistribute = "1m"\n'


def rotate(service):
    """Publishes the next key, and lets it take over two minutes later by the service's clock."""
    service.cli("keys", "rotate")
    service.later(AHEAD)
    service.cli("keys", "rotate")
    service.start()
    return int(time.time()) + AHEAD


@case("tenure-issuer-behind-proxy", family="verifier", recorded=WITH_API, expected=[CAUSE["issuer"], "TN0411"], settling=True,
      fault="The service was given the name of its machine as issuer, the API the address that the proxy has.")
def issuer(lab):
    port = lab.port()
    service = Service(lab, issuer=f"http://localhost:{port}", port=port)
    known = fetched(service)
    wanted = api(lab, service, lambda: known, issuer=service.base, audience=None)
    token = service.sign_in()["access_token"]
    exchanges = record(wanted, token)
    ensure(status(exchanges, "client") == 401, "another issuer")
    return inputs(target=wanted, token=token, exchanges=exchanges,
                  files=service.toml() | {"orders/.env": f"OIDC_ISSUER={service.base}\n"})


@case("tenure-rotated-not-fetched", family="verifier", recorded=WITH_API, expected=["TN0401"], settling=True,
      fault="The service's signing key was rotated; the API fetched the keys at its start, and never again.")
def not_fetched(lab):
    service = Service(lab, config=SOON)
    known = fetched(service)
    wanted = api(lab, service, lambda: known, clock=lambda: time.time() + AHEAD)
    old = service.sign_in()["access_token"]
    now = rotate(service)
    token = service.sign_in()["access_token"]
    ensure(jwt.get_unverified_header(token)["kid"] not in known, "another key signs")
    exchanges = later(record(wanted, token, old_token=old), AHEAD)
    ensure(status(exchanges, "client") == 401, "unknown to the API")
    ensure(status(exchanges, "old") == 200, "a token of before is good")
    return inputs(now=now, target=wanted, token=token, old_token=old, exchanges=exchanges)


@case("tenure-origin-not-allowed", family="edge", recorded=SYSTEM, expected=[CAUSE["origin"], "TN0110"], settling=True,
      fault="The web app moved to another origin, which is not among the client's allowed_origins.")
def origin(lab):
    service = Service(lab, client='allowed_origins = ["https://www.example.com"]')
    tokens = service.sign_in()
    seen = service.record(tokens["access_token"], "/oauth2/userinfo", origin=PAGE)
    ensure(status(seen["exchanges"], "client") == 200, "without a browser it is good")
    ensure(status(seen["exchanges"], "preflight") >= 400, "the preflight is not")
    return inputs(**seen, files=service.toml())


def cookie_refresh(service, headers):
    """A refresh in cookie mode, by a page of this service."""
    login = {"email": EMAIL, "password": PASSWORD, "client_id": "app", "mode": "cookie"}
    own = {"x-tenure-csrf": "1", "origin": service.base}
    code, fields, answered = service.call("/api/auth/login", login, own)
    ensure(code == 200, str(answered))
    cookie = next(value for name, value in fields.items() if name.lower() == "set-cookie").split(";")[0]
    body = json.dumps({"mode": "cookie", "client_id": "app"}).encode()
    given = {"content-type": "application/json", "cookie": cookie, **headers}
    return answered["access_token"], sent("client", f"{service.base}/api/auth/refresh", body, given)


@case("tenure-csrf-header-missing", family="session", recorded=SYSTEM, expected=[CAUSE["csrf"]], settling=True,
      fault="A page refreshes in cookie mode without the header X-Tenure-CSRF.")
def csrf(lab):
    service = Service(lab)
    _, exchange = cookie_refresh(service, {"origin": service.base})
    ensure(exchange["result"]["Ok"]["status"] == 403, str(exchange["result"]))
    wanted = target(f"{service.base}/api/auth/refresh", "POST", service.base, service.base)
    return inputs(target=wanted, exchanges=[exchange])


@case("tenure-cookie-other-site", family="session", recorded=SYSTEM, expected=[CAUSE["csrf"]], settling=True,
      fault="A page of another origin refreshes in cookie mode; its origin is not among allowed_origins.")
def other_site(lab):
    service = Service(lab)
    _, exchange = cookie_refresh(service, {"origin": PAGE, "x-tenure-csrf": "1"})
    ensure(exchange["result"]["Ok"]["status"] == 403, str(exchange["result"]))
    wanted = target(f"{service.base}/api/auth/refresh", "POST", PAGE, service.base)
    return inputs(target=wanted, exchanges=[exchange], files=service.toml())


@case("tenure-token-of-a-resource", family="verifier", recorded=SYSTEM, expected=["TN0412"], settling=True,
      fault="The app presents a token for a resource server at a route of the service itself.")
def resource(lab):
    service = Service(lab, client='audience = ["https://api.example.com"]')
    tokens = service.sign_in()
    narrow = service.call("/oauth2/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"],
                          client_id="app", resource="https://api.example.com")[2]["access_token"]
    seen = service.record(narrow, other_token=tokens["access_token"])
    ensure(status(seen["exchanges"], "client") == 401, str(answer(seen["exchanges"], "client")))
    ensure(status(seen["exchanges"], "other-token") == 200, "a token for the service is good")
    return inputs(**seen)


@case("tenure-id-token", family="client", recorded=SYSTEM, expected=["TN0114", "TN0412"], settling=True,
      fault="The app presents its ID token to the service.")
def id_token(lab):
    service = Service(lab)
    tokens = service.sign_in()
    seen = service.record(tokens["id_token"], "/oauth2/userinfo", other_token=tokens["access_token"])
    ensure(status(seen["exchanges"], "client") == 401, "refused")
    return inputs(**seen)


@case("tenure-healthy-rotated", family="healthy", recorded=WITH_API,
      fault="Nothing: the signing key was rotated, old and new tokens are good at an API that fetches the keys.")
def healthy_rotated(lab):
    service = Service(lab, config=SOON)
    old = service.sign_in()["access_token"]
    wanted = api(lab, service, lambda: fetched(service), leeway=60, cors=True, clock=lambda: time.time() + AHEAD)
    now = rotate(service)
    token = service.sign_in()["access_token"]
    exchanges = later(record(wanted, token, old_token=old, introspection=service.introspecting()), AHEAD)
    ensure(jwt.get_unverified_header(token)["kid"] != jwt.get_unverified_header(old)["kid"], "another key signs")
    ensure(status(exchanges, "client") == status(exchanges, "old") == 200, "200")
    return inputs(now=now, target=wanted, token=token, old_token=old, exchanges=exchanges, files=service.toml())


@case("tenure-healthy-browser", family="healthy", recorded=SYSTEM,
      fault="Nothing: a page of an allowed origin, with its preflight, in cookie mode too.")
def healthy_browser(lab):
    service = Service(lab, client=f'allowed_origins = ["{PAGE}"]')
    token, exchange = cookie_refresh(service, {"origin": PAGE, "x-tenure-csrf": "1"})
    ensure(exchange["result"]["Ok"]["status"] == 200, "cookie mode")
    seen = service.record(token, "/oauth2/userinfo", origin=PAGE)
    ensure(status(seen["exchanges"], "preflight") == 204, "preflight")
    ensure(status(seen["exchanges"], "client") == 200, "200")
    return inputs(**seen, files=service.toml())
