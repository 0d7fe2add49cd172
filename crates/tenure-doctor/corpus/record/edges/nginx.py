"""nginx before an API, one fault each."""

from lab import edges
from lab.common import answer, case, ensure, inputs, only, record, status, target, without
from lab.edges import NGINX, ORIGIN, har, logs, nginx, page, service
from lab.servers import Api, Reply, fixed, serve
from lab.tokens import Key, claims

LOGS = ("nginx/access.log", "nginx/error.log")


def forward(api, more="") -> str:
    return f"location / {{ proxy_pass http://{api.direct}; {more} }}"


@case("nginx-drops-authorization", family="edge", expected=["TN0201"], settling=True, recorded=NGINX,
      fault="nginx removes the Authorization header before it forwards (proxy_set_header Authorization \"\").")
def drops(lab):
    api = service(lab)
    edge = nginx(lab, forward(api, 'proxy_set_header Authorization "";'))
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "the edge drops it")
    ensure("authorization" not in answer(sent, "echo")["body"], "the echo lacks it")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("nginx-drops-authorization-echo-only", family="edge", expected=["TN0201"], settling=True, recorded=NGINX,
      fault="An nginx location forwards no request headers at all (proxy_pass_request_headers off).")
def drops_all(lab):
    api = service(lab, style="detail")
    edge = nginx(lab, forward(api, "proxy_pass_request_headers off;"))
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, echo=edge.url("/echo"))
    ensure(status(sent, "client") == status(sent, "bare") == 401, "no difference with a token")
    ensure("authorization" not in answer(sent, "echo")["body"], "the echo lacks it")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("nginx-overwrites-authorization", family="edge", expected=["TN0210"], settling=True, recorded=NGINX,
      fault="nginx puts its own Basic credentials for the backend into the Authorization header.")
def overwrites(lab):
    api = service(lab)
    edge = nginx(lab, forward(api, 'proxy_set_header Authorization "Basic ZWRnZTp0aHJvd2F3YXk=";'))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, echo=edge.url("/echo"), direct=api.direct)
    ensure(status(sent, "client") == 401 and "Basic ZWRn" in answer(sent, "echo")["body"], "it is replaced")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


def underscored(lab, header):
    api = service(lab, header=header, scheme="", style="detail")
    edge = nginx(lab, forward(api), level="info")
    token = api.token()
    entries = [edges.fetch(edge.url(path), headers={header: token, "User-Agent": "orders-app/2.1"})
               for path in ("/orders", "/orders/17", "/orders")]
    ensure(all(entry["response"]["status"] == 401 for entry in entries), "refused")
    ensure("invalid header line" in lab.read("nginx/error.log"), "nginx says that it dropped it")
    sent = record(target(edge.url()), token, carried={"header": header.lower(), "prefix": ""},
                  direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "without nginx it works")
    return token, edge, entries, sent


@case("nginx-underscore-header", family="edge", expected=["TN0213"], settling=True, recorded=NGINX,
      fault="The client sends its token as `access_token`; nginx drops header fields with underscores.")
def underscore(lab):
    token, edge, entries, sent = underscored(lab, "access_token")
    return inputs(token=token, target=target(edge.url()), exchanges=sent, files=edge.config, logs=logs(lab, *LOGS))


@case("nginx-underscore-api-key-header", family="edge", expected=["TN0213"], settling=False, recorded=NGINX,
      fault="The client sends its token as `X_API_KEY`; nginx drops header fields with underscores. No nginx log is at hand.")
def underscore_poor(lab):
    _, edge, entries, _ = underscored(lab, "X_API_KEY")
    return inputs(target=target(edge.url()), files=edge.config, logs={"export.har": har(entries)})


def gate(auth: int, port: int) -> str:
    return (f"location = /_auth {{ internal; proxy_pass http://127.0.0.1:{auth}/check; "
            "proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }\n"
            f"location / {{ auth_request /_auth; proxy_pass http://127.0.0.1:{port}; }}")


@case("nginx-auth-request-500", family="framework", expected=["TN0510"], settling=True, recorded=NGINX,
      fault="The service behind auth_request fails with 500; nginx answers 500 and says why only in its error log.")
def auth_fails(lab):
    api = service(lab)
    auth = lab.enter(serve(lambda _: Reply(500, {"error": "database is locked"})))
    edge = nginx(lab, gate(auth, api.port))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 500, "500")
    ensure("auth request unexpected status: 500" in lab.read("nginx/error.log"), "the log says why")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, logs=logs(lab, *LOGS))


@case("nginx-auth-request-down", family="framework", expected=["TN0510"], settling=True, recorded=NGINX,
      fault="Nothing listens where auth_request asks; every request is answered with 500.")
def auth_down(lab):
    api = service(lab)
    edge = nginx(lab, gate(lab.port(), api.port))
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = only(record(wanted, token, direct=api.direct), "client", "bare", "altered", "again*", "direct")
    ensure(status(sent, "client") == 500 and status(sent, "direct") == 200, "500 through nginx only")
    return inputs(target=wanted, exchanges=sent, files=edge.config, logs=logs(lab, "nginx/error.log"))


@case("nginx-auth-request-redirects", family="framework", expected=["TN0510"], settling=True, recorded=NGINX,
      fault="The service behind auth_request answers 302 to a login page; nginx makes a 500 of it.")
def auth_redirects(lab):
    api = service(lab)
    auth = lab.enter(serve(lambda _: Reply(302, "", {"location": "https://login.example.test/start"})))
    edge = nginx(lab, gate(auth, api.port))
    wanted = target(edge.url())
    sent = record(wanted, api.token())
    ensure(status(sent, "client") == 500, "500")
    ensure("unexpected status: 302" in lab.read("nginx/error.log"), "the log says why")
    return inputs(target=wanted, logs=logs(lab, *LOGS), files=edge.config)


@case("nginx-auth-request-masked-as-403", family="framework", expected=["TN0510", "TN0509"], settling=True, recorded=NGINX,
      fault="The service behind auth_request is down, and error_page turns the 500 into a 403.")
def auth_masked(lab):
    api = service(lab)
    edge = nginx(lab, gate(lab.port(), api.port)
                 + "\nerror_page 500 =403 @denied;\nlocation @denied { default_type application/json; return 403 '{\"message\":\"Forbidden\"}'; }")
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == status(sent, "bare") == 403, "403 for all")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, logs=logs(lab, *LOGS))


@case("nginx-preflight-behind-auth-request", family="client", expected=["TN0110"], settling=True, recorded=NGINX,
      fault="auth_request also guards OPTIONS: the browser's preflight, which never carries a token, gets 401.")
def preflight(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    edge = nginx(lab, gate_with(api))
    token, wanted = api.token(), target(edge.url(), origin=ORIGIN, issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure(status(sent, "preflight") == 401 and status(sent, "client") == 200, "only the preflight fails")
    return inputs(token=token, target=wanted, exchanges=sent)


def gate_with(api) -> str:
    """The API itself judges the token for auth_request; the method that it sees is always GET."""
    return (f"location = /_auth {{ internal; proxy_pass http://{api.direct}/orders; proxy_method GET; "
            "proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }\n"
            f"location / {{ auth_request /_auth; proxy_pass http://{api.direct}; }}")


@case("nginx-preflight-blocked-har", family="client", expected=["TN0110"], settling=True, recorded=NGINX,
      fault="auth_request guards OPTIONS; the browser reports a CORS error and never sends the request.")
def preflight_har(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    edge = nginx(lab, gate_with(api))
    entries = page(edge.url(), api.token()) + page(edge.url("/orders/17"), api.token(), method="DELETE")
    ensure([entry["response"]["status"] for entry in entries] == [401, 0, 401, 0], "blocked at the preflight")
    return inputs(target=target(edge.url(), origin=ORIGIN),
                  logs={"app.example.test.har": har(entries, sanitized=True), **logs(lab, "nginx/access.log")})


@case("nginx-401-without-cors", family="client", expected=["TN0111"], settling=True, recorded=NGINX,
      fault="nginx adds CORS headers without `always`: an expired token's 401 goes out without them, and the page sees a CORS error.")
def without_cors(lab):
    api = service(lab, cors=True)
    edge = nginx(lab, forward(api, f"add_header Access-Control-Allow-Origin {ORIGIN}; add_header Access-Control-Allow-Headers authorization;"))
    good, wanted = api.token(), target(edge.url(), origin=ORIGIN)
    sent = record(wanted, good)
    named = lambda probe: dict(answer(sent, probe)["headers"]).get("access-control-allow-origin")
    ensure(named("origin") == ORIGIN and named("bare-origin") is None, "only the 401 lacks them")
    return inputs(token=good, target=wanted, exchanges=sent, files=edge.config)


@case("nginx-401-without-cors-har", family="client", expected=["TN0111"], settling=True, recorded=NGINX,
      fault="The page's first calls go out before it is signed in; their 401 has no CORS headers, so the page sees a CORS error instead of a 401.")
def without_cors_har(lab):
    api = service(lab, cors=True)
    edge = nginx(lab, forward(api, f"add_header Access-Control-Allow-Origin {ORIGIN}; add_header Access-Control-Allow-Headers authorization;"))
    entries = page(edge.url()) + page(edge.url("/orders/17")) + page(edge.url(), api.token())
    ensure([entry["response"]["status"] for entry in entries] == [0, 0, 204, 200], "blocked, then good")
    access = logs(lab, "nginx/access.log")
    ensure(access["access.log"].count('" 401 ') == 2, "nginx sent 401")
    wanted = target(edge.url(), origin=ORIGIN)
    sent = only(record(wanted, api.token()), "client", "bare", "origin", "bare-origin", "preflight")
    return inputs(target=wanted, exchanges=sent, logs={"app.har": har(entries), **access})


@case("nginx-expired-behind-good-cors", family="verifier", expected=["TN0415"], settling=True, recorded=NGINX,
      fault="The token has expired; CORS is in order, however often the console mentions it.")
def expired_cors(lab):
    api = service(lab, cors=True)
    edge = nginx(lab, forward(api, f"add_header Access-Control-Allow-Origin {ORIGIN} always; add_header Access-Control-Allow-Headers authorization always;"))
    token, wanted = api.token(age=4000), target(edge.url(), origin=ORIGIN, issuer=api.issuer.url)
    sent = record(wanted, token, other_token=api.token(subject="u-9"))
    ensure(status(sent, "client") == 401 and status(sent, "other-token") == 200, "expired")
    return inputs(token=token, other_token=None, target=wanted, exchanges=without(sent, "other-token"),
                  keys={"jwks.json": api.jwks()}, logs={"app.har": har(page(edge.url(), token))})


@case("nginx-redirect-to-other-port", family="client", expected=["TN0107"], settling=True, recorded=NGINX,
      fault="nginx redirects to the API's new port; HTTP clients drop the Authorization header on the way.")
def other_port(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ return 308 http://127.0.0.1:{api.port}$request_uri; }}")
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "hop-1") == 200 or status(sent, "kept-hop-1") == 200, "only the header is missing")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("nginx-redirect-to-other-host", family="client", expected=["TN0107"], settling=False, recorded=NGINX,
      fault="The old API host redirects to the new one; the header is dropped because the host differs.")
def other_host(lab):
    api = service(lab)
    old = nginx(lab, "server_name old.example.test; location / { return 301 http://api.example.test$request_uri; }")
    token, wanted = api.token(), target("http://old.example.test/orders/17")
    sent = record(wanted, token, resolve={"old.example.test:80": [f"127.0.0.1:{old.port}"], "api.example.test:80": [api.direct]})
    ensure(status(sent, "client") == 301 and status(sent, "hop-1") == 401, "refused after the hop")
    return inputs(token=token, target=wanted, exchanges=sent, files=old.config)


@case("nginx-trailing-slash-to-http", family="client", expected=["TN0108"], settling=True, recorded=NGINX,
      fault="Behind nginx, which terminates TLS, the API redirects /orders to http://…/orders/ : it does not know of https.")
def slash_to_http(lab):
    def slashes(request):
        if request.path == "/orders":
            return Reply(307, "", {"location": f"http://{request.header('host')}/orders/"})
        return None

    api = service(lab, before=slashes)
    pem, ca = edges.certificate(lab, "api.example.test")
    edge = nginx(lab, f"ssl_certificate {pem}; ssl_certificate_key {pem};\n" + forward(api, "proxy_set_header Host $host;"), listen=" ssl")
    plain = nginx(lab, forward(api, "proxy_set_header Host $host;"), name="plain")
    token, wanted = api.token(), target("https://api.example.test/orders")
    both = edges.one_port(lab, tls=edge.port, plain=plain.port)
    sent = record(wanted, token, ca=ca, resolve={"api.example.test:443": [f"127.0.0.1:{both}"]})
    ensure(status(sent, "client") == 307 and status(sent, "slash") == 200, "with the slash it works")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("nginx-header-too-large", family="client", expected=["TN0113"], settling=True, recorded=NGINX,
      fault="A user of 400 groups has a token larger than nginx's header buffers: 400 for him alone.")
def too_large(lab):
    api = service(lab)
    edge = nginx(lab, forward(api))
    token = api.token(groups=[f"cn=project-{n:03},ou=groups,dc=example,dc=test" for n in range(400)])
    other, wanted = api.token(subject="u-2"), target(edge.url())
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") == 400 and status(sent, "other-token") == 200, "only the large token")
    ensure("Too Large" in answer(sent, "client")["body"], "nginx says so")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent)


@case("nginx-header-too-large-log", family="client", expected=["TN0113"], settling=True, recorded=NGINX,
      fault="The token of users with many groups exceeds nginx's header buffers; nginx's logs and a failed call are at hand.")
def too_large_log(lab):
    api = service(lab)
    edge = nginx(lab, forward(api), "large_client_header_buffers 2 4k;", level="info")
    token = api.token(groups=[f"team-{n:04}-of-the-northern-region" for n in range(130)])
    wanted = target(edge.url())
    sent = only(record(wanted, token, direct=api.direct), "client", "bare", "direct")
    ensure(status(sent, "client") == 400 and status(sent, "direct") == 200, "nginx alone")
    return inputs(token=token, target=wanted, exchanges=sent, logs=logs(lab, *LOGS))


@case("nginx-cached-401", family="edge", expected=["TN0202"], settling=True, recorded=NGINX,
      fault="nginx's cache keeps every answer, whoever asked: a stranger's 401 is given to signed-in users.")
def cached_401(lab):
    api = service(lab, style="bare")
    edge = nginx(lab, forward(api, "proxy_cache api; proxy_cache_valid any 10m; add_header X-Cache-Status $upstream_cache_status always;"),
                 f"proxy_cache_path {lab.folder}/cache keys_zone=api:1m;")
    edges.fetch(edge.url())
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "fresh") == 200, "a cache-buster helps")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("nginx-cached-403-silent", family="edge", expected=["TN0202"], settling=False, recorded=NGINX,
      fault="nginx's cache keeps a user's 403 and gives it to administrators; no header tells of a cache.")
def cached_403(lab):
    api = service(lab, style="bare")
    edge = nginx(lab, forward(api, "proxy_cache api; proxy_cache_valid any 10m;"), f"proxy_cache_path {lab.folder}/cache keys_zone=api:1m;")
    edges.fetch(edge.url("/admin"), headers={"Authorization": f"Bearer {api.token()}"})
    token, wanted = api.token(roles=["admin"]), target(edge.url("/admin"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == 403 and status(sent, "fresh") == 200, "a cache-buster helps")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("nginx-cached-200-masks", family="edge", expected=["TN0203"], settling=True, recorded=NGINX,
      fault="nginx's cache ignores Authorization: a user's 200 is given to everybody, with or without a token.")
def cached_200(lab):
    api = service(lab)
    edge = nginx(lab, forward(api, "proxy_cache api; proxy_cache_valid 200 10m; add_header X-Cache-Status $upstream_cache_status always;"),
                 f"proxy_cache_path {lab.folder}/cache keys_zone=api:1m;")
    edges.fetch(edge.url(), headers={"Authorization": f"Bearer {api.token(subject='u-1')}"})
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "bare") == 200 and status(sent, "bare-fresh") == 401, "only the cache says 200")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("nginx-basic-gate", family="edge", expected=["TN0209"], settling=True, recorded=NGINX,
      fault="A staging password (auth_basic) stands before the API and takes the Authorization header for its own.")
def basic(lab):
    api = service(lab)
    lab.write("staging.htpasswd", "dev:{PLAIN}throwaway\n")
    edge = nginx(lab, f'auth_basic "Staging"; auth_basic_user_file {lab.folder}/staging.htpasswd;\n' + forward(api))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401, "the gate refuses")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("nginx-login-redirect", family="edge", expected=["TN0215", "TN0415"], settling=True, recorded=NGINX,
      fault="nginx turns every 401 into a redirect to the login page, for the API too; here that of an expired token.")
def login(lab):
    api = service(lab)
    edge = nginx(lab, gate_with(api) + "\nerror_page 401 = @login;\nlocation @login { return 302 /login?next=$request_uri; }\n"
                 "location = /login { auth_request off; default_type text/html; return 200 '<!doctype html><title>Sign in</title><form method=post>…</form>'; }")
    token, wanted = api.token(age=4000), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 302 and status(sent, "hop-1") == 200, "a login page for 401")
    return inputs(target=wanted, exchanges=sent)


@case("nginx-waf-body-rule", family="edge", expected=["TN0206", "TN0205"], settling=False, recorded=NGINX,
      fault="A rule in nginx answers bodies above 8 KB with 403, whatever the token.")
def waf_body(lab):
    api = service(lab)
    edge = nginx(lab, 'if ($large) { return 403; }\n' + forward(api), 'map $content_length $large { default 0; "~^(8[2-9]|9\\d)\\d\\d$" 1; "~^\\d\\d\\d\\d\\d" 1; }')
    token, wanted = api.token(), target(edge.url("/files"), "POST")
    sent = record(wanted, token, unsafe_methods=True)
    ensure(status(sent, "small-body") == 200 and status(sent, "large-body") == 403, "only large bodies")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("nginx-waf-user-agent", family="edge", expected=["TN0206", "TN0205"], settling=False, recorded=NGINX,
      fault="A rule in nginx answers clients that are no browsers with an HTML 403.")
def waf_agent(lab):
    api = service(lab)
    edge = nginx(lab, "if ($robot) { return 403; }\n" + forward(api), 'map $http_user_agent $robot { default 1; "~Mozilla" 0; }')
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 403 and status(sent, "browser") == 200, "only browsers pass")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("nginx-rate-limit-429", family="gateway", expected=["TN0316"], settling=True, recorded=NGINX,
      fault="The client asks faster than limit_req allows and is answered 429.")
def limited(lab):
    api = service(lab)
    edge = nginx(lab, "limit_req zone=each burst=1 nodelay; limit_req_status 429;\n" + forward(api),
                 "limit_req_zone $binary_remote_addr zone=each:1m rate=1r/m;")
    token, wanted = api.token(), target(edge.url())
    for _ in range(3):
        edges.fetch(edge.url(), headers={"Authorization": f"Bearer {token}"})
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 429, "limited")
    return inputs(token=token, target=wanted, exchanges=sent, logs=logs(lab, *LOGS))


@case("nginx-wrong-virtual-host", family="gateway", expected=["TN0313", "TN0301"], settling=False, recorded=NGINX,
      fault="The client's host name is none that nginx serves; the default server denies everything.")
def virtual_host(lab):
    api = service(lab)
    edge = nginx(lab, "server_name _; default_type application/json; return 403 '{\"message\":\"Forbidden\"}';",
                 f"server {{ listen 127.0.0.1:{lab.port()}; server_name api.example.test; {forward(api)} }}")
    token, wanted = api.token(), target("http://api2.example.test/orders")
    sent = record(wanted, token, resolve={"api2.example.test:80": [f"127.0.0.1:{edge.port}"]}, direct=api.direct)
    ensure(status(sent, "client") == status(sent, "bare") == status(sent, "other-path") == 403, "all denied")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("nginx-balances-stale-keys", family="verifier", expected=["TN0401"], settling=False, recorded=NGINX,
      fault="Of two replicas, one still has the key set from before the rotation and does not fetch it again.")
def stale_replica(lab):
    api, old = service(lab), Key()
    api.issuer.published.insert(0, old)
    stale = lab.enter(Api(fixed(old), issuer=api.issuer.url).running())
    edge = nginx(lab, "location / { proxy_pass http://orders; }",
                 f"upstream orders {{ server {api.direct}; server 127.0.0.1:{stale}; }}")
    token, before = api.token(), old.token(**claims(api.issuer.url))
    wanted = target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, repeats=6, old_token=before)
    seen = {status(sent, "client")} | {status(sent, f"again-{n}") for n in range(1, 7)}
    ensure(seen == {200, 401}, "they disagree")
    return inputs(token=token, old_token=before, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})
