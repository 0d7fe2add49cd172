"""Apache before an API, one fault each; it verifies tokens itself (mod_oauth2, mod_auth_openidc) in some."""

import json
import time

from lab import edges
from lab.common import answer, case, ensure, inputs, only, other_clock, record, status, target
from lab.edges import APACHE, apache, logs, service
from lab.servers import Issuer, fixed
from lab.tokens import Key, claims, jwks

OAUTH2 = "Apache 2.4.71, mod_oauth2 3.3.1"
OPENIDC = "Apache 2.4.71, mod_auth_openidc 2.4.12.3"
LOGS = ("apache/error.log", "apache/access.log")

# An application that hands what it got to the API, as a framework hands it to its authentication.
WSGI = '''import urllib.error, urllib.request

def application(environ, start_response):
    headers = {}
    if "HTTP_AUTHORIZATION" in environ:
        headers["Authorization"] = environ["HTTP_AUTHORIZATION"]
    try:
        answer = urllib.request.urlopen(urllib.request.Request("%s" + environ.get("PATH_INFO", "/"), headers=headers))
    except urllib.error.HTTPError as error:
        answer = error
    body = answer.read()
    keep = [(name, value) for name, value in answer.headers.items() if name.lower() in ("content-type", "www-authenticate")]
    start_response(f"{answer.status} {answer.reason}", keep + [("Content-Length", str(len(body)))])
    return [body]
'''

CGI = '''#!/usr/bin/python3
import os, urllib.error, urllib.request

headers = {}
if os.environ.get("HTTP_AUTHORIZATION"):
    headers["Authorization"] = os.environ["HTTP_AUTHORIZATION"]
try:
    answer = urllib.request.urlopen(urllib.request.Request("%s" + os.environ.get("PATH_INFO", "/"), headers=headers))
except urllib.error.HTTPError as error:
    answer = error
print(f"Status: {answer.status} {answer.reason}")
for name in ("Content-Type", "WWW-Authenticate"):
    if answer.headers.get(name):
        print(f"{name}: {answer.headers[name]}")
print()
print(answer.read().decode())
'''


@case("apache-wsgi-drops-authorization", family="edge", expected=["TN0212"], settling=True, recorded=APACHE + ", mod_wsgi 4.9.4",
      fault="mod_wsgi does not pass Authorization to the application (WSGIPassAuthorization is off).")
def wsgi(lab):
    api = service(lab, style="detail")
    script = lab.write("app.wsgi", WSGI % f"http://{api.direct}")
    edge = apache(lab, f"WSGIScriptAlias / {script}\n<Directory {lab.folder}>\n  Require all granted\n</Directory>", modules=["wsgi"])
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == status(sent, "bare") == 401 and status(sent, "direct") == 200, "Apache alone")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, files=edge.config)


@case("apache-cgi-drops-authorization", family="edge", expected=["TN0212"], settling=True, recorded=APACHE,
      fault="Apache does not pass Authorization to CGI programs (CGIPassAuth is off).")
def cgi(lab):
    api = service(lab)
    script = lab.write("cgi/api", CGI % f"http://{api.direct}")
    script.chmod(0o755)
    edge = apache(lab, f"ScriptAlias /api {script}\n<Directory {lab.folder}/cgi>\n  Require all granted\n</Directory>",
                  modules=["cgid"], hidden=f"ScriptSock {lab.folder}/apache/cgi.sock")
    token, wanted = api.token(), target(edge.url("/api/orders"))
    sent = record(wanted, token, issuer=api.issuer.url, echo=edge.url("/api/echo"))
    ensure(status(sent, "client") == status(sent, "bare") == 401 and "authorization" not in answer(sent, "echo")["body"].lower(), "never arrives")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


@case("apache-unsets-authorization", family="edge", expected=["TN0201"], settling=True, recorded=APACHE,
      fault="`RequestHeader unset Authorization` removes the token before the API.")
def unsets(lab):
    api = service(lab)
    edge = apache(lab, f"RequestHeader unset Authorization\nProxyPass / http://{api.direct}/")
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and "authorization" not in answer(sent, "echo")["body"], "never arrives")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("apache-basic-gate", family="edge", expected=["TN0209"], settling=True, recorded=APACHE,
      fault="A Basic password (AuthType Basic) stands before the Bearer API.")
def basic(lab):
    api = service(lab)
    lab.write("htpasswd", "dev:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
    edge = apache(lab, f'<Location />\n  AuthType Basic\n  AuthName "Intranet"\n  AuthUserFile {lab.folder}/htpasswd\n  Require valid-user\n</Location>\nProxyPass / http://{api.direct}/')
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, issuer=api.issuer.url)
    ensure("Basic" in dict(answer(sent, "client")["headers"])["www-authenticate"], "the gate")
    return inputs(token=token, target=wanted, exchanges=sent, logs=logs(lab, *LOGS))


@case("apache-header-too-large", family="client", expected=["TN0113"], settling=True, recorded=APACHE,
      fault="The token exceeds LimitRequestFieldSize: 400 with Apache's own page.")
def too_large(lab):
    api = service(lab)
    edge = apache(lab, f"LimitRequestFieldSize 4094\nProxyPass / http://{api.direct}/")
    token = api.token(groups=[f"team-{n:04}-of-the-northern-region" for n in range(130)])
    wanted = target(edge.url())
    sent = record(wanted, token, other_token=api.token(subject="u-2"))
    ensure(status(sent, "client") == 400 and status(sent, "other-token") == 200, "only the large token")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "other-token", "altered", "large-header"), logs=logs(lab, *LOGS))


@case("apache-cached-200-masks", family="edge", expected=["TN0203"], settling=True, recorded=APACHE + ", mod_cache",
      fault="mod_cache stores answers to authorised requests and gives them to everybody.")
def cached(lab):
    # The API marks them public, which allows it (RFC 9111, section 3.5).
    api = service(lab, ok_headers={"cache-control": "public, max-age=600"})
    edge = apache(lab, f'CacheEnable disk /\nCacheRoot {lab.folder}/apache/cache\nCacheHeader on\nCacheQuickHandler off\nProxyPass / http://{api.direct}/',
                  modules=["cache", "cache_disk"])
    cache = lab.folder / "apache/cache"
    cache.mkdir()
    cache.chmod(0o777)
    edges.fetch(edge.url(), headers={"Authorization": f"Bearer {api.token(subject='u-1')}"})
    time.sleep(2)
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "bare") == 200 and status(sent, "bare-fresh") == 401, "only the cache says 200")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


def oauth2(lab, verify: str, require="valid-user", *, api, **more):
    return apache(lab, f"""<Location />
  AuthType oauth2
  OAuth2TokenVerify {verify}
  Require {require}
</Location>
ProxyPass / http://{api.direct}/""", modules=["oauth2"], **more)


@case("apache-oauth2-jwks-unreachable", family="verifier", expected=["TN0404"], settling=True, recorded=OAUTH2,
      fault="mod_oauth2 cannot reach the JWKS endpoint; it answers every token with 401.")
def unreachable(lab):
    api = service(lab)
    edge = oauth2(lab, f"jwks_uri http://127.0.0.1:{lab.port()}/jwks.json", api=api)
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "Apache alone")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, logs=logs(lab, *LOGS))


@case("apache-oauth2-other-environments-keys", family="verifier", expected=["TN0403"], settling=True, recorded=OAUTH2,
      fault="mod_oauth2 reads the key set of the test environment's issuer; the token is of production.")
def other_keys(lab):
    api, other = service(lab), lab.enter(Issuer(Key()).running())
    edge = oauth2(lab, f"jwks_uri http://127.0.0.1:{other.port}/jwks.json", api=api)
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, other_token=other.keys[0].token(**claims(other.url)))
    ensure(status(sent, "client") == 401, "no key")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "garbage"),
                  keys={"gateway-jwks.json": json.dumps(jwks(*other.keys), indent=1)}, files=edge.config)


@case("apache-oauth2-audience", family="verifier", expected=["TN0412"], settling=False, recorded=OAUTH2,
      fault="Apache requires another audience than the token's (Require oauth2_claim aud:…).")
def audience(lab):
    api = service(lab, audience=None)
    edge = oauth2(lab, f"jwks_uri http://127.0.0.1:{api.issuer.port}/jwks.json", "oauth2_claim aud:https://api.example.test", api=api)
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=api.token(audience="https://api.example.test"))
    ensure(status(sent, "client") in {401, 403} and status(sent, "other-token") == 200, "the audience")
    return inputs(token=token, target=wanted, exchanges=[e for e in sent if e["probe"] != "other-token"], keys={"jwks.json": api.jwks()}, files=edge.config,
                  logs=logs(lab, *LOGS))


@case("apache-oauth2-expired", family="verifier", expected=["TN0415"], settling=True, recorded=OAUTH2,
      fault="The token has expired; mod_oauth2 says why in its log only.")
def expired(lab):
    api = service(lab)
    edge = oauth2(lab, f"jwks_uri http://127.0.0.1:{api.issuer.port}/jwks.json", api=api)
    token, wanted = api.token(age=3000), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401, "expired")
    return inputs(token=token, target=wanted, exchanges=sent, logs=logs(lab, *LOGS))


@case("apache-oauth2-clock-ahead", family="verifier", expected=["TN0416"], settling=True, recorded=OAUTH2 + ", libfaketime 0.9.10",
      fault="The clock of Apache's machine is 20 minutes ahead; fresh tokens have expired for mod_oauth2.")
def clock(lab):
    api = service(lab)
    edge = oauth2(lab, f"jwks_uri http://127.0.0.1:{api.issuer.port}/jwks.json", api=api,
                  env=other_clock(1200))
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "Apache alone")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


def resource_server(lab, api, keys: str, require="valid-user", **more):
    return apache(lab, f"""OIDCCryptoPassphrase throwaway
{keys}
<Location />
  AuthType oauth20
  Require {require}
</Location>
ProxyPass / http://{api.direct}/""", modules=["auth_openidc"], **more)


@case("apache-openidc-rotated-key", family="verifier", expected=["TN0401"], settling=True, recorded=OPENIDC,
      fault="mod_auth_openidc verifies with a key file from before the rotation and never fetches keys.")
def rotated(lab):
    api, old = service(lab), Key()
    api.issuer.published.append(old)
    path = lab.write("issuer.pem", old.pem())
    edge = resource_server(lab, api, f"OIDCOAuthVerifyCertFiles {old.kid}#{path}")
    token, before, wanted = api.token(), old.token(**claims(api.issuer.url)), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, old_token=before, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "Apache alone")
    return inputs(token=token, old_token=before, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, logs=logs(lab, *LOGS))


@case("apache-openidc-issuer", family="verifier", expected=["TN0411"], settling=True, recorded=OPENIDC,
      fault="Apache requires the issuer with a trailing slash (Require claim iss:…/); the token's has none.")
def issuer(lab):
    api = service(lab)
    path = lab.write("issuer.pem", api.key.pem())
    edge = resource_server(lab, api, f"OIDCOAuthVerifyCertFiles {api.key.kid}#{path}", f"claim iss:{api.issuer.url}/")
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") in {401, 403} and status(sent, "direct") == 200, "Apache alone")
    ensure("claim" in lab.read("apache/error.log") or status(sent, "client") == status(sent, "altered"), "by the claim")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, files=edge.config)


@case("apache-openidc-shared-key-differs", family="verifier", expected=["TN0407"], settling=True, recorded=OPENIDC,
      fault="mod_auth_openidc verifies HS256 with another shared key than the issuer signs with.")
def shared(lab):
    api = service(lab, issuer=None)
    key, other = Key("HS256", kid="hs-1"), Key("HS256", kid="hs-1")
    api.api.keys = fixed(other)
    edge = resource_server(lab, api, f"OIDCOAuthVerifySharedKeys plain#hs-1#{other.private}")
    token, wanted = key.token(**claims("https://login.example.test")), target(edge.url())
    sent = record(wanted, token, other_token=other.token(**claims("https://login.example.test")))
    ensure(status(sent, "client") == 401 and status(sent, "other-token") == 200, "as if forged")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "garbage", "again*"),
                  keys={"issuer.secret": key.private}, files=edge.config)


@case("apache-openidc-login-redirect", family="edge", expected=["TN0215"], settling=True, recorded=OPENIDC,
      fault="The API's location has AuthType openid-connect, for browsers: a Bearer token is not looked at, and the answer is a redirect to the login.")
def login(lab):
    api = service(lab)
    edge = apache(lab, f"""OIDCCryptoPassphrase throwaway
OIDCProviderIssuer https://login.example.test
OIDCProviderAuthorizationEndpoint https://login.example.test/authorize
OIDCProviderTokenEndpoint https://login.example.test/token
OIDCProviderJwksUri https://login.example.test/jwks.json
OIDCClientID orders
OIDCClientSecret throwaway
OIDCRedirectURI /callback
OIDCUnAuthAction auth
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
ProxyPass / http://{api.direct}/""", modules=["auth_openidc"])
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 302, "to the login")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)
