"""Sessions at Tenure's service that end, stores that fail, and pages that are refused; with the logs of a busy service."""

import contextlib
import json
import signal
import subprocess
import time

from issuers.tenure_deployed import at_edge, faked, fronted
from lab import tenure as tenure_lab
from lab.common import answer, case, ensure, inputs, only, other_clock, status, target, without
from lab.crowd import AGENTS, NAMES, add_users, bustle, enter, together, visitors
from lab.edges import fetch, field, har, logs, page
from lab.formats import event
from lab.tenure import SYSTEM, Service, ready
from lab.wire import later, sent

REDIS = f"{SYSTEM}, Redis 7.0.15"
PAGE = "https://shop.example.com"


def redis(lab, *more, port=None):
    port = port or lab.port()
    child = lab.start("redis", ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes",
                                "--dir", lab.folder, "--maxmemory-policy", "noeviction", *more], port=port)
    return port, child


def on_redis(lab):
    port, child = redis(lab)
    service = Service(lab, config=f'[store]\nurl = "redis://127.0.0.1:{port}"\n')
    return service, port, child


@case("tenure-redis-gone", family="tenure", recorded=REDIS, expected=["TN0705"], settling=True,
      fault="Redis, which holds the sessions, was stopped; the service answers 503 to each refresh.")
def redis_gone(lab):
    service, _, child = on_redis(lab)
    emails = add_users(service)
    bustle(service, emails, rounds=3)
    tokens = service.sign_in()
    child.terminate()
    child.wait()
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]), timeout_s=30,
                          only=["client", "bare", "discovery", "refresh", "refresh-again-1"])
    ensure(answer(seen["exchanges"], "refresh")["status"] == 503, str(answer(seen["exchanges"], "refresh")))
    return inputs(**seen, logs=service.log(), files=service.toml() | ready(service))


@case("tenure-disk-full", family="tenure", recorded=SYSTEM, expected=["TN0705"], settling=True,
      fault="The disk of the data folder is full: sign-ins and refreshes are answered with 503.")
def disk_full(lab):
    data = lab.folder / "tenure-data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", data], check=True)
    lab._closing.callback(subprocess.run, ["umount", "--lazy", data], check=True)
    service = Service(lab)
    emails = add_users(service)
    bustle(service, emails, rounds=2)
    tokens = service.sign_in()
    with contextlib.suppress(OSError), open(data / "core.1472", "wb", buffering=0) as other:
        while other.write(bytes(4096)):
            pass
    together([lambda email=email: enter(service, email) for email in emails])
    for _ in range(60):
        code, _, more = service.refresh(tokens["refresh_token"])
        if code == 503:
            break
        tokens = more
    ensure(code == 503, str(more))
    disk = subprocess.run(["df", "-h", data], capture_output=True, text=True).stdout
    return inputs(logs=service.log(), files=ready(service) | {"df.txt": disk})


@case("tenure-redis-clock-apart", family="tenure", recorded=REDIS, expected=["TN0708"], settling=True,
      fault="The service's machine is four minutes behind that of Redis: it does not believe its clock, and no session begins.")
def redis_clock(lab):
    port, _ = redis(lab)
    service = Service.__new__(Service)
    faked(service, lab, other_clock(-240), config=f'[store]\nurl = "redis://127.0.0.1:{port}"\n')
    code, answered = enter(service, "demo@example.com", password="demo-password")
    ensure(code == 503, f"{code} {answered}")
    body = json.dumps({"email": "demo@example.com", "password": "demo-password", "client_id": "app"}).encode()
    exchange = sent("client", f"{service.base}/api/auth/login", body, {"content-type": "application/json"})
    exchange["request"]["body_bytes"] = len(body)
    return inputs(target=target(f"{service.base}/api/auth/login", "POST", issuer=service.base), exchanges=[exchange],
                  logs=service.log(), files=ready(service))


@case("tenure-theft-among-many", family="tenure", recorded=SYSTEM, expected=["TN0704", "TN0602"], settling=True,
      fault="One of eight users' refresh tokens was copied to a second device, and both went on; the service's log of a busy minute.")
def theft(lab):
    service = Service(lab)
    emails = add_users(service)

    def copied():
        _, tokens = enter(service, emails[2])
        stolen = first = tokens["refresh_token"]
        for _ in range(3):
            time.sleep(0.3)
            first = service.refresh(first)[2]["refresh_token"]
        service.later(1800)
        first = service.refresh(first)[2]["refresh_token"]
        ensure(service.refresh(stolen)[2].get("tenure_reason") == "theft_detected", "noticed")
        ensure(service.refresh(first)[0] == 400, "both are out")

    together([copied, lambda: bustle(service, emails, rounds=4)])
    ensure("theft_detected" in service.log()["tenure.log"], "logged")
    return inputs(logs=service.log())


@case("tenure-theft-app-side", family="tenure", recorded=SYSTEM, expected=["TN0704", "TN0602"], settling=True,
      fault="A backup of the phone was restored on another phone, which used the same refresh token; the first phone has its answer only.")
def theft_app(lab):
    service = Service(lab)
    stolen = service.sign_in()["refresh_token"]
    mine = service.refresh(stolen)[2]["refresh_token"]
    mine = service.refresh(mine)[2]["refresh_token"]
    service.later(3600)
    mine = service.refresh(mine)[2]
    service.refresh(stolen)
    exchanges = service.record(None, only=["refresh"], refresh=service.refreshing(mine["refresh_token"]))["exchanges"]
    ensure("theft_detected" in answer(exchanges, "refresh")["body"], "theft")
    return inputs(now=int(time.time()) + 3600, exchanges=later(exchanges, 3600))


@case("tenure-account-disabled-among-many", family="tenure", recorded=SYSTEM, expected=["TN0702"], settling=True,
      fault="Support disabled one account on a busy day; its user asks why the app signs out. The service's log and audit trail are there.")
def disabled(lab):
    service = Service(lab)
    emails = add_users(service)
    _, tokens = enter(service, emails[4])
    bustle(service, emails[:4], rounds=3)
    service.cli("user", "disable", emails[4])
    bustle(service, emails[5:], rounds=2)
    ensure(service.refresh(tokens["refresh_token"])[0] == 400, "refused")
    enter(service, emails[4])
    return inputs(logs=service.log() | {"audit.txt": service.cli("audit", "--user", emails[4])})


@case("tenure-password-changed", family="tenure", recorded=SYSTEM, expected=["TN0701"], settling=True,
      fault="The user's password was replaced by support, which ends all sessions; the phone's refresh is refused.")
def password(lab):
    service = Service(lab)
    email = add_users(service, NAMES[:1])[0]
    _, tokens = enter(service, email)
    subprocess.run([tenure_lab.TENURE, "user", "password", email, "--config", service.file, "--data", service.data, "--dev"],
                   input="another-password-9\n", text=True, capture_output=True, check=True)
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure(answer(seen["exchanges"], "refresh")["status"] == 400, "ended")
    return inputs(**seen | {"exchanges": only(seen["exchanges"], "client", "bare", "altered", "userinfo", "refresh")})


@case("tenure-signed-out-everywhere-log", family="tenure", recorded=SYSTEM, expected=["TN0701"], settling=True,
      fault="A user ended her other sessions from one of her devices, and wonders why the tablet signs out; only the service's log.")
def everywhere(lab):
    service = Service(lab)
    emails = add_users(service)
    _, phone = enter(service, emails[1])
    _, tablet = enter(service, emails[1])
    bustle(service, emails, rounds=2)
    headers = {"authorization": f"Bearer {phone['access_token']}"}
    ended = sent("client", f"{service.base}/api/auth/sessions", headers=headers, method="DELETE")
    if ended["result"]["Ok"]["status"] >= 300:
        ended = sent("client", f"{service.base}/api/auth/logout-all", b"{}", headers | {"content-type": "application/json"})
    ensure(ended["result"]["Ok"]["status"] < 300, str(ended["result"]))
    ensure(service.refresh(tablet["refresh_token"])[0] == 400, "the tablet is out")
    bustle(service, emails[3:], rounds=2, seed=5)
    return inputs(logs=service.log())


@case("tenure-absolute-lifetime", family="tenure", recorded=SYSTEM, expected=["TN0712", "TN0610"], settling=True,
      fault="The session reached its absolute lifetime of a day although it was refreshed each few hours.")
def absolute(lab):
    service = Service(lab, client='[clients.app.lifetimes]\naccess = "15m"\nidle = "8h"\nabsolute = "24h"')
    tokens = service.sign_in()
    for _ in range(3):
        service.later(7 * 3600)
        code, _, tokens = service.refresh(tokens["refresh_token"])
        ensure(code == 200, str(tokens))
    service.later(4 * 3600)
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]),
                          only=["client", "bare", "refresh"])
    ensure(answer(seen["exchanges"], "refresh")["status"] == 400, "over")
    ahead = 25 * 3600
    return inputs(now=int(time.time()) + ahead, **seen | {"exchanges": later(seen["exchanges"], ahead)})


@case("tenure-idle-log", family="tenure", recorded=SYSTEM, expected=["TN0712", "TN0610"], settling=True,
      fault="A tablet lay unused longer than the idle limit of twelve hours; the service's log with other users before and after.")
def idle_log(lab):
    service = Service(lab, client='[clients.app.lifetimes]\naccess = "10m"\nidle = "12h"\nabsolute = "30d"')
    emails = add_users(service)
    _, tablet = enter(service, emails[6])
    bustle(service, emails[:5], rounds=3)
    service.later(13 * 3600)
    bustle(service, emails[:5], rounds=2, seed=8)
    ensure(service.refresh(tablet["refresh_token"])[0] == 400, "over")
    return inputs(logs=service.log(), files=service.toml())


@case("tenure-client-renamed", family="tenure", recorded=SYSTEM, expected=["TN0703", "TN0608"], settling=True,
      fault="The client `app` was renamed to `shop-app` in the configuration, which was read again while phones still say `app`.")
def renamed(lab):
    service = Service(lab)
    emails = add_users(service, NAMES[:4])
    bustle(service, emails, rounds=2)
    tokens = service.sign_in()
    text = service.file.read_text()
    service.file.write_text(text.replace("[clients.app]", "[clients.shop-app]"))
    service.child.send_signal(signal.SIGHUP)
    time.sleep(1)
    bustle(service, emails, rounds=2, client="shop-app")
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]),
                          only=["client", "bare", "discovery", "refresh"])
    ensure(answer(seen["exchanges"], "refresh")["status"] in (400, 401), str(answer(seen["exchanges"], "refresh")))
    return inputs(**seen, logs=service.log(), files=service.toml())


@case("tenure-memory-store-log", family="tenure", recorded=SYSTEM, expected=["TN0706", "TN0606"], settling=True,
      fault="The demo was left running with --dangerous-memory-store, and its machine was updated at night: all are signed out.")
def memory(lab):
    service = Service(lab, flags=["--dangerous-memory-store"])
    held = [service.sign_in()["refresh_token"] for _ in range(6)]
    for turn in range(2):
        held = [service.refresh(token)[2]["refresh_token"] for token in held]
    service.start()
    codes = {service.refresh(token)[0] for token in held}
    ensure(200 not in codes, str(codes))
    return inputs(logs=service.log())


@case("tenure-page-moved-har", family="tenure", recorded=SYSTEM, expected=["TN0710"], settling=True,
      fault="The shop moved to a new host name, which is not among the client's allowed_origins; the browser's HAR.")
def page_moved(lab):
    service = Service(lab, client='allowed_origins = ["https://www.example.com"]')
    token = service.sign_in()["access_token"]
    entries = page(f"{service.base}/api/auth/me", token, origin=PAGE) + page(f"{service.base}/oauth2/userinfo", token, origin=PAGE)
    ensure(all(entry["response"]["status"] == 0 for entry in entries if entry["request"]["method"] == "GET"), "blocked")
    return inputs(logs={"shop.example.com.har": har(entries, sanitized=True)}, files=service.toml())


@case("tenure-cookie-without-csrf-har", family="tenure", recorded=SYSTEM, expected=["TN0711"], settling=True,
      fault="A rewrite of the page's fetch wrapper lost the header X-Tenure-CSRF; its HAR has a 403 for each refresh.")
def csrf_har(lab):
    service = Service(lab)
    login = json.dumps({"email": "demo@example.com", "password": "demo-password", "client_id": "app", "mode": "cookie"}).encode()
    shared = {"Content-Type": "application/json", "Origin": service.base, "User-Agent": AGENTS[-1]}
    entries = [fetch(f"{service.base}/api/auth/login", "POST", shared | {"X-Tenure-CSRF": "1"}, login)]
    cookie = field(entries[0], "set-cookie").split(";")[0]
    renew = json.dumps({"mode": "cookie", "client_id": "app"}).encode()
    entries += [fetch(f"{service.base}/api/auth/refresh", "POST", shared | {"Cookie": cookie}, renew) for _ in range(2)]
    ensure(entries[-1]["response"]["status"] == 403, str(entries[-1]["response"]))
    return inputs(logs={"shop.har": har(entries)})


@case("tenure-healthy-busy-log", family="healthy", recorded=SYSTEM,
      fault="Nothing: the bustle of eight users, with wrong passwords, duplicates within grace, sign-outs and a restart for an update.")
def healthy_log(lab):
    service = Service(lab)
    emails = add_users(service)
    bustle(service, emails, rounds=5)
    service.start()
    bustle(service, emails, rounds=4, seed=12)
    return inputs(logs=service.log())


@case("tenure-healthy-restart-behind-nginx", family="healthy", recorded=f"{SYSTEM}, nginx 1.22.1",
      fault="Nothing: while the service was updated, nginx answered 502 for two seconds; sessions went on afterwards.")
def healthy_restart(lab):
    service, edge = fronted(lab)
    base = f"http://127.0.0.1:{edge.port}"
    tokens = service.sign_in()
    visitors(base, tokens["access_token"], times=30, seed=31)
    service.child.terminate()
    service.child.wait()
    visitors(base, tokens["access_token"], times=4, seed=32)
    service.start()
    visitors(base, tokens["access_token"], times=30, seed=33)
    seen = at_edge(edge, tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]))
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "refresh") == 200, "200")
    return inputs(**seen, logs=logs(lab, "nginx/access.log", "nginx/error.log") | service.log(), files=edge.config)


@case("tenure-healthy-redis-back", family="healthy", recorded=REDIS,
      fault="Nothing any more: Redis was restarted, refreshes got 503 and were tried again; all sessions are there.")
def redis_back(lab):
    port, child = redis(lab, "--appendfsync", "always")
    service = Service(lab, config=f'[store]\nurl = "redis://127.0.0.1:{port}"\n')
    emails = add_users(service)
    bustle(service, emails, rounds=2)
    tokens = service.sign_in()
    child.terminate()
    child.wait()
    first = service.refresh(tokens["refresh_token"])
    ensure(first[0] == 503, str(first))
    redis(lab, "--appendfsync", "always", port=port)
    for _ in range(30):
        time.sleep(1)
        code, _, more = service.refresh(tokens["refresh_token"])
        if code == 200:
            break
    ensure(code == 200, str(more))
    seen = service.record(more["access_token"], refresh=service.refreshing(more["refresh_token"]))
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "refresh") == 200, "200")
    log = (event(40, "refresh_started", reason="expiring") + event(40.4, "refresh_failed", **{"class": "transient", "will_clear": False}) + event(71, "refresh_started", reason="expiring")
           + event(71.1, "refresh_succeeded", rotated=True))
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, logs=service.log() | {"app.log": log},
                  files=ready(service))
