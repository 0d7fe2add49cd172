"""More edges with nothing wrong: what looks like a fault is how the thing works."""

import base64
import http.client
import socket
import time

from edges.apache_modules import OPENIDC, openidc
from edges.haproxy import backend, forward
from edges.haproxy_busy import SOURCE
from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.edges import HAPROXY, ORIGIN, certificate, fetch, haproxy, har, service
from lab.servers import Reply, serve
from lab.tokens import Key, claims
from lab.traffic import BROWSER, LIGHTTPD, SQUID, Crowd, joined, lighttpd, nginx, sped, squid, statuses

NGINX = "nginx 1.22.1, Python 3.11"


@case("ways-healthy-squid-407-handshake", family="healthy", recorded=SQUID,
      fault="Nothing: clients learn by a 407 that the company's proxy wants credentials, and repeat with them; each TCP_DENIED/407 is followed by a 200.")
def handshake(lab):
    api = service(lab)
    program = lab.write("basic", "#!/bin/sh\nwhile read line; do echo OK; done\n")
    program.chmod(0o755)
    with sped(30, 40):
        edge = squid(lab, f"auth_param basic program {program}\nauth_param basic realm Example Corp web proxy\nacl staff proxy_auth REQUIRED\nhttp_access allow staff\nhttp_access deny all")
    token = api.token()
    for number in range(32):
        known = base64.b64encode(f"{('anna', 'ben', 'cleo', 'dan')[number % 4]}:throwaway".encode()).decode()
        for more in ({}, {"Proxy-Authorization": f"Basic {known}"}):
            wire = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=20)
            wire.request("GET", f"http://{api.direct}/orders/{number}", headers={"Authorization": f"Bearer {token}", "User-Agent": "Java/17.0.9", **more})
            wire.getresponse().read()
            wire.close()
        time.sleep(0.05)
    log = joined(lab, "squid/access.log")
    ensure(log.count("TCP_DENIED/407") == 32 and log.count("TCP_MISS/200") == 32, "each repeated")
    return inputs(logs={"squid-access.log": log})


@case("ways-healthy-haproxy-bad-requests", family="healthy", recorded=HAPROXY,
      fault="Nothing: port scanners leave <BADREQ> and failed TLS handshakes in HAProxy's log; the API's clients are served.")
def bad_requests(lab):
    api = service(lab)
    pem, ca = certificate(lab, "api.example.test")
    edge = haproxy(lab, forward(SOURCE), backend(api.port))
    tls = haproxy(lab, forward(), backend(api.port), bind=f" ssl crt {pem}", name="tls")
    crowd = Crowd(edge, api, seed=100)
    for number in range(10):
        crowd.noise(8)
        for port, said in ((edge.port, b"\x16\x03\x01\x00\x05hello"), (edge.port, b"HELP\r\n\r\n"), (tls.port, b"GET / HTTP/1.0\r\n\r\n")):
            with socket.create_connection(("127.0.0.1", port)) as wire:
                wire.sendall(said)
                wire.settimeout(1)
                try:
                    wire.recv(200)
                except OSError:
                    pass
    token, wanted = api.token(), target("https://api.example.test/orders")
    sent = record(wanted, token, ca=ca, resolve={"api.example.test:443": [f"127.0.0.1:{tls.port}"]})
    log = joined(lab, "haproxy.out", "tls.out")
    ensure("<BADREQ>" in log and "SSL handshake failure" in log and status(sent, "client") == 200, "well")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "garbage", "altered", "again*"), logs={"haproxy.log": log}, keys={"jwks.json": api.jwks()})


@case("ways-healthy-apache-forced-refresh", family="healthy", recorded=OPENIDC,
      fault="Nothing: the issuer rotated its key; Apache warns that the key is not in its cache, fetches again, and accepts the token.")
def forced_refresh(lab):
    pem, _ = certificate(lab, "login.example.test")
    port = lab.port()
    login = nginx(lab, f"ssl_certificate {pem};\nssl_certificate_key {pem};\nlocation / {{ proxy_pass http://127.0.0.1:{port}; }}", listen=" ssl", name="login")
    api, edge = openidc(lab, f"OIDCSSLValidateServer Off\nOIDCOAuthSSLValidateServer Off\nOIDCOAuthVerifyJwksUri https://127.0.0.1:{login.port}/jwks.json", level="warn auth_openidc:info")
    lab.enter(serve(api.issuer.handle, port=port, server=""))
    crowd = Crowd(edge, api, seed=101)
    crowd.noise(30)
    new = Key()
    api.issuer.published.append(new)
    crowd.users = [(ip, agent, new.token(**claims(api.issuer.url, subject=f"u-{n}"))) for n, (ip, agent, _) in enumerate(crowd.users)]
    crowd.noise(30)
    token, wanted = new.token(**claims(api.issuer.url)), target(edge.url(), issuer=api.issuer.url)
    error = joined(lab, "apache/error.log")
    sent = record(wanted, token, old_token=api.token(age=500))
    ensure(status(sent, "client") == status(sent, "old") == 200 and "doing a forced refresh" in error, "both keys")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "old", "again*", "jwks", "discovery"), keys={"jwks.json": api.jwks()},
                  logs={"error.log": error})


@case("ways-healthy-large-token-fits", family="healthy", recorded=LIGHTTPD,
      fault="Nothing: a user of many groups has a token of five kilobytes; lighttpd takes eight.")
def fits(lab):
    api = service(lab)
    edge = lighttpd(lab, f'proxy.server = ("" => (("host" => "127.0.0.1", "port" => {api.port})))')
    token = api.token(groups=[f"cn=project-{n:03},ou=groups,dc=example,dc=test" for n in range(70)])
    wanted = target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=api.token(subject="u-2"))
    ensure(len(token) > 4500 and status(sent, "client") == status(sent, "again-4") == 200, "it fits")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "other-token", "altered", "again*"), keys={"jwks.json": api.jwks()})


@case("ways-healthy-har-refresh-and-retry", family="healthy", recorded=NGINX,
      fault="Nothing: three calls meet an expired token, the page refreshes once and repeats all three.")
def retried(lab):
    api = service(lab, style="detail", headers={"access-control-allow-origin": ORIGIN}, cors=True,
                  before=lambda request: Reply(200, {"token_type": "Bearer", "expires_in": 900}) if request.path == "/auth/refresh" else None)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    given = {"User-Agent": BROWSER, "Origin": ORIGIN}
    paths = ("/orders", "/orders/17", "/orders?page=2")
    old, entries = api.token(age=904), []
    entries += [fetch(edge.url(path), headers={**given, "Authorization": f"Bearer {old}"}) for path in paths]
    entries.append(fetch(edge.url("/auth/refresh"), "POST", given, b""))
    fresh = api.token(age=0)
    entries += [fetch(edge.url(path), headers={**given, "Authorization": f"Bearer {fresh}"}) for path in (*paths, "/orders", "/orders/17")]
    ensure(statuses(entries) == [401] * 3 + [200] * 6, "refreshed")
    return inputs(token=fresh, target=target(edge.url(), origin=ORIGIN), logs={"app.har": har(entries)})


@case("ways-healthy-har-cookie-session", family="healthy", recorded=NGINX,
      fault="Nothing: this page works with a session cookie, and its HAR was exported without credentials; no request shows an Authorization.")
def cookie_session(lab):
    api = service(lab, before=lambda request: Reply(200, {"orders": [], "user": "anna"}) if "session=" in (request.header("cookie") or "") else Reply(401, {"error": "sign in"}))
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    given = {"User-Agent": BROWSER, "Referer": "https://shop.example.test/orders", "Cookie": "session=throwaway0123456789"}
    entries = [fetch(edge.url(path), headers=given) for path in ("/orders", "/orders/17", "/profile", "/orders?page=2", "/orders")]
    ensure(statuses(entries) == [200] * 5, "well")
    return inputs(logs={"shop.example.test.har": har(entries, sanitized=True)})


@case("ways-healthy-underscores-allowed", family="healthy", recorded=NGINX,
      fault="Nothing: the token comes in a field with an underscore, and nginx is told to take such fields.")
def underscores(lab):
    api = service(lab, header="x_auth_token", scheme="", style="detail")
    edge = nginx(lab, f"underscores_in_headers on;\nlocation / {{ proxy_pass http://{api.direct}; }}", level="info")
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, carried={"header": "x_auth_token", "prefix": ""}, direct=api.direct)
    ensure(status(sent, "client") == status(sent, "direct") == 200 and status(sent, "bare") == 401, "it arrives")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


@case("ways-healthy-explicit-forwarding", family="healthy", recorded=NGINX,
      fault="Nothing: the configuration names Authorization everywhere, in the cache key, in a map and in proxy_set_header, and hands it on as it is.")
def explicit(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{\n  proxy_set_header Authorization $http_authorization;\n  proxy_set_header X-Signed-In $signed_in;\n  proxy_pass_header WWW-Authenticate;\n  proxy_no_cache $http_authorization;\n  proxy_pass http://{api.direct};\n}}",
                 'map $http_authorization $signed_in { default 0; "~*^Bearer " 1; }')
    token, wanted = api.token(), target(edge.url("/orders/17"), issuer=api.issuer.url)
    sent = record(wanted, token, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 200 and "bearer ey" in answer(sent, "echo")["body"].lower(), "handed on")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)
