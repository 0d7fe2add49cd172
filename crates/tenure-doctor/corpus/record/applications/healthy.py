"""Frameworks that work, with what looks alarming in their logs."""

import json
import secrets

from applications.node import HONO, asked, node
from applications.php import FPM, fpm
from applications.ruby import RAILS
from lab import edges
from lab.common import case, ensure, inputs, record, status, target
from lab.stacks import Clock, Service, hs
from lab.versions import npm


def cookie_of(service) -> str:
    return next(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")


@case("rails-healthy-forged-forms", family="healthy", recorded=RAILS,
      fault="None: spam bots post forms without a CSRF token and are answered 422; people who use the page are well.")
def forms(lab):
    clock = Clock(lab, 4)
    service = Service(lab, "rails.rb", clock=clock, csrf=True)
    for turn in range(11):
        person = {"ip": f"203.0.113.{turn}", "agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15"}
        service.ask(f"/magic_link?user=u-{turn}", **person)
        web = {"cookie": cookie_of(service), "x-csrf-token": json.loads(service.answered)["csrf"]}
        ensure(service.ask("/account", method="POST", headers=web, body={"phone": "5550100"}, **person) == 200, "a person")
        if turn % 3 == 1:
            ensure(service.ask("/account", method="POST", body={"phone": "http://free.example"}, ip="198.51.100.70", agent="python-requests/2.31.0") == 422, "a bot")
        service.ask("/account", ip="198.51.100.71", agent="Mozilla/5.0 (compatible; AhrefsBot/7.0)")
        service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
        clock.pass_(1200)
    return inputs(now=clock.now(), logs={"production.log": service.log()})


@case("hono-healthy-plain", family="healthy", recorded=HONO,
      fault="None: a good token is taken, anything else gets 401 with a challenge.")
def plain(lab):
    secret = secrets.token_hex(32)
    found = node(lab, "hono", secret=secret).probed(hs(secret)(), keep=asked("lower", "browser", "again*"))
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found


@case("csurf-healthy-forms", family="healthy", recorded=npm("express", "express-session", "csurf", "morgan"),
      fault="None: the page sends csurf's token with what it posts; a script that does not is turned away with 403.")
def csurf(lab):
    clock = Clock(lab, 3)
    service = node(lab, "sessions", clock=clock, secret=secrets.token_hex(16), csurf=True, loud=True, env={"NODE_ENV": "production"})
    for turn in range(15):
        person = {"ip": f"203.0.113.{turn}", "agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36"}
        service.ask(f"/login?user=u{turn}", method="POST", **person)
        web = {"cookie": cookie_of(service)}
        service.ask("/csrf", headers=web, **person)
        web["csrf-token"] = json.loads(service.answered)["token"]
        ensure(service.ask("/api/orders", method="POST", headers=web, body={"item": turn}, **person) == 201, "a person")
        if turn % 4 == 2:
            ensure(service.ask("/api/orders", method="POST", body={"item": 1}, ip="198.51.100.9", agent="Go-http-client/1.1") == 403, "a script")
        clock.pass_(620)
    return inputs(now=clock.now(), logs={"web.log": service.log()})


@case("php-nginx-healthy-late-refresh", family="healthy", recorded=f"nginx 1.22.1, {FPM}",
      fault="None: PHP's log has Expired token now and then, each followed by a refreshed one; probes for .env and wp-login go nowhere.")
def late(lab):
    secret = secrets.token_hex(32)
    port = fpm(lab, secret)
    edge = edges.nginx(lab, f"root {lab.folder}/public;\nlocation / {{ try_files $uri /index.php$is_args$args; }}\nlocation ~ \\.php$ {{\n  include /etc/nginx/fastcgi_params;\n"
                            f"  fastcgi_param SCRIPT_FILENAME $document_root/index.php;\n  fastcgi_pass 127.0.0.1:{port};\n}}")
    make, wanted = hs(secret), target(edge.url("/api/orders"))
    for turn in range(10):
        for token, code in ((make(age=901 + turn), 401), (make(age=1), 200), (make(age=300), 200)):
            ensure(status(record(wanted, token, only=["client"]), "client") == code, str(code))
        record(target(edge.url("/.env" if turn % 2 else "/wp-login.php")), only=["client"])
    token, old = make(), make(age=2000)
    exchanges = asked("old", "again*")(record(wanted, token, old_token=old))
    return inputs(token=token, old_token=old, target=wanted, exchanges=exchanges, files=edge.config, logs={"fpm.log": lab.read("fpm.out"), "access.log": lab.read("nginx/access.log")})
