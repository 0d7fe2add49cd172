"""Rights at the edge, replicas, and gates of frameworks behind it."""

import http.cookies
import re
import secrets

from edges.apache_modules import OPENIDC, openidc
from edges.haproxy import backend, forward
from edges.haproxy_busy import SOURCE
from lab import edges
from lab.common import case, ensure, inputs, only, record, status, target
from lab.edges import HAPROXY, service
from lab.servers import Reply, serve
from lab.tokens import Key, claims
from lab.traffic import Crowd, joined, lighttpd, nginx, sped

AUTH = "https://auth.example.test"


def apache(lab, requires: str):
    """Apache whose mod_auth_openidc knows the key, and asks for claims."""
    key = Key()
    pem = lab.write("keys/idp.pem", key.pem())
    _, edge = openidc(lab, f"OIDCOAuthVerifyCertFiles {key.kid}#{pem}", level="warn auth_openidc:info authz_core:info", requires=requires)
    return key, edge


@case("ways-apache-scope-missing", family="framework", expected=["TN0513"], settling=True, recorded=OPENIDC,
      fault="Apache asks for the scope orders:write (Require claim); the app's tokens have orders:read. Apache answers 401, not 403.")
def scope(lab):
    key, edge = apache(lab, 'Require claim "scope~(^| )orders:write( |$)"')
    token, other, wanted = key.token(**claims(AUTH)), key.token(**claims(AUTH, subject="u-2", scope="orders:read orders:write")), target(edge.url())
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") in (401, 403) and status(sent, "other-token") == 200, "the scope")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, files=edge.config)


@case("ways-apache-role-granted-later", family="framework", expected=["TN0514"], settling=True, recorded=OPENIDC,
      fault="A user was made an administrator minutes ago; the token in use is older than that, a new one has the role.")
def later(lab):
    key, edge = apache(lab, "Require claim roles:admin")
    token, fresh = key.token(**claims(AUTH, age=820)), key.token(**claims(AUTH, age=20, roles=["user", "admin"]))
    wanted = target(edge.url("/orders/17"))
    sent = record(wanted, token, other_token=fresh)
    ensure(status(sent, "client") in (401, 403) and status(sent, "other-token") == 200, "the new one")
    return inputs(token=token, other_token=fresh, target=wanted, exchanges=sent, files=edge.config)


@case("ways-apache-role-under-other-claim", family="framework", expected=["TN0515"], settling=True, recorded=OPENIDC,
      fault="Apache looks for roles:admin; since the move to Keycloak the role stands under realm_access.roles.")
def other_claim(lab):
    key, edge = apache(lab, "Require claim roles:admin")
    token = key.token(**claims(AUTH, roles=None, realm_access={"roles": ["admin", "offline_access"]}, azp="shop-web"))
    wanted = target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") in (401, 403), "refused")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config, logs={"error.log": joined(lab, "apache/error.log")})


def with_sessions(request, sessions):
    """An application that keeps its sessions in its own memory."""
    if request.path == "/login":
        name = secrets.token_hex(12)
        sessions[name] = "anna"
        return Reply(200, {"user": "anna"}, {"set-cookie": f"session={name}; Path=/; HttpOnly"})
    if request.path == "/health":
        return Reply(200, {"status": "ok"})
    cookie = http.cookies.SimpleCookie(request.header("cookie") or "")
    if "session" in cookie and cookie["session"].value in sessions:
        return Reply(200, {"orders": [{"id": 17}], "user": sessions[cookie["session"].value]})
    return Reply(401, {"error": "not signed in"})


def two_memories(lab, more=""):
    apps = [lab.enter(serve(lambda request, own=own: with_sessions(request, own), server="gunicorn")) for own in ({}, {})]
    return edges.haproxy(lab, forward(SOURCE), backend(*apps, more=more))


@case("ways-haproxy-sessions-of-one-process", family="session", expected=["TN0606"], settling=False, recorded=HAPROXY,
      fault="A second replica was added; sessions live in each one's memory, and HAProxy goes round: every other call is 401.")
def one_process(lab):
    edge = two_memories(lab)
    signed_in = edges.fetch(edge.url("/login"), "POST", {"Host": "shop.example.test"}, b"{}")
    value = re.search(r"session=(\w+)", edges.field(signed_in, "set-cookie")).group(1)
    wanted = target(edge.url())
    sent = only(record(wanted, value, carried={"header": "cookie", "prefix": "session="}, repeats=9), "client", "bare", "again*")
    seen = [status(sent, probe) for probe in ("client", "again-1", "again-2", "again-3", "again-4", "again-5")]
    ensure({200, 401} == set(seen), "they disagree")
    return inputs(target=wanted, exchanges=sent, logs={"haproxy.log": joined(lab, "haproxy.out")}, files=edge.config)


@case("ways-haproxy-sessions-log", family="session", expected=["TN0606"], settling=False, recorded=HAPROXY,
      fault="As two replicas with sessions of their own; only HAProxy's log is at hand: each user's 200 come from one server, 401 from the other.")
def one_process_log(lab):
    with sped(30, 40):
        edge = two_memories(lab)
    for user in range(6):
        ip = f"198.51.100.{30 + user}"
        named = {"Host": "shop.example.test", "X-Forwarded-For": ip, "User-Agent": "Mozilla/5.0 Firefox/132.0"}
        cookie = re.search(r"session=\w+", edges.field(edges.fetch(edge.url("/login"), "POST", named, b"{}"), "set-cookie")).group(0)
        for number in range(9 + user % 2):
            edges.fetch(edge.url(("/orders", "/orders/17", "/profile")[number % 3]), headers={**named, "Cookie": cookie})
    log = joined(lab, "haproxy.out")
    ensure(" 401 " in log and " 200 " in log and "api/api2" in log, "they disagree")
    return inputs(logs={"haproxy.log": log})


@case("ways-nginx-login-page-for-api", family="edge", expected=["TN0215"], settling=True, recorded="nginx 1.22.1, Python 3.11",
      fault="A sign-in gate for browsers was put before the whole host: API calls with a token get 302 to the sign-in page, which answers 200 HTML.")
def login_page(lab):
    api = service(lab)
    page = "<!doctype html><html lang=en><head><title>Sign in · Example Corp</title></head><body><form action=/login/step2 method=post><input name=email></form></body></html>"
    gate = lab.enter(serve(lambda request: Reply(200, page, {"content-type": "text/html; charset=utf-8"}) if request.path.startswith("/login")
                           else Reply(302, "", {"location": "/login?return_to=" + request.path}) if "corp_session=" not in (request.header("cookie") or "")
                           else Reply(200, {}), server="gate"))
    edge = nginx(lab, f"location /login {{ proxy_pass http://127.0.0.1:{gate}; }}\n"
                 f"location = /_gate {{ internal; proxy_pass http://127.0.0.1:{gate}/check; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }}\n"
                 f"location / {{ if ($cookie_corp_session = \"\") {{ return 302 /login?return_to=$request_uri; }} proxy_pass http://{api.direct}; }}")
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 302 and status(sent, "hop-1") == 200 == status(sent, "direct"), "a page")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-lighttpd-log-of-login-redirects", family="edge", expected=["TN0215"], settling=False, recorded="lighttpd 1.4.69, Python 3.11",
      fault="As a sign-in gate before the API, seen in lighttpd's log only: the app's GET /api/… are 302, each followed by 200 of /login.")
def login_log(lab):
    api = service(lab, before=lambda request: Reply(200, "<!doctype html><title>Sign in</title>", {"content-type": "text/html"}) if request.path == "/login" else None)
    with sped(40):
        edge = lighttpd(lab, f'$REQUEST_HEADER["cookie"] !~ "corp_session=" {{\n  $HTTP["url"] !~ "^/(login|health)" {{\n    url.redirect-code = 302\n    url.redirect = ("^(.*)$" => "/login?next=$1")\n  }}\n}}\n'
                        f'proxy.server = ("" => (("host" => "127.0.0.1", "port" => {api.port})))')
    crowd = Crowd(edge, api, seed=92, agents=["okhttp/4.12.0", "ShopApp/8.2.0 (iOS 18.1)"])
    for _ in range(30):
        ip, agent, token = crowd.random.choice(crowd.users)
        crowd.send("/orders", ip, agent=agent, token=token)
        crowd.send("/login?next=/orders", ip, agent=agent)
        crowd.send("/orders", "198.51.100.3", agent="Mozilla/5.0 Firefox/132.0", token=token, Cookie="corp_session=throwaway")
        crowd.send("/health", "10.20.0.9", agent="kube-probe/1.29")
        crowd.pass_(0.08)
    log = joined(lab, "lighttpd/access.log")
    ensure(log.count('" 302 ') == 30, "redirected")
    return inputs(logs={"access.log": log})


@case("ways-apache-audience-of-other-api", family="verifier", expected=["TN0412"], settling=True, recorded=OPENIDC,
      fault="Apache lets in tokens for orders-api only (Require claim aud); the app asks its issuer for the audience billing-api.")
def audience(lab):
    key, edge = apache(lab, "Require claim aud:orders-api")
    token, wanted = key.token(**claims(AUTH, audience="billing-api")), target(edge.url())
    other = key.token(**claims(AUTH, subject="u-2"))
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") in (401, 403) and status(sent, "other-token") == 200, "the audience")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, files=edge.config)


@case("ways-nginx-scheme-compared-har", family="client", expected=["TN0104"], settling=True, recorded="nginx 1.22.1, Python 3.11",
      fault="nginx refuses what does not begin with `Bearer `; one SDK writes `bearer`, another `Bearer`, as a HAR of both shows.")
def compared(lab):
    api = service(lab)
    edge = nginx(lab, f'location / {{\n  if ($http_authorization !~ "^Bearer ") {{ return 401; }}\n  proxy_pass http://{api.direct};\n}}')
    token = api.token()
    entries = [edges.fetch(edge.url(path), headers={"User-Agent": agent, "Authorization": f"{scheme} {token}"})
               for scheme, agent, path in (("bearer", "shop-sdk-go/0.4", "/orders"), ("bearer", "shop-sdk-go/0.4", "/orders/17"),
                                           ("Bearer", "shop-sdk-js/2.0", "/orders"), ("bearer", "shop-sdk-go/0.4", "/orders"))]
    ensure([entry["response"]["status"] for entry in entries] == [401, 401, 200, 401], "case counts")
    return inputs(token=token, target=target(edge.url()), logs={"calls.har": edges.har(entries)})
