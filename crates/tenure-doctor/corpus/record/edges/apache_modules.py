"""Apache before an API: ModSecurity with the OWASP rules, PHP-FPM, mod_auth_openidc as a resource server, redirects."""

import re

from lab import edges
from lab import apps as apps_lab
from lab.common import answer, case, ensure, inputs, only, record, status, target
from lab.edges import APACHE, ORIGIN, service
from lab.servers import Reply
from lab.tokens import Key, claims
from lab.traffic import CURL, MODSECURITY, Crowd, curl, joined, sped

REMOTE = ["remoteip"]
HIDDEN = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1"
OPENIDC = "Apache 2.4.71, mod_auth_openidc 2.4.12.3"


def apache(lab, site, *, modules=(), hidden="", **more):
    return edges.apache(lab, site, modules=[*REMOTE, *modules], hidden=f"{HIDDEN}\n{hidden}", **more)


def guarded(lab, api, rules="", **more):
    """ModSecurity as Debian's package sets it up, but that it blocks."""
    folder = lab.folder / "modsec"
    folder.mkdir()
    folder.chmod(0o777)
    site = f"""<IfModule security2_module>
  SecRuleEngine On
  SecRequestBodyAccess On
  SecDataDir {folder}
  SecAuditEngine Off
  SecDefaultAction "phase:1,log,auditlog,pass"
  SecDefaultAction "phase:2,log,auditlog,pass"
  IncludeOptional /etc/modsecurity/crs/crs-setup.conf
  {rules}
  IncludeOptional /usr/share/modsecurity-crs/rules/*.conf
</IfModule>
ProxyPass / http://{api.direct}/
"""
    return apache(lab, site, modules=["unique_id", "security2"], **more)


def modsec_log(lab) -> dict[str, str]:
    return {"error.log": joined(lab, "apache/error.log"), "access.log": joined(lab, "apache/access.log")}


@case("ways-modsecurity-refuses-put", family="edge", expected=["TN0206"], settling=True, recorded=MODSECURITY,
      fault="The OWASP rules allow GET, HEAD, POST and OPTIONS only: every PUT and DELETE of the app is 403, with any token.")
def method(lab):
    api = service(lab)
    with sped(80):
        edge = guarded(lab, api)
    crowd = Crowd(edge, api, seed=30)
    for number in range(6):
        crowd.noise(9)
        ip, agent, token = crowd.users[number]
        crowd.send("/orders/17", ip, token=token, agent=agent, method="PUT", body=b'{"count":3}', Content_Type="application/json")
    found = modsec_log(lab)
    ensure("911100" in found["error.log"] and '"PUT /orders/17 HTTP/1.1" 403' in found["access.log"], "the rule")
    return inputs(logs=found)


@case("ways-modsecurity-blocks-search", family="edge", expected=["TN0206"], settling=True, recorded=MODSECURITY,
      fault="A user's search text looks like SQL to the OWASP rules: 403 for that search, whatever the token; other searches pass.")
def search(lab):
    api = service(lab)
    edge = guarded(lab, api)
    token, wanted = api.token(), target(edge.url("/orders?q=1%27%20or%20%271%27%3D%271%20union%20select%20box"))
    sent = only(record(wanted, token, direct=api.direct, other_endpoint=edge.url("/orders?q=box")), "client", "bare", "altered", "direct", "other-endpoint", "again*")
    ensure(status(sent, "client") == 403 and status(sent, "direct") == 200 and status(sent, "other-endpoint") == 200, "one search")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"error.log": joined(lab, "apache/error.log")})


@case("ways-modsecurity-automated-client-poor", family="edge", expected=["TN0206"], settling=False, recorded=MODSECURITY,
      fault="A scripting client is caught by ModSecurity's list of scanners (its user agent): 403 in Apache's plain page, for any token.")
def agent(lab):
    api = service(lab, style="bare")
    edge = guarded(lab, api, 'SecRule REQUEST_HEADERS:User-Agent "@rx (?i)(curl|wget|tenure|python-requests|scrapy)" "id:1010,phase:1,deny,status:403,log,msg:\'Automated client\'"')
    token, wanted = api.token(), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == status(sent, "bare") == 403 and status(sent, "browser") == 200, "only scripts")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-healthy-modsecurity-blocks-scanners", family="healthy", recorded=MODSECURITY,
      fault="Nothing: the OWASP rules block scanners with 403, hundreds of lines; the app's users are served.")
def blocks_scanners(lab):
    api = service(lab)
    with sped(240):
        edge = guarded(lab, api)
    crowd = Crowd(edge, api, seed=31, paths=("/orders", "/orders/17"))
    for number in range(12):
        crowd.noise(8)
        for path in ("/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--", "/cgi-bin/../../../../etc/passwd", "/?x=%3Cscript%3Ealert(1)%3C/script%3E"):
            crowd.send(path, f"192.0.2.{number + 7}", agent="sqlmap/1.7.2#stable (https://sqlmap.org)")
    found = modsec_log(lab)
    ensure(found["access.log"].count('" 403 ') > 20, "blocked")
    live = apache(lab, f"ProxyPass / http://{api.direct}/", name="live")
    token, wanted = api.token(), target(live.url(), issuer=api.issuer.url)
    sent = only(record(wanted, token), "client", "bare", "altered", "garbage", "again*", "jwks", "discovery")
    ensure(status(sent, "client") == 200 and status(sent, "bare") == 401, "well")
    return inputs(token=token, target=wanted, exchanges=sent, logs=found)


PHP = """<?php
$given = $_SERVER['HTTP_AUTHORIZATION'] ?? null;
$context = stream_context_create(['http' => ['ignore_errors' => true, 'header' => $given ? "Authorization: $given" : '']]);
$path = explode('/api.php', $_SERVER['REQUEST_URI'])[1];
$body = file_get_contents('http://%s' . $path, false, $context);
foreach ($http_response_header as $line) {
    if (preg_match('/^(HTTP|WWW-Authenticate|Content-Type)/i', $line)) header($line);
}
echo $body;
"""


@case("ways-apache-php-fpm-drops-authorization", family="edge", expected=["TN0212"], settling=True, recorded="Apache 2.4.71, PHP-FPM 8.2, Python 3.11",
      fault="Apache hands PHP-FPM no Authorization (CGIPassAuth is off): $_SERVER has no HTTP_AUTHORIZATION.")
def php(lab):
    api = service(lab, style="detail")
    port = lab.port()
    lab.write("php/www/api.php", PHP % api.direct)
    conf = lab.write("php/fpm.conf", f"[global]\nerror_log = {lab.folder}/php/error.log\ndaemonize = no\n[www]\nuser = www-data\ngroup = www-data\n"
                     f"listen = 127.0.0.1:{port}\npm = static\npm.max_children = 2\n")
    lab.start("fpm", ["php-fpm8.2", "-F", "-y", conf], port=port)
    edge = apache(lab, f"DocumentRoot {lab.folder}/php/www\n<Directory {lab.folder}/php/www>\n  Require all granted\n</Directory>\n"
                  f'<FilesMatch "\\.php$">\n  SetHandler "proxy:fcgi://127.0.0.1:{port}"\n</FilesMatch>', modules=["proxy_fcgi"])
    token, wanted = api.token(), target(edge.url("/api.php/orders"))
    sent = record(wanted, token, echo=edge.url("/api.php/echo"))
    ensure(status(sent, "client") == status(sent, "bare") == 401, "never arrives")
    ensure("authorization" not in answer(sent, "echo")["body"].lower(), "the echo lacks it")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


@case("ways-apache-php-fpm-poor", family="edge", expected=["TN0212", "TN0201"], settling=False, recorded="Apache 2.4.71, PHP-FPM 8.2, Python 3.11",
      fault="As PHP-FPM behind Apache without CGIPassAuth; the user has Apache's configuration and the symptom, no echo.")
def php_poor(lab):
    found = php(lab)
    found["exchanges"] = only(found["exchanges"], "client", "bare", "altered")
    return found


@case("ways-apache-carriage-return-in-token", family="client", expected=["TN0105"], settling=True, recorded=f"{APACHE}, {CURL}",
      fault="The token comes out of a file with Windows line ends: its carriage return goes into the header, and Apache answers 400.")
def carriage_return(lab):
    api = service(lab)
    edge = apache(lab, f"ProxyPass / http://{api.direct}/")
    token = api.token() + "\r"
    shown = curl("http://api.example.test/orders", "-H", f"Authorization: Bearer {token}", connect={"api.example.test:80": edge.port})
    ensure("400 Bad Request" in shown, "Apache refuses it")
    return inputs(token=token, logs={"curl.txt": shown})


@case("ways-apache-redirect-to-inner-address", family="client", expected=["TN0108"], settling=True, recorded="Apache 2.4.71, Starlette (FastAPI 0.165)",
      fault="FastAPI redirects /orders/ to the address that it has behind Apache; ProxyPassReverse is missing.")
def inner(lab):
    secret = "throwaway-secret-of-the-lab-0123456789"
    port = apps_lab.start(lab, "fastapi", secret=secret)
    edge = apache(lab, f"ProxyPass / http://127.0.0.1:{port}/")
    token, wanted = apps_lab.secret_token(secret), target("http://api.example.test/orders/")
    sent = record(wanted, token, resolve={"api.example.test:80": [f"127.0.0.1:{edge.port}"]})
    ensure(status(sent, "client") == 307 and status(sent, "slash") == 200, "with the right slash it works")
    ensure(f":{port}/" in dict(answer(sent, "client")["headers"])["location"], "the inner address")
    return inputs(token=token, target=wanted, exchanges=sent, files=edge.config)


@case("ways-apache-digest-gate", family="edge", expected=["TN0209"], settling=True, recorded=APACHE,
      fault="Apache asks for a Digest password before the Bearer API.")
def digest(lab):
    api = service(lab)
    lab.write("digest", "anna:internal:0f0b6c1e4bd1c1b0ed0a0c5d6f3a9d11\n")
    with sped(30):
        edge = apache(lab, f'<Location />\n  AuthType Digest\n  AuthName "internal"\n  AuthDigestProvider file\n  AuthUserFile {lab.folder}/digest\n  Require valid-user\n</Location>\nProxyPass / http://{api.direct}/',
                      modules=["auth_digest"])
    crowd = Crowd(edge, api, seed=33)
    crowd.noise(45)
    found = {"error.log": joined(lab, "apache/error.log"), "access.log": joined(lab, "apache/access.log")}
    ensure("auth scheme" in found["error.log"] or "wrong authentication scheme" in found["error.log"], "Apache says so")
    return inputs(logs=found)


def openidc(lab, directives, options="", requires="Require valid-user", **more):
    """mod_auth_openidc as an OAuth 2.0 resource server before an API that believes it."""
    api = service(lab, before=lambda request: Reply(200, {"orders": [{"id": 17}], "user": request.header("oidc-claim-sub")}) if request.path.startswith("/orders") and request.method != "OPTIONS" else None, cors=True)
    site = f"{directives}\n<Location />\n  AuthType oauth20\n  {requires}\n{options}</Location>\nProxyPass / http://{api.direct}/"
    edge = apache(lab, site, modules=["auth_openidc"], hidden="OIDCCryptoPassphrase throwaway\nOIDCCacheType shm", **more)
    return api, edge


@case("ways-apache-openidc-secret-differs", family="verifier", expected=["TN0407"], settling=True, recorded=OPENIDC,
      fault="OIDCOAuthVerifySharedKeys has staging's secret; the tokens are signed with production's.")
def secret(lab):
    ours = Key("HS256", kid=None)
    api, edge = openidc(lab, f"OIDCOAuthVerifySharedKeys plain##{Key('HS256').private}", level="info")
    token = ours.token(headers={"kid": None}, **claims("https://auth.example.test"))
    wanted = target(edge.url())
    sent = record(wanted, token)
    error = joined(lab, "apache/error.log")
    ensure(status(sent, "client") == 401 and "signature" in error.lower(), "the signature")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "garbage", "again*"), files=edge.config,
                  keys={"production.secret": ours.private}, logs={"error.log": error})


@case("ways-apache-openidc-expired-log", family="verifier", expected=["TN0415"], settling=True, recorded=OPENIDC,
      fault="A nightly job keeps the token of its start and uses it for an hour; only Apache's logs are at hand.")
def expired(lab):
    key = Key()
    pem = lab.write("keys/idp.pem", key.pem())
    api, edge = openidc(lab, f"OIDCOAuthVerifyCertFiles {key.kid}#{pem}", level="warn auth_openidc:info")
    crowd = Crowd(edge, seed=35, token=lambda **more: key.token(**claims("https://auth.example.test", **more)))
    job = key.token(**claims("https://auth.example.test", subject="job-nightly", age=3700))
    for number in range(7):
        crowd.noise(9)
        crowd.send(f"/orders?page={number}", "10.20.4.4", token=job, agent="python-requests/2.31.0")
    found = {"error.log": joined(lab, "apache/error.log"), "access.log": joined(lab, "apache/access.log")}
    ensure("expired" in found["error.log"] and '" 200 ' in found["access.log"], "the log says so")
    return inputs(logs={name: re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "eyJ…", text) for name, text in found.items()})


@case("ways-apache-openidc-keys-unreachable", family="verifier", expected=["TN0404"], settling=True, recorded=OPENIDC,
      fault="The firewall of the new network lets Apache reach no issuer: OIDCOAuthVerifyJwksUri is refused, and every token with it.")
def unreachable(lab):
    nowhere = lab.port()
    api, edge = openidc(lab, f"OIDCOAuthVerifyJwksUri https://127.0.0.1:{nowhere}/jwks.json", level="warn auth_openidc:info")
    token, wanted = api.token(), target(edge.url(), issuer=api.issuer.url)
    sent = record(wanted, token)
    error = joined(lab, "apache/error.log")
    ensure(status(sent, "client") == 401 and "curl_easy_perform" in error, "not reached")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"jwks.json": api.jwks()}, logs={"error.log": re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "eyJ…", error)})


@case("ways-apache-openidc-401-without-cors", family="client", expected=["TN0111"], settling=True, recorded=OPENIDC,
      fault="`Header set` without `always`: Apache's own 401 of an expired token lacks CORS headers, and the page sees a network error.")
def cors(lab):
    key = Key()
    pem = lab.write("keys/idp.pem", key.pem())
    preflight = '"expr=%{REQUEST_METHOD} == \'OPTIONS\'"'
    allow = (f'Header set Access-Control-Allow-Origin "{ORIGIN}"\n'
             f'Header always set Access-Control-Allow-Origin "{ORIGIN}" {preflight}\n'
             f'Header always set Access-Control-Allow-Headers "authorization" {preflight}')
    api, edge = openidc(lab, f"OIDCOAuthVerifyCertFiles {key.kid}#{pem}\n{allow}", "  Require method OPTIONS\n")
    good = key.token(**claims("https://auth.example.test"))
    wanted = target(edge.url(), origin=ORIGIN)
    sent = record(wanted, good)
    named = lambda probe: dict(answer(sent, probe)["headers"]).get("access-control-allow-origin")
    ensure(named("origin") == ORIGIN and named("bare-origin") is None and status(sent, "bare-origin") == 401, "only the 401 lacks them")
    return inputs(token=good, target=wanted, exchanges=only(sent, "client", "bare", "origin", "bare-origin", "preflight"))
