"""What a real browser prints on its console while an edge stands in its way, and answers as curl shows them."""

import os
import re
import subprocess
import time

from lab.common import case, ensure, inputs, target
from lab.edges import service, varnish
from lab.servers import Reply, serve
from lab.traffic import CURL, Crowd, curl, joined, nginx

CHROMIUM = "Chromium, nginx 1.22.1"
SITE, HOST = "http://app.example.test", "api.example.test"
PAGE = """<!doctype html><title>Shop</title><script>
const headers = %s;
for (const path of ["/orders", "/orders/17"]) {
  fetch("http://api.example.test" + path, {headers, credentials: "%s"})
    .then(answer => console.log("orders: HTTP " + answer.status))
    .catch(error => console.error("orders: " + error));
}
</script>"""


def console(lab, edge, headers: str, credentials="same-origin") -> str:
    """Chromium's console while it shows a page that fetches from the edge."""
    page = PAGE % (headers, credentials)
    port = lab.enter(serve(lambda _: Reply(200, page, {"content-type": "text/html"})))
    done = subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={lab.folder}/profile",
         "--no-first-run", "--disable-background-networking", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=6000", "--dump-dom",
         "--disable-features=LocalNetworkAccessChecks,PrivateNetworkAccessChecks,HttpsUpgrades",
         f"--host-resolver-rules=MAP app.example.test:80 127.0.0.1:{port}, MAP {HOST}:80 127.0.0.1:{edge.port}", f"{SITE}/"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(lab.folder)})
    lines = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    ensure(bool(lines), done.stderr[-600:])
    return "\n".join(re.sub(r"^\[\d+:\d+:", "[", line) for line in lines) + "\n"


def bearer(token) -> str:
    return '{Authorization: "Bearer %s"}' % token


@case("ways-chromium-preflight-refused", family="client", expected=["TN0110"], settling=True, recorded=CHROMIUM,
      fault="nginx asks preflights for credentials: the browser's console says that the preflight did not have HTTP ok status.")
def preflight(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": SITE})
    edge = nginx(lab, f"location = /_auth {{ internal; proxy_pass http://{api.direct}/orders; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }}\n"
                 f"location / {{ auth_request /_auth; add_header Access-Control-Allow-Origin {SITE} always; add_header Access-Control-Allow-Headers authorization always; proxy_pass http://{api.direct}; }}")
    said = console(lab, edge, bearer(api.token()))
    ensure("preflight" in said and "HTTP ok status" in said, said)
    return inputs(logs={"console.log": said, "access.log": joined(lab, "nginx/access.log")})


@case("ways-chromium-preflight-console-only", family="client", expected=["TN0110"], settling=False, recorded=CHROMIUM,
      fault="As preflights that a gate refuses; only the lines of the browser's console are at hand.")
def preflight_poor(lab):
    found = preflight(lab)
    found["logs"] = found["logs"][:1]
    return found


@case("ways-chromium-401-without-cors", family="client", expected=["TN0111"], settling=True, recorded=CHROMIUM,
      fault="The page's cookie ran out; nginx' add_header without `always` leaves CORS off the 401, and the console shows a CORS error.")
def without(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ add_header Access-Control-Allow-Origin {SITE}; add_header Access-Control-Allow-Credentials true; proxy_pass http://{api.direct}; }}")
    said, access = console(lab, edge, "{}", "include"), joined(lab, "nginx/access.log")
    ensure("No 'Access-Control-Allow-Origin' header" in said and '" 401 ' in access, said)
    return inputs(target=target(f"http://{HOST}/orders", origin=SITE), logs={"console.log": said, "access.log": access}, files=edge.config)


@case("ways-healthy-chromium-console", family="healthy", recorded=CHROMIUM,
      fault="Nothing: the page's calls are answered 200; the log has preflights and a favicon's 404.")
def well(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": SITE})
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    Crowd(edge, api, seed=95).noise(40)
    said, access = console(lab, edge, bearer(api.token())), joined(lab, "nginx/access.log")
    ensure(said.count("orders: HTTP 200") == 2, said)
    return inputs(logs={"console.log": said, "access.log": access})


@case("ways-curl-age-of-401", family="edge", expected=["TN0202"], settling=True, recorded=f"Varnish 7.1.1, {CURL}",
      fault="A 401 with a lifetime is kept by Varnish: two calls of curl -v with a good token show it with an Age and a HIT; with another query it is 200.")
def age(lab):
    api = service(lab, style="bare", denied_headers={"cache-control": "public, max-age=600"})
    edge = varnish(lab, api.port, 'sub vcl_recv {\n    return (hash);\n}\nsub vcl_backend_response {\n    if (beresp.status == 401) {\n        set beresp.ttl = 10m;\n    }\n}\n'
                   'sub vcl_deliver {\n    set resp.http.X-Cache = "MISS";\n    if (obj.hits > 0) {\n        set resp.http.X-Cache = "HIT";\n    }\n}\n')
    connect, given = {f"{HOST}:80": edge.port}, ("-H", f"Authorization: Bearer {(token := api.token())}")
    curl(f"http://{HOST}/orders", connect=connect)
    time.sleep(3)
    shown = "\n".join(curl(f"http://{HOST}{path}", *given, connect=connect) for path in ("/orders", "/orders", "/orders?x=1"))
    ensure("X-Cache: HIT" in shown and "Age: 3" in shown and "200 OK" in shown, shown)
    return inputs(token=token, logs={"curl.txt": shown})


@case("ways-curl-429-retry-after", family="gateway", expected=["TN0316"], settling=True, recorded=f"nginx 1.22.1, {CURL}",
      fault="A script that polls is answered 429 with Retry-After by nginx; its author asks why the token is refused.")
def polls(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{\n  limit_req zone=z burst=2 nodelay;\n  limit_req_status 429;\n  error_page 429 = @slow;\n  proxy_pass http://{api.direct};\n}}\n"
                 "location @slow {\n  default_type application/json;\n  add_header Retry-After 30 always;\n  return 429 '{\"message\":\"Too many requests\"}';\n}",
                 "limit_req_zone $binary_remote_addr zone=z:1m rate=2r/m;")
    given = ("-H", f"Authorization: Bearer {(token := api.token())}")
    shown = "\n".join(curl(f"http://{HOST}/orders", *given, connect={f"{HOST}:80": edge.port}) for _ in range(5))
    ensure("429 Too Many Requests" in shown and "Retry-After: 30" in shown and "200 OK" in shown, shown)
    return inputs(token=token, logs={"terminal.txt": shown})


@case("ways-curl-too-large", family="client", expected=["TN0113"], settling=True, recorded=f"nginx 1.22.1, {CURL}",
      fault="One call of curl -v with the token of a user in 500 groups: nginx answers 400 Request Header Or Cookie Too Large.")
def large(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    token = api.token(groups=[f"grp-{n:05}-emea-delivery" for n in range(500)])
    shown = curl(f"http://{HOST}/orders", "-H", f"Authorization: Bearer {token}", connect={f"{HOST}:80": edge.port})
    ensure("Request Header Or Cookie Too Large" in shown, shown[-300:])
    return inputs(logs={"curl.txt": shown})
