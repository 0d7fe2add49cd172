"""More days on which nothing is wrong, though it may look so."""

import json
import time

from applications.platforms import guarded
from lab.common import case, ensure, record, status, target
from lab.formats import journal_json, journal_short
from lab.story import PHONES
from lab.tokens import Key, claims
from lab.versions import npm
from sessions.jobs import STOCK, stock, traffic
from sessions.shop import API, APP, Shop, electron


@case("healthy-auth0-express-env-files-agree", family="healthy", recorded=npm("express-oauth2-jwt-bearer", "express", "pino-http"),
      fault="None: .env files of three stages name three audiences, and the token is for that of the API that was asked.")
def env_files(lab):
    story, web, issuer, key = guarded(lab, "auth0", audience="https://api.shop.example")
    token = key.token(**claims(issuer.url, audience=["https://api.shop.example", f"{issuer.url}/userinfo"], scope="openid read:orders"))
    wanted = target(f"{web.base}/api/orders", issuer=issuer.url)
    seen = record(wanted, token)
    ensure(status(seen, "client") == 200, str(seen[0]))
    stage = lambda name, port: f"ISSUER_BASE_URL={issuer.url}\nAUDIENCE=https://api{name}.shop.example\nPORT={port}\n"
    return story.inputs(token=token, target=wanted, exchanges=seen, keys={"jwks.json": json.dumps(issuer.jwks())},
                        files={"api/.env.production": stage("", web.port), "api/.env.staging": stage(".staging", 8081), "api/.env.test": stage(".test", 8082)})


@case("healthy-uvicorn-clock-three-seconds-off", family="healthy", recorded=STOCK,
      fault="None: the doctor's machine is 3 s ahead, the API 2 s behind with a leeway of 10 s; fresh tokens are taken.")
def three_seconds(lab):
    story, api, issuer, key = stock(lab, skew=-2, leeway=10, log="dated")
    token = key.token(**claims(issuer.url, audience="stock", age=0))
    ensure(set(traffic(api, [token], 4)) == {200}, "well")
    wanted = target(f"{api.base}/orders", issuer=issuer.url)
    fresh = key.token(**claims(issuer.url, audience="stock", age=0))
    seen = record(wanted, fresh, clock=3)
    ensure(status(seen, "client") == 200, "well")
    kept = {**story.inputs(token=fresh, target=wanted, exchanges=seen, logs={"uvicorn.log": api.log()}), "now": int(time.time()) + 3}
    return kept


@case("healthy-jose-forged-tokens-refused", family="healthy", recorded=npm("jose", "express", "pino-http"),
      fault="None: a scanner tries forged, empty and unsigned tokens all the time; the users' own are taken.")
def forged(lab):
    story, web, issuer, key = guarded(lab, "jose", "2026-10-31T23:00:00")
    good = [key.token(**claims(issuer.url, audience="https://api.shop.example", subject=f"u-{n}", now=story.now(), lifetime=7200)) for n in range(4)]
    bad = [Key().token(**claims(issuer.url, audience="https://api.shop.example", now=story.now())), "undefined", "null",
           "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", good[0][:-6] + "AAAAAA"]
    for _ in range(9):
        for number, token in enumerate(good):
            ensure(web.send("GET", "/api/orders", headers={"authorization": f"Bearer {token}", "user-agent": PHONES[number]})[0] == 200, "well")
        for token in bad:
            sent = {"authorization": f"Bearer {token}", "user-agent": "Mozilla/5.0 zgrab/0.x", "x-forwarded-for": "192.0.2.66"}
            ensure(web.send("GET", "/api/admin", headers=sent)[0] == 401, "refused")
        web.noise(2, 20)
    return story.inputs(logs={"orders.journal": journal_json(web.log(), "orders", "api-01", 4123)}, token=good[1],
                        keys={"jwks.json": json.dumps(issuer.jwks())})


@case("healthy-cli-and-agent-sessions-of-their-own", family="healthy", recorded=f"{APP}, {API}, {npm('pino')}",
      fault="None: command line and agent of one user have a session each; both refresh at the same minute, again and again.")
def own_sessions(lab):
    shop = Shop(lab, "2026-04-22T11:00:00")
    cli = shop.app("login", "get:1", agent="shopctl/1.9.0")
    agent = shop.app("login", "get:1", agent="shop-agent/1.9.0", store="agent.json")
    for _ in range(4):
        agent += shop.app("pass:903", "get:1", agent="shop-agent/1.9.0", store="agent.json")
        cli += shop.app("start", "get:1", agent="shopctl/1.9.0")
        shop.traffic(1)
    ensure("cleared" not in cli + agent and agent.count("refreshed") == 4, agent)
    return shop.story.inputs(logs={"shopctl.log": electron(cli), "agent.log": electron(agent),
                                   "api.log": journal_short(shop.api.log(), "shop-api", "api-2", 991)})


@case("healthy-shop-busy-evening-ansi", family="healthy", recorded=f"{API}, {npm('winston')}",
      fault="None: an evening of many customers whose tokens are refreshed after a 401, in winston's coloured log.")
def evening(lab):
    shop = Shop(lab, "2026-12-11T19:00:00", log="ansi", quiet=True)
    for number in range(3):
        shop.app("login", "get:4", agent=PHONES[2], email=f"guest{number}@example.test", store=f"g{number}.json")
        shop.traffic(5, 220)
        shop.app("start", "get:5", agent=PHONES[2], email=f"guest{number}@example.test", store=f"g{number}.json")
    log = shop.api.log()
    ensure("reuse" not in log and "rejected" not in log, log)
    return shop.story.inputs(logs={"api.log": log})
