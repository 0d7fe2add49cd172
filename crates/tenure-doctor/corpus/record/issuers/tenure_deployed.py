"""Tenure's service as it is deployed: behind proxies, with other stores, clocks and settings."""

import time
import urllib.request

import jwt
from lab import tenure as tenure_lab
from lab.common import clock_in, answer, case, ensure, inputs, only, record, status, target, without
from lab.crowd import add_users, bustle, enter, get, visitors
from lab.edges import logs, nginx
from lab.servers import Api
from lab.tenure import SYSTEM, Service, ready
from lab.wire import sent

WITH_NGINX = f"{SYSTEM}, nginx 1.22.1"
AHEAD = 120
SOON = '[keys]\ndistribute = "1m"\n'


def fronted(lab, block="", http="", service=None, port=None, **given):
    """A service whose issuer is an nginx before it; `block` may use {to}."""
    port = port or lab.port()
    service = service or Service(lab, issuer=f"http://127.0.0.1:{port}", **given)
    block = block or "location / {{ proxy_pass {to}; }}"
    edge = nginx(lab, block.format(to=service.base), http.format(folder=lab.folder), port=port)
    return service, edge


def at_edge(edge, token=None, path="/api/auth/me", **job):
    """As `Service.record`, through the edge."""
    base = f"http://127.0.0.1:{edge.port}"
    wanted = target(base + path, issuer=base)
    if "refresh" in job:
        job["refresh"] = job["refresh"] | {"url": f"{base}/oauth2/token"}
    return {"target": wanted, "token": token, "exchanges": record(wanted, token, **job)}


@case("tenure-nginx-keeps-old-keys", family="tenure", recorded=f"{WITH_NGINX}, PyJWT 2.15.1", expected=["TN0713", "TN0401", "TN0714"], settling=True,
      fault="nginx keeps the key set for a day, whatever its Cache-Control says: after a rotation the published keys lack the one that signs.")
def old_keys(lab):
    service, edge = fronted(
        lab, "location = /oauth2/jwks {{\n  proxy_cache keys;\n  proxy_cache_valid 200 24h;\n  proxy_ignore_headers Cache-Control Expires;\n"
             "  add_header X-Cache-Status $upstream_cache_status;\n  proxy_pass {to};\n}}\nlocation / {{ proxy_pass {to}; }}",
        "proxy_cache_path {folder}/nginx/cache keys_zone=keys:1m;", config=SOON)
    base = f"http://127.0.0.1:{edge.port}"
    get(f"{base}/oauth2/jwks")

    def keys():
        sets = jwt.PyJWKSet.from_json(urlread(f"{base}/oauth2/jwks"))
        return {key.key_id: (key.key, key.algorithm_name) for key in sets.keys}

    old = service.sign_in()["access_token"]
    service.cli("keys", "rotate")
    service.later(AHEAD)
    service.cli("keys", "rotate")
    service.start()
    token = service.sign_in()["access_token"]
    port = lab.enter(Api(keys=keys, issuer=service.issuer, audience=None, leeway=300).running())
    wanted = target(f"http://127.0.0.1:{port}/orders", issuer=base)
    exchanges = record(wanted, token, old_token=old)
    ensure(status(exchanges, "client") == 401, "the new key is not found")
    ensure(status(exchanges, "old") == 200, "the old one is")
    ensure(jwt.get_unverified_header(token)["kid"] not in answer(exchanges, "jwks")["body"], "not published at the edge")
    return inputs(target=wanted, token=token, old_token=old, exchanges=exchanges, files=edge.config | service.toml(),
                  logs=logs(lab, "nginx/access.log"))


def urlread(url):
    with urllib.request.urlopen(url, timeout=5) as answered:
        return answered.read().decode()


@case("tenure-two-data-folders", family="tenure", recorded=WITH_NGINX, expected=["TN0409", "TN0713"], settling=True,
      fault="Two servers behind nginx, each with a data folder of its own: each has other keys and other sessions.")
def two_folders(lab):
    port = lab.port()
    issuer = f"http://127.0.0.1:{port}"
    first = Service(lab, issuer=issuer)
    other = lab.port()
    lab.start("tenure-b", [tenure_lab.TENURE, "serve", "--dev", "--config", first.file, "--data", lab.folder / "b",
                           "--listen", f"127.0.0.1:{other}"], port=other)
    edge = nginx(lab, "location / { proxy_pass http://auth; }",
                 f"upstream auth {{\n  server 127.0.0.1:{first.port};\n  server 127.0.0.1:{other};\n}}", port=port)
    tokens = first.sign_in()
    seen = at_edge(edge, tokens["access_token"], repeats=6)
    codes = {status(seen["exchanges"], f"again-{number}") for number in range(1, 7)}
    ensure({200, 401} <= codes | {status(seen["exchanges"], "client")}, f"it changes: {codes}")
    return inputs(**seen, files=edge.config | first.toml())


@case("tenure-staging-gate", family="tenure", recorded=WITH_NGINX, expected=["TN0714", "TN0209"], settling=True,
      fault="The staging host is guarded by a user name and a password, the token service too: apps and verifiers cannot reach it.")
def staging_gate(lab):
    passwords = lab.write("nginx-passwords", "team:$apr1$wZ8X1f0c$abcdefghijklmnopqrstu/\n")
    service, edge = fronted(lab, f"auth_basic \"staging\";\nauth_basic_user_file {passwords};\n" + "location / {{ proxy_pass {to}; }}")
    tokens = service.sign_in()
    seen = at_edge(edge, tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure(status(seen["exchanges"], "discovery") == status(seen["exchanges"], "refresh") == 401, "all of it")
    kept = only(seen["exchanges"], "client", "bare", "discovery", "jwks", "refresh")
    return inputs(**seen | {"exchanges": kept}, files=service.toml())


@case("tenure-single-page-fallback", family="tenure", recorded=WITH_NGINX, expected=["TN0714"], settling=True,
      fault="Only /api/ is forwarded to the service; nginx answers /oauth2/ and /.well-known/ with the page of the web app.")
def page_fallback(lab):
    lab.write("www/index.html", "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Shop</title>"
              "<script type=\"module\" src=\"/assets/index-4f1c9a02.js\"></script></head><body><div id=\"root\"></div></body></html>\n")
    service, edge = fronted(lab, f"root {lab.folder}/www;\nindex index.html;\nlocation /api/ {{{{ proxy_pass {{to}}; }}}}\n"
                                 "location / {{ try_files $uri /index.html; error_page 405 =200 /index.html; }}")
    tokens = service.sign_in()
    seen = at_edge(edge, tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure("<!doctype html>" in answer(seen["exchanges"], "discovery")["body"], "a page in place of the metadata")
    kept = without(seen["exchanges"], "small-*", "large-*", "again-*")
    return inputs(**seen | {"exchanges": kept}, files=edge.config)


@case("tenure-stopped-behind-nginx", family="tenure", recorded=WITH_NGINX, expected=["TN0716"], settling=True,
      fault="The service's process has ended; nginx before it answers 502.")
def stopped(lab):
    service, edge = fronted(lab, "location / {{ proxy_pass {to}; proxy_connect_timeout 2s; }}")
    tokens = service.sign_in()
    base = f"http://127.0.0.1:{edge.port}"
    visitors(base, tokens["access_token"], times=25)
    service.child.terminate()
    service.child.wait()
    visitors(base, tokens["access_token"], times=15, seed=9)
    seen = at_edge(edge, tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure(status(seen["exchanges"], "client") == 502, "502")
    kept = only(seen["exchanges"], "client", "bare", "again-1", "discovery", "refresh")
    return inputs(**seen | {"exchanges": kept}, logs=logs(lab, "nginx/access.log", "nginx/error.log"), files=edge.config)


@case("tenure-stopped-log-only", family="tenure", recorded=WITH_NGINX, expected=["TN0716"],
      fault="As the service was moved to another port, nginx finds nobody at the old one; only nginx's logs are there.")
def moved(lab):
    service, edge = fronted(lab)
    base = f"http://127.0.0.1:{edge.port}"
    token = service.sign_in()["access_token"]
    visitors(base, token, times=30, seed=21)
    service.child.terminate()
    service.child.wait()
    visitors(base, token, times=30, seed=22)
    get(f"{base}/oauth2/token", data=b"grant_type=refresh_token&client_id=app")
    text = logs(lab, "nginx/access.log", "nginx/error.log")
    ensure("Connection refused" in text["error.log"], "refused")
    return inputs(logs=text)


@case("tenure-unreachable-poor", family="tenure", recorded=SYSTEM, expected=["TN0716"], settling=True,
      fault="The service is down and nothing listens at its address; there is no proxy.")
def unreachable(lab):
    service = Service(lab)
    tokens = service.sign_in()
    service.child.terminate()
    service.child.wait()
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]),
                          only=["client", "again-1", "discovery", "refresh"])
    ensure(status(seen["exchanges"], "client") == 0, "no answer")
    return inputs(**seen)


@case("tenure-proxy-shares-one-limit", family="tenure", recorded=WITH_NGINX, expected=["TN0709", "TN0316"], settling=True,
      fault="trusted_proxies was forgotten: all users come from the proxy's address, and share one limit of token requests.")
def shared_limit(lab):
    service, edge = fronted(
        lab, "location / {{\n  proxy_set_header X-Forwarded-For $remote_addr;\n  proxy_pass {to};\n}}",
        config="[limits]\ntoken_per_minute = 20\nlogin_per_minute = 600\n")
    emails = add_users(service)
    bustle(service, emails, rounds=5)
    code, tokens = enter(service, emails[0])
    seen = at_edge(edge, tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]),
                   only=["client", "bare", "discovery", "refresh", "refresh-again-1"])
    ensure(answer(seen["exchanges"], "refresh")["status"] == 429, str(answer(seen["exchanges"], "refresh")))
    return inputs(**seen, files=edge.config | service.toml(), logs=service.log())


@case("tenure-batch-job-limited", family="tenure", recorded=SYSTEM, expected=["TN0709", "TN0316"],
      fault="A batch job refreshes in a loop from the office's network, and everybody there meets 429; curl shows it.")
def batch_job(lab):
    service = Service(lab, config="[limits]\ntoken_per_minute = 12\n")
    tokens = service.sign_in()
    for _ in range(14):
        code, _, more = service.refresh(tokens["refresh_token"])
        tokens = more if code == 200 else tokens
    form = f"grant_type=refresh_token&client_id=app&refresh_token={tokens['refresh_token']}".encode()
    exchange = sent("refresh", f"{service.base}/oauth2/token", form, {"content-type": "application/x-www-form-urlencoded"})
    ensure(exchange["result"]["Ok"]["status"] == 429, "429")
    return inputs(target=target(f"{service.base}/oauth2/token", "POST", issuer=service.base), exchanges=[exchange])


@case("tenure-issuer-of-compose", family="tenure", recorded=WITH_NGINX, expected=["TN0707", "TN0411"], settling=True,
      fault="The issuer in the configuration is the address inside the cluster; apps and the API know the service by its public one.")
def compose_issuer(lab):
    port = lab.port()
    service = Service(lab, issuer=f"http://localhost:{port}", port=port)
    _, edge = fronted(lab, service=service)
    base = f"http://127.0.0.1:{edge.port}"
    token = service.sign_in()["access_token"]
    api = Api(keys=lambda: {}, issuer=base, audience=base)
    sets = jwt.PyJWKSet.from_json(service.jwks())
    api.keys = lambda: {key.key_id: (key.key, key.algorithm_name) for key in sets.keys}
    wanted = target(f"http://127.0.0.1:{lab.enter(api.running())}/orders", issuer=base)
    exchanges = record(wanted, token, only=["client", "bare", "altered", "discovery", "jwks"])
    ensure(status(exchanges, "client") == 401, "another issuer")
    return inputs(target=wanted, token=token, exchanges=exchanges)


@case("tenure-clock-stepped", family="tenure", recorded=SYSTEM, expected=["TN0708"], settling=True,
      fault="The machine's clock jumps by three hours while the service runs: for a minute it does not believe the time.")
def stepped(lab):
    offset = lab.write("faketime.rc", "+0s\n")
    environment = clock_in(offset)
    service = Service.__new__(Service)
    faked(service, lab, environment)
    emails = add_users(service)
    bustle(service, emails, rounds=2)
    tokens = service.sign_in()
    offset.write_text("+3h\n")
    time.sleep(1.5)
    answered = ready(service)
    code, _, refreshed = service.refresh(tokens["refresh_token"])
    bustle(service, emails[:4], rounds=2, seed=11)
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]),
                          only=["client", "bare", "discovery", "refresh"])
    ensure("clock" in answered["health-ready.json"], str(answered))
    ensure("clock_doubted" in service.log()["tenure.log"], "it says so: " + service.log()["tenure.log"][-600:])
    return inputs(**seen, logs=service.log(), files=answered)


def faked(service, lab, environment, **given):
    """A service whose process has another clock."""
    start = lab.start
    lab.start = lambda *given, **more: start(*given, **{**more, "env": environment})
    try:
        service.__init__(lab, **given)
    finally:
        lab.start = start
