"""Apps with axios and a shop's API: what both write, in the formats of their platforms."""

import contextlib
import json

from lab.common import PROGRAMS, case, ensure
from lab.formats import cri, docker_json, iso, journal_json, timed
from lab.story import PHONES, Service, Story
from lab.versions import debian, npm

APP = npm("axios")
API = npm("express", "jsonwebtoken")
LEVELS = {"debug": "D", "info": "I", "warn": "W", "error": "E"}


class Shop:
    """The API, other customers, and one app under watch."""

    def __init__(self, lab, begin, **options):
        self.story = Story(lab, begin)
        self.lab, self.options = lab, options
        self.api = self.story.node("shop.mjs", **options)
        self.others = []
        for number in range(4):
            status, _, text = self.api.send("POST", "/auth/login", body={"email": f"customer{number}@example.test"},
                                            headers={"user-agent": PHONES[number]})
            ensure(status == 200, "login")
            self.others.append({**json.loads(text), "agent": PHONES[number]})

    def again(self, log: list):
        """A deploy: the same program at the same port, with an empty memory."""
        log.append(self.api.log())
        self.api.stop()
        self.api = self.story.node("shop.mjs", port=self.api.port, **self.options)

    def traffic(self, rounds=4, seconds=40, refreshing=True):
        for _ in range(rounds):
            self.api.noise(2, seconds / 4)
            for other in self.others:
                agent = {"user-agent": other["agent"]}
                self.api.send("GET", "/v1/catalog", headers=agent)
                sent = {**agent, "authorization": f"Bearer {other['accessToken']}"}
                if self.api.send("GET", "/v1/orders", headers=sent)[0] == 401 and refreshing:
                    status, _, text = self.api.send("POST", "/auth/refresh", body={"refreshToken": other["refreshToken"]}, headers=agent)
                    if status == 200:
                        other.update(json.loads(text))
                        self.api.send("GET", "/v1/orders", headers={**agent, "authorization": f"Bearer {other['accessToken']}"})
            self.story.pass_(seconds / 2)

    def app(self, *steps, base=None, **options) -> str:
        """Lets the app do things; its lines as `layout` writes them."""
        return self.story.run(["node", "--no-deprecation", PROGRAMS / "app.mjs"], base=base or self.api.base, steps=steps, **options)


def split(text: str):
    for line in text.splitlines():
        parts = line.split("\t")
        if len(parts) == 4:
            at, level, said, more = parts
            yield timed(line)[0][0], level, said + (" " + more if more else "")


def electron(text: str) -> str:
    """electron-log's file."""
    return "".join(f"[{iso(at)[:-1].replace('T', ' ')}] [{level}]".ljust(33) + f"{said}\n" for at, level, said in split(text))


def logcat(text: str, tag="ReactNativeJS", pid=4711) -> str:
    """`adb logcat -v threadtime`, other apps between."""
    lines = ["--------- beginning of main"]
    for number, (at, level, said) in enumerate(split(text)):
        stamp = iso(at)[5:-1].replace("T", " ")
        if number % 3 == 1:
            lines.append(f"{stamp}  1203  1388 D WifiNl80211Manager: Scan result ready event")
        if number % 5 == 2:
            lines.append(f"{stamp}  {pid}  4802 D OpenGLRenderer: Davey! duration=812ms; Flags=0, FrameTimelineVsyncId=91712")
        lines.append(f"{stamp}  {pid}  4756 {LEVELS[level]} {tag}: {said}")
    return "\n".join(lines) + "\n"


def os_log(text: str, process="Shop", pid=611) -> str:
    """`log show` of iOS and macOS."""
    types = {"debug": "Debug", "info": "Info", "warn": "Default", "error": "Error"}
    lines = ["Timestamp                       Thread     Type        Activity             PID    TTL  "]
    for at, level, said in split(text):
        lines.append(f"{iso(at, 6, '')[:26].replace('T', ' ')}+0000 0x1f3a     {types[level]:<12}0x0                  {pid}    0    "
                     f"{process}: (Shop.debug.dylib) [test.example.shop:auth] {said}")
    return "\n".join(lines) + "\n"


@case("axios-parallel-refreshes-electron", family="session", expected=["TN0602"], settling=True, recorded=f"{APP}, {API}, {npm('bunyan')}",
      fault="Five requests of one window meet an expired token at once, and each refreshes for itself: the rotated token is presented "
            "again, and the API revokes the session.")
def parallel(lab):
    shop = Shop(lab, "2026-10-08T13:02:00", log="bunyan", host="shop-api-1")
    shop.traffic()
    text = shop.app("start", "login", "get:3", "pass:420", "get:5", "pass:500", "get:5", flaws=["parallel"])
    ensure("Invalid refresh token" in text, text)
    shop.traffic(3)
    ensure("reuse detected" in shop.api.log(), "revoked")
    return shop.story.inputs(logs={"main.log": electron(text), "shop-api.log": shop.api.log()})


@case("axios-parallel-refreshes-server-only", family="session", expected=["TN0602"], settling=False,
      recorded=f"{APP}, {API}, {npm('winston')}",
      fault="As five requests refresh at once; there is the API's coloured log only.")
def parallel_server(lab):
    shop = Shop(lab, "2026-10-09T19:40:00", log="ansi")
    for number in range(3):
        shop.traffic(2)
        shop.app("login", "get:3", "pass:905", "get:4", flaws=["parallel"], email=f"buyer{number}@example.test", store=f"s{number}")
    return shop.story.inputs(logs={"api.log": shop.api.log()})


@case("axios-wiped-while-nginx-says-502", family="session", expected=["TN0604"], settling=True,
      recorded=f"{APP}, {API}, {debian('nginx')}",
      fault="A deploy of the API lasts 20 s; nginx answers the app's refresh with 502, and the app throws its session away.")
def deploy_502(lab):
    shop = Shop(lab, "2026-11-05T16:20:00", log="pino")
    front = nginx(shop)
    text = shop.app("start", "login", "get:3", "pass:903", flaws=["wipe"], agent="okhttp/4.12.0", base=front.base)
    shop.traffic(4)
    shop.api.stop()
    text += shop.app("note:[app]_resumed", "start", flaws=["wipe"], agent="okhttp/4.12.0",
                     proactive=True, base=front.base)
    ensure("502" in text and "cleared" in text, text)
    for _ in range(3):
        front.send("GET", "/v1/catalog", headers={"user-agent": PHONES[1]})
        shop.story.pass_(5)
    shop.api = shop.story.node("shop.mjs", port=shop.api.port, log="pino")
    for _ in range(8):
        front.send("GET", "/v1/catalog", headers={"user-agent": PHONES[2]})
        shop.story.pass_(4)
    return shop.story.inputs(logs={"logcat.txt": logcat(text), "access.log": lab.read("access.log"), "error.log": lab.read("error.log")})


def nginx(shop, form="combined"):

    port, lab = shop.lab.port(), shop.lab
    conf = lab.write("nginx.conf", f"""
env CLOCK; daemon off; worker_processes 1; pid {lab.folder}/nginx.pid; error_log {lab.folder}/error.log warn; user root;
events {{}}
http {{
  log_format json escape=json '{{"time":"$time_iso8601","remote_addr":"$remote_addr","request_id":"$request_id","method":"$request_method",'
    '"uri":"$request_uri","status":$status,"request_time":$request_time,"upstream_status":"$upstream_status","upstream_addr":"$upstream_addr",'
    '"user_agent":"$http_user_agent","referer":"$http_referer"}}';
  access_log {lab.folder}/access.log {form};
  client_body_temp_path {lab.folder}/b; proxy_temp_path {lab.folder}/p;
  server {{ listen 127.0.0.1:{port}; server_name api.shop.test; location / {{ proxy_pass http://127.0.0.1:{shop.api.port}; }} }}
}}
""")
    child = lab.start("nginx", ["nginx", "-e", "stderr", "-c", conf], port=port, env=shop.story.env())
    return Service(shop.story, "nginx", port, child)


@case("axios-wiped-on-timeout-ios", family="session", expected=["TN0604"], settling=True, recorded=f"{APP}, {API}",
      fault="The phone is in a lift: the refresh times out after 3 s, and the app deletes the session from the keychain.")
def timeout_ios(lab):
    shop = Shop(lab, "2026-08-27T17:11:40", plan=["hang"])
    text = shop.app("start", "login", "get:3", "pass:600", "get:2", "pass:400", "note:[app]_did_become_active", "get:3",
                    flaws=["wipe"], timeout=400, agent="Shop/412 CFNetwork/1494.0.7 Darwin/23.4.0")
    ensure("timeout of 400ms" in text and "cleared" in text, text)
    text = text.replace("timeout of 400ms", "timeout of 3000ms")
    return shop.story.inputs(logs={"sysdiagnose-shop.log": os_log(text)})


@case("axios-empty-refresh-token-kept", family="session", expected=["TN0605"], settling=True, recorded=f"{APP}, {API}, {npm('winston')}",
      fault="The API does not rotate and leaves refreshToken out of its answer; the app writes an empty one, and the second refresh is 400.")
def blank(lab):
    shop = Shop(lab, "2026-09-29T07:30:00", log="winston", rotate=False, omitRefresh=True)
    shop.traffic(2, refreshing=False)
    text = shop.app("start", "login", "get:2", "pass:903", "get:2", "pass:300", "get:4", "pass:640", "get:2", flaws=["blank"],
                    agent="okhttp/4.12.0")
    ensure("refreshToken is required" in text and "cleared" in text, text)
    return shop.story.inputs(logs={"logcat.txt": logcat(text), "api.json.log": docker_json(shop.api.log())})


@case("axios-requests-before-restore-logcat", family="client", expected=["TN0101"], settling=True, recorded=f"{APP}, {API}",
      fault="The feed's first requests leave before the stored session has been read: 401 without a token at each start, well afterwards.")
def early(lab):
    shop = Shop(lab, "2026-11-11T06:45:12")
    text = shop.app("login", "get:3")
    for _ in range(3):
        text += shop.app("pass:140", "start", "get:3", "pass:31", "get:2", flaws=["early"], agent="okhttp/4.12.0")
    ensure('"hadToken":false' in text, text)
    return shop.story.inputs(logs={"logcat.txt": logcat(text, pid=9120)})


@case("axios-never-refreshes-desktop", family="session", expected=["TN0601", "TN0415"], settling=True,
      recorded=f"{APP}, {API}, {npm('pino')}",
      fault="The desktop app stores its refresh token and never uses it: login page after each quarter of an hour.")
def never(lab):
    shop = Shop(lab, "2026-05-04T08:00:00", quiet=True)
    text = ""
    for _ in range(3):
        text += shop.app("start", "login", "get:3", "pass:300", "get:2", "pass:400", "get:5", "pass:204", "get:1", flaws=["never"])
        shop.traffic(2)
    ensure("jwt expired" in text and "refreshing" not in text, text)
    return shop.story.inputs(logs={"main.log": electron(text), "api.log": cri(shop.api.log())})


@case("axios-rotated-token-not-written", family="session", expected=["TN0603"], settling=True, recorded=f"{APP}, {API}, {npm('bunyan')}",
      fault="After a refresh the app writes the new access token only; at the next start it presents the used refresh token.")
def forget(lab):
    shop = Shop(lab, "2026-06-15T09:10:00", log="bunyan", host="shop-api-2")
    text = shop.app("start", "login", "get:2", "pass:910", "get:2", flaws=["forget"])
    shop.traffic(3, 200)
    text += shop.app("pass:7300", "start", "get:2", flaws=["forget"])
    ensure("Invalid refresh token" in text, text)
    shop.traffic(1)
    return shop.story.inputs(logs={"main.log": electron(text), "api.log": shop.api.log()})


@case("cli-and-agent-share-credentials", family="session", expected=["TN0602"], settling=True, recorded=f"{APP}, {API}, {npm('pino')}",
      fault="A command line and a background agent read one credentials file; both refresh with its token, and the session is revoked.")
def shared_file(lab):
    shop = Shop(lab, "2026-04-21T11:00:00")
    text = shop.app("login", "get:1", agent="shopctl/1.9.0")
    lab.write("agent.json", lab.read("session.json"))
    shop.traffic(2)
    agent = shop.app("start", "get:1", "pass:905", "get:1", agent="shop-agent/1.9.0", store="agent.json")
    text += shop.app("pass:7", "start", "get:1", agent="shopctl/1.9.0")
    agent += shop.app("pass:902", "get:1", "start", "get:1", agent="shop-agent/1.9.0", store="agent.json")
    ensure("Invalid refresh token" in text and "Invalid refresh token" in agent, text + agent)
    plain = lambda said: "".join(f"{iso(at)} {level.upper()} {what}\n" for at, level, what in split(said))
    return shop.story.inputs(logs={"shopctl.log": plain(text), "agent.journal": journal_json(plain(agent), "shop-agent", "build-07"),
                                   "api.log": shop.api.log()})


@case("healthy-axios-one-refresh-for-all", family="healthy", recorded=f"{APP}, {API}, {npm('bunyan')}",
      fault="None: five requests meet an expired token at once, one refresh serves them all, all hours of a working day.")
def single_flight(lab):
    shop = Shop(lab, "2026-10-07T08:00:00", log="bunyan", host="shop-api-1")
    text = shop.app("start", "login", "get:3")
    for _ in range(4):
        text += shop.app("note:[app]_window_focused", "get:1", "pass:1200", "get:5", "pass:300", "get:4")
        shop.traffic(2)
    ensure("cleared" not in text, text)
    return shop.story.inputs(logs={"main.log": electron(text), "shop-api.log": shop.api.log()})


@case("healthy-axios-retried-through-503", family="healthy", recorded=f"{APP}, {API}, {npm('pino')}",
      fault="None: the refresh is refused with 503 twice and times out once; the app keeps its session and tries again.")
def retried(lab):
    shop = Shop(lab, "2026-11-06T18:40:00", plan=["503", "hang", "503"])
    text = shop.app("start", "login", "get:2", "pass:905", "get:2", "pass:60", "get:4", timeout=300, agent="okhttp/4.12.0")
    ensure("refreshed" in text and "cleared" not in text, text)
    shop.traffic(2)
    text += shop.app("start", "get:5", "pass:120", "get:3", agent="okhttp/4.12.0")
    return shop.story.inputs(logs={"logcat.txt": logcat(text), "api.log": journal_json(shop.api.log(), "shop-api")})


@case("healthy-axios-signed-out-by-user", family="healthy", recorded=f"{APP}, {API}, {npm('winston')}",
      fault="None: somebody signs out by hand and in again, twice; expired tokens are refreshed in between.")
def by_user(lab):
    shop = Shop(lab, "2026-03-02T12:00:00", log="ansi")
    text = shop.app("start", "login", "get:3", "pass:80", "logout", "pass:30", "login", "get:2", "pass:905", "get:3")
    shop.traffic(3)
    with contextlib.suppress(KeyError):
        text += shop.app("pass:500", "start", "get:4", "logout")
    ensure("refresh failed" not in text, text)
    return shop.story.inputs(logs={"main.log": electron(text), "api.log": shop.api.log()})
