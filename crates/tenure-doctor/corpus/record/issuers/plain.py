"""What most people have: a token and a URL, one excerpt, one page's HAR, what a terminal said."""

import json
import os
import secrets
import subprocess
import time

from edges.npm_gateways import jwt_policy
from issuers.glewlwyd import api as glewlwyd_api
from issuers.tenure_deployed import at_edge, fronted
from lab import tenure as tenure_lab
from lab.cloud import REST, Cloud, Rest, asked, cognito
from lab.common import answer, case, ensure, inputs, record, status, target
from lab.crowd import AGENTS, add_users, bustle, get, visitors
from lab.edges import har, logs, nginx
from lab.formats import event
from lab.gateways import EXPRESS, FASTIFY, Gateway
from lab.glewlwyd import Glewlwyd
from lab.glewlwyd import SYSTEM as GLEWLWYD
from lab.oidc import Provider
from lab.oidc import SYSTEM as OIDC
from lab.tenure import Service
from lab.tenure import SYSTEM as TENURE
from lab.tokens import Key
from lab.wire import later, sent

BRIEF = ["client", "bare", "garbage", "altered", "other-path", "bare-other-path", "again-1", "discovery", "jwks"]


def asked_of(gateway, token, path="/orders"):
    wanted = target(gateway.url(path), issuer=gateway.issuer.url)
    return {"target": wanted, "token": token, "exchanges": record(wanted, token, only=BRIEF)}


@case("express-gateway-issuer-poor", family="gateway", recorded=EXPRESS, expected=["TN0411"],
      fault="The jwt policy names the issuer with a slash at its end; a token and a URL are all there is.")
def issuer(lab):
    gateway = Gateway(lab)
    gateway.express(jwt_policy(gateway).replace(f"issuer: {gateway.issuer.url}", f"issuer: {gateway.issuer.url}/"))
    seen = asked_of(gateway, gateway.token())
    ensure(status(seen["exchanges"], "client") == 401, "refused")
    return inputs(**seen)


@case("express-gateway-rotated-poor", family="gateway", recorded=EXPRESS, expected=["TN0323", "TN0401"],
      fault="The gateway has the issuer's former public key; a token and a URL are all there is.")
def rotated(lab):
    gateway = Gateway(lab)
    now = Key()
    gateway.express(jwt_policy(gateway))
    gateway.issuer.keys, gateway.issuer.published = (now,), [now]
    seen = asked_of(gateway, gateway.token(now))
    ensure(status(seen["exchanges"], "client") == 401, "refused")
    return inputs(**seen)


@case("fastify-gateway-rotated-poor", family="gateway", recorded=FASTIFY, expected=["TN0402", "TN0323"], settling=True,
      fault="The issuer exchanged its key under one kid, and the gateway keeps the former; a token and a URL.")
def same_kid(lab):
    gateway = Gateway(lab)
    before, now = Key(kid="sig-1"), Key(kid="sig-1")
    gateway.issuer.keys, gateway.issuer.published = (before,), [before]
    gateway.fastify(keepKeys=3600000)
    gateway.visit([gateway.token(before)], times=1)
    gateway.issuer.keys, gateway.issuer.published = (now,), [now]
    seen = asked_of(gateway, gateway.token(now))
    ensure("signature is invalid" in answer(seen["exchanges"], "client")["body"], "refused")
    return inputs(**seen)


@case("fastify-gateway-role-missing", family="gateway", recorded=FASTIFY, expected=["TN0513"], settling=True,
      fault="The gateway lets the token through, and the service behind asks for a role that this user does not have.")
def role(lab):
    gateway = Gateway(lab).fastify()
    seen = asked_of(gateway, gateway.token(), "/admin")
    ensure(status(seen["exchanges"], "client") == 403, "403")
    return inputs(**seen)


@case("glewlwyd-audience-poor", family="verifier", recorded=f"{GLEWLWYD}, PyJWT 2.15.1", expected=["TN0412"],
      fault="The provider puts scopes into aud; an API without reasons wants its own name there.")
def audience(lab):
    provider = Glewlwyd(lab)
    wanted = glewlwyd_api(lab, provider, audience="orders-api", style="bare")
    token = provider.sign_in()["access_token"]
    exchanges = record(wanted, token, only=BRIEF)
    ensure(status(exchanges, "client") == 401, "refused")
    return inputs(target=wanted, token=token, exchanges=exchanges)


@case("tenure-expired-poor", family="verifier", recorded=TENURE, expected=["TN0415"], settling=True,
      fault="The app presents an access token that ended half an hour ago.")
def expired(lab):
    service = Service(lab)
    token = service.sign_in()["access_token"]
    service.later(2700)
    seen = service.record(token, only=BRIEF)
    ensure(status(seen["exchanges"], "client") == 401, "expired")
    return inputs(now=int(time.time()) + 2700, **seen | {"exchanges": later(seen["exchanges"], 2700)})


@case("tenure-502-wipes-session", family="session", recorded=f"{TENURE}, nginx 1.22.1", expected=["TN0604"], settling=True,
      fault="While the service was updated, nginx answered a refresh with 502, and the app took that for the end of its session.")
def wiped(lab):
    service, edge = fronted(lab)
    base = f"http://127.0.0.1:{edge.port}"
    tokens = service.sign_in()
    visitors(base, tokens["access_token"], times=10, seed=41)
    service.child.terminate()
    service.child.wait()
    code = get(f"{base}/oauth2/token", AGENTS[0], b"grant_type=refresh_token&client_id=app&refresh_token=x")
    ensure(code == 502, "502")
    visitors(base, tokens["access_token"], times=2, seed=42)
    service.start()
    visitors(base, None, times=10, seed=43)
    log = (event(117, "token_refresh_started") + event(117.3, "token_refresh_failed", status=502) + event(117.4, "session_cleared", reason="refresh_failed")
           + event(117.5, "redirect_to_login"))
    seen = at_edge(edge, tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]), only=["client", "bare", "discovery", "refresh"])
    ensure(status(seen["exchanges"], "refresh") == 200, "the session was good")
    return inputs(**seen, logs=logs(lab, "nginx/access.log", "nginx/error.log") | {"app.log": log})


@case("oidc-two-processes-in-memory", family="session", recorded=f"{OIDC}, nginx 1.22.1", expected=["TN0606"], settling=True,
      fault="Two processes of the provider behind nginx, each with its sessions in memory: each other refresh finds nothing.")
def two_processes(lab):
    port = lab.port()
    front = f"http://127.0.0.1:{port}"
    first = Provider(lab, issuer=front)
    kept, start = first.child, lab.start
    lab.start = lambda name, *given, **more: start(f"{name}-b", *given, **more)
    second = Provider(lab, issuer=front)
    lab.start = start
    ensure(kept.poll() is None, "both run")
    nginx(lab, "location / { proxy_pass http://sso; }", f"upstream sso {{\n  server 127.0.0.1:{first.port};\n  server 127.0.0.1:{second.port};\n}}", port=port)
    tokens = [first.begin() for _ in range(6)] + [second.begin() for _ in range(2)]
    codes = []
    for _ in range(2):
        for number, token in enumerate(tokens):
            form = f"grant_type=refresh_token&client_id=web&refresh_token={token}&resource=https%3A%2F%2Forders.example.com".encode()
            exchange = sent(f"again-{number}", f"{front}/token", form, {"content-type": "application/x-www-form-urlencoded"})
            codes.append(exchange["result"]["Ok"]["status"])
            if codes[-1] == 200:
                tokens[number] = json.loads(exchange["result"]["Ok"]["body"])["refresh_token"]
    ensure({200, 400} == set(codes), str(codes))
    out = lab.read("oidc.out") + lab.read("oidc-b.out")
    ensure("in-memory" in out, "it warns")
    return inputs(logs=first.logs() | {"provider.out": out} | logs(lab, "nginx/access.log"))


@case("tenure-redirect-uri-differs", family="session", recorded=TENURE, expected=["TN0612"], settling=True,
      fault="The shop's sign-in comes with https://shop.example.com/callback/, and the client has it without the slash.")
def redirect_uri(lab):
    service = Service(lab, client='allowed_origins = ["https://shop.example.com"]')
    service.file.write_text(service.file.read_text().replace('"http://127.0.0.1/callback"', '"https://shop.example.com/callback"'))
    service.start()
    emails = add_users(service, ("mara.lindqvist", "li.wen"))
    bustle(service, emails, rounds=2)
    asks = ("/oauth2/authorize?response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fshop.example.com%2Fcallback%2F&scope=openid"
            "&state=4c1f&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256")
    exchange = sent("client", service.base + asks, headers={"accept": "text/html", "user-agent": AGENTS[-1]})
    ensure(exchange["result"]["Ok"]["status"] == 400, str(exchange["result"])[:400])
    return inputs(target=target(service.base + asks, issuer=service.base), exchanges=[exchange], logs=service.log(), files=service.toml())


@case("aws-rest-har-wrong-path", family="gateway", recorded=REST, expected=["TN0301"],
      fault="The page calls /prod/item, and the API has /prod/items; a HAR with this one request is all there is.")
def wrong_path(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    token = pool.sign_in()["IdToken"]
    seen = asked(cloud, api.id, target(api.url("/prod/item")), token, only=["client"])
    found = seen["exchanges"][0]["result"]["Ok"]
    headers = [("Authorization", f"Bearer {token}"), ("Origin", "https://shop.example.com")]
    entry = {"startedDateTime": time.strftime("%Y-%m-%dT%H:%M:%S.120Z", time.gmtime()), "time": 31.0,
             "request": {"method": "GET", "url": api.url("/prod/item"), "httpVersion": "http/2.0", "headers": [{"name": name, "value": value} for name, value in headers],
                         "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0},
             "response": {"status": found["status"], "statusText": "", "httpVersion": "http/2.0", "headers": [{"name": name, "value": value} for name, value in found["headers"]],
                          "cookies": [], "redirectURL": "", "content": {"size": found["body_bytes"], "mimeType": "application/json", "text": found["body"]}, "headersSize": -1, "bodySize": found["body_bytes"]},
             "cache": {}, "timings": {"send": 0, "wait": 31.0, "receive": 0}}
    ensure(found["status"] == 403, "403")
    return inputs(logs={"shop.har": har([entry])})


@case("tenure-cli-needs-https", family="tenure", recorded=TENURE, expected=["TN0715"], settling=True,
      fault="The team's machines reach the service at http://sso.lan:8420; the command line refuses to send tokens in the clear.")
def needs_https(lab):
    done = subprocess.run([tenure_lab.TENURE, "login", "--issuer", "http://sso.lan:8420", "--device"], text=True, capture_output=True,
                          env={**os.environ, "HOME": str(lab.folder)})
    ensure("needs https" in done.stderr, done.stderr)
    shown = subprocess.run([tenure_lab.TENURE, "status"], text=True, capture_output=True, env={**os.environ, "HOME": str(lab.folder)})
    text = f"$ tenure login --issuer http://sso.lan:8420 --device\n{done.stderr}$ tenure status\n{shown.stdout}{shown.stderr}"
    return inputs(logs={"terminal.txt": text})


@case("tenure-http-issuer-refused", family="tenure", recorded=TENURE, expected=["TN0715", "TN0716"], settling=True,
      fault="The unit was deployed with an issuer of http; the service ends at each start, and systemd starts it again.")
def http_issuer(lab):
    lab.write("tenure.toml", 'issuer = "http://auth.shop.example.com"\n[clients.app]\nname = "Shop"\n')
    done = subprocess.run([tenure_lab.TENURE, "serve", "--config", lab.folder / "tenure.toml", "--data", lab.folder / "data"], text=True, capture_output=True,
                          env={**os.environ, "TENURE_MASTER_SECRET": secrets.token_hex(48)})
    ensure("in the clear" in done.stderr, done.stderr)
    lines, at = [], time.time() - 90
    for turn in range(6):
        stamp = lambda after: time.strftime("%b %d %H:%M:%S", time.gmtime(at + turn * 10 + after))
        lines += [f"{stamp(0)} auth-1 systemd[1]: Started tenure.service - Tenure token service.", f"{stamp(0)} auth-1 tenure[{1200 + turn}]: {done.stderr.strip()}",
                  f"{stamp(0)} auth-1 systemd[1]: tenure.service: Main process exited, code=exited, status={done.returncode}/INVALIDARGUMENT",
                  f"{stamp(0)} auth-1 systemd[1]: tenure.service: Failed with result 'exit-code'.", f"{stamp(5)} auth-1 sshd[811]: Accepted publickey for deploy from 10.0.0.9 port 50122 ssh2"]
    return inputs(logs={"journal.txt": "\n".join(lines) + "\n"}, files={"tenure.toml": lab.read("tenure.toml")})
