"""Tenure's own service as a process, with `--dev` and a configuration of the case's own."""

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from lab.common import REPOSITORY, record, stop, target

TENURE = REPOSITORY / "target/debug/tenure"
SYSTEM = "Tenure 0.1.0"
EMAIL, PASSWORD = "demo@example.com", "demo-password"
# The causes of Tenure's own family, in one place.
CAUSE = {
    "ended": "TN0701", "disabled": "TN0702", "client": "TN0703", "theft": "TN0704", "store": "TN0705",
    "memory": "TN0706", "issuer": "TN0707", "clock": "TN0708", "limit": "TN0709", "origin": "TN0710",
    "csrf": "TN0711", "lifetime": "TN0712",
}
CLIENT = """
[clients.app]
name = "App"
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
scope = "openid profile email offline_access"
{more}
"""


class Service:
    """A running service; `config` is added to its file."""

    def __init__(self, lab, config="", client="", flags=(), issuer=None, port=None):
        self.lab, self.port = lab, port or lab.port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.issuer = issuer or self.base
        self.data = lab.folder / "tenure-data"
        self.flags, self.child, self.starts = flags, None, 0
        self.configure(config, client)
        self.start()

    def configure(self, config="", client=""):
        """A file of before is read again when it changes."""
        text = f'issuer = "{self.issuer}"\n{config}{CLIENT.format(more=client) if client is not None else ""}'
        self.file = self.lab.write("tenure.toml", text)

    def start(self):
        if self.child:
            stop(self.child)
        self.starts += 1
        self.child = self.lab.start(
            f"tenure-{self.starts}", [TENURE, "serve", "--dev", "--config", self.file, "--data", self.data,
                                      "--listen", f"127.0.0.1:{self.port}", *self.flags], port=self.port)

    def call(self, path, body=None, headers=None, **form):
        """Status, header fields and JSON of the answer; JSON is sent where `body` is given."""
        headers = dict(headers or {})
        data = None
        if body is not None:
            data, headers["content-type"] = json.dumps(body).encode(), "application/json"
        elif form:
            data = urllib.parse.urlencode(form, doseq=True).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers)) as answered:
                return answered.status, dict(answered.headers), json.loads(answered.read() or b"{}")
        except urllib.error.HTTPError as refused:
            return refused.code, dict(refused.headers), json.loads(refused.read() or b"{}")

    def sign_in(self, client="app", **more):
        code, _, answer = self.call("/api/auth/login", {"email": EMAIL, "password": PASSWORD, "client_id": client, **more})
        assert code == 200, answer
        return answer

    def refresh(self, token, client="app"):
        return self.call("/oauth2/token", grant_type="refresh_token", refresh_token=token, client_id=client)

    def admin(self):
        """Header fields of an administrator."""
        answer = self.call("/oauth2/token", grant_type="client_credentials", client_id="demo-api",
                           client_secret="demo-secret", scope="tenure:admin")[2]
        return {"authorization": f"Bearer {answer['access_token']}"}

    def cli(self, *arguments):
        command = [TENURE, *arguments, "--config", self.file, "--data", self.data, "--dev"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True,
                              env={**os.environ, "HOME": str(self.lab.folder)})
        return done.stdout

    def later(self, seconds):
        """Moves the clock of the service forward."""
        return self.call("/dev/clock", {"advance_seconds": seconds})[2]["now"]

    def refreshing(self, token, client="app"):
        """A refresh, as the recorder's job has it."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client}
        return {"url": f"{self.base}/oauth2/token", "form": form, "token_field": "refresh_token"}

    def introspecting(self):
        return {"url": f"{self.base}/oauth2/introspect", "client_id": "demo-api", "client_secret": "demo-secret"}

    def record(self, token, path="/api/auth/me", origin=None, **job):
        """The target, its token and the exchanges, as inputs of a case."""
        wanted = target(self.base + path, origin=origin, issuer=self.base)
        given = {name: job[name] for name in ("old_token", "other_token") if name in job}
        return {"target": wanted, "token": token, "exchanges": record(wanted, token, **job), **given}

    def log(self):
        """What the service wrote, without the greeting of `--dev`."""
        lines = "".join(self.lab.read(f"tenure-{number}.out") for number in range(1, self.starts + 1)).splitlines()
        return {"tenure.log": "".join(f"{line}\n" for line in lines if line.startswith("{"))}

    def toml(self):
        return {"tenure.toml": self.file.read_text()}

    def jwks(self):
        with urllib.request.urlopen(f"{self.base}/oauth2/jwks") as answered:
            return answered.read().decode()


def ready(service):
    """The answer of `/health/ready`, as a file."""
    answer = service.call("/health/ready")[2]
    return {"health-ready.json": json.dumps(answer, indent=1)}
