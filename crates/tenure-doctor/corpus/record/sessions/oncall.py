"""What is left of a life on call: access logs as JSON, tasks with secrets of their own, phones in the background, netrc, restored phones."""

import json

from applications.gunicorn import SIMPLEJWT, Person, database
from applications.platforms import haproxy
from lab.common import PYTHON, case, ensure
from lab.formats import cloudwatch, journal_short
from lab.story import PHONES, Story
from lab.tokens import claims
from lab.versions import debian, npm, pypi
from sessions.jobs import STOCK, stock, traffic
from sessions.shop import API, APP, Shop, nginx, os_log


def visitors(shop, front, rounds, refreshing):
    """Customers through nginx: each works a quarter of an hour, then signs in again, or refreshes."""
    people = [{"email": f"c{number}@example.test", "agent": PHONES[number % 4]} for number in range(6)]

    def sign_in(person):
        _, _, text = front.send("POST", "/auth/login", body={"email": person["email"]}, headers={"user-agent": person["agent"]})
        person.update(json.loads(text))

    for person in people:
        sign_in(person)
        shop.story.pass_(21)
    for _ in range(rounds):
        for person in people:
            agent = {"user-agent": person["agent"]}
            sent = {**agent, "authorization": f"Bearer {person['accessToken']}"}
            if front.send("GET", "/v1/orders", headers=sent)[0] == 401:
                if refreshing:
                    _, _, text = front.send("POST", "/auth/refresh", body={"refreshToken": person["refreshToken"]}, headers=agent)
                    person.update(json.loads(text))
                else:
                    front.send("GET", "/v1/me", headers=sent)
                    shop.story.pass_(9)
                    sign_in(person)
                front.send("GET", "/v1/orders", headers={**agent, "authorization": f"Bearer {person['accessToken']}"})
            front.send("GET", "/v1/catalog", headers=agent)
            shop.story.pass_(13)
        front.noise(2, 40)


@case("nginx-json-log-nobody-refreshes", family="session", expected=["TN0601", "TN0415"], recorded=f"{API}, {debian('nginx')}",
      fault="No client of the shop refreshes: in the access log (JSON) each is refused a quarter of an hour after its login.")
def nobody(lab):
    shop = Shop(lab, "2026-10-15T07:00:00", quiet=True)
    front = nginx(shop, "json")
    visitors(shop, front, 22, refreshing=False)
    log = lab.read("access.log")
    ensure(log.startswith('{"time":"2026-10-15') and "/auth/refresh" not in log and '"status":401' in log, log[-2000:])
    return shop.story.inputs(logs={"access.json": log})


@case("healthy-nginx-json-busy-morning", family="healthy", recorded=f"{API}, {debian('nginx')}",
      fault="None: customers refresh after a 401 and go on; health checks, bots and scanners among them.")
def busy(lab):
    shop = Shop(lab, "2026-10-16T07:00:00", quiet=True)
    front = nginx(shop, "json")
    visitors(shop, front, 14, refreshing=True)
    return shop.story.inputs(logs={"access.json": lab.read("access.log"), "error.log": lab.read("error.log")})


@case("ecs-tasks-with-secrets-of-their-own", family="verifier", expected=["TN0409"], settling=True, recorded=f"{API}, {npm('pino')}, {debian('haproxy')}",
      fault="JWT_SECRET is not set in the task definition, so each of two tasks makes one up: a token is good at the task that issued it.")
def tasks(lab):
    story = Story(lab, "2026-08-20T12:00:00")
    apis = [story.node("shop.mjs", name=name, secret=f"made-up-by-{name}-0000000000000000", host=f"ip-10-0-{n}-17", quiet=True)
            for n, name in enumerate(("a91f", "c07d"))]
    front, _ = haproxy(story, apis)
    seen = []
    for turn in range(5):
        _, _, text = front.send("POST", "/auth/login", body={"email": f"c{turn}@example.test"}, headers={"user-agent": PHONES[turn % 4]})
        token = json.loads(text)["accessToken"]
        for path in ("orders", "me", "cart", "orders"):
            seen.append(front.send("GET", f"/v1/{path}", headers={"authorization": f"Bearer {token}", "user-agent": PHONES[turn % 4]})[0])
            story.pass_(2)
        front.noise(3)
    ensure({200, 401} == set(seen), str(seen))
    found = [json.loads(cloudwatch(api.log(), f"shop-api/web/{api.name}")) for api in apis]
    events = sorted((event for each in found for event in each["events"]), key=lambda event: event["timestamp"])
    task = {"family": "shop-api", "containerDefinitions": [{"name": "web", "image": "shop/api:3.9.2", "essential": True,
            "environment": [{"name": "NODE_ENV", "value": "production"}, {"name": "PORT", "value": "8080"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/shop-api", "awslogs-stream-prefix": "shop-api"}}}]}
    return story.inputs(token=token, logs={"events.json": json.dumps({"events": events, "searchedLogStreams": []}, indent=4) + "\n"},
                        files={"taskdef.json": json.dumps(task, indent=2) + "\n",
                               "src/config.mjs": 'export const secret = process.env.JWT_SECRET ?? randomBytes(32).toString("hex");\n'})


@case("ios-suspended-while-refreshing", family="session", expected=["TN0603"], settling=True, recorded=f"{APP}, {API}, {npm('pino')}",
      fault="iOS suspends the app while its refresh is under way: the API has rotated, the answer is lost, and the old token is presented again.")
def suspended(lab):
    shop = Shop(lab, "2026-07-30T06:10:00", plan=["lost"])
    agent = "Shop/412 CFNetwork/1494.0.7 Darwin/23.4.0"
    text = shop.app("start", "login", "get:3", "pass:898", "note:[app]_did_enter_background", "pass:4", "get:1", timeout=350, agent=agent)
    text = text.replace("timeout of 350ms", "timeout of 30000ms")
    ensure("will retry" in text and "Invalid refresh token" in text, text)
    shop.traffic(2)
    return shop.story.inputs(logs={"shop-ios.log": os_log(text), "api.log": journal_short(shop.api.log(), "shop-api", "api-3", 1204)})


@case("phone-restored-without-keychain", family="session", expected=["TN0611"], settling=True, recorded=f"{APP}, {API}",
      fault="The new phone got the app's preferences from the backup and not its keychain: the screens say signed in, and there is no session.")
def restored(lab):
    shop = Shop(lab, "2026-09-20T18:00:00")
    agent = "Shop/412 CFNetwork/1494.0.7 Darwin/23.4.0"
    shop.app("login", "get:2", agent=agent)
    said = 'note:[redux-persist]_rehydrated_{"auth"#{"isLoggedIn"#true,"user"#"ann@example.test"},"migratedFrom"#"iPhone14,5"}'
    text = ""
    for _ in range(2):
        text += shop.app("pass:86000", "drop", said, 'note:[SecureStore]_getItem_session_{"value"#null}', "start",
                         'note:[nav]_initial_route_Home_{"isLoggedIn"#true}', "get:3", agent=agent, store="new-phone.json").replace("#", ":")
    ensure('"hadToken":false' in text, text)
    return shop.story.inputs(logs={"shop-ios.log": os_log(text)})


@case("requests-netrc-replaces-bearer", family="client", expected=["TN0103"], settling=True, recorded=f"{pypi('requests')}, {STOCK}",
      fault="The build host has a .netrc for the API's name: requests puts its Basic credentials in place of the job's bearer token.")
def netrc(lab):
    story, api, issuer, key = stock(lab, log="dated")
    token = key.token(**claims(issuer.url, audience="stock"))
    lab.write(".netrc", "machine localhost login deploy password corpus-deploy\n").chmod(0o600)
    script = ('import http.client, logging, os, requests\nhttp.client.HTTPConnection.debuglevel = 1\n'
              'headers = {"Authorization": f"Bearer {os.environ[\'STOCK_TOKEN\']}", "Accept": "application/json"}\n'
              'answer = requests.get(os.environ["STOCK_URL"] + "/orders", headers=headers)\nprint(answer.status_code, answer.text)\n')
    lab.write("sync.py", script)
    text = story.run([PYTHON, "sync.py"], env={"STOCK_TOKEN": token, "STOCK_URL": f"http://localhost:{api.port}"})
    ensure("Authorization: Basic" in text and "401" in text, text)
    traffic(api, [token], 3)
    return story.inputs(token=token, logs={"ci-job.log": text, "uvicorn.log": api.log()}, files={"sync.py": script})


@case("simplejwt-expired-token-curl", family="client", expected=["TN0415"], settling=True, recorded=f"{SIMPLEJWT}, curl 7.88.1",
      fault="A token copied from yesterday's session: curl shows that simplejwt calls it expired.")
def curl_expired(lab):
    story = Story(lab, "2026-03-17T15:00:00")
    web = story.gunicorn("django_app:application", env=database(story, "ann"))
    person = Person(web, "ann")
    person.sign_in()
    story.pass_(80000)
    text = story.run(["curl", "-sv", "-H", f"Authorization: Bearer {person.kept['access']}", "-H", "Accept: application/json", f"{web.base}/api/orders/"])
    ensure("Token is expired" in text, text)
    return story.inputs(logs={"curl.txt": text})


@case("healthy-curl-without-and-with-token", family="healthy", recorded=f"{SIMPLEJWT}, curl 7.88.1",
      fault="None: curl without a token is refused as it should be, and with one it gets its orders.")
def curl_well(lab):
    story = Story(lab, "2026-03-18T15:00:00")
    web = story.gunicorn("django_app:application", env=database(story, "ann"))
    person = Person(web, "ann")
    person.sign_in()
    text = story.run(["curl", "-sv", f"{web.base}/api/orders/"]) + "\n\n"
    text += story.run(["curl", "-sv", "-H", f"Authorization: Bearer {person.kept['access']}", f"{web.base}/api/orders/"])
    ensure(" 200 OK" in text, text)
    return story.inputs(token=person.kept["access"], logs={"curl.txt": text}, target={"url": f"{web.base}/api/orders/", "method": "GET"})
