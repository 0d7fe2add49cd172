"""HAProxy that verifies tokens itself (jwt_verify) before an API, one fault each."""

import base64
import secrets

from edges.haproxy import backend, forward
from lab.common import answer, case, ensure, inputs, record, status, target
from lab.edges import HAPROXY, haproxy, service
from lab.servers import Api, fixed
from lab.tokens import Key, claims


def verifying(alg: str, key: str, *more: str) -> str:
    """HAProxy's own verification, as its documentation shows it."""
    deny = lambda status, text: (f'http-request return status {status} content-type text/plain string "{text}" if')
    return forward(
        f"{deny(401, 'Missing Authorization HTTP header')} !{{ req.hdr(authorization) -m found }}",
        "http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')",
        "http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')",
        "http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')",
        "http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')",
        f"{deny(401, 'Unsupported JWT signing algorithm')} !{{ var(txn.alg) -m str {alg} }}",
        f"{deny(401, 'Invalid JWT signature')} !{{ http_auth_bearer,jwt_verify(txn.alg,\"{key}\") -m int 1 }}",
        *(more or ()))


def denies(variable: str, value: str, text: str) -> str:
    return f'http-request return status 401 content-type text/plain string "{text}" if !{{ var(txn.{variable}) -m str {value} }}'


EXPIRED = ("http-request set-var(txn.now) date()",
           'http-request return status 401 content-type text/plain string "JWT has expired" if { var(txn.exp),sub(txn.now) -m int lt 0 }')


def verifier(lab, *, token_key=None, pem=None, more=(), alg="RS256", **api_options):
    """HAProxy with a PEM file before an API that accepts what HAProxy lets through."""
    api = service(lab, **api_options)
    path = lab.write("haproxy/issuer.pem", (pem or api.key).pem())
    return api, haproxy(lab, verifying(alg, str(path), *more, *EXPIRED), backend(api.port))


@case("haproxy-jwt-old-key", family="verifier", expected=["TN0401"], settling=True, recorded=HAPROXY,
      fault="HAProxy verifies with a PEM file of the key before the rotation; it never fetches keys.")
def old_key(lab):
    old = Key()
    api, edge = verifier(lab, pem=old)
    api.issuer.published.append(old)
    token, before, wanted = api.token(), old.token(**claims(api.issuer.url)), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, old_token=before, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "only HAProxy refuses")
    return inputs(token=token, old_token=before, target=wanted, exchanges=sent,
                  keys={"jwks.json": api.jwks(), "issuer.pem": old.pem()}, files=edge.config)


@case("haproxy-jwt-alg-migration", family="verifier", expected=["TN0410"], settling=True, recorded=HAPROXY,
      fault="The issuer went from RS256 to ES256; HAProxy allows RS256 only.")
def migration(lab):
    old = Key("RS256")
    api, edge = verifier(lab, pem=old, alg="RS256")
    new = Key("ES256")
    api.issuer.keys, api.issuer.published = (new, old), [new, old]
    token, before = new.token(**claims(api.issuer.url)), old.token(**claims(api.issuer.url, age=3600))
    wanted = target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, old_token=before)
    ensure(answer(sent, "client")["body"].startswith("Unsupported"), "the algorithm")
    return inputs(token=token, old_token=before, target=wanted, exchanges=sent, files=edge.config,
                  keys={"jwks.json": api.jwks()})


@case("haproxy-jwt-issuer-slash", family="verifier", expected=["TN0411"], settling=True, recorded=HAPROXY,
      fault="HAProxy expects the issuer with a trailing slash; the token's has none.")
def issuer(lab):
    key = Key()
    path = lab.write("haproxy/issuer.pem", key.pem())
    api = Api(fixed(key))
    port = lab.enter(api.running())
    edge = haproxy(lab, verifying("RS256", str(path), denies("iss", "https://login.example.test/", "Invalid JWT issuer"), *EXPIRED), backend(port))
    token, wanted = key.token(**claims("https://login.example.test")), target(edge.url())
    sent = record(wanted, token)
    ensure(answer(sent, "client")["body"] == "Invalid JWT issuer", "the issuer")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config, keys={"issuer.pem": key.pem()})


@case("haproxy-jwt-audience", family="verifier", expected=["TN0412"], settling=True, recorded=HAPROXY,
      fault="HAProxy expects another audience than the token's.")
def audience(lab):
    api, edge = verifier(lab, more=[denies("aud", "https://api.example.test", "Invalid JWT audience")])
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(answer(sent, "client")["body"] == "Invalid JWT audience", "the audience")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("haproxy-jwt-expired", family="verifier", expected=["TN0415"], settling=True, recorded=HAPROXY,
      fault="The token has expired; HAProxy says so.")
def expired(lab):
    api, edge = verifier(lab)
    token, wanted = api.token(age=1200), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure(answer(sent, "client")["body"] == "JWT has expired", "expired")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("haproxy-jwt-secret-differs", family="verifier", expected=["TN0407"], settling=True, recorded=HAPROXY,
      fault="HAProxy verifies HS256 with another secret than the one that signed.")
def other_secret(lab):
    key, other = Key("HS256", kid=None), Key("HS256", kid=None)
    port = lab.enter(Api(lambda: {None: (key.private, "HS256")}).running())
    edge = haproxy(lab, verifying("HS256", other.private, *EXPIRED), backend(port))
    token, wanted = key.token(**claims("https://login.example.test")), target(edge.url())
    sent = record(wanted, token, direct=f"127.0.0.1:{port}")
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "only HAProxy refuses")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"login.secret": key.private, "edge.secret": other.private})


@case("haproxy-jwt-secret-base64", family="verifier", expected=["TN0408"], settling=True, recorded=HAPROXY,
      fault="The issuer signs with the decoded bytes of a base64 secret; HAProxy takes its text.")
def secret_base64(lab):
    raw = secrets.token_bytes(32)
    text = base64.b64encode(raw).decode()
    edge = haproxy(lab, verifying("HS256", text, *EXPIRED), backend(lab.enter(Api(lambda: {None: (raw, "HS256")}).running())))
    token = Key("HS256", kid=None, private=text).token(secret=raw, **claims("https://login.example.test"))
    wanted = target(edge.url())
    sent = record(wanted, token)
    ensure(answer(sent, "client")["body"] == "Invalid JWT signature", "as if forged")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwt.secret": text})


@case("haproxy-jwt-exp-not-checked", family="verifier", expected=["TN0415", "TN0420"], settling=True, recorded=HAPROXY,
      fault="HAProxy checks the signature and never the expiry: its own endpoint accepts a dead token, the API behind does not.")
def not_checked(lab):
    api = service(lab)
    path = lab.write("haproxy/issuer.pem", api.key.pem())
    edge = haproxy(lab, verifying("RS256", str(path), 'http-request return status 200 content-type text/plain string ok if { path /session }'), backend(api.port))
    token, wanted = api.token(age=4000), target(edge.url(), issuer=api.issuer.url)
    old = api.token(age=9000)
    sent = record(wanted, token, old_token=old, other_endpoint=edge.url("/session"), direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "other-endpoint") == 200, "the edge accepts it")
    return inputs(token=token, old_token=old, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, files=edge.config)


@case("haproxy-leeway-differs", family="verifier", expected=["TN0418", "TN0415"], settling=False, recorded=HAPROXY,
      fault="HAProxy allows 60 seconds after the expiry, the API behind none: a token dead for 25 seconds passes one and fails the other.")
def leeway(lab):
    api = service(lab)
    path = lab.write("haproxy/issuer.pem", api.key.pem())
    rules = ("http-request set-var(txn.now) date(-60)", EXPIRED[1],
             'http-request return status 200 content-type text/plain string ok if { path /session }')
    edge = haproxy(lab, verifying("RS256", str(path), *rules), backend(api.port))
    token, old, wanted = api.token(age=925), api.token(age=3000), target(edge.url())
    sent = record(wanted, token, old_token=old, other_endpoint=edge.url("/session"))
    ensure(status(sent, "client") == 401 and status(sent, "other-endpoint") == 200, "the edge accepts it")
    return inputs(token=token, old_token=old, target=wanted, exchanges=sent, files=edge.config, keys={"jwks.json": api.jwks()})
