"""Django behind gunicorn: sessions, simplejwt, secrets, and busy days without a fault."""

import json

import jwt
from lab.common import PROGRAMS, PYTHON, case, ensure
from lab.formats import cri, docker_json, iso, journal_short, kubectl
from lab.story import PHONES, Story
from lab.versions import pypi

DJANGO = pypi("Django", "gunicorn", "djangorestframework")
SIMPLEJWT = pypi("Django", "gunicorn", "djangorestframework", "djangorestframework-simplejwt")
USERS = ("ann", "bilal", "chen", "dora", "emil", "farah")


def database(story, *users) -> dict:
    db = str(story.lab.folder / "db.sqlite3")
    story.run([PYTHON, PROGRAMS / "django_app.py", *users], env={"DB": db})
    return {"DB": db}


class Person:
    """Somebody with a browser or a phone."""

    def __init__(self, service, name, agent=None, shared=None):
        self.service, self.name, self.kept = service, name, {} if shared is None else shared
        self.headers = {"user-agent": agent or PHONES[sum(map(ord, name)) % len(PHONES)]}

    def sign_in(self):
        status, _, text = self.service.send("POST", "/api/token/", headers=self.headers,
                                            body={"username": self.name, "password": "corpus"})
        ensure(status == 200, f"sign-in {status} {text}")
        self.kept.update(json.loads(text))

    def get(self, path="/api/orders/"):
        return self.service.send("GET", path, headers={**self.headers, "authorization": f"Bearer {self.kept['access']}"})[0]

    def refresh(self, token=None):
        status, _, text = self.service.send("POST", "/api/token/refresh/", headers=self.headers,
                                            body={"refresh": token or self.kept["refresh"]})
        if status == 200:
            self.kept.update(json.loads(text))
        return status, text

    def enter(self):
        """A session with a cookie."""
        status, fields, _ = self.service.send("POST", "/api/login/", headers=self.headers,
                                              body={"username": self.name, "password": "corpus"})
        ensure(status == 200, f"login {status}")
        self.headers["cookie"] = next(line for line in fields["set-cookie"].split("\n") if "session" in line).split(";")[0]

    def look(self, path="/api/orders/"):
        return self.service.send("GET", path, headers=self.headers)[0]


def day(story, service, people, rounds, seconds=50):
    """Everybody works; who is refused refreshes once."""
    for _ in range(rounds):
        service.noise(2, 5)
        for person in people:
            if person.get() == 401:
                ensure(person.refresh()[0] == 200 and person.get() == 200, "goes on")
            person.get(story.random.choice(("/api/me/", "/api/carts/17/", "/api/carts/40/")))
        story.pass_(seconds)


@case("django-simplejwt-two-tabs", family="session", expected=["TN0602"], settling=True, recorded=SIMPLEJWT,
      fault="Two tabs share localStorage and both refresh when the access token ends; simplejwt blacklists the token after the "
            "first, and the second tab signs the user out.")
def two_tabs(lab):
    story = Story(lab, "2026-10-13T08:03:11")
    web = story.gunicorn("django_app:application", "--workers", "2", env=database(story, *USERS))
    people = [Person(web, name) for name in USERS[1:]]
    tab = Person(web, "ann", PHONES[2])
    events = []
    note = lambda where, text: events.append(f"{iso(story.now())} {where} {text}")
    for person in [tab, *people]:
        person.sign_in()
    day(story, web, people, 5)
    story.pass_(905)
    other = Person(web, "ann", PHONES[2])
    other.kept = dict(tab.kept)
    ensure((tab.get(), other.get()) == (401, 401), "both expired")
    note("[tab 1]", "GET /api/orders/ 401, refreshing")
    note("[tab 2]", "GET /api/orders/ 401, refreshing")
    jti = claim(tab.kept["refresh"])
    first, second = tab.refresh(), other.refresh()
    ensure(first[0] == 200 and second[0] == 401 and "blacklisted" in second[1], str(second))
    note("[tab 1]", f"POST /api/token/refresh/ 200 (sent refresh jti={jti[:8]}, got jti={claim(tab.kept['refresh'])[:8]})")
    note("[tab 2]", f"POST /api/token/refresh/ 401 {second[1]} (sent refresh jti={jti[:8]})")
    note("[tab 2]", "clearing localStorage, redirecting to /login?expired=1")
    note("[tab 1]", "storage event: access removed, redirecting to /login?expired=1")
    day(story, web, people, 4)
    return story.inputs(logs={"gunicorn.log": web.log(), "console-export.log": "\n".join(events) + "\n"})


def claim(token, name="jti"):
    return jwt.decode(token, options={"verify_signature": False})[name]


@case("django-simplejwt-two-tabs-access-log", family="session", expected=["TN0602"], recorded=SIMPLEJWT,
      fault="As two tabs refresh at once; there is only gunicorn's and Django's log as Docker kept it.")
def two_tabs_docker(lab):
    story = Story(lab, "2026-10-14T13:22:40")
    web = story.gunicorn("django_app:application", "--workers", "2", "--access-logformat",
                         '%({x-forwarded-for}i)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
                         env=database(story, *USERS))
    people = [Person(web, name) for name in USERS]
    for number, person in enumerate(people):
        person.headers["x-forwarded-for"] = f"203.0.113.{40 + number}"
        person.sign_in()
    for turn in range(4):
        day(story, web, people[2:], 3)
        story.pass_(840)
        for person in people[:2]:
            other = Person(web, person.name, shared=dict(person.kept))
            other.headers = person.headers
            ensure(person.get() == 401 == other.get(), "expired")
            ensure(person.refresh()[0] == 200 and other.refresh()[0] == 401, "one of two")
            story.pass_(3)
            person.sign_in()
    return story.inputs(logs={"web-json.log": docker_json(web.log(), "stderr", story.now() - 7000)})


@case("django-locmem-sessions-three-workers", family="session", expected=["TN0606"], settling=True, recorded=DJANGO,
      fault="Sessions are kept in Django's local-memory cache, and gunicorn has three workers: two of three do not know a session.")
def locmem(lab):
    story = Story(lab, "2026-09-02T06:58:20")
    engine = "django.contrib.sessions.backends.cache"
    web = story.gunicorn("django_app:application", "--workers", "3", env=database(story, *USERS), SESSION_ENGINE=engine)
    people = [Person(web, name, PHONES[2 + number % 2]) for number, name in enumerate(USERS[:4])]
    seen = []
    for _ in range(3):
        for person in people:
            person.enter()
            for path in ("/api/me/", "/api/orders/", "/api/orders/", "/api/carts/17/", "/api/orders/"):
                seen.append(person.look(path))
                story.pass_(2)
        web.noise(4)
    ensure({200, 401} <= set(seen), f"they disagree: {seen}")
    config = ('SESSION_ENGINE = "django.contrib.sessions.backends.cache"\nSESSION_COOKIE_AGE = 60 * 60 * 24 * 14\n\n'
              'CACHES = {\n    "default": {\n        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",\n'
              '        "LOCATION": "shop",\n    }\n}\n')
    return story.inputs(logs={"gunicorn.log": web.log()}, files={"shop/settings/production.py": config,
                        "gunicorn.conf.py": 'bind = "0.0.0.0:8000"\nworkers = 3\naccesslog = "-"\n'})


@case("django-secret-key-per-replica", family="verifier", expected=["TN0409"], settling=True, recorded=SIMPLEJWT,
      fault="settings.py falls back to get_random_secret_key() as no SECRET_KEY is set; each of two pods signs with its own.")
def secret_per_pod(lab):
    story = Story(lab, "2026-11-03T15:30:00")
    base = database(story, *USERS)
    pods = {name: story.gunicorn("django_app:application", "--workers", "1", name=name, env=base, SECRET_KEY="random")
            for name in ("web-6c9d7f5b8-4xkzp", "web-6c9d7f5b8-t2m8q")}
    services = list(pods.values())
    seen = []
    for turn in range(5):
        for number, name in enumerate(USERS[:3]):
            person = Person(services[(turn + number) % 2], name)
            person.sign_in()
            for step in range(4):
                person.service = services[step % 2]
                seen.append(person.get())
                story.pass_(4)
            token = person.kept["access"]
        for service in services:
            service.noise(2, 4)
    ensure({200, 401} == set(seen), f"{seen}")
    settings = ('import os\nfrom django.core.management.utils import get_random_secret_key\n\n'
                'SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()\nDEBUG = False\n')
    deployment = ("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  template:\n    spec:\n"
                  "      containers:\n      - name: web\n        image: registry.example.test/shop/web:1.18.0\n        env:\n"
                  "        - name: DATABASE_URL\n          valueFrom: {secretKeyRef: {name: shop-db, key: url}}\n"
                  "        - name: SECRET_KEY\n          valueFrom: {secretKeyRef: {name: shop-web, key: secret-key}}\n")
    logs = {name: service.log() for name, service in pods.items()}
    return story.inputs(token=token, logs={"kubectl.log": kubectl({f"{name}/web": text for name, text in logs.items()}, story.now() - 900)},
                        files={"shop/settings.py": settings, "k8s/deployment.yaml": deployment})


@case("django-secure-cookie-over-http-curl", family="client", expected=["TN0112"], settling=True,
      recorded=f"{DJANGO}, curl 7.88.1",
      fault="SESSION_COOKIE_SECURE is on and the site is plain http: no client sends the session cookie back.")
def secure_cookie(lab):
    story = Story(lab, "2026-08-11T10:12:00")
    web = story.gunicorn("django_app:application", env=database(story, "ann"), SESSION_COOKIE_SECURE=True)
    host = f"intranet.example.test:{web.port}"
    curl = ["curl", "-sv", "--resolve", f"{host}:127.0.0.1", "-b", "jar", "-c", "jar"]
    text = story.run([*curl, "-H", "content-type: application/json", "-d", '{"username": "ann", "password": "corpus"}',
                      f"http://{host}/api/login/"])
    text += "\n" + story.run([*curl, f"http://{host}/api/orders/"])
    ensure("secure" in text.lower() and " 401 " in text, text)
    return story.inputs(logs={"curl.txt": text.replace('"password": "corpus"', '"password": "…"')})


@case("django-csrf-origin-behind-tls-proxy", family="framework", expected=["TN0507"], settling=True, recorded=DJANGO,
      fault="TLS ends at the load balancer, CSRF_TRUSTED_ORIGINS is empty: each form of the https page is refused with 403.")
def csrf_origin(lab):
    story = Story(lab, "2026-07-08T07:00:30")
    web = story.gunicorn("django_app:application", "--workers", "2", env=database(story, *USERS),
                         REST_FRAMEWORK={}, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True)
    for turn in range(9):
        agent = {"user-agent": PHONES[2 + turn % 2], "host": "shop.example.test"}
        _, fields, _ = web.send("GET", "/accounts/login/", headers=agent)
        cookie = fields["set-cookie"].split(";")[0]
        sent = {**agent, "cookie": cookie, "x-csrftoken": cookie.split("=")[1], "origin": "https://shop.example.test"}
        status, _, _ = web.send("POST", "/accounts/login/", form="username=ann&password=x", headers=sent)
        ensure(status == 403, str(status))
        web.noise(3)
    return story.inputs(logs={"web.log": journal_short(web.log(), "gunicorn", begin=story.now() - 300)})


@case("healthy-django-busy-day", family="healthy", recorded=SIMPLEJWT,
      fault="None: 15-minute tokens that clients renew after a 401, bots that are refused, a reload in between.")
def busy(lab):
    story = Story(lab, "2026-10-20T06:00:00")
    web = story.gunicorn("django_app:application", "--workers", "2", env=database(story, *USERS))
    people = [Person(web, name) for name in USERS]
    for person in people:
        person.sign_in()
    day(story, web, people, 7, 240)
    web.child.send_signal(1)
    story.pass_(20)
    day(story, web, people, 6, 240)
    return story.inputs(logs={"gunicorn.log": web.log()})


@case("healthy-django-sessions-cri", family="healthy", recorded=DJANGO,
      fault="None: sessions in the database, pods replaced by a deploy; visitors without a session are refused as they should be.")
def sessions_healthy(lab):
    story = Story(lab, "2026-09-16T11:59:00")
    base, logs = database(story, *USERS), ""
    web = story.gunicorn("django_app:application", env=base)
    people = [Person(web, name) for name in USERS]
    for person in people:
        person.enter()
    for _ in range(3):
        for _ in range(5):
            web.noise(3)
            for person in people:
                ensure(person.look() == 200 and person.look("/api/me/") == 200, "goes on")
            ensure(web.send("GET", "/api/orders/", headers={"user-agent": PHONES[0]})[0] == 401, "a visitor")
        logs, port = logs + web.log(), web.port
        web.stop()
        story.pass_(12)
        web = story.gunicorn("django_app:application", port=port, env=base)
        for person in people:
            person.service = web
    return story.inputs(logs={"0.log": cri(logs + web.log(), story.now() - 900, "stderr")})
