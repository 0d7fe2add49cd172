"""Django with REST framework, simplejwt, its own tokens and sessions."""

import re
import secrets
import urllib.parse

from applications.node import asked
from applications.ruby import says
from lab.common import PROGRAMS, PYTHON, case, ensure, inputs, status
from lab.stacks import Clock, Service, hs
from lab.versions import pypi

SIMPLE = pypi("Django", "djangorestframework", "djangorestframework_simplejwt")
REST = pypi("Django", "djangorestframework")
SESSION_FIRST = ["rest_framework.authentication.SessionAuthentication", "rest_framework_simplejwt.authentication.JWTAuthentication"]
TOKENS = ["rest_framework.authentication.TokenAuthentication"]


def users(secret, **fixed):
    """Tokens as simplejwt makes them, for its nine users."""
    make = hs(secret, **{"token_type": "access", "issuer": None, "audience": None, "scope": None, "roles": None, **fixed})
    return lambda now=None, subject="u-4711", **more: make(now, None, **{"user_id": str(2 + int(subject[-1]) % 8), **more})


def django(lab, clock=None, **options) -> Service:
    return Service(lab, "django_api.py", clock=clock, **options)


def csrf_of(service) -> tuple[str, str]:
    cookie = next(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")
    return cookie, re.search(r'value="(\w+)"', service.answered).group(1)


@case("simplejwt-expired-on-allow-any", family="framework", expected=["TN0508", "TN0415"], settling=True, recorded=SIMPLE,
      fault="The catalogue is AllowAny, but JWTAuthentication refuses the app's expired token before permissions are asked; without one it is 200.")
def allow_any(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 2)
    service = django(lab, clock, secret=secret)
    make = users(secret)
    stale = make(clock.now() - 3000)
    for _ in range(7):
        service.traffic(make, rounds=4, minutes=16)
        ensure(service.ask("/api/catalogue", stale, ip="203.0.113.5", agent="okhttp/4.12.0") == 401, "refused")
        ensure(service.ask("/api/catalogue", ip="203.0.113.6") == 200, "public")
    return says(service.probed(stale, path="/api/catalogue", log_name="django.log", keep=asked("again*")), "Token is expired")


@case("simplejwt-refresh-token-as-access", family="verifier", expected=["TN0413", "TN0114"], settling=True, recorded=SIMPLE,
      fault="The app mixed up the two members of the login's answer and sends the refresh token as bearer token.")
def refresh_token(lab):
    secret = secrets.token_hex(32)
    service = django(lab, secret=secret)
    return says(service.probed(users(secret, token_type="refresh")(lifetime=86400), keep=asked()), "wrong type")


@case("simplejwt-signing-key-of-its-own", family="verifier", expected=["TN0407"], settling=True, recorded=SIMPLE,
      fault="The accounts project sets SIMPLE_JWT SIGNING_KEY, the orders project leaves it and so verifies with its SECRET_KEY.")
def signing_key(lab):
    signs, verifies = secrets.token_urlsafe(40), secrets.token_urlsafe(40)
    service = django(lab, secret=verifies)
    files = {"accounts/settings.py": 'SECRET_KEY = env("SECRET_KEY")\nSIMPLE_JWT = {\n    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),\n    "SIGNING_KEY": env("JWT_SIGNING_KEY"),\n}\n',
             "accounts/.env": f"SECRET_KEY={secrets.token_urlsafe(40)}\nJWT_SIGNING_KEY={signs}\n",
             "orders/settings.py": 'SECRET_KEY = env("SECRET_KEY")\nSIMPLE_JWT = {\n    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),\n}\n', "orders/.env": f"SECRET_KEY={verifies}\n"}
    return says(service.probed(users(signs)(), files=files, keep=asked("again*")), "Token is invalid")


@case("django-session-first-log", family="framework", expected=["TN0505"], settling=True, recorded=SIMPLE,
      fault="SessionAuthentication stands first, so tokens that ended are answered with 403 and the phones never refresh; django's log and the settings are there.")
def session_first(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 3)
    service = django(lab, clock, secret=secret, authentication=SESSION_FIRST)
    make = users(secret)
    for turn in range(6):
        service.traffic(make, rounds=5, minutes=28)
        stale = make(clock.now() - 2000)
        for _ in range(4):
            ensure(service.ask("/api/orders", stale, ip="203.0.113.70", agent="okhttp/4.12.0") == 403, "403")
    settings = "REST_FRAMEWORK = {\n    \"DEFAULT_AUTHENTICATION_CLASSES\": [\n" + "".join(f'        "{name}",\n' for name in SESSION_FIRST) + "    ],\n}\nSIMPLE_JWT = {\"ACCESS_TOKEN_LIFETIME\": timedelta(minutes=15)}\n"
    return inputs(now=clock.now(), logs={"django.log": service.log()}, files={"shop/settings.py": settings})


@case("django-origin-not-trusted-log", family="framework", expected=["TN0507"], settling=True, recorded=REST,
      fault="After TLS was moved to the balancer, CSRF_TRUSTED_ORIGINS lacks the site's https address and nobody can sign in by the form.")
def origin(lab):
    clock = Clock(lab, 3)
    service = django(lab, clock, secret=secrets.token_hex(32))
    for turn in range(12):
        browser = {"agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36", "ip": f"203.0.113.{turn}"}
        host = {"host": "shop.example.test", "x-forwarded-proto": "https"}
        service.ask("/accounts/login/", headers=host, **browser)
        cookie, token = csrf_of(service)
        form = urllib.parse.urlencode({"username": f"user{1 + turn % 9}", "password": "Throwaway-1", "csrfmiddlewaretoken": token})
        sent = {**host, "cookie": cookie, "origin": "https://shop.example.test", "content-type": "application/x-www-form-urlencoded"}
        ensure(service.ask("/accounts/login/", method="POST", headers=sent, body=form, **browser) == 403, "403")
        [service.ask("/health", agent="ELB-HealthChecker/2.0", ip="10.0.3.17") for _ in range(3)]
        clock.pass_(870)
    ensure("does not match any trusted origins" in service.log(), "named")
    return inputs(now=clock.now(), logs={"django.log": service.log()})


@case("drf-token-keyword", family="client", expected=["TN0103"], settling=True, recorded=REST,
      fault="TokenAuthentication of REST framework reads Authorization: Token …; the generated client sends Bearer.")
def keyword(lab):
    service = django(lab, authentication=TOKENS)
    found = service.probed(f"{3:040x}")
    ensure(status(found["exchanges"], "client") == 401 and status(found["exchanges"], "token-scheme") == 200, "Token")
    return found


@case("drf-staff-only-report", family="framework", expected=["TN0513"], settling=True, recorded=SIMPLE,
      fault="The reports are for staff (IsAdminUser) and the user is none; a staff member's token works.")
def staff(lab):
    secret = secrets.token_hex(32)
    service = django(lab, secret=secret)
    make = users(secret)
    found = service.probed(make(), path="/api/admin/reports", other_token=make(user_id="1"), keep=asked("other-token"))
    ensure(status(found["exchanges"], "other-token") == 200, "staff")
    return says(found, "do not have permission")


@case("django-secret-key-random-log", family="verifier", expected=["TN0409"], settling=True, recorded=REST,
      fault="The settings fall back to get_random_secret_key(), the variable is missing in production: each restart signs everybody out.")
def random_key(lab):
    clock, port, log, database = Clock(lab, 8), lab.port(), "", str(lab.folder / "db.sqlite3")
    options, cookies = {"secret": "random", "database": database}, {}
    done = lab.start("migrated", [PYTHON, PROGRAMS / "django_api.py"], env={"OPTIONS": '{"database": "%s"}' % database, "MIGRATE": "1"})
    ensure(done.wait(60) == 0, lab.read("migrated.out"))
    for release in range(3):
        service = django(lab, clock, port=port, name=f"web{release}", **options)
        for turn in range(12):
            user = 1 + turn % 4
            browser = {"agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", "ip": f"203.0.113.{user}"}
            code = service.ask("/account", headers={"cookie": cookies.get(user, "")}, **browser)
            ensure((turn < 4) == (code == 401), f"{release} {turn} {code}")
            if code == 401:
                service.ask("/accounts/login/", **browser)
                cookie, token = csrf_of(service)
                form = urllib.parse.urlencode({"username": f"user{user}", "password": "Throwaway-1", "csrfmiddlewaretoken": token})
                service.ask("/accounts/login/", method="POST", headers={"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}, body=form, **browser)
                cookies[user] = "; ".join(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")
            service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
            clock.pass_(700)
        service.child.terminate()
        service.child.wait(10)
        log += service.log()
    settings = 'from django.core.management.utils import get_random_secret_key\n\nSECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()\nDEBUG = False\n'
    return inputs(now=clock.now(), logs={"django.log": log}, files={"shop/settings.py": settings, "deploy/.env": "DATABASE_URL=postgres://shop@db/shop\nDJANGO_SETTINGS_MODULE=shop.settings\n"})


@case("simplejwt-healthy-forbidden-bots", family="healthy", recorded=SIMPLE,
      fault="None: bots post to the login form without a CSRF cookie and get 403, tokens end and are refreshed.")
def bots(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 4)
    service = django(lab, clock, secret=secret)
    make = users(secret)
    for turn in range(9):
        service.traffic(make, rounds=6, minutes=26)
        service.ask("/accounts/login/", method="POST", body="username=admin&password=admin", ip="198.51.100.9", agent="python-requests/2.28.1", headers={"content-type": "application/x-www-form-urlencoded"})
        ensure(service.ask("/api/me", make(clock.now() - 1000, age=0), ip="203.0.113.80") == 401, "ended")
        ensure(service.ask("/api/me", make(clock.now(), age=0), ip="203.0.113.80") == 200, "again")
    found = service.probed(make(), log_name="django.log", keep=asked("again*", "browser", "old"), old_token=make(age=9000))
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found
