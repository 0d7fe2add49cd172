"""What most people have: a token, a URL, an answer without a reason."""

import base64
import json
import secrets

from applications.django import SIMPLE, django, users
from applications.node import AUTH0, FASTIFY, HONO, asked, node
from applications.perl_go import CRYPT, GOLANG, go, mojo
from applications.python import EXTENDED, small
from applications.ruby import RAILS, says
from documents.frameworks import ASPNET
from lab.common import case, ensure, inputs, only, status
from lab.documented import documented, empty
from lab.servers import Issuer
from lab.stacks import Clock, Service, hs, mint
from lab.tokens import Key
from lab.versions import npm

NEST = npm("@nestjs/core", "@nestjs/jwt", "express")


def nest(lab, **options) -> Service:
    return Service(lab, "nest.cjs", **options)


@case("nest-secret-differs-plain", family="verifier", expected=["TN0407"], settling=False, recorded=NEST,
      fault="The guard verifies with the secret of the template project; Nest says Unauthorized to everything.")
def nest_secret(lab):
    service = nest(lab, secret="DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET")
    return says(service.probed(hs(secrets.token_hex(32))()), "Unauthorized")


@case("nest-expired-plain", family="verifier", expected=["TN0415"], settling=True, recorded=NEST,
      fault="The token ended twenty minutes ago; Nest's answer is the same as to any other fault.")
def nest_expired(lab):
    secret = secrets.token_hex(32)
    return says(nest(lab, secret=secret).probed(hs(secret)(age=2100), keep=asked("other-path")), "Unauthorized")


@case("nest-forbidden-resource", family="framework", expected=["TN0513"], settling=False, recorded=NEST,
      fault="The user lacks the role of a guard that returns false: 403 Forbidden resource, and no word of which role.")
def nest_role(lab):
    secret = secrets.token_hex(32)
    return says(nest(lab, secret=secret).probed(hs(secret)(), path="/api/admin/reports"), "Forbidden resource")


@case("nest-healthy-plain", family="healthy", recorded=NEST,
      fault="None: the token is good and the API takes it; without one it is 401.")
def nest_healthy(lab):
    secret = secrets.token_hex(32)
    found = nest(lab, secret=secret).probed(hs(secret)(), keep=asked("again*", "other-path"))
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found


def sealed() -> str:
    """As an issuer's encrypted access token looks: five parts, `dir`, no payload to read."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "dir", "enc": "A256GCM", "iss": "https://shop.eu.auth0.com/"}, separators=(",", ":")).encode()).rstrip(b"=").decode()
    return f"{header}..{secrets.token_urlsafe(12)}.{secrets.token_urlsafe(160)}.{secrets.token_urlsafe(16)}"


@case("auth0-no-audience-asked", family="client", expected=["TN0115"], settling=True, recorded=AUTH0,
      fault="The page asked Auth0 for no audience and got an encrypted token for userinfo; the API wants a signed one.")
def no_audience(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = node(lab, "auth0", issuer=at.url, jwks=f"{at.url}/jwks.json", audience="orders-api", env={"NODE_ENV": "production"})
    found = service.probed(sealed(), keep=asked(), files={"src/auth.ts": 'export const client = await createAuth0Client({\n  domain: "shop.eu.auth0.com",\n  clientId: import.meta.env.VITE_CLIENT_ID,\n});\n'})
    ensure(status(found["exchanges"], "client") == 401, "401")
    return found


@case("fastify-opaque-token", family="client", expected=["TN0115"], settling=True, recorded=FASTIFY,
      fault="The provider's access tokens are opaque, the API's plug-in reads JWTs: the token is malformed.")
def opaque(lab):
    service = node(lab, "fastify", secret=secrets.token_hex(32))
    found = service.probed(f"ory_at_{secrets.token_urlsafe(32)}.{secrets.token_urlsafe(32)}", keep=asked())
    ensure(status(found["exchanges"], "client") in (400, 401), "refused")
    return found


@case("hono-secret-differs-plain", family="verifier", expected=["TN0407"], settling=False, recorded=HONO,
      fault="The worker's secret binding was set from another environment's file.")
def hono_secret(lab):
    service = node(lab, "hono", secret=secrets.token_hex(32))
    return says(service.probed(hs(secrets.token_hex(32))(), keep=asked("again*")), "Unauthorized")


@case("flask-extended-undefined", family="client", expected=["TN0102"], settling=True, recorded=EXTENDED,
      fault="The app reads the token from where it was never stored, and sends the word undefined: Not enough segments.")
def undefined(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 1)
    service = small(lab, "flask-jwt", clock=clock, secret=secret)
    make = hs(secret, type="access", fresh=False)
    for _ in range(5):
        service.traffic(make, rounds=4, minutes=11)
        service.ask("/api/orders", "undefined", ip="203.0.113.12", agent="axios/1.12.2")
    return says(service.probed("undefined", log_name="orders.log", keep=lambda all: only(all, "client", "bare", "garbage")), "Not enough segments")


@case("drf-options-wants-a-token", family="client", expected=["TN0110"], settling=True, recorded=SIMPLE,
      fault="There is no CORS middleware, so REST framework asks the browser's OPTIONS for a token: the page on another host never gets to its GET.")
def options(lab):
    secret = secrets.token_hex(32)
    found = django(lab, secret=secret).probed(users(secret)(), origin="https://shop.example.test", keep=asked("preflight", "origin", "bare-origin"))
    ensure(status(found["exchanges"], "client") == 200 and status(found["exchanges"], "preflight") == 401, "preflight")
    return found


@case("go-group-granted-later", family="framework", expected=["TN0514", "TN0513"], settling=False, recorded=GOLANG,
      fault="The user was put into the finance group this morning, her token of eight hours is of before; a new sign-in's token works.")
def granted(lab):
    secret = secrets.token_hex(32)
    service = go(lab, secret=secret, methods=["HS256"], role="finance")
    make = hs(secret, lifetime=28800)
    found = service.probed(make(age=18000, groups=["staff"]), path="/api/admin/reports", other_token=make(age=40, groups=["staff", "finance"]), keep=asked("other-token"))
    ensure(status(found["exchanges"], "other-token") == 200, "the newer one")
    return found


@case("mojo-clock-behind-log", family="verifier", expected=["TN0416"], settling=False, recorded=CRYPT,
      fault="The API's clock is four minutes behind, so tokens come from the future until they are four minutes old. Log only.")
def behind(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 2)
    service = mojo(lab, clock, key=secret, alg="HS256", iat=1, leeway=20)
    make = hs(secret)
    for turn in range(30):
        age = (5, 30, 90, 300, 600, 800)[turn % 6]
        code = service.ask("/api/orders", make(clock.now() + 240, f"u-{turn % 7}", age=age), ip=f"203.0.113.{turn % 7}")
        ensure((code == 401) == (age < 220), f"{age} {code}")
        if turn % 4 == 0:
            service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
        clock.pass_(200)
    return inputs(now=clock.now(), logs={"orders.log": service.log()})


@case("rails-audience-of-staging-plain", family="verifier", expected=["TN0412"], settling=False, recorded=RAILS,
      fault="The app's build asks for the staging API's audience; the API gives no reason.")
def staging(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = Service(lab, "rails.rb", algorithms=["RS256"], jwks=f"{at.url}/jwks.json", issuer=at.url, audience="https://api.shop.example.test", reasons=False)
    found = service.probed(mint(key, issuer=at.url, audience="https://api.staging.shop.example.test")(), issuer=at.url, keep=asked("discovery", "jwks", "userinfo"))
    return says(found, "Unauthorized")


SILENT = empty(401, www_authenticate='Bearer error="invalid_token"', server="Kestrel")

documented(
    "aspnet-silent-secret-poor", family="verifier", expected=["TN0407"], source=ASPNET, settling=False,
    fault="IncludeErrorDetails is off; the API has the secret of another slot.", presented=hs(secrets.token_hex(32), issuer="https://identity.example.test", lifetime=86400)(),
    url="https://api.example.test/api/points", answers={"client": SILENT, "bare": empty(401, www_authenticate="Bearer", server="Kestrel"), "altered": SILENT, "garbage": SILENT})
