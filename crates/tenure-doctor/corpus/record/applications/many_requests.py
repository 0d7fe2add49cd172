"""Faults that need more than one request to show: loops, floods, roles that come later."""

import json
import time
import urllib.error
import urllib.request

from applications.keys import JOSE, issuer, of
from applications.rules import shows
from lab.apps import probed, start
from lab.common import Lab, case, ensure, inputs, record, status, target
from lab.servers import Reply, serve
from lab.tokens import Key
from lab.world import App, World, iso
from lab.world import APP, FASTAPI

PLAIN = "http.server of Python, as an app with a login"


def ask(port: int, token: str, ip: str) -> int:
    """The status of a request from this address."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/orders", headers={"authorization": f"Bearer {token}", "x-forwarded-for": ip})
    try:
        with urllib.request.urlopen(request, timeout=5) as answered:
            return answered.status
    except urllib.error.HTTPError as refused:
        return refused.code


@case("express-kid-flood", family="verifier", expected=["TN0405"], settling=True, recorded=f"{JOSE}, cooldown of 4 s",
      fault="One address sends tokens of ever new kids; jose's cooldown then keeps it from fetching the rotated key, and users are refused.")
def flood(lab: Lab):
    old, new = Key(), Key()
    at = issuer(lab, old)
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url, cooldown=4000)
    ensure(ask(port, of(old, at), "198.51.100.3") == 200, "before")
    time.sleep(4.2)
    stray = Key("ES256")
    forged = [stray.token(headers={"kid": f"{number:04x}f00d"}, **{"iss": at.url, "aud": "orders-api", "sub": "x"}) for number in range(40)]
    ensure(ask(port, forged[0], "192.0.2.200") == 401, "spends the fetch")
    at.keys, at.published = (old, new), [old, new]
    users = [of(new, at, subject=f"u-{number}") for number in range(4)]
    for number, token in enumerate(forged[1:]):
        ask(port, token, "192.0.2.200")
        if number % 10 == 3:
            ensure(ask(port, users[number // 10], f"198.51.100.{number}") == 401, "refused")
            ensure(ask(port, of(old, at), "198.51.100.3") == 200, "old key")
    jwks = json.dumps(at.jwks())
    return inputs(token=users[0], keys={"jwks.json": jwks}, logs={"api.log": lab.read("api.out")})


@case("express-role-newer-than-token", family="framework", expected=["TN0514", "TN0513"], settling=True, recorded=JOSE,
      fault="The role was granted five minutes after the token was issued; the administration's log says when, a newer token works.")
def role_newer(lab: Lab):
    at = issuer(lab, Key())
    port = start(lab, "express", library="jose", jwks=f"{at.url}/jwks.json", issuer=at.url, role="admin")
    stale = of(at.keys[0], at, age=900, lifetime=3600)
    fresh = of(at.keys[0], at, age=5, lifetime=3600, **{"roles": ["user", "admin"]})
    log = f'{{"timestamp": "{iso(time.time() - 600)}", "level": "info", "event": "role granted", "user": "u-4711", "role": "admin"}}\n'
    found = probed(port, stale, path="/admin/orders", issuer=at.url, other_token=fresh, logs={"admin.json": log})
    return shows(found, client=403, altered=401, other_token=200)


def login_loop(request):
    """An app whose callback loses the state, so every sign-in begins anew."""
    host = request.header("host")
    match request.path:
        case "/app":
            return Reply(302, "", {"location": f"http://{host}/authorize?client_id=app&redirect_uri=http%3A%2F%2F{host}%2Fcallback&state=s1", "set-cookie": "state=s1; Path=/login; HttpOnly"})
        case "/authorize":
            return Reply(302, "", {"location": f"http://{host}/callback?code=c0de&state=s1"})
        case "/callback":
            return Reply(302, "", {"location": f"http://{host}/app?error=state_mismatch"})
    return Reply(404, "")


@case("login-state-loop", family="session", expected=["TN0612"], settling=True, recorded=PLAIN,
      fault="The cookie with the state is for another path than the callback's, so the sign-in is sent round and round.")
def loop(lab: Lab):
    port = lab.enter(serve(login_loop))
    wanted = target(f"http://127.0.0.1:{port}/app")
    exchanges = record(wanted)
    ensure(status(exchanges, "client") == 302, "302")
    return inputs(target=wanted, exchanges=exchanges)


@case("login-state-loop-log", family="session", expected=["TN0612"], settling=True, recorded=PLAIN,
      fault="As the loop of sign-ins, in an access log with a browser's requests, and the app's own line.")
def loop_log(lab: Lab):
    lines, at = [], 1794300000.0

    def handle(request):
        reply = login_loop(request)
        moment = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at + len(lines) * 0.4))
        query = f"?{request.query}" if request.query else ""
        lines.append(f'203.0.113.44 - - [{moment}] "GET {request.path}{query} HTTP/1.1" {reply.status} 0 "-" "Mozilla/5.0 (X11; Linux x86_64)"')
        if request.path == "/callback":
            lines.append(f"{iso(at + len(lines) * 0.4)} WARN app.login: OAuth state missing in session, starting sign-in again")
        return reply

    port = lab.enter(serve(handle))
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/app", timeout=5)
    except urllib.error.HTTPError as endless:
        ensure(endless.code == 302, "the client gave up")
    ensure(len(lines) > 9, "round and round")
    return inputs(now=int(at) + 60, logs={"app.log": "\n".join(lines) + "\n"})


@case("sessions-device-clock-log", family="verifier", expected=["TN0417", "TN0415"], settling=True, recorded=f"{FASTAPI}, {APP} that logs logfmt",
      fault="The device's clock is an hour behind; the app's log has its own time, the token's end and the service's Date.")
def device_clock(lab: Lab):
    world = World(lab, "2026-10-25T09:00:00")
    server = world.python()
    app = App(server, "kai", "logfmt")
    app.login()
    world.pass_(1500)
    real = world.now
    app.lines.clear()
    for _ in range(3):
        server_date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(real()))
        world.now = lambda: real() - 3600
        app.event("token_check", expires_at="2026-10-25T09:15:00Z", device_now=iso(world.now()), valid=True)
        world.now = real
        refused = app.get(quiet=True)
        world.now = lambda: real() - 3600
        app.event("request", "warn", method="GET", path="/api/feed", status=refused, had_token=True, server_date=server_date)
        world.now = real
        ensure(refused == 401, "expired")
        world.pass_(30)
    return inputs(now=real(), token=app.access, logs={"device.log": app.text()})


@case("cookie-not-sent-har", family="client", expected=["TN0112"], settling=True, recorded=f"{PLAIN}, {APP} that keeps a HAR (not sanitized)",
      fault="The session cookie is SameSite=Strict and the page is on another site, so its requests go without it and are refused.")
def cookie(lab: Lab):
    def handle(request):
        if request.path == "/login":
            return Reply(200, {"ok": True}, {"set-cookie": "session=5f1c0de5; Path=/; Secure; HttpOnly; SameSite=Strict"})
        if "session=" not in (request.header("cookie") or ""):
            return Reply(401, {"error": "no session"})
        return Reply(200, {"items": []})

    port = lab.enter(serve(handle))
    world = World(lab, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))

    class Site:
        """A server in the way that `App` wants one."""

        def __init__(self):
            self.world, self.port, self.refresh_path = world, port, "/refresh"

        def send(self, method, path, *, body=None, headers=None, timeout=5):
            headers = {**(headers or {}), "origin": "https://shop.example.test", "sec-fetch-site": "cross-site"}
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, headers=headers, data=json.dumps(body).encode() if body else None)
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answered:
                    return answered.status, dict(answered.headers.items()), answered.read().decode()
            except urllib.error.HTTPError as refused:
                return refused.code, dict(refused.headers.items()), refused.read().decode()

    app = App(Site(), "mo")
    app.call("POST", "/login", body={"user": "mo"})
    ensure([app.call("GET", "/api/feed")[0] for _ in range(3)] == [401] * 3, "without the cookie")
    har = json.loads(app.har(sanitized=False))
    for entry in har["log"]["entries"]:
        entry["request"]["headers"] += [{"name": "origin", "value": "https://shop.example.test"}, {"name": "sec-fetch-site", "value": "cross-site"}]
    return inputs(now=world.now(), logs={"page.har": json.dumps(har, indent=1)})
