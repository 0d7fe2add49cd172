"""Debian's `glewlwyd`, an OpenID provider in C, with its log."""

import contextlib
import gzip
import http.client
import json
import pathlib
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request

from lab.common import stop
from lab.tokens import Key

SYSTEM = "Glewlwyd 2.7.5"
SQL = pathlib.Path("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz")
CONFIG = """port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}"
api_prefix="api"
static_files_path="/usr/share/glewlwyd/webapp/"
allow_origin="*"
log_mode="file"
log_level="INFO"
log_file="{folder}/glewlwyd.log"
cookie_domain="127.0.0.1"
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
user_middleware_module_path="/usr/lib/glewlwyd/user_middleware"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
hash_algorithm="SHA512"
database = {{ type = "sqlite3"; path = "{folder}/glewlwyd.db"; }};
"""
CALLBACK = "http://127.0.0.1/callback"
ADMIN = {"username": "admin", "password": "password"}
NAMES = ("mara", "jonas", "li", "petra", "samir", "amelie", "kenji")


class Glewlwyd:
    """A provider with some users, and the clients `shop` and `api`."""

    def __init__(self, lab, **parameters):
        self.lab, self.port = lab, lab.port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.issuer = f"{self.base}/api/oidc"
        self.database = lab.folder / "glewlwyd.db"
        with sqlite3.connect(self.database) as made:
            made.executescript(gzip.decompress(SQL.read_bytes()).decode())
        self.config = lab.write("glewlwyd.conf", CONFIG.format(port=self.port, folder=lab.folder))
        self.child, self.cookie = None, None
        self.start()
        self.admin("POST", "auth/", ADMIN)
        self.key = Key("ES256")
        self.parameters = {
            "iss": self.issuer, "jwt-type": "ecdsa", "jwt-key-size": "256", "key": self.key.private_pem(), "cert": self.key.pem(), "default-kid": "main",
            "access-token-duration": 900, "refresh-token-duration": 1209600, "code-duration": 600, "refresh-token-rolling": True,
            "refresh-token-one-use": "always", "allow-non-oidc": True, "auth-type-code-enabled": True, "auth-type-token-enabled": False,
            "auth-type-id-token-enabled": True, "auth-type-none-enabled": False, "auth-type-password-enabled": True,
            "auth-type-client-enabled": True, "auth-type-device-enabled": False, "auth-type-refresh-enabled": True, "scope": [],
            "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
            "introspection-revocation-auth-scope": [], "jwks-show": True, "subject-type": "public", **parameters}
        self.admin("POST", "mod/plugin/", {"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "parameters": self.parameters})
        self.admin("POST", "scope", {"name": "orders", "display_name": "Orders", "description": "Orders", "password_required": True, "password_max_age": 0, "scheme": {}})
        for name in NAMES:
            self.admin("POST", "user", {"username": name, "name": name.title(), "email": f"{name}@example.net", "password": f"{name}-password",
                                        "scope": ["openid", "orders"], "enabled": True})
        for client in ("shop", "api"):
            self.client(client)

    def client(self, name):
        self.admin("POST", "client", {
            "client_id": name, "name": name, "enabled": True, "confidential": False, "redirect_uri": [CALLBACK],
            "authorization_type": ["code", "password", "refresh_token", "client_credentials"], "scope": ["orders"], "sector_identifier_uri": ""})

    def start(self):
        if self.child:
            stop(self.child)
        self.child = self.lab.start("glewlwyd", ["glewlwyd", f"--config-file={self.config}"], port=self.port)

    def admin(self, method, path, body):
        headers = {"content-type": "application/json", **({"cookie": self.cookie} if self.cookie else {})}
        asked = urllib.request.Request(f"{self.base}/api/{path}", json.dumps(body).encode() if body is not None else None, headers, method=method)
        try:
            with urllib.request.urlopen(asked) as answered:
                self.cookie = (answered.getheader("set-cookie") or self.cookie or "").split(";")[0]
                return answered.read()
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{method} {path}: {refused.code} {refused.read()[:300]}") from refused

    def token(self, client="shop", **form):
        """Status and JSON of the token endpoint."""
        data = urllib.parse.urlencode({"client_id": client, **form}).encode()
        try:
            with urllib.request.urlopen(f"{self.issuer}/token", data) as answered:
                return answered.status, json.load(answered)
        except urllib.error.HTTPError as refused:
            text = refused.read()
            return refused.code, json.loads(text or b"{}")

    def sign_in(self, name="mara", client="shop"):
        """By the code flow, as a browser does it."""
        own, self.cookie = self.cookie, None
        try:
            self.admin("POST", "auth/", {"username": name, "password": f"{name}-password"})
            self.admin("PUT", f"auth/grant/{client}", {"scope": "openid orders"})
            query = urllib.parse.urlencode({"response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "scope": "openid orders",
                                            "state": "s1", "nonce": "n1", "g_continue": ""})
            asked = http.client.HTTPConnection("127.0.0.1", self.port)
            asked.request("GET", f"/api/oidc/auth?{query}", headers={"cookie": self.cookie})
            location = asked.getresponse().getheader("location") or ""
        finally:
            self.cookie = own
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query).get("code")
        assert code, location
        status, tokens = self.token(client, grant_type="authorization_code", code=code[0], redirect_uri=CALLBACK)
        assert status == 200, (status, tokens)
        return tokens

    def refresh(self, token, client="shop"):
        return self.token(client, grant_type="refresh_token", refresh_token=token)

    def refreshing(self, token, client="shop"):
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client}
        return {"url": f"{self.issuer}/token", "form": form, "token_field": "refresh_token"}

    def bustle(self, rounds=3):
        """Sign-ins, refreshes and wrong passwords of the others."""
        for _ in range(rounds):
            for name in NAMES[1:]:
                tokens = self.sign_in(name)
                self.refresh(tokens["refresh_token"])
            with contextlib.suppress(AssertionError):
                self.admin("POST", "auth/", {"username": NAMES[2], "password": "wrong"})

    def log(self):
        time.sleep(0.2)
        return {"glewlwyd.log": self.lab.read("glewlwyd.log")}
