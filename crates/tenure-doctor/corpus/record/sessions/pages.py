"""More sites in a real browser: tabs that race, redirects, service workers, sign-ins, and those without a fault."""

import json
import secrets
import threading
import time
import urllib.parse

from lab.common import case, ensure, inputs
from lab.servers import Reply, serve
from lab.story import Story, sanitized
from lab.versions import pypi
from sessions.browser import SYSTEM, Cookies, Site, bearer, combined, of, pages, statuses, token


class Tokens:
    """An API whose refresh tokens are used once; reuse ends the session. `plan` are statuses to answer first."""

    def __init__(self, lifetime=2, grace=0.0, plan=(), page=""):
        self.lifetime, self.grace, self.plan, self.lines = lifetime, grace, list(plan), []
        self.used, self.family, self.ended, self.lock = {}, {}, set(), threading.Lock()
        self.page = pages(page)

    def log(self, level, text, **more):
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() * 1000) % 1000:03}Z"
        self.lines.append(json.dumps({"timestamp": at, "level": level, "logger": "auth", "message": text, **more}))

    def issue(self, family):
        made = secrets.token_urlsafe(24)
        self.family[made] = family
        return Reply(200, {"access_token": token(self.lifetime), "expires_in": self.lifetime, "refresh_token": made},
                     {"cache-control": "no-store"})

    def __call__(self, request):
        if request.path == "/auth/login":
            family = secrets.token_hex(4)
            self.log("info", "signed in", user="ann", session=family)
            return self.issue(family)
        if request.path == "/auth/refresh":
            with self.lock:
                return self.refresh(json.loads(request.body)["refresh_token"])
        if not request.path.startswith("/v1"):
            return self.page(request)
        reply = bearer(request)
        if reply.status == 401:
            self.log("warn", "request refused", path=request.path, reason=reply.body.get("detail", reply.body["error"]))
        return reply

    def refresh(self, given):
        if self.plan and (status := self.plan.pop(0)) != 200:
            return Reply(status, "<html><h1>503 Service Temporarily Unavailable</h1></html>", {"content-type": "text/html"})
        family = self.family.get(given)
        late = given in self.used and time.time() - self.used[given] > self.grace
        if family is None or family in self.ended or late:
            if late:
                self.ended.add(family)
                self.log("warn", "refresh token used twice, session ended", session=family,
                         first_use_ms_ago=int((time.time() - self.used[given]) * 1000))
            return Reply(400, {"error": "invalid_grant", "error_description": "refresh token is no longer valid"})
        self.used.setdefault(given, time.time())
        self.log("info", "session refreshed", session=family)
        return self.issue(family)

    def text(self):
        return "\n".join(self.lines) + "\n"


APP = """
const kept = () => JSON.parse(localStorage.session || 'null');
async function enter() { localStorage.session = JSON.stringify(await (await fetch('/auth/login', {method: 'POST'})).json()); }
async function renew() {
  const answer = await fetch('/auth/refresh', {method: 'POST', body: JSON.stringify({refresh_token: kept().refresh_token})});
  if (answer.ok) { localStorage.session = JSON.stringify(await answer.json()); return true; }
  console.warn('refresh failed', answer.status);
  if (!window.careful || answer.status === 400) { delete localStorage.session; console.warn('signed out'); history.pushState({}, '', '/login'); }
  return false;
}
async function get(path) {
  const once = () => fetch(path, {headers: {Authorization: 'Bearer ' + kept().access_token}});
  let answer = await once();
  if (answer.status === 401) {
    for (let turn = 0; turn < (window.careful ? 4 : 1); turn++) if (await renew()) { answer = await once(); break; } else await new Promise(d => setTimeout(d, 300));
  }
  return answer.status;
}
"""
ENTER, GET = "() => enter()", "() => get('/v1/orders').catch(String)"


@case("browser-two-tabs-refresh", family="session", expected=["TN0602"], settling=True, recorded=SYSTEM,
      fault="Two tabs wake up together and refresh with one token; the API ends the session for its second use.")
def two_tabs(lab):
    api = Tokens(page=APP)
    site = Site(lab, app_shop=api)
    found = site.visit(["goto", 0, "https://app.shop.test/"], ["run", 0, ENTER], ["goto", 1, "https://app.shop.test/orders"],
                       ["both", GET], ["wait", 2600], ["both", GET], ["wait", 2600], ["both", GET])
    ensure({200, 400} <= set(statuses(found, "/auth/refresh")), str(statuses(found, "/auth/refresh")))
    return of(found, logs={"auth.log": api.text()})


@case("browser-two-tabs-refresh-har-only", family="session", expected=["TN0602"], recorded=SYSTEM,
      fault="As two tabs refresh together; the network panel's export without credentials is all there is.")
def two_tabs_har(lab):
    site = Site(lab, app_shop=Tokens(page=APP))
    found = site.visit(["goto", 0, "https://app.shop.test/"], ["run", 0, ENTER], ["goto", 1, "https://app.shop.test/orders"],
                       ["both", GET], ["wait", 2600], ["both", GET], ["wait", 300], ["both", GET])
    ensure({200, 400} <= set(statuses(found, "/auth/refresh")), str(statuses(found, "/auth/refresh")))
    return of(found, keep=False, console=False)


@case("browser-signed-out-by-503", family="session", expected=["TN0604"], settling=True, recorded=SYSTEM,
      fault="The refresh is answered with 503 once, and the page deletes its session at once.")
def by_503(lab):
    site = Site(lab, app_shop=Tokens(page=APP, plan=[200, 503]))
    found = site.visit(["goto", 0, "https://app.shop.test/"], ["run", 0, ENTER], ["run", 0, GET], ["wait", 2600], ["run", 0, GET],
                       ["wait", 2600], ["run", 0, GET], ["goto", 0, "https://app.shop.test/login"])
    ensure("signed out" in found["console"] and 503 in statuses(found, "/auth/refresh"), found["console"])
    return of(found)


@case("browser-redirect-to-api-host", family="client", expected=["TN0107"], settling=True, recorded=SYSTEM,
      fault="The API has moved to a host of its own; the old address redirects, and the browser drops Authorization on the way.")
def redirect(lab):
    cors = {"access-control-allow-origin": "*", "access-control-allow-headers": "authorization"}

    def old(request):
        if request.path.startswith("/v1"):
            return Reply(308, "", {"location": f"https://api.shop.test{request.path}"})
        return pages("")(request)

    def new(request):
        return Reply(204, "", cors) if request.method == "OPTIONS" else bearer(request, cors=cors)

    site = Site(lab, www_shop=old, api_shop=new)
    good = token()
    call = f"async () => {{ for (const p of ['orders', 'me']) await fetch('/v1/' + p, {{headers: {{Authorization: 'Bearer {good}'}}}}); }}"
    found = site.visit(["goto", 0, "https://www.shop.test/"], ["run", 0, call])
    ensure(statuses(found, "//api.shop.test/v1") == [401, 401], str(statuses(found, "/v1")))
    return of(found, console=False)


@case("browser-requests-before-session-is-read", family="client", expected=["TN0101"], settling=True, recorded=SYSTEM,
      fault="The page asks for its orders while IndexedDB is still being read: the first requests of each load have no token.")
def before(lab):
    script = """
    let session = null;
    const open = () => new Promise((done) => { const r = indexedDB.open('auth', 1);
      r.onupgradeneeded = () => r.result.createObjectStore('kept'); r.onsuccess = () => done(r.result); });
    const get = async (path) => { const answer = await fetch(path, {headers: session ? {Authorization: 'Bearer ' + session} : {}});
      console[answer.ok ? 'log' : 'warn'](path, answer.status, session ? 'with token' : 'without token'); };
    async function restore() { const db = await open(); await new Promise(d => setTimeout(d, 150));
      const r = db.transaction('kept').objectStore('kept').get('token');
      await new Promise((done) => r.onsuccess = done); session = r.result; console.log('session restored', session ? session.length : 0); }
    async function keep(token) { const db = await open(); db.transaction('kept', 'readwrite').objectStore('kept').put(token, 'token'); }
    addEventListener('load', async () => { if (location.pathname === '/login') return;
      get('/v1/orders'); get('/v1/me'); await restore(); get('/v1/cart'); });
    """
    site = Site(lab, app_shop=lambda request: bearer(request) if request.path.startswith("/v1") else pages(script)(request))
    steps = [["goto", 0, "https://app.shop.test/login"], ["run", 0, f"() => keep('{token()}')"], ["wait", 200]]
    for _ in range(3):
        steps += [["goto", 0, "https://app.shop.test/orders"], ["wait", 700]]
    found = site.visit(*steps)
    ensure(statuses(found, "/v1/orders") == [401] * 3 and statuses(found, "/v1/cart") == [200] * 3, found["console"])
    return of(found)


def identity(codes):
    """A provider that knows its user already: back at once, by a page of its own."""

    def handle(request):
        query = dict(urllib.parse.parse_qsl(request.query))
        if request.path == "/authorize":
            codes.append(secrets.token_hex(8))
            back = f"{query['redirect_uri']}?{urllib.parse.urlencode({'code': codes[-1], 'state': query['state']})}"
            return Reply(200, f"<!doctype html><title>SSO</title><form action=/go></form><script>location.replace({json.dumps(back)})</script>",
                         {"content-type": "text/html"})
        if request.path == "/token":
            return Reply(200, {"access_token": secrets.token_hex(16), "token_type": "Bearer", "expires_in": 3600})
        return Reply(200, {"name": "Ann"})

    return handle


def portal(lab, **settings):
    """Flask with Authlib behind nginx with TLS, and a provider on another site."""
    story = Story(lab, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))
    inside = lab.enter(serve(identity([]), server=""))
    web = story.gunicorn("authlib_app:app", "--forwarded-allow-ips", "*", issuer="https://login.idp.test",
                         inside=f"http://127.0.0.1:{inside}", SESSION_COOKIE_SECURE=True, **settings)

    def forward(request):
        sent = {name: value for name, value in request.headers if name.lower() in ("cookie", "user-agent", "accept")}
        status, fields, text = web.send(request.method, request.path + ("?" + request.query if request.query else ""),
                                        headers={**sent, "host": "portal.shop.test", "x-forwarded-proto": "https", "x-forwarded-host": "portal.shop.test"})
        kept = {name: value for name, value in fields.items() if name in ("location", "set-cookie", "content-type", "vary")}
        return Reply(status, text, kept)

    return story, web, Site(lab, portal_shop=forward, login_idp=identity([]))


@case("flask-authlib-state-lost-samesite-strict", family="session", expected=["TN0612", "TN0112"], settling=True,
      recorded=f"{SYSTEM}, {pypi('Flask', 'Authlib', 'gunicorn')}",
      fault="The site's session cookie is SameSite=Strict: it does not come along when the provider sends the browser back, so `state` is not found.")
def strict(lab):
    story, web, site = portal(lab, SESSION_COOKIE_SAMESITE="Strict")
    found = site.visit(["goto", 0, "https://portal.shop.test/"], ["wait", 900], ["goto", 0, "https://portal.shop.test/"], ["wait", 900])
    log = web.log()
    ensure("mismatching_state" in log, log)
    web.noise(4)
    config = ('SESSION_COOKIE_SECURE = True\nSESSION_COOKIE_HTTPONLY = True\nSESSION_COOKIE_SAMESITE = "Strict"\n'
              'PREFERRED_URL_SCHEME = "https"\nPERMANENT_SESSION_LIFETIME = 28800\n')
    return inputs(logs={"gunicorn.log": web.log(), "login.har": sanitized(found["har"])}, files={"config.py": config})


@case("healthy-browser-flask-authlib", family="healthy", recorded=f"{SYSTEM}, {pypi('Flask', 'Authlib', 'gunicorn')}",
      fault="None: sign-in by another site with redirects there and back, and pages afterwards.")
def sso_well(lab):
    story, web, site = portal(lab, SESSION_COOKIE_SAMESITE="Lax")
    found = site.visit(["goto", 0, "https://portal.shop.test/"], ["wait", 1200], ["goto", 0, "https://portal.shop.test/"], ["wait", 200])
    ensure("Welcome" in found["har"] and "mismatching" not in web.log(), web.log())
    web.noise(6)
    return inputs(logs={"gunicorn.log": web.log(), "login.har": found["har"]})


@case("healthy-browser-renews-after-401", family="healthy", recorded=SYSTEM,
      fault="None: each refused request is followed by a refresh and sent again; one refresh met 503 and was repeated.")
def renews(lab):
    site = Site(lab, app_shop=Tokens(page=APP + "window.careful = true;", plan=[200, 503, 200]))
    steps = [["goto", 0, "https://app.shop.test/"], ["run", 0, ENTER], ["run", 0, GET]]
    for _ in range(3):
        steps += [["wait", 2500], ["run", 0, GET], ["run", 0, GET]]
    found = site.visit(*steps)
    ensure(found["results"][-1] == 200 and "signed out" not in found["console"], found["console"])
    return of(found)


@case("healthy-browser-cookies-sanitized", family="healthy", recorded=SYSTEM,
      fault="None: a session with a cookie across subdomains, preflights and 304 among it; the export has neither cookies nor credentials.")
def cookies_well(lab):
    shared = Cookies("Domain=shop.test; Path=/; HttpOnly; Secure; SameSite=Lax", {"access-control-allow-origin": "https://www.shop.test",
                     "access-control-allow-credentials": "true"})
    site = Site(lab, www_shop=combined(pages(""), shared), api_shop=shared)
    call = ("async () => { await fetch('/auth/login', {method: 'POST', body: '{}'}); for (const n of [1, 2, 3]) await fetch("
            "'https://api.shop.test/v1/orders?page=' + n, {credentials: 'include', headers: {'content-type': 'application/json'}}); }")
    found = site.visit(["goto", 0, "https://www.shop.test/"], ["run", 0, call], ["goto", 0, "https://www.shop.test/orders"])
    ensure(statuses(found, "/v1/orders") == [200] * 3, str(statuses(found, "/v1")))
    return of(found, keep=False, logs={"access.log": lab.read("access.log")})
