"""Edges with one fault each, of which only what a browser or a server wrote down is at hand: HAR files and logs."""

import time

from lab import edges
from lab.common import case, ensure, inputs, target
from lab.edges import APACHE, CADDY, HAPROXY, NGINX, ORIGIN, VARNISH, apache, caddy, haproxy, har, logs, nginx, page, service, varnish
from lab.servers import Api, Reply, serve
from lab.tokens import Key


def bearer(token, **more) -> dict:
    return {"Authorization": f"Bearer {token}", "User-Agent": "okhttp/4.12.0", **more}


def statuses(entries) -> list[int]:
    return [entry["response"]["status"] for entry in entries]


@case("nginx-har-redirect-drops-header", family="client", expected=["TN0107"], settling=True, recorded=NGINX,
      fault="nginx redirects to another port; the client follows without its Authorization header.")
def redirect(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ return 308 http://127.0.0.1:{api.port}$request_uri; }}")
    entries = []
    for path in ("/orders", "/orders/17"):
        first = edges.fetch(edge.url(path), headers=bearer(api.token()))
        entries += [first, edges.fetch(first["response"]["redirectURL"], headers={"User-Agent": "okhttp/4.12.0"})]
    ensure(statuses(entries) == [308, 401, 308, 401], "refused after the hop")
    return inputs(target=target(edge.url()), logs={"device.har": har(entries)})


@case("caddy-har-login-page", family="edge", expected=["TN0215"], settling=True, recorded=CADDY,
      fault="The login proxy before the API redirects calls to its HTML login page; the app takes the page for an answer.")
def login(lab):
    api = service(lab)
    page_text = "<!doctype html><html><head><title>Sign in</title></head><body><form method='post'></form></body></html>"

    def answers(request):
        if request.path == "/oauth2/start":
            return Reply(200, page_text, {"content-type": "text/html; charset=utf-8"})
        return Reply(302, "", {"location": "/oauth2/start?rd=%2Forders"})

    auth = lab.enter(serve(answers))
    edge = caddy(lab, f"handle /oauth2/* {{\n\treverse_proxy 127.0.0.1:{auth}\n}}\nhandle {{\n\tforward_auth 127.0.0.1:{auth} {{\n\t\turi /check\n\t}}\n\treverse_proxy 127.0.0.1:{api.port}\n}}")
    first = edges.fetch(edge.url(), headers=bearer(api.token()))
    entries = [first, edges.fetch(edge.url("/oauth2/start?rd=%2Forders"), headers=bearer(api.token()))]
    ensure(statuses(entries) == [302, 200], "a login page")
    return inputs(target=target(edge.url()), logs={"app.har": har(entries)})


@case("varnish-har-cached-401", family="edge", expected=["TN0202"], settling=True, recorded=VARNISH,
      fault="Varnish keeps a 401 and gives it to a signed-in user; the exported HAR has no credentials in it.")
def cached(lab):
    api = service(lab, style="bare")
    edge = varnish(lab, api.port, "sub vcl_recv {\n    return (hash);\n}\nsub vcl_backend_response {\n    set beresp.ttl = 300s;\n}\n"
                   'sub vcl_deliver {\n    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; }\n}\n')
    edges.fetch(edge.url())
    time.sleep(3)
    entries = [edges.fetch(edge.url(path), headers=bearer(api.token())) for path in ("/orders", "/orders", "/orders?nocache=1")]
    ensure(statuses(entries) == [401, 401, 200], "a cache-buster helps")
    ensure(int(edges.field(entries[0], "age")) >= 2, "it has an age")
    return inputs(target=target(edge.url()), logs={"export.har": har(entries, sanitized=True)})


@case("nginx-har-expired-sanitized", family="verifier", expected=["TN0415"], settling=True, recorded=NGINX,
      fault="The token has expired; the browser exported the HAR without credentials, so Authorization seems to be missing.")
def expired(lab):
    api = service(lab, cors=True)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; add_header Access-Control-Allow-Origin {ORIGIN} always; add_header Access-Control-Expose-Headers www-authenticate always; }}")
    old = api.token(age=4000)
    entries = page(edge.url(), old) + page(edge.url("/orders/17"), old)
    ensure(statuses(entries) == [204, 401, 204, 401], "refused")
    return inputs(target=target(edge.url(), origin=ORIGIN), logs={"shop.har": har(entries, sanitized=True)})


@case("nginx-har-expired-with-token", family="verifier", expected=["TN0415"], settling=True, recorded=NGINX,
      fault="The app goes on with a token that expired; its HAR and the token are at hand, the API gives no reason.")
def expired_token(lab):
    api = service(lab, style="bare")
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    old = api.token(age=1500)
    entries = [edges.fetch(edge.url(path), headers=bearer(old)) for path in ("/orders", "/orders/17", "/orders")]
    ensure(statuses(entries) == [401, 401, 401], "refused")
    return inputs(token=old, logs={"device.har": har(entries), **logs(lab, "nginx/access.log")}, keys={"jwks.json": api.jwks()})


@case("caddy-har-431", family="client", expected=["TN0113"], settling=True, recorded=CADDY,
      fault="The token of one user is too large for Caddy; his calls end with 431.")
def too_large(lab):
    api = service(lab)
    edge = caddy(lab, f"reverse_proxy 127.0.0.1:{api.port}", options="servers {\n\tmax_header_size 4KB\n}")
    large = api.token(groups=[f"cn=project-{n:03},ou=groups,dc=example,dc=test" for n in range(300)])
    entries = [edges.fetch(edge.url(path), headers=bearer(large)) for path in ("/orders", "/orders/17")]
    ensure(statuses(entries) == [431, 431], "too large")
    return inputs(token=large, target=target(edge.url()), logs={"device.har": har(entries)})


@case("nginx-log-header-too-large", family="client", expected=["TN0113"], settling=True, recorded=NGINX,
      fault="Users with many groups get 400 from nginx; only nginx's logs are at hand.")
def too_large_log(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}", level="info")
    for number in (3, 600, 5, 700):
        edges.fetch(edge.url(), headers=bearer(api.token(groups=[f"project-{n:03}-of-the-region" for n in range(number)])))
    found = logs(lab, "nginx/access.log", "nginx/error.log")
    ensure(found["access.log"].count('" 400 ') == 2 and "too long header line" in found["error.log"], "two were too large")
    return inputs(logs=found)


@case("apache-log-basic-gate", family="edge", expected=["TN0209"], settling=True, recorded=APACHE,
      fault="AuthType Basic stands before the Bearer API; only Apache's logs are at hand.")
def basic_log(lab):
    api = service(lab)
    lab.write("htpasswd", "dev:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
    edge = apache(lab, f'<Location />\n  AuthType Basic\n  AuthName "Staging"\n  AuthUserFile {lab.folder}/htpasswd\n  Require valid-user\n</Location>\nProxyPass / http://{api.direct}/')
    for path in ("/orders", "/orders/17", "/orders"):
        edges.fetch(edge.url(path), headers=bearer(api.token()))
    found = logs(lab, "apache/error.log", "apache/access.log")
    ensure(found["error.log"].count("wrong authentication scheme") == 3, "Apache says so")
    return inputs(logs=found)


@case("nginx-har-basic-gate", family="edge", expected=["TN0209"], settling=True, recorded=NGINX,
      fault="A staging password stands before the API; the app's HAR shows its challenge.")
def basic_har(lab):
    api = service(lab)
    lab.write("staging.htpasswd", "dev:{PLAIN}throwaway\n")
    edge = nginx(lab, f'auth_basic "Restricted"; auth_basic_user_file {lab.folder}/staging.htpasswd;\nlocation / {{ proxy_pass http://{api.direct}; }}')
    entries = [edges.fetch(edge.url(path), headers=bearer(api.token())) for path in ("/orders", "/orders/17")]
    ensure(all("Basic" in edges.field(entry, "www-authenticate") for entry in entries), "the gate")
    return inputs(logs={"app.har": har(entries)})


@case("haproxy-log-rate-limit", family="gateway", expected=["TN0316"], settling=True, recorded=HAPROXY,
      fault="A busy client is answered 429 by HAProxy's stick table; only HAProxy's log is at hand.")
def limited(lab):
    api = service(lab)
    edge = haproxy(lab, "stick-table type ip size 1k expire 10m store http_req_rate(10m)\nhttp-request track-sc0 src\n"
                   "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 5 }\ndefault_backend api", f"backend api\n    server api1 127.0.0.1:{api.port}")
    entries = [edges.fetch(edge.url(), headers=bearer(api.token())) for _ in range(20)]
    ensure(statuses(entries).count(429) == 15, "limited")
    return inputs(logs=logs(lab, "haproxy.out"))


@case("haproxy-har-role-missing", family="framework", expected=["TN0513"], settling=True, recorded=HAPROXY,
      fault="The user lacks the role for one endpoint; his other calls succeed with the same token.")
def role(lab):
    api = service(lab)
    edge = haproxy(lab, "default_backend api", f"backend api\n    server api1 127.0.0.1:{api.port}")
    token = api.token()
    entries = [edges.fetch(edge.url(path), headers=bearer(token)) for path in ("/orders", "/admin", "/orders/17", "/admin")]
    ensure(statuses(entries) == [200, 403, 200, 403], "only there")
    return inputs(token=token, target=target(edge.url("/admin")), logs={"app.har": har(entries)})


@case("nginx-har-cookie-omitted", family="client", expected=["TN0112"], settling=False, recorded=NGINX,
      fault="The session is in a cookie; the page's fetch leaves it out (credentials: omit), navigation sends it.")
def cookie(lab):
    api = service(lab)

    def session(request):
        if "session=" in (request.header("cookie") or ""):
            return Reply(200, {"orders": [], "user": "u-4711"})
        return Reply(401, {"detail": "no session cookie"})

    api.api.before = session
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; add_header Access-Control-Allow-Origin {ORIGIN} always; add_header Access-Control-Allow-Credentials true always; }}")
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0"}
    entries = [edges.fetch(edge.url(), headers={**agent, "Cookie": "session=3f7ac01d", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
               edges.fetch(edge.url(), headers={**agent, "Origin": ORIGIN, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"}),
               edges.fetch(edge.url("/orders/17"), headers={**agent, "Origin": ORIGIN, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"})]
    ensure(statuses(entries) == [200, 401, 401], "only with the cookie")
    return inputs(target=target(edge.url(), origin=ORIGIN), logs={"shop.har": har(entries)})


@case("haproxy-har-scheme-in-lower-case", family="client", expected=["TN0104"], settling=True, recorded=HAPROXY,
      fault="One client library writes `bearer`, the other `Bearer`; HAProxy's rule wants the capital.")
def lower(lab):
    api = service(lab)
    edge = haproxy(lab, 'http-request deny deny_status 401 if !{ req.hdr(authorization) -m beg "Bearer " }\ndefault_backend api',
                   f"backend api\n    server api1 127.0.0.1:{api.port}")
    token = api.token()
    entries = [edges.fetch(edge.url(), headers=bearer(token, Authorization=f"{scheme} {token}")) for scheme in ("bearer", "Bearer", "bearer", "Bearer")]
    ensure(statuses(entries) == [401, 200, 401, 200], "case counts")
    return inputs(token=token, target=target(edge.url()), logs={"both.har": har(entries)}, keys={"jwks.json": api.jwks()})


@case("caddy-har-undefined", family="client", expected=["TN0102"], settling=True, recorded=CADDY,
      fault="The web app sends `Bearer undefined` until its store is filled.")
def undefined(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    edge = caddy(lab, f"reverse_proxy 127.0.0.1:{api.port}")
    entries = page(edge.url(), "undefined") + page(edge.url("/orders/17"), "undefined")
    ensure(statuses(entries) == [204, 401, 204, 401], "refused")
    return inputs(target=target(edge.url(), origin=ORIGIN), logs={"shop.har": har(entries)})


@case("haproxy-two-replicas-by-log", family="verifier", expected=["TN0409"], settling=False, recorded=HAPROXY,
      fault="Each replica makes its own secret when it starts; only HAProxy's log is at hand, with one client's calls.")
def replicas(lab):
    keys = [Key("HS256", kid=None) for _ in range(2)]
    ports = [lab.enter(Api(lambda key=key: {None: (key.private, "HS256")}, issuer=None).running()) for key in keys]
    servers = "\n".join(f"    server api{n} 127.0.0.1:{port}" for n, port in enumerate(ports, 1))
    edge = haproxy(lab, "default_backend api", f"backend api\n    balance roundrobin\n{servers}")
    token = keys[0].token(**edges.claims("https://login.example.test"))
    entries = [edges.fetch(edge.url(), headers=bearer(token)) for _ in range(12)]
    ensure(statuses(entries).count(200) == 6, "one of two")
    return inputs(token=token, logs=logs(lab, "haproxy.out"))


@case("healthy-nginx-har", family="healthy", recorded=NGINX, fault="Nothing: preflights and calls of a page, all served; the HAR was exported without credentials.")
def well(lab):
    api = service(lab, cors=True)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; add_header Access-Control-Allow-Origin {ORIGIN} always; add_header Vary Origin always; }}")
    token = api.token()
    entries = page(edge.url(), token) + page(edge.url("/orders/17"), token) + page(edge.url(), token)
    ensure(statuses(entries) == [204, 200] * 3, "all is well")
    return inputs(target=target(edge.url(), origin=ORIGIN), logs={"shop.har": har(entries, sanitized=True)})
