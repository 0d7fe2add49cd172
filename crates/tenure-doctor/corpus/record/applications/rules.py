"""Applications whose framework or own rules turn a good token away, or whose status lies."""

import secrets
import time

from applications.keys import JOSE, issuer, of
from applications.secret import EXPRESS, FASTAPI, FLASK
from lab.apps import probed, secret_token, start
from lab.common import Lab, answer, case, ensure, only, status
from lab.tokens import Key
from lab.versions import versions
from lab.world import iso

DRF = versions("djangorestframework", "Django", "PyJWT")


def shows(found: dict, **expected: int) -> dict:
    """Probes (with `_` for `-`) and the statuses that they must have."""
    for probe, wanted in expected.items():
        seen = status(found["exchanges"], probe.replace("_", "-"))
        ensure(seen == wanted, f"{probe} is {seen} and not {wanted}")
    return found


@case("express-role-missing", family="framework", expected=["TN0513"], settling=True, recorded=JOSE,
      fault="The user lacks the role that the endpoint asks for; an administrator's token works.")
def role_missing(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url, role="admin")
    boss = of(at.keys[0], at, subject="u-1", **{"roles": ["user", "admin"]})
    found = probed(port, of(at.keys[0], at), path="/admin/orders", issuer=at.url, other_token=boss)
    return shows(found, client=403, altered=401, other_token=200)


@case("fastapi-role-missing-no-challenge", family="framework", expected=["TN0513"], settling=True, recorded=FASTAPI,
      fault="The user has no role at all; the answer names the role, and another user's token works.")
def role_missing_fastapi(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret, role="accountant")
    boss = secret_token(secret, subject="u-2", roles=["accountant"])
    found = probed(port, secret_token(secret, roles=[]), path="/admin/orders", other_token=boss)
    return shows(found, client=403, altered=401, other_token=200)


@case("fastapi-role-missing-poor", family="framework", expected=["TN0513"], settling=False, recorded=FASTAPI,
      fault="The user lacks the role; there is no second token to compare with.")
def role_missing_poor(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret)
    found = probed(port, secret_token(secret), path="/admin/orders", keep=lambda all: only(all, "client", "bare", "altered"))
    return shows(found, client=403, altered=401)


@case("fastapi-role-newer-than-token", family="framework", expected=["TN0514", "TN0513"], settling=False, recorded=FASTAPI,
      fault="The role was granted ten minutes ago, the token is half an hour old; a token of after the grant works.")
def role_newer(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret)
    stale = secret_token(secret, age=1800, lifetime=7200)
    fresh = secret_token(secret, age=20, lifetime=7200, roles=["user", "admin"])
    log = f'{iso(time.time() - 600)} INFO accounts: role_granted {{"user": "u-4711", "role": "admin", "by": "u-1"}}\n'
    found = probed(port, stale, path="/admin/orders", other_token=fresh, logs={"accounts.log": log})
    return shows(found, client=403, altered=401, other_token=200)


@case("fastapi-role-under-other-claim", family="framework", expected=["TN0515"], settling=True, recorded=FASTAPI,
      fault="The API reads roles, the issuer (as Keycloak) writes realm_access.roles; the role is there.")
def other_claim(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret)
    token = secret_token(secret, roles=None, realm_access={"roles": ["offline_access", "admin"]})
    env = "ROLES_CLAIM=roles\nREQUIRED_ROLE=admin\nJWT_AUDIENCE=orders-api\n"
    return shows(probed(port, token, path="/admin/orders", files={"orders/.env": env}), client=403, altered=401)


@case("express-cognito-groups", family="framework", expected=["TN0515"], settling=True, recorded=JOSE,
      fault="The API reads roles, the groups are in cognito:groups; the answer names the role that is missing.")
def cognito_groups(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url, role="editors")
    token = of(at.keys[0], at, **{"roles": None, "cognito:groups": ["editors"]})
    return shows(probed(port, token, path="/admin/orders", issuer=at.url), client=403, altered=401)


@case("fastapi-403-for-missing", family="framework", expected=["TN0504"], settling=True,
      recorded=f"{FASTAPI}, with the answer that HTTPBearer gave before FastAPI 0.122",
      fault="The framework answers a missing header with 403, so a client that refreshes on 401 never does; the token itself is good.")
def missing_403(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret, missing=403)
    return shows(probed(port, secret_token(secret), files={"requirements.txt": "fastapi==0.115.6\nuvicorn==0.34.0\n"}), client=200, bare=403)


@case("fastapi-403-for-missing-no-token", family="framework", expected=["TN0504"], settling=True,
      recorded=f"{FASTAPI}, with the answer that HTTPBearer gave before FastAPI 0.122",
      fault="As 403 for a missing header; the user has no token to try, and sees 403 Not authenticated.")
def missing_403_bare(lab: Lab):
    port = start(lab, "fastapi", secret=secrets.token_urlsafe(32), missing=403)
    found = probed(port, None)
    first = found["exchanges"][0]
    ensure(first["result"]["Ok"]["status"] == 403 and "Not authenticated" in first["result"]["Ok"]["body"], "403")
    return found


@case("drf-403-for-401", family="framework", expected=["TN0505", "TN0415"], settling=True, recorded=DRF,
      fault="SessionAuthentication is the first class, so the framework answers 403 to a missing and to an expired token.")
def drf_403(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "drf", secret=secret, first="session")
    found = probed(port, secret_token(secret, age=3600, lifetime=900))
    ensure("expired" in answer(found["exchanges"], "client")["body"], "expired")
    return shows(found, client=403, bare=403, altered=403)


@case("drf-403-without-token", family="framework", expected=["TN0505"], settling=True, recorded=DRF,
      fault="As the order of authentication classes; the user's app sent no token and got 403.")
def drf_bare(lab: Lab):
    port = start(lab, "drf", secret=secrets.token_urlsafe(32), first="session")
    return probed(port, None)


@case("drf-healthy", family="healthy", recorded=DRF,
      fault="None: the bearer class is first, a missing token is answered with 401 and a challenge.")
def drf_healthy(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "drf", secret=secret)
    return shows(probed(port, secret_token(secret)), client=200, bare=401, altered=401)


@case("django-csrf-post", family="framework", expected=["TN0507"], settling=True, recorded=DRF,
      fault="Django's protection against forged requests is in front of a view for tokens: GET works, POST is 403.")
def csrf(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "drf", secret=secret, csrf=True)
    found = probed(port, secret_token(secret), path="/baskets", method="POST", unsafe_methods=True)
    ensure("CSRF" in answer(found["exchanges"], "client")["body"], "CSRF")
    return shows(found, client=403, other_method=200)


@case("fastapi-invalid-token-on-public", family="framework", expected=["TN0508", "TN0415"], settling=True, recorded=FASTAPI,
      fault="A public endpoint refuses an expired token that it did not ask for; without it the answer is 200.")
def public(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret)
    found = probed(port, secret_token(secret, age=4000, lifetime=900), path="/catalogue")
    return shows(found, client=401, bare=200)


@case("express-preflight-refused", family="client", expected=["TN0110"], settling=True, recorded=EXPRESS,
      fault="The authentication comes before CORS: the browser's OPTIONS is answered 401.")
def preflight(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret, preflight="late")
    found = probed(port, secret_token(secret), origin="https://shop.example.test")
    return shows(found, client=200, preflight=401)


@case("flask-401-without-cors", family="client", expected=["TN0111"], settling=True, recorded=FLASK,
      fault="Only good answers get the CORS fields, so the page cannot read a 401 and sees a network error.")
def cors_401(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "flask", secret=secret, cors_on="success")
    found = probed(port, secret_token(secret), origin="https://shop.example.test")
    ensure(not any(name == "access-control-allow-origin" for name, _ in answer(found["exchanges"], "bare-origin")["headers"]), "no CORS")
    return shows(found, client=200, bare_origin=401)


@case("express-healthy-cors", family="healthy", recorded=EXPRESS,
      fault="None: preflights and refusals carry the CORS fields, 401 comes only without a good token.")
def healthy_cors(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret)
    found = probed(port, secret_token(secret), origin="https://shop.example.test", repeats=4)
    return shows(found, client=200, bare=401, preflight=204)


@case("fastapi-healthy", family="healthy", recorded=FASTAPI,
      fault="None: a good token of a user without the admin role at an endpoint for everybody; an old token is refused as it should be.")
def healthy(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["RS256"], issuer=at.url)
    old = of(at.keys[0], at, age=7200, lifetime=900)
    env = f"OIDC_ISSUER={at.url}\nOIDC_AUDIENCE=orders-api\nOIDC_JWKS_URI={at.url}/jwks.json\n"
    found = probed(port, of(at.keys[0], at), issuer=at.url, old_token=old, files={"orders/.env": env, "billing/.env": env})
    return shows(found, client=200, bare=401, old=401)
