"""HAProxy before an API, one fault each; it verifies tokens itself in some."""

import time

from lab import edges
from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.edges import HAPROXY, ORIGIN, haproxy, har, logs, service
from lab.servers import Api, Denied
from lab.tokens import Key, claims


def backend(*ports: int, more="") -> str:
    servers = "\n".join(f"    server api{n} 127.0.0.1:{port}" for n, port in enumerate(ports, 1))
    return f"backend api\n    balance roundrobin\n{more}{servers}"


def forward(*rules: str) -> str:
    return "\n".join([*rules, "default_backend api"])


@case("haproxy-deletes-authorization", family="edge", expected=["TN0201"], settling=True, recorded=HAPROXY,
      fault="HAProxy deletes the Authorization header (http-request del-header).")
def deletes(lab):
    api = service(lab, style="bare")
    edge = haproxy(lab, forward("http-request del-header Authorization"), backend(api.port))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "only the edge refuses")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, files=edge.config)


@case("haproxy-overwrites-authorization", family="edge", expected=["TN0210"], settling=True, recorded=HAPROXY,
      fault="HAProxy puts a service token of its own into Authorization and moves the client's to X-Forwarded-Authorization.")
def overwrites(lab):
    api = service(lab)
    edge = haproxy(lab, forward("http-request set-header X-Forwarded-Authorization %[req.hdr(authorization)]",
                                f'http-request set-header Authorization "Bearer {api.altered(subject="edge")}"'), backend(api.port))
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and "x-forwarded-authorization" in answer(sent, "echo")["body"], "it is replaced")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("haproxy-strict-scheme", family="client", expected=["TN0104"], settling=True, recorded=HAPROXY,
      fault="HAProxy wants `Bearer` byte for byte; the client writes `bearer`.")
def strict(lab):
    api = service(lab)
    edge = haproxy(lab, forward('http-request return status 401 content-type application/json string "{\\"message\\":\\"Unauthorized\\"}" '
                                'hdr www-authenticate "Bearer" if !{ req.hdr(authorization) -m beg "Bearer " }'), backend(api.port))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, carried={"header": "authorization", "prefix": "bearer "})
    ensure(status(sent, "client") == 401 and status(sent, "upper") == 401, "case counts")
    return inputs(token=token, target=wanted, exchanges=sent,
                  logs={"app.har": har([edges.fetch(edge.url(), headers={"Authorization": f"{scheme} {token}"}) for scheme in ("bearer", "Bearer")])})


@case("haproxy-api-strict-scheme", family="client", expected=["TN0104"], settling=True, recorded=HAPROXY,
      fault="The API behind HAProxy compares the scheme with case; only `bearer` and `BEARER` are refused.")
def strict_api(lab):
    api = service(lab, strict_scheme=True)
    edge = haproxy(lab, forward(), backend(api.port))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, carried={"header": "authorization", "prefix": "bearer "}, issuer=api.issuer.url)
    good = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(good, "client") == 200, "case counts")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()},
                  logs={"calls.har": har([edges.fetch(edge.url(), headers={"Authorization": f"{scheme} {token}"}) for scheme in ("bearer", "Bearer")])})


@case("haproxy-token-scheme-expected", family="client", expected=["TN0103"], settling=True, recorded=HAPROXY,
      fault="The API wants `Authorization: Token …`; the client sends `Bearer`.")
def token_scheme(lab):
    api = service(lab, scheme="Token", style="detail")
    edge = haproxy(lab, forward(), backend(api.port))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(sent, "token-scheme") == 200, "the scheme decides")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("haproxy-raw-token-sent", family="client", expected=["TN0103"], settling=True, recorded=HAPROXY,
      fault="The client sends the token without a scheme.")
def raw(lab):
    api = service(lab)
    edge = haproxy(lab, forward(), backend(api.port))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, carried={"header": "authorization", "prefix": ""})
    ensure(status(sent, "client") == 401 and status(sent, "upper") == 200, "with a scheme it is good")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()},
                  logs={"app.har": har([edges.fetch(edge.url(path), headers={"Authorization": token}) for path in ("/orders", "/orders/17")])})


@case("haproxy-empty-bearer-har", family="client", expected=["TN0102"], settling=True, recorded=HAPROXY,
      fault="The client builds the header from an empty variable: `Bearer ` and nothing, or `Bearer null`.")
def empty(lab):
    api = service(lab)
    edge = haproxy(lab, forward(), backend(api.port))
    entries = [edges.fetch(edge.url(path), headers={"Authorization": value, "User-Agent": "okhttp/4.12.0"})
               for path, value in (("/orders", "Bearer null"), ("/orders/17", "Bearer null"), ("/orders", "Bearer "))]
    ensure(all(entry["response"]["status"] == 401 for entry in entries), "refused")
    return inputs(target=target(edge.url()), logs={"device.har": har(entries), **logs(lab, "haproxy.out")})


@case("haproxy-preflight-denied", family="client", expected=["TN0110"], settling=True, recorded=HAPROXY,
      fault="HAProxy answers every request without Authorization with 401, so also preflights.")
def preflight(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    edge = haproxy(lab, forward("http-request deny deny_status 401 if !{ req.hdr(authorization) -m found }"), backend(api.port))
    token, wanted = api.token(), target(edge.url(), origin=ORIGIN)
    sent = record(wanted, token)
    ensure(status(sent, "preflight") == 401 and status(sent, "client") == 200, "only the preflight fails")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "preflight", "origin", "altered"))


@case("haproxy-denial-without-cors", family="client", expected=["TN0111"], settling=True, recorded=HAPROXY,
      fault="HAProxy's own 401 for a missing token has no CORS headers; the API's answers have them.")
def without_cors(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    edge = haproxy(lab, forward("http-request deny deny_status 401 if !METH_OPTIONS !{ req.hdr(authorization) -m found }"), backend(api.port))
    token, wanted = api.token(), target(edge.url(), origin=ORIGIN)
    sent = record(wanted, token)
    named = lambda probe: dict(answer(sent, probe)["headers"]).get("access-control-allow-origin")
    ensure(named("origin") == ORIGIN and named("bare-origin") is None, "only the 401 lacks them")
    entries = edges.page(edge.url()) + edges.page(edge.url("/orders/17"))
    return inputs(token=token, target=wanted, exchanges=sent, logs={"app.har": har(entries)})


@case("haproxy-header-too-large", family="client", expected=["TN0113"], settling=True, recorded=HAPROXY,
      fault="The token of a user of many groups does not fit into HAProxy's buffer: 400 without a reason.")
def too_large(lab):
    api = service(lab)
    edge = haproxy(lab, forward(), backend(api.port))
    token = api.token(groups=[f"cn=project-{n:03},ou=groups,dc=example,dc=test" for n in range(400)])
    other, wanted = api.token(subject="u-2"), target(edge.url())
    sent = record(wanted, token, other_token=other, direct=api.direct)
    ensure(status(sent, "client") == 400 and status(sent, "other-token") == 200, "only the large token")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, logs=logs(lab, "haproxy.out"))


@case("haproxy-redirect-other-host", family="client", expected=["TN0107"], settling=True, recorded=HAPROXY,
      fault="HAProxy redirects to the new API host; the header is lost there.")
def redirect(lab):
    api = service(lab)
    edge = haproxy(lab, "http-request redirect code 307 prefix http://orders.example.test", "")
    token, wanted = api.token(), target("http://api.example.test/orders")
    sent = record(wanted, token, allowed_hosts=["orders.example.test"],
                  resolve={"api.example.test:80": [f"127.0.0.1:{edge.port}"], "orders.example.test:80": [api.direct]})
    ensure(status(sent, "hop-1") == 401 and status(sent, "kept-hop-1") == 200, "only the header is missing")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("haproxy-rate-limit-429", family="gateway", expected=["TN0316"], settling=True, recorded=HAPROXY,
      fault="A stick table limits the client's request rate; it is answered 429.")
def limited(lab):
    api = service(lab)
    edge = haproxy(lab, forward("stick-table type ip size 1k expire 10m store http_req_rate(10m)", "http-request track-sc0 src",
                                "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 2 }"), backend(api.port))
    token, wanted = api.token(), target(edge.url())
    for _ in range(3):
        edges.fetch(edge.url(), headers={"Authorization": f"Bearer {token}"})
    sent = only(record(wanted, token), "client", "bare", "altered", "again*", "other-path")
    ensure(status(sent, "client") == 429, "limited")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("haproxy-wrong-path", family="gateway", expected=["TN0301"], settling=False, recorded=HAPROXY,
      fault="The client's path is none that HAProxy routes (/v1/orders for /orders): 403, with and without a token.")
def path(lab):
    api = service(lab)
    edge = haproxy(lab, forward("http-request deny deny_status 403 unless { path_beg /orders /echo }"), backend(api.port))
    token, wanted = api.token(), target(edge.url("/v1/orders"))
    sent = record(wanted, token, other_endpoint=edge.url("/orders"))
    ensure(status(sent, "client") == status(sent, "other-path") == 403 and status(sent, "other-endpoint") == 200, "the route is the matter")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("haproxy-waf-body-rule", family="edge", expected=["TN0206", "TN0205"], settling=False, recorded=HAPROXY,
      fault="A rule in HAProxy denies requests whose body is large; the token does not matter.")
def waf(lab):
    api = service(lab)
    edge = haproxy(lab, forward("http-request deny deny_status 403 if { req.body_size gt 8192 }"), backend(api.port))
    token, wanted = api.token(), target(edge.url("/files"), "POST")
    sent = record(wanted, token, unsafe_methods=True)
    ensure(status(sent, "small-body") == 200 and status(sent, "large-body") == 403, "only large bodies")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "small-body", "large-body", "browser", "garbage"))


@case("haproxy-random-secret-replicas", family="verifier", expected=["TN0409"], settling=False, recorded=HAPROXY,
      fault="Each of three replicas makes its own secret when it starts; a token is good at one of them.")
def random_secret(lab):
    keys = [Key("HS256", kid=None) for _ in range(3)]
    ports = [lab.enter(Api(lambda key=key: {None: (key.private, "HS256")}, issuer="https://login.example.test").running()) for key in keys]
    edge = haproxy(lab, forward(), backend(*ports))
    token, wanted = keys[0].token(**claims("https://login.example.test")), target(edge.url())
    sent = record(wanted, token, repeats=8)
    seen = [status(sent, f"again-{n}") for n in range(1, 9)]
    ensure(200 in seen and seen.count(401) > seen.count(200), "one in three")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("haproxy-random-secret-log", family="verifier", expected=["TN0409"], settling=True, recorded=HAPROXY,
      fault="Each replica makes its own secret when it starts; HAProxy's log shows which replica refuses.")
def random_secret_log(lab):
    keys = [Key("HS256", kid=None) for _ in range(2)]
    ports = [lab.enter(Api(lambda key=key: {None: (key.private, "HS256")}, style="bare").running()) for key in keys]
    edge = haproxy(lab, forward(), backend(*ports))
    token, wanted = keys[1].token(**claims("https://login.example.test")), target(edge.url())
    sent = record(wanted, token, repeats=6)
    secrets = {f"replica-{n}.secret": key.private for n, key in enumerate(keys, 1)}
    ensure({status(sent, f"again-{n}") for n in range(1, 7)} == {200, 401}, "they disagree")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "again*"), keys=secrets,
                  logs=logs(lab, "haproxy.out"))


@case("haproxy-api-clock-ahead", family="verifier", expected=["TN0416"], settling=True, recorded=HAPROXY,
      fault="The API's clock is 25 minutes ahead: a fresh token has expired for it.")
def ahead(lab):
    api = service(lab, clock=lambda: time.time() + 1500)
    edge = haproxy(lab, forward(), backend(api.port))
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure("expired" in answer(sent, "client")["body"], "expired for the API")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("haproxy-api-clock-behind", family="verifier", expected=["TN0416"], settling=True, recorded=HAPROXY,
      fault="The API's clock is 4 minutes behind: a token of this minute is not valid yet.")
def behind(lab):
    api = service(lab, clock=lambda: time.time() - 240)
    edge = haproxy(lab, forward(), backend(api.port))
    token, wanted = api.token(age=5), target(edge.url())
    sent = record(wanted, token)
    ensure("not valid yet" in answer(sent, "client")["body"], "in the future for the API")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("haproxy-device-clock-behind", family="verifier", expected=["TN0417", "TN0415"], settling=True, recorded=HAPROXY + ", libfaketime 0.9.10",
      fault="The device's clock is an hour behind: its app takes a dead token for good and never refreshes it.")
def device(lab):
    api = service(lab)
    edge = haproxy(lab, forward(), backend(api.port))
    token, wanted = api.token(age=2000), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, clock=-3600)
    ensure("expired" in answer(sent, "client")["body"] and sent[0]["at"] < time.time() - 3500, "dead, by the server's clock only")
    return inputs(now=time.time() - 3600, token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("haproxy-refuses-token-on-public-path", family="framework", expected=["TN0508", "TN0415"], settling=True, recorded=HAPROXY,
      fault="A public endpoint refuses requests that carry a bad token and serves those without one.")
def public(lab):
    def offered(request):
        if request.path == "/health" and request.header("authorization"):
            try:
                api.api.verify(request)
            except Denied as denied:
                return denied.reply("rfc6750")
        return None

    api = service(lab, before=offered)
    edge = haproxy(lab, forward(), backend(api.port))
    token, wanted = api.token(age=4000), target(edge.url("/health"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(sent, "bare") == 200, "better without")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("haproxy-role-missing", family="framework", expected=["TN0513"], settling=True, recorded=HAPROXY,
      fault="The user lacks the role that the endpoint asks for.")
def role(lab):
    api = service(lab)
    edge = haproxy(lab, forward(), backend(api.port))
    token, other, wanted = api.token(), api.token(subject="u-1", roles=["admin"]), target(edge.url("/admin"), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") == 403 and status(sent, "other-token") == 200, "the other user may")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})
