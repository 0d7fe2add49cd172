"""Fastify, Koa, Hono, express-jwt, Auth0's and Firebase's libraries, Passport and express-session."""

import json
import secrets
import time

from applications.ruby import says
from lab.common import case, ensure, inputs, only, status
from lab.servers import Issuer
from lab.stacks import Clock, Service, hs, mint
from lab.tokens import Key
from lab.versions import npm

FASTIFY = npm("fastify", "@fastify/jwt")
KOA = npm("koa", "koa-jwt")
HONO = npm("hono", "@hono/node-server")
EXPRESS_JWT = npm("express", "express-jwt", "jwks-rsa", "morgan")
AUTH0 = npm("express", "express-oauth2-jwt-bearer", "morgan")
PASSPORT = npm("express", "passport", "passport-jwt", "morgan")
SESSION = npm("express", "express-session", "morgan")
FIREBASE = npm("express", "firebase-admin", "morgan")


LIVE = {"NODE_ENV": "production"}


def node(lab, framework, **options) -> Service:
    return Service(lab, "node.mjs", framework=framework, **options)


def asked(*more):
    """What most people try."""
    return lambda exchanges: only(exchanges, "client", "bare", "altered", "garbage", *more)


@case("fastify-expired-in-pino-log", family="verifier", expected=["TN0415"], settling=True, recorded=FASTIFY,
      fault="A tablet's app wakes and sends the token of last night for hours; only the API's pino log is there.")
def fastify_expired(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 6)
    service = node(lab, "fastify", clock=clock, secret=secret)
    make = hs(secret)
    stale = make(clock.now() - 40000, "u-4711")
    for _ in range(7):
        service.traffic(make, rounds=8, minutes=40)
        ensure(service.ask("/api/orders", stale, ip="203.0.113.90", agent="Shop/3.18.1 (iPad; iOS 18.5)") == 401, "refused")
    return inputs(now=clock.now(), logs={"orders-api.log": service.log()})


@case("fastify-secret-differs-in-env", family="verifier", expected=["TN0407"], settling=True, recorded=FASTIFY,
      fault="Two .env files of one repository have different JWT_SECRETs; @fastify/jwt says that the signature is invalid.")
def fastify_secret(lab):
    signs, verifies = secrets.token_hex(32), secrets.token_urlsafe(48)
    service = node(lab, "fastify", secret=verifies)
    files = {"apps/auth/.env": f"DATABASE_URL=postgres://auth@db/auth\nJWT_SECRET={signs}\nJWT_EXPIRES_IN=15m\n",
             "apps/orders/.env": f"DATABASE_URL=postgres://orders@db/orders\nJWT_SECRET={verifies}\n"}
    return says(service.probed(hs(signs)(), files=files, keep=asked("again*")), "signature is invalid")


@case("fastify-groups-overflow-header", family="client", expected=["TN0113"], settling=True, recorded=FASTIFY,
      fault="An administrator's token lists 420 groups and is larger than the 16 KiB that Node takes as headers: 431; a colleague's token works.")
def fastify_large(lab):
    secret = secrets.token_hex(32)
    service = node(lab, "fastify", secret=secret)
    make = hs(secret)
    token = make(subject="u-1", groups=[f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4a1e-9c1f-{secrets.token_hex(6)}" for _ in range(420)])
    found = service.probed(token, other_token=make(subject="u-2"))
    ensure(status(found["exchanges"], "client") == 431 and status(found["exchanges"], "other-token") == 200, "431")
    return found


@case("fastify-healthy-late-refresh", family="healthy", recorded=FASTIFY,
      fault="None: each app notices the end of its token by a 401, refreshes and goes on; bots get 404 and 401.")
def fastify_healthy(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 5)
    service = node(lab, "fastify", clock=clock, secret=secret)
    make = hs(secret)
    for turn in range(12):
        who, ip = f"u-{turn % 4}", f"203.0.113.{70 + turn % 4}"
        ensure(service.ask("/api/orders", make(clock.now() - 905, who, age=0), ip=ip) == 401, "ended")
        ensure(service.ask("/api/orders", make(clock.now(), who, age=0), ip=ip) == 200, "again")
        service.traffic(make, rounds=7, minutes=24)
    return inputs(now=clock.now(), token=make(clock.now(), age=30), logs={"orders-api.log": service.log()})


@case("koa-jwt-audience-silent", family="verifier", expected=["TN0412"], settling=True, recorded=KOA,
      fault="The token is for the mobile gateway, koa-jwt wants orders-api; it says Authentication Error and nothing else.")
def koa_audience(lab):
    secret = secrets.token_hex(32)
    service = node(lab, "koa", secret=secret, audience="orders-api")
    return says(service.probed(hs(secret, audience="mobile-gateway")(), keep=asked("browser"),
                               files={"src/app.js": 'app.use(jwt({ secret: process.env.JWT_SECRET, audience: "orders-api" }).unless({ path: ["/health"] }));\n'}, keys={"jwt.secret": secret}), "Authentication Error")


@case("koa-healthy-public-passthrough", family="healthy", recorded=KOA,
      fault="None: the catalogue is public and takes requests with an expired token, as it should; other paths want a good one.")
def koa_healthy(lab):
    secret = secrets.token_hex(32)
    service = node(lab, "koa", secret=secret, passthrough=True)
    make = hs(secret)
    found = service.probed(make(age=5), path="/api/catalogue", old_token=make(age=9000))
    ensure(status(found["exchanges"], "client") == status(found["exchanges"], "bare") == status(found["exchanges"], "old") == 200, "public")
    return found


@case("hono-alg-after-migration", family="verifier", expected=["TN0410"], settling=True, recorded=HONO,
      fault="The identity service signs with ES256 since last week, the edge function still verifies HS256 with its secret; tokens of before work.")
def hono_alg(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 3)
    key = Key("ES256", kid="2026-11")
    service = node(lab, "hono", clock=clock, secret=secret)
    old, new = hs(secret, lifetime=86400), mint(key)
    service.traffic(old, rounds=14, minutes=110)
    for _ in range(9):
        service.ask("/api/orders", new(clock.now()), ip="203.0.113.5")
        service.traffic(old, rounds=2, minutes=6)
    source = 'app.use("/api/*", jwt({ secret: process.env.JWT_SECRET, alg: "HS256" }));\n'
    found = service.probed(new(), old_token=old(), files={"src/index.ts": source}, log_name="edge.log", keep=asked("old"))
    ensure(status(found["exchanges"], "old") == 200, "old ones work")
    return says(found, "Unauthorized")


@case("hono-nbf-of-fast-issuer", family="verifier", expected=["TN0416"], settling=True, recorded=HONO,
      fault="The issuer's clock is 75 s ahead, so tokens are not valid yet for a minute; Hono's log says so, its answer does not.")
def hono_nbf(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 1)
    service = node(lab, "hono", clock=clock, secret=secret, quiet=True)

    def ahead(now, subject="u-4711", age=0):
        return hs(secret)(now + 75, subject, age=age, nbf=int(now + 75 - age))

    for turn in range(8):
        service.ask("/api/orders", ahead(clock.now(), f"u-{turn}"), ip=f"203.0.113.{turn}")
        service.traffic(lambda now, subject: ahead(now, subject, 400), rounds=3, minutes=7)
    token = ahead(time.time())
    found = service.probed(token, log_name="worker.log", keep=asked("again*"))
    ensure(status(found["exchanges"], "client") == 401 and "being used before" in service.log(), service.log(9))
    return found


@case("express-jwt-kid-of-other-tenant", family="verifier", expected=["TN0403"], settling=True, recorded=EXPRESS_JWT,
      fault="A partner's app signs in at the partner's own tenant; jwks-rsa finds no key of that kid in ours, and express-jwt says that a key must be provided.")
def other_tenant(lab):
    ours, theirs = lab.enter(Issuer(Key()).running()), lab.enter(Issuer(Key()).running())
    service = node(lab, "express-jwt", jwks=f"{ours.url}/jwks.json", audience="orders-api")
    token = mint(theirs.keys[0], issuer=theirs.url)()
    found = service.probed(token, issuer=ours.url, keys={"jwks.json": json.dumps(ours.jwks())}, keep=asked("jwks", "discovery"))
    return says(found, "secret or public key must be provided")


@case("express-jwt-jwks-requests-used-up", family="verifier", expected=["TN0405"], settling=True, recorded=EXPRESS_JWT,
      fault="A scanner's made-up kids use up jwks-rsa's ten fetches a minute while the issuer rotates; users of the new key are refused.")
def used_up(lab):
    old, new, clock = Key(), Key(), Clock(lab, 1)
    at = lab.enter(Issuer(old).running())
    service = node(lab, "express-jwt", clock=clock, jwks=f"{at.url}/jwks.json", audience="orders-api", loud=True)
    make, after = mint(old, issuer=at.url), mint(new, issuer=at.url)
    service.traffic(make, rounds=16, minutes=40)
    at.keys, at.published = (old, new), [old, new]
    stray = Key()
    for number in range(64):
        service.ask("/api/orders", mint(stray)(clock.now(), headers={"kid": secrets.token_hex(8)}), ip="192.0.2.201", agent="Go-http-client/2.0")
        if number > 14 and number % 8 == 0:
            code = service.ask("/api/orders", after(clock.now(), f"u-{number}"), ip=f"203.0.113.{number}")
            ensure(code >= 400, str(code))
        if number % 6 == 0:
            service.ask("/api/orders", make(clock.now(), "u-5101"), ip="203.0.113.21")
        clock.pass_(0.4)
    ensure("Too many requests to the JWKS endpoint" in service.log(), "limited")
    return inputs(now=clock.now(), token=after(clock.now()), keys={"jwks.json": json.dumps(at.jwks())}, logs={"api.log": service.log()})


@case("express-jwt-optional-but-expired", family="framework", expected=["TN0508", "TN0415"], settling=True, recorded=EXPRESS_JWT,
      fault="credentialsRequired is false, yet a token that is sent must be good: the shop's public catalogue is 401 for those who were signed in.")
def optional(lab):
    secret = secrets.token_hex(32)
    service = node(lab, "express-jwt", secret=secret, algorithms=["HS256"], optional=True)
    make = hs(secret)
    found = service.probed(make(age=5400), path="/api/catalogue", files={"routes/catalogue.js": 'router.get("/catalogue", expressjwt({ secret, algorithms: ["HS256"], credentialsRequired: false }), list);\n'})
    ensure(status(found["exchanges"], "bare") == 200, "public")
    return says(found, "jwt expired")


@case("express-jwt-html-stack", family="verifier", expected=["TN0412"], settling=True, recorded=EXPRESS_JWT,
      fault="The audience is that of the test stage; nobody handles the error, so Express answers with a page that names it. Only curl's output is there.")
def html_stack(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = node(lab, "express-jwt", jwks=f"{at.url}/jwks.json", audience="https://api.example.test", plain=True)
    token = mint(key, issuer=at.url, audience="https://api.test.example.test")()
    code = service.ask("/api/orders", token, agent="curl/8.14.1", headers={"accept": "*/*"})
    ensure(code == 401 and "jwt audience invalid" in service.answered, service.answered)
    shown = "".join(f"< {name}: {value}\n" for name, value in service.received)
    page = service.answered.split("<br>")[0].replace(str(lab.folder), "/srv") + "</pre>\n</body>\n</html>\n"
    text = (f"*   Trying 127.0.0.1:{service.port}...\n* Connected to 127.0.0.1 (127.0.0.1) port {service.port}\n> GET /api/orders HTTP/1.1\n"
            f"> Host: 127.0.0.1:{service.port}\n> User-Agent: curl/8.14.1\n> Accept: */*\n> Authorization: Bearer {token}\n>\n< HTTP/1.1 401 Unauthorized\n{shown}<\n{page}")
    return inputs(logs={"curl.txt": text})


@case("express-jwt-healthy-two-issuers", family="healthy", recorded=EXPRESS_JWT,
      fault="None: the sign-in moves to a new name and both issuers are allowed meanwhile, one key set serves both.")
def two_issuers(lab):
    old, new, clock = Key(), Key(), Clock(lab, 3)
    at = lab.enter(Issuer(old, new, url="https://id.example.test").running())
    service = node(lab, "express-jwt", clock=clock, jwks=f"http://127.0.0.1:{at.port}/jwks.json", audience="orders-api", issuer=["https://login.example.test", "https://id.example.test"])
    before, after = mint(old), mint(new, issuer=at.url)
    for _ in range(5):
        service.traffic(before, rounds=4, minutes=16)
        service.traffic(after, rounds=4, minutes=16)
        service.ask("/api/orders", before(clock.now() - 1800), ip="203.0.113.95")
        service.ask("/api/orders", after(clock.now()), ip="203.0.113.95")
    env = "JWT_ISSUERS=https://login.example.test,https://id.example.test\nJWT_AUDIENCE=orders-api\n"
    found = service.probed(after(), other_token=before(), files={"api/.env": env}, log_name="access.log", keep=asked("other-token", "again*"))
    ensure(status(found["exchanges"], "client") == status(found["exchanges"], "other-token") == 200, "both")
    return found


@case("auth0-strict-typ", family="verifier", expected=["TN0414"], settling=True, recorded=AUTH0,
      fault="strict is on, and the home-grown issuer writes typ: JWT; Auth0's library wants at+jwt.")
def strict(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = node(lab, "auth0", issuer=at.url, jwks=f"{at.url}/jwks.json", audience="orders-api", strict=True)
    return says(service.probed(mint(key, issuer=at.url)(client_id="shop"), issuer=at.url, keep=asked("discovery", "jwks")), "typ")


@case("auth0-custom-domain", family="verifier", expected=["TN0411"], settling=True, recorded=AUTH0,
      fault="Sign-ins went to the custom domain, which is the new iss; the API's environment still names the tenant's own domain.")
def custom_domain(lab):
    key, clock = Key(), Clock(lab, 2)
    at = lab.enter(Issuer(key, url="https://login.shop.example.test/").running())
    tenant = "https://shop-prod.eu.auth0.com/"
    service = node(lab, "auth0", clock=clock, issuer=tenant, jwks=f"http://127.0.0.1:{at.port}/jwks.json", audience="orders-api")
    before, after = mint(key, issuer=tenant), mint(key, issuer=at.url)
    service.traffic(before, rounds=16, minutes=70)
    ensure(set(service.traffic(after, rounds=10, minutes=40, good=False)) == {401}, "refused")
    found = service.probed(after(), old_token=before(), log_name="access.log", files={"api/.env.production": f"ISSUER_BASE_URL={tenant}\nAUDIENCE=orders-api\nPORT=8080\n"}, keep=asked("old"))
    return says(found, "iss")


@case("auth0-scope-missing", family="framework", expected=["TN0513"], settling=True, recorded=AUTH0,
      fault="The report page needs reports:read, the SPA asks for orders:read only; the answer names the scope.")
def scope(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = node(lab, "auth0", issuer=at.url, jwks=f"{at.url}/jwks.json", audience="orders-api", env=LIVE)
    found = service.probed(mint(key, issuer=at.url)(), path="/api/admin/reports", issuer=at.url, keep=asked())
    ensure(status(found["exchanges"], "client") == 403, "403")
    return found


@case("auth0-dpop-required", family="verifier", expected=["TN0422"], settling=True, recorded=AUTH0,
      fault="The API was set to DPoP only; the old app sends its bound token as Bearer and without a proof.")
def dpop(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    service = node(lab, "auth0", issuer=at.url, jwks=f"{at.url}/jwks.json", audience="orders-api", dpop={"enabled": True, "required": True})
    token = mint(key, issuer=at.url)(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})
    found = service.probed(token, issuer=at.url, keep=asked("jwks"))
    ensure(status(found["exchanges"], "client") in (400, 401), str(status(found["exchanges"], "client")))
    return found


@case("auth0-healthy-rotation", family="healthy", recorded=AUTH0,
      fault="None: the issuer published the next key a while before it signed with it, and the library fetched it; an old page polls without a token.")
def auth0_healthy(lab):
    old, new, clock = Key(), Key(), Clock(lab, 3)
    at = lab.enter(Issuer(old, new).running())
    service = node(lab, "auth0", clock=clock, issuer=at.url, jwks=f"{at.url}/jwks.json", audience="orders-api", env=LIVE)
    before, after = mint(old, issuer=at.url), mint(new, issuer=at.url)
    service.traffic(before, rounds=14, minutes=80)
    for _ in range(6):
        service.ask("/api/me", ip="203.0.113.91", agent="Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)")
        service.traffic(after, rounds=4, minutes=14)
    found = service.probed(after(), issuer=at.url, old_token=before(), log_name="access.log")
    ensure(status(found["exchanges"], "client") == status(found["exchanges"], "old") == 200, "both")
    return found


@case("passport-scheme-jwt", family="client", expected=["TN0103"], settling=True, recorded=PASSPORT,
      fault="The strategy reads Authorization: JWT …, as passport-jwt 2 did; the new client sends Bearer.")
def passport_scheme(lab):
    secret = secrets.token_hex(32)
    service = node(lab, "passport", secret=secret, **{"from": "jwt"})
    source = ('const { Strategy, ExtractJwt } = require("passport-jwt");\n\nmodule.exports = new Strategy(\n  {\n    jwtFromRequest: ExtractJwt.fromAuthHeaderWithScheme("jwt"),\n'
              "    secretOrKey: process.env.JWT_SECRET,\n  },\n  (claims, done) => User.findById(claims.sub).then((user) => done(null, user || false), done),\n);\n")
    token = hs(secret)()
    ensure(service.ask("/api/orders", token, scheme="JWT ") == 200, "its own scheme")
    found = service.probed(token, files={"config/passport.js": source}, keys={"orders.secret": secret})
    ensure(status(found["exchanges"], "client") == 401, "401")
    return found


@case("passport-pem-of-before-rotation", family="verifier", expected=["TN0401"], settling=True, recorded=PASSPORT,
      fault="The issuer's key was rotated; the API has the old one pasted into its environment as PEM and answers only Unauthorized.")
def passport_pem(lab):
    old, new = Key(kid="sig-2025"), Key(kid="sig-2026")
    at = lab.enter(Issuer(old, new).running())
    at.published = [new]
    service = node(lab, "passport", pem=old.pem(), algorithms=["RS256"])
    make = mint(old, issuer=at.url, lifetime=86400)
    found = service.probed(mint(new, issuer=at.url)(), issuer=at.url, old_token=make(age=40000), keys={"jwt-public.pem": old.pem()}, keep=asked("old", "jwks", "discovery"))
    ensure(status(found["exchanges"], "old") == 200, "old ones work")
    return says(found, "Unauthorized")


@case("session-memory-store-two-replicas", family="session", expected=["TN0606"], settling=True, recorded=SESSION,
      fault="express-session keeps sessions in memory and two replicas share the traffic: every other request is signed out.")
def memory_store(lab):
    clock, secret = Clock(lab, 2), secrets.token_hex(16)
    pods = [node(lab, "sessions", clock=clock, name=f"web-{letter}", secret=secret, env=LIVE) for letter in "ab"]
    seen, turn = [], 0
    for user in ("ines", "omar", "pia", "lev"):
        pods[turn % 2].ask(f"/login?user={user}", method="POST", ip=f"203.0.113.{30 + turn}", agent="Mozilla/5.0 (X11; Linux x86_64)")
        cookie = next(value.split(";")[0] for name, value in pods[turn % 2].received if name.lower() == "set-cookie")
        for step in range(14):
            turn += 1
            seen.append(pods[turn % 2].ask("/api/me", headers={"cookie": cookie}, ip=f"203.0.113.{30 + len(user)}", agent="Mozilla/5.0 (X11; Linux x86_64)"))
            if step % 4 == 0:
                [pod.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1") for pod in pods]
            clock.pass_(47)
        turn += 1
    ensure(20 < seen.count(401) < 36, str(seen))
    return inputs(now=clock.now(), logs={f"{pod.name}.log": pod.log() for pod in pods})


@case("csurf-token-not-sent", family="framework", expected=["TN0507"], settling=True, recorded=npm("express", "express-session", "csurf", "morgan"),
      fault="The new page posts with fetch and without csurf's token: GET is well, POST says invalid csrf token. Log only.")
def csurf(lab):
    clock = Clock(lab, 2)
    service = node(lab, "sessions", clock=clock, secret=secrets.token_hex(16), csurf=True, loud=True)
    for turn in range(16):
        browser = {"agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36", "ip": f"203.0.113.{turn}"}
        service.ask(f"/login?user=u{turn}", method="POST", **browser)
        cookie = {"cookie": next(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")}
        service.ask("/api/me", headers=cookie, **browser)
        old_page = turn % 3 == 0
        if old_page:
            service.ask("/csrf", headers=cookie, **browser)
            cookie["csrf-token"] = json.loads(service.answered)["token"]
        code = service.ask("/api/orders", method="POST", headers=cookie, body={"item": turn}, **browser)
        ensure(code == (201 if old_page else 403), f"{code} {service.answered}")
        service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
        clock.pass_(330)
    return inputs(now=clock.now(), logs={"web.log": service.log()})


@case("firebase-token-of-other-project", family="verifier", expected=["TN0421"], settling=True, recorded=FIREBASE,
      fault="The test build of the app signs in at the project shop-staging, the API's Admin SDK is of shop-prod.")
def firebase_project(lab):
    service = Service(lab, "firebase.mjs", project="shop-prod")
    key = Key(kid="7a9c1b20f3e84d55a1e6b0c9d2f1837465aa0e9b")
    token = mint(key, issuer="https://securetoken.google.com/shop-staging", audience="shop-staging", lifetime=3600)(
        subject="kQ3vX8sYw2Z1aBcDeF4gH5iJ6kL7", scope=None, roles=None, user_id="kQ3vX8sYw2Z1aBcDeF4gH5iJ6kL7", firebase={"sign_in_provider": "password", "identities": {}})
    app = '{\n  "expo": {\n    "extra": { "firebase": { "projectId": "shop-staging", "authDomain": "shop-staging.firebaseapp.com" } }\n  }\n}\n'
    return says(service.probed(token, files={"app.json": app, "api/.env": "GOOGLE_CLOUD_PROJECT=shop-prod\n"}, keep=asked()), "incorrect")


@case("firebase-custom-token-sent", family="verifier", expected=["TN0421"], settling=True, recorded=FIREBASE,
      fault="The app sends the custom token that its backend made, and never exchanges it for an ID token; the answer gives no reason, the log does.")
def firebase_custom(lab):
    service = Service(lab, "firebase.mjs", clock=Clock(lab, 1), project="shop-prod", quiet=True)
    account = "firebase-adminsdk-x1@shop-prod.iam.gserviceaccount.com"
    token = mint(Key(kid=None), issuer=account, lifetime=3600, audience="https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit")(
        subject=account, scope=None, roles=None, jti=None, uid="u-4711")
    for turn in range(14):
        service.ask("/api/orders", token if turn % 3 else None, ip="203.0.113.4", agent="okhttp/4.12.0")
        service.ask("/health", agent="GoogleHC/1.0", ip="35.191.0.1")
        service.clock.pass_(200)
    found = service.probed(token, log_name="api.log", keep=asked())
    ensure("was given a custom token" in service.log(), service.log(6))
    return says(found, "Unauthorized")
