"""Jobs and clients in Python against real issuers and APIs, and what their logs say."""

import contextlib
import json
import os
import time

from lab.common import PROGRAMS, PYTHON, case, ensure, only, record, status, target
from lab.formats import cri, docker_json, journal_short
from lab.oidc import RESOURCE, SYSTEM, Provider
from lab.servers import Issuer, Reply
from lab.story import PHONES, Story
from lab.tokens import Key, claims
from lab.versions import debian, pypi
from sessions.browser import Site

JOB = f"{pypi('requests-oauthlib', 'oauthlib')}, {SYSTEM}"
STOCK = pypi("fastapi", "uvicorn", "PyJWT")
SOURCE = ('def keep(token):\n    if settings.PERSIST_TOKEN:\n        pathlib.Path("token.json").write_text(json.dumps(dict(token)))\n'
          '    else:\n        log.info("token refreshed, expires in %s s", token["expires_in"])\n')


@contextlib.contextmanager
def moved(story):
    """What is started within lives in the story's time."""
    os.environ.update(story.env())
    try:
        yield
    finally:
        for name in story.env():
            del os.environ[name]


def provider(story, **given):
    with moved(story):
        return Provider(story.lab, **given)


class Nightly:
    """A job that runs each night with a token of the provider, against an API that looks it up there."""

    def __init__(self, lab, begin, keeps, client="web", **given):
        self.story = Story(lab, begin)
        self.sso = provider(self.story, alg="RS256", **given)
        self.api = self.story.python("stock.py", jwks=f"{self.sso.base}/jwks", audience=RESOURCE, issuer=[self.sso.base])
        self.client = client
        first = self.sso.refresh(self.sso.begin(client), client)[1]
        lab.write("token.json", json.dumps({**first, "expires_at": self.story.now() + 900}))
        self.stamp()
        self.keeps, self.log = keeps, ""

    def stamp(self):
        at = self.story.now()
        os.utime(self.story.lab.folder / "token.json", (at, at))

    def night(self):
        before = (self.story.lab.folder / "token.json").read_bytes()
        text = self.story.run([PYTHON, PROGRAMS / "nightly.py", f"{self.api.base}/orders", f"{self.sso.base}/token", self.client, RESOURCE],
                              keeps=self.keeps)
        if (self.story.lab.folder / "token.json").read_bytes() != before:
            self.stamp()
        self.log += text
        self.api.noise(3, 1200)
        self.story.pass_(23 * 3600)
        return text


@case("requests-oauthlib-job-forgets-rotated-token", family="session", expected=["TN0603"], settling=True, recorded=JOB,
      fault="The nightly job's token_updater does not write what a refresh returned; the next night it presents the used refresh token.")
def forgets(lab):
    job = Nightly(lab, "2026-10-05T02:00:00", keeps=False)
    job.story.pass_(86400)
    first, second = job.night(), job.night()
    ensure("export finished" in first and "invalid_grant" in second, second)
    third = job.night()
    ensure("invalid_grant" in third, third)
    return job.story.inputs(logs={"nightly.log": job.log}, files={"jobs/nightly.py": SOURCE, "jobs/settings.py": "PERSIST_TOKEN = False\n"})


@case("healthy-requests-oauthlib-nightly-job", family="healthy", recorded=JOB,
      fault="None: each night the job finds its access token expired, refreshes it and keeps what it got.")
def keeps(lab):
    job = Nightly(lab, "2026-09-05T02:00:00", keeps=True)
    job.story.pass_(86400)
    for _ in range(4):
        ensure("export finished" in job.night(), job.log)
    return job.story.inputs(logs={"nightly.log": job.log, "stock.log": job.api.log()})


@case("requests-oauthlib-job-after-holidays", family="session", expected=["TN0610"], recorded=JOB,
      fault="The refresh token lives seven days; the job was paused for nine.")
def holidays(lab):
    job = Nightly(lab, "2026-12-18T02:00:00", keeps=True, refresh_ttl=7 * 86400)
    job.story.pass_(86400)
    for _ in range(2):
        ensure("export finished" in job.night(), job.log)
    job.story.pass_(8 * 86400)
    last = job.night()
    ensure("invalid_grant" in last, last)
    return job.story.inputs(logs={"nightly.log": job.log, "oidc.log": lab.read("oidc.log")})


@case("requests-oauthlib-client-removed", family="session", expected=["TN0608"], recorded=JOB,
      fault="The issuer's clients were set up anew and the job's is not among them: its refresh is refused.")
def removed(lab):
    job = Nightly(lab, "2026-04-07T02:00:00", keeps=True, client="phone")
    job.story.pass_(86400)
    for _ in range(2):
        ensure("export finished" in job.night(), job.log)
    job.sso.post("/lab/remove-client?client=phone")
    last = job.night()
    ensure("invalid_client" in last, last)
    return job.story.inputs(logs={"nightly.log": job.log, "oidc.log": lab.read("oidc.log")})


def stock(lab, begin=None, skew=0, keys=None, **options):
    """The FastAPI service before an issuer."""
    made = keys or [Key()]
    issuer = lab.enter(Issuer(*made).running())
    story = Story(lab, begin or time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))
    api = story.python("stock.py", skew=skew, jwks=f"{issuer.url}/jwks.json", **{"audience": "stock", "issuer": [issuer.url], **options})
    return story, api, issuer, made[0]


def traffic(api, tokens, rounds=6, agent=None):
    """Each token asks for orders; the statuses."""
    seen = []
    for _ in range(rounds):
        for number, token in enumerate(tokens):
            seen.append(api.send("GET", "/orders", headers={"authorization": f"Bearer {token}", "user-agent": agent or PHONES[number % 4]})[0])
        api.noise(2, 8)
    return seen


@case("httpx-api-moved-to-another-host", family="client", expected=["TN0107"], settling=True, recorded=f"{pypi('httpx')}, {STOCK}, curl 7.88.1",
      fault="The old host redirects to the new one; httpx follows, and leaves Authorization behind.")
def moved_host(lab):
    story, api, issuer, key = stock(lab)
    site = Site(lab, old_stock=lambda request: Reply(301, "", {"location": f"http://localhost:{api.port}{request.path}"}))
    token = key.token(**claims(issuer.url, audience="stock"))
    text = story.run([PYTHON, PROGRAMS / "caller.py"], url=f"https://127.0.0.1:{site.https}", token=token)
    api.noise(3)
    curl = ""
    for flag in ("-L", "--location-trusted"):
        ask = ["curl", "-sv", "--insecure", flag, "-H", f"Authorization: Bearer {token}", f"https://127.0.0.1:{site.https}/orders"]
        curl += f"$ curl -v --insecure {flag} …/orders\n" + story.run(ask) + "\n\n"
    ensure("301" in text and " 401 " in curl and " 200 OK" in curl, text + curl)
    return story.inputs(token=token, logs={"sync.log": text, "curl.txt": curl})


@case("httpx-trailing-slash-behind-tls", family="client", expected=["TN0108"], settling=True, recorded=f"{pypi('httpx')}, {STOCK}, {debian('nginx')}",
      fault="FastAPI sends /orders to /orders/ with http in Location, as it does not know of TLS in front; the header is lost on the way.")
def slash(lab):
    story, api, issuer, key = stock(lab, slash=True)

    def forward(request):
        headers = {name: value for name, value in request.headers if name.lower() in ("authorization", "user-agent", "host")}
        status, fields, text = api.send(request.method, request.path + (f"?{request.query}" if request.query else ""), headers=headers)
        return Reply(status, text, {name: value for name, value in fields.items() if name in ("location", "content-type", "www-authenticate")})

    site = Site(lab, localhost=forward)
    conf = lab.read("nginx.conf").replace("server_name localhost.test", f"server_name localhost.test localhost; error_page 497 301 "
                                          f"=307 https://localhost:{site.https}$request_uri")
    conf = conf.replace("Host $host", "Host $http_host")
    again = lab.write("nginx.conf", conf)
    story.run(["nginx", "-e", "stderr", "-s", "reload", "-c", again])
    time.sleep(0.5)
    token = key.token(**claims(issuer.url, audience="stock"))
    text = story.run([PYTHON, PROGRAMS / "caller.py"], url=f"https://localhost:{site.https}", token=token)
    return story.inputs(token=token, logs={"sync.log": text, "uvicorn.log": api.log()})


@case("kubernetes-secret-with-newline", family="client", expected=["TN0105"], settling=True, recorded=pypi("httpx", "h11"),
      fault="The token came into the secret by `echo` without -n; its line feed makes the header illegal, and nothing is sent.")
def newline(lab):
    story, api, issuer, key = stock(lab, "2026-08-31T05:00:00")
    token = key.token(**claims(issuer.url, audience="stock", now=story.now(), lifetime=86400)) + "\n"
    text = ""
    for _ in range(3):
        text += story.run([PYTHON, PROGRAMS / "caller.py"], url=api.base, token=token)
        story.pass_(300)
    ensure("Illegal header value" in text, text)
    return story.inputs(logs={"0.log": cri(text.replace(token.strip(), token[:12] + "…"))})


@case("python-token-printed-as-bytes", family="client", expected=["TN0105"], settling=True, recorded=f"{pypi('httpx')}, {STOCK}",
      fault="The job formats bytes into its header: the token is sent as b'eyJ…'.")
def as_bytes(lab):
    story, api, issuer, key = stock(lab)
    token = f"b'{key.token(**claims(issuer.url, audience='stock'))}'"
    wanted = target(f"{api.base}/orders", issuer=issuer.url)
    seen = record(wanted, token)
    ensure(status(seen, "client") == 401 and "not a valid" not in api.log(), api.log())
    return story.inputs(token=token, target=wanted, exchanges=only(seen, "client", "bare", "garbage", "trimmed", "altered", "jwks"),
                        keys={"jwks.json": json.dumps(issuer.jwks())}, logs={"uvicorn.log": api.log()})


@case("uvicorn-issuer-with-slash-in-env", family="verifier", expected=["TN0411"], settling=True, recorded=STOCK,
      fault="OIDC_ISSUER ends with a slash in the API's environment, and the issuer's own name does not.")
def issuer_slash(lab):
    story, api, issuer, key = stock(lab, "2026-10-19T09:00:00", log="dated")
    story, port = api.story, api.port
    api.stop()
    api = story.python("stock.py", name="again", port=port, jwks=f"{issuer.url}/jwks.json", audience="stock", issuer=[issuer.url + "/"], log="dated")
    tokens = [key.token(**claims(issuer.url, audience="stock", subject=f"u-{n}", now=story.now(), lifetime=7200)) for n in range(3)]
    ensure(set(traffic(api, tokens)) == {401}, "refused")
    env = f"OIDC_ISSUER={issuer.url}/\nOIDC_AUDIENCE=stock\nOIDC_JWKS_URL={issuer.url}/jwks.json\nLOG_LEVEL=info\n"
    return story.inputs(token=tokens[0], files={"stock/.env": env}, logs={"uvicorn.log": api.log()})


@case("uvicorn-audience-log-only", family="verifier", expected=["TN0412"], settling=True, recorded=STOCK,
      fault="One client's tokens are for another API; the coloured log of uvicorn is all there is.")
def audience(lab):
    story, api, issuer, key = stock(lab, "2026-06-11T13:00:00", colors=True)
    good = [key.token(**claims(issuer.url, audience="stock", subject=f"u-{n}", now=story.now(), lifetime=7200)) for n in range(3)]
    bad = key.token(**claims(issuer.url, audience="billing", now=story.now(), lifetime=7200))
    seen = traffic(api, [*good, bad], 8)
    ensure(seen.count(401) == 8, str(seen))
    return story.inputs(logs={"stdout.log": api.log()})


@case("uvicorn-clock-behind-issuer", family="verifier", expected=["TN0416"], settling=True, recorded=STOCK,
      fault="The API's clock is 40 s behind the issuer's: tokens are not valid yet in their first seconds, and good afterwards.")
def behind(lab):
    story, api, issuer, key = stock(lab, "2026-05-27T16:00:00", skew=-40, log="dated")
    seen = []
    for _ in range(6):
        token = key.token(**claims(issuer.url, audience="stock", now=story.now(), age=0))
        for wait in (0, 25, 25):
            advance(story, wait)
            seen.append(api.send("GET", "/orders", headers={"authorization": f"Bearer {token}", "user-agent": PHONES[1]})[0])
        for _ in range(2):
            api.send("GET", "/healthz", headers={"user-agent": "kube-probe/1.29"})
            advance(story, 30)
    ensure(seen == [401, 401, 200] * 6, str(seen))
    return story.inputs(token=token, logs={"stock.log": journal_short(api.log(), "stock")})


def advance(story, seconds):
    """Time for all, also for the program whose clock is behind."""
    story.pass_(seconds)
    (story.lab.folder / "clock-40").write_text(repr(story.offset - 40))


@case("healthy-uvicorn-issuer-in-two-spellings", family="healthy", recorded=STOCK,
      fault="None: the API accepts its issuer with and without a slash; tokens of both come in, expired ones and visitors are refused.")
def spellings(lab):
    made = Key()
    story, api, issuer, key = stock(lab, keys=[made])
    port = api.port
    api.stop()
    both = [issuer.url, issuer.url + "/"]
    api = story.python("stock.py", name="again", port=port, jwks=f"{issuer.url}/jwks.json", audience="stock", issuer=both)
    token = key.token(**claims(issuer.url, audience="stock"))
    other = key.token(**claims(issuer.url + "/", audience="stock", subject="u-2"))
    old = key.token(**claims(issuer.url, audience="stock", now=time.time() - 7200))
    traffic(api, [token, other, old], 5)
    wanted = target(f"{api.base}/orders", issuer=issuer.url)
    seen = record(wanted, token, other_token=other)
    ensure(status(seen, "client") == 200 == status(seen, "other-token"), "well")
    env = f"OIDC_ISSUERS={issuer.url},{issuer.url}/\nOIDC_AUDIENCE=stock\n"
    return story.inputs(token=token, other_token=other, target=wanted, exchanges=seen, files={"stock/.env": env, "web/.env": f"VITE_ISSUER={issuer.url}/\n"},
                        logs={"uvicorn.log": api.log()})


@case("healthy-uvicorn-key-rotated-properly", family="healthy", recorded=STOCK,
      fault="None: the issuer signs with its new key and shows the old one as long as tokens of it live; both are accepted.")
def rotated(lab):
    first, second = Key(), Key()
    story, api, issuer, _ = stock(lab, "2026-08-03T10:00:00", keys=[first, second], log="dated")
    tokens = [key.token(**claims(issuer.url, audience="stock", subject=f"u-{n}", now=story.now(), lifetime=3600))
              for n, key in enumerate((first, first, second))]
    ensure(set(traffic(api, tokens, 7)) == {200}, "well")
    traffic(api, [Key().token(**claims(issuer.url, audience="stock", now=story.now()))], 1, agent="python-requests/2.31.0")
    return story.inputs(token=tokens[2], old_token=tokens[0], keys={"jwks.json": json.dumps(issuer.jwks())},
                        logs={"stock-json.log": docker_json(api.log(), begin=story.now() - 200)})


@case("token-cut-off-by-the-terminal", family="client", expected=["TN0425"], settling=True, recorded=f"{STOCK}, curl 7.88.1",
      fault="The token was copied from a terminal that had wrapped it: its last line is missing, so that half a signature is left.")
def cut_off(lab):
    story, api, issuer, key = stock(lab, "2026-02-20T10:00:00", log="dated")
    whole = key.token(**claims(issuer.url, audience="stock", now=story.now(), lifetime=3600))
    token = whole[: len(whole) // 80 * 80 - 160]
    ensure(token.count(".") == 2, token)
    text = story.run(["curl", "-sv", "-H", f"Authorization: Bearer {token}", f"{api.base}/orders"])
    ensure(set(traffic(api, [whole], 3)) == {200} and " 401 " in text, text)
    return story.inputs(token=token, keys={"jwks.json": json.dumps(issuer.jwks())}, logs={"curl.txt": text, "uvicorn.log": api.log()})
