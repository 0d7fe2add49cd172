"""Applications that take their issuer's keys from a JWKS."""

import json
import secrets
import time

from applications.secret import refused
from lab.apps import probed, secret_token, start
from lab.common import Lab, answer, case, ensure, only, status
from lab.servers import Issuer, Reply, serve
from lab.tokens import Key, claims
from lab.versions import versions

FASTAPI = versions("fastapi", "uvicorn", "PyJWT")
JOSE = versions("express", "jose")
AWS = versions("express", "aws-jwt-verify")
WHOLE = versions("express", "jsonwebtoken") + " and a key cache of its own"


def issuer(lab: Lab, *keys: Key) -> Issuer:
    return lab.enter(Issuer(*keys).running())


def of(key: Key, at: Issuer, **more) -> str:
    return key.token(**claims(at.url, **more))


@case("express-kid-cached", family="verifier", expected=["TN0401"], settling=True, recorded=JOSE,
      fault="The issuer rotated its key; the API has the key set of its start and does not ask again. Old tokens still work.")
def kid_cached(lab: Lab):
    old, new = Key(), Key()
    at = issuer(lab, old)
    port = start(lab, "express", library="jose-once", jwks=f"{at.url}/jwks.json", issuer=at.url)
    at.keys, at.published = (old, new), [old, new]
    found = probed(port, of(new, at), issuer=at.url, old_token=of(old, at))
    ensure(status(found["exchanges"], "old") == 200, "the old one works")
    return refused(found, as_forged=False)


@case("fastapi-kid-cached", family="verifier", expected=["TN0401"], settling=True, recorded=FASTAPI,
      fault="The issuer rotated its key and the API holds the old key set; it says so in its log and not in its answer.")
def kid_cached_fastapi(lab: Lab):
    old, new = Key("ES256"), Key("ES256")
    at = issuer(lab, old)
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["ES256"], issuer=at.url, texts="generic",
                 hold_keys=True)
    at.keys, at.published = (new,), [new]
    found = probed(port, of(new, at), issuer=at.url)
    found["logs"] = [{"name": "orders.log", "text": lab.read("api.out")}]
    return refused(found, as_forged=False)


@case("fastapi-same-kid-new-key", family="verifier", expected=["TN0402"], settling=True, recorded=FASTAPI,
      fault="The issuer made a new key under the old kid; the API keeps the old one of that name.")
def same_kid(lab: Lab):
    old = Key(kid="signing-1")
    new = Key(kid="signing-1")
    at = issuer(lab, old)
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["RS256"], issuer=at.url, hold_keys=True)
    at.keys, at.published = (new,), [new]
    found = probed(port, of(new, at), issuer=at.url, old_token=of(old, at))
    ensure(status(found["exchanges"], "old") == 200, "the old one works")
    return refused(found)


@case("express-kid-of-other-environment", family="verifier", expected=["TN0403"], settling=True, recorded=JOSE,
      fault="The token is from the staging issuer; no key of the API's issuer has its kid.")
def other_environment(lab: Lab):
    production, staging = issuer(lab, Key()), issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{production.url}/jwks.json", issuer=production.url)
    token = staging.keys[0].token(**claims(production.url))
    return refused(probed(port, token, issuer=production.url), as_forged=False)


@case("fastapi-kid-of-other-environment", family="verifier", expected=["TN0403"], settling=True, recorded=FASTAPI,
      fault="The token was signed by another tenant's key of the same name of issuer; given are the token, the API's JWKS file and three probes.")
def other_tenant(lab: Lab):
    ours, theirs = Key(), Key()
    at = issuer(lab, ours)
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["RS256"], issuer=at.url)
    token = theirs.token(**claims(at.url))
    return refused(probed(port, token, keys={"jwks.json": json.dumps(at.jwks())},
                          keep=lambda all: only(all, "client", "bare", "altered")), as_forged=False)


@case("express-jwks-unreachable", family="verifier", expected=["TN0404"], settling=True, recorded=JOSE,
      fault="The API cannot reach the JWKS from its network (it hangs until the timeout), and answers 401.")
def jwks_hangs(lab: Lab):
    at = issuer(lab, Key())

    def hang(_request):
        time.sleep(3)
        return Reply(504, "")

    blocked = lab.enter(serve(hang))
    port = start(lab, "express", library="jose", jwks=f"http://127.0.0.1:{blocked}/jwks.json", issuer=at.url)
    found = probed(port, of(at.keys[0], at), issuer=at.url, repeats=2,
                   keep=lambda all: only(all, "client", "bare", "garbage", "altered", "again*", "discovery", "jwks"))
    ensure("timed out" in answer(found["exchanges"], "client")["body"], answer(found["exchanges"], "client")["body"])
    return refused(found)


@case("fastapi-jwks-refused", family="verifier", expected=["TN0404"], settling=True, recorded=FASTAPI,
      fault="The JWKS URL in the API's configuration points to a closed port; every token is refused with 401.")
def jwks_refused(lab: Lab):
    at = issuer(lab, Key())
    closed = lab.port()
    port = start(lab, "fastapi", jwks=f"http://127.0.0.1:{closed}/jwks.json", algorithms=["RS256"], issuer=at.url)
    found = probed(port, of(at.keys[0], at), issuer=at.url)
    ensure("fetch" in answer(found["exchanges"], "client")["body"].lower(), answer(found["exchanges"], "client")["body"])
    return refused(found)


@case("express-malformed-jwk", family="verifier", expected=["TN0406"], settling=True, recorded=WHOLE,
      fault="The issuer added a key that the API's code cannot parse; the whole refresh of the set fails, so the new key is never learnt.")
def malformed(lab: Lab):
    old, new = Key(), Key()
    at = issuer(lab, old)
    at.jwks = lambda: {"keys": [{"kty": "AKP", "kid": "pq-1", "alg": "ML-DSA-65", "use": "sig", "pub": "AAAA"}, new.jwk()]}
    port = start(lab, "express", library="whole-set", jwks=f"{at.url}/jwks.json", issuer=at.url)
    at.keys = (new,)
    found = probed(port, of(new, at), issuer=at.url, repeats=2)
    found["logs"] = [{"name": "api.log", "text": lab.read("api.out")}]
    ensure("keeping 0 keys" in lab.read("api.out"), "frozen")
    return refused(found, as_forged=False)


@case("express-malformed-jwk-poor", family="verifier", expected=["TN0406"], settling=False, recorded=WHOLE,
      fault="As a JWK that cannot be parsed, without the API's log: only the token, the URL and the issuer.")
def malformed_poor(lab: Lab):
    new = Key()
    at = issuer(lab, new)
    at.jwks = lambda: {"keys": [new.jwk(), {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AAAA", "y": "AAAA"}]}
    port = start(lab, "express", library="whole-set", jwks=f"{at.url}/jwks.json", issuer=at.url, texts="generic")
    return refused(probed(port, of(new, at), issuer=at.url), as_forged=False)


@case("fastapi-alg-changed", family="verifier", expected=["TN0410"], settling=True, recorded=FASTAPI,
      fault="The issuer went from HS256 to ES256; the API's list of algorithms has HS256 only. An old token still works.")
def alg_changed(lab: Lab):
    secret = secrets.token_urlsafe(40)
    at = issuer(lab, Key("ES256"))
    port = start(lab, "fastapi", secret=secret, issuer=at.url)
    found = probed(port, of(at.keys[0], at), issuer=at.url, old_token=secret_token(secret, issuer=at.url),
                   files={"orders/.env": f"JWT_ALGORITHM=HS256\nJWT_ISSUER={at.url}\nJWT_AUDIENCE=orders-api\n"})
    ensure(status(found["exchanges"], "old") == 200, "the old one works")
    return refused(found, as_forged=False)


@case("express-issuer-trailing-slash", family="verifier", expected=["TN0411"], settling=True, recorded=JOSE,
      fault="The API's configured issuer has a trailing slash that the token's has not.")
def issuer_slash(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=f"{at.url}/")
    found = probed(port, of(at.keys[0], at), issuer=at.url, files={"api/.env": f"OIDC_ISSUER={at.url}/\nOIDC_AUDIENCE=orders-api\n"})
    ensure("iss" in answer(found["exchanges"], "client")["body"], "iss")
    return refused(found, as_forged=False)


@case("fastapi-issuer-internal", family="verifier", expected=["TN0411"], settling=True, recorded=FASTAPI,
      fault="The API knows the issuer by its name inside the cluster, tokens carry the public one; the answer gives no reason.")
def issuer_internal(lab: Lab):
    at = issuer(lab, Key())
    inner = "http://keycloak.auth.svc.cluster.local:8080/realms/shop"
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["RS256"], issuer=inner, texts="generic")
    compose = f"services:\n  orders:\n    environment:\n      OIDC_ISSUER: {inner}\n      OIDC_AUDIENCE: orders-api\n"
    return refused(probed(port, of(at.keys[0], at), issuer=at.url, files={"docker-compose.yml": compose}), as_forged=False)


@case("express-issuer-mismatch-poor", family="verifier", expected=["TN0411"], settling=False, recorded=JOSE,
      fault="The API expects the issuer with https; it gives no reason, and its configuration is not there.")
def issuer_poor(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url.replace("http:", "https:"), texts="generic")
    return refused(probed(port, of(at.keys[0], at), issuer=at.url), as_forged=False)


@case("express-penalty-box", family="verifier", expected=["TN0613", "TN0401"], settling=True, recorded=AWS,
      fault="After a token with an unknown kid aws-jwt-verify asks for no keys for 10 seconds; good tokens of the newly rotated key are refused meanwhile.")
def penalty_box(lab: Lab):
    old, new = Key(), Key()
    at = issuer(lab, old)
    port = start(lab, "express", library="aws", jwks=f"{at.url}/jwks.json", issuer=at.url)
    early = of(new, at)
    probed(port, early)
    at.keys, at.published = (old, new), [old, new]
    found = probed(port, early, issuer=at.url, repeats=2,
                   keep=lambda all: only(all, "client", "bare", "altered", "again*", "discovery", "jwks"))
    ensure("back off period" in answer(found["exchanges"], "client")["body"], answer(found["exchanges"], "client")["body"])
    return refused(found, as_forged=False)


@case("express-jwks-many-keys", family="healthy", recorded=JOSE,
      fault="None: the issuer publishes seven keys of four types, one of them for encryption, and the API takes the right one.")
def many_keys(lab: Lab):
    keys = [Key(), Key("ES256"), Key(), Key("ES256")]
    at = issuer(lab, *keys)
    odd = [{"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "sig"},
           {**keys[0].jwk(), "kid": "enc-1", "use": "enc", "alg": "RSA-OAEP"}, {"kty": "AKP", "kid": "pq-1", "alg": "ML-DSA-65", "pub": "AAAA"}]
    plain = at.jwks()
    at.jwks = lambda: {"keys": odd + plain["keys"]}
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url)
    found = probed(port, of(keys[2], at), issuer=at.url)
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found
