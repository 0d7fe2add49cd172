"""What stands between client and API beyond `edges.py` (Squid, lighttpd, nginx with modules), and a day's traffic through it."""

import contextlib
import datetime
import os
import random
import subprocess
import time

from lab import edges
from lab.common import Lab, faketime
from lab.edges import Edge, indent

SQUID = "Squid 5.7, Python 3.11"
LIGHTTPD = "lighttpd 1.4.69, Python 3.11"
MODSECURITY = "Apache 2.4.71, ModSecurity 2.9.7, OWASP CRS 3.3.4"
NJS = "nginx 1.22.1, njs 0.7.9, Python 3.11"
CURL = "curl 7.88.1"

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
AGENTS = [BROWSER, "okhttp/4.12.0", "ShopApp/7.4.1 (iOS 18.1; iPhone15,2)", "axios/1.7.7", "Dart/3.5 (dart:io)"]
ROBOTS = [("/.env", "Mozilla/5.0 zgrab/0.x"), ("/wp-login.php", "Mozilla/5.0 (compatible; Nmap Scripting Engine)"),
          ("/robots.txt", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
          ("/actuator/health", "python-requests/2.31.0"), ("/favicon.ico", BROWSER)]
REAL_IP = "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"


@contextlib.contextmanager
def sped(minutes: float, speed: int = 60):
    """Programs started in it began so many minutes ago, and their clocks run `speed` times as fast; yields that clock."""
    began, real = time.time() - minutes * 60, time.time()
    text = datetime.datetime.fromtimestamp(began, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    faked = {**faketime(FAKETIME=f"@{text} x{speed}"), "TZ": "UTC"}
    before = {name: os.environ.get(name) for name in faked}
    os.environ.update(faked)
    try:
        yield lambda: began + (time.time() - real) * speed
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Crowd:
    """Users, a monitor and robots that go through an edge; each has an address in X-Forwarded-For."""

    def __init__(self, edge: Edge, service=None, *, seed=1, users=6, host="api.example.test", token=None, health="/health",
                 agents=AGENTS, robots=ROBOTS, paths=("/orders", "/orders/17", "/orders/23?expand=lines", "/orders?page=2")):
        self.edge, self.host, self.random, self.health = edge, host, random.Random(seed), health
        self.robots, self.paths, self.count = robots, paths, 0
        make = token or (service.token if service else None)
        self.users = [(f"198.51.100.{self.random.randrange(2, 250)}", self.random.choice(agents),
                       make(subject=f"u-{1000 + self.random.randrange(8999)}") if make else None) for _ in range(users)]

    def send(self, path, ip="203.0.113.40", *, token=None, agent="okhttp/4.12.0", method="GET", body=None, raw=None, **headers) -> dict:
        """One request, as an entry of a HAR; `_` stands for `-` in header names, but in those of `raw`."""
        named = {"Host": self.host, "User-Agent": agent, "X-Forwarded-For": ip}
        named.update({name.replace("_", "-"): value for name, value in headers.items()})
        named.update(raw or {})
        if token is not None:
            named["Authorization"] = token if " " in token else f"Bearer {token}"
        return edges.fetch(self.edge.url(path), method, named, body)

    def pass_(self, seconds: float) -> None:
        time.sleep(seconds)

    def noise(self, requests: int, pause=0.02) -> None:
        """So many ordinary requests of others."""
        for _ in range(requests):
            self.count += 1
            if self.count % 7 == 0:
                self.send(self.health, "10.20.0.9", agent="kube-probe/1.29")
            elif self.count % 11 == 0 and self.robots:
                path, agent = self.random.choice(self.robots)
                self.send(path, f"192.0.2.{self.random.randrange(1, 250)}", agent=agent)
            else:
                ip, agent, token = self.random.choice(self.users)
                self.send(self.random.choice(self.paths), ip, agent=agent, token=token)
            time.sleep(self.random.uniform(0, 2 * pause))


def statuses(entries) -> list[int]:
    return [entry["response"]["status"] for entry in entries]


def nginx(lab: Lab, server: str, http: str = "", **more) -> Edge:
    """As `edges.nginx`, with addresses of X-Forwarded-For."""
    return edges.nginx(lab, server, f"{REAL_IP}\n{indent(http, 0)}", **more)


def squid(lab: Lab, rules: str, *, accel: int | None = None, peer="", name="squid", site="api.example.test", log="squid") -> Edge:
    """A forward proxy, or an accelerator of the port `accel`. Log: NAME/access.log."""
    port, folder = lab.port(), lab.folder / name
    folder.mkdir()
    folder.chmod(0o777)
    if accel:
        listens = (f"http_port 127.0.0.1:{port} accel defaultsite={site}\n"
                   f"cache_peer 127.0.0.1 parent {accel} 0 no-query originserver name=orders {peer}".rstrip())
    else:
        listens = f"http_port 127.0.0.1:{port}"
    shown = f"{listens}\nvisible_hostname proxy.example.test\n{indent(rules, 0)}\naccess_log stdio:{folder}/access.log {log}\n"
    path = lab.write(f"{name}/squid.conf", f"{shown}cache_log {folder}/cache.log\npid_filename {folder}/pid\ncoredump_dir {folder}\n"
                     "cache_mem 16 MB\nfollow_x_forwarded_for allow all\nlog_uses_indirect_client on\nacl_uses_indirect_client on\n"
                     "shutdown_lifetime 0 seconds\nnetdb_filename none\nlogfile_rotate 0\n")
    lab.start(name, ["squid", "-N", "-f", path], port=port)
    return Edge(port, {"squid.conf": shown})


def lighttpd(lab: Lab, rules: str, modules=(), *, name="lighttpd", port=None) -> Edge:
    """Logs: NAME/access.log, NAME/error.log."""
    port, folder = port or lab.port(), lab.folder / name
    folder.mkdir()
    loaded = ", ".join(f'"mod_{module}"' for module in ("access", "extforward", "accesslog", "setenv", "redirect", "proxy", *modules))
    shown = f"""server.modules = ({loaded})
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{folder}"
server.errorlog = "{folder}/error.log"
accesslog.filename = "{folder}/access.log"
extforward.forwarder = ("127.0.0.1" => "trust")
{indent(rules, 0)}
"""
    path = lab.write(f"{name}/lighttpd.conf", shown)
    lab.start(name, ["lighttpd", "-D", "-f", path], port=port)
    return Edge(port, {"lighttpd.conf": shown})


def curl(url: str, *arguments: str, connect: dict[str, int] | None = None, ca=None) -> str:
    """What `curl -v` prints, with the names of `connect` leading to ports here."""
    places = [part for name, port in (connect or {}).items() for part in ("--connect-to", f"{name}:127.0.0.1:{port}")]
    done = subprocess.run(["curl", "-sv", "--http1.1", *(["--cacert", ca] if ca else []), *places, *arguments, url], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "LC_ALL": "C", "HOME": "/nonexistent"})
    prompt = " ".join(["curl -v", *(f"'{part}'" if " " in part else part for part in arguments), f"'{url}'"])
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("* Connecting to hostname", "* Connecting to port"))]
    return f"$ {prompt}\n" + "\n".join(lines) + "\n" + done.stdout.strip() + "\n"


def joined(lab: Lab, *names: str) -> str:
    """Parts of one log, one after another."""
    # lighttpd writes its access log every few seconds.
    time.sleep(5 if any(name.startswith("lighttpd/access") for name in names) else 0.4)
    return "".join(lab.read(name) for name in names)
