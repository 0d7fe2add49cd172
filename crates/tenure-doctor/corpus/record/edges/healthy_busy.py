"""Edges with nothing wrong, and a day's alarming things in what they wrote down."""

import json
import os

from edges.nginx_busy import JSON_LOG, KIND_LOG
from lab.common import answer, case, ensure, inputs, only, other_clock, record, status, target
from lab.edges import ORIGIN, certificate, har, page, service
from lab.servers import Api, fixed, serve
from lab.tokens import Key, claims, jwks
from lab.traffic import BROWSER, Crowd, joined, nginx, sped, statuses

NGINX = "nginx 1.22.1, Python 3.11"


@case("ways-healthy-crawler-limited", family="healthy", recorded=NGINX,
      fault="Nothing: limit_req answers 429 to a crawler, and only to it; the users' calls are all 200.")
def crawler(lab):
    api = service(lab)
    with sped(30, 40):
        edge = nginx(lab, f"location / {{\n  limit_req zone=robots burst=3 nodelay;\n  limit_req_status 429;\n  proxy_pass http://{api.direct};\n}}",
                     'map $http_user_agent $robot { default ""; "~*(bot|crawl|spider)" $binary_remote_addr; }\nlimit_req_zone $robot zone=robots:1m rate=6r/m;\n' + JSON_LOG, log="api")
    crowd = Crowd(edge, api, seed=80)
    for _ in range(10):
        crowd.noise(9)
        for number in range(4):
            crowd.send(f"/catalogue/{number}", "192.0.2.30", agent="Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)")
    log = joined(lab, "nginx/access.log")
    entries = [json.loads(line) for line in log.splitlines()]
    ensure(sum(entry["status"] == 429 for entry in entries) > 15 and all("bot" in entry["ua"] for entry in entries if entry["status"] == 429), "the crawler alone")
    return inputs(logs={"access.json.log": log, "error.log": joined(lab, "nginx/error.log")})


@case("ways-healthy-cache-keyed-by-user", family="healthy", recorded=NGINX,
      fault="Nothing: nginx caches orders for ten seconds, with Authorization in the key; answers carry X-Cache-Status: HIT and are each user's own.")
def keyed(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{\n  proxy_cache api;\n  proxy_cache_key $request_method$host$request_uri$http_authorization;\n  proxy_cache_valid 200 10s;\n  proxy_pass http://{api.direct};\n  add_header X-Cache-Status $upstream_cache_status always;\n}}",
                 f"proxy_cache_path {lab.folder}/cache keys_zone=api:1m;")
    Crowd(edge, api, seed=81).noise(30)
    token, other, wanted = api.token(), api.token(subject="u-2"), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=other)
    ensure('"u-4711"' in answer(sent, "again-2")["body"] and dict(answer(sent, "again-2")["headers"])["x-cache-status"] == "HIT", "one's own, out of the cache")
    ensure(status(sent, "bare") == status(sent, "altered") == 401 and '"u-2"' in answer(sent, "other-token")["body"], "nobody else's")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, files=edge.config)


@case("ways-healthy-upstream-restarted", family="healthy", recorded=NGINX,
      fault="Nothing any more: during the API's restart nginx answered 502 and logged refused connections, impatient clients left 499; since then all is well.")
def restarted(lab):
    api, port = service(lab), lab.port()
    with serve(api.api.handle, port=port):
        with sped(90, 60):
            edge = nginx(lab, f"location / {{ proxy_pass http://127.0.0.1:{port}; }}", KIND_LOG, log="app", level="warn")
        crowd = Crowd(edge, api, seed=82)
        crowd.noise(60)
    crowd.noise(12)
    lab.enter(serve(api.api.handle, port=port))
    crowd.noise(60)
    access, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    live = nginx(lab, f"location / {{ proxy_pass http://127.0.0.1:{port}; }}", name="live")
    token, wanted = api.token(), target(live.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure('" 502 ' in access and "Connection refused" in error and status(sent, "client") == 200, "over")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"access.log": access, "error.log": error})


@case("ways-healthy-gate-refuses-strangers", family="healthy", recorded=NGINX,
      fault="Nothing: auth_request answers 401 to strangers and 403 to users without the role at /admin; signed-in users are served.")
def gate(lab):
    api = service(lab)
    with sped(120, 80):
        edge = nginx(lab, f"location = /_auth {{ internal; proxy_pass http://{api.direct}/orders; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }}\n"
                     f"location = /_admin {{ internal; proxy_pass http://{api.direct}/admin; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }}\n"
                     f"location /admin {{ auth_request /_admin; proxy_pass http://{api.direct}; }}\nlocation = /health {{ proxy_pass http://{api.direct}; }}\n"
                     f"location / {{ auth_request /_auth; proxy_pass http://{api.direct}; }}", KIND_LOG, log="app")
    crowd = Crowd(edge, api, seed=83)
    admin = api.token(subject="u-1", roles=["user", "admin"])
    for number in range(10):
        crowd.noise(9)
        crowd.send("/admin", "198.51.100.7", token=admin, agent=BROWSER)
        if number % 4 == 0:
            crowd.send("/admin", crowd.users[number // 2][0], token=crowd.users[number // 2][2], agent=BROWSER)
        crowd.send("/orders", "192.0.2.9", agent="python-requests/2.31.0")
    log = joined(lab, "nginx/access.log")
    ensure('" 403 ' in log and "credentials=none" in log and '"GET /admin HTTP/1.1" 200' in log, "all as meant")
    return inputs(logs={"access.log": log})


@case("ways-healthy-two-issuers", family="healthy", recorded=NGINX,
      fault="Nothing: the API trusts two issuers, staff's and customers'; both keys and both names are configured, the token is of the second.")
def issuers(lab):
    staff, customers = Key(), Key("ES256")
    names = {staff.kid: "https://login.example.test/realms/staff", customers.kid: "https://id.example.test"}
    port = lab.enter(Api(fixed(staff, customers)).running())
    edge = nginx(lab, f"location / {{ proxy_pass http://127.0.0.1:{port}; }}")
    token, other = customers.token(**claims(names[customers.kid])), staff.token(**claims(names[staff.kid], subject="s-7"))
    wanted = target(edge.url())
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") == status(sent, "other-token") == 200 and status(sent, "altered") == 401, "both")
    env = f"TRUSTED_ISSUERS={names[staff.kid]},{names[customers.kid]}\nAUDIENCE=orders-api\n"
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, files={"api/.env": env},
                  keys={"staff.jwks.json": json.dumps(jwks(staff), indent=1), "customers.jwks.json": json.dumps(jwks(customers), indent=1)})


@case("ways-healthy-key-rotated-in-order", family="healthy", recorded=NGINX,
      fault="Nothing: the issuer published its new key a day before it signed with it; tokens of both keys pass.")
def rotated(lab):
    api, old = service(lab), Key()
    api.issuer.published.append(old)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    before = old.token(**claims(api.issuer.url, age=700))
    token, wanted = api.token(), target(edge.url("/orders/17"), issuer=api.issuer.url)
    sent = record(wanted, token, old_token=before)
    ensure(status(sent, "client") == status(sent, "old") == 200, "both keys")
    return inputs(token=token, old_token=before, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-healthy-edge-three-seconds-ahead", family="healthy", recorded=NGINX,
      fault="Nothing that matters: nginx' host is three seconds ahead of the others; tokens live for fifteen minutes.")
def ahead(lab):
    api = service(lab, leeway=30)
    faked = other_clock(3)
    os.environ.update(faked)
    try:
        edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    finally:
        for name in faked:
            del os.environ[name]
    token, wanted = api.token(age=200), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == status(sent, "again-4") == 200, "well")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-healthy-aborted-requests-har", family="healthy", recorded=NGINX,
      fault="Nothing: a user typed on while a search ran, so the page cancelled its calls (status 0); preflights and all others are well.")
def aborted(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN, "access-control-allow-headers": "authorization", "access-control-max-age": "600"})
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    token, entries = api.token(), []
    for text in ("b", "bo", "box", "boxes"):
        asked = page(edge.url(f"/orders?q={text}"), token)
        if text != "boxes":
            asked[-1]["response"].update(status=0, statusText="", headers=[], content={"size": 0, "mimeType": "x-unknown"}, _error="net::ERR_ABORTED")
        entries += asked
    entries += page(edge.url("/orders/17"), token)
    ensure(statuses(entries) == [204, 0, 204, 0, 204, 0, 204, 200, 204, 200], "cancelled")
    wanted = target(edge.url(), origin=ORIGIN)
    sent = only(record(wanted, token), "client", "bare", "origin", "bare-origin", "preflight", "again*")
    ensure(status(sent, "client") == 200 and status(sent, "preflight") == 204, "well")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"app.har": har(entries, sanitized=True)})


@case("ways-healthy-http-redirects-strangers", family="healthy", recorded=NGINX,
      fault="Nothing: port 80 redirects to https, the log is full of 301 of robots; the app is configured with https.")
def redirects(lab):
    api = service(lab)
    pem, ca = certificate(lab, "api.example.test")
    edge = nginx(lab, f"ssl_certificate {pem};\nssl_certificate_key {pem};\nlocation / {{ proxy_pass http://{api.direct}; }}", listen=" ssl", name="secure")
    with sped(60, 60):
        plain = nginx(lab, "return 301 https://$host$request_uri;", name="plain")
    crowd = Crowd(plain, seed=85, users=3, agents=["Mozilla/5.0 (compatible; AhrefsBot/7.0)", "Mozilla/5.0 zgrab/0.x", "curl/8.5.0"])
    crowd.noise(70)
    token, wanted = api.token(), target("https://api.example.test/orders")
    sent = record(wanted, token, ca=ca, resolve={"api.example.test:443": [f"127.0.0.1:{edge.port}"]}, issuer=api.issuer.url)
    ensure(status(sent, "client") == 200 and status(sent, "bare") == 401, "well")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"access.log": joined(lab, "plain/access.log")}, files={"app/config.json": json.dumps({"apiBaseUrl": "https://api.example.test"}, indent=1)})
