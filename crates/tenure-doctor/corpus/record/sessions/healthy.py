"""Logs of small systems without a fault, with things in them that look alarming."""

from lab.common import case, ensure, inputs
from lab.versions import versions
from lab.world import App, World, merged
from lab.world import APP, MORGAN, PINO, FASTAPI, WINSTON, of


@case("logs-healthy-recovered-503", family="healthy", recorded=f"{FASTAPI}, {APP}",
      fault="None: the token endpoint was down for a moment; the app kept the session and tried again.")
def recovered(lab):
    world = World(lab, "2026-10-30T10:00:00")
    server = world.python(plan=["503", "503", "429"])
    app = App(server, "ann")
    app.login()
    world.pass_(840)
    for expect, wait in ((503, 2), (503, 6), (429, 12)):
        ensure(app.refresh()[0] == expect, str(expect))
        app.event("token_refresh_postponed", "warn", status=expect, retry_in_s=wait, session_kept=True)
        world.pass_(wait)
    ensure(app.refresh()[0] == 200 and app.get() == 200, "recovered")
    server.noise(12)
    return of(world, app__log=app.text(), auth__log=server.log())


@case("logs-healthy-late-refresh", family="healthy", recorded=f"{PINO}, {APP} that logs logfmt",
      fault="None: the app refreshes after a 401, once, and goes on; each hour begins with a 401.")
def late(lab):
    world = World(lab, "2026-09-09T09:00:00")
    server = world.node()
    app = App(server, "ben", "logfmt")
    app.login()
    for _ in range(6):
        world.pass_(905)
        ensure(app.get() == 401, "expired")
        ensure(app.refresh()[0] == 200 and app.get() == 200 and app.get("/api/me") == 200, "refreshed")
        server.noise(3, 30)
    return of(world, app__log=app.text(), api__log=server.log())


@case("logs-healthy-race-with-grace", family="healthy", recorded=f"{FASTAPI}, {APP} that logs in the layout of tracing-subscriber",
      fault="None: two tabs refresh with one token within a second, and the service's grace lets both through.")
def grace(lab):
    world = World(lab, "2026-10-06T08:12:00")
    server = world.python(grace=30)
    tab, other = App(server, "cleo", "tracing", "tab-1"), App(server, "cleo", "tracing", "tab-2")
    tab.login()
    for _ in range(3):
        world.pass_(880)
        other.refresh_token = tab.refresh_token
        ensure(tab.refresh()[0] == 200 and other.refresh()[0] == 200, "both")
        ensure(tab.get() == 200 and other.get() == 200, "both go on")
    return of(world, tabs__log=merged(tab, other), server__log=server.log())


@case("logs-healthy-scanners", family="healthy", recorded=f"{MORGAN}, {APP}",
      fault="None: an access log full of 401 and 404 of scanners without a token; the users' own requests are all well.")
def scanners(lab):
    world = World(lab, "2026-04-12T00:00:00")
    server = world.node(log="morgan")
    apps = [App(server, user, ip=f"203.0.113.{20 + number}") for number, user in enumerate(("dan", "eva", "fay"))]
    for app in apps:
        app.login()
    for turn in range(40):
        for path in ("/.env", "/wp-login.php", "/api/users", "/api/admin"):
            server.send("GET", path, headers={"user-agent": "Mozilla/5.0 zgrab/0.x", "x-forwarded-for": "192.0.2.66"})
        world.pass_(60)
        for app in apps:
            if turn % 13 == 12:
                ensure(app.refresh()[0] == 200, "refreshed in time")
            ensure(app.get() == 200, "well")
    return of(world, access__log=server.log())


@case("logs-healthy-har", family="healthy", recorded=f"{FASTAPI}, {APP} that keeps a HAR as Chrome exports it (sanitized)",
      fault="None: a sanitized HAR has no Authorization header in it, and every request was answered 200.")
def har(lab):
    world = World(lab, "2026-10-02T11:00:00")
    server = world.python()
    app = App(server, "gil")
    app.login()
    for _ in range(5):
        ensure(app.get() == 200, "well")
        world.pass_(200)
    ensure(app.refresh()[0] == 200 and app.get() == 200, "refreshed")
    return of(world, page__har=app.har())


@case("logs-healthy-restart", family="healthy", recorded=f"{versions('fastapi')} with SQLite, {APP}",
      fault="None: the service is restarted twice; its refresh tokens are in a database, and everybody goes on.")
def restart(lab):
    world = World(lab, "2026-02-12T09:00:00")
    store = str(lab.folder / "sessions.db")
    server = world.python(log="plain", store=store)
    app, log = App(server, "hana"), ""
    app.login()
    for _ in range(2):
        log += server.log()
        port = server.port
        server.stop()
        world.pass_(15)
        server = app.server = world.python("api", port, log="plain", store=store)
        world.pass_(600)
        ensure(app.refresh()[0] == 200 and app.get() == 200, "goes on")
    return of(world, backend__log=log + server.log(), app__log=app.text())


@case("logs-healthy-busy-day", family="healthy", recorded=f"{WINSTON}, {APP}",
      fault="None: many users, refreshes in time, callers without a token among them.")
def busy(lab):
    world = World(lab, "2026-10-22T00:00:05")
    server = world.node(log="winston")
    apps = [App(server, f"user{number}", device=f"d{number}") for number in range(8)]
    for app in apps:
        app.login()
    for _ in range(10):
        server.noise(20, 40)
        for app in apps:
            ensure(app.refresh()[0] == 200 and app.get() == 200, "well")
    return of(world, app__json__log=server.log())


@case("logs-healthy-expected-end", family="healthy", recorded=f"{FASTAPI}, {APP}",
      fault="None: a user signs out by hand, and signs in again; another one signs in for the first time.")
def expected_end(lab):
    world = World(lab, "2026-07-20T18:00:00")
    server = world.python()
    app, other = App(server, "ida"), App(server, "jon")
    app.login()
    ensure(app.get() == 200, "well")
    world.pass_(400)
    app.sign_out("user", name="signed_out")
    world.pass_(50)
    app.login()
    other.login()
    ensure(app.get() == 200 and other.get() == 200, "well")
    return inputs(now=world.now(), logs={"app.log": merged(app, other), "server.log": server.log()})
