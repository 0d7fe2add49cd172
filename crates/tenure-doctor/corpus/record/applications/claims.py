"""Applications that refuse a well-signed token by one of its claims, or by how it arrives."""

import base64
import secrets
import time
import urllib.parse

from applications.keys import AWS, FASTAPI, JOSE, issuer, of
from applications.secret import EXPRESS, FLASK, refused
from lab.apps import probed, secret_token, start
from lab.common import Lab, answer, case, ensure, only, status, without
from lab.tokens import Key, claims


def body(found: dict, probe="client") -> str:
    return answer(found["exchanges"], probe)["body"]


def differs(found: dict, text="") -> dict:
    """Refused, and not as a forged token is; `text` is in the answer."""
    exchanges = found["exchanges"]
    ensure(status(exchanges, "client") in (401, 403), str(status(exchanges, "client")))
    ensure(body(found) != body(found, "altered") or not text, "not as forged")
    ensure(text in body(found), body(found))
    return found


@case("express-audience", family="verifier", expected=["TN0412"], settling=True, recorded=EXPRESS,
      fault="The token is for another API of the same issuer; jsonwebtoken names the audience that it expects.")
def audience(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret)
    return differs(probed(port, secret_token(secret, audience="billing-api")), "audience")


@case("fastapi-audience-config", family="verifier", expected=["TN0412"], settling=True, recorded=FASTAPI,
      fault="The API's .env names an audience that the issuer does not put into its tokens; the answer gives no reason.")
def audience_config(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["RS256"], issuer=at.url, texts="generic",
                 audience="https://api.example.test/orders")
    env = f"OIDC_ISSUER={at.url}\nOIDC_AUDIENCE=https://api.example.test/orders\n"
    return refused(probed(port, of(at.keys[0], at), issuer=at.url, files={"orders/.env": env}), as_forged=False)


@case("express-audience-poor", family="verifier", expected=["TN0412"], settling=False, recorded=JOSE,
      fault="The token's audience is account, as an issuer's default has it; the API gives no reason.")
def audience_poor(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url, texts="generic")
    return refused(probed(port, of(at.keys[0], at, audience="account", azp="web"), issuer=at.url), as_forged=False)


POOL = "eu-central-1_Q3xTfake1"


def cognito(lab: Lab, key: Key, **rules) -> int:
    jwks = {"keys": [key.jwk()]}
    return start(lab, "express", library="aws", cognito={"userPoolId": POOL, **rules}, cognitoJwks=jwks)


def cognito_token(key: Key, use: str, client: str) -> str:
    issuer_url = f"https://cognito-idp.eu-central-1.amazonaws.com/{POOL}"
    audience = {"aud": client} if use == "id" else {"client_id": client, "scope": "openid orders/read"}
    found = {**claims(issuer_url, audience=None, token_use=use, auth_time=int(time.time()) - 60), "scope": None, "roles": None}
    return key.token(**{**found, **audience})


@case("express-cognito-id-token", family="client", expected=["TN0114", "TN0413"], settling=True, recorded=AWS,
      fault="The app sends Cognito's ID token where the API (aws-jwt-verify, tokenUse access) wants the access token.")
def id_token(lab: Lab):
    key = Key()
    port = cognito(lab, key, tokenUse="access", clientId="4h57client")
    return differs(probed(port, cognito_token(key, "id", "4h57client")), "Token use not allowed")


@case("express-cognito-client-id", family="verifier", expected=["TN0413"], settling=True, recorded=AWS,
      fault="The token is of the mobile app's client, and the API (aws-jwt-verify) accepts the web app's client only.")
def client_id(lab: Lab):
    key = Key()
    port = cognito(lab, key, tokenUse="access", clientId="4h57web")
    return differs(probed(port, cognito_token(key, "access", "2k99mobile")), "Client ID not allowed")


@case("express-cognito-client-id-generic", family="verifier", expected=["TN0413"], settling=True, recorded=AWS,
      fault="As the client id is not accepted, with an answer without reason; the user has the API's .env and its log.")
def client_id_generic(lab: Lab):
    key = Key()
    port = start(lab, "express", library="aws", texts="generic", cognitoJwks={"keys": [key.jwk()]},
                 cognito={"userPoolId": POOL, "tokenUse": "access", "clientId": "4h57web"})
    env = f"COGNITO_USER_POOL_ID={POOL}\nCOGNITO_CLIENT_ID=4h57web\nAWS_REGION=eu-central-1\n"
    found = probed(port, cognito_token(key, "access", "2k99mobile"), files={"api/.env": env},
                   keep=lambda all: only(all, "client", "bare", "garbage", "altered"))
    found["logs"] = [{"name": "api.log", "text": lab.read("api.out")}]
    return refused(found, as_forged=False)


@case("express-typ", family="verifier", expected=["TN0414"], settling=True, recorded=JOSE,
      fault="The API asks for typ at+jwt (RFC 9068), the issuer writes JWT.")
def typ(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url, typ="at+jwt")
    return differs(probed(port, of(at.keys[0], at), issuer=at.url), "typ")


@case("express-leeway", family="verifier", expected=["TN0418", "TN0415"], settling=True,
      recorded=f"{EXPRESS}; {FASTAPI} as the service beside it",
      fault="The token has ended 20 seconds ago: one service tolerates 60 seconds and takes it, the next tolerates none.")
def leeway(lab: Lab):
    secret = secrets.token_urlsafe(32)
    lax = start(lab, "fastapi", "gateway", secret=secret, leeway=60)
    strict = start(lab, "express", secret=secret)
    token = secret_token(secret, age=919, lifetime=900)
    files = {"gateway/.env": "JWT_LEEWAY=60\nJWT_AUDIENCE=orders-api\n", "orders/.env": "JWT_LEEWAY=0\nJWT_AUDIENCE=orders-api\n"}
    kept = lambda all: only(all, "client", "bare", "altered", "other-endpoint", "again-1")
    found = probed(strict, token, other_endpoint=f"http://127.0.0.1:{lax}/orders", files=files, keep=kept)
    ensure(status(found["exchanges"], "other-endpoint") == 200, "the other one takes it")
    return differs(found, "jwt expired")


@case("fastapi-clock-behind", family="verifier", expected=["TN0416"], settling=True, recorded=FASTAPI,
      fault="The API's clock is two minutes behind: a fresh token's iat is in its future.")
def behind(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["RS256"], issuer=at.url, behind=120)
    return differs(probed(port, of(at.keys[0], at, age=3), issuer=at.url), "not yet valid")


@case("fastapi-clock-behind-generic", family="verifier", expected=["TN0416"], settling=True, recorded=FASTAPI,
      fault="The API's clock is five minutes behind; the answer gives no reason, but its Date field shows it.")
def behind_generic(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret, behind=300, texts="generic")
    return refused(probed(port, secret_token(secret, age=2), keys={"orders.secret": secret}), as_forged=False)


@case("express-nbf-ahead", family="verifier", expected=["TN0416"], settling=True, recorded=EXPRESS,
      fault="The issuer's clock is ahead: nbf is a minute and a half in the API's future.")
def nbf(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret)
    token = secret_token(secret, age=-90, nbf=int(time.time()) + 90)
    return differs(probed(port, token), "jwt not active")


@case("express-exp-string", family="verifier", expected=["TN0419"], settling=True, recorded=EXPRESS,
      fault="The issuer writes exp as a string; jsonwebtoken refuses the value.")
def exp_string(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret)
    return differs(probed(port, secret_token(secret, exp=str(int(time.time()) + 900))), "invalid exp value")


@case("fastapi-exp-iso", family="verifier", expected=["TN0419"], settling=True, recorded=FASTAPI,
      fault="The issuer writes exp as an ISO date.")
def exp_iso(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret, texts="generic")
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 900))
    return refused(probed(port, secret_token(secret, exp=moment)), as_forged=False)


@case("fastapi-expired", family="verifier", expected=["TN0415"], settling=True, recorded=FASTAPI,
      fault="The token ended two hours ago; the client goes on sending it.")
def expired(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret)
    return differs(probed(port, secret_token(secret, age=8100, lifetime=900)), "Signature has expired")


@case("express-expired-generic", family="verifier", expected=["TN0415"], settling=True, recorded=JOSE,
      fault="The token ended yesterday; the API gives no reason.")
def expired_generic(lab: Lab):
    at = issuer(lab, Key("ES256"))
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url, texts="generic")
    return refused(probed(port, of(at.keys[0], at, age=90000, lifetime=3600), issuer=at.url), as_forged=False)


@case("express-opaque-token", family="client", expected=["TN0115"], settling=True, recorded=JOSE,
      fault="No audience was asked for at sign-in, so the issuer gave an opaque token, and the API wants a JWT.")
def opaque(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url)
    return refused(probed(port, secrets.token_urlsafe(32), issuer=at.url), as_forged=False)


@case("fastapi-jwe-token", family="client", expected=["TN0115"], settling=True, recorded=FASTAPI,
      fault="No audience was asked for at sign-in, so the token is encrypted for the issuer itself (five parts, alg dir).")
def jwe(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "fastapi", jwks=f"{at.url}/jwks.json", algorithms=["RS256"], issuer=at.url)
    header = base64.urlsafe_b64encode(b'{"alg":"dir","enc":"A256GCM","iss":"%s/"}' % at.url.encode()).decode().rstrip("=")
    token = ".".join([header, "", *(secrets.token_urlsafe(size) for size in (12, 400, 16))])
    return refused(probed(port, token, issuer=at.url), as_forged=False)


@case("express-bearer-undefined", family="client", expected=["TN0102"], settling=True, recorded=EXPRESS,
      fault="The app builds the header from a token that it has not: Bearer undefined.")
def undefined(lab: Lab):
    port = start(lab, "express", secret=secrets.token_urlsafe(32))
    return refused(probed(port, "undefined"), as_forged=False)


@case("fastapi-bearer-null", family="client", expected=["TN0102"], settling=True, recorded=FASTAPI,
      fault="The app builds the header from a null of its store: Bearer null.")
def null(lab: Lab):
    port = start(lab, "fastapi", secret=secrets.token_urlsafe(32))
    return refused(probed(port, "null"), as_forged=False)


@case("flask-wrong-scheme", family="client", expected=["TN0103"], settling=True, recorded=FLASK,
      fault="The API wants the scheme Token, the client sends Bearer.")
def wrong_scheme(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "flask", secret=secret, carrier="token")
    found = probed(port, secret_token(secret))
    ensure(status(found["exchanges"], "token-scheme") == 200, "with Token")
    return refused(found, as_forged=False)


@case("express-without-scheme", family="client", expected=["TN0103"], settling=True, recorded=EXPRESS,
      fault="The API takes the whole Authorization field for the token; with a scheme in it every token is malformed.")
def without_scheme(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret, scheme="raw")
    found = probed(port, secret_token(secret))
    ensure(status(found["exchanges"], "raw") == 200, "raw")
    return refused(found, as_forged=False)


@case("express-scheme-case", family="framework", expected=["TN0104"], settling=True, recorded=EXPRESS,
      fault="The API compares the scheme with case and in small letters only.")
def scheme_case(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret, scheme="lower", texts="generic")
    found = probed(port, secret_token(secret))
    ensure(status(found["exchanges"], "lower") == 200, "in small letters")
    return refused(found, as_forged=False)


@case("express-token-quoted", family="client", expected=["TN0105"], settling=True, recorded=EXPRESS,
      fault="The app stored the token as JSON text, so with quotes around it.")
def quoted(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "express", secret=secret)
    found = probed(port, f'"{secret_token(secret)}"')
    ensure(status(found["exchanges"], "trimmed") == 200, "without the quotes")
    return refused(found, as_forged=False)


@case("flask-token-base64", family="client", expected=["TN0105"], settling=True, recorded=FLASK,
      fault="The app encodes the token with base64 once more before it sends it.")
def double_encoded(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "flask", secret=secret)
    found = probed(port, base64.b64encode(secret_token(secret).encode()).decode())
    return refused(found, as_forged=False)


@case("fastapi-token-percent", family="client", expected=["TN0105"], settling=True, recorded=FASTAPI,
      fault="The token came out of a cookie percent-encoded and with its scheme: Bearer Bearer%20….")
def percent(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=secret)
    found = probed(port, urllib.parse.quote(f"Bearer {secret_token(secret)}"), keep=lambda all: without(all, "trimmed"))
    return refused(found, as_forged=False)


@case("flask-two-tokens", family="client", expected=["TN0106"], settling=True, recorded=FLASK,
      fault="The app sends the token in the header and as access_token in the URL; RFC 6750 makes that an error.")
def two_tokens(lab: Lab):
    secret = secrets.token_urlsafe(32)
    port = start(lab, "flask", secret=secret)
    token = secret_token(secret)
    found = probed(port, token, path=f"/orders?access_token={token}")
    ensure(status(found["exchanges"], "client") == 400, "400")
    return found
