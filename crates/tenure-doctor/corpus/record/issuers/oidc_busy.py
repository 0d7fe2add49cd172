"""More of `oidc-provider`: busy logs, a clock that is ahead, grants that end; and client certificates at nginx."""

import random
import ssl
import threading
import time
import urllib.error
import urllib.request

from issuers.oidc_sessions import refreshed
from issuers.oidc_tokens import asked
from lab.common import answer, case, ensure, inputs, only, other_clock, status, target
from lab.edges import certificate, logs, nginx
from lab.formats import event
from lab.oidc import SYSTEM, WITH_API, Provider, api
from lab.servers import Api, fixed
from lab.tokens import Key, claims


def well(provider, sessions=10, rounds=4, seed=1):
    """Sessions that refresh in turn, all well: their clients and last refresh tokens."""
    chance = random.Random(seed)
    held = [(client, provider.begin(client)) for client in chance.choices(("web", "phone"), k=sessions)]
    for _ in range(rounds):
        for number, (client, token) in enumerate(held):
            code, answered = provider.refresh(token, client)
            assert code == 200, answered
            held[number] = (client, answered["refresh_token"])
            time.sleep(chance.uniform(0.005, 0.03))
    return held


@case("oidc-race-among-many", family="session", recorded=SYSTEM, expected=["TN0602"], settling=True,
      fault="One of a dozen sessions is refreshed by the app and by its widget in the same moment; the provider's log of token requests only.")
def race(lab):
    provider = Provider(lab)
    held = well(provider)
    client, token = held[3]
    both = [threading.Thread(target=provider.refresh, args=(token, client)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    for client, other in held[:3] + held[4:]:
        provider.refresh(other, client)
    code, _ = provider.refresh(token, held[3][0])
    ensure(code == 400, "out")
    return inputs(logs=provider.logs())


@case("oidc-healthy-busy-log", family="healthy", recorded=SYSTEM,
      fault="Nothing: ten sessions refresh in turn; one request had a misspelled grant type, and one client of a scanner is unknown.")
def busy(lab):
    provider = Provider(lab)
    well(provider, rounds=3, seed=5)
    provider.post("/token", grant_type="refresh", client_id="web")
    provider.post("/token", grant_type="client_credentials", client_id="admin")
    well(provider, rounds=3, seed=6)
    return inputs(logs=provider.logs())


@case("oidc-clock-ahead", family="verifier", recorded=WITH_API, expected=["TN0416"], settling=True,
      fault="The provider's machine is four minutes ahead: its tokens are not valid yet at the API.")
def ahead(lab):
    start = lab.start
    lab.start = lambda *given, **more: start(*given, **{**more, "env": other_clock(240)})
    provider = Provider(lab)
    lab.start = start
    token = provider.tokens()["access_token"]
    seen = asked(api(lab, provider, style="bare"), token, provider)
    ensure(status(seen["exchanges"], "client") == 401, "not valid yet")
    return inputs(**seen | {"exchanges": only(seen["exchanges"], "client", "bare", "garbage", "altered", "again-1", "discovery", "jwks")}, keys={"jwks.json": provider.jwks()})


@case("oidc-session-ended-there", family="session", recorded=SYSTEM, expected=["TN0610"],
      fault="The user signed out at the provider, which revoked the grant; the phone's next refresh is refused.")
def ended(lab):
    provider = Provider(lab)
    well(provider, sessions=5, rounds=2)
    tokens = provider.tokens("phone")
    provider.revoke(tokens["refresh_token"], "phone")
    exchanges = refreshed(provider, tokens["refresh_token"], "phone")
    ensure("invalid_grant" in answer(exchanges, "refresh")["body"], "refused")
    log = event(110, "refresh_started") + event(110.4, "refresh_failed", status=400, error="invalid_grant") + event(110.5, "session_cleared") + event(110.6, "redirect_to_login")
    return inputs(exchanges=exchanges, logs=provider.logs() | {"app.log": log})


@case("oidc-client-left-out-log", family="session", recorded=SYSTEM, expected=["TN0608"], settling=True,
      fault="A new release of the provider's configuration leaves the phone's client out; only its log of token requests is there.")
def left_out(lab):
    provider = Provider(lab)
    held = well(provider, sessions=8, rounds=3, seed=9)
    provider.post("/lab/remove-client?client=phone")
    for _ in range(2):
        for number, (client, token) in enumerate(held):
            code, answered = provider.refresh(token, client)
            held[number] = (client, answered.get("refresh_token", token))
    ensure("invalid_client" in provider.logs()["oidc.log"], "the log has it")
    return inputs(logs=provider.logs())


@case("oidc-scope-missing", family="verifier", recorded=WITH_API, expected=["TN0513"], settling=True,
      fault="The endpoint wants the role admin, and the provider's tokens carry no roles for this user.")
def scope(lab):
    provider = Provider(lab)
    url = api(lab, provider).replace("/orders", "/admin")
    seen = asked(url, provider.tokens()["access_token"], provider)
    ensure(status(seen["exchanges"], "client") == 403, "role")
    return inputs(**seen | {"exchanges": only(seen["exchanges"], "client", "bare", "altered", "userinfo", "discovery", "jwks")})


def mutual(lab, verify, more=""):
    """nginx that asks for client certificates of one authority; an API behind it."""
    key = Key()
    service = Api(keys=fixed(key), issuer=None)
    behind = lab.enter(service.running())
    served, authority = certificate(lab, "127.0.0.1")
    edge = nginx(lab, f"ssl_certificate {served};\nssl_certificate_key {served};\nssl_client_certificate {authority};\nssl_verify_client {verify};\n{more}\n"
                      f"location / {{ proxy_pass http://127.0.0.1:{behind}; }}", listen=" ssl", level="info")
    return edge, key.token(**claims("https://auth.example.com"))


def knocked(edge, token, probe="client"):
    """One request by TLS without a client certificate, as an exchange."""
    context = ssl._create_unverified_context()
    headers = {"accept": "*/*", **({"authorization": f"Bearer {token}"} if token else {})}
    url = f"https://127.0.0.1:{edge.port}/orders"
    at, began = int(time.time()), time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), context=context) as answered:
            code, fields, body = answered.status, answered.getheaders(), answered.read()
    except urllib.error.HTTPError as refused:
        code, fields, body = refused.code, refused.headers.items(), refused.read()
    return {"probe": probe, "at": at, "took_ms": int((time.monotonic() - began) * 1000), "address": "127.0.0.1",
            "request": {"method": "GET", "url": url, "headers": [list(pair) for pair in headers.items()], "body_bytes": 0},
            "result": {"Ok": {"status": code, "headers": [[name.lower(), value] for name, value in fields], "body": body.decode()[:4096], "body_bytes": len(body)}}}


@case("nginx-gateway-client-certificate", family="gateway", recorded="nginx 1.22.1", expected=["TN0314"], settling=True,
      fault="The partner gateway asks for a client certificate; the new container of the app was built without it.")
def no_certificate(lab):
    edge, token = mutual(lab, "on")
    exchanges = [knocked(edge, token), knocked(edge, None, "bare"), knocked(edge, token, "again-1")]
    ensure("No required SSL certificate was sent" in answer(exchanges, "client")["body"], str(exchanges[0]))
    return inputs(token=token, target=target(f"https://127.0.0.1:{edge.port}/orders"), exchanges=exchanges, logs=logs(lab, "nginx/access.log", "nginx/error.log"))


@case("nginx-gateway-certificate-optional-403", family="gateway", recorded="nginx 1.22.1", expected=["TN0314"], settling=True,
      fault="The gateway takes requests without a client certificate and answers them with 403 itself, whatever their token.")
def optional(lab):
    edge, token = mutual(lab, "optional", "if ($ssl_client_verify != SUCCESS) { return 403; }")
    exchanges = [knocked(edge, token), knocked(edge, None, "bare"), knocked(edge, token[:-8] + "AAAAAAAA", "altered")]
    ensure(status(exchanges, "client") == 403, "403")
    return inputs(token=token, target=target(f"https://127.0.0.1:{edge.port}/orders"), exchanges=exchanges, files=edge.config)
