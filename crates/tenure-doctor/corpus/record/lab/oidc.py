"""npm `oidc-provider` as a process, and an API that verifies its tokens."""

import json
import urllib.error
import urllib.parse
import urllib.request

import jwt
from lab.common import PROGRAMS, REPOSITORY, stop
from lab.servers import Api

FOREIGN = REPOSITORY / "crates/tenure-lab/foreign"
NODE = FOREIGN / "node_modules/node/bin/node"
SYSTEM = "oidc-provider 9.13.3"
WITH_API = f"{SYSTEM}, PyJWT 2.15.1"
RESOURCE = "https://orders.example.com"


class Provider:
    """A running provider. `again(**changes)` starts it anew at the same port: other keys, nothing in memory."""

    def __init__(self, lab, **given):
        self.lab, self.port = lab, lab.port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.child, self.headers = None, {}
        self.again(**given)

    def again(self, **given):
        if self.child:
            stop(self.child)
        self.issuer = given.get("issuer", self.base)
        log = str(self.lab.folder / "oidc.log")
        file = self.lab.write("oidc.json", json.dumps({"port": self.port, "log": log, **given}))
        self.child = self.lab.start("oidc", [NODE, PROGRAMS / "oidc_server.mjs", FOREIGN, file], port=self.port)

    def post(self, path, headers=None, **form):
        """Status and JSON of the answer."""
        data = urllib.parse.urlencode({name: value for name, value in form.items() if value is not None}).encode()
        request = urllib.request.Request(self.base + path, data, headers or {})
        try:
            with urllib.request.urlopen(request) as answered:
                code, fields, body = answered.status, answered.headers, json.load(answered)
        except urllib.error.HTTPError as refused:
            code, fields, body = refused.code, refused.headers, json.load(refused)
        self.headers = {name.lower(): value for name, value in fields.items()}
        return code, body

    def begin(self, client="web", resource=RESOURCE):
        """A session's first refresh token."""
        query = urllib.parse.urlencode({"client": client, **({"resource": resource} if resource else {})})
        return self.post(f"/lab/tokens?{query}")[1]["refresh_token"]

    def refresh(self, token, client="web", resource=RESOURCE, **more):
        return self.post("/token", grant_type="refresh_token", refresh_token=token, client_id=client,
                         resource=resource, **more)

    def tokens(self, client="web", resource=RESOURCE):
        """`access_token`, `id_token`, `refresh_token` of a session that was refreshed once."""
        status, answer = self.refresh(self.begin(client, resource), client, resource)
        assert status == 200, answer
        return answer

    def refreshing(self, token, client="web", resource=RESOURCE):
        """A refresh, as the recorder's job has it."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client, "resource": resource}
        return {"url": f"{self.base}/token", "form": form, "token_field": "refresh_token"}

    def revoke(self, token, client="web"):
        data = urllib.parse.urlencode({"token": token, "client_id": client}).encode()
        with urllib.request.urlopen(f"{self.base}/token/revocation", data):
            pass

    def jwks(self):
        with urllib.request.urlopen(f"{self.base}/jwks") as answered:
            return answered.read().decode()

    def keys(self):
        """Of a verifier that fetched them once."""
        sets = jwt.PyJWKSet.from_json(self.jwks())
        known = {key.key_id: (key.key, key.algorithm_name) for key in sets.keys}
        return lambda: known

    def logs(self):
        return {"oidc.log": self.lab.read("oidc.log")}


def api(lab, provider, **changes):
    """An API that accepts the provider's tokens for orders; its URL."""
    settings = {"keys": provider.keys(), "issuer": provider.issuer, "audience": RESOURCE} | changes
    port = lab.enter(Api(**settings).running())
    return f"http://127.0.0.1:{port}/orders"
