"""APIs on Node's platforms: express-session, Auth.js, Auth0's middleware, jose, Firebase, Apollo; each with one fault or none."""

import json
import re
import time
import urllib.parse

from lab.common import answer, case, ensure, only, record, status, target
from lab.formats import docker_json, kubectl
from lab.servers import Issuer
from lab.story import PHONES, Service, Story
from lab.tokens import Key, claims
from lab.versions import debian, npm

PINO = npm("express", "pino-http")


def haproxy(story, backends, extra=""):
    """HAProxy before these services, with its own HTTP log."""
    lab, port = story.lab, story.lab.port()
    servers = "".join(f"  server {each.name} 127.0.0.1:{each.port}\n" for each in backends)
    conf = lab.write("haproxy.cfg", f"""
global
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend www
  bind 127.0.0.1:{port}
  capture request header User-Agent len 40
  default_backend web
backend web
  balance roundrobin
{extra}{servers}""")
    child = lab.start("haproxy", ["haproxy", "-db", "-f", conf], port=port, env=story.env())
    return Service(story, "haproxy", port, child), conf.read_text()


class Visitor:
    """Somebody with a cookie jar."""

    def __init__(self, service, agent):
        self.service, self.agent, self.jar = service, agent, {}

    def send(self, method, path, **more):
        headers = {"user-agent": self.agent, **({"cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items())} if self.jar else {})}
        code, fields, text = self.service.send(method, path, headers=headers, **more)
        for line in filter(None, fields.get("set-cookie", "").split("\n")):
            name, _, value = line.split(";")[0].partition("=")
            self.jar[name] = value
        return code, text


@case("express-sessions-in-memory-behind-haproxy", family="session", expected=["TN0606"], settling=True,
      recorded=f"{npm('express', 'express-session')}, morgan, {debian('haproxy')}",
      fault="Two Express servers with express-session's MemoryStore behind round robin: each knows only its own sessions.")
def memory_store(lab):
    story = Story(lab, "2026-10-27T09:14:00")
    webs = [story.node("platform.mjs", name=f"web{number}", kind="session", env={"NODE_ENV": "production"}) for number in (1, 2)]
    front, conf = haproxy(story, webs)
    seen = []
    for turn in range(6):
        person = Visitor(front, PHONES[turn % 4])
        person.send("POST", "/login")
        for path in ("/api/orders", "/api/me", "/api/orders", "/api/cart"):
            seen.append(person.send("GET", path)[0])
            story.pass_(3)
        front.noise(3)
    ensure({200, 401} == set(seen), str(seen))
    return story.inputs(logs={"haproxy.log": front.log(), "web1.log": webs[0].log(), "web2.log": webs[1].log()},
                        files={"haproxy.cfg": conf})


@case("haproxy-round-robin-loses-sessions", family="session", expected=["TN0606"],
      recorded=f"{npm('express', 'express-session')}, {debian('haproxy')}",
      fault="As two servers know only their own sessions; there is HAProxy's log only.")
def memory_store_log(lab):
    story = Story(lab, "2026-10-28T18:02:00")
    webs = [story.node("platform.mjs", name=f"app-{name}", kind="session") for name in ("blue", "green")]
    front, _ = haproxy(story, webs)
    for turn in range(8):
        person = Visitor(front, PHONES[turn % 4])
        person.send("POST", "/login")
        for path in ("/api/orders", "/api/me", "/api/orders", "/api/cart", "/api/orders"):
            person.send("GET", path)
            story.pass_(3)
        front.noise(3)
    log = front.log()
    ensure(" 401 " in log, log)
    return story.inputs(logs={"haproxy.log": log})


@case("healthy-haproxy-sticky-sessions", family="healthy", recorded=f"{npm('express', 'express-session')}, {debian('haproxy')}",
      fault="None: sessions in memory and a sticky cookie that keeps each visitor at one server; visitors who are not signed in get 401.")
def sticky(lab):
    story = Story(lab, "2026-10-29T18:02:00")
    webs = [story.node("platform.mjs", name=f"web{number}", kind="session") for number in (1, 2)]
    front, _ = haproxy(story, webs, "  cookie SRV insert indirect nocache\n  dynamic-cookie-key corpus\n")
    conf = lab.folder / "haproxy.cfg"
    front.stop()
    conf.write_text(re.sub(r"(server (web\d) \S+)", r"\1 cookie \2", conf.read_text()))
    child = lab.start("haproxy", ["haproxy", "-db", "-f", conf], port=front.port, env=story.env())
    front = Service(story, "haproxy", front.port, child)
    for turn in range(8):
        person = Visitor(front, PHONES[turn % 4])
        ensure(person.send("GET", "/api/me")[0] == 401, "not signed in yet")
        person.send("POST", "/login")
        for path in ("/api/orders", "/api/me", "/api/orders", "/api/cart"):
            ensure(person.send("GET", path)[0] == 200, "stays")
            story.pass_(3)
        front.noise(3)
    return story.inputs(logs={"haproxy.log": front.log()}, files={"haproxy.cfg": conf.read_text()})


def enter(person, name="ann"):
    """Auth.js' form."""
    token = json.loads(person.send("GET", "/auth/csrf")[1])["csrfToken"]
    person.send("POST", "/auth/callback/credentials", form=urllib.parse.urlencode({"csrfToken": token, "name": name}))


@case("authjs-secret-made-at-each-deploy", family="verifier", expected=["TN0409"], settling=True, recorded=npm("@auth/express", "express", "pino-http"),
      fault="The start script makes AUTH_SECRET anew: after a deploy no session cookie can be decrypted, and everybody is signed out.")
def authjs(lab):
    story = Story(lab, "2026-11-02T12:50:00")
    web = story.node("platform.mjs", kind="authjs", secret="f3c1-first-secret-of-the-corpus-000001")
    people = [Visitor(web, agent) for agent in PHONES]
    for person in people:
        enter(person)
        ensure(person.send("GET", "/api/orders")[0] == 200, "signed in")
    web.noise(6)
    log, port = web.log(), web.port
    web.stop()
    story.pass_(9)
    web = story.node("platform.mjs", port=port, kind="authjs", secret="a8e2-other-secret-of-the-corpus-000002")
    for person in people:
        person.service = web
        ensure(person.send("GET", "/api/orders")[0] == 401, "signed out")
        story.pass_(4)
        enter(person)
        ensure(person.send("GET", "/api/orders")[0] == 200, "again")
    web.noise(4)
    script = '#!/bin/sh\nset -e\nexport AUTH_SECRET="$(openssl rand -base64 33)"\nexport AUTH_TRUST_HOST=true\nexec node dist/server.js\n'
    return story.inputs(logs={"app.log": log + web.log()}, files={"docker-entrypoint.sh": script})


@case("healthy-authjs-deploys", family="healthy", recorded=npm("@auth/express", "express", "pino-http"),
      fault="None: two deploys with one secret; sessions go on, crawlers without a session are refused.")
def authjs_well(lab):
    story = Story(lab, "2026-11-04T12:50:00")
    web = story.node("platform.mjs", kind="authjs", secret="f3c1-first-secret-of-the-corpus-000001")
    people, log = [Visitor(web, agent) for agent in PHONES], ""
    for person in people:
        enter(person)
    for _ in range(3):
        for person in people:
            ensure(person.send("GET", "/api/orders")[0] == 200, "goes on")
        web.send("GET", "/api/orders", headers={"user-agent": "Mozilla/5.0 (compatible; bingbot/2.0)"})
        web.noise(5)
        log, port = log + web.log(), web.port
        web.stop()
        web = story.node("platform.mjs", port=port, kind="authjs", secret="f3c1-first-secret-of-the-corpus-000001")
        for person in people:
            person.service = web
    return story.inputs(logs={"app-json.log": docker_json(log)})


def guarded(lab, kind, begin=None, **options):
    """A platform before an issuer with one key."""
    key = Key()
    issuer = lab.enter(Issuer(key).running())
    story = Story(lab, begin or time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))
    web = story.node("platform.mjs", kind=kind, jwks=f"{issuer.url}/jwks.json",
                     **{"issuer": issuer.url, "audience": "https://api.shop.example", **options})
    return story, web, issuer, key


@case("auth0-express-audience-of-two-env-files", family="verifier", expected=["TN0412"], settling=True,
      recorded=npm("express-oauth2-jwt-bearer", "express", "pino-http"),
      fault="The front end's .env names the audience without, the API's with a trailing slash.")
def auth0_audience(lab):
    story, web, issuer, key = guarded(lab, "auth0", audience="https://api.shop.example/")
    token = key.token(**claims(issuer.url, audience="https://api.shop.example", scope="openid read:orders"))
    seen = record(target(f"{web.base}/api/orders"), token)
    ensure(status(seen, "client") == 401 and "aud" in answer(seen, "client")["body"], str(answer(seen, "client")))
    web.noise(5)
    return story.inputs(token=token, exchanges=only(seen, "client", "bare"), target=target(f"{web.base}/api/orders"), files={
        "web/.env.production": f"VITE_AUTH0_DOMAIN={issuer.url.removeprefix('http://')}\nVITE_AUTH0_CLIENT_ID=8fK2cN4e\n"
                               "VITE_AUTH0_AUDIENCE=https://api.shop.example\n",
        "api/.env": f"ISSUER_BASE_URL={issuer.url}\nAUDIENCE=https://api.shop.example/\nPORT={web.port}\n"})


@case("auth0-id-token-sent-to-api", family="client", expected=["TN0114", "TN0412"], settling=True,
      recorded=npm("express-oauth2-jwt-bearer", "express", "pino-http"),
      fault="The app sends its ID token, of which the audience is its own client id; the API wants an access token.")
def id_token(lab):
    story, web, issuer, key = guarded(lab, "auth0")
    token = key.token(**claims(issuer.url, audience="8fK2cN4eQz7Lw1", subject="auth0|64f1", nickname="ann", name="Ann", email="ann@example.test",
                               nonce="cVd0b3JnTmlDUQ", sid="p1Vb", azp=None))
    for _ in range(4):
        ensure(web.send("GET", "/api/orders", headers={"authorization": f"Bearer {token}", "user-agent": PHONES[3]})[0] == 401, "refused")
        web.noise(2)
    return story.inputs(token=token, target=target(f"{web.base}/api/orders"), logs={"api.log": web.log()})


@case("auth0-opaque-token-no-audience", family="client", expected=["TN0115"], settling=True,
      recorded=npm("express-oauth2-jwt-bearer", "express", "pino-http"),
      fault="The single-page app asks for no audience and gets an opaque token for userinfo; the API reads JWTs only.")
def opaque(lab):
    story, web, issuer, _ = guarded(lab, "auth0")
    token = "xJq3mW0cVtB7sKzRfYp2LhD9aE4uNg6I"
    for turn in range(4):
        web.send("GET", "/api/orders", headers={"authorization": f"Bearer {token}", "user-agent": PHONES[2]})
        web.noise(2)
    log = web.log()
    ensure("Invalid Compact JWS" in log or "JWT" in log, log)
    return story.inputs(token=token, logs={"api.log": log},
                        files={"src/auth.ts": "export const auth0 = new Auth0Client({\n  domain: 'shop-dev.eu.auth0.example',\n  clientId: '8fK2cN4e',\n"
                                              "  authorizationParams: { redirect_uri: location.origin },\n});\n"})


@case("jose-token-of-staging-at-production", family="verifier", expected=["TN0403", "TN0411"], settling=True,
      recorded=npm("jose", "express", "pino-http"),
      fault="The mobile build of staging calls production's API: its tokens are signed by staging's keys.")
def staging(lab):
    story, web, issuer, key = guarded(lab, "jose", "2026-10-01T08:30:00")
    other = Key()
    good = [key.token(**claims(issuer.url, audience="https://api.shop.example", subject=f"u-{n}", now=story.now(), lifetime=7200)) for n in range(3)]
    bad = other.token(**claims("https://login.staging.shop.example", audience="https://api.shop.example", now=story.now(), lifetime=7200))
    for turn in range(8):
        for number, token in enumerate(good):
            ensure(web.send("GET", "/api/orders", headers={"authorization": f"Bearer {token}", "user-agent": PHONES[number]})[0] == 200, "well")
        ensure(web.send("GET", "/api/me", headers={"authorization": f"Bearer {bad}", "user-agent": "Shop-Staging/413 okhttp/4.12.0"})[0] == 401, "refused")
        web.noise(2)
    return story.inputs(token=bad, keys={"jwks.json": json.dumps(issuer.jwks())},
                        logs={"kubectl.log": kubectl({"orders-7d9f/orders": web.log()})},
                        target=target(f"{web.base}/api/me", issuer=issuer.url))


@case("firebase-token-of-another-project", family="verifier", expected=["TN0421"], settling=True, recorded=npm("firebase-admin", "express", "pino-http"),
      fault="The app's google-services.json is of shop-dev, the API is initialised for shop-prod.")
def firebase(lab):
    story, web, _, _ = guarded(lab, "firebase", "2026-09-08T14:00:00", project="shop-prod")
    key = Key()
    at = int(story.now())
    token = key.token(iss="https://securetoken.google.com/shop-dev", aud="shop-dev", auth_time=at - 90, user_id="k3Jd", sub="k3Jd", iat=at - 60,
                      exp=at + 3540, firebase={"identities": {}, "sign_in_provider": "password"})
    for _ in range(5):
        ensure(web.send("GET", "/api/orders", headers={"authorization": f"Bearer {token}", "user-agent": "okhttp/4.12.0"})[0] == 401, "refused")
        web.noise(3)
    log = web.log()
    ensure("incorrect" in log, log)
    return story.inputs(logs={"api.log": log})


@case("apollo-client-knows-401-only", family="session", expected=["TN0601", "TN0415"], settling=True,
      recorded=npm("@apollo/server", "graphql", "express", "pino-http"),
      fault="Apollo answers an expired token with status 200 and UNAUTHENTICATED; the client refreshes on 401 only, that is, never.")
def apollo(lab):
    story = Story(lab, "2026-07-14T10:00:00")
    web = story.node("platform.mjs", kind="apollo", host="graphql-5f6")
    ask = lambda name, query, token=None: json.loads(web.send("POST", "/graphql", body={"operationName": name, "query": query}, headers={
        "user-agent": PHONES[2], **({"authorization": f"Bearer {token}"} if token else {})})[2])
    for _ in range(3):
        token = ask("SignIn", 'mutation SignIn { signIn(name: "ann") { accessToken refreshToken expiresIn } }')["data"]["signIn"]["accessToken"]
        for step in range(5):
            found = ask("Orders", "query Orders { orders { id total } }", token)
            ask("Catalog", "query Catalog { catalog }")
            web.noise(2)
            story.pass_(150)
        ensure("data" in found and found["data"]["orders"], str(found))
        story.pass_(200)
        for name in ("Orders", "Orders", "Me"):
            found = ask(name, f"query {name} {{ {'me' if name == 'Me' else 'orders { id }'} }}", token)
            ensure(found["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", str(found))
            story.pass_(2)
    client = ("export const authLink = onError(({ networkError, operation, forward }) => {\n  if (networkError?.statusCode === 401) {\n"
              "    return fromPromise(refreshSession()).flatMap(() => forward(operation));\n  }\n});\n")
    return story.inputs(logs={"graphql.log": web.log()}, files={"src/apollo/authLink.js": client})
