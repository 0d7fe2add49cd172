"""lighttpd before an API, one fault each."""


from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.edges import ORIGIN, certificate, har, page, service
from lab.traffic import CURL, LIGHTTPD, Crowd, curl, joined, lighttpd, sped, statuses


def forward(api) -> str:
    return f'proxy.server = ("" => (("host" => "127.0.0.1", "port" => {api.port})))'


@case("ways-lighttpd-clears-authorization", family="edge", expected=["TN0201"], settling=True, recorded=LIGHTTPD,
      fault="setenv.set-request-header sets Authorization to nothing for /orders: a leftover of a Basic gate.")
def clears(lab):
    api = service(lab)
    edge = lighttpd(lab, f'$HTTP["url"] =~ "^/(orders|echo)" {{\n  setenv.set-request-header = ("Authorization" => "")\n}}\n{forward(api)}')
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token, direct=api.direct)
    ensure(status(sent, "client") == 401 and status(sent, "direct") == 200, "lighttpd alone")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "direct"), files=edge.config)


@case("ways-lighttpd-basic-gate", family="edge", expected=["TN0209"], settling=True, recorded=LIGHTTPD,
      fault="mod_auth guards the whole host with a staging password; the API's tokens never get there.")
def basic(lab):
    api = service(lab)
    lab.write("users", "dev:throwaway\n")
    with sped(50):
        edge = lighttpd(lab, f'auth.backend = "plain"\nauth.backend.plain.userfile = "{lab.folder}/users"\n'
                        f'auth.require = ("" => ("method" => "basic", "realm" => "staging", "require" => "valid-user"))\n{forward(api)}', ["auth", "authn_file"])
    crowd = Crowd(edge, api, seed=20)
    for _ in range(6):
        crowd.noise(7)
        crowd.send("/orders", "10.20.0.31", token="Basic ZGV2OnRocm93YXdheQ==", agent="curl/8.5.0")
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure("Basic" in dict(answer(sent, "client")["headers"])["www-authenticate"], "the gate")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare"), logs={"access.log": joined(lab, "lighttpd/access.log")})


@case("ways-lighttpd-basic-gate-curl", family="edge", expected=["TN0209"], settling=True, recorded=f"{LIGHTTPD}, {CURL}",
      fault="A Digest gate of lighttpd (mod_auth) before a Bearer API; one call of curl -v is at hand.")
def digest(lab):
    api = service(lab)
    lab.write("users", "dev:throwaway\n")
    edge = lighttpd(lab, f'auth.backend = "plain"\nauth.backend.plain.userfile = "{lab.folder}/users"\n'
                    f'auth.require = ("/" => ("method" => "digest", "realm" => "internal tools", "require" => "valid-user"))\n{forward(api)}', ["auth", "authn_file"])
    shown = curl("http://tools.example.test/orders", "-H", f"Authorization: Bearer {api.token()}", connect={"tools.example.test:80": edge.port})
    ensure("401 Unauthorized" in shown and "WWW-Authenticate: Digest" in shown, "Digest")
    return inputs(logs={"terminal.txt": shown})


@case("ways-lighttpd-denies-addresses", family="edge", expected=["TN0206"], settling=False, recorded=LIGHTTPD,
      fault="url.access-deny for all but two networks: users elsewhere get 403, with or without a token.")
def denies(lab):
    api = service(lab)
    edge = lighttpd(lab, f'$HTTP["remoteip"] != "198.51.100.0/24" {{\n  url.access-deny = ("")\n}}\n{forward(api)}')
    crowd = Crowd(edge, api, seed=21)
    crowd.noise(60)
    token, wanted = api.token(), target(edge.url("/orders/17"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == status(sent, "bare") == 403, "403 for all")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config, logs={"access.log": joined(lab, "lighttpd/access.log")})


@case("ways-lighttpd-header-too-large", family="client", expected=["TN0113"], settling=True, recorded=LIGHTTPD,
      fault="lighttpd takes 8 KB of request header: the administrators' tokens, with all groups in them, get 431.")
def too_large(lab):
    api = service(lab)
    edge = lighttpd(lab, forward(api))
    token = api.token(subject="u-31", groups=[f"cn=project-{n:03},ou=groups,dc=example,dc=test" for n in range(220)])
    other, wanted = api.token(subject="u-2"), target(edge.url())
    sent = record(wanted, token, other_token=other)
    ensure(status(sent, "client") in (400, 413, 431) and status(sent, "other-token") == 200, "only the large token")
    return inputs(token=token, other_token=other, target=wanted, exchanges=only(sent, "client", "bare", "other-token", "again*"))


@case("ways-lighttpd-http-to-https-curl", family="client", expected=["TN0109", "TN0107"], settling=True, recorded=f"{LIGHTTPD}, {CURL}",
      fault="The client is configured with http://; lighttpd redirects to the https name, and curl -L drops the header there.")
def to_https(lab):
    api = service(lab)
    pem, ca = certificate(lab, "api.example.test")
    edge = lighttpd(lab, f'ssl.engine = "enable"\nssl.pemfile = "{pem}"\n{forward(api)}', ["openssl"], name="secure")
    plain = lighttpd(lab, 'url.redirect-code = 301\n$HTTP["host"] =~ "(.*)" {\n  url.redirect = ("^/(.*)" => "https://%1/$1")\n}', name="plain")
    shown = curl("http://api.example.test/orders", "-L", "-H", f"Authorization: Bearer {api.token()}",
                 connect={"api.example.test:80": plain.port, "api.example.test:443": edge.port}, ca=ca)
    ensure("301 Moved" in shown and "401 Unauthorized" in shown and "https://api.example.test" in shown, "dropped at the redirect")
    return inputs(logs={"curl.txt": shown})


@case("ways-lighttpd-moved-host-okhttp", family="client", expected=["TN0107"], settling=False, recorded=LIGHTTPD,
      fault="The API moved from shop. to api.; lighttpd on the old host redirects, and the app follows without its header.")
def moved(lab):
    api = service(lab)
    edge = lighttpd(lab, f'$HTTP["host"] == "shop.example.test" {{\n  url.redirect-code = 308\n  url.redirect = ("^/api/(.*)" => "http://api.example.test/$1")\n}}\n{forward(api)}')
    token, wanted = api.token(), target("http://shop.example.test/api/orders/17")
    sent = record(wanted, token, resolve={"shop.example.test:80": [f"127.0.0.1:{edge.port}"], "api.example.test:80": [f"127.0.0.1:{edge.port}"]}, direct=api.direct)
    ensure(status(sent, "client") == 308 and status(sent, "hop-1") == 401, "refused after the hop")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-lighttpd-cors-only-on-success", family="client", expected=["TN0111"], settling=True, recorded=LIGHTTPD,
      fault="The API adds CORS headers to good answers only; when the token runs out the page sees a network error and never refreshes.")
def cors(lab):
    api = service(lab, cors=True, ok_headers={"access-control-allow-origin": ORIGIN, "access-control-allow-headers": "authorization"})
    edge = lighttpd(lab, forward(api))
    good = api.token(age=880)
    entries = page(edge.url(), good) + page(edge.url("/orders/17"), good)
    old = api.token(age=1000)
    entries += page(edge.url(), old) + page(edge.url("/orders?page=2"), old)
    ensure(statuses(entries) == [204, 200, 204, 200, 204, 0, 204, 0], "the page may not read the 401")
    log = joined(lab, "lighttpd/access.log")
    ensure(log.count('" 401 ') == 2, "the server sent 401")
    return inputs(target=target(edge.url(), origin=ORIGIN), logs={"shop.har": har(entries), "lighttpd-access.log": log})


@case("ways-healthy-lighttpd-noise", family="healthy", recorded=LIGHTTPD,
      fault="Nothing: scanners get 403 and 404, calls without tokens 401; users are served.")
def healthy(lab):
    api = service(lab)
    with sped(120):
        edge = lighttpd(lab, f'$HTTP["url"] =~ "^/(\\.env|wp-login|actuator)" {{\n  url.access-deny = ("")\n}}\n{forward(api)}', port=None)
    crowd = Crowd(edge, api, seed=23)
    for _ in range(15):
        crowd.noise(10)
        crowd.send("/orders", "192.0.2.14", agent="Go-http-client/1.1")
    log = joined(lab, "lighttpd/access.log")
    live = lighttpd(lab, forward(api), name="live")
    token, wanted = api.token(), target(live.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    ensure(status(sent, "client") == 200 and '" 403 ' in log and '" 401 ' in log, "well")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"access.log": log}, keys={"jwks.json": api.jwks()})
