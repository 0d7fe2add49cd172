"""Flask-JWT-Extended, Flask-Login, aiohttp, Litestar and FastAPI of before 0.122, as they answer and log."""

import secrets
import time

from applications.node import asked
from applications.ruby import says
from lab.common import OLD_FASTAPI, PROGRAMS, PYTHON, case, ensure, inputs, status
from lab.servers import Issuer
from lab.stacks import ISSUER, Clock, RealClock, Service, hs, mint
from lab.tokens import Key
from lab.versions import pypi

EXTENDED = pypi("Flask", "Flask-JWT-Extended", "PyJWT")
LOGIN = pypi("Flask", "Flask-Login", "gunicorn")
AIOHTTP = pypi("aiohttp", "PyJWT")
OLD = "programs/fastapi-0.115/requirements.txt"
JOSE = pypi("fastapi", "uvicorn", "python-jose", requirements=OLD)
JWCRYPTO = pypi("fastapi", "uvicorn", "jwcrypto", requirements=OLD)
LITESTAR = pypi("litestar", "uvicorn", "PyJWT")


def small(lab, framework, **options) -> Service:
    python = OLD_FASTAPI if framework == "fastapi" else PYTHON
    return Service(lab, "small.py", command=[python, PROGRAMS / "small.py"], framework=framework, **options)


@case("flask-extended-payload-edited", family="verifier", expected=["TN0425"], settling=True, recorded=EXTENDED,
      fault="A tester changed the role in the token's payload with an online editor and kept the signature; the original token works.")
def edited(lab):
    secret = secrets.token_hex(32)
    service = small(lab, "flask-jwt", secret=secret)
    make = hs(secret)
    good, boss = make(fresh=False, type="access", roles=["user"], jti="5c0f1d2e"), make(fresh=False, type="access", roles=["admin"], jti="5c0f1d2e")
    forged = ".".join([good.split(".")[0], boss.split(".")[1], good.split(".")[2]])
    found = service.probed(forged, old_token=good, keys={"orders.secret": secret}, keep=asked("old", "again*"))
    ensure(status(found["exchanges"], "old") == 200, "the original")
    return says(found, "Signature verification failed")


@case("flask-extended-csrf-double-submit", family="framework", expected=["TN0507"], settling=True, recorded=EXTENDED,
      fault="The token went from the header into a cookie; Flask-JWT-Extended then wants X-CSRF-TOKEN on POST, and the page does not send it.")
def double_submit(lab):
    clock = Clock(lab, 2)
    service = small(lab, "flask-jwt", clock=clock, secret=secrets.token_hex(32), location=["cookies"])
    for turn in range(15):
        browser = {"agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", "ip": f"203.0.113.{turn}"}
        service.ask(f"/login?user=u{turn}", method="POST", **browser)
        cookies = "; ".join(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")
        ensure(service.ask("/api/orders", headers={"cookie": cookies}, **browser) == 200, "reads")
        ensure(service.ask("/api/orders", method="POST", headers={"cookie": cookies}, body={}, **browser) == 401, "writes")
        service.ask("/health", agent="ELB-HealthChecker/2.0", ip="10.0.3.17")
        clock.pass_(400)
    ensure("Missing CSRF token" in service.log(), "named")
    return inputs(now=clock.now(), logs={"orders.log": service.log()}, files={"config.py": 'JWT_TOKEN_LOCATION = ["cookies"]\nJWT_COOKIE_SECURE = True\nJWT_COOKIE_SAMESITE = "Lax"\n'})


@case("flask-extended-healthy-422-of-scanners", family="healthy", recorded=EXTENDED,
      fault="None: scanners send made-up tokens and get 422, an app refreshes after its token ended; users are well.")
def extended_healthy(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 4)
    service = small(lab, "flask-jwt", clock=clock, secret=secret)
    make = hs(secret, type="access", fresh=False)
    for turn in range(9):
        service.traffic(make, rounds=7, minutes=26)
        service.ask("/api/orders", f"eyJhbGciOiJub25lIn0.e{turn}.", ip="198.51.100.66", agent="Nuclei - Open-source project")
        service.ask("/api/orders", "x" * 12, ip="198.51.100.66", agent="Nuclei - Open-source project")
        ensure(service.ask("/api/me", make(clock.now() - 1000, "u-4711", age=0), ip="203.0.113.80") == 401, "ended")
        ensure(service.ask("/api/me", make(clock.now(), "u-4711", age=1), ip="203.0.113.80") == 200, "again")
    found = service.probed(make(), log_name="orders.log", keep=asked("again*", "browser"))
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found


def workers(lab, clock, port, **options) -> Service:
    """Flask-Login under gunicorn, three of it."""
    command = [PYTHON.with_name("gunicorn"), "--workers", "3", "--bind", f"127.0.0.1:{port}", "--chdir", PROGRAMS, "--access-logfile", "-",
               "--worker-tmp-dir", lab.folder, "--access-logformat", '%({x-forwarded-for}i)s - - %(t)s "%(r)s" %(s)s %(b)s "-" "%(a)s" <%(p)s>', "small:app"]
    return Service(lab, "small.py", clock=clock, port=port, command=command, env={"HOME": str(lab.folder)}, framework="flask-login", **options)


APP_PY = 'import os\n\nfrom flask import Flask\n\napp = Flask(__name__)\napp.secret_key = os.urandom(24)\n'


@case("flask-login-urandom-key-workers", family="verifier", expected=["TN0409"], settling=True, recorded=LOGIN,
      fault="secret_key = os.urandom(24) in each of gunicorn's three workers: a session holds at one of them and not at the others.")
def urandom(lab):
    clock, port = RealClock(lab), lab.port()
    service = workers(lab, clock, port, session_secret="random")
    seen = []
    for user in range(6):
        browser = {"agent": "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "ip": f"203.0.113.{40 + user}"}
        service.ask(f"/login?user=u{user}", method="POST", **browser)
        cookie = next(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")
        for _ in range(12):
            seen.append(service.ask("/api/me", headers={"cookie": cookie}, **browser))
            clock.pass_(20)
            service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
        clock.pass_(200)
    ensure(200 in seen and 401 in seen, str(seen))
    return inputs(now=clock.now(), logs={"gunicorn.log": service.log()}, files={"app.py": APP_PY, "Procfile": "web: gunicorn --workers 3 app:app\n"})


@case("aiohttp-header-of-8190-bytes", family="client", expected=["TN0113"], settling=True, recorded=AIOHTTP,
      fault="aiohttp takes header lines of 8190 bytes; the token with all of a user's permissions is longer and is answered 400.")
def long_line(lab):
    secret = secrets.token_hex(32)
    service = small(lab, "aiohttp", secret=secret, audience="orders-api")
    make = hs(secret)
    token = make(subject="u-1", permissions=[f"tenant-{number:03d}:documents:{word}" for number in range(90) for word in ("read", "write", "share")])
    found = service.probed(token, other_token=make(subject="u-2"), keep=asked("other-token", "large-header"))
    ensure(status(found["exchanges"], "client") == 400 and status(found["exchanges"], "other-token") == 200, "400")
    return found


@case("aiohttp-iat-in-milliseconds", family="verifier", expected=["TN0419"], settling=True, recorded=AIOHTTP,
      fault="The new issuer writes Date.now() into iat and nbf, so milliseconds; PyJWT takes the token for one of the far future.")
def milliseconds(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 1)
    service = small(lab, "aiohttp", clock=clock, secret=secret, audience="orders-api")
    make = hs(secret)
    service.traffic(make, rounds=10, minutes=40)
    begin = int(clock.now())
    token = make(iat=begin * 1000, nbf=begin * 1000, exp=(begin + 7200) * 1000)
    for _ in range(5):
        service.ask("/api/orders", token, ip="203.0.113.12")
        service.traffic(make, rounds=2, minutes=4)
    return says(service.probed(token, log_name="orders.log", keep=asked()), "not yet valid")


@case("aiohttp-healthy-restart", family="healthy", recorded=AIOHTTP,
      fault="None: a release restarted the service twice within the hour, and tokens of before go on working.")
def aiohttp_healthy(lab):
    secret, clock, port, log = secrets.token_hex(32), Clock(lab, 3), lab.port(), ""
    make = hs(secret)
    kept = make(clock.now(), "u-5103", lifetime=14400)
    for release in range(3):
        service = small(lab, "aiohttp", clock=clock, port=port, name=f"release{release}", secret=secret, audience="orders-api")
        service.traffic(make, rounds=12, minutes=58)
        ensure(service.ask("/api/me", kept, ip="203.0.113.23") == 200, "kept")
        if release < 2:
            service.child.terminate()
            service.child.wait(10)
        log += service.log()
    return service.probed(make(), old_token=kept, logs={"orders.log": log}, keep=asked("old", "again*"))


@case("fastapi-115-no-credentials", family="framework", expected=["TN0504"], settling=True, recorded=JOSE,
      fault="HTTPBearer of FastAPI 0.115 answers 403 Not authenticated where no token is sent; the app refreshes on 401 only, and stays signed out.")
def bearer_403(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 2)
    service = small(lab, "fastapi", clock=clock, secret=secret, verifier="jose", audience="orders-api")
    make = hs(secret)
    for _ in range(6):
        service.traffic(make, rounds=5, minutes=16)
        ensure(service.ask("/api/orders", ip="203.0.113.5") == 403, "403")
    found = service.probed(make(), log_name="uvicorn.log", files={"requirements.txt": "fastapi==0.115.6\nuvicorn[standard]==0.34.0\npython-jose[cryptography]==3.5.0\n"}, keep=asked())
    return says(found, "Not authenticated", "bare")


@case("fastapi-jose-same-kid-other-key", family="verifier", expected=["TN0402"], settling=True, recorded=JOSE,
      fault="The issuer was restored from a backup and made a new key under the kid of the old; the API keeps its key set by lru_cache.")
def same_kid(lab):
    old, new, clock = Key(kid="default"), Key(kid="default"), Clock(lab, 2)
    at = lab.enter(Issuer(old).running())
    service = small(lab, "fastapi", clock=clock, jwks=f"{at.url}/jwks.json", algorithms=["RS256"], audience="orders-api", verifier="jose")
    before, after = mint(old, issuer=at.url), mint(new, issuer=at.url)
    service.traffic(before, rounds=12, minutes=70)
    at.keys, at.published = (new,), [new]
    ensure(set(service.traffic(after, rounds=10, minutes=40, good=False)) == {401}, "refused")
    source = "@lru_cache(maxsize=1)\ndef jwks() -> dict:\n    return httpx.get(settings.jwks_url).json()\n"
    found = service.probed(after(), issuer=at.url, old_token=before(), files={"app/auth.py": source}, keep=asked("old", "jwks"), log_name="uvicorn.log")
    ensure(status(found["exchanges"], "old") == 200, "old ones work")
    return says(found, "Signature verification failed")


@case("fastapi-authlib-unknown-key-type", family="verifier", expected=["TN0406"], settling=True, recorded=pypi("fastapi", "uvicorn", "Authlib", requirements=OLD),
      fault="The issuer published a post-quantum key beside the others; Authlib cannot read the set any more and every token is refused.")
def key_type(lab):
    key, clock = Key(), Clock(lab, 2)
    at = lab.enter(Issuer(key).running())
    service = small(lab, "fastapi", clock=clock, jwks=f"{at.url}/jwks.json", algorithms=["RS256"], audience="orders-api", verifier="authlib")
    make, plain = mint(key, issuer=at.url), at.jwks()
    service.traffic(make, rounds=12, minutes=70)
    at.jwks = lambda: {"keys": [*plain["keys"], {"kty": "AKP", "kid": "pq-2026", "alg": "ML-DSA-65", "use": "sig", "pub": secrets.token_urlsafe(64)}]}
    ensure(set(service.traffic(make, rounds=10, minutes=40, good=False)) == {401}, "refused")
    return says(service.probed(make(), issuer=at.url, keep=asked("jwks"), log_name="uvicorn.log"), "Could not validate credentials")


@case("litestar-issuer-renamed", family="verifier", expected=["TN0411"], settling=True, recorded=LITESTAR,
      fault="The identity service moved to another name; Litestar's accepted_issuers has the old one, and it says Invalid token of everything.")
def litestar(lab):
    secret = secrets.token_hex(32)
    service = small(lab, "litestar", secret=secret, issuer="https://id.example.test")
    found = service.probed(hs(secret)(), keys={"token.secret": secret}, keep=asked(), files={"app/security.py": 'jwt_auth = JWTAuth[User](\n    retrieve_user_handler=retrieve_user,\n    token_secret=settings.token_secret,\n    accepted_issuers=["https://id.example.test"],\n    exclude=["/health"],\n)\n'})
    ensure(status(found["exchanges"], "client") == 401, "401")
    return found


@case("litestar-healthy", family="healthy", recorded=LITESTAR,
      fault="None: the token is good; a kept one of last week is refused with Invalid token, as it should be.")
def litestar_healthy(lab):
    secret = secrets.token_hex(32)
    service = small(lab, "litestar", secret=secret, issuer=ISSUER)
    make = hs(secret)
    found = service.probed(make(), old_token=make(time.time() - 600000))
    ensure(status(found["exchanges"], "client") == 200 and status(found["exchanges"], "old") == 401, "well")
    return found


@case("fastapi-jwcrypto-healthy-odd-key", family="healthy", recorded=JWCRYPTO,
      fault="None: the issuer published a post-quantum key beside the others and jwcrypto lets it be; a user without a token gets 403 of this FastAPI, and signs in.")
def odd_key(lab):
    key, clock = Key(), Clock(lab, 3)
    at = lab.enter(Issuer(key).running())
    plain = at.jwks()
    at.jwks = lambda: {"keys": [*plain["keys"], {"kty": "AKP", "kid": "pq-2026", "alg": "ML-DSA-65", "use": "sig", "pub": "q83vASNFZ4mrze8BI0VniQ"}]}
    service = small(lab, "fastapi", clock=clock, jwks=f"{at.url}/jwks.json", algorithms=["RS256"], audience="orders-api", verifier="jwcrypto")
    make = mint(key, issuer=at.url)
    for _ in range(6):
        service.traffic(make, rounds=6, minutes=28)
        ensure(service.ask("/api/me", ip="203.0.113.77") == 403 and service.ask("/api/me", make(clock.now()), ip="203.0.113.77") == 200, "signs in")
    found = service.probed(make(), issuer=at.url, log_name="uvicorn.log", keep=asked("jwks", "discovery", "again*", "browser"))
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found


@case("flask-login-healthy-release", family="healthy", recorded=LOGIN,
      fault="None: three workers share one secret_key and a release restarts them all; sessions go on, strangers get 401.")
def release(lab):
    clock, port, log, cookies = RealClock(lab), lab.port(), "", {}
    for turn in range(2):
        service = workers(lab, clock, port, name=f"web{turn}", session_secret="b7c1f9d2" * 6)
        for step in range(60):
            browser = {"agent": "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "ip": f"203.0.113.{40 + step % 6}"}
            if step % 6 not in cookies:
                ensure(service.ask("/api/me", **browser) == 401, "a stranger")
                service.ask(f"/login?user=u{step % 6}", method="POST", **browser)
                cookies[step % 6] = next(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")
            ensure(service.ask("/api/me", headers={"cookie": cookies[step % 6]}, **browser) == 200, "signed in")
            if step % 5 == 0:
                service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
                service.ask("/api/me", ip="198.51.100.44", agent="python-requests/2.31.0")
            clock.pass_(50)
        service.child.terminate()
        service.child.wait(10)
        log += service.log()
    return inputs(now=clock.now(), logs={"gunicorn.log": log}, files={"app.py": 'import os\n\nfrom flask import Flask\n\napp = Flask(__name__)\napp.secret_key = os.environ["SECRET_KEY"]\n'})
