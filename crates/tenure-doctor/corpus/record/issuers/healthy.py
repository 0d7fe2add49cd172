"""Where nothing is wrong, and something looks as if it were."""

import jwt
from aws.http_apis import Http
from edges.npm_gateways import jwt_policy
from issuers.glewlwyd import api as glewlwyd_api
from issuers.oidc_busy import well
from issuers.oidc_tokens import asked as asked_oidc
from issuers.plain import BRIEF, asked_of
from issuers.tenure_busy import REDIS, redis
from issuers.tenure_deployed import AHEAD, SOON, faked, fronted, urlread
from lab.cloud import REST, Cloud, Rest, asked, cognito
from lab.common import case, ensure, inputs, other_clock, record, status, target
from lab.crowd import add_users, bustle, get, visitors
from lab.edges import har, logs, page
from lab.formats import event
from lab.gateways import EXPRESS, FASTIFY, Gateway
from lab.glewlwyd import Glewlwyd
from lab.glewlwyd import SYSTEM as GLEWLWYD
from lab.oidc import WITH_API, Provider, api
from lab.oidc import SYSTEM as OIDC
from lab.servers import Api
from lab.tenure import Service, ready
from lab.tenure import SYSTEM as TENURE

SHOP = "https://shop.example.com"


@case("tenure-healthy-token-and-url", family="healthy", recorded=TENURE, fault="Nothing: a token and a URL, and the token is good.")
def token_and_url(lab):
    service = Service(lab)
    seen = service.record(service.sign_in()["access_token"], only=BRIEF)
    ensure(status(seen["exchanges"], "client") == 200, "200")
    return inputs(**seen)


@case("fastify-gateway-healthy-token-and-url", family="healthy", recorded=FASTIFY, fault="Nothing: a token and a URL; the gateway refuses what it should.")
def fastify_plain(lab):
    gateway = Gateway(lab).fastify()
    seen = asked_of(gateway, gateway.token())
    ensure(status(seen["exchanges"], "client") == 200, "200")
    return inputs(**seen)


@case("express-gateway-healthy-har", family="healthy", recorded=EXPRESS,
      fault="Nothing: a page's first call found its token ended, the page refreshed and went on; the HAR has the 401.")
def express_har(lab):
    gateway = Gateway(lab)
    gateway.express(f"- cors:\n    - action:\n        origin: {SHOP}\n        methods: GET,POST\n        allowedHeaders: authorization\n" + jwt_policy(gateway))
    entries = page(gateway.url(), gateway.token(age=1200), origin=SHOP) + page(gateway.url(), gateway.token(), origin=SHOP) + page(gateway.url("/orders/17"), gateway.token(), origin=SHOP)
    ensure([entry["response"]["status"] for entry in entries][1::2] == [401, 200, 200], str([entry["response"]["status"] for entry in entries]))
    return inputs(logs={"shop.har": har(entries)})


@case("tenure-healthy-keys-cached", family="healthy", recorded=f"{TENURE}, nginx 1.22.1, PyJWT 2.15.1",
      fault="Nothing: nginx caches the key set as its Cache-Control says, and the next key was published long before it signed.")
def keys_cached(lab):
    service, edge = fronted(lab, "location = /oauth2/jwks {{\n  proxy_cache keys;\n  add_header X-Cache-Status $upstream_cache_status;\n  proxy_pass {to};\n}}\nlocation / {{ proxy_pass {to}; }}",
                            "proxy_cache_path {folder}/nginx/cache keys_zone=keys:1m;", config=SOON)
    base = f"http://127.0.0.1:{edge.port}"
    old = service.sign_in()["access_token"]
    service.cli("keys", "rotate")
    service.later(AHEAD)
    service.start()
    get(f"{base}/oauth2/jwks")
    service.cli("keys", "rotate")
    service.start()
    token = service.sign_in()["access_token"]

    def keys():
        return {key.key_id: (key.key, key.algorithm_name) for key in jwt.PyJWKSet.from_json(urlread(f"{base}/oauth2/jwks")).keys}

    port = lab.enter(Api(keys=keys, issuer=service.issuer, audience=None, leeway=300).running())
    wanted = target(f"http://127.0.0.1:{port}/orders", issuer=base)
    exchanges = record(wanted, token, old_token=old)
    ensure(status(exchanges, "client") == status(exchanges, "old") == 200, "both")
    ensure(jwt.get_unverified_header(token)["kid"] != jwt.get_unverified_header(old)["kid"], "rotated")
    return inputs(target=wanted, token=token, old_token=old, exchanges=exchanges, files=edge.config | service.toml())


@case("tenure-healthy-redis-two-seconds", family="healthy", recorded=REDIS, fault="Nothing: the service's clock is two seconds behind that of Redis, which is within what it allows.")
def two_seconds(lab):
    port, _ = redis(lab)
    service = Service.__new__(Service)
    faked(service, lab, other_clock(-2), config=f'[store]\nurl = "redis://127.0.0.1:{port}"\n')
    emails = add_users(service)
    bustle(service, emails, rounds=3)
    tokens = service.sign_in()
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]), only=[*BRIEF, "refresh"])
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "refresh") == 200, "200")
    return inputs(**seen, logs=service.log(), files=ready(service) | service.toml())


@case("tenure-healthy-two-issuers", family="healthy", recorded=f"{TENURE}, {OIDC}, PyJWT 2.15.1",
      fault="Nothing: while it moves to another issuer the API accepts tokens of both, and its configuration names both.")
def two_issuers(lab):
    service, provider = Service(lab), Provider(lab)
    known = dict(provider.keys()()) | {key.key_id: (key.key, key.algorithm_name) for key in jwt.PyJWKSet.from_json(service.jwks()).keys}
    verifier = Api(keys=lambda: known, issuer=[service.issuer, provider.issuer], audience=None)
    wanted = target(f"http://127.0.0.1:{lab.enter(verifier.running())}/orders", issuer=service.base)
    token, other = service.sign_in()["access_token"], provider.tokens()["access_token"]
    exchanges = record(wanted, token, other_token=other)
    ensure(status(exchanges, "client") == status(exchanges, "other-token") == 200, "both")
    return inputs(target=wanted, token=token, other_token=other, exchanges=exchanges,
                  files={"orders/.env": f"OIDC_ISSUER={service.issuer}\nOIDC_ISSUER_LEGACY={provider.issuer}\n"})


@case("tenure-healthy-nginx-log", family="healthy", recorded=f"{TENURE}, nginx 1.22.1", fault="Nothing: health checks, scanners, apps without a token before sign-in; nginx's log only.")
def nginx_log(lab):
    service, edge = fronted(lab)
    visitors(f"http://127.0.0.1:{edge.port}", service.sign_in()["access_token"], times=60, seed=51)
    return inputs(logs=logs(lab, "nginx/access.log"))


@case("tenure-healthy-staging-limit", family="healthy", recorded=TENURE,
      fault="Nothing: a script that guessed passwords met the rate limit of sign-ins; everybody else went on.")
def limited_guesser(lab):
    service = Service(lab, config="[limits]\nlogin_per_minute = 12\n")
    emails = add_users(service)
    bustle(service, emails, rounds=3)
    for number in range(16):
        service.call("/api/auth/login", {"email": "admin@example.net", "password": f"Summer{number}", "client_id": "app"})
    tokens = service.sign_in()
    seen = service.record(tokens["access_token"], refresh=service.refreshing(tokens["refresh_token"]), only=[*BRIEF, "refresh"])
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "refresh") == 200, "200")
    return inputs(**seen, logs=service.log())


@case("oidc-healthy-three-seconds", family="healthy", recorded=WITH_API, fault="Nothing: the provider is three seconds ahead, and the API allows half a minute.")
def three_seconds(lab):
    start = lab.start
    lab.start = lambda *given, **more: start(*given, **{**more, "env": other_clock(3)})
    provider = Provider(lab)
    lab.start = start
    seen = asked_oidc(api(lab, provider, leeway=30), provider.tokens()["access_token"], provider)
    ensure(status(seen["exchanges"], "client") == 200, "200")
    return inputs(**seen)


@case("oidc-healthy-refresh-only", family="healthy", recorded=OIDC, fault="Nothing: sessions that are refreshed each in turn, and the app's log of one of them with an early 401.")
def refresh_only(lab):
    provider = Provider(lab)
    well(provider, sessions=7, rounds=4, seed=31)
    tokens = provider.tokens()
    exchanges = record(target(f"{provider.base}/me"), refresh=provider.refreshing(tokens["refresh_token"]), only=["refresh", "refresh-again-1"], refreshes=2)
    ensure(all(exchange["result"]["Ok"]["status"] == 200 for exchange in exchanges), "200")
    log = (event(20, "request_failed", path="/orders", status=401) + event(20.1, "token_refresh_started") + event(20.6, "token_refresh_failed", error="ECONNRESET")
           + event(21.6, "token_refresh_started", attempt=2) + event(21.9, "token_refresh_succeeded", status=200) + event(22, "request_succeeded", path="/orders", status=200))
    return inputs(exchanges=exchanges, logs=provider.logs() | {"app.log": log})


@case("glewlwyd-healthy-token-and-url", family="healthy", recorded=f"{GLEWLWYD}, PyJWT 2.15.1", fault="Nothing: a token whose aud is the provider's scopes, at an API that asks for none.")
def glewlwyd_plain(lab):
    provider = Glewlwyd(lab)
    wanted, token = glewlwyd_api(lab, provider, leeway=30), provider.sign_in()["access_token"]
    exchanges = record(wanted, token, only=BRIEF)
    ensure(status(exchanges, "client") == 200, "200")
    return inputs(target=wanted, token=token, exchanges=exchanges)


@case("aws-rest-healthy-two-pools", family="healthy", recorded=REST, fault="Nothing: the authorizer trusts the pool of before and the present one, and the token is of the present.")
def two_pools(lab):
    cloud = Cloud(lab)
    before, now = cloud.pool("before"), cloud.pool("now")
    rest = Rest(cloud, authorizer=cognito(before, now))
    seen = rest.record(now.sign_in()["IdToken"], other_token=before.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "other-token") == 200, "both")
    return inputs(**seen, keys=cloud.jwks(now.id), files=cloud.answer("apigateway", "GetAuthorizers", restApiId=rest.id))


@case("aws-http-healthy-token-and-url", family="healthy", recorded=REST.replace("REST API", "HTTP API"), fault="Nothing: an access token of the pool and a URL of the HTTP API.")
def http_plain(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    found = Http(cloud, pool.issuer, [pool.client])
    seen = asked(cloud, found.id, target(cloud.url(found.id, "/items")), pool.sign_in()["AccessToken"], only=["client", "bare", "garbage", "altered", "other-path", "again-1"])
    ensure(status(seen["exchanges"], "client") == 200, "200")
    return inputs(**seen)
