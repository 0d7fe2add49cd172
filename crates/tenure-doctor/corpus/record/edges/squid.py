"""Squid, as an accelerator before an API and as a company's forward proxy, one fault each."""

import http.client
import time

from lab import edges
from lab.common import answer, case, ensure, inputs, record, status, target, without
from lab.edges import service
from lab.servers import Reply
from lab.traffic import CURL, SQUID, Crowd, curl, joined, sped, squid

OPEN = "http_access allow all"
KEEPS = "login=PASSTHRU"


@case("ways-squid-accelerator-drops-authorization", family="edge", expected=["TN0201"], settling=True, recorded=SQUID,
      fault="Squid as accelerator does not hand Authorization to the origin: cache_peer lacks login=PASSTHRU.")
def drops(lab):
    api = service(lab)
    edge = squid(lab, OPEN, accel=api.port)
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "Squid alone")
    ensure("authorization" not in answer(sent, "echo")["body"], "never arrives")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config, keys={"jwks.json": api.jwks()})


@case("ways-squid-drops-authorization-poor", family="edge", expected=["TN0201"], settling=False, recorded=SQUID,
      fault="As Squid without login=PASSTHRU; the user has the token and the address only.")
def drops_poor(lab):
    api = service(lab, style="detail")
    edge = squid(lab, OPEN, accel=api.port)
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == status(sent, "bare") == 401, "no difference")
    return inputs(token=token, target=wanted, exchanges=without(sent, "discovery", "jwks"))


@case("ways-squid-peer-credentials-replace", family="edge", expected=["TN0210"], settling=True, recorded=SQUID,
      fault="cache_peer login=shop:… makes Squid send its own Basic credentials to the API in place of the user's token.")
def replaces(lab):
    api = service(lab)
    edge = squid(lab, OPEN, accel=api.port, peer="login=shop:throwaway")
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and "Basic " in answer(sent, "echo")["body"], "Basic in its place")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-squid-keeps-403", family="edge", expected=["TN0202"], settling=True, recorded=SQUID,
      fault="A middleware of the API puts `public` on errors too, and Squid has negative_ttl: it gives a user's 403 to an administrator.")
def cached_403(lab):
    api = service(lab, style="bare", denied_headers={"cache-control": "public, max-age=120"})
    edge = squid(lab, f"{OPEN}\nnegative_ttl 5 minutes", accel=api.port, peer=KEEPS)
    Crowd(edge, api).send("/admin", token=api.token())
    time.sleep(2)
    token, wanted = api.token(roles=["user", "admin"]), target("http://api.example.test/admin")
    sent = record(wanted, token, resolve={"api.example.test:80": [f"127.0.0.1:{edge.port}"]}, direct=api.direct)
    ensure(status(sent, "client") == 403 and status(sent, "direct") == 200 and status(sent, "fresh") == 200, "a cache-buster helps")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-squid-public-answers-shared", family="edge", expected=["TN0203"], settling=True, recorded=SQUID,
      fault="The API marks users' orders `public, max-age=300`; Squid in front gives the first user's to all.")
def shared(lab):
    api = service(lab, ok_headers={"cache-control": "public, max-age=300"})
    edge = squid(lab, OPEN, accel=api.port, peer=KEEPS)
    Crowd(edge, api, host=f"127.0.0.1:{edge.port}").send("/orders", token=api.token(subject="u-1002"))
    token, wanted = api.token(subject="u-7730"), target(edge.url())
    sent = record(wanted, token, issuer=api.issuer.url)
    ensure('"u-1002"' in answer(sent, "client")["body"] and status(sent, "bare-fresh") == 401, "another user's")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-squid-forward-proxy-407", family="edge", expected=["TN0209"], settling=True, recorded=f"{SQUID}, {CURL}",
      fault="The company's proxy asks for user name and password (407); the client takes it for a refusal of its token.")
def asks(lab):
    api = service(lab)
    lab.write("passwd", "anna:throwaway\n")
    program = lab.write("basic", "#!/bin/sh\nwhile read line; do echo ERR; done\n")
    program.chmod(0o755)
    with sped(60):
        edge = squid(lab, f"auth_param basic program {program}\nauth_param basic realm Example Corp web proxy\nacl staff proxy_auth REQUIRED\nhttp_access allow staff\nhttp_access deny all")
    token = api.token()
    shown = curl("http://api.example.test/orders", "-x", f"http://127.0.0.1:{edge.port}", "-H", f"Authorization: Bearer {token}")
    for number in range(14):
        edges.fetch(edge.url("/"), headers={"Host": ["intranet.example.test", "updates.example.test", "mail.example.test"][number % 3]})
    ensure("407 Proxy Authentication Required" in shown, "407")
    return inputs(token=token, logs={"curl.txt": shown})


@case("ways-squid-forward-proxy-denies-host", family="edge", expected=["TN0206"], settling=True, recorded=f"{SQUID}, {CURL}",
      fault="The company's proxy allows listed hosts only; the API's new host is none, and Squid answers 403 ERR_ACCESS_DENIED.")
def denies(lab):
    api = service(lab)
    rules = "acl allowed dstdomain intranet.example.test .vendor.example.test\nhttp_access allow allowed\nhttp_access deny all"
    with sped(35):
        edge = squid(lab, rules)
    for number in range(40):
        host = ["intranet.example.test", "api.example.test", "cdn.vendor.example.test", "api.example.test"][number % 4]
        proxied(edge, f"http://{host}/orders/{number}", api.token())
        time.sleep(0.02)
    shown = curl("http://api.example.test/orders", "-x", f"http://127.0.0.1:{edge.port}", "-H", f"Authorization: Bearer {api.token()}")
    log = joined(lab, "squid/access.log")
    ensure("ERR_ACCESS_DENIED" in shown and "TCP_DENIED/403" in log, "denied")
    return inputs(logs={"curl.txt": shown, "squid-access.log": log})


def proxied(edge, url: str, token: str) -> int:
    """A request through a forward proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=20)
    connection.request("GET", url, headers={"Authorization": f"Bearer {token}", "User-Agent": "okhttp/4.12.0"})
    got = connection.getresponse()
    got.read()
    connection.close()
    return got.status


@case("ways-healthy-squid-obeys", family="healthy", recorded=SQUID,
      fault="Nothing: Squid hands tokens on, keeps only public catalogue pages, and its log is full of TCP_DENIED for scanners' methods.")
def healthy(lab):
    api = service(lab, before=lambda request: Reply(200, {"items": [1, 2, 3]}, {"cache-control": "public, max-age=900"}) if request.path == "/catalogue" else None,
                  ok_headers={"cache-control": "private"})
    rules = "acl odd method TRACE CONNECT\nhttp_access deny odd\nhttp_access allow all"
    edge = squid(lab, rules, accel=api.port, peer=KEEPS)
    crowd = Crowd(edge, api, seed=12, paths=("/orders", "/catalogue", "/orders/17"))
    for _ in range(7):
        crowd.noise(14)
        crowd.send("/", "192.0.2.9", method="TRACE", agent="Mozilla/5.0 zgrab/0.x")
        crowd.send("/orders", "192.0.2.9", agent="Mozilla/5.0 zgrab/0.x")
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_endpoint=edge.url("/catalogue"))
    ensure(status(sent, "client") == status(sent, "again-4") == 200 and status(sent, "bare") == 401, "all is well")
    log = joined(lab, "squid/access.log")
    ensure("TCP_DENIED/403" in log and "TCP_MEM_HIT/200" in log, "noise")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"squid-access.log": log})
