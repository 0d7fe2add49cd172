"""Varnish before an API, one fault each."""

import time

from lab import edges
from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.edges import VARNISH, service, varnish

# Without this, Varnish hands every request with Authorization through.
CACHES_ALL = "sub vcl_recv {\n    if (req.method == \"GET\" || req.method == \"HEAD\") {\n        return (hash);\n    }\n}\n"


@case("varnish-cached-401", family="edge", expected=["TN0202"], settling=True, recorded=VARNISH,
      fault="Varnish keeps every answer for two minutes, also a stranger's 401, and gives it to signed-in users.")
def cached_401(lab):
    api = service(lab)
    edge = varnish(lab, api.port, CACHES_ALL + "sub vcl_backend_response {\n    set beresp.ttl = 120s;\n}\n")
    edges.fetch(edge.url())
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(sent, "fresh") == 200, "a cache-buster helps")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()})


@case("varnish-cached-401-old", family="edge", expected=["TN0202"], settling=True, recorded=VARNISH,
      fault="Varnish caches by URL; the API lets its 401 be cached (Cache-Control: max-age).")
def cached_401_api(lab):
    api = service(lab, style="bare", denied_headers={"cache-control": "public, max-age=300"}, ok_headers={"cache-control": "no-store"})
    edge = varnish(lab, api.port, CACHES_ALL + "sub vcl_backend_response {\n    if (beresp.status == 401 || beresp.status == 403) {\n        set beresp.ttl = 300s;\n        return (deliver);\n    }\n}\n"
                   "sub vcl_deliver {\n    if (obj.hits > 0) { set resp.http.X-Cache = \"HIT\"; } else { set resp.http.X-Cache = \"MISS\"; }\n}\n")
    edges.fetch(edge.url("/orders/17"))
    time.sleep(3)
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "Varnish alone")
    ensure(int(dict(answer(sent, "client")["headers"])["age"]) >= 2, "it has an age")
    return inputs(target=wanted, token=token, exchanges=only(sent, "client", "bare", "altered", "fresh", "bare-fresh", "direct", "again*"), files=edge.config)


@case("varnish-cached-403", family="edge", expected=["TN0202"], settling=False, recorded=VARNISH,
      fault="A 403 of a user without the role is cached and given to an administrator.")
def cached_403(lab):
    api = service(lab)
    edge = varnish(lab, api.port, CACHES_ALL + "sub vcl_backend_response {\n    set beresp.ttl = 60s;\n}\nsub vcl_deliver {\n    unset resp.http.Age;\n    unset resp.http.Via;\n    unset resp.http.X-Varnish;\n}\n")
    edges.fetch(edge.url("/admin"), headers={"Authorization": f"Bearer {api.token()}"})
    token, wanted = api.token(roles=["user", "admin"]), target(edge.url("/admin"), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure(status(sent, "client") == 403 and status(sent, "fresh") == 200, "a cache-buster helps")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("varnish-cached-200-masks", family="edge", expected=["TN0203"], settling=True, recorded=VARNISH,
      fault="Varnish caches by URL only: somebody else's orders are given to everybody, signed in or not.")
def cached_200(lab):
    api = service(lab)
    edge = varnish(lab, api.port, CACHES_ALL + "sub vcl_backend_response {\n    if (beresp.status == 200) {\n        set beresp.ttl = 300s;\n    } else {\n        set beresp.uncacheable = true;\n    }\n}\n")
    edges.fetch(edge.url(), headers={"Authorization": f"Bearer {api.token(subject='u-1')}"})
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "bare") == 200 and status(sent, "bare-fresh") == 401, "only the cache says 200")
    ensure("u-1" in answer(sent, "client")["body"], "of somebody else")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("varnish-unsets-authorization", family="edge", expected=["TN0201"], settling=True, recorded=VARNISH,
      fault="Varnish removes Authorization so that more can be cached.")
def unsets(lab):
    api = service(lab)
    edge = varnish(lab, api.port, "sub vcl_recv {\n    unset req.http.Authorization;\n    unset req.http.Cookie;\n}\nsub vcl_backend_response {\n    if (beresp.status >= 400) {\n        set beresp.uncacheable = true;\n    }\n}\n")
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct, echo=edge.url("/echo"))
    ensure(status(sent, "client") == status(sent, "fresh") == 401 and status(sent, "direct") == 200, "Varnish alone")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, files=edge.config)


@case("varnish-user-agent-rule", family="edge", expected=["TN0206", "TN0205"], settling=False, recorded=VARNISH,
      fault="A rule in the VCL answers clients that are no browsers with a synthetic 403.")
def denies(lab):
    api = service(lab)
    edge = varnish(lab, api.port, 'sub vcl_recv {\n    if (req.http.User-Agent !~ "Mozilla") {\n        return (synth(403, "Request blocked"));\n    }\n    return (pass);\n}\n')
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 403 and status(sent, "browser") == 200, "only browsers pass")
    return inputs(token=token, target=wanted, exchanges=sent)
