"""Logs of small systems that really ran, each with one fault: who refreshes when, and what an answer ends."""

from lab.common import case, ensure
from lab.world import APP, FASTAPI, MORGAN, PINO, WINSTON, App, World, merged, of


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
      recorded=f"{FASTAPI}, {APP} that logs in the layout of tracing-subscriber",
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
      recorded=f"{FASTAPI}, {APP} that logs logfmt",
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


@case("logs-response-lost", family="session", expected=["TN0603"], settling=True, recorded=f"{FASTAPI}, {APP}",
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
      recorded=f"{FASTAPI} (LogfmtRenderer), {APP}",
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
      recorded=f"{FASTAPI}, {APP} that logs as winston does",
      fault="Too many refreshes at once: 429, and the app signs the user out instead of waiting.")
def wiped_429(lab):
    world = World(lab, "2026-11-12T18:00:00")
    server = world.python(plan=["429"])
    app = App(server, "raj", "winston")
    wiped(world, server, app, 429)
    server.noise(12, 3)
    return of(world, app__json=app.text(), access__log=server.log())


@case("logs-wiped-on-waf", family="session", expected=["TN0604", "TN0207"], settling=True,
      recorded=f"{FASTAPI} with Cognito's documented answer behind a WAF, {APP} that logs in the layout of tracing-subscriber",
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


@case("logs-refresh-never-called", family="session", expected=["TN0601", "TN0415"], settling=True, recorded=f"{FASTAPI}, {APP}",
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
      recorded=f"{FASTAPI}, {APP} that keeps a HAR (not sanitized)",
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
