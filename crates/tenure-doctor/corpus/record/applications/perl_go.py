"""Mojolicious with Mojo::JWT and Crypt::JWT; Go with golang-jwt and go-oidc."""

import base64
import functools
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import time

from applications.node import asked
from applications.ruby import says
from lab.common import PROGRAMS, case, ensure, inputs, status
from lab.servers import Issuer
from lab.stacks import ISSUER, Clock, Service, hs, mint
from lab.tokens import Key

MOJO = "Mojolicious 9.31, Mojo::JWT 0.09"
CRYPT = "Mojolicious 9.31, Crypt::JWT 0.034"
GOLANG = "Go 1.19, golang-jwt 5.2.2"
GO_OIDC = "Go 1.19, go-oidc 3.4.0"


def mojo(lab, clock=None, **options) -> Service:
    return Service(lab, "mojo.pl", clock=clock, **options)


@functools.cache
def built() -> pathlib.Path:
    """The Go program, of Debian's packages of its libraries."""
    cache = pathlib.Path(tempfile.gettempdir()) / "tenure-corpus-go"
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(cache / "cache"), "GOFLAGS": "-trimpath"}
    subprocess.run(["go", "build", "-o", cache / "api", PROGRAMS / "api.go"], env=env, check=True)
    return cache / "api"


def go(lab, **options) -> Service:
    return Service(lab, "api.go", command=[built()], **options)


@case("mojo-jwt-secret-as-base64-text", family="verifier", expected=["TN0408"], settling=True, recorded=MOJO,
      fault="The secret was handed over as base64; the issuer signs with the bytes, Mojo::JWT takes the text as it stands.")
def base64_text(lab):
    text = base64.b64encode(secrets.token_bytes(48)).decode()
    service = mojo(lab, library="mojo", key=text)
    found = service.probed(hs(base64.b64decode(text))(), keys={"jwt.secret": text}, files={"orders.conf": f"{{\n  jwt_secret => '{text}',\n  hypnotoad  => {{listen => ['http://127.0.0.1:8080'], workers => 4}},\n}}\n"}, keep=asked())
    return says(found, "Failed HS validation")


@case("crypt-jwt-host-clock-ahead", family="verifier", expected=["TN0416"], settling=True, recorded=CRYPT,
      fault="The API's machine came back from a snapshot with its clock 25 minutes ahead; tokens of 15 minutes are over there when they are made.")
def ahead(lab):
    secret = secrets.token_hex(32)
    clock = Clock(lab, 0.7, rest=1500)
    service = mojo(lab, clock, key=secret, alg="HS256")
    make = hs(secret)
    service.traffic(make, rounds=10, minutes=30)
    clock.move(1500 - 480)
    for turn in range(16):
        service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
        code = service.ask("/api/orders", make(clock.now() - 1500, f"u-{turn % 5}", age=turn * 3), ip=f"203.0.113.{turn % 5}")
        ensure(code == 401, str(code))
        clock.pass_(29)
    return says(service.probed(make(age=20), log_name="orders.log", keep=asked("again*")), "exp claim check failed")


@case("crypt-jwt-issuer-behind-proxy-log", family="verifier", expected=["TN0411"], settling=True, recorded=CRYPT,
      fault="Keycloak was put behind another host name; the Perl service's verify_iss has the old one, and its answer says only Invalid token.")
def issuer_log(lab):
    key, clock = Key(), Clock(lab, 3)
    old, new = "http://keycloak:8080/realms/shop", "https://sso.example.test/realms/shop"
    service = mojo(lab, clock, pem=key.pem(), alg="RS256", iss=old, quiet=True)
    before, after = mint(key, issuer=old), mint(key, issuer=new)
    service.traffic(before, rounds=14, minutes=90)
    ensure(set(service.traffic(after, rounds=14, minutes=70, good=False)) == {401}, "refused")
    conf = "{\n  jwt => {\n    public_key => 'etc/realm.pem',\n    accepted_alg => 'RS256',\n    verify_iss => '%s',\n  },\n}\n" % old
    return inputs(now=clock.now(), token=after(clock.now()), keys={"realm.pem": key.pem()}, logs={"orders.log": service.log()}, files={"orders.conf": conf})


@case("crypt-jwt-alg-es256", family="verifier", expected=["TN0410"], settling=True, recorded=CRYPT,
      fault="The issuer signs with ES256 now; accepted_alg is RS256 and Crypt::JWT says so.")
def accepted_alg(lab):
    old, new = Key(), Key("ES256")
    at = lab.enter(Issuer(old, new).running())
    service = mojo(lab, keys=at.jwks(), alg="RS256")
    found = service.probed(mint(new, issuer=at.url)(), issuer=at.url, old_token=mint(old, issuer=at.url)(), keep=asked("old", "jwks"))
    ensure(status(found["exchanges"], "old") == 200, "old ones work")
    return says(found, "alg")


@case("crypt-jwt-keys-in-a-file", family="verifier", expected=["TN0401"], settling=True, recorded=CRYPT,
      fault="The key set was downloaded once and lies in a file beside the service; the issuer signs with a newer key.")
def keys_file(lab):
    old, new = Key(kid="k-2025-10"), Key(kid="k-2026-11")
    at = lab.enter(Issuer(old, new).running())
    service = mojo(lab, keys={"keys": [old.jwk()]}, alg="RS256", quiet=True)
    found = service.probed(mint(new, issuer=at.url)(), issuer=at.url, old_token=mint(old, issuer=at.url)(), files={"etc/jwks.json": json.dumps({"keys": [old.jwk()]}, indent=2)}, keep=asked("old", "jwks", "discovery"))
    ensure(status(found["exchanges"], "old") == 200, "old ones work")
    return says(found, "Invalid token")


@case("mojo-healthy-day", family="healthy", recorded=CRYPT,
      fault="None: tokens end and are refreshed, crawlers are turned away, and one tool tries tokens of its own.")
def mojo_healthy(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 5)
    service = mojo(lab, clock, key=secret, alg="HS256", iss=ISSUER)
    make = hs(secret)
    for turn in range(10):
        service.traffic(make, rounds=7, minutes=29)
        ensure(service.ask("/api/me", make(clock.now() - 1000, age=0), ip="203.0.113.80") == 401, "ended")
        ensure(service.ask("/api/me", make(clock.now(), age=0), ip="203.0.113.80") == 200, "again")
        service.ask("/api/orders", hs("secret")(clock.now(), "admin"), ip="198.51.100.3", agent="jwt_tool")
    return inputs(now=clock.now(), token=make(clock.now(), age=100), keys={"orders.secret": secret}, logs={"orders.log": service.log()})


@case("go-token-cut-at-255", family="verifier", expected=["TN0425"], settling=True, recorded=GOLANG,
      fault="A job runner stores tokens in VARCHAR(255); what it sends ends in the middle of the payload.")
def cut(lab):
    key = Key()
    service = go(lab, pems={key.kid: key.pem()}, methods=["RS256"], audience="orders-api")
    make = mint(key)
    whole = make(subject="job-runner", lifetime=86400)
    service.traffic(make, rounds=24, minutes=0)
    for _ in range(5):
        service.ask("/api/orders", whole[:255], ip="10.8.0.31", agent="python-requests/2.32.5")
        service.traffic(make, rounds=6, minutes=0)
    return inputs(token=whole[:255], logs={"orders.log": service.log()}, files={"migrations/0007_tokens.sql": "ALTER TABLE runner_credentials ADD COLUMN access_token VARCHAR(255) NOT NULL DEFAULT '';\n"})


@case("go-oidc-audience", family="verifier", expected=["TN0412"], settling=True, recorded=GO_OIDC,
      fault="The CLI's tokens are for the CLI's own client; go-oidc's verifier has the web app's client id.")
def oidc_audience(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = go(lab, library="oidc", issuer=at.url, jwks=f"{at.url}/jwks.json", audience="shop-web", methods=["RS256"])
    return says(service.probed(mint(key, issuer=at.url, audience="shop-cli")(azp="shop-cli"), issuer=at.url, keep=asked("jwks")), "expected audience")


@case("go-oidc-id-token-sent", family="client", expected=["TN0114", "TN0412"], settling=True, recorded=GO_OIDC,
      fault="The page sends its ID token to the API: it is for the page's client, has a nonce and at_hash and no scope.")
def id_token(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = go(lab, library="oidc", issuer=at.url, jwks=f"{at.url}/jwks.json", audience="https://api.example.test", methods=["RS256"], quiet=True)
    token = mint(key, issuer=at.url, audience="shop-spa")(scope=None, roles=None, jti=None, nonce=secrets.token_urlsafe(12), at_hash=secrets.token_urlsafe(16)[:22],
                                                           auth_time=int(time.time()) - 60, sid=secrets.token_hex(16), email="ines@example.test", email_verified=True, name="Ines Example")
    found = service.probed(token, issuer=at.url, keep=asked("discovery", "jwks"), files={"api/.env": f"OIDC_ISSUER={at.url}\nOIDC_CLIENT_ID=https://api.example.test\n"})
    return says(found, "unauthorized")


@case("go-oidc-renamed-issuer-log", family="verifier", expected=["TN0411"], settling=True, recorded=GO_OIDC,
      fault="The realm was renamed at the issuer and not in the service; only the service's log is there.")
def oidc_issuer(lab):
    key = Key()
    at = lab.enter(Issuer(key, path="/realms/shop").running())
    service = go(lab, library="oidc", issuer="https://sso.example.test/realms/shop-live", jwks=f"{at.url}/jwks.json", audience="orders-api", methods=["RS256"])
    service.traffic(mint(key, issuer="https://sso.example.test/realms/shop"), rounds=30, minutes=0, good=False)
    ensure("issued by a different provider" in service.log(), service.log(3))
    return inputs(logs={"orders.log": service.log()})


@case("go-oidc-keys-unreachable", family="verifier", expected=["TN0404"], settling=True, recorded=GO_OIDC,
      fault="The service's network policy lets nothing out to the issuer: the connection for the keys is refused and each token is 401.")
def unreachable(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = go(lab, library="oidc", issuer=at.url, jwks=f"http://127.0.0.1:{lab.port()}/jwks.json", audience="orders-api", methods=["RS256"], quiet=True)
    service.traffic(mint(key, issuer=at.url), rounds=20, minutes=0, good=False)
    found = service.probed(mint(key, issuer=at.url)(), issuer=at.url, keep=asked("jwks", "discovery"), log_name="orders.log")
    ensure("connection refused" in service.log(), service.log(3))
    return says(found, "unauthorized")


@case("go-secret-differs-poor", family="verifier", expected=["TN0407"], settling=False, recorded=GOLANG,
      fault="The staging service has production's secret; the user has the token and the URL.")
def poor(lab):
    service = go(lab, secret=secrets.token_hex(32), methods=["HS256"], quiet=True)
    return says(service.probed(hs(secrets.token_hex(32))()), "unauthorized")


@case("go-role-missing-log", family="framework", expected=["TN0513"], settling=True, recorded=GOLANG,
      fault="A clerk opens the finance pages, for which her groups lack finance; the log names it, colleagues are let in.")
def role(lab):
    secret = secrets.token_hex(32)
    service = go(lab, secret=secret, methods=["HS256"], role="finance")
    make = hs(secret)
    for turn in range(9):
        service.traffic(make, rounds=4, minutes=0)
        ensure(service.ask("/api/admin/reports", make(subject="u-31", groups=["staff", "finance"]), ip="10.8.2.7") == 200, "let in")
        ensure(service.ask("/api/admin/reports", make(subject="u-48", groups=["staff"]), ip="10.8.2.9") == 403, "403")
    return inputs(token=make(subject="u-48", groups=["staff"]), logs={"orders.log": service.log()})


@case("go-healthy-three-seconds", family="healthy", recorded=GOLANG,
      fault="None: the issuer's clock is 3 s ahead and the service grants 30 s; callers without a token get 401.")
def three_seconds(lab):
    key = Key()
    service = go(lab, pems={key.kid: key.pem()}, methods=["RS256"], audience="orders-api", leeway=30)
    make = mint(key)
    service.traffic(make, rounds=40, minutes=0)
    token = make(time.time() + 3, age=0, nbf=int(time.time()) + 3)
    found = service.probed(token, log_name="orders.log", keys={"public.pem": key.pem()})
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found


@case("go-oidc-healthy-unannounced-rotation", family="healthy", recorded=GO_OIDC,
      fault="None: the issuer rotated without notice, and go-oidc fetched the keys when it met the new kid.")
def unannounced(lab):
    old, new = Key(), Key()
    at = lab.enter(Issuer(old).running())
    service = go(lab, library="oidc", issuer=at.url, jwks=f"{at.url}/jwks.json", audience="orders-api", methods=["RS256"])
    before, after = mint(old, issuer=at.url), mint(new, issuer=at.url)
    service.traffic(before, rounds=20, minutes=0)
    at.keys, at.published = (old, new), [new, old]
    service.traffic(after, rounds=20, minutes=0)
    found = service.probed(after(), issuer=at.url, old_token=before(), log_name="orders.log", keep=asked("old", "jwks", "discovery", "again*"))
    ensure(status(found["exchanges"], "client") == status(found["exchanges"], "old") == 200, "both")
    return found
