"""Starts what stands before an API: nginx, Caddy, HAProxy, Apache, Varnish; and plays a browser that exports a HAR."""

import datetime
import http.client
import json
import time
import urllib.parse
from dataclasses import dataclass

from lab.common import Lab
from lab.servers import Api, Issuer, fetched
from lab.tokens import Key, claims

NGINX = "nginx 1.22.1, Python 3.11"
CADDY = "Caddy 2.6.2, Python 3.11"
HAPROXY = "HAProxy 2.6.12, Python 3.11"
APACHE = "Apache 2.4.71, Python 3.11"
VARNISH = "Varnish 7.1.1, Python 3.11"
ORIGIN = "https://app.example.test"


@dataclass
class Edge:
    """A started edge: its port, and its configuration as its operator would show it."""

    port: int
    config: dict[str, str]

    def url(self, path="/orders") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass
class Service:
    """An issuer, an API that reads its keys, and a token that the API accepts."""

    key: Key
    issuer: Issuer
    api: Api
    port: int

    def token(self, **more) -> str:
        return self.key.token(**claims(self.issuer.url, **more))

    def altered(self, **more) -> str:
        """Well-formed, and signed by nobody that the API knows."""
        return Key(self.key.alg, kid=self.key.kid).token(**claims(self.issuer.url, **more))

    @property
    def direct(self) -> str:
        return f"127.0.0.1:{self.port}"

    def jwks(self) -> str:
        return json.dumps(self.issuer.jwks(), indent=1)


def service(lab: Lab, alg="RS256", **api) -> Service:
    """Starts an issuer and an API."""
    key = Key(alg)
    issuer = lab.enter(Issuer(key).running())
    serves = Api(**{"keys": fetched(issuer), "issuer": issuer.url, **api})
    return Service(key, issuer, serves, lab.enter(serves.running()))


def nginx(lab: Lab, server: str, http: str = "", *, top="", level="error", log="combined", name="nginx", listen="", port=None) -> Edge:
    """`server`, `http` and `top` are what stands in those blocks. Logs: NAME/access.log, NAME/error.log."""
    port = port or lab.port()
    folder = lab.folder / name
    (folder / "tmp").mkdir(parents=True)
    shown = f"""{indent(top, 0)}
events {{ worker_connections 256; }}
http {{
{indent(http, 2)}
  access_log {folder}/access.log {log};
  server {{
    listen 127.0.0.1:{port}{listen};
{indent(server, 4)}
  }}
}}
""".lstrip()
    places = "".join(f"{kind}_temp_path {folder}/tmp/{kind}; "
                     for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = lab.write(f"{name}/nginx.conf", "user root; worker_processes 1; daemon off; "
                     f"pid {folder}/pid; error_log {folder}/error.log {level};\n"
                     + shown.replace("http {\n", "http { " + places + "\n", 1))
    lab.start(name, ["nginx", "-p", folder, "-e", folder / "error.log", "-c", path], port=port)
    return Edge(port, {"nginx.conf": shown})


def caddy(lab: Lab, site: str, *, options="", name="caddy", address=None, port=None) -> Edge:
    """`site` is what stands in the site block."""
    port = port or lab.port()
    shown = f"{{\n\tadmin off\n\tauto_https off\n{indent(options, 1, tab=True)}\n}}\n\n"
    shown += f"{address or f'http://:{port}'} {{\n\tbind 127.0.0.1\n{indent(site, 1, tab=True)}\n}}\n"
    path = lab.write(f"{name}/Caddyfile", shown)
    lab.start(name, ["caddy", "run", "--config", path, "--adapter", "caddyfile"], port=port,
              env={"HOME": str(lab.folder / name), "XDG_DATA_HOME": str(lab.folder / name)})
    return Edge(port, {"Caddyfile": shown})


def haproxy(lab: Lab, frontend: str, more: str, *, bind="", top="", name="haproxy", port=None) -> Edge:
    """`frontend` is the inside of the frontend, `more` other sections. Logs go to NAME.out."""
    port = port or lab.port()
    shown = f"""global
    log stdout format raw local0
{indent(top, 4)}

defaults
    mode http
    log global
    option httplog
    option dontlognull
    timeout connect 5s
    timeout client 30s
    timeout server 30s

frontend edge
    bind 127.0.0.1:{port}{bind}
{indent(frontend, 4)}

{more}
"""
    path = lab.write(f"{name}/haproxy.cfg", shown)
    lab.start(name, ["haproxy", "-db", "-f", path], port=port)
    return Edge(port, {"haproxy.cfg": shown})


APACHE_MODULES = ["mpm_event", "authz_core", "authz_host", "authz_user", "authn_core", "authn_file", "auth_basic",
                  "headers", "proxy", "proxy_http", "rewrite", "alias", "env", "setenvif", "dir"]


def apache(lab: Lab, site: str, *, modules=(), hidden="", level="warn", name="apache", env=None, port=None) -> Edge:
    """`site` is what stands at the top level, `hidden` what no operator would show. Logs: NAME/access.log, NAME/error.log."""
    port = port or lab.port()
    folder = lab.folder / name
    (folder / "htdocs").mkdir(parents=True)
    shown = f"Listen 127.0.0.1:{port}\nServerName 127.0.0.1\n{site.strip()}\n"
    loaded = "".join(f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"
                     for module in [*APACHE_MODULES, *modules])
    path = lab.write(f"{name}/apache2.conf", f"""{loaded}
ServerRoot {folder}
PidFile {folder}/pid
User www-data
Group www-data
DefaultRuntimeDir {folder}
Mutex file:{folder}
DocumentRoot {folder}/htdocs
ErrorLog {folder}/error.log
LogLevel {level}
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {folder}/access.log combined
{hidden}
{shown}""")
    lab.start(name, ["apache2", "-f", path, "-D", "FOREGROUND"], port=port, env=env)
    return Edge(port, {"apache2.conf": shown})


def varnish(lab: Lab, backend: int, vcl: str, *, name="varnish", port=None) -> Edge:
    """`vcl` is what stands after the backend."""
    port = port or lab.port()
    shown = f"""vcl 4.1;

backend default {{
    .host = "127.0.0.1";
    .port = "{backend}";
}}

{vcl.strip()}
"""
    path = lab.write(f"{name}/default.vcl", shown)
    folder = lab.folder / name / "run"
    lab.start(name, ["varnishd", "-F", "-j", "none", "-a", f"127.0.0.1:{port}", "-f", path, "-n", folder,
                     "-s", "default,16m", "-T", "none"], port=port)
    return Edge(port, {"default.vcl": shown})


def one_port(lab: Lab, *, tls: int, plain: int) -> int:
    """A port that leads to one of two others, by what the client speaks: as 443 and 80 of one name."""
    port = lab.port()
    path = lab.write("one-port.cfg", f"""defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend both
    bind 127.0.0.1:{port}
    tcp-request inspect-delay 5s
    tcp-request content accept if {{ req.len gt 0 }}
    use_backend tls if {{ req.ssl_hello_type 1 }}
    default_backend plain
backend tls
    server it 127.0.0.1:{tls}
backend plain
    server it 127.0.0.1:{plain}
""")
    lab.start("one-port", ["haproxy", "-db", "-f", path], port=port)
    return port


def indent(text: str, by: int, tab=False) -> str:
    """Dedented by its first line, then indented."""
    lines = text.strip("\n").splitlines()
    if not lines:
        return ""
    cut = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(("\t" if tab else " ") * by + line[min(cut, len(line) - len(line.lstrip())):] for line in lines)


def logs(lab: Lab, *names: str) -> dict[str, str]:
    """Logs by their names without the folder. Servers write some only after the answer."""
    time.sleep(0.3)
    return {name.split("/")[-1].replace(".out", ".log"): lab.read(name) for name in names}


def certificate(lab: Lab, host: str) -> tuple[str, str]:
    """PEM files: a certificate with its key behind it, and the authority that signed it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)

    def issue(subject, public, issuer, signing, extensions):
        named = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        build = x509.CertificateBuilder(named(issuer), named(subject), public, x509.random_serial_number(), start,
                                        start + datetime.timedelta(days=90))
        for extension, critical in extensions:
            build = build.add_extension(extension, critical)
        return build.sign(signing, hashes.SHA256())

    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = issue("Lab CA", root.public_key(), "Lab CA", root, [(x509.BasicConstraints(True, None), True)])
    served = issue(host, leaf.public_key(), "Lab CA", root, [
        (x509.SubjectAlternativeName([x509.DNSName(host)]), False), (x509.BasicConstraints(False, None), True)])
    pem = lambda part: part.public_bytes(serialization.Encoding.PEM).decode()
    private = leaf.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()).decode()
    return str(lab.write("tls/edge.pem", pem(served) + private)), str(lab.write("tls/ca.pem", pem(authority)))


def fetch(url: str, method="GET", headers=None, body: bytes | None = None) -> dict:
    """One request with exactly these header fields; an entry of a HAR file."""
    to = urllib.parse.urlsplit(url)
    headers = {"Host": to.netloc, "Accept": "application/json", **(headers or {})}
    began, moment = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
    connection = http.client.HTTPConnection(to.hostname, to.port or 80, timeout=20)
    connection.putrequest(method, to.path + (f"?{to.query}" if to.query else ""), skip_host=True,
                          skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    got = connection.getresponse()
    text = got.read()
    connection.close()
    took = (time.monotonic() - moment) * 1000
    pairs = lambda fields: [{"name": name, "value": value} for name, value in fields]
    return {
        "startedDateTime": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "time": round(took, 3),
        "request": {"method": method, "url": url, "httpVersion": "HTTP/1.1", "headers": pairs(headers.items()),
                    "queryString": [], "cookies": [], "headersSize": -1, "bodySize": len(body or b"")},
        "response": {"status": got.status, "statusText": got.reason, "httpVersion": "HTTP/1.1",
                     "headers": pairs(got.getheaders()), "cookies": [], "redirectURL": got.getheader("location") or "",
                     "content": {"size": len(text), "mimeType": got.getheader("content-type") or "",
                                 "text": text.decode(errors="replace")}, "headersSize": -1, "bodySize": len(text)},
        "cache": {}, "timings": {"send": 0, "wait": round(took, 3), "receive": 0},
    }


def page(url: str, token: str | None = None, *, method="GET", origin=ORIGIN, headers=None, body=None) -> list[dict]:
    """What a web page's `fetch` leaves in a HAR: the preflight where one is due, and what the page may not read blanked."""
    headers = {"Origin": origin, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0", **(headers or {})}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    entries, allowed = [], lambda entry: field(entry, "access-control-allow-origin") in {"*", origin}
    if token is not None or method not in {"GET", "HEAD", "POST"}:
        asked = fetch(url, "OPTIONS", {"Origin": origin, "Access-Control-Request-Method": method,
                                       "Access-Control-Request-Headers": "authorization"})
        entries.append(asked)
        if not (200 <= asked["response"]["status"] < 300 and allowed(asked)):
            return [*entries, blocked(url, method, headers)]
    sent = fetch(url, method, headers, body)
    return [*entries, sent if allowed(sent) else blocked(url, method, headers, sent)]


def blocked(url: str, method: str, headers: dict, sent: dict | None = None) -> dict:
    """The entry of a request whose answer the page may not see."""
    began = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "startedDateTime": (sent or {}).get("startedDateTime", began), "time": (sent or {}).get("time", 1.0),
        "_resourceType": "fetch",
        "request": {"method": method, "url": url, "httpVersion": "HTTP/1.1",
                    "headers": [{"name": name, "value": value} for name, value in headers.items()],
                    "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0},
        "response": {"status": 0, "statusText": "", "httpVersion": "", "headers": [], "cookies": [], "redirectURL": "",
                     "content": {"size": 0, "mimeType": "x-unknown"}, "headersSize": -1, "bodySize": -1,
                     "_error": "net::ERR_FAILED"},
        "cache": {}, "timings": {"send": 0, "wait": 0, "receive": 0},
    }


def field(entry: dict, name: str) -> str | None:
    """A header field of the answer."""
    found = (each["value"] for each in entry["response"]["headers"] if each["name"].lower() == name)
    return next(found, None)


def har(entries: list[dict], *, sanitized=False, creator="WebInspector") -> str:
    """A HAR 1.2 file; `sanitized` as browsers export it by default, without credentials."""
    if sanitized:
        hidden = {"authorization", "cookie", "set-cookie"}
        for side in (entry[part] for entry in entries for part in ("request", "response")):
            side["headers"] = [each for each in side["headers"] if each["name"].lower() not in hidden]
    made = {"name": creator, "version": "537.36"}
    return json.dumps({"log": {"version": "1.2", "creator": made, "pages": [], "entries": entries}}, indent=1)
