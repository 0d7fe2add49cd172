"""Gateways of npm: express-gateway, and a Fastify gateway of its official plugins."""

import json
import time

from lab.common import PROGRAMS
from lab.crowd import AGENTS, BOTS
from lab.edges import fetch
from lab.oidc import NODE
from lab.servers import Api, Issuer, fetched
from lab.tokens import Key, claims

EXPRESS = "express-gateway 1.16.11, Python 3.11"
FASTIFY = "Fastify 5.12.8 (@fastify/http-proxy 11.6.3, @fastify/jwt 10.2.8, @fastify/rate-limit 11.2.0, @fastify/cors 11.4.3)"
PACKAGE = PROGRAMS / "express-gateway/node_modules/express-gateway"
SERVER = """const gateway = require('PACKAGE')
gateway().load(__dirname + '/config').run()
"""
SYSTEM = """db:
  redis:
    emulate: true
    namespace: EG
crypto:
  cipherKey: sensitiveKey
  algorithm: aes256
  saltRounds: 10
session:
  secret: keyboard cat
  resave: false
  saveUninitialized: false
accessTokens:
  timeToExpiry: 7200000
refreshTokens:
  timeToExpiry: 7200000
authorizationCodes:
  timeToExpiry: 300000
"""


class Gateway:
    """An issuer, an API behind a gateway, and a token that both accept."""

    def __init__(self, lab, alg="RS256", **api):
        self.lab, self.key = lab, Key(alg)
        self.issuer = lab.enter(Issuer(self.key).running())
        self.api = Api(**{"keys": fetched(self.issuer), "issuer": self.issuer.url, **api})
        self.behind = lab.enter(self.api.running())
        self.port, self.name = lab.port(), ""

    def url(self, path="/orders"):
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def direct(self):
        return f"127.0.0.1:{self.behind}"

    def token(self, key=None, **more):
        return (key or self.key).token(**claims(self.issuer.url, **more))

    def jwks(self):
        return {"jwks.json": json.dumps(self.issuer.jwks(), indent=1)}

    def fastify(self, env=None, **given):
        """Starts the Fastify gateway."""
        self.name = "gateway"
        settings = {"port": self.port, "upstream": f"http://127.0.0.1:{self.behind}", "issuer": self.issuer.url,
                    "audience": "orders-api", "jwks": f"{self.issuer.url}/jwks.json", **given}
        file = self.lab.write("gateway.json", json.dumps(settings))
        self.lab.start("gateway", [NODE, PROGRAMS / "fastify_gateway.mjs", file], port=self.port, env=env)
        return self

    def express(self, policies, scopes=None):
        """Starts express-gateway; `policies` is YAML of the pipeline, without the proxy."""
        self.name = "express-gateway"
        lines = "".join(f"      {line}\n" for line in policies.strip("\n").splitlines())
        scope = f"    scopes: {json.dumps(scopes)}\n" if scopes else ""
        config = (f"http:\n  port: {self.port}\n  hostname: 127.0.0.1\napiEndpoints:\n  orders:\n    host: '*'\n    paths: ['/orders', '/orders/*', '/admin']\n{scope}"
                  f"serviceEndpoints:\n  orders:\n    url: http://127.0.0.1:{self.behind}\n"
                  "policies: [cors, jwt, key-auth, log, oauth2-introspect, proxy, rate-limit, expression]\n"
                  f"pipelines:\n  default:\n    apiEndpoints: [orders]\n    policies:\n{lines}"
                  "      - proxy:\n          - action:\n              serviceEndpoint: orders\n              changeOrigin: true\n")
        self.lab.write("eg/config/gateway.config.yml", config)
        self.lab.write("eg/config/system.config.yml", SYSTEM)
        for model in ("applications", "credentials", "users"):
            text = (PACKAGE / f"lib/config/models/{model}.json").read_text()
            self.lab.write(f"eg/config/models/{model}.json", text)
        server = self.lab.write("eg/server.js", SERVER.replace("PACKAGE", str(PACKAGE)))
        self.lab.start("express-gateway", ["node", server], port=self.port, cwd=self.lab.folder / "eg",
                       env={"LOG_LEVEL": "info", "EG_DISABLE_CONFIG_WATCH": "1", "NODE_NO_WARNINGS": "1"}, seconds=60)
        self.config = {"gateway.config.yml": config}
        return self

    def pem(self, key=None):
        """The public key as a file that the gateway reads."""
        return self.lab.write("eg/issuer.pem", (key or self.key).pem())

    def logs(self):
        time.sleep(0.3)
        return {f"{self.name}.log": self.lab.read(f"{self.name}.out")}

    def visit(self, tokens, times=20, paths=("/orders", "/orders/17", "/orders?page=2")):
        """Requests of others: those with tokens, health checks, and somebody who looks for holes."""
        for turn in range(times):
            for number, token in enumerate(tokens):
                fetch(self.url(paths[(turn + number) % len(paths)]),
                      headers={"Authorization": f"Bearer {token}", "User-Agent": AGENTS[number % len(AGENTS)]})
            if turn % 3 == 0:
                fetch(self.url("/health"), headers={"User-Agent": "kube-probe/1.30"})
            if turn % 5 == 0:
                fetch(self.url(BOTS[turn % len(BOTS)]), headers={"User-Agent": "Mozilla/5.0 zgrab/0.x"})
