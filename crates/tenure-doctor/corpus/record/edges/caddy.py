"""Caddy before an API, one fault each."""

import json

from lab import edges
from lab.common import answer, case, ensure, inputs, only, record, status, target, without
from lab.edges import CADDY, ORIGIN, caddy, har, logs, service
from lab.servers import Reply, fixed, serve
from lab.tokens import Key, claims


def forward(api, *inside: str) -> str:
    block = "".join(f"\t{line}\n" for line in inside)
    return f"reverse_proxy 127.0.0.1:{api.port} {{\n{block}}}"


@case("caddy-drops-authorization", family="edge", expected=["TN0201"], settling=True, recorded=CADDY,
      fault="Caddy removes the Authorization header (header_up -Authorization).")
def drops(lab):
    api = service(lab)
    edge = caddy(lab, forward(api, "header_up -Authorization"))
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and "authorization" not in answer(sent, "echo")["body"], "the echo lacks it")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("caddy-overwrites-authorization", family="edge", expected=["TN0210"], settling=True, recorded=CADDY,
      fault="Caddy puts its own credentials for the backend into Authorization.")
def overwrites(lab):
    api = service(lab, style="bare")
    edge = caddy(lab, forward(api, 'header_up X-Original-Authorization {header.Authorization}',
                              'header_up Authorization "Basic c2lkZWNhcjp0aHJvd2F3YXk="'))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, echo=edge.url("/echo"), direct=api.direct)
    ensure(status(sent, "client") == 401 and "c2lkZWNhcjp0" in answer(sent, "echo")["body"], "it is replaced")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


def guarded(auth: int, api) -> str:
    return (f"forward_auth 127.0.0.1:{auth} {{\n\turi /orders\n\tcopy_headers X-User\n}}\nreverse_proxy 127.0.0.1:{api.port}")


@case("caddy-preflight-behind-forward-auth", family="client", expected=["TN0110"], settling=True, recorded=CADDY,
      fault="forward_auth also asks for preflights, which carry no token: 401.")
def preflight(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    gate = service(lab)
    gate.api.keys, gate.api.issuer = api.api.keys, api.api.issuer
    edge = caddy(lab, guarded(gate.port, api))
    token, wanted = api.token(), target(edge.url(), origin=ORIGIN)
    sent = record(wanted, token)
    ensure(status(sent, "preflight") == 401 and status(sent, "client") == 200, "only the preflight fails")
    # With a body, forward_auth announces one to the gate that it does not send: another matter.
    return inputs(token=token, target=wanted, exchanges=without(sent, "small-body", "large-body"),
                  logs={"app.har": har(edges.page(edge.url(), token))})


@case("caddy-401-without-cors", family="client", expected=["TN0111"], settling=True, recorded=CADDY,
      fault="forward_auth's 401 goes out without the CORS headers that the API's answers have.")
def without_cors(lab):
    api = service(lab, cors=True, headers={"access-control-allow-origin": ORIGIN})
    gate = service(lab)
    gate.api.keys, gate.api.issuer = api.api.keys, api.api.issuer
    edge = caddy(lab, f"@pre method OPTIONS\nhandle @pre {{\n\treverse_proxy 127.0.0.1:{api.port}\n}}\nhandle {{\n{guarded(gate.port, api)}\n}}")
    token, wanted = api.token(), target(edge.url(), origin=ORIGIN)
    sent = only(record(wanted, token), "client", "bare", "preflight", "origin", "bare-origin")
    named = lambda probe: dict(answer(sent, probe)["headers"]).get("access-control-allow-origin")
    ensure(named("origin") == ORIGIN and status(sent, "bare-origin") == 401 and named("bare-origin") is None, "only the 401 lacks them")
    return inputs(target=wanted, exchanges=sent)


@case("caddy-header-too-large", family="client", expected=["TN0113"], settling=True, recorded=CADDY,
      fault="A token with many groups exceeds Caddy's max_header_size: 431.")
def too_large(lab):
    api = service(lab)
    edge = caddy(lab, forward(api), options="servers {\n\tmax_header_size 8KB\n}")
    token = api.token(groups=[f"cn=project-{n:03},ou=groups,dc=example,dc=test" for n in range(400)])
    other, wanted = api.token(subject="u-2"), target(edge.url())
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") == 431 and status(sent, "other-token") == 200, "only the large token")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent)


@case("caddy-basic-gate", family="edge", expected=["TN0209"], settling=True, recorded=CADDY,
      fault="A Basic password of the test environment stands before the API.")
def basic(lab):
    api = service(lab)
    # The hash of a throwaway password, made with `caddy hash-password`.
    hashed = "$2a$14$IicX3T8iZ5kf//x8dQ1q4uNvG11CuKm2q8oiqS.6VCNyy5xwoNgDm"
    edge = caddy(lab, f"basicauth bcrypt Preview {{\n\tpreview {hashed}\n}}\n{forward(api)}")
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, direct=api.direct)
    ensure(answer(sent, "client")["status"] == 401 and status(sent, "direct") == 200, "the gate refuses")
    return inputs(target=wanted, exchanges=only(sent, "client", "bare", "altered", "other-path", "direct"))


@case("caddy-login-redirect", family="edge", expected=["TN0215"], settling=True, recorded=CADDY,
      fault="The login proxy that forward_auth asks knows cookies only: every API call is redirected to its login page.")
def login(lab):
    api = service(lab)
    page = "<!doctype html><html><head><title>Sign in</title></head><body><form method='post'></form></body></html>"
    auth = lab.enter(serve(lambda request: Reply(200, page, {"content-type": "text/html"}) if request.path == "/oauth2/start"
                           else Reply(302, "", {"location": "http://login.example.test/oauth2/start?rd=%2Forders"})))
    edge = caddy(lab, guarded(auth, api))
    token, wanted = api.token(), target("http://api.example.test/orders")
    sent = record(wanted, token, resolve={"api.example.test:80": [f"127.0.0.1:{edge.port}"], "login.example.test:80": [f"127.0.0.1:{auth}"]})
    ensure(status(sent, "client") == 302 and status(sent, "hop-1") == 200, "a login page")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("caddy-redirect-to-other-port", family="client", expected=["TN0107"], settling=True, recorded=CADDY,
      fault="Caddy redirects permanently to the API's new port; the header is lost there.")
def redirect(lab):
    api = service(lab)
    edge = caddy(lab, f"redir http://127.0.0.1:{api.port}{{uri}} 301")
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token)
    ensure(status(sent, "hop-1") == 401 and status(sent, "kept-hop-1") == 200, "only the header is missing")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "hop-1", "kept-hop-1", "altered"))


@case("caddy-trailing-slash-to-http", family="client", expected=["TN0108"], settling=False, recorded=CADDY,
      fault="Behind Caddy's TLS, the API redirects /orders/ to http://…/orders without knowing of https.")
def slash(lab):
    def slashes(request):
        if request.path.endswith("/") and request.path != "/":
            return Reply(308, "", {"location": f"http://{request.header('host')}{request.path.rstrip('/')}"})
        return None

    api = service(lab, before=slashes)
    pem, ca = edges.certificate(lab, "api.example.test")
    port = lab.port()
    edge = caddy(lab, f"tls {pem} {pem}\n{forward(api)}", address=f"https://api.example.test:{port}", port=port)
    both = edges.one_port(lab, tls=edge.port, plain=api.port)
    token, wanted = api.token(), target("https://api.example.test/orders/")
    sent = record(wanted, token, ca=ca, resolve={"api.example.test:443": [f"127.0.0.1:{both}"]})
    ensure(status(sent, "client") == 308 and status(sent, "slash") == 200 and status(sent, "hop-1") == 401, "without the slash it works")
    return inputs(target=wanted, exchanges=sent)


@case("caddy-role-missing", family="framework", expected=["TN0513"], settling=False, recorded=CADDY,
      fault="The user lacks the role; the API says 403 and no more.")
def role(lab):
    api = service(lab, style="bare")
    edge = caddy(lab, forward(api))
    token, wanted = api.token(), target(edge.url("/admin"), issuer=api.issuer.url)
    sent = record(wanted, token, other_endpoint=edge.url("/orders"))
    ensure(status(sent, "client") == 403 and status(sent, "altered") == 401 and status(sent, "other-endpoint") == 200, "only here")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("caddy-token-quoted", family="client", expected=["TN0105"], settling=True, recorded=CADDY,
      fault="The client kept the token with its JSON quotes and sends them.")
def quoted(lab):
    api = service(lab)
    edge = caddy(lab, forward(api))
    token, wanted = f'"{api.token()}"', target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(sent, "trimmed") == 200, "without quotes it is good")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("caddy-token-percent-encoded", family="client", expected=["TN0105"], settling=True, recorded=CADDY,
      fault="The client reads the token from a cookie without decoding it: %22eyJ…%22.")
def percent(lab):
    api = service(lab, style="bare")
    edge = caddy(lab, forward(api))
    token, wanted = f"%22{api.token()}%22", target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(sent, "trimmed") == 200, "decoded it is good")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("caddy-token-scheme-twice", family="client", expected=["TN0105"], settling=True, recorded=CADDY,
      fault="What the client stored begins with `Bearer ` already: `Bearer Bearer eyJ…` goes out.")
def twice(lab):
    api = service(lab)
    edge = caddy(lab, forward(api))
    token, wanted = f"Bearer {api.token()}", target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(sent, "trimmed") == 200, "once it is good")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("caddy-token-json", family="client", expected=["TN0105"], settling=True, recorded=CADDY,
      fault="The client stored the whole token answer and sends its JSON as the token.")
def whole_answer(lab):
    api = service(lab)
    edge = caddy(lab, forward(api))
    token = json.dumps({"access_token": api.token(), "token_type": "Bearer", "expires_in": 900})
    wanted = target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401, "refused")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("caddy-bearer-undefined", family="client", expected=["TN0102"], settling=True, recorded=CADDY,
      fault="The client's token variable is undefined; JavaScript makes `Bearer undefined` of it.")
def undefined(lab):
    api = service(lab)
    edge = caddy(lab, forward(api))
    wanted = target(edge.url())
    sent = record(wanted, "undefined")
    ensure(status(sent, "client") == 401, "refused")
    return inputs(token="undefined", target=wanted, exchanges=sent)


@case("caddy-two-tokens", family="client", expected=["TN0106"], settling=False, recorded=CADDY,
      fault="The client sends a token in the header and another in the query; the API refuses two.")
def two_tokens(lab):
    def several(request):
        if "access_token=" in request.query and request.header("authorization"):
            return Reply(400, {"error": "invalid_request", "error_description": "Found multiple bearer tokens in the request"},
                         {"www-authenticate": 'Bearer error="invalid_request", error_description="Found multiple bearer tokens in the request"'})
        if "access_token=" in request.query:
            request.headers.append(("authorization", "Bearer " + request.query.split("access_token=")[1].split("&")[0]))
        return None

    api = service(lab, before=several)
    edge = caddy(lab, forward(api))
    token, wanted = api.token(), target(edge.url(f"/orders?access_token={api.token(subject='u-1')}"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == 400 and status(sent, "bare") == 200, "with one it works")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("caddy-two-tokens-cookie", family="client", expected=["TN0106"], settling=True, recorded=CADDY,
      fault="The browser sends a session cookie beside the Bearer token; the API refuses requests with both.")
def cookie(lab):
    def several(request):
        if "access_token=" in (request.header("cookie") or "") and request.header("authorization"):
            return Reply(401, {"message": "Multiple tokens provided"})
        return None

    api = service(lab, before=several)
    edge = caddy(lab, forward(api))
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, headers=[("cookie", f"access_token={api.token(subject='u-1')}")])
    entries = [edges.fetch(edge.url(), headers={"Authorization": f"Bearer {token}", "Cookie": f"access_token={token}"}),
               edges.fetch(edge.url(), headers={"Authorization": f"Bearer {token}"})]
    ensure([entry["response"]["status"] for entry in entries] == [401, 200], "with one it works")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"app.har": har(entries)})


@case("caddy-header-never-attached", family="client", expected=["TN0101"], settling=True, recorded=CADDY,
      fault="After a start the app's first calls go out before its session is restored: without a header.")
def never_attached(lab):
    api = service(lab)
    edge = caddy(lab, "log {\n\toutput stdout\n}\n" + forward(api))
    token, agent = api.token(), {"User-Agent": "okhttp/4.12.0"}
    entries = [edges.fetch(edge.url(path), headers=agent) for path in ("/orders", "/orders/17")]
    entries += [edges.fetch(edge.url(path), headers={**agent, "Authorization": f"Bearer {token}"}) for path in ("/orders", "/orders/17", "/orders")]
    ensure([entry["response"]["status"] for entry in entries] == [401, 401, 200, 200, 200], "only the first fail")
    wanted = target(edge.url())
    return inputs(token=token, target=wanted, exchanges=only(record(wanted, token), "client", "bare", "altered"),
                  logs={"start.har": har(entries), **logs(lab, "caddy.out")})


@case("caddy-expired-token", family="verifier", expected=["TN0415"], settling=True, recorded=CADDY,
      fault="The token expired an hour ago.")
def expired(lab):
    api = service(lab, style="bare", alg="ES256")
    edge = caddy(lab, forward(api))
    token, wanted = api.token(age=4500), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401, "refused")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("caddy-unknown-key", family="verifier", expected=["TN0403"], settling=True, recorded=CADDY,
      fault="The token is of the issuer's test environment: its key is in no key set that the API reads.")
def unknown_key(lab):
    api = service(lab)
    edge = caddy(lab, forward(api))
    token, wanted = Key().token(**claims("https://login-test.example.test")), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=api.token(subject="u-2"))
    ensure(status(sent, "client") == 401 and status(sent, "other-token") == 200, "only this one")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("caddy-issuer-internal-url", family="verifier", expected=["TN0411"], settling=True, recorded=CADDY,
      fault="The issuer names itself by its internal URL in tokens; the API expects the public one.")
def internal_issuer(lab):
    api = service(lab, issuer="https://login.example.test/realms/shop")
    edge = caddy(lab, forward(api))
    token = api.key.token(**claims("http://keycloak:8080/realms/shop"))
    wanted = target(edge.url())
    sent = record(wanted, token)
    ensure("issuer" in answer(sent, "client")["body"], "the issuer")
    env = "OIDC_ISSUER=https://login.example.test/realms/shop\nOIDC_AUDIENCE=orders-api\n"
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, files={"api/.env": env})


@case("caddy-same-kid-new-key", family="verifier", expected=["TN0402"], settling=True, recorded=CADDY,
      fault="The issuer made a new key under the old key's id; the API keeps the old one under that id.")
def same_kid(lab):
    api = service(lab)
    old = Key(kid=api.key.kid)
    api.api.keys = fixed(old)
    edge = caddy(lab, f"reverse_proxy 127.0.0.1:{api.port}")
    token, before, wanted = api.token(), old.token(**claims(api.issuer.url)), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, old_token=before)
    ensure(status(sent, "client") == 401 and status(sent, "old") == 200, "only the old key")
    return inputs(token=token, old_token=before, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("caddy-audience", family="verifier", expected=["TN0412"], settling=True, recorded=CADDY,
      fault="The token is for another API: its audience is none that this one accepts.")
def audience(lab):
    api = service(lab)
    edge = caddy(lab, f"reverse_proxy 127.0.0.1:{api.port}")
    token, wanted = api.token(audience="stock-api"), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=api.token(subject="u-2"))
    ensure("audience" in answer(sent, "client")["body"] and status(sent, "other-token") == 200, "the audience")
    env = "OIDC_ISSUER=" + api.issuer.url + "\nOIDC_AUDIENCE=orders-api\n"
    return inputs(token=token, target=wanted, exchanges=[each for each in sent if each["probe"] != "other-token"],
                  keys={"jwks.json": api.jwks()}, files={"api/.env": env})
