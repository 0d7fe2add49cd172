"""Edges before an API with nothing wrong, and things that look alarming."""

import json
import time

from edges.apache import oauth2 as mod_oauth2
from edges.haproxy import backend
from edges.haproxy_jwt import EXPIRED, denies, verifying
from lab import edges
from lab.common import case, ensure, inputs, record, status, target
from lab.edges import CADDY, HAPROXY, NGINX, ORIGIN, VARNISH, caddy, haproxy, har, logs, nginx, page, service, varnish
from lab.servers import Api, Reply, fixed, serve
from lab.tokens import Key, claims, jwks


def good(sent, *more):
    ensure(all(status(sent, probe) == 200 for probe in ("client", "again-1", "again-2", "again-3", "again-4", *more)), "all is well")


@case("healthy-nginx-api", family="healthy", recorded=NGINX, fault="Nothing: nginx forwards, the API answers 401 without a token and 200 with it.")
def plain(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    good(sent, "direct")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, logs=logs(lab, "nginx/access.log", "nginx/error.log"))


@case("healthy-varnish-honours-no-store", family="healthy", recorded=VARNISH, fault="Nothing: Varnish passes what is no-store or authorised.")
def no_store(lab):
    api = service(lab, headers={"cache-control": "no-store"})
    edge = varnish(lab, api.port, 'sub vcl_deliver {\n    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; }\n}\n')
    edges.fetch(edge.url())
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    good(sent, "fresh")
    ensure(status(sent, "bare") == status(sent, "bare-fresh") == 401, "nothing is cached")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


@case("healthy-varnish-caches-public-files", family="healthy", recorded=VARNISH,
      fault="Nothing: a public page comes out of the cache with an Age, for everybody; it is meant to.")
def public_cached(lab):
    api = service(lab, before=lambda request: Reply(200, {"motd": "welcome"}, {"cache-control": "public, max-age=600"}) if request.path == "/motd" else None)
    edge = varnish(lab, api.port, "sub vcl_backend_response {\n    if (beresp.status != 200) {\n        set beresp.uncacheable = true;\n    }\n}\n")
    edges.fetch(edge.url("/motd"))
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, other_endpoint=edge.url("/motd"))
    good(sent, "other-endpoint")
    ensure(status(sent, "bare") == 401, "orders are not cached")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("healthy-haproxy-replicas-agree", family="healthy", recorded=HAPROXY, fault="Nothing: three replicas share one secret.")
def replicas(lab):
    key = Key("HS256", kid=None)
    ports = [lab.enter(Api(lambda: {None: (key.private, "HS256")}, style="bare").running()) for _ in range(3)]
    servers = "\n".join(f"    server api{n} 127.0.0.1:{port}" for n, port in enumerate(ports, 1))
    edge = haproxy(lab, "default_backend api", f"backend api\n    balance roundrobin\n{servers}")
    token, wanted = key.token(**claims("https://login.example.test")), target(edge.url())
    sent = record(wanted, token, repeats=8)
    good(sent, "again-7", "again-8")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwt.secret": key.private}, logs=logs(lab, "haproxy.out"))


@case("healthy-caddy-redirect-keeps-header", family="healthy", recorded=CADDY,
      fault="Nothing: a redirect from the old path stays on the same host and port, so clients keep the header.")
def redirect(lab):
    api = service(lab)
    edge = caddy(lab, f"redir /v1/orders /orders 308\nreverse_proxy 127.0.0.1:{api.port}")
    token, wanted = api.token(), target(edge.url("/v1/orders"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == 308 and status(sent, "hop-1") == 200, "the header is kept")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("healthy-nginx-cors", family="healthy", recorded=NGINX, fault="Nothing: preflights pass, and also refusals carry CORS headers.")
def cors(lab):
    api = service(lab, cors=True)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; add_header Access-Control-Allow-Origin {ORIGIN} always; add_header Access-Control-Allow-Headers authorization always; }}")
    token, wanted = api.token(), target(edge.url(), origin=ORIGIN)
    sent = record(wanted, token)
    good(sent, "origin")
    ensure(status(sent, "preflight") == 204, "preflights pass")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"app.har": har(page(edge.url(), token) + page(edge.url("/orders/17"), token), sanitized=True)})


@case("healthy-nginx-old-errors-in-log", family="healthy", recorded=NGINX,
      fault="Nothing any more: while the auth service was restarted, nginx answered 500; since then all is well.")
def old_errors(lab):
    api, port = service(lab), lab.port()
    edge = nginx(lab, f"location = /_auth {{ internal; proxy_pass http://127.0.0.1:{port}/orders; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }}\n"
                 f"location / {{ auth_request /_auth; proxy_pass http://{api.direct}; }}")
    token = api.token()
    before = [edges.fetch(edge.url(), headers={"Authorization": f"Bearer {token}"})["response"]["status"] for _ in range(3)]
    ensure(before == [500, 500, 500], "the errors are real")
    lab.enter(serve(api.api.handle, port=port))
    time.sleep(2)
    wanted = target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    good(sent)
    return inputs(token=token, target=wanted, exchanges=sent, logs=logs(lab, "nginx/access.log", "nginx/error.log"))


@case("healthy-caddy-many-keys", family="healthy", recorded=CADDY,
      fault="Nothing: the key set has six keys, one of them for encryption and one of a type that few know; the token's is among them.")
def many_keys(lab):
    api = service(lab)
    api.issuer.published = [Key(), Key("ES256"), api.key, Key()]
    edge = caddy(lab, f"reverse_proxy 127.0.0.1:{api.port}")
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    good(sent)
    shown = jwks(*api.issuer.published)
    shown["keys"] += [{**Key().jwk(), "use": "enc", "alg": "RSA-OAEP"}, {"kty": "AKP", "kid": "pq-1", "alg": "ML-DSA-44", "pub": "AAAA"}]
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": json.dumps(shown, indent=1)})


@case("healthy-haproxy-issuer-in-many-files", family="healthy", recorded=HAPROXY, fault="Nothing: the issuer stands in five files, the same in each.")
def many_files(lab):
    key, issuer = Key(), "https://login.example.test/realms/shop"
    port = lab.enter(Api(fixed(key), issuer=issuer).running())
    edge = haproxy(lab, "default_backend api", f"backend api\n    server api1 127.0.0.1:{port}")
    token, wanted = key.token(**claims(issuer)), target(edge.url())
    sent = record(wanted, token)
    good(sent)
    files = {
        "api/.env": f"OIDC_ISSUER={issuer}\nOIDC_AUDIENCE=orders-api\nOIDC_JWKS_URI={issuer}/protocol/openid-connect/certs\n",
        "worker/.env": f"OIDC_ISSUER='{issuer}'\nOIDC_AUDIENCE=orders-api\n",
        "compose.yaml": f"services:\n  api:\n    environment:\n      OIDC_ISSUER: {issuer}\n      OIDC_AUDIENCE: orders-api\n",
        "app/config.json": json.dumps({"oidc": {"issuer": issuer, "audience": "orders-api", "clientId": "shop-app"}}, indent=1),
        "deploy/values.toml": f'[oidc]\nissuer = "{issuer}"\naudience = "orders-api"\n',
    }
    return inputs(token=token, target=wanted, exchanges=sent, files=files, keys={"jwks.json": json.dumps(jwks(key), indent=1)})


@case("healthy-haproxy-verifies", family="healthy", recorded=HAPROXY, fault="Nothing: HAProxy verifies signature, issuer and expiry itself; only forged and old tokens are refused.")
def verifies(lab):
    api = service(lab, alg="ES256")
    path = lab.write("haproxy/issuer.pem", api.key.pem())
    edge = haproxy(lab, verifying("ES256", str(path), denies("iss", api.issuer.url, "Invalid JWT issuer"), *EXPIRED), backend(api.port))
    token, old, wanted = api.token(), api.token(age=5000), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token, old_token=old)
    good(sent)
    ensure(status(sent, "old") == 401, "old tokens are refused")
    return inputs(token=token, old_token=old, target=wanted, exchanges=sent, keys={"issuer.pem": api.key.pem()}, files=edge.config)


@case("healthy-nginx-late-refresh", family="healthy", recorded=NGINX,
      fault="Nothing: a token expired while the app slept; one 401, one refresh, and the call was repeated with success.")
def late_refresh(lab):
    api = service(lab)
    api.api.before = lambda request: Reply(200, {"access_token": api.token(age=0), "token_type": "Bearer", "expires_in": 900, "refresh_token": "rt-2"}) if request.path == "/token" else None
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    stale, agent = api.token(age=5000), {"User-Agent": "okhttp/4.12.0"}
    entries = [edges.fetch(edge.url(), headers={**agent, "Authorization": f"Bearer {stale}"}),
               edges.fetch(edge.url("/token"), "POST", {**agent, "Content-Type": "application/x-www-form-urlencoded"}, b"grant_type=refresh_token&refresh_token=rt-1&client_id=shop-app")]
    token = json.loads(entries[1]["response"]["content"]["text"])["access_token"]
    entries += [edges.fetch(edge.url(path), headers={**agent, "Authorization": f"Bearer {token}"}) for path in ("/orders", "/orders/17")]
    ensure([entry["response"]["status"] for entry in entries] == [401, 200, 200, 200], "it recovers")
    wanted = target(edge.url())
    sent = record(wanted, token)
    good(sent)
    return inputs(token=token, target=wanted, exchanges=sent, logs={"app.har": har(entries)})


@case("healthy-apache-oauth2", family="healthy", recorded="Apache 2.4.71, mod_oauth2 3.3.1", fault="Nothing: mod_oauth2 verifies against the issuer's keys; its log complains of scanners without tokens.")
def oauth2(lab):
    api = service(lab)
    edge = mod_oauth2(lab, f"jwks_uri http://127.0.0.1:{api.issuer.port}/jwks.json", api=api)
    for path in ("/.env", "/wp-login.php", "/admin"):
        edges.fetch(edge.url(path), headers={"Authorization": "Basic YWRtaW46YWRtaW4="})
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    early = logs(lab, "apache/error.log", "apache/access.log")
    sent = record(wanted, token)
    good(sent)
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, files=edge.config, logs=early)


@case("healthy-nginx-basic-elsewhere", family="healthy", recorded=NGINX, fault="Nothing: other paths of the host have a Basic password; the API does not.")
def elsewhere(lab):
    api = service(lab)
    lab.write("ops.htpasswd", "ops:{PLAIN}throwaway\n")
    edge = nginx(lab, f'location / {{ auth_basic "Operations"; auth_basic_user_file {lab.folder}/ops.htpasswd; root {lab.folder}; }}\nlocation /orders {{ proxy_pass http://{api.direct}; }}')
    token, wanted = api.token(), target(edge.url("/orders"))
    sent = record(wanted, token)
    good(sent)
    return inputs(token=token, target=wanted, exchanges=sent)


@case("healthy-nginx-others-are-refused", family="healthy", recorded=NGINX, fault="Nothing: the log shows 401 and 403 of other users, who lack a token or the role; this user is served.")
def others(lab):
    api = service(lab)
    edge = nginx(lab, f"location / {{ proxy_pass http://{api.direct}; }}")
    for path, token in (("/orders", None), ("/admin", api.token(subject="u-2")), ("/admin", api.token(subject="u-3")), ("/orders", api.token(subject="u-4", age=9000))):
        edges.fetch(edge.url(path), headers={"Authorization": f"Bearer {token}"} if token else {})
    token, wanted = api.token(roles=["user", "admin"]), target(edge.url("/admin"), issuer=api.issuer.url)
    sent = record(wanted, token)
    good(sent)
    return inputs(token=token, target=wanted, exchanges=sent, logs=logs(lab, "nginx/access.log"))


@case("healthy-caddy-long-token", family="healthy", recorded=CADDY, fault="Nothing: the token is long, has 80 groups and several audiences, and is accepted.")
def long_token(lab):
    api = service(lab)
    edge = caddy(lab, f"reverse_proxy 127.0.0.1:{api.port}")
    token = api.token(audience=["orders-api", "stock-api", "https://login.example.test/userinfo"], groups=[f"team-{n:03}" for n in range(80)])
    wanted = target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    good(sent)
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("healthy-caddy-public-endpoint", family="healthy", recorded=CADDY, fault="Nothing: the endpoint is public and answers 200 with any token or none.")
def public(lab):
    api = service(lab)
    edge = caddy(lab, f"reverse_proxy 127.0.0.1:{api.port}")
    token, wanted = api.token(), target(edge.url("/health"))
    sent = record(wanted, token, other_endpoint=edge.url("/orders"))
    good(sent, "bare", "altered", "other-endpoint")
    return inputs(token=token, target=wanted, exchanges=sent)
