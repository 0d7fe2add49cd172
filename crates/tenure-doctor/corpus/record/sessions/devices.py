"""Supabase's client, devices with a wrong clock, deploys that forget, OTLP logs, and configuration that drifts."""

import json
import secrets
import uuid

import jwt
from aws.incident import TEMPLATE, Incident
from lab.cloud import REST
from lab.common import PROGRAMS, case, ensure, inputs
from lab.formats import docker_json, timed
from lab.servers import Reply, serve
from lab.story import Story
from lab.versions import npm
from sessions.shop import API, APP, Shop, electron, logcat

SUPABASE = f"{npm('@supabase/supabase-js')} against a fake with Supabase Auth's documented answers"
SECRET = "corpus-supabase-secret-of-32-bytes"


class Gotrue:
    """Supabase Auth and PostgREST as far as the client asks: `reuse` is the seconds in which a used token still works."""

    def __init__(self, story, reuse=10):
        self.story, self.reuse, self.tokens, self.ended = story, reuse, {}, set()

    def refuse(self, status, code, text):
        return Reply(status, {"code": status, "error_code": code, "msg": text}, {"x-supabase-api-version": "2024-01-01"})

    def grant(self, session):
        at, made = int(self.story.now()), secrets.token_urlsafe(9)[:12]
        self.tokens[made] = [session, None]
        user = {"id": "5b0d2c7e-8a41-4c55-9d5e-1f0f6f6a1c11", "aud": "authenticated", "role": "authenticated", "email": "ann@example.test"}
        access = jwt.encode({"sub": user["id"], "role": "authenticated", "session_id": session, "iat": at, "exp": at + 3600}, SECRET, "HS256")
        return Reply(200, {"access_token": access, "token_type": "bearer", "expires_in": 3600, "expires_at": at + 3600,
                           "refresh_token": made, "user": user})

    def __call__(self, request):
        now = self.story.now()
        if request.path == "/auth/v1/token" and "password" in request.query:
            return self.grant(str(uuid.uuid4()))
        if request.path == "/auth/v1/token":
            row = self.tokens.get(json.loads(request.body)["refresh_token"])
            if row is None or row[0] in self.ended:
                return self.refuse(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
            if row[1] and now - row[1] > self.reuse:
                self.ended.add(row[0])
                return self.refuse(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
            row[1] = row[1] or now
            return self.grant(row[0])
        value = (request.header("authorization") or "").removeprefix("Bearer ")
        if value.startswith("sb_"):
            return Reply(401, {"code": "42501", "details": None, "hint": None, "message": "permission denied for table orders"})
        if jwt.decode(value, options={"verify_signature": False})["exp"] < now:
            return Reply(401, {"code": "PGRST303", "details": None, "hint": None, "message": "JWT expired"})
        return Reply(200, [])


class Project:
    def __init__(self, lab, begin):
        self.story = Story(lab, begin)
        self.auth = Gotrue(self.story)
        port = lab.enter(serve(self.auth, server=""))
        self.base = f"http://127.0.0.1:{port}"

    def app(self, *steps, storage="browser.json"):
        return self.story.run(["node", "--no-deprecation", PROGRAMS / "supabase.mjs"], base=self.base, steps=steps, storage=storage)


@case("supabase-server-and-browser-share-session", family="session", expected=["TN0602"], settling=True, recorded=SUPABASE,
      fault="The server's middleware refreshes the session of the request's cookie and does not send the new one back; the browser comes "
            "with the used token a minute later.")
def server_and_browser(lab):
    project = Project(lab, "2026-11-12T09:20:00")
    browser = project.app("login", "get", "pass:1700", "get")
    lab.write("server.json", lab.read("browser.json"))
    server = project.app("pass:1930", "get", storage="server.json")
    browser += project.app("pass:61", "get", "pass:5", "get")
    ensure("Already Used" in browser and "TOKEN_REFRESHED" in server, browser)
    return project.story.inputs(logs={"browser-console.log": browser, "next-server.log": server})


@case("supabase-session-ended-elsewhere", family="session", expected=["TN0610"], recorded=SUPABASE,
      fault="The user signed out on another device with scope global; this one's refresh token is not found any more.")
def ended(lab):
    project = Project(lab, "2026-10-03T21:00:00")
    text = project.app("login", "get", "pass:1200", "get")
    project.auth.ended.update(row[0] for row in project.auth.tokens.values())
    text += project.app("pass:2400", "get", "get")
    ensure("Refresh Token Not Found" in text, text)
    return project.story.inputs(logs={"console.log": text})


@case("healthy-supabase-client-refreshes", family="healthy", recorded=SUPABASE,
      fault="None: hours of a session with its refreshes, two of them within the reuse interval, in the client's debug log.")
def supabase_well(lab):
    project = Project(lab, "2026-10-04T08:00:00")
    text = project.app("login", "get")
    for _ in range(3):
        lab.write("tab.json", lab.read("browser.json"))
        text += project.app("pass:3560", "get")
        tab = project.app("pass:2", "get", storage="tab.json")
        ensure("Invalid" not in tab, tab)
    ensure("Invalid" not in text and text.count("auth state: TOKEN_REFRESHED") == 3, text)
    return project.story.inputs(logs={"console.log": text})


def clocked(shop, steps, skew, **options):
    """The app on a device whose clock is wrong; time passes for all between its steps."""
    text = ""
    for step in steps:
        name, _, seconds = step.partition(":")
        if name == "pass":
            shop.story.pass_(float(seconds))
            continue
        text += shop.story.run(["node", "--no-deprecation", PROGRAMS / "app.mjs"], skew=skew, base=shop.api.base, steps=[step],
                               byToken=True, **options)
    return text


@case("axios-tablet-clock-an-hour-behind", family="verifier", expected=["TN0417"], settling=True, recorded=f"{APP}, {API}, {npm('pino')}",
      fault="The tablet's clock is an hour behind: the app takes an expired token for good and sends it until the user signs in again.")
def slow_clock(lab):
    shop = Shop(lab, "2026-11-18T10:00:00")
    text = ""
    for _ in range(2):
        text += clocked(shop, ["login", "get:2", "pass:500", "get:2", "pass:420", "get:2", "pass:300", "get:3", "pass:90", "get:1"], -3600,
                        flaws=["never"], agent="okhttp/4.12.0", proactive=True, email="till@example.test")
        shop.traffic(1)
    ensure('"valid":true' in text and "jwt expired" in text, text)
    return shop.story.inputs(logs={"logcat.txt": logcat(text), "api.log": shop.api.log()})


@case("axios-laptop-clock-ahead-refreshes-always", family="verifier", expected=["TN0417", "TN0316"], recorded=f"{APP}, {API}, {npm('bunyan')}",
      fault="The laptop's clock is 40 minutes ahead: each new token seems expired, the app refreshes before each request until the API "
            "answers 429.")
def fast_clock(lab):
    shop = Shop(lab, "2026-11-19T10:00:00", log="bunyan", plan=["ok"] * 6 + ["429"] * 12)
    text = clocked(shop, ["login", *["get:1", "pass:11"] * 8], 2400, proactive=True)
    ensure(text.count("refreshed") == 6 and "429" in text, text)
    shop.traffic(2)
    return shop.story.inputs(logs={"main.log": electron(text), "api.log": shop.api.log()})


def otlp(text: str, service: str) -> str:
    """As the OpenTelemetry collector's file exporter writes them."""
    records = []
    for at, line in timed(text):
        said = json.loads(line)
        level = {30: ("INFO", 9), 40: ("WARN", 13), 50: ("ERROR", 17)}[said["level"]]
        value = lambda found: ({"intValue": str(found)} if isinstance(found, int) else {"doubleValue": found} if isinstance(found, float) else
                               {"stringValue": found if isinstance(found, str) else json.dumps(found)})
        kept = [{"key": key, "value": value(found)} for key, found in said.items() if key not in ("level", "time", "msg", "pid", "hostname")]
        records.append({"timeUnixNano": str(int(at * 1e9)), "severityNumber": level[1], "severityText": level[0],
                        "body": {"stringValue": said["msg"]}, "attributes": kept})
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}},
                               {"key": "k8s.pod.name", "value": {"stringValue": f"{service}-6f7c9b-x2lqz"}}]}
    scope = {"name": "@opentelemetry/instrumentation-pino", "version": "0.50.0"}
    batches = [records[at:at + 25] for at in range(0, len(records), 25)]
    return "".join(json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": batch}]}]}) + "\n" for batch in batches)


@case("shop-refresh-tokens-gone-after-deploy", family="session", expected=["TN0606"], settling=True, recorded=f"{API}, {npm('pino')}",
      fault="Refresh tokens are in a Map of the process; after each deploy every client's refresh is refused as unknown.")
def gone(lab):
    shop, log = Shop(lab, "2026-06-23T13:30:00"), []
    shop.traffic(5, 200)
    shop.again(log)
    shop.story.pass_(950)
    shop.traffic(4, 100)
    text = "".join(log) + shop.api.log()
    ensure("unknown refresh token" in text, text)
    source = ("const sessions = new Map();\nconst refreshTokens = new Map();\n\nfunction issue(sid) {\n"
              "  const refreshToken = randomBytes(32).toString(\"hex\");\n  refreshTokens.set(refreshToken, { sid, born: Date.now() });\n")
    return shop.story.inputs(logs={"otel-logs.jsonl": otlp(text, "shop-api")}, files={"src/auth/tokens.mjs": source})


@case("healthy-shop-otlp", family="healthy", recorded=f"{API}, {npm('pino')}",
      fault="None: customers whose tokens end and are refreshed, scanners and health checks, exported by a collector.")
def otlp_well(lab):
    shop = Shop(lab, "2026-06-24T13:30:00")
    shop.traffic(14, 240)
    log = shop.api.log()
    ensure("rotated" in log and "rejected" not in log, log)
    return shop.story.inputs(logs={"otel-logs.jsonl": otlp(log, "shop-api")})


@case("healthy-shop-late-tab-within-grace", family="healthy", recorded=f"{API}, {APP}, {npm('winston')}",
      fault="None: the API lets a used refresh token through for 30 s; parallel refreshes of one window all succeed.")
def grace(lab):
    shop = Shop(lab, "2026-10-11T13:00:00", log="winston", grace=30)
    text = shop.app("start", "login", "get:3")
    for _ in range(3):
        text += shop.app("pass:905", "get:4", flaws=["parallel"])
        shop.traffic(2)
    ensure("cleared" not in text and text.count("refreshed") > 4, text)
    return shop.story.inputs(logs={"main.log": electron(text), "api-json.log": docker_json(shop.api.log())})


@case("sam-pool-drift-without-probes", family="gateway", recorded=REST, expected=["TN0317", "TN0303", "TN0411"], settling=True,
      fault="SSM and the app's .env name the new pool, the deployed authorizer the old one; nobody could send a request.")
def sam_drift(lab):
    incident = Incident(lab)
    token = incident.now.sign_in()["IdToken"]
    samconfig = 'version = 0.1\n[default.deploy.parameters]\nstack_name = "app"\nregion = "us-east-1"\nconfirm_changeset = false\n'
    return inputs(token=token, files={"template.yaml": TEMPLATE, "samconfig.toml": samconfig} | incident.env() | incident.aws())


@case("healthy-sam-staging-and-production", family="healthy", recorded=REST,
      fault="None: two .env files name two pools, of which each belongs to its own stage; the token is production's, as is the authorizer.")
def sam_well(lab):
    incident = Incident(lab, moved=False)
    staging = incident.cloud.pool("staging")
    token = incident.now.sign_in()["IdToken"]
    env = incident.env()[".env"]
    other = env.replace(incident.now.id, staging.id).replace(incident.now.client, staging.client).replace(incident.api, "a1b2c3d4e5")
    return inputs(token=token, keys=incident.cloud.jwks(incident.now.id),
                  files={"template.yaml": TEMPLATE, ".env.production": env, ".env.staging": other} | incident.aws())
