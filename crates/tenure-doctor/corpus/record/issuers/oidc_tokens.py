"""Tokens of `oidc-provider` at an API: keys, issuer, audience, algorithm, form and proof."""

import base64
import hashlib
import json
import subprocess
import time
import uuid

import jwt
from lab.common import answer, case, ensure, inputs, record, status, target
from lab.oidc import NODE, RESOURCE, SYSTEM, WITH_API, Provider, api
from lab.tokens import Key


def asked(url, token, provider, **job):
    """The target, its token and the exchanges, as inputs of a case."""
    wanted = target(url, issuer=provider.base)
    given = {name: job[name] for name in ("old_token", "other_token") if name in job}
    return {"target": wanted, "token": token, "exchanges": record(wanted, token, **job), **given}


def refused(seen, code=401):
    ensure(status(seen["exchanges"], "client") == code, f"{code} at the API")
    return seen


def accepted(seen):
    return refused(seen, 200)


@case("oidc-wrong-resource", family="verifier", recorded=WITH_API, expected=["TN0412"], settling=True,
      fault="The app asks for a token of the resource for invoices, and presents it to the API for orders.")
def wrong_resource(lab):
    provider = Provider(lab)
    url = api(lab, provider, audience=RESOURCE)
    token = provider.tokens(resource="https://invoices.example.com")["access_token"]
    seen = refused(asked(url, token, provider, other_token=provider.tokens()["access_token"]))
    ensure(status(seen["exchanges"], "other-token") == 200, "a token for orders is good")
    return inputs(**seen, files={"orders/.env": f"OIDC_ISSUER={provider.issuer}\nOIDC_AUDIENCE={RESOURCE}\n"})


@case("oidc-wrong-resource-poor", family="verifier", recorded=WITH_API, expected=["TN0412"],
      fault="As `oidc-wrong-resource`, at an API that gives no reasons.")
def wrong_resource_poor(lab):
    provider = Provider(lab)
    url = api(lab, provider, style="bare")
    token = provider.tokens(resource="https://invoices.example.com")["access_token"]
    seen = refused(asked(url, token, provider))
    return inputs(**seen, files={"orders/.env": f"OIDC_ISSUER={provider.issuer}\nOIDC_AUDIENCE={RESOURCE}\n"})


@case("oidc-no-resource", family="client", recorded=WITH_API, expected=["TN0115"], settling=True,
      fault="The app names no resource, and gets an opaque token, which an API that verifies JWTs cannot read.")
def no_resource(lab):
    provider = Provider(lab)
    seen = refused(asked(api(lab, provider), provider.tokens(resource=None)["access_token"], provider))
    ensure(status(seen["exchanges"], "userinfo") == 200, "the provider knows it")
    return inputs(**seen)


@case("oidc-encrypted-token", family="client", recorded=WITH_API, expected=["TN0115"], settling=True,
      fault="The provider was told to encrypt access tokens for this resource; the API expects them signed.")
def encrypted(lab):
    provider = Provider(lab, encrypt=True)
    token = provider.tokens()["access_token"]
    ensure(token.count(".") == 4, "five parts")
    return inputs(**refused(asked(api(lab, provider, style="bare"), token, provider)))


@case("oidc-id-token", family="client", recorded=WITH_API, expected=["TN0114", "TN0412"], settling=True,
      fault="The app presents the ID token to the API.")
def id_token(lab):
    provider = Provider(lab)
    tokens = provider.tokens()
    seen = refused(asked(api(lab, provider), tokens["id_token"], provider, other_token=tokens["access_token"]))
    ensure(status(seen["exchanges"], "other-token") == 200, "the access token is good")
    return inputs(**seen)


@case("oidc-issuer-internal", family="verifier", recorded=WITH_API, expected=["TN0411"], settling=True,
      fault="The API was given the provider's internal URL as issuer; tokens name the public one.")
def issuer_internal(lab):
    provider = Provider(lab, issuer="https://login.example.com")
    url = api(lab, provider, issuer=provider.base)
    seen = refused(asked(url, provider.tokens()["access_token"], provider))
    return inputs(**seen, keys={"jwks.json": provider.jwks()},
                  files={"docker-compose.yml": "services:\n  orders:\n    environment:\n"
                         f"      OIDC_ISSUER: {provider.base}\n      OIDC_AUDIENCE: {RESOURCE}\n"})


@case("oidc-issuer-slash", family="verifier", recorded=WITH_API, expected=["TN0411"], settling=True,
      fault="The API's configuration has a slash at the end of the issuer, which the token has not.")
def issuer_slash(lab):
    provider = Provider(lab)
    url = api(lab, provider, issuer=provider.issuer + "/", style="bare")
    seen = refused(asked(url, provider.tokens()["access_token"], provider))
    return inputs(**seen, files={"orders/.env": f"OIDC_ISSUER={provider.issuer}/\nOIDC_AUDIENCE={RESOURCE}\n"})


@case("oidc-same-kid", family="verifier", recorded=WITH_API, expected=["TN0402"], settling=True,
      fault="The provider came back with a new key under the old kid; the API keeps the key that it fetched before.")
def same_kid(lab):
    provider = Provider(lab)
    before = provider.jwks()
    url = api(lab, provider)
    provider.again()
    seen = refused(asked(url, provider.tokens()["access_token"], provider))
    return inputs(**seen, keys={"api-cache.jwks.json": before, "provider.jwks.json": provider.jwks()})


@case("oidc-same-kid-poor", family="verifier", recorded=WITH_API, expected=["TN0402"],
      fault="As `oidc-same-kid`: what the API keeps is not known, but an old token still works there.")
def same_kid_poor(lab):
    provider = Provider(lab)
    old = provider.tokens()["access_token"]
    url = api(lab, provider)
    provider.again()
    seen = refused(asked(url, provider.tokens()["access_token"], provider, other_token=old))
    ensure(status(seen["exchanges"], "other-token") == 200, "the old key is known")
    return inputs(**seen)


@case("oidc-unknown-key-type", family="verifier", recorded=WITH_API, expected=["TN0406"], settling=True,
      fault="The provider adds a key of a type that the API's library does not know; the API drops the whole set, the new key too.")
def unknown_key_type(lab):
    provider = Provider(lab)
    known = provider.keys()()

    def keys():
        sets = json.loads(provider.jwks())["keys"]
        try:
            # All or nothing: one key that cannot be read, and the set stays as it was.
            return {key["kid"]: (jwt.PyJWK(key).key, key["alg"]) for key in sets}
        except jwt.PyJWTError:
            return known

    url = api(lab, provider, keys=keys)
    first = asked(url, provider.tokens()["access_token"], provider, only=["client"])
    ensure(status(first["exchanges"], "client") == 200, "before the new keys")
    provider.again(kid="2026-12", keys=[ml_dsa("pq-1")])
    seen = refused(asked(url, provider.tokens()["access_token"], provider))
    log = {"level": 40, "time": int(time.time() * 1000), "msg": "key set not updated", "err": "unsupported kty AKP in key pq-1"}
    return inputs(**seen, logs={"orders.log": json.dumps(log) + "\n"})


def ml_dsa(kid):
    """A key that few libraries can read yet."""
    script = "console.log(JSON.stringify(require('crypto').generateKeyPairSync('ml-dsa-44').privateKey.export({format:'jwk'})))"
    made = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=True)
    return json.loads(made.stdout) | {"kid": kid, "use": "sig", "alg": "ML-DSA-44"}


@case("oidc-es256-not-allowed", family="verifier", recorded=WITH_API, expected=["TN0410"], settling=True,
      fault="The provider moved from RS256 to ES256; the API allows RS256 only.")
def es256(lab):
    provider = Provider(lab, alg="RS256")
    old = provider.tokens()["access_token"]
    rsa = provider.keys()()
    provider.again(alg="ES256")
    url = api(lab, provider, keys=lambda: {kid: (key, "RS256") for kid, (key, _) in rsa.items()})
    seen = refused(asked(url, provider.tokens()["access_token"], provider, old_token=old))
    ensure(status(seen["exchanges"], "old") == 200, "a token of before")
    return inputs(**seen, files={"orders/.env": f"OIDC_ISSUER={provider.issuer}\nJWT_ALGORITHMS=RS256\n"})


@case("oidc-kid-unknown", family="verifier", recorded=WITH_API, expected=["TN0401"], settling=True,
      fault="The provider signs with a new kid; the API fetched the keys at its start, and never again.")
def kid_unknown(lab):
    provider = Provider(lab)
    old = provider.tokens()["access_token"]
    url = api(lab, provider)
    provider.again(kid="2026-12")
    seen = refused(asked(url, provider.tokens()["access_token"], provider, old_token=old))
    ensure(status(seen["exchanges"], "old") == 200, "the old key is known")
    return inputs(**seen)


class Binding:
    """A DPoP key (RFC 9449) and tokens that are bound to it."""

    def __init__(self, provider):
        self.key = Key("ES256")
        form = {"grant_type": "refresh_token", "refresh_token": provider.begin(resource=None), "client_id": "web"}
        endpoint = f"{provider.issuer}/token"
        code, self.tokens = provider.post("/token", {"DPoP": self.proof("POST", endpoint)}, **form)
        if self.tokens.get("error") == "use_dpop_nonce":
            proof = self.proof("POST", endpoint, nonce=provider.headers["dpop-nonce"])
            code, self.tokens = provider.post("/token", {"DPoP": proof}, **form)
        ensure(code == 200, str(self.tokens))

    def proof(self, method, url, token=None, **claims):
        jwk = jwt.get_algorithm_by_name("ES256").to_jwk(self.key.verifying, as_dict=True)
        if token:
            claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        claims = {"jti": uuid.uuid4().hex, "htm": method, "htu": url, "iat": int(time.time())} | claims
        return self.key.token(headers={"typ": "dpop+jwt", "jwk": jwk, "kid": None}, **claims)


@case("oidc-dpop-as-bearer", family="verifier", recorded=SYSTEM, expected=["TN0422"], settling=True,
      fault="The token is bound to a key, and the app sends it as a bearer token without a proof.")
def dpop_as_bearer(lab):
    provider = Provider(lab)
    token = Binding(provider).tokens["access_token"]
    seen = refused(asked(f"{provider.base}/me", token, provider, introspection={
        "url": f"{provider.base}/token/introspection", "client_id": "api", "client_secret": "lab-secret"}))
    return inputs(**seen)


@case("oidc-dpop-wrong-htu", family="verifier", recorded=SYSTEM, expected=["TN0422"], settling=True,
      fault="The proof names the URL that the browser shows; the server compares with the one that its proxy calls.")
def dpop_htu(lab):
    provider = Provider(lab)
    binding = Binding(provider)
    token = binding.tokens["access_token"]
    proof = binding.proof("GET", "https://login.example.com/me", token)
    seen = refused(asked(f"{provider.base}/me", token, provider, headers=[["dpop", proof]],
                         carried={"header": "authorization", "prefix": "DPoP "}))
    return inputs(**seen)


@case("oidc-dpop-nonce", family="verifier", recorded=SYSTEM, expected=["TN0422"], settling=True,
      fault="The server wants its nonce in each proof, and the app does not repeat the request with it.")
def dpop_nonce(lab):
    provider = Provider(lab, nonce=True)
    binding = Binding(provider)
    token = binding.tokens["access_token"]
    proof = binding.proof("GET", f"{provider.base}/me", token)
    seen = refused(asked(f"{provider.base}/me", token, provider, headers=[["dpop", proof]],
                         carried={"header": "authorization", "prefix": "DPoP "}))
    ensure("use_dpop_nonce" in dict(answer(seen["exchanges"], "client")["headers"])["www-authenticate"], "nonce")
    return inputs(**seen)


@case("oidc-healthy-many-keys", family="healthy", recorded=WITH_API,
      fault="Nothing: the provider publishes old and new keys, one of a type that the API skips as it does not know it.")
def many_keys(lab):
    def private(kid, alg):
        jwk = jwt.get_algorithm_by_name(alg).to_jwk(Key(alg).private, as_dict=True)
        jwk.pop("key_ops", None)
        return jwk | {"kid": kid, "alg": alg, "use": "sig"}

    keys = [private("2025-06", "RS256"), private("2025-12", "ES256"), private("2026-06", "RS256"), ml_dsa("pq-1")]
    provider = Provider(lab, keys=keys)
    fetched = json.loads(provider.jwks())["keys"]
    known = {key["kid"]: (jwt.PyJWK(key).key, key["alg"]) for key in fetched if key["kty"] in ("EC", "RSA")}
    seen = accepted(asked(api(lab, provider, keys=lambda: known, leeway=30, cors=True), provider.tokens()["access_token"], provider))
    return inputs(**seen, keys={"jwks.json": provider.jwks()},
                  files={"orders/.env": f"OIDC_ISSUER={provider.issuer}\nOIDC_AUDIENCE={RESOURCE}\n"})


@case("oidc-healthy-opaque", family="healthy", recorded=SYSTEM,
      fault="Nothing: an opaque token at the provider's own userinfo endpoint, where it belongs.")
def opaque(lab):
    provider = Provider(lab)
    token = provider.tokens(resource=None)["access_token"]
    seen = accepted(asked(f"{provider.base}/me", token, provider, introspection={
        "url": f"{provider.base}/token/introspection", "client_id": "api", "client_secret": "lab-secret"}))
    return inputs(**seen)
