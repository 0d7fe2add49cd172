"""Logs of small systems that really ran, each with one fault: refresh and session."""

import json

from common import case, ensure, inputs
from logs_client import App, World, merged, versions

PYTHON = versions("fastapi", "structlog", "PyJWT")
PINO = versions("express", "pino-http", "jsonwebtoken")
WINSTON = versions("express", "winston", "jsonwebtoken")
MORGAN = versions("express", "morgan", "jsonwebtoken")
APP = "a scripted app"


def of(world: World, **logs) -> dict:
    """The inputs of a user who has logs only."""
    return inputs(now=world.now(), logs={name.replace("__", "."): text for name, text in logs.items()})


def race(server, app_a, app_b) -> None:
    """Both use one token within a second, then both go on."""
    app_b.refresh_token, app_b.access = app_a.refresh_token, app_a.access
    first, _ = app_a.refresh()
    second, body = app_b.refresh()
    ensure(first == 200 and second in (400, 401), f"race {first} {second} {body}")


@case("logs-race-two-tabs", family="session", expected=["TN0602"], settling=True, recorded=f"{PINO}, {APP}",
      fault="Two tabs of one browser refresh with the same rotating token within a second; the family is revoked.")
def two_tabs(lab):
    world = World(lab, "2026-10-06T08:12:00")
    server = world.node()
    tab, other = App(server, "ann", device="tab-1"), App(server, "ann", device="tab-2")
    tab.login()
    server.noise(20)
    world.pass_(890)
    race(server, tab, other)
    server.noise(15)
    world.pass_(600)
    ensure(tab.refresh()[0] == 400, "the family is revoked")
    return of(world, api__log=server.log())


@case("logs-race-second-client", family="session", expected=["TN0602"], settling=True,
      recorded=f"{PYTHON}, {APP} that logs in the layout of tracing-subscriber",
      fault="Incident I3: the app's two HTTP clients do not share their refresh; one presents what the other has used.")
def second_client(lab):
    world = World(lab, "2026-09-14T17:40:10")
    server = world.python(refresh_ttl=86400)
    identity = App(server, "omar", "tracing", "identity-client")
    biometric = App(server, "omar", "tracing", "biometric-client")
    identity.login()
    for _ in range(3):
        world.pass_(880)
        ensure(identity.refresh()[0] == 200 and identity.get() == 200, "a quiet hour")
        server.noise(6, 2)
    world.pass_(880)
    race(server, identity, biometric)
    biometric.sign_out("invalid_grant")
    world.pass_(900)
    ensure(identity.refresh()[0] == 400, "all sessions are gone")
    identity.sign_out("invalid_grant")
    return of(world, app__log=merged(identity, biometric), server__log=server.log())


@case("logs-race-clients-only", family="session", expected=["TN0602"], settling=True,
      recorded=f"{PYTHON}, {APP} that logs logfmt",
      fault="The app and its background sync refresh with the same token in the same second; only their own logs are there.")
def clients_only(lab):
    world = World(lab, "2026-11-03T05:59:40")
    server = world.python()
    front, sync = App(server, "lea", "logfmt", "foreground"), App(server, "lea", "logfmt", "background-sync")
    front.login()
    front.get()
    world.pass_(901)
    race(server, front, sync)
    sync.sign_out("invalid_grant")
    ensure(front.get() == 200, "the access token still works")
    world.pass_(905)
    ensure(front.refresh()[0] == 400, "revoked")
    front.sign_out("invalid_grant")
    return of(world, device__log=merged(front, sync))


@case("logs-race-in-noise", family="session", expected=["TN0602"], settling=True, recorded=f"{WINSTON}, {APP}",
      fault="A race of two tabs in a day of innocent traffic, other users' good refreshes among it.")
def race_in_noise(lab):
    world = World(lab, "2026-10-21T00:00:05")
    server = world.node(log="winston")
    others = [App(server, f"user{number}", device=f"d{number}") for number in range(6)]
    for app in others:
        app.login()
    tab, other = App(server, "zoe", device="zoe-tab-a"), App(server, "zoe", device="zoe-tab-b")
    tab.login()
    for turn in range(24):
        server.noise(18, 40)
        for app in others:
            ensure(app.refresh()[0] == 200 and app.get() == 200, "others are well")
        if turn == 15:
            race(server, tab, other)
        elif turn < 15:
            ensure(tab.refresh()[0] == 200, "until then")
    ensure(tab.refresh()[0] == 400, "revoked")
    return of(world, app__json__log=server.log())


@case("logs-response-lost", family="session", expected=["TN0603"], settling=True, recorded=f"{PYTHON}, {APP}",
      fault="The answer to a refresh is lost on the way (timeout); the app presents the used token again 40 s later.")
def response_lost(lab):
    world = World(lab, "2026-08-19T12:01:00")
    server = world.python(plan=["ok", "slow"])
    app = App(server, "mia")
    app.login()
    world.pass_(870)
    ensure(app.refresh()[0] == 200 and app.get() == 200, "the first is well")
    server.noise(5, 3)
    world.pass_(850)
    ensure(app.refresh(timeout=0.4)[0] == 0, "lost")
    world.pass_(40)
    ensure(app.refresh()[0] == 400, "used")
    app.sign_out("invalid_grant")
    return of(world, app__log=app.text(), auth__log=server.log())


@case("logs-successor-never-kept", family="session", expected=["TN0603"], settling=True, recorded=f"{PINO}, {APP}",
      fault="The app crashed after a refresh before it had written the new token; three days later it presents the old one.")
def successor_never_kept(lab):
    world = World(lab, "2026-07-01T09:30:00")
    server = world.node()
    app = App(server, "ivo")
    app.login()
    world.pass_(700)
    kept = app.refresh_token
    ensure(app.refresh()[0] == 200, "the server rotates")
    server.noise(25, 9000)
    app.refresh_token = kept
    ensure(app.refresh()[0] == 400, "reuse after days")
    return of(world, api__log=server.log())


@case("logs-response-lost-logfmt", family="session", expected=["TN0603"], settling=False,
      recorded=f"{PYTHON} (LogfmtRenderer), {APP}",
      fault="As the response is lost; only the server's log is there, so a thief would look alike.")
def response_lost_server_only(lab):
    world = World(lab, "2026-08-02T21:07:31")
    server = world.python(plan=["slow"], log="logfmt")
    app = App(server, "eli")
    app.login()
    world.pass_(899)
    ensure(app.refresh(timeout=0.4)[0] == 0, "lost")
    server.noise(3, 20)
    ensure(app.refresh()[0] == 400, "used")
    return of(world, auth__log=server.log())


def wiped(world, server, app, expect, timeout=5):
    """A refresh that fails for a moment, and an app that takes it for the end."""
    app.login()
    app.get()
    world.pass_(895)
    status, _ = app.refresh(timeout=timeout)
    ensure(status == expect, f"{status} and not {expect}")
    app.sign_out("refresh failed")
    app.event("navigate", to="/login")


@case("logs-wiped-on-503", family="session", expected=["TN0604"], settling=True, recorded=f"{PINO}, {APP}",
      fault="The token endpoint answers 503 once, and the app signs the user out in the same second.")
def wiped_503(lab):
    world = World(lab, "2026-10-30T14:02:00")
    server = world.node(plan=["503"])
    app = App(server, "kim")
    wiped(world, server, app, 503)
    server.noise(10)
    return of(world, client__log=app.text(), api__log=server.log())


@case("logs-wiped-on-timeout", family="session", expected=["TN0604"], settling=True,
      recorded=f"{WINSTON}, {APP} that logs logfmt",
      fault="Incident I3: a refresh times out on a dead connection, and the app clears all tokens.")
def wiped_timeout(lab):
    world = World(lab, "2026-09-02T07:45:00")
    server = world.node(log="winston", plan=["hang"])
    app = App(server, "noa", "logfmt")
    wiped(world, server, app, 0, timeout=0.3)
    return of(world, app__log=app.text())


@case("logs-wiped-on-429", family="session", expected=["TN0604", "TN0316"], settling=True,
      recorded=f"{PYTHON}, {APP} that logs as winston does",
      fault="Too many refreshes at once: 429, and the app signs the user out instead of waiting.")
def wiped_429(lab):
    world = World(lab, "2026-11-12T18:00:00")
    server = world.python(plan=["429"])
    app = App(server, "raj", "winston")
    wiped(world, server, app, 429)
    server.noise(12, 3)
    return of(world, app__json=app.text(), access__log=server.log())


@case("logs-wiped-on-waf", family="session", expected=["TN0604", "TN0207"], settling=True,
      recorded=f"{PYTHON} with Cognito's documented answer behind a WAF, {APP} that logs in the layout of tracing-subscriber",
      fault="A web application firewall refuses the refresh with 403, and the app takes it for a dead session.")
def wiped_waf(lab):
    world = World(lab, "2026-06-18T10:15:00")
    server = world.python(plan=["waf"])
    app = App(server, "sam", "tracing")
    wiped(world, server, app, 403)
    return of(world, app__log=app.text())


@case("logs-wiped-har", family="session", expected=["TN0604"], settling=False,
      recorded=f"{PINO}, {APP} that keeps a HAR as Chrome exports it (sanitized)",
      fault="A 502 on refresh, after which the page loads /login; only the HAR is there.")
def wiped_har(lab):
    world = World(lab, "2026-10-12T16:20:00")
    server = world.node(plan=["502"])
    app = App(server, "uma")
    app.login()
    app.get()
    world.pass_(890)
    ensure(app.refresh()[0] == 502, "502")
    app.access = app.refresh_token = ""
    app.call("GET", "/login")
    return of(world, session__har=app.har())


def never(world, server, users, rounds=2):
    """Each user signs in, works until the access token ends, and is refused."""
    apps = [App(server, user, ip=f"198.51.100.{10 + number}") for number, user in enumerate(users)]
    for round_ in range(rounds):
        for app in apps:
            app.login()
            for _ in range(3):
                world.pass_(280)
                ensure(app.get() == 200, "within the lifetime")
            world.pass_(62)
            ensure(app.get() == 401, "after it")
            app.sign_out("401")
            server.noise(4, 30)
    return apps


@case("logs-refresh-never-called", family="session", expected=["TN0601", "TN0415"], settling=True, recorded=f"{PYTHON}, {APP}",
      fault="Incident I2: nothing in the app calls refresh; every user is refused 15 minutes after each login.")
def never_called(lab):
    world = World(lab, "2026-05-20T08:00:00")
    server = world.python()
    apps = never(world, server, ["ada", "bob", "cho"])
    ensure("/auth/refresh" not in server.log(), "no refresh")
    return of(world, server__log=server.log(), app__log=merged(*apps))


@case("logs-refresh-never-called-combined", family="session", expected=["TN0601", "TN0415"], settling=True,
      recorded=f"{MORGAN}, {APP}",
      fault="Nobody refreshes; there is an access log in the combined format only.")
def never_called_combined(lab):
    world = World(lab, "2026-04-11T06:30:00")
    server = world.node(log="morgan")
    never(world, server, ["ann", "ben", "cleo", "dora"])
    ensure("refresh" not in server.log(), "no refresh")
    return of(world, access__log=server.log())


@case("logs-refresh-never-called-har", family="session", expected=["TN0601", "TN0415"], settling=False,
      recorded=f"{PYTHON}, {APP} that keeps a HAR (not sanitized)",
      fault="One page's life in a HAR: login, requests, 401 after five minutes, login again; no refresh in between.")
def never_called_har(lab):
    world = World(lab, "2026-10-02T11:00:00")
    server = world.python(access_ttl=300)
    app = App(server, "pia")
    for _ in range(2):
        app.login()
        for _ in range(4):
            world.pass_(70)
            ensure(app.get() == 200, "within the lifetime")
        world.pass_(25)
        ensure(app.get() == 401, "after it")
    return of(world, page__har=app.har(sanitized=False))


@case("logs-refresh-never-called-pino", family="session", expected=["TN0601", "TN0415"], settling=True, recorded=f"{PINO}, {APP}",
      fault="The refresh token is stored and never read; the service's log has every user's 401 one lifetime after login.")
def never_called_pino(lab):
    world = World(lab, "2026-03-09T13:00:00")
    server = world.node(accessTtl=900)
    never(world, server, ["eva", "finn", "gus"])
    return of(world, service__ndjson=server.log())


@case("logs-fresh-token-refused-secret", family="verifier", expected=["TN0407"], settling=True,
      recorded=f"{PYTHON}, {APP}",
      fault="The service that verifies has another HS256 secret than the one that signs; refreshed tokens are refused too.")
def fresh_refused(lab):
    world = World(lab, "2026-11-17T09:05:00")
    server = world.python(verify_with="another-secret-of-thirty-two-bytes")
    app = App(server, "ines")
    app.login()
    ensure(app.get() == 401, "refused")
    ensure(app.refresh()[0] == 200, "refreshed")
    ensure(app.get() == 401, "refused again")
    app.event("auth_retry_exhausted", "error", status=401, had_retry_token=True)
    found = of(world, app__log=app.text(), api__log=server.log())
    files = {"auth/.env": "JWT_SECRET=corpus-secret-of-thirty-two-bytes!\nPORT=8080\n",
             "api/.env": "JWT_SIGNING_KEY=another-secret-of-thirty-two-bytes\nPORT=8081\n"}
    return {**found, "token": app.access, "files": [{"name": name, "text": text} for name, text in files.items()]}


@case("logs-request-before-restore", family="client", expected=["TN0101"], settling=True, recorded=f"{PYTHON}, {APP}",
      fault="Incident I1: the first requests after the start leave before the stored session is read, so without a token.")
def before_restore(lab):
    world = World(lab, "2026-11-09T07:14:03")
    server = world.python()
    app = App(server, "tess")
    app.login()
    app.lines.clear()
    kept, app.access = app.access, ""
    for start in range(3):
        app.event("app_started", cold=True)
        ensure(app.get("/api/feed", token=False) == 401 and app.get("/api/memories", token=False) == 401, "without a token")
        app.event("session_restore_started")
        world.pass_(0.4)
        app.access = kept
        app.event("session_restore_completed", keys_present=4, access_token_length=len(kept))
        ensure(app.get() == 200, "with it")
        app.access = ""
        world.pass_(100)
    return of(world, device__log=app.text())


@case("logs-request-before-restore-server", family="client", expected=["TN0101"], settling=False,
      recorded=f"{PINO}, {APP}",
      fault="The same start-up race, seen in the service's log: each start begins with 401 without a token, then 200.")
def before_restore_server(lab):
    world = World(lab, "2026-11-09T19:00:00")
    server = world.node()
    app = App(server, "vic")
    app.login()
    for _ in range(4):
        ensure(app.get("/api/feed", token=False) == 401, "without a token")
        world.pass_(0.5)
        ensure(app.get() == 200 and app.get("/api/me") == 200, "with it")
        world.pass_(120)
    return of(world, api__log=server.log())


@case("logs-store-key-missing", family="client", expected=["TN0611"], settling=True, recorded=f"{PYTHON}, {APP}",
      fault="The session is split over four keys of the device's store; one cannot be read, and the app shows the login though the refresh token is there.")
def key_missing(lab):
    world = World(lab, "2026-11-15T22:41:00")
    server = world.python()
    app = App(server, "wim")
    app.login()
    lengths = {"accessToken": len(app.access), "idToken": 1091, "refreshToken": len(app.refresh_token), "meta": 96}
    app.event("store_session_write_succeeded", keys=list(lengths), lengths=lengths)
    ensure(app.get() == 200, "signed in")
    world.pass_(300)
    app.event("app_started", cold=True)
    app.event("store_session_read", "warn", keys_present=["accessToken", "refreshToken", "meta"], keys_missing=["idToken"],
              lengths={**lengths, "idToken": 0})
    app.event("session_restore_completed", session=False, reason="incomplete")
    app.event("redirect", to="/login", reason="no session")
    ensure(app.get(quiet=True) == 200, "the server would have known the user")
    return of(world, device__log=app.text())


@case("logs-empty-refresh-token", family="session", expected=["TN0605"], settling=True,
      recorded=f"{PYTHON}, {APP} that logs as winston does",
      fault="Incident I3: the answer to a refresh has no refresh_token; the app stores an empty one, and presents it next time.")
def empty_token(lab):
    world = World(lab, "2026-09-25T15:10:00")
    server = world.python(rotate=False)
    app = App(server, "yara", "winston")
    app.login()
    world.pass_(890)
    ensure(app.refresh(blank=True)[0] == 200 and app.refresh_token == "", "stored empty")
    app.event("store_session_write_succeeded", access_token_length=len(app.access), refresh_token_length=0)
    ensure(app.get() == 200, "goes on")
    world.pass_(890)
    ensure(app.refresh()[0] == 400, "empty")
    app.sign_out("invalid_grant")
    return of(world, app__log=app.text(), auth__log=server.log())


@case("logs-empty-refresh-token-server", family="session", expected=["TN0605"], settling=True,
      recorded=f"{PINO}, {APP}",
      fault="The service does not repeat the refresh token; apps store an empty one. Only the service's log is there.")
def empty_token_server(lab):
    world = World(lab, "2026-09-26T15:10:00")
    server = world.node(omitRefresh=True, rotate=False)
    apps = [App(server, user) for user in ("abe", "bea")]
    for app in apps:
        app.login()
    world.pass_(880)
    for app in apps:
        ensure(app.refresh(blank=True)[0] == 200, "without one")
    server.noise(10)
    world.pass_(880)
    for app in apps:
        ensure(app.refresh()[0] == 400, "empty")
    return of(world, api__log=server.log())


@case("logs-memory-cache", family="session", expected=["TN0606"], settling=True,
      recorded=f"{versions('fastapi')} with logging of the standard library, {APP}",
      fault="Incident I5: refresh tokens are kept in a dictionary of the process; after a restart nobody can refresh.")
def memory_cache(lab):
    world = World(lab, "2026-02-11T09:00:00")
    server = world.python(log="plain")
    app = App(server, "carl")
    app.login()
    ensure(app.get() == 200, "signed in")
    world.pass_(120)
    first, port = server.log(), server.port
    server.stop()
    server = world.python("api", port, log="plain")
    world.pass_(60)
    ensure(app.refresh()[0] == 401, "unknown after the restart")
    app.event("auth_check_failed", "error", message="No JWT token found in storage")
    app.sign_out("Session expired")
    return of(world, backend__log=first + server.log(), browser__log=app.text())


@case("logs-memory-cache-line-only", family="session", expected=["TN0606"], settling=True,
      recorded=f"{versions('fastapi')} with logging of the standard library, {APP}",
      fault="The same backend before anything went wrong but two refused refreshes after a deploy; only its log is there.")
def memory_cache_line(lab):
    world = World(lab, "2026-02-12T11:00:00")
    server = world.python(log="plain")
    apps = [App(server, user) for user in ("dan", "eve")]
    for app in apps:
        app.login()
    server.noise(30, 4)
    first, port = server.log(), server.port
    server.stop()
    server = world.python("api", port, log="plain")
    for app in apps:
        ensure(app.refresh()[0] == 401, "unknown")
    return of(world, uvicorn__log=first + server.log())


@case("logs-workers-disagree", family="session", expected=["TN0606"], settling=True, recorded=f"{PYTHON}, {APP}",
      fault="Three workers, each with refresh tokens in its own memory: a refresh works only where the token was issued.")
def workers(lab):
    world = World(lab, "2026-01-28T20:00:00")
    servers = [world.python(f"worker-{number}") for number in (1, 2, 3)]
    apps = [App(servers[number % 3], f"user{number}") for number in range(6)]
    for app in apps:
        app.login()
    seen = []
    for turn in range(4):
        world.pass_(300)
        for number, app in enumerate(apps):
            app.server = servers[(number + turn) % 3]
            seen.append(app.refresh()[0])
            if seen[-1] != 200:
                app.login()
    ensure({200, 400} <= set(seen), f"they disagree: {seen}")
    logs = {f"{server.name}.log": server.log() for server in servers}
    return inputs(now=world.now(), logs=logs)


@case("logs-random-secret-restart", family="verifier", expected=["TN0409"], settling=True, recorded=f"{WINSTON}, {APP}",
      fault="The signing secret is made anew at each start; after a restart every token has a bad signature.")
def random_secret(lab):
    world = World(lab, "2026-10-15T03:00:00")
    server = world.node(log="winston", secret="random")
    apps = [App(server, f"user{number}") for number in range(5)]
    for app in apps:
        app.login()
        ensure(app.get() == 200, "before")
    first, port = server.log(), server.port
    server.stop()
    world.pass_(20)
    server = world.node("api", port, log="winston", secret="random")
    for app in apps:
        ensure(app.get() == 401, "after")
        app.login()
        ensure(app.get() == 200, "a new login helps")
    return of(world, api__log=first + server.log())


@case("logs-random-secret-workers", family="verifier", expected=["TN0409"], settling=True, recorded=f"{PYTHON}, {APP}",
      fault="Two replicas, each with a secret of its own making: every other request has a bad signature.")
def random_secret_workers(lab):
    world = World(lab, "2026-10-16T12:00:00")
    servers = [world.python(f"pod-{name}", secret="random") for name in ("7f9c", "b2d1")]
    app = App(servers[0], "hal")
    app.login()
    seen = []
    for turn in range(12):
        app.server = servers[turn % 2]
        seen.append(app.get())
        world.pass_(5)
    ensure(seen == [200, 401] * 6, f"alternating: {seen}")
    lines = "".join(server.log() for server in servers).splitlines()
    lines.sort(key=lambda line: json.loads(line)["timestamp"])
    return of(world, pods__log="\n".join(lines) + "\n")


@case("logs-cleared-silently", family="client", expected=["TN0611"], settling=True, recorded=f"{PYTHON}, {APP}",
      fault="Incident I1: the cached session is cleared without telling the user interface, which goes on as signed in.")
def cleared(lab):
    world = World(lab, "2026-11-10T18:20:00")
    server = world.python()
    app = App(server, "jan")
    app.login()
    app.event("ui_state", signed_in=True)
    ensure(app.get() == 200, "signed in")
    world.pass_(200)
    app.event("session_cache_cleared", "warn", reason="profile refetch failed", notified_ui=False)
    app.access = ""
    app.event("ui_state", signed_in=True, screen="feed")
    ensure(app.get(token=False) == 401, "without a token")
    app.event("ui_state", signed_in=True, screen="settings")
    app.event("auth_gate_redirect", "warn", to="/login", reason="no session", ui_signed_in=True)
    return of(world, app__log=app.text())


@case("logs-refresh-token-idle", family="session", expected=["TN0610"], settling=True,
      recorded=f"{PYTHON} with Keycloak's texts, {APP} that logs logfmt",
      fault="The session's idle time (30 min) is shorter than the app's pauses; the refresh says that the session is not active.")
def idle(lab):
    world = World(lab, "2026-06-02T09:00:00")
    server = world.python(idle=1800)
    app = App(server, "ola", "logfmt")
    app.login()
    for _ in range(3):
        world.pass_(800)
        ensure(app.refresh()[0] == 200, "while used")
    world.pass_(2100)
    status, body = app.refresh()
    ensure(status == 400 and "Session not active" in body, body)
    app.sign_out("invalid_grant")
    return of(world, app__log=app.text(), auth__log=server.log())
