"""Faults of clients, seen through the edges before the API: HAR files, captured headers, redirects, wrong tokens."""

import json
import secrets

from edges.apache_modules import OPENIDC, openidc
from edges.haproxy import backend, forward
from edges.haproxy_busy import CAPTURE, SOURCE
from edges.haproxy_jwt import EXPIRED, denies, verifying
from lab import edges
from lab.common import answer, case, ensure, inputs, record, status, target
from lab.edges import HAPROXY, ORIGIN, certificate, fetch, haproxy, har, service
from lab.servers import Reply, serve
from lab.tokens import Key, claims
from lab.traffic import BROWSER, CURL, Crowd, curl, joined, nginx, sped, statuses

NGINX = "nginx 1.22.1, Python 3.11"


@case("ways-har-requests-before-session", family="client", expected=["TN0101"], settling=True, recorded=NGINX,
      fault="A page asks for orders and profile at once at its start, refreshes its session meanwhile, and only later calls carry the token.")
def before_session(lab):
    api = service(lab, style="detail", before=lambda request: Reply(200, {"access_token": "hidden", "expires_in": 900}) if request.path == "/auth/refresh" else None)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    given = {"User-Agent": BROWSER, "Host": "shop.example.test", "Referer": "https://shop.example.test/"}
    entries = [fetch(edge.url(path), headers=given) for path in ("/orders", "/orders?page=2")]
    entries.append(fetch(edge.url("/auth/refresh"), "POST", {**given, "Cookie": "rt=throwaway"}, b""))
    entries += [fetch(edge.url(path), headers={**given, "Authorization": f"Bearer {api.token()}"}) for path in ("/orders", "/orders/17", "/orders?page=2")]
    ensure(statuses(entries) == [401, 401, 200, 200, 200, 200], "only before")
    return inputs(logs={"shop.example.test.har": har(entries)})


@case("ways-har-cookie-none-without-secure", family="client", expected=["TN0112"], settling=True, recorded=NGINX,
      fault="The session cookie is SameSite=None without Secure: the browser drops it, and each call after the sign-in is 401.")
def cookie(lab):
    def login(request):
        if request.path == "/login":
            return Reply(200, {"user": "u-1"}, {"set-cookie": "session=" + secrets.token_hex(12) + "; Path=/; HttpOnly; SameSite=None"})
        return None if "session=" in (request.header("cookie") or "") else Reply(401, {"message": "Unauthorized"})

    api = service(lab, before=login, headers={"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"})
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    given = {"User-Agent": BROWSER, "Origin": ORIGIN, "Host": "api.example.net"}
    entries = [fetch(edge.url("/login"), "POST", {**given, "Content-Type": "application/json"}, b'{"user":"anna","password":"***"}')]
    entries += [fetch(edge.url(path), headers=given) for path in ("/orders", "/orders/17", "/orders")]
    ensure(statuses(entries) == [200, 401, 401, 401], "never sent")
    return inputs(target=target(edge.url(), origin=ORIGIN), logs={"app.har": har(entries)})


@case("ways-haproxy-capture-encoded-blank", family="client", expected=["TN0105"], settling=True, recorded=HAPROXY,
      fault="The app keeps the whole header in a cookie and sends it as it is there: `Bearer%20eyJ…`. HAProxy's log captures its beginning.")
def encoded(lab):
    api = service(lab)
    with sped(30):
        edge = haproxy(lab, forward(SOURCE, *CAPTURE), backend(api.port))
    crowd = Crowd(edge, api, seed=70)
    for number in range(10):
        crowd.noise(7)
        crowd.send("/orders", f"203.0.113.{60 + number}", raw={"Authorization": f"Bearer%20{api.token()}"}, agent="ShopWidget/3.0")
    log = joined(lab, "haproxy.out")
    ensure(log.count("{Bearer%20eyJ") == 10, "captured")
    return inputs(logs={"haproxy.log": log})


@case("ways-curl-scheme-jwt", family="client", expected=["TN0103"], settling=True, recorded=f"{NGINX}, {CURL}",
      fault="The client was written for another framework and sends `Authorization: JWT …`; this API reads Bearer.")
def scheme(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    token, connect = api.token(), {"api.example.test:80": edge.port}
    shown = curl("http://api.example.test/orders", "-H", f"Authorization: JWT {token}", connect=connect)
    sent = record(target(edge.url()), token, carried={"header": "authorization", "prefix": "JWT "})
    ensure("401 Unauthorized" in shown and 200 in (status(sent, "lower"), status(sent, "trimmed")), "Bearer passes")
    return inputs(token=token, target=target(edge.url()), exchanges=sent, logs={"curl.txt": shown})


@case("ways-nginx-http-configured", family="client", expected=["TN0109", "TN0107"], settling=True, recorded=NGINX,
      fault="The app's base URL begins with http://; nginx redirects to https, and the client drops Authorization on the way.")
def http_configured(lab):
    api = service(lab)
    pem, ca = certificate(lab, "api.example.test")
    edge = nginx(lab, f"ssl_certificate {pem};\nssl_certificate_key {pem};\nlocation / {{ proxy_pass http://{api.direct}; }}", listen=" ssl", name="secure")
    plain = nginx(lab, "server_name api.example.test;\nreturn 301 https://$host$request_uri;", name="plain")
    token, wanted = api.token(), target("http://api.example.test/orders/17")
    sent = record(wanted, token, ca=ca, resolve={"api.example.test:80": [f"127.0.0.1:{edges.one_port(lab, tls=edge.port, plain=plain.port)}"]})
    ensure(status(sent, "client") == 301 and status(sent, "hop-1") == 401, "dropped at the redirect")
    return inputs(token=token, target=wanted, exchanges=sent, files={"app/config.json": json.dumps({"apiBaseUrl": "http://api.example.test", "timeoutMs": 8000}, indent=1)})


@case("ways-haproxy-id-token", family="client", expected=["TN0114", "TN0412"], settling=True, recorded=HAPROXY,
      fault="A web app sends its ID token (audience: its own client id) to an API whose edge checks the audience.")
def id_token(lab):
    api = service(lab)
    path = lab.write("haproxy/issuer.pem", api.key.pem())
    edge = haproxy(lab, verifying("RS256", str(path), denies("aud", "orders-api", "Invalid JWT audience"), *EXPIRED), backend(api.port))
    token = api.token(audience="shop-web", scope=None, roles=None, nonce=secrets.token_hex(8), at_hash="9xWq3o0cQm1l2Zs5Hs1pOg", email="anna@example.test",
                      email_verified=True, name="Anna Example", auth_time=1795290000, sid=secrets.token_hex(6))
    access, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=access)
    ensure(answer(sent, "client")["body"] == "Invalid JWT audience" and status(sent, "other-token") == 200, "the audience")
    return inputs(token=token, other_token=access, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-apache-opaque-token", family="client", expected=["TN0115"], settling=True, recorded=OPENIDC,
      fault="The app asked for no audience and got an opaque token; Apache reads signed JWTs only.")
def opaque(lab):
    key = Key()
    pem = lab.write("keys/idp.pem", key.pem())
    api, edge = openidc(lab, f"OIDCOAuthVerifyCertFiles {key.kid}#{pem}", level="warn auth_openidc:info")
    token, wanted = "at_" + secrets.token_urlsafe(30), target(edge.url())
    other = key.token(**claims("https://auth.example.test"))
    sent = record(wanted, token, other_token=other)
    error = joined(lab, "apache/error.log")
    ensure(status(sent, "client") == 401 and status(sent, "other-token") == 200, "JWTs pass")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, logs={"error.log": error})


@case("ways-apache-openidc-key-of-other-environment", family="verifier", expected=["TN0403"], settling=True, recorded=OPENIDC,
      fault="A token of staging's issuer comes to production's Apache: its key id is none of production's key set.")
def environment(lab):
    pem, _ = certificate(lab, "login.example.test")
    issuer = nginx(lab, "ssl_certificate {0};\nssl_certificate_key {0};\nlocation / {{ proxy_pass http://127.0.0.1:{1}; }}".format(pem, port := lab.port()), listen=" ssl", name="login")
    api, edge = openidc(lab, f"OIDCSSLValidateServer Off\nOIDCOAuthSSLValidateServer Off\nOIDCOAuthVerifyJwksUri https://127.0.0.1:{issuer.port}/jwks.json", level="warn auth_openidc:info")
    lab.enter(serve(api.issuer.handle, port=port, server=""))
    staging = Key()
    token, other = staging.token(**claims(api.issuer.url)), api.token()
    wanted = target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") == 401 and status(sent, "other-token") == 200, "only the other key")
    return inputs(token=token, other_token=other, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, logs={"error.log": joined(lab, "apache/error.log")})
