"""nginx with a day's traffic before an API; logs in formats that operators choose."""

import re
import time

from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.edges import ORIGIN, har, page, service
from lab.servers import Reply, serve
from lab.traffic import BROWSER, CURL, Crowd, curl, joined, nginx, sped, statuses

NGINX = "nginx 1.22.1, Python 3.11"
JSON_LOG = """log_format api escape=json '{"time":"$time_iso8601","client":"$remote_addr","request":"$request_method $uri","status":$status,'
  '"bytes":$body_bytes_sent,"rt":$request_time,"upstream":"$upstream_addr","upstream_status":"$upstream_status",'
  '"cache":"$upstream_cache_status","ua":"$http_user_agent"}';"""
KIND_LOG = """map $http_authorization $credentials { default other; "" none; "~*^Bearer .{20,}" bearer; "~*^Basic " basic; }
log_format app '$remote_addr [$time_local] "$request" $status $body_bytes_sent credentials=$credentials rt=$request_time "$http_user_agent"';"""


@case("ways-nginx-empty-variable-clears-authorization", family="edge", expected=["TN0201"], settling=True, recorded=NGINX,
      fault="After a move to nginx, Authorization is set from a variable of a header that only the old balancer sent; it is empty, so nginx sends none.")
def empty_variable(lab):
    api = service(lab, style="detail")
    edge = nginx(lab, "location / {\n  proxy_set_header Host $host;\n  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
                 f"  proxy_set_header Authorization $http_x_original_authorization;\n  proxy_pass http://{api.direct};\n}}")
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == status(sent, "bare") == 401, "never arrives")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "garbage", "again*"), files=edge.config,
                  keys={"jwks.json": api.jwks()})


@case("ways-nginx-regex-location-loses-header", family="edge", expected=["TN0201"], settling=False, recorded=NGINX,
      fault="One location for exports clears the request headers; everywhere else tokens arrive. A user asks the export only.")
def one_location(lab):
    api = service(lab, before=lambda request: None)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}\n"
                 f"location ~ ^/files {{ proxy_pass_request_headers off; proxy_set_header Host $host; proxy_pass http://{api.direct}; }}")
    token, wanted = api.token(), target(edge.url("/files/orders.csv"))
    sent = record(wanted, token, direct=api.direct, other_endpoint=edge.url("/orders"))
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200 and status(sent, "other-endpoint") == 200, "one location")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-nginx-underscore-log-only", family="edge", expected=["TN0213"], settling=True, recorded=NGINX,
      fault="A new app version sends its token as X_Auth_Token; nginx drops the field. Only nginx's logs of the day are at hand.")
def underscore(lab):
    api = service(lab, header="x-auth-token", scheme="", style="bare")
    with sped(95):
        edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}", level="info")
    crowd = Crowd(edge, seed=3)
    for turn in range(26):
        for ip, agent, _ in crowd.users[:3]:
            new = turn > 14 and agent != BROWSER
            crowd.send(crowd.random.choice(crowd.paths), ip, agent="ShopApp/8.0.0 (iOS 18.1)" if new else agent,
                       raw={"X_Auth_Token" if new else "X-Auth-Token": api.token()})
        crowd.send("/health", "10.20.0.9", agent="kube-probe/1.29")
    access, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    ensure("invalid header line" in error and '" 401 ' in access and '" 200 ' in access, "both versions")
    return inputs(logs={"access.log": access, "error.log": hide(error)})


def hide(text: str) -> str:
    """As an operator pastes it: without the users' tokens."""
    return re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "eyJhbGciOiJSUzI1NiIs…", text)


@case("ways-nginx-cached-401-json-log", family="edge", expected=["TN0202"], settling=True, recorded=NGINX,
      fault="proxy_cache_valid any 5m: the monitor's call without a token fills the cache with 401; the log in JSON shows HIT with 401.")
def cached_json(lab):
    api = service(lab, style="bare")
    with sped(40, 60):
        edge = nginx(lab, f"location / {{\n  proxy_cache api;\n  proxy_cache_key $scheme$host$request_uri;\n  proxy_cache_valid any 5m;\n  proxy_pass http://{api.direct};\n}}",
                     f"proxy_cache_path {lab.folder}/cache keys_zone=api:1m inactive=30m;\n{JSON_LOG}", log="api")
    crowd = Crowd(edge, api, seed=4, robots=[])
    crowd.noise(40)
    time.sleep(6)
    crowd.send("/orders", "192.0.2.80", agent="UptimeRobot/2.0")
    for turn in range(8):
        crowd.send("/orders", crowd.users[turn % 4][0], token=api.token(), agent=crowd.users[turn % 4][1])
        crowd.noise(9)
    log = joined(lab, "nginx/access.log")
    ensure(log.count('"status":401') > 5 and '"cache":"HIT"' in log, "kept")
    hit = [line for line in log.splitlines() if '"status":401' in line and '"cache":"HIT"' in line]
    ensure(len(hit) > 4, "401 out of the cache")
    return inputs(logs={"api-access.json.log": log}, files=edge.config)


@case("ways-nginx-vary-ignored", family="edge", expected=["TN0203"], settling=True, recorded=NGINX,
      fault="nginx caches and ignores Cache-Control and Vary: /orders of whoever came first is given to all, as the user's HAR shows.")
def vary(lab):
    api = service(lab, ok_headers={"vary": "Authorization", "cache-control": "private, max-age=0"})
    edge = nginx(lab, f"location / {{\n  proxy_cache api;\n  proxy_cache_valid 200 2m;\n  proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;\n  proxy_pass http://{api.direct};\n  add_header X-Proxy-Cache $upstream_cache_status;\n}}",
                 f"proxy_cache_path {lab.folder}/cache keys_zone=api:1m;")
    crowd = Crowd(edge, api, seed=5)
    crowd.send("/orders", token=api.token(subject="u-1002"))
    token, wanted = api.token(subject="u-7730"), target(edge.url())
    sent = record(wanted, token, other_token=api.token(subject="u-2044"))
    ensure('"u-1002"' in answer(sent, "client")["body"] and status(sent, "bare") == 200 and status(sent, "bare-fresh") == 401, "another's answer")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


@case("ways-nginx-cached-200-masks-log", family="edge", expected=["TN0203"], settling=True, recorded=NGINX,
      fault="The cache gives users' answers to requests without credentials; the access log shows HIT 200 for credentials=none.")
def masked_log(lab):
    api = service(lab, style="bare")
    with sped(50, 80):
        edge = nginx(lab, f"location / {{ proxy_cache api; proxy_cache_valid 200 3m; proxy_pass http://{api.direct}; }}",
                     f"proxy_cache_path {lab.folder}/cache keys_zone=api:1m;\n" + KIND_LOG.replace("rt=$request_time", "cache=$upstream_cache_status"), log="app")
    crowd = Crowd(edge, api, seed=15)
    for _ in range(9):
        crowd.noise(12)
        crowd.send("/orders", "203.0.113.9", agent="curl/8.5.0")
    log = joined(lab, "nginx/access.log")
    ensure(any("credentials=none" in line and "cache=HIT" in line and '" 200 ' in line for line in log.splitlines()), "a stranger reads it")
    token = api.token(subject="u-7730")
    wanted = target(edge.url())
    fresh = only(record(wanted, token), "client", "bare", "bare-fresh")
    ensure(status(fresh, "bare-fresh") == 401, "the API asks for tokens")
    return inputs(target=wanted, exchanges=fresh, logs={"access.log": log})


@case("ways-nginx-requests-before-sign-in", family="client", expected=["TN0101"], settling=False, recorded=NGINX,
      fault="The app asks for orders at its start before it has read its session, is refused, and asks again with the token; only the access log is at hand.")
def before_restore(lab):
    api = service(lab, style="bare")
    with sped(70, 60):
        edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}", KIND_LOG, log="app")
    crowd = Crowd(edge, api, seed=6)
    for turn in range(9):
        crowd.noise(7)
        ip, agent = f"198.51.100.{40 + turn * 9}", "ShopApp/8.2.0 (Android 15; Pixel 8)"
        token = api.token(subject=f"u-{2000 + turn}")
        for path in ("/orders", "/orders?page=2"):
            crowd.send(path, ip, agent=agent)
        time.sleep(0.03)
        for path in ("/orders", "/orders?page=2", "/orders/17"):
            crowd.send(path, ip, agent=agent, token=token)
    log = joined(lab, "nginx/access.log")
    ensure(log.count("credentials=none") > 18, "without a token first")
    return inputs(logs={"api.access.log": log})


@case("ways-nginx-auth-request-waits-for-body", family="framework", expected=["TN0510"], settling=True, recorded=NGINX,
      fault="The auth subrequest keeps the client's Content-Length and sends no body: the auth service waits, and every POST ends with 500.")
def waits_for_body(lab):
    api = service(lab)
    edge = nginx(lab, f"location = /_auth {{\n  internal;\n  proxy_pass http://{api.direct}/orders;\n  proxy_method GET;\n  proxy_pass_request_body off;\n  proxy_read_timeout 2s;\n}}\n"
                 f"location / {{\n  auth_request /_auth;\n  proxy_pass http://{api.direct};\n}}", level="warn")
    crowd = Crowd(edge, api, seed=7)
    crowd.noise(25)
    for number in range(3):
        posted = crowd.send("/files/orders.csv", crowd.users[number][0], token=api.token(), method="POST", body=b'{"sku":"4711","count":2}', Content_Type="application/json")
        ensure(statuses([posted]) == [500], "posts fail")
        crowd.noise(12)
    token, wanted = api.token(), target(edge.url("/files/orders.csv"), "POST")
    return inputs(token=token, target=wanted, files=edge.config, logs={"access.log": joined(lab, "nginx/access.log"), "error.log": joined(lab, "nginx/error.log")})


@case("ways-nginx-auth-request-limited", family="framework", expected=["TN0510"], settling=True, recorded=NGINX,
      fault="The auth service answers 429 under load; auth_request knows only 2xx, 401 and 403, and users see 500.")
def auth_limited(lab):
    api, seen = service(lab), []

    def judge(request):
        seen.append(1)
        if len(seen) % 60 > 38:
            return Reply(429, {"error": "too many requests"}, {"retry-after": "5"})
        return Reply(200 if (request.header("authorization") or "").startswith("Bearer ey") else 401, "")

    auth = lab.enter(serve(judge, server="Kestrel"))
    with sped(30, 60):
        edge = nginx(lab, f"location = /_auth {{ internal; proxy_pass http://127.0.0.1:{auth}/verify; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }}\n"
                     f"location / {{ auth_request /_auth; proxy_pass http://{api.direct}; }}\nlocation = /health {{ proxy_pass http://{api.direct}; }}")
    Crowd(edge, api, seed=8).noise(190)
    error, access = joined(lab, "nginx/error.log"), joined(lab, "nginx/access.log")
    ensure("auth request unexpected status: 429" in error and '" 500 ' in access, "429 becomes 500")
    return inputs(logs={"access.log": access, "error.log": error})


@case("ways-nginx-address-not-allowed", family="edge", expected=["TN0206"], settling=True, recorded=NGINX,
      fault="allow/deny of an office network: the new mobile network's addresses get 403 before any token is looked at.")
def address(lab):
    api = service(lab)
    with sped(45):
        edge = nginx(lab, f"location / {{\n  allow 10.20.0.0/16;\n  allow 198.51.100.0/24;\n  deny all;\n  proxy_pass http://{api.direct};\n}}")
    crowd = Crowd(edge, api, seed=9)
    for _ in range(8):
        crowd.noise(10)
        crowd.send("/orders", "203.0.113.77", token=api.token(), agent="okhttp/4.12.0")
    token, wanted = api.token(), target(edge.url())
    sent = only(record(wanted, token, direct=api.direct), "client", "bare", "altered", "other-path", "direct")
    ensure(status(sent, "client") == status(sent, "bare") == 403 and status(sent, "direct") == 200, "nginx alone")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"error.log": joined(lab, "nginx/error.log")})


@case("ways-nginx-two-authorization-lines", family="client", expected=["TN0106"], settling=True, recorded=f"{NGINX}, {CURL}",
      fault="A script sends its Bearer token beside the Basic credentials of the old gate: two Authorization lines, which nginx refuses.")
def two_lines(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}", level="info")
    token = api.token()
    shown = curl("http://api.example.test/orders", "-H", "Authorization: Basic ZGVwbG95OnRocm93YXdheQ==", "-H", f"Authorization: Bearer {token}",
                 connect={"api.example.test:80": edge.port})
    error = joined(lab, "nginx/error.log")
    ensure("400 Bad Request" in shown and "duplicate header line" in error, "nginx says so")
    return inputs(token=token, logs={"curl.txt": shown, "error.log": hide(error)})


@case("ways-nginx-429-limits-one-app", family="gateway", expected=["TN0316"], settling=True, recorded=NGINX,
      fault="One app polls faster than limit_req allows and signs its users out at 429; only nginx's JSON log and error log are at hand.")
def limited(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{\n  limit_req zone=perip burst=4 nodelay;\n  limit_req_status 429;\n  proxy_pass http://{api.direct};\n}}",
                 f"limit_req_zone $binary_remote_addr zone=perip:1m rate=4r/s;\n{JSON_LOG}", log="api")
    crowd = Crowd(edge, api, seed=10, users=14)
    token = api.token()
    for _ in range(9):
        crowd.noise(6, 0.03)
        for _ in range(7):
            crowd.send("/orders", "203.0.113.61", token=token, agent="Dart/3.5 (dart:io)")
    log, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    ensure(log.count('"status":429') > 10 and "limiting requests" in error, "limited")
    return inputs(logs={"access.json.log": log, "error.log": error})


@case("ways-nginx-limit-without-cors-har", family="client", expected=["TN0111", "TN0316"], settling=False, recorded=NGINX,
      fault="The 429 of limit_req goes out without CORS headers (add_header without always): the page sees a network error.")
def limited_cors(lab):
    api = service(lab, cors=True)
    edge = nginx(lab, f"location / {{\n  limit_req zone=perip burst=6 nodelay;\n  limit_req_status 429;\n  add_header Access-Control-Allow-Origin {ORIGIN};\n  add_header Access-Control-Allow-Headers authorization;\n  proxy_pass http://{api.direct};\n}}",
                 "limit_req_zone $binary_remote_addr zone=perip:1m rate=10r/m;")
    token = api.token()
    entries = [entry for _ in range(4) for entry in page(edge.url(), token)] + page(edge.url("/orders/17"), token)
    log = joined(lab, "nginx/access.log")
    ensure('" 429 ' in log and 0 in statuses(entries) and 200 in statuses(entries), "limited, and not readable")
    return inputs(target=target(edge.url(), origin=ORIGIN), logs={"app.har": har(entries, sanitized=True), "access.log": log}, files=edge.config)
