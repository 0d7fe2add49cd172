"""A small issuer and a small API that verifies tokens; both in threads of this process."""

import contextlib
import email.utils
import json
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

import jwt


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for field, value in self.headers if field.lower() == name.lower()), None)


@dataclass
class Reply:
    """What goes back. A body that is no text is sent as JSON."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def serve(handle: Callable[[Request], Reply], *, port: int = 0, host="127.0.0.1", server="uvicorn",
          clock: Callable[[], float] = time.time):
    """Serves in a thread; yields the port. `server` is the Server field, `clock` makes the Date field."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            length = int(self.headers.get("content-length") or 0)
            path, _, query = self.path.partition("?")
            request = Request(self.command, path, query, list(self.headers.items()), self.rfile.read(length))
            reply = handle(request)
            body, headers = reply.body, {name.lower(): value for name, value in reply.headers.items()}
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
                headers.setdefault("content-type", "application/json")
            body = body.encode() if isinstance(body, str) else body
            self.send_response_only(reply.status)
            self.send_header("date", email.utils.formatdate(clock(), usegmt=True))
            if server:
                self.send_header("server", server)
            for name, value in headers.items():
                self.send_header(name, value)
            if reply.status not in (204, 304):
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD" and reply.status not in (204, 304):
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

        def log_message(self, *_):
            pass

    listening = Quiet((host, port), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield listening.server_address[1]
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


class Quiet(ThreadingHTTPServer):
    """Edges that reset connections are none of our errors."""

    daemon_threads = True

    def handle_error(self, *_):
        pass


class Issuer:
    """Discovery, JWKS, userinfo and introspection. `url` is what it calls itself.

    `published` are the keys that it shows; change them for a rotation. `revoked` are token texts.
    """

    def __init__(self, *keys, url: str | None = None, path=""):
        self.keys, self.published, self.path = keys, list(keys), path
        self.url, self.named, self.revoked = None, url, set()

    @contextlib.contextmanager
    def running(self, port: int = 0):
        with serve(self.handle, port=port, server="") as port:
            self.port = port
            self.url = self.named or f"http://127.0.0.1:{port}{self.path}"
            yield self

    def discovery(self) -> dict:
        at = f"http://127.0.0.1:{self.port}{self.path}"
        return {"issuer": self.url, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/jwks.json", "userinfo_endpoint": f"{at}/userinfo",
                "introspection_endpoint": f"{at}/introspect", "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": sorted({key.alg for key in self.keys})}

    def jwks(self) -> dict:
        return {"keys": [key.jwk() for key in self.published]}

    def handle(self, request: Request) -> Reply:
        match request.path.removeprefix(self.path):
            case "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server":
                return Reply(200, self.discovery(), {"cache-control": "max-age=300"})
            case "/jwks.json":
                return Reply(200, self.jwks(), {"cache-control": "max-age=300"})
            case "/userinfo":
                return self.userinfo(request)
            case "/introspect":
                return self.introspection(request)
        return Reply(404, {"error": "not_found"})

    def userinfo(self, request: Request) -> Reply:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        known = self.claims(token)
        if known is None:
            return Reply(401, {"error": "invalid_token"}, {"www-authenticate": 'Bearer error="invalid_token"'})
        return Reply(200, {"sub": known.get("sub")})

    def introspection(self, request: Request) -> Reply:
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        known = self.claims(form.get("token", ""))
        return Reply(200, {"active": False} if known is None else {"active": True, **known})

    def claims(self, token: str) -> dict | None:
        if token in self.revoked:
            return None
        for key in self.keys:
            with contextlib.suppress(jwt.InvalidTokenError):
                return jwt.decode(token, key.verifying, [key.alg], options={"verify_aud": False})
        return None


@dataclass
class Api:
    """An API with tokens: `/orders` and `/orders/N` for everybody, `/admin` for a role, `/echo`, `/health`, `/files`.

    `keys` is a callable that answers `{kid: (verifying key, alg)}` (a verifier's cache, in effect).
    """

    keys: Callable[[], dict]
    issuer: str | None = None
    audience: str | None = "orders-api"
    leeway: int = 0
    role: str = "admin"
    server: str = "uvicorn"
    clock: Callable[[], float] = time.time
    # The header that carries the token, and the scheme.
    header: str = "authorization"
    scheme: str = "Bearer"
    strict_scheme: bool = False
    # Fields on every answer, and on those that are not refusals.
    headers: dict[str, str] = field(default_factory=dict)
    ok_headers: dict[str, str] = field(default_factory=dict)
    denied_headers: dict[str, str] = field(default_factory=dict)
    # `rfc6750`: reasons in WWW-Authenticate and the body; `detail`: in the body only; `bare`: none.
    style: str = "rfc6750"
    # Whether preflights are answered before the token is asked for.
    cors: bool = False
    # Sees the request first; what it answers goes out.
    before: Callable[[Request], Reply | None] = lambda _: None
    arrived: list[Request] = field(default_factory=list)

    def running(self, **serving):
        """As a context manager: the port."""
        return serve(self.handle, server=self.server, clock=self.clock, **serving)

    def handle(self, request: Request) -> Reply:
        self.arrived.append(request)
        reply = self.before(request) or self.answer(request)
        special = self.ok_headers if reply.status < 400 else self.denied_headers
        reply.headers = {**self.headers, **special, **reply.headers}
        return reply

    def answer(self, request: Request) -> Reply:
        if self.cors and request.method == "OPTIONS":
            return Reply(204, "", {"access-control-allow-methods": "GET, POST, PUT, DELETE",
                                   "access-control-allow-headers": "authorization, content-type"})
        first = request.path.strip("/").split("/")[0]
        if first == "health":
            return Reply(200, {"status": "ok"})
        if first == "echo":
            return Reply(200, {"headers": {name.lower(): value for name, value in request.headers}})
        if first not in {"orders", "admin", "files"}:
            return Reply(404, {"error": "not_found"})
        try:
            claims = self.verify(request)
        except Denied as denied:
            return denied.reply(self.style)
        if first == "admin" and self.role not in claims.get("roles", []):
            return Denied(403, "insufficient_scope", f"role {self.role} is required").reply(self.style)
        if first == "files":
            return Reply(200, {"received": len(request.body)})
        return Reply(200, {"orders": [{"id": 17, "total": "12.50"}], "user": claims.get("sub")})

    def verify(self, request: Request) -> dict:
        """The claims of a good token; raises `Denied`."""
        token = self.extract(request.header(self.header))
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise Denied(401, "invalid_token", f"not a token: {error}") from error
        known = self.keys()
        key, alg = known.get(header.get("kid")) or (next(iter(known.values())) if "kid" not in header else (None, None))
        if key is None:
            raise Denied(401, "invalid_token", f"no key {header.get('kid')}")
        return self.decode(token, key, alg)

    def extract(self, value: str | None) -> str:
        if not value:
            raise Denied(401, None, "no token")
        if not self.scheme:
            return value
        scheme, _, token = value.partition(" ")
        same = scheme == self.scheme if self.strict_scheme else scheme.lower() == self.scheme.lower()
        if not same or not token:
            raise Denied(401, None if not same else "invalid_token", "no token" if not same else "empty token")
        return token

    def decode(self, token: str, key, alg: str) -> dict:
        now = self.clock()
        options = {"verify_aud": self.audience is not None, "verify_exp": False, "verify_nbf": False,
                   "verify_iat": False, "enforce_minimum_key_length": False}
        try:
            claims = jwt.decode(token, key, [alg], audience=self.audience, issuer=self.issuer, options=options)
        except jwt.InvalidTokenError as error:
            raise Denied(401, "invalid_token", REASONS.get(type(error), str(error))) from error
        if claims.get("exp", now) + self.leeway < now:
            raise Denied(401, "invalid_token", "the token has expired")
        if max(claims.get("nbf", 0), claims.get("iat", 0)) > now + self.leeway:
            raise Denied(401, "invalid_token", "the token is not valid yet")
        return claims


REASONS = {
    jwt.InvalidSignatureError: "the signature is invalid",
    jwt.InvalidIssuerError: "the issuer is not accepted",
    jwt.InvalidAudienceError: "the audience is not accepted",
    jwt.InvalidAlgorithmError: "the algorithm is not accepted",
}


class Denied(Exception):
    """A refusal."""

    def __init__(self, status: int, error: str | None, reason: str):
        super().__init__(reason)
        self.status, self.error, self.reason = status, error, reason

    def reply(self, style: str) -> Reply:
        if style == "bare":
            return Reply(self.status, {"message": "Unauthorized" if self.status == 401 else "Forbidden"})
        if style == "detail":
            return Reply(self.status, {"detail": self.reason})
        challenge = 'Bearer realm="orders"'
        if self.error:
            challenge += f', error="{self.error}", error_description="{self.reason}"'
        return Reply(self.status, {"error": self.error or "unauthorized", "error_description": self.reason},
                     {"www-authenticate": challenge})


def fixed(*keys) -> Callable[[], dict]:
    """A verifier that knows these keys and learns no others."""
    known = {key.kid: (key.verifying, key.alg) for key in keys}
    return lambda: known


def fetched(issuer: Issuer) -> Callable[[], dict]:
    """A verifier that reads the issuer's keys each time."""

    def keys():
        with urllib.request.urlopen(f"http://127.0.0.1:{issuer.port}{issuer.path}/jwks.json", timeout=5) as answered:
            sets = jwt.PyJWKSet.from_json(answered.read().decode())
        return {key.key_id: (key.key, key.algorithm_name) for key in sets.keys}

    return keys
