"""Application servers and front servers on the way: uWSGI, gunicorn, Node proxies, a client library with opinions."""

import base64
import json
import os
import re
import signal
import socket
import time

from lab.common import PROGRAMS, answer, case, ensure, inputs, only, record, status, target
from lab.edges import Edge, fetch, har, service
from lab.traffic import Crowd, joined, nginx, statuses

UWSGI = "uWSGI 2.0.21, nginx 1.22.1, Python 3.11"
GUNICORN = "gunicorn 20.1.0, requests 2.28.1, Python 3.11"
HPM = "http-proxy-middleware 3.0.5, Express 5.3.0, Node.js 20"


def uwsgi(lab, api, *more):
    port = lab.port()
    lab.start("uwsgi", ["uwsgi-core", "--plugin", "python3", "--socket", f"127.0.0.1:{port}", "--chdir", PROGRAMS, "--module", "front",
                        "--master", "--processes", "2", "--need-app", *more], port=port, env={"UPSTREAM": api.direct, "PYTHONDONTWRITEBYTECODE": "1"})
    return nginx(lab, f"location / {{\n  include /etc/nginx/uwsgi_params;\n  uwsgi_pass 127.0.0.1:{port};\n}}", level="error")


def gunicorn(lab, api, *more, env=None):
    port = lab.port()
    lab.start("gunicorn", ["gunicorn", "-b", f"127.0.0.1:{port}", "-w", "2", "--chdir", PROGRAMS, "--access-logfile", "-", *more, "front:application"],
              port=port, env={"UPSTREAM": api.direct, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})})
    return Edge(port, {})


def hpm(lab, api, **options):
    port = lab.port()
    lab.start("front", ["node", PROGRAMS / "front.mjs"], port=port,
              env={"OPTIONS": json.dumps({"port": port, "target": f"http://{api.direct}", **options})})
    return Edge(port, {})


def large(api, count=90, **more) -> str:
    return api.token(groups=[f"/departments/{n:03}/projects/delivery-and-returns" for n in range(count)], **more)


@case("ways-uwsgi-block-size-log", family="client", expected=["TN0113"], settling=True, recorded=UWSGI,
      fault="A token with all groups makes the request block larger than uWSGI's 4096 bytes: nginx answers 502, and only uWSGI's log says why.")
def block_size(lab):
    api = service(lab)
    edge = uwsgi(lab, api)
    crowd = Crowd(edge, api, seed=50)
    token = large(api, subject="u-17")
    for _ in range(5):
        crowd.noise(9)
        crowd.send("/orders", "203.0.113.17", token=token)
    log, access = joined(lab, "uwsgi.out"), joined(lab, "nginx/access.log")
    ensure("invalid request block size" in log and '" 502 ' in access, "uWSGI says so")
    return inputs(logs={"uwsgi.log": plain(log), "nginx-access.log": access, "nginx-error.log": joined(lab, "nginx/error.log")})


def plain(log: str) -> str:
    """Without where this machine has its programs."""
    return log.replace(str(PROGRAMS), "/srv/front").replace(f"nodename: {socket.gethostname()}", "nodename: front-1")


@case("ways-gunicorn-header-field-size", family="client", expected=["TN0113"], settling=True, recorded=GUNICORN,
      fault="gunicorn takes header fields up to 8190 bytes; the tokens of people with many groups are longer.")
def field_size(lab):
    api = service(lab)
    edge = gunicorn(lab, api)
    token, other, wanted = large(api, 160), api.token(subject="u-2"), target(edge.url())
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") == 400 and status(sent, "other-token") == 200, "only the large token")
    ensure("limit request headers fields size" in answer(sent, "client")["body"], "it says so")
    return inputs(token=token, other_token=other, target=wanted, exchanges=only(sent, "client", "bare", "other-token", "large-header", "again*"))


@case("ways-node-431-har", family="client", expected=["TN0113"], settling=True, recorded=HPM,
      fault="Node's 16 KB for all header fields: a front server answers 431 to a user whose token and cookies are large together.")
def node_431(lab):
    api = service(lab)
    edge = hpm(lab, api)
    token = large(api, 240)
    cookies = "; ".join(f"exp_{n}={'v' * 90}" for n in range(30))
    given = {"Host": "shop.example.test", "User-Agent": "Mozilla/5.0 Firefox/132.0", "Authorization": f"Bearer {token}", "Cookie": cookies}
    entries = [fetch(edge.url(path), headers=given) for path in ("/orders", "/orders/17")]
    ensure(statuses(entries) == [431, 431], "too large")
    return inputs(logs={"shop.example.test.har": har(entries, creator="Firefox")})


def front_config(api, line: str) -> str:
    return ("import { createProxyMiddleware } from 'http-proxy-middleware';\n\nexport const api = createProxyMiddleware({\n"
            f"  target: 'http://{api.direct}',\n  changeOrigin: true,\n  xfwd: true,\n  {line}\n}});\n")


@case("ways-node-proxy-own-credentials", family="edge", expected=["TN0210"], settling=True, recorded=HPM,
      fault="http-proxy-middleware has `headers: { Authorization: 'Basic …' }` for the staging gate: it overwrites each user's token.")
def own_credentials(lab):
    api = service(lab)
    edge = hpm(lab, api, headers={"Authorization": "Basic c3ZjLWZyb250OnRocm93YXdheQ=="})
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and '"Basic ' in answer(sent, "echo")["body"], "overwritten")
    config = front_config(api, "headers: { Authorization: `Basic ${btoa(process.env.STAGING_AUTH)}` },")
    return inputs(token=token, target=wanted, exchanges=sent, files={"src/proxy.js": config, ".env": "STAGING_AUTH=svc-front:throwaway\n"})


@case("ways-healthy-node-proxy-auth-option", family="healthy", recorded=HPM,
      fault="Nothing: `auth` of http-proxy-middleware looks as if it replaced tokens, but Node sets it only where a request has none.")
def auth_option(lab):
    api = service(lab)
    edge = hpm(lab, api, auth="svc-front:throwaway")
    crowd = Crowd(edge, api, seed=51)
    crowd.noise(60)
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 200 and "Bearer ey" in answer(sent, "echo")["body"] and status(sent, "bare") == 401, "well")
    return inputs(token=token, target=wanted, exchanges=sent, files={"src/proxy.js": front_config(api, "auth: process.env.STAGING_AUTH,")},
                  logs={"front.log": joined(lab, "front.out")})


@case("ways-node-proxy-lowers-token", family="verifier", expected=["TN0425"], settling=True, recorded=HPM,
      fault="A front server writes header values in lower case for its log and passes that on: the API gets a token of other letters.")
def lowers(lab):
    api = service(lab, style="detail")
    edge = hpm(lab, api, lowerScheme=True)
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200 and f"bearer {token.lower()}" in answer(sent, "echo")["body"], "in lower case")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-node-proxy-doubles-bearer", family="client", expected=["TN0105", "TN0210"], settling=True, recorded=HPM,
      fault="A front server puts `Bearer ` before an Authorization that has it already: the API gets `Bearer Bearer …`.")
def doubles(lab):
    api = service(lab, style="bare")
    edge = hpm(lab, api, doubled=True)
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and status(sent, "raw") == 200 and "Bearer Bearer" in answer(sent, "echo")["body"], "twice")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-node-bff-undefined", family="client", expected=["TN0102"], settling=True, recorded=HPM,
      fault="A backend for the frontend makes `Bearer ${cookie}` of a session cookie that the browser did not send: the API gets `Bearer undefined`.")
def bff_undefined(lab):
    api = service(lab, style="detail")
    edge = hpm(lab, api, cookieToken=True)
    wanted = target(edge.url())
    sent = record(wanted, None, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and "Bearer undefined" in answer(sent, "echo")["body"], "undefined")
    return inputs(target=wanted, exchanges=sent)


@case("ways-requests-netrc-replaces", family="edge", expected=["TN0210"], settling=True, recorded=GUNICORN,
      fault="The front server's account has a .netrc entry for the API's host: requests puts Basic from it in place of the user's Authorization.")
def netrc(lab):
    api = service(lab)
    lab.write("home/.netrc", "machine 127.0.0.1 login deploy password throwaway\n").chmod(0o600)
    edge = gunicorn(lab, api, env={"HOME": str(lab.folder / "home")})
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200 and "Basic " in answer(sent, "echo")["body"], "replaced")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-requests-netrc-poor", family="edge", expected=["TN0210", "TN0201"], settling=False, recorded=GUNICORN,
      fault="As a front server with a .netrc entry; the user can ask the front server and the API itself, and has no echo.")
def netrc_poor(lab):
    found = netrc(lab)
    found["exchanges"] = only(found["exchanges"], "client", "bare", "altered", "direct")
    return found


@case("ways-token-cut-at-1024", family="verifier", expected=["TN0425"], settling=True, recorded=GUNICORN,
      fault="The app stores its token in a column of 1024 characters: since a claim was added it is cut off, and the API cannot decode it.")
def cut(lab):
    api = service(lab, style="detail")
    edge = gunicorn(lab, api)
    whole = api.token(groups=[f"/departments/{n:03}" for n in range(24)])
    token = whole[:1024]
    ensure(1024 < len(whole) and token.count(".") == 2, "cut within the signature")
    wanted = target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401, "refused")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-token-claim-edited", family="verifier", expected=["TN0425"], settling=True, recorded=GUNICORN,
      fault="A tester changed `roles` in the payload by hand and kept the signature: the API calls it invalid.")
def edited(lab):
    api = service(lab)
    edge = gunicorn(lab, api)
    good = api.token()
    head, body, signature = good.split(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))
    payload["roles"] = ["user", "admin"]
    token = ".".join((head, base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("="), signature))
    wanted = target(edge.url("/admin"), issuer=api.issuer.url)
    sent = record(wanted, token, other_token=good)
    ensure(status(sent, "client") == 401 and status(sent, "other-token") == 403, "the signature")
    return inputs(token=token, other_token=good, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("ways-healthy-gunicorn-reload", family="healthy", recorded=GUNICORN,
      fault="Nothing: workers were replaced by a reload and one timed-out call was repeated; the log also has strangers' 401.")
def reload(lab):
    api = service(lab)
    edge = gunicorn(lab, api, "--access-logformat", '%({x-forwarded-for}i)s %(t)s "%(r)s" %(s)s %(b)s "%(a)s"')
    crowd = Crowd(edge, api, seed=52)
    crowd.noise(40)
    master = int(re.search(r"Listening at.*\((\d+)\)", lab.read("gunicorn.out")).group(1))
    os.kill(master, signal.SIGHUP)
    time.sleep(2)
    crowd.noise(40)
    token, wanted = api.token(age=3), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    log = joined(lab, "gunicorn.out")
    ensure("Handling signal: hup" in log and " 401 " in log and status(sent, "client") == 200, "well")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"gunicorn.log": plain(log)})
