"""Applications that share a secret with their issuer, or do not."""

import base64
import contextlib
import itertools
import secrets
import socket
import threading

from lab.apps import probed, secret_token, start
from lab.common import Lab, answer, case, ensure, only, status
from lab.versions import versions

FASTAPI = versions("fastapi", "uvicorn", "PyJWT")
EXPRESS = versions("express", "jsonwebtoken")
FLASK = versions("Flask", "PyJWT")


def refused(found: dict, *, probe="client", as_forged=True) -> dict:
    """The client's request is refused as a forged token is."""
    exchanges = found["exchanges"]
    ensure(status(exchanges, probe) == 401, f"{probe} is {status(exchanges, probe)}")
    if as_forged:
        ensure(answer(exchanges, probe)["body"] == answer(exchanges, "altered")["body"], "as forged")
    return found


@case("fastapi-secret-differs", family="verifier", expected=["TN0407"], settling=True, recorded=FASTAPI,
      fault="Incident I4: the auth service signs with JWT_SECRET, the API verifies with another value in JWT_SIGNING_KEY.")
def secret_differs(lab: Lab):
    signs, verifies = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=verifies)
    files = {"auth-service/.env": f"PORT=8001\nJWT_SECRET={signs}\nJWT_ALGORITHM=HS256\nACCESS_TOKEN_MINUTES=15\n",
             "orders-api/.env": f"PORT=8002\nJWT_SIGNING_KEY={verifies}\nJWT_ALGORITHM=HS256\nDATABASE_URL=postgres://orders@db/orders\n"}
    return refused(probed(port, secret_token(signs), files=files))


@case("express-secret-differs-poor", family="verifier", expected=["TN0407"], settling=False, recorded=EXPRESS,
      fault="The API verifies with another HS256 secret; the user has the token and the URL only.")
def secret_differs_poor(lab: Lab):
    port = start(lab, "express", secret=secrets.token_urlsafe(32), texts="generic")
    return refused(probed(port, secret_token(secrets.token_urlsafe(32))))


@case("express-secret-differs-key", family="verifier", expected=["TN0407"], settling=True, recorded=EXPRESS,
      fault="The API verifies with the secret of another environment; the user has the secrets of both services.")
def secret_differs_key(lab: Lab):
    signs, verifies = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    port = start(lab, "express", secret=verifies)
    keys = {"auth-service.secret": signs, "orders-api.secret": verifies}
    return refused(probed(port, secret_token(signs), keys=keys, keep=lambda all: only(all, "client", "bare", "altered")))


@case("express-secret-base64", family="verifier", expected=["TN0408"], settling=True, recorded=EXPRESS,
      fault="One and the same secret: the issuer signs with the bytes that its base64 stands for, the API verifies with the text.")
def secret_base64(lab: Lab):
    text = base64.b64encode(secrets.token_bytes(32)).decode()
    port = start(lab, "express", secret=text)
    token = secret_token(base64.b64decode(text))
    return refused(probed(port, token, keys={"orders-api.secret": text}))


@case("express-secret-decoded-by-api", family="verifier", expected=["TN0408"], settling=True, recorded=EXPRESS,
      fault="The API decodes the secret's base64, the issuer signs with the text; both .env files hold the same value.")
def secret_decoded_by_api(lab: Lab):
    text = base64.b64encode(secrets.token_bytes(48)).decode()
    port = start(lab, "express", secret=text, secretForm="base64", texts="generic")
    files = {"auth/.env": f"JWT_SECRET={text}\n", "api/.env": f"JWT_SECRET={text}\nJWT_SECRET_BASE64=true\n"}
    return refused(probed(port, secret_token(text), files=files, keys={"shared.secret": text}))


@case("fastapi-secret-newline", family="verifier", expected=["TN0408"], settling=True, recorded=FASTAPI,
      fault="The API reads the secret from a mounted file with its trailing newline; the issuer signs without it.")
def secret_newline(lab: Lab):
    text = secrets.token_urlsafe(32)
    port = start(lab, "fastapi", secret=text + "\n")
    return refused(probed(port, secret_token(text), keys={"auth.secret": text, "mounted.secret": text + "\n"}))


@case("flask-secret-newline-signs", family="verifier", expected=["TN0408"], settling=True, recorded=FLASK,
      fault="The issuer's secret has a trailing newline (made with echo), the API's has none.")
def secret_newline_signs(lab: Lab):
    text = secrets.token_urlsafe(32)
    port = start(lab, "flask", secret=text)
    return refused(probed(port, secret_token(text + "\n"), keys={"issuer.secret": text + "\n"}))


@contextlib.contextmanager
def in_turn(*ports: int):
    """Passes each connection to the next of these ports; yields its own."""
    turns = itertools.cycle(ports)
    listening = socket.create_server(("127.0.0.1", 0))

    def copy(source, sink):
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                sink.sendall(block)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                came, _ = listening.accept()
                behind = socket.create_connection(("127.0.0.1", next(turns)))
                for pair in ((came, behind), (behind, came)):
                    threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


@case("fastapi-random-secret-replicas", family="verifier", expected=["TN0409"], settling=False, recorded=FASTAPI,
      fault="Three replicas, each with a secret that it made at its start; the token is good at one of them.")
def random_replicas(lab: Lab):
    good = secrets.token_hex(32)
    ports = [start(lab, "fastapi", "replica-1", secret=good),
             start(lab, "fastapi", "replica-2", secret="random"), start(lab, "fastapi", "replica-3", secret="random")]
    with in_turn(*ports) as port:
        found = probed(port, secret_token(good), repeats=9, timeout_s=5)
    seen = {status(found["exchanges"], f"again-{number}") for number in range(1, 10)}
    ensure(seen == {200, 401}, f"they disagree: {seen}")
    return found


@case("express-random-secret-restart", family="verifier", expected=["TN0409"], settling=True, recorded=EXPRESS,
      fault="The API makes its signing secret at each start (no JWT_SECRET in its environment); the token is from before the restart.")
def random_restart(lab: Lab):
    port = start(lab, "express", secret="random")
    fresh = secret_token(secrets.token_hex(32), age=7200, lifetime=86400)
    found = probed(port, fresh, files={"docker-compose.yml": COMPOSE})
    found["logs"] = [{"name": "api.log", "text": lab.read("api.out")}]
    return refused(found)


COMPOSE = """services:
  api:
    image: orders-api:1.9
    environment:
      PORT: "8080"
      TOKEN_MINUTES: "1440"
    restart: always
"""


@case("flask-healthy-shared-secret", family="healthy", recorded=FLASK,
      fault="None: the secret is the same in three .env files, and the API refuses only what has no token.")
def shared_secret(lab: Lab):
    text = secrets.token_urlsafe(32)
    port = start(lab, "flask", secret=text)
    files = {f"{name}/.env": f"{variable}={text}\n"
             for name, variable in (("auth", "JWT_SECRET"), ("orders", "JWT_SIGNING_KEY"), ("mail", "JWT_SECRET"))}
    found = probed(port, secret_token(text), files=files)
    ensure(status(found["exchanges"], "client") == 200 and status(found["exchanges"], "bare") == 401, "well")
    return found
