"""Session services that are asked to refresh, and logs that only a mixture of programs makes."""

import json
import time

from applications.secret import in_turn
from lab.common import Lab, case, ensure, inputs, only, record, status, target
from lab.world import App, World
from lab.world import APP, MORGAN, PINO, FASTAPI


def refreshing(world: World, port: int, app: App, refreshes: int) -> dict:
    """Probes the API, and refreshes with the app's token."""
    wanted = target(f"http://127.0.0.1:{port}/api/feed")
    refresh = {"url": f"http://127.0.0.1:{port}/auth/refresh", "json": {"refresh_token": app.refresh_token}, "token_field": "refresh_token"}
    return record(wanted, app.access, refresh=refresh, refreshes=refreshes)


def real_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


@case("sessions-workers-refresh", family="session", expected=["TN0606"], settling=False, recorded=FASTAPI,
      fault="Two workers keep refresh tokens in memory of their own; the same refresh is answered 200 and 400 in turn. No log is there.")
def workers(lab: Lab):
    world = World(lab, real_now())
    one, two = world.python("one", rotate=False), world.python("two", rotate=False)
    app = App(one, "ann")
    app.login()
    with in_turn(one.port, two.port) as port:
        exchanges = refreshing(world, port, app, 6)
    seen = [exchange["result"]["Ok"]["status"] for exchange in only(exchanges, "refresh", "refresh-again-*")]
    ensure({200, 400} <= set(seen), f"they disagree: {seen}")
    return inputs(token=app.access, target=target(f"http://127.0.0.1:{port}/api/feed"), exchanges=exchanges)


@case("sessions-workers-refresh-log", family="session", expected=["TN0606"], settling=True, recorded=FASTAPI,
      fault="As two workers with refresh tokens in memory of their own; their log says so.")
def workers_log(lab: Lab):
    world = World(lab, real_now())
    one, two = world.python("one", rotate=False, log="plain"), world.python("two", rotate=False, log="plain")
    app = App(one, "ann")
    app.login()
    with in_turn(one.port, two.port) as port:
        exchanges = only(refreshing(world, port, app, 4), "client", "bare", "refresh", "refresh-again-*")
    lines = sorted((one.log() + two.log()).splitlines())
    return inputs(token=app.access, target=target(f"http://127.0.0.1:{port}/api/feed"), exchanges=exchanges,
                  logs={"workers.log": "\n".join(lines) + "\n"})


@case("sessions-healthy-rotation", family="healthy", recorded=FASTAPI,
      fault="None: refresh tokens rotate, each refresh with the last one's successor works.")
def rotation(lab: Lab):
    world = World(lab, real_now())
    server = world.python()
    app = App(server, "ben")
    app.login()
    exchanges = refreshing(world, server.port, app, 3)
    seen = {exchange["result"]["Ok"]["status"] for exchange in only(exchanges, "refresh", "refresh-again-*")}
    ensure(seen == {200} and status(exchanges, "client") == 200, f"well: {seen}")
    return inputs(token=app.access, target=target(f"http://127.0.0.1:{server.port}/api/feed"), exchanges=exchanges)


@case("sessions-device-clock-har", family="verifier", expected=["TN0417", "TN0415"], settling=True, recorded=f"{FASTAPI}, {APP} that keeps a HAR",
      fault="The device's clock is two hours behind: it takes its token for good and never refreshes, the service says 401.")
def device_clock(lab: Lab):
    world = World(lab, real_now())
    server = world.python(access_ttl=2)
    app = App(server, "cho")
    app.login()
    time.sleep(2.2)
    for _ in range(3):
        ensure(app.get() == 401, "expired")
    har = json.loads(app.har(sanitized=False))
    for entry in har["log"]["entries"]:
        moment = time.mktime(time.strptime(entry["startedDateTime"][:19], "%Y-%m-%dT%H:%M:%S")) - 7200
        entry["startedDateTime"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(moment)) + entry["startedDateTime"][19:]
    return inputs(now=world.now(), logs={"device.har": json.dumps(har, indent=1)})


def composed(*parts: tuple[str, str]) -> str:
    """Several logs as `docker compose logs` prints them: the service's name before each line."""
    return "".join(f"{name:<9} | {line}\n" for name, text in parts for line in text.splitlines())


@case("logs-compose-race", family="session", expected=["TN0602"], settling=True, recorded=f"{PINO}; {MORGAN}; {FASTAPI}; {APP}",
      fault="A race of two tabs, in the log of three services together as docker compose prints it.")
def compose(lab: Lab):
    world = World(lab, "2026-11-05T12:00:00")
    auth, web, jobs = world.node("auth"), world.node("web", log="morgan"), world.python("jobs", log="plain", store=str(lab.folder / "jobs.db"))
    one, two = App(auth, "dee", device="tab-1"), App(auth, "dee", device="tab-2")
    one.login()
    for server in (web, jobs):
        server.noise(15, 20)
    world.pass_(300)
    two.refresh_token = one.refresh_token
    ensure(one.refresh()[0] == 200 and two.refresh()[0] == 400, "race")
    web.noise(5, 10)
    world.pass_(800)
    ensure(one.refresh()[0] == 400, "revoked")
    return inputs(now=world.now(), logs={"compose.log": composed(("auth-1", auth.log()), ("web-1", web.log()), ("jobs-1", jobs.log()))})


@case("logs-pretty-wiped", family="session", expected=["TN0604"], settling=True, recorded=f"{FASTAPI}, {APP}",
      fault="A 504 on refresh and a sign-out at once, in a device log without times, between lines of other parts of the app.")
def pretty(lab: Lab):
    world = World(lab, "2026-11-06T07:00:00")
    server = world.python(plan=["504"])
    app = App(server, "eli", "bare")
    app.login()
    for number in range(12):
        app.lines.append(f" LOG  [feed] rendered {{\"items\": {number * 3}}}")
        ensure(app.get(quiet=number % 4 > 0) == 200, "well")
    app.lines.append(" WARN  Require cycle: src/api/client.ts -> src/auth/session.ts -> src/api/client.ts")
    world.pass_(880)
    ensure(app.refresh()[0] == 504, "504")
    app.sign_out("refresh failed")
    app.lines.append(" LOG  [nav] replace {\"to\": \"/login\"}")
    return inputs(now=world.now(), logs={"metro.log": app.text()})
