"""HAProxy, Varnish and Caddy with a day's traffic before an API."""

import os
import re
import time

from edges.haproxy import backend, forward
from edges.haproxy_jwt import EXPIRED, denies, verifying
from lab.common import answer, case, ensure, inputs, only, other_clock, record, status, target
from lab.edges import CADDY, HAPROXY, ORIGIN, VARNISH, caddy, haproxy, har, page, service, varnish
from lab.servers import Reply, serve
from lab.traffic import Crowd, joined, sped, statuses

SOURCE = "http-request set-src req.hdr(x-forwarded-for) if { req.hdr(x-forwarded-for) -m found }"
CAPTURE = ("http-request capture req.hdr(authorization) len 20", "http-request capture req.hdr(user-agent) len 24")


@case("ways-haproxy-capture-bearer-undefined", family="client", expected=["TN0102"], settling=True, recorded=HAPROXY,
      fault="A release of the web app sends `Bearer undefined` after its login page; HAProxy's log captures the beginning of Authorization.")
def undefined(lab):
    api = service(lab)
    with sped(45):
        edge = haproxy(lab, forward(SOURCE, *CAPTURE), backend(api.port))
    crowd = Crowd(edge, api, seed=40)
    for number in range(14):
        crowd.noise(6)
        crowd.send("/orders", f"203.0.113.{20 + number}", token="Bearer undefined", agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_1)")
    log = joined(lab, "haproxy.out")
    ensure(log.count("{Bearer undefined|") == 14, "captured")
    return inputs(logs={"haproxy.log": log})


@case("ways-haproxy-capture-without-scheme", family="client", expected=["TN0103"], settling=True, recorded=HAPROXY,
      fault="One integration sends its token without `Bearer`; HAProxy's log captures the beginning of Authorization.")
def raw(lab):
    api = service(lab)
    with sped(45):
        edge = haproxy(lab, forward(SOURCE, *CAPTURE), backend(api.port))
    crowd = Crowd(edge, api, seed=41)
    token = api.token(subject="partner-7")
    for number in range(12):
        crowd.noise(7)
        crowd.send(f"/orders?since={number}", "203.0.113.200", raw={"Authorization": token}, agent="partner-sync/0.9")
    log = joined(lab, "haproxy.out")
    ensure(log.count("{eyJ") == 12 and "{Bearer eyJ" in log, "captured")
    return inputs(logs={"haproxy.log": log}, token=token)


@case("ways-haproxy-jwt-preflight", family="client", expected=["TN0110"], settling=True, recorded=HAPROXY,
      fault="HAProxy asks every request for a token, preflights too: 401 to OPTIONS in its log, and the app reports CORS.")
def preflight(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    path = lab.write("haproxy/issuer.pem", api.key.pem())
    with sped(20):
        edge = haproxy(lab, SOURCE + "\n" + verifying("RS256", str(path)), backend(api.port))
    crowd = Crowd(edge, api, seed=42, agents=["okhttp/4.12.0"])
    for _ in range(9):
        crowd.noise(7)
        for where in ("/orders", "/orders/17"):
            crowd.send(where, "203.0.113.77", method="OPTIONS", agent="Mozilla/5.0 Chrome/131.0", Origin=ORIGIN, Access_Control_Request_Method="GET",
                       Access_Control_Request_Headers="authorization")
    log = joined(lab, "haproxy.out")
    token, wanted = api.token(), target(edge.url(), origin=ORIGIN)
    entries = page(edge.url(), token)
    ensure(statuses(entries) == [401, 0] and '"OPTIONS /orders HTTP/1.1"' in log, "never a GET")
    return inputs(target=wanted, logs={"haproxy.log": log, "app.har": har(entries, sanitized=True)})


@case("ways-haproxy-header-buffer", family="client", expected=["TN0113"], settling=False, recorded=HAPROXY,
      fault="A consultant in all projects has a token beyond HAProxy's buffer of 16 KB: 400 for him, nothing for others.")
def buffer(lab):
    api = service(lab)
    edge = haproxy(lab, forward(SOURCE), backend(api.port))
    token = api.token(subject="u-88", groups=[f"cn=project-{n:04},ou=delivery,ou=groups,dc=example,dc=test" for n in range(300)])
    other, wanted = api.token(subject="u-2"), target(edge.url())
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") == 400 and status(sent, "other-token") == 200, "only the large token")
    return inputs(token=token, other_token=other, target=wanted, exchanges=only(sent, "client", "bare", "other-token", "garbage", "again*"))


@case("ways-haproxy-rate-limit-403", family="gateway", expected=["TN0316", "TN0206"], settling=True, recorded=HAPROXY,
      fault="A stick table limits each address to 20 requests in 10 s and answers 403; behind an office's NAT, users take it for a lost permission.")
def limited(lab):
    api = service(lab)
    edge = haproxy(lab, forward(SOURCE, "http-request track-sc0 src table rates", "http-request deny deny_status 403 if { sc_http_req_rate(0,rates) gt 20 }"),
                   backend(api.port) + "\n\nbackend rates\n    stick-table type ip size 100k expire 60s store http_req_rate(10s)")
    crowd = Crowd(edge, api, seed=43, users=9)
    tokens = [api.token(subject=f"u-{n}") for n in range(300, 306)]
    for number in range(90):
        crowd.send(crowd.random.choice(crowd.paths), "203.0.113.5", token=tokens[number % 6], agent="Mozilla/5.0 Firefox/132.0")
        if number % 3 == 0:
            crowd.noise(1)
    log = joined(lab, "haproxy.out")
    ensure(log.count(" 403 ") > 30 and "PR--" in log and log.count(" 200 ") > 30, "limited")
    return inputs(files=edge.config, logs={"haproxy.log": log})


@case("ways-haproxy-admin-from-office-only", family="edge", expected=["TN0206"], settling=True, recorded=HAPROXY,
      fault="A rule lets /admin pass from the office's network only; an administrator at home gets 403 with a good token.")
def office(lab):
    api = service(lab)
    edge = haproxy(lab, forward(SOURCE, "http-request deny if { path_beg /admin } !{ src 10.20.0.0/16 }"), backend(api.port))
    token, wanted = api.token(roles=["user", "admin"]), target(edge.url("/admin"), issuer=api.issuer.url)
    crowd = Crowd(edge, api, seed=44)
    for _ in range(5):
        crowd.noise(12)
        crowd.send("/admin", "10.20.3.4", token=token, agent="Mozilla/5.0 Firefox/132.0")
    sent = record(wanted, token, direct=api.direct, other_endpoint=edge.url("/orders"))
    ensure(status(sent, "client") == status(sent, "bare") == 403 and status(sent, "direct") == 200, "the edge alone")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config, logs={"haproxy.log": joined(lab, "haproxy.out")})


@case("ways-haproxy-audience-list", family="verifier", expected=["TN0412"], settling=True, recorded=HAPROXY,
      fault="The issuer began to put two audiences into its tokens; HAProxy compares the claim with one text.")
def audience(lab):
    api = service(lab, audience=None)
    path = lab.write("haproxy/issuer.pem", api.key.pem())
    edge = haproxy(lab, verifying("RS256", str(path), denies("aud", "orders-api", "Invalid JWT audience"), *EXPIRED), backend(api.port))
    token, old = api.token(audience=["orders-api", "account"]), api.token(audience="orders-api", age=5000)
    wanted = target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(answer(sent, "client")["body"] == "Invalid JWT audience" and status(sent, "direct") == 200, "the audience")
    return inputs(token=token, old_token=old, target=wanted, exchanges=sent, files=edge.config, keys={"issuer.pem": api.key.pem()})


@case("ways-haproxy-clock-ahead", family="verifier", expected=["TN0416"], settling=False, recorded=HAPROXY,
      fault="HAProxy's host is 20 minutes ahead: it calls tokens of a minute expired, the API does not.")
def clock(lab):
    api = service(lab)
    path = lab.write("haproxy/issuer.pem", api.key.pem())
    ahead = other_clock(1200)
    os.environ.update(ahead)
    try:
        edge = haproxy(lab, SOURCE + "\n" + verifying("RS256", str(path), *EXPIRED), backend(api.port))
    finally:
        for name in ahead:
            del os.environ[name]
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(answer(sent, "client")["body"] == "JWT has expired" and status(sent, "direct") == 200, "HAProxy alone")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "direct", "again*", "jwks", "discovery"), files=edge.config,
                  logs={"haproxy.log": joined(lab, "haproxy.out")}, keys={"jwks.json": api.jwks()})


@case("ways-healthy-haproxy-deploy", family="healthy", recorded=HAPROXY,
      fault="Nothing: during a deploy a server went down and came back, some calls got 503 and were repeated; tokens were never the matter.")
def deploy(lab):
    api = service(lab)
    second = lab.port()
    with serve(api.api.handle, port=second):
        edge = haproxy(lab, forward(SOURCE), f"backend api\n    balance roundrobin\n    option httpchk GET /health\n    default-server inter 300ms fall 2 rise 2 check\n"
                       f"    server api1 127.0.0.1:{second}")
        crowd = Crowd(edge, api, seed=45)
        time.sleep(0.8)
        crowd.noise(45)
    time.sleep(1.2)
    crowd.noise(9)
    lab.enter(serve(api.api.handle, port=second))
    time.sleep(1.5)
    crowd.noise(45)
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    log = joined(lab, "haproxy.out")
    ensure("is DOWN" in log and "is UP" in log and " 503 " in log and status(sent, "client") == 200, "over")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"haproxy.log": log})


def ncsa(lab, log="varnish.access.log"):
    """varnishncsa beside Varnish, with its hit or miss."""
    path = lab.folder / log
    lab.start("ncsa", ["varnishncsa", "-n", lab.folder / "varnish/run", "-w", path, "-F",
                       '%{X-Forwarded-For}i %l %u %t "%r" %s %b "%{User-agent}i" %{Varnish:hitmiss}x %{Varnish:time_firstbyte}x'])
    time.sleep(1)
    return path


@case("ways-varnish-log-hit-401", family="edge", expected=["TN0202"], settling=True, recorded=VARNISH,
      fault="Varnish keeps 401 for ten minutes: an unauthenticated call poisons a URL, varnishncsa shows `401 … hit` for signed-in users.")
def hit_401(lab):
    api = service(lab, style="bare")
    edge = varnish(lab, api.port, "sub vcl_recv {\n    if (req.method == \"GET\") {\n        return (hash);\n    }\n}\n"
                   "sub vcl_backend_response {\n    set beresp.ttl = 10m;\n    if (bereq.url ~ \"^/orders/\") {\n        set beresp.uncacheable = true;\n    }\n}\n")
    ncsa(lab)
    crowd = Crowd(edge, api, seed=46, health="/health")
    crowd.send("/orders", "192.0.2.50", agent="Go-http-client/1.1")
    crowd.noise(110)
    log = joined(lab, "varnish.access.log")
    ensure(sum(' 401 ' in line and ' hit ' in line for line in log.splitlines()) > 8, "401 hits")
    return inputs(logs={"varnishncsa.log": log}, files=edge.config)


@case("ways-varnish-strips-static-looking", family="edge", expected=["TN0201"], settling=True, recorded=VARNISH,
      fault="VCL unsets Authorization and Cookie for what looks like a file: GET /files/report.csv of the API loses its token.")
def strips(lab):
    api = service(lab)
    edge = varnish(lab, api.port, 'sub vcl_recv {\n    if (req.url ~ "\\.(css|js|png|jpg|svg|csv|pdf)(\\?.*)?$") {\n        unset req.http.Cookie;\n        unset req.http.Authorization;\n    }\n}\n')
    token, wanted = api.token(), target(edge.url("/files/report-2026-10.csv"))
    sent = record(wanted, token, direct=api.direct, other_endpoint=edge.url("/orders"))
    ensure(status(sent, "client") == 401 and status(sent, "other-endpoint") == 200 == status(sent, "direct"), "files only")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


@case("ways-healthy-varnish-passes", family="healthy", recorded=VARNISH,
      fault="Nothing: Varnish keeps the catalogue, passes what carries a token; the log has 401 of strangers, each a pass or miss, and hits of 200.")
def passes(lab):
    api = service(lab, denied_headers={"cache-control": "no-store"},
                  before=lambda request: Reply(200, {"items": [1, 2]}, {"cache-control": "public, max-age=60"}) if request.path == "/catalogue" else None)
    edge = varnish(lab, api.port, "")
    ncsa(lab)
    crowd = Crowd(edge, api, seed=47, paths=("/orders", "/catalogue", "/orders/17"))
    for _ in range(9):
        crowd.noise(10)
        crowd.send("/orders", "192.0.2.51", agent="Go-http-client/1.1")
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_endpoint=edge.url("/catalogue"))
    log = joined(lab, "varnish.access.log")
    ensure(status(sent, "client") == 200 and " hit " in log and not re.search(r" 401 .* hit ", log), "well")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"varnishncsa.log": log})


def caddy_log(lab) -> str:
    """The access log, as Caddy wrote it in JSON."""
    return "".join(line + "\n" for line in joined(lab, "caddy.out").splitlines() if '"http.log.access' in line)


@case("ways-caddy-json-log-expired", family="verifier", expected=["TN0415"], settling=True, recorded=CADDY,
      fault="A kiosk shows a page all day with the token of the morning; Caddy's JSON log has its 401, the token is at hand.")
def kiosk(lab):
    api = service(lab, style="bare")
    edge = caddy(lab, f"log\nreverse_proxy 127.0.0.1:{api.port}")
    crowd = Crowd(edge, api, seed=48)
    old = api.token(age=9 * 3600, lifetime=3600, subject="kiosk-2")
    for _ in range(9):
        crowd.noise(5)
        crowd.send("/orders?page=1", "10.20.7.7", token=old, agent="Mozilla/5.0 (X11; CrOS) Chrome/130.0 Kiosk")
    log = caddy_log(lab)
    ensure(log.count('"status":401') >= 9, "refused")
    return inputs(token=old, logs={"caddy.json.log": log})


@case("ways-caddy-matcher-wants-bearer", family="client", expected=["TN0104"], settling=True, recorded=CADDY,
      fault="A Caddy matcher routes `Authorization: Bearer *` to the API and answers 401 to others; the client writes token_type as it came: bearer.")
def matcher(lab):
    api = service(lab)
    edge = caddy(lab, f'@signed_in header Authorization "Bearer *"\nhandle @signed_in {{\n\treverse_proxy 127.0.0.1:{api.port}\n}}\nhandle {{\n\theader Content-Type application/json\n\trespond `{{"message":"Unauthorized"}}` 401\n}}')
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, carried={"header": "authorization", "prefix": "bearer "}, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "case counts")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)
