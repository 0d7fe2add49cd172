"""Requests that gateways of npm refuse, or spoil."""

import time

from lab.common import answer, case, ensure, inputs, only, other_clock, record, status, target, without
from lab.edges import har, page
from lab.gateways import EXPRESS, FASTIFY, Gateway
from lab.oidc import Provider
from lab.oidc import SYSTEM as OIDC
from lab.servers import Reply
from lab.tokens import Key, claims

BRIEF = ("client", "bare", "garbage", "altered", "other-path", "again-1")
SHOP = "https://shop.example.com"


def asked(gateway, token, path="/orders", **job):
    wanted = target(gateway.url(path), origin=job.pop("origin", None), issuer=job.pop("issuer", gateway.issuer.url))
    given = {name: job[name] for name in ("old_token", "other_token") if name in job}
    return {"target": wanted, "token": token, "exchanges": record(wanted, token, **job), **given}


def trusting(_request):
    """A service that leaves the token to the gateway."""
    return Reply(200, {"orders": [{"id": 17, "total": "12.50"}]})


def jwt_policy(gateway, key=None, more=""):
    return (f"- jwt:\n    - action:\n        secretOrPublicKeyFile: {gateway.pem(key)}\n        checkCredentialExistence: false\n"
            f"        issuer: {gateway.issuer.url}\n{more}")


@case("express-gateway-pinned-key", family="gateway", recorded=EXPRESS, expected=["TN0323", "TN0401"], settling=True,
      fault="The gateway's jwt policy has the issuer's public key as a file; the issuer has a new key since yesterday.")
def pinned(lab):
    gateway = Gateway(lab)
    before = gateway.key
    now = Key()
    gateway.issuer.keys, gateway.issuer.published = (before, now), [before, now]
    gateway.express(jwt_policy(gateway, before))
    old = gateway.token(before)
    seen = asked(gateway, gateway.token(now), old_token=old, direct=gateway.direct)
    ensure(status(seen["exchanges"], "client") == 401, "the new key")
    ensure(status(seen["exchanges"], "old") == status(seen["exchanges"], "direct") == 200, "the old key, and the API itself")
    return inputs(**seen, files=gateway.config, keys={"issuer.pem": before.pem()})


@case("express-gateway-expired-poor", family="gateway", recorded=EXPRESS, expected=["TN0415"],
      fault="The token has ended an hour ago; the gateway says no more than `Unauthorized`.")
def expired(lab):
    gateway = Gateway(lab)
    gateway.express(jwt_policy(gateway))
    seen = asked(gateway, gateway.token(age=4500))
    ensure(answer(seen["exchanges"], "client")["body"] == "Unauthorized", str(answer(seen["exchanges"], "client")))
    return inputs(**seen | {"exchanges": only(seen["exchanges"], *BRIEF)})


@case("express-gateway-audience", family="gateway", recorded=EXPRESS, expected=["TN0412"], settling=True,
      fault="The jwt policy's audience was copied from another pipeline, and fits no token of this app.")
def audience(lab):
    gateway = Gateway(lab)
    gateway.express(jwt_policy(gateway, more="        audience: invoices-api\n"))
    seen = asked(gateway, gateway.token(), direct=gateway.direct)
    ensure(status(seen["exchanges"], "client") == 401 and status(seen["exchanges"], "direct") == 200, "only the gateway refuses")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=gateway.config, keys=gateway.jwks())


@case("express-gateway-algorithm", family="gateway", recorded=EXPRESS, expected=["TN0410"], settling=True,
      fault="The jwt policy allows RS512 only; the issuer signs with RS256.")
def algorithm(lab):
    gateway = Gateway(lab)
    gateway.express(jwt_policy(gateway, more="        algorithms: [RS512]\n"))
    seen = asked(gateway, gateway.token(), direct=gateway.direct)
    ensure(status(seen["exchanges"], "client") == 401, "refused")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=gateway.config, keys=gateway.jwks())


@case("express-gateway-key-wanted", family="gateway", recorded=EXPRESS, expected=["TN0311"], settling=True,
      fault="The pipeline asks for an API key (key-auth); the app sends its bearer token and no key.")
def key_wanted(lab):
    gateway = Gateway(lab)
    gateway.express("- key-auth:\n    - action:\n        apiKeyHeader: x-api-key\n        disableHeadersScheme: true\n")
    seen = asked(gateway, gateway.token(), direct=gateway.direct)
    ensure(status(seen["exchanges"], "client") == 401 and status(seen["exchanges"], "direct") == 200, "only the gateway refuses")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=gateway.config)


@case("express-gateway-preflight", family="client", recorded=EXPRESS, expected=["TN0110"], settling=True,
      fault="The jwt policy stands before the cors policy in the pipeline: preflights are refused.")
def preflight(lab):
    gateway = Gateway(lab)
    gateway.express(jwt_policy(gateway) + f"- cors:\n    - action:\n        origin: {SHOP}\n        methods: GET,POST\n        allowedHeaders: authorization\n")
    seen = asked(gateway, gateway.token(), origin=SHOP)
    ensure(status(seen["exchanges"], "client") == 200 and status(seen["exchanges"], "preflight") == 401, "the preflight only")
    entries = page(gateway.url(), gateway.token(), origin=SHOP)
    return inputs(**seen | {"exchanges": only(seen["exchanges"], "client", "bare", "preflight", "origin", "bare-origin")},
                  files=gateway.config, logs={"shop.har": har(entries)})


@case("express-gateway-revoked-cached", family="session", recorded=f"{EXPRESS}, {OIDC}", expected=["TN0609"], settling=True,
      fault="The session was ended at the provider; the gateway keeps what introspection said for ten minutes.")
def revoked(lab):
    provider, gateway = Provider(lab), Gateway(lab)
    gateway.api.before = trusting
    credentials = "YXBpOmxhYi1zZWNyZXQ="
    gateway.express("- oauth2-introspect:\n    - action:\n        endpoint: " + f"{provider.base}/token/introspection\n"
                    f"        authorization_value: Basic {credentials}\n        ttl: 600\n")
    token = provider.tokens(resource=None)["access_token"]
    before = asked(gateway, token, only=["client"], issuer=provider.base)
    ensure(status(before["exchanges"], "client") == 200, "before: " + str(answer(before["exchanges"], "client")))
    provider.revoke(token)
    seen = asked(gateway, token, issuer=provider.base, introspection={"url": f"{provider.base}/token/introspection", "client_id": "api", "client_secret": "lab-secret"})
    ensure(status(seen["exchanges"], "client") == 200 and status(seen["exchanges"], "userinfo") == 401, "still let in")
    config = {name: text.replace(credentials, "${INTROSPECTION_CREDENTIALS}") for name, text in gateway.config.items()}
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=config)


@case("fastify-gateway-drops-authorization", family="edge", recorded=FASTIFY, expected=["TN0201"], settling=True,
      fault="The gateway verifies the token, and its rewriteRequestHeaders does not hand it to the service behind.")
def drops(lab):
    gateway = Gateway(lab).fastify(drop=True)
    seen = asked(gateway, gateway.token(), direct=gateway.direct)
    ensure(status(seen["exchanges"], "client") == 401 and status(seen["exchanges"], "direct") == 200, "dropped")
    ensure("FST_JWT" in answer(seen["exchanges"], "garbage")["body"], "the gateway refuses garbage itself")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, logs=gateway.logs())


@case("fastify-gateway-expired-log", family="gateway", recorded=FASTIFY, expected=["TN0415", "TN0601"], settling=True,
      fault="One device of five never refreshes, and goes on with a token that has ended; the gateway's log only.")
def expired_log(lab):
    gateway = Gateway(lab).fastify()
    good = [gateway.token(subject=f"u-{number}") for number in range(4)]
    gateway.visit([*good, gateway.token(subject="u-81", age=1000)], times=16)
    ensure("FST_JWT_AUTHORIZATION_TOKEN_EXPIRED" in gateway.logs()["gateway.log"], "the log says so")
    return inputs(logs=gateway.logs())


@case("fastify-gateway-audience", family="gateway", recorded=FASTIFY, expected=["TN0412"], settling=True,
      fault="allowedAud of the gateway was set to the name of the new API before the issuer put it into tokens.")
def fastify_audience(lab):
    gateway = Gateway(lab).fastify(audience="orders-api-v2")
    token = gateway.token()
    seen = asked(gateway, token)
    ensure("aud" in answer(seen["exchanges"], "client")["body"], str(answer(seen["exchanges"], "client")))
    return inputs(**seen | {"exchanges": only(seen["exchanges"], *BRIEF, "discovery", "jwks")})


@case("fastify-gateway-issuer-log", family="gateway", recorded=FASTIFY, expected=["TN0411"], settling=True,
      fault="The gateway's issuer has a trailing slash which the issuer's tokens do not have; the gateway's log and its settings.")
def issuer_log(lab):
    gateway = Gateway(lab)
    gateway.fastify(issuer=f"{gateway.issuer.url}/")
    gateway.visit([gateway.token(subject=f"u-{number}") for number in range(3)], times=12)
    log = gateway.logs()
    ensure("iss claim" in log["gateway.log"], log["gateway.log"][-800:])
    return inputs(token=gateway.token(), logs=log, files={"gateway/.env": f"JWT_ISSUER={gateway.issuer.url}/\nJWT_AUDIENCE=orders-api\n"})


@case("fastify-gateway-clock-behind", family="gateway", recorded=FASTIFY, expected=["TN0416"], settling=True,
      fault="The gateway's machine is three minutes behind: fresh tokens are not active yet to it (it says 500), older ones are.")
def clock(lab):
    gateway = Gateway(lab).fastify(env=other_clock(-180))
    fresh = lambda: gateway.key.token(**claims(gateway.issuer.url, age=2), nbf=int(time.time()) - 2)
    older = gateway.token(age=400)
    seen = asked(gateway, fresh(), other_token=older, direct=gateway.direct)
    ensure(status(seen["exchanges"], "client") == 500 and status(seen["exchanges"], "other-token") == 200, str(answer(seen["exchanges"], "client")) + str(answer(seen["exchanges"], "other-token")))
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, logs=gateway.logs())


@case("fastify-gateway-same-kid", family="gateway", recorded=FASTIFY, expected=["TN0402"], settling=True,
      fault="The issuer was set up anew with another key under the same kid `main`; the gateway keeps the former one for an hour.")
def same_kid(lab):
    gateway = Gateway(lab, before=trusting)
    before = Key(kid="main")
    gateway.issuer.keys, gateway.issuer.published = (before,), [before]
    gateway.fastify(keepKeys=3600000)
    old = gateway.token(before)
    gateway.visit([old], times=2)
    now = Key(kid="main")
    gateway.issuer.keys, gateway.issuer.published = (now,), [now]
    seen = asked(gateway, gateway.token(now), old_token=old)
    ensure(status(seen["exchanges"], "client") == 401 and status(seen["exchanges"], "old") == 200, "the former key")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, logs=gateway.logs())


@case("fastify-gateway-limit-log", family="gateway", recorded=FASTIFY, expected=["TN0316"], settling=True,
      fault="Behind a balancer all users have one address to the gateway, and share its rate limit; log only.")
def limit_log(lab):
    gateway = Gateway(lab).fastify(limit=40)
    gateway.visit([gateway.token(subject=f"u-{number}") for number in range(5)], times=12)
    log = gateway.logs()
    ensure('"statusCode":429' in log["gateway.log"], "429")
    return inputs(logs=log)


@case("fastify-gateway-undefined-log", family="client", recorded=FASTIFY, expected=["TN0102"], settling=True,
      fault="A release of the web app sends `Bearer undefined` until its user signs in again; log of the gateway and the HAR of one page.")
def undefined(lab):
    gateway = Gateway(lab).fastify(cors=SHOP)
    good = [gateway.token(subject=f"u-{number}") for number in range(3)]
    gateway.visit([*good, "undefined"], times=10)
    entries = page(gateway.url(), "undefined", origin=SHOP) + page(gateway.url("/orders/17"), "undefined", origin=SHOP)
    ensure(entries[1]["response"]["status"] == 401, str(entries[1]["response"]))
    return inputs(logs=gateway.logs() | {"shop.har": har(entries)})


@case("fastify-gateway-healthy-log", family="healthy", recorded=FASTIFY,
      fault="Nothing: a tablet came back with an ended token, refreshed and went on; scanners get 401, a crawler too.")
def healthy_log(lab):
    gateway = Gateway(lab).fastify()
    good = [gateway.token(subject=f"u-{number}") for number in range(4)]
    gateway.visit(good, times=10)
    gateway.visit([gateway.token(subject="u-81", age=1000)], times=1)
    gateway.visit([*good, gateway.token(subject="u-81")], times=12)
    seen = asked(gateway, good[0], only=[*BRIEF, "discovery", "jwks"])
    ensure(status(seen["exchanges"], "client") == 200, "200")
    return inputs(**seen, logs=gateway.logs())


@case("fastify-gateway-healthy-rotation", family="healthy", recorded=FASTIFY,
      fault="Nothing: the issuer publishes the next key beside the present one and has begun to sign with it; both are accepted.")
def healthy_rotation(lab):
    gateway = Gateway(lab).fastify(keepKeys=1000)
    before, now = gateway.key, Key()
    old = gateway.token(before)
    gateway.visit([old], times=3)
    gateway.issuer.keys, gateway.issuer.published = (before, now), [now, before]
    seen = asked(gateway, gateway.token(now), old_token=old, direct=gateway.direct)
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "old") == 200, "both")
    return inputs(**seen, keys=gateway.jwks())


@case("express-gateway-healthy", family="healthy", recorded=EXPRESS,
      fault="Nothing: the pipeline verifies with a pinned key that is the issuer's; an old token in the inputs has ended, as it should.")
def healthy(lab):
    gateway = Gateway(lab)
    gateway.express(f"- cors:\n    - action:\n        origin: {SHOP}\n        methods: GET,POST\n        allowedHeaders: authorization\n" + jwt_policy(gateway))
    seen = asked(gateway, gateway.token(), old_token=gateway.token(age=4000), origin=SHOP)
    ensure(status(seen["exchanges"], "client") == 200 and status(seen["exchanges"], "old") == 401, "good")
    ensure(status(seen["exchanges"], "preflight") == 204, "preflight")
    return inputs(**seen, files=gateway.config, keys={"issuer.pem": gateway.key.pem()})
