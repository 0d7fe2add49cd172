"""Logs of small systems that really ran, each with one fault: what is kept, where, and by how many."""

import json

from lab.common import case, ensure, inputs
from lab.versions import versions
from lab.world import APP, FASTAPI, PINO, WINSTON, App, World, of


@case("logs-fresh-token-refused-secret", family="verifier", expected=["TN0407"], settling=True,
      recorded=f"{FASTAPI}, {APP}",
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


@case("logs-request-before-restore", family="client", expected=["TN0101"], settling=True, recorded=f"{FASTAPI}, {APP}",
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


@case("logs-store-key-missing", family="client", expected=["TN0611"], settling=True, recorded=f"{FASTAPI}, {APP}",
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
      recorded=f"{FASTAPI}, {APP} that logs as winston does",
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


@case("logs-workers-disagree", family="session", expected=["TN0606"], settling=True, recorded=f"{FASTAPI}, {APP}",
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


@case("logs-random-secret-workers", family="verifier", expected=["TN0409"], settling=True, recorded=f"{FASTAPI}, {APP}",
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


@case("logs-cleared-silently", family="client", expected=["TN0611"], settling=True, recorded=f"{FASTAPI}, {APP}",
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
      recorded=f"{FASTAPI} with Keycloak's texts, {APP} that logs logfmt",
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
