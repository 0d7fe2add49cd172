"""Sites in a real browser, each with one fault: what its network panel and console kept."""

import json
import secrets
import subprocess
import time

import jwt
from lab.common import case, ensure, inputs
from lab.servers import Reply, serve
from lab.story import browse, sanitized
from lab.versions import debian, npm

SYSTEM = f"{debian('chromium')} by {npm('playwright-core')}, {debian('nginx')}"
SECRET = "corpus-browser-secret-of-32-bytes"
PAGE = ('<!doctype html><title>Shop</title><script>{script}</script><h1>Shop</h1><img src="/logo.svg" alt="">'
        '<link rel="stylesheet" href="/app.css">')


class Site:
    """nginx with TLS for several names in front of small handlers; `sites` are `{name: handler}`."""

    def __init__(self, lab, **sites):
        self.lab, self.https, self.http = lab, lab.port(), lab.port()
        run = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=shop.test",
               "-keyout", lab.folder / "key.pem", "-out", lab.folder / "cert.pem"]
        subprocess.run(run, check=True, capture_output=True)
        servers = ""
        for name, handler in sites.items():
            port = lab.enter(serve(handler, server=""))
            servers += (f"server {{ listen 127.0.0.1:{self.https} ssl; listen 127.0.0.1:{self.http}; server_name "
                        f"{name.replace('_', '.')}.test; location / {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $host; }} }}\n")
        conf = lab.write("nginx.conf", f"""
daemon off; worker_processes 1; user root; pid {lab.folder}/nginx.pid; error_log {lab.folder}/error.log;
events {{}}
http {{
  log_format main '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $host';
  access_log {lab.folder}/access.log main; ssl_certificate {lab.folder}/cert.pem; ssl_certificate_key {lab.folder}/key.pem;
  client_body_temp_path {lab.folder}/b; proxy_temp_path {lab.folder}/p;
{servers}}}
""")
        lab.start("nginx", ["nginx", "-e", "stderr", "-c", conf], port=self.https)

    def visit(self, *steps, **more) -> dict:
        return browse(self.lab, "browse.mjs", steps=steps, https=self.https, http=self.http, **more)


def pages(script: str):
    """A site of static pages."""

    def handle(request):
        if request.path in ("/", "/login", "/orders"):
            return Reply(200, PAGE.replace("{script}", script), {"content-type": "text/html"})
        if request.path in ("/app.css", "/logo.svg"):
            kind = "text/css" if request.path.endswith("css") else "image/svg+xml"
            return Reply(200, "", {"content-type": kind, "cache-control": "max-age=3600"})
        return Reply(404, "not found")

    return handle


def token(lifetime=900, user="ann@example.test"):
    at = int(time.time())
    return jwt.encode({"sub": user, "aud": "shop", "iat": at, "exp": at + lifetime, "jti": secrets.token_hex(4)}, SECRET, "HS256")


def bearer(request, *, cors=None):
    """An API with bearer tokens; `cors` are the fields of its answers."""
    value = request.header("authorization") or ""
    if not value.startswith("Bearer "):
        return Reply(401, {"error": "missing token"}, {"www-authenticate": "Bearer", **(cors or {})})
    try:
        claims = jwt.decode(value[7:], SECRET, ["HS256"], audience="shop")
    except jwt.PyJWTError as error:
        return Reply(401, {"error": "invalid token", "detail": str(error)}, {"www-authenticate": 'Bearer error="invalid_token"', **(cors or {})})
    return Reply(200, {"user": claims["sub"], "orders": []}, {"vary": "Authorization", "cache-control": "private", **(cors or {})})


class Cookies:
    """An API with a session cookie of the given attributes."""

    def __init__(self, attributes, cors=None):
        self.attributes, self.cors, self.known = attributes, cors or {}, set()

    def __call__(self, request):
        if request.method == "OPTIONS":
            return Reply(204, "", {**self.cors, "access-control-allow-headers": "content-type", "access-control-allow-methods": "GET, POST"})
        if request.path.endswith("/login"):
            made = secrets.token_hex(12)
            self.known.add(made)
            return Reply(200, {"user": "ann"}, {"set-cookie": f"sid={made}; {self.attributes}", **self.cors})
        sent = dict(part.strip().split("=", 1) for part in (request.header("cookie") or "").split(";") if "=" in part)
        if sent.get("sid") in self.known:
            return Reply(200, {"orders": []}, self.cors)
        return Reply(401, {"error": "not signed in"}, self.cors)


def statuses(found, part) -> list[int]:
    return [entry["response"]["status"] for entry in json.loads(found["har"])["log"]["entries"] if part in entry["request"]["url"]]


def of(found, har="shop.har", keep=True, console=True, **more):
    logs = {har: found["har"] if keep else sanitized(found["har"])} | ({"console.log": found["console"]} if console and found["console"].strip() else {})
    return inputs(logs=logs | more.pop("logs", {}), **more)


CALL = ("async () => { await fetch('%s/login', {method: 'POST', credentials: 'include', body: '{}'});"
        " for (const n of [1, 2, 3]) await fetch('%s/orders?page=' + n, {credentials: 'include'}); }")


@case("browser-secure-cookie-on-http", family="client", expected=["TN0112"], settling=True, recorded=SYSTEM,
      fault="The session cookie is Secure, and the intranet site is served over http: the browser does not keep it.")
def secure(lab):
    site = Site(lab, intranet_shop=combined(pages(""), Cookies("Path=/; HttpOnly; Secure; SameSite=Lax")))
    found = site.visit(["goto", 0, "http://intranet.shop.test/"], ["run", 0, CALL % ("/api", "/api")])
    ensure(statuses(found, "/api/orders") == [401] * 3, "no cookie")
    return of(found, target={"url": "http://intranet.shop.test/api/orders", "method": "GET"})


def combined(page, api):
    return lambda request: api(request) if request.path.startswith(("/api", "/auth")) else page(request)


def allowing(origin):
    return {"access-control-allow-origin": origin, "access-control-allow-credentials": "true", "vary": "Origin"}


@case("browser-lax-cookie-cross-site", family="client", expected=["TN0112"], settling=True, recorded=SYSTEM,
      fault="The shop's widget runs on a partner's site; the API's cookie has no SameSite, so it is Lax and does not go along.")
def lax(lab):
    site = Site(lab, www_partner=pages(""), api_shop=Cookies("Path=/; HttpOnly; Secure", allowing("https://www.partner.test")))
    base = "https://api.shop.test/v1"
    found = site.visit(["goto", 0, "https://www.partner.test/"], ["run", 0, CALL % (base, base)])
    ensure(statuses(found, "/v1/orders") == [401] * 3, "no cookie")
    return of(found, "partner.har")


@case("browser-cookie-path-too-narrow", family="client", expected=["TN0112"], settling=True, recorded=SYSTEM,
      fault="The session cookie has Path=/auth, so the browser sends it to the sign-in only and not to the API.")
def path(lab):
    site = Site(lab, www_shop=combined(pages(""), Cookies("Path=/auth; HttpOnly; Secure; SameSite=Lax")))
    found = site.visit(["goto", 0, "https://www.shop.test/"], ["run", 0, CALL % ("/auth", "/api")])
    ensure(statuses(found, "/api/orders") == [401] * 3, "no cookie")
    return of(found, console=False)


@case("browser-cookie-of-the-other-subdomain", family="client", expected=["TN0112"], recorded=SYSTEM,
      fault="www sets a cookie without Domain; the API has its own name, to which the browser does not send it.")
def host_only(lab):
    shared = Cookies("Path=/; HttpOnly; Secure; SameSite=Lax", allowing("https://www.shop.test"))
    site = Site(lab, www_shop=combined(pages(""), shared), api_shop=shared)
    found = site.visit(["goto", 0, "https://www.shop.test/"], ["run", 0, CALL % ("/auth", "https://api.shop.test/v1")])
    ensure(statuses(found, "/v1/orders") == [401] * 3, "no cookie")
    return of(found, logs={"access.log": lab.read("access.log")})


@case("browser-third-party-cookies-blocked", family="client", expected=["TN0112"], recorded=SYSTEM,
      fault="The browser blocks cookies of third parties; the API's SameSite=None cookie is of one, and is not kept.")
def third_party(lab):
    site = Site(lab, www_partner=pages(""), api_shop=Cookies("Path=/; HttpOnly; Secure; SameSite=None", allowing("https://www.partner.test")))
    base = "https://api.shop.test/v1"
    found = site.visit(["goto", 0, "https://www.partner.test/"], ["run", 0, CALL % (base, base)], args=["--test-third-party-cookie-phaseout"])
    ensure(statuses(found, "/v1/orders") == [401] * 3, "no cookie")
    return of(found, "embedded.har")


FETCH = ("async (token) => { for (const path of ['/v1/orders', '/v1/me']) try { const answer = await fetch('%s' + path, {headers: "
         "{Authorization: 'Bearer ' + %s}}); console.log(path, answer.status, await answer.text()); } catch (error) { console.error(path, String(error)); } }")


@case("browser-preflight-needs-a-token", family="client", expected=["TN0110"], settling=True, recorded=SYSTEM,
      fault="The API's middleware asks each request for a token, OPTIONS too; the browser never sends the real one.")
def preflight(lab):
    cors = {"access-control-allow-origin": "https://app.shop.test"}
    site = Site(lab, app_shop=pages(""), api_shop=lambda request: bearer(request, cors=cors))
    found = site.visit(["goto", 0, "https://app.shop.test/"], ["run", 0, FETCH % ("https://api.shop.test", f"'{token()}'")])
    log = lab.read("access.log")
    ensure('"OPTIONS /v1/orders' in log and '"GET /v1/orders' not in log, log)
    return of(found, keep=False, logs={"access.log": log})


@case("browser-refusal-without-cors-fields", family="client", expected=["TN0111", "TN0415"], settling=True, recorded=SYSTEM,
      fault="The API adds the CORS fields to good answers only: of an expired token's 401 the page sees `Failed to fetch`, and never refreshes.")
def refusal(lab):
    cors = {"access-control-allow-origin": "https://app.shop.test"}

    def api(request):
        if request.method == "OPTIONS":
            return Reply(204, "", {**cors, "access-control-allow-headers": "authorization", "access-control-allow-methods": "GET"})
        reply = bearer(request)
        return Reply(reply.status, reply.body, {**reply.headers, **cors}) if reply.status == 200 else reply

    site = Site(lab, app_shop=pages(""), api_shop=api)
    old = token(-300)
    found = site.visit(["goto", 0, "https://app.shop.test/"], ["run", 0, FETCH % ("https://api.shop.test", f"'{token()}'")],
                       ["run", 0, FETCH % ("https://api.shop.test", f"'{old}'")])
    ensure("Failed to fetch" in found["console"], found["console"])
    return of(found, token=old, logs={"access.log": lab.read("access.log")})


@case("browser-bearer-undefined-after-rename", family="client", expected=["TN0102"], settling=True, recorded=SYSTEM,
      fault="The new release reads localStorage.access_token, the old one had written localStorage.token: `Bearer undefined`.")
def undefined(lab):
    site = Site(lab, app_shop=combined_api(pages(f"localStorage.token = '{token()}'")))
    found = site.visit(["goto", 0, "https://app.shop.test/"], ["run", 0, FETCH % ("", "localStorage.access_token")])
    ensure(statuses(found, "/v1/") == [401] * 2, "refused")
    return of(found)


def combined_api(page):
    return lambda request: bearer(request) if request.path.startswith("/v1") else page(request)


@case("browser-token-with-json-quotes", family="client", expected=["TN0105"], settling=True, recorded=SYSTEM,
      fault="The page writes its token to localStorage by JSON.stringify and reads it without JSON.parse: quotes go along.")
def quoted(lab):
    site = Site(lab, app_shop=combined_api(pages(f"localStorage.auth = JSON.stringify('{token()}')")))
    found = site.visit(["goto", 0, "https://app.shop.test/orders"], ["run", 0, FETCH % ("", "localStorage.auth")])
    ensure(statuses(found, "/v1/") == [401] * 2, "refused")
    return of(found, console=False)
