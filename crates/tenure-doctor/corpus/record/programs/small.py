"""An orders API on small Python frameworks; OPTIONS (JSON in the environment) says which, and what is wrong."""

import json
import logging
import os
import sys
import urllib.request
from functools import lru_cache

O = {"framework": "flask-jwt", "secret": "", "algorithms": ["HS256"], "audience": None, "issuer": None, "jwks": "", "leeway": 0,
     "location": ["headers"], "session_secret": ""} | json.loads(os.environ["OPTIONS"])
ORDER = {"id": 17, "total": "12.50"}
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
LOG = logging.getLogger("orders")


@lru_cache(maxsize=1)
def key_set() -> str:
    with urllib.request.urlopen(O["jwks"], timeout=5) as answered:
        return answered.read().decode()


def flask_jwt():
    """Flask-JWT-Extended, with its own answers."""
    import datetime

    import flask_jwt_extended as extended
    from flask import Flask, jsonify, request

    app = Flask("orders")
    app.config.update(JWT_SECRET_KEY=O["secret"], JWT_TOKEN_LOCATION=O["location"], JWT_DECODE_AUDIENCE=O["audience"], JWT_DECODE_LEEWAY=O["leeway"],
                      JWT_ACCESS_TOKEN_EXPIRES=datetime.timedelta(minutes=15), JWT_COOKIE_SECURE=False)
    extended.JWTManager(app)

    @app.after_request
    def log(answer):
        LOG.info('%s "%s %s" %s %s', request.headers.get("x-forwarded-for", "-"), request.method, request.path, answer.status_code,
                 (answer.get_json(silent=True) or {}).get("msg", "") if answer.status_code >= 400 else "")
        return answer

    @app.post("/login")
    def login():
        answer = jsonify(ok=True)
        extended.set_access_cookies(answer, extended.create_access_token(request.args["user"]))
        return answer

    @app.route("/api/orders", methods=["GET", "POST"])
    @app.route("/api/orders/<int:number>")
    @app.route("/api/me")
    @extended.jwt_required()
    def orders(number=None):
        return jsonify(orders=[ORDER], user=extended.get_jwt_identity())

    app.add_url_rule("/health", view_func=lambda: "ok")
    return app


def flask_login():
    """Cookie sessions of Flask-Login."""
    from flask import Flask, jsonify, request
    from flask_login import LoginManager, UserMixin, current_user, login_required, login_user

    app = Flask("orders")
    app.secret_key = os.urandom(24) if O["session_secret"] == "random" else O["session_secret"]
    manager = LoginManager(app)

    class User(UserMixin):
        def __init__(self, name):
            self.id = name

    manager.user_loader(User)

    @app.post("/login")
    def login():
        login_user(User(request.args["user"]))
        return jsonify(ok=True)

    @app.get("/api/me")
    @login_required
    def me():
        return jsonify(user=current_user.id)

    app.add_url_rule("/health", view_func=lambda: "ok")
    return app


def aiohttp_app():
    """aiohttp with PyJWT in a middleware."""
    import jwt
    from aiohttp import web

    @web.middleware
    async def authenticate(request, handler):
        if request.path == "/health":
            return await handler(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            raise web.HTTPUnauthorized(text="Authorization header is required")
        try:
            request["claims"] = jwt.decode(token, O["secret"], O["algorithms"], audience=O["audience"], leeway=O["leeway"])
        except jwt.PyJWTError as error:
            LOG.warning("rejected token: %s: %s", type(error).__name__, error)
            raise web.HTTPUnauthorized(text=str(error)) from None
        return await handler(request)

    async def orders(request):
        return web.json_response({"orders": [ORDER], "user": request["claims"].get("sub")})

    async def health(request):
        return web.Response(text="ok")

    app = web.Application(middlewares=[authenticate])
    app.add_routes([web.get("/health", health), *(web.route("*", path, orders) for path in ("/api/orders", "/api/orders/17", "/api/me"))])
    web.run_app(app, host="127.0.0.1", port=O["port"], access_log_format='%{X-Forwarded-For}i "%r" %s %b "%{User-Agent}i"', print=LOG.info)


def fastapi_app():
    """FastAPI of before 0.122 with its own HTTPBearer; python-jose, jwcrypto or Authlib verifies."""
    import uvicorn
    from fastapi import Depends, FastAPI, HTTPException
    from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def jose(token):
        from jose import JWTError, jwt

        try:
            if not O["jwks"]:
                return jwt.decode(token, O["secret"], O["algorithms"], audience=O["audience"])
            kid = jwt.get_unverified_header(token).get("kid")
            found = [key for key in json.loads(key_set())["keys"] if key["kid"] == kid]
            if not found:
                raise HTTPException(401, "Unable to find appropriate key")
            return jwt.decode(token, found[0], O["algorithms"], audience=O["audience"], issuer=O["issuer"])
        except JWTError as error:
            raise HTTPException(401, str(error)) from error

    def jwcrypto(token):
        from jwcrypto import jwk, jwt
        from jwcrypto.common import JWException

        try:
            with urllib.request.urlopen(O["jwks"], timeout=5) as answered:
                keys = jwk.JWKSet.from_json(answered.read().decode())
            checked = jwt.JWT(jwt=token, key=keys, algs=O["algorithms"], check_claims={"aud": O["audience"]} if O["audience"] else None)
            return json.loads(checked.claims)
        except (JWException, ValueError) as error:
            LOG.error("token validation failed: %s: %s", type(error).__name__, error)
            raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"}) from error

    def authlib(token):
        from authlib.jose import JsonWebKey, JsonWebToken
        from authlib.jose.errors import JoseError

        try:
            with urllib.request.urlopen(O["jwks"], timeout=5) as answered:
                keys = JsonWebKey.import_key_set(json.load(answered))
            claims = JsonWebToken(O["algorithms"]).decode(token, keys, claims_options={"aud": {"essential": True, "value": O["audience"]}})
            claims.validate()
            return claims
        except (JoseError, ValueError, KeyError) as error:
            LOG.error("token validation failed: %s: %s", type(error).__name__, error)
            raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"}) from error

    def user(credentials: HTTPAuthorizationCredentials = Depends(HTTPBearer())):
        return {"jwcrypto": jwcrypto, "authlib": authlib, "jose": jose}[O["verifier"]](credentials.credentials)

    for path in ("/api/orders", "/api/orders/17", "/api/me"):
        app.add_api_route(path, lambda claims=Depends(user): {"orders": [ORDER], "user": claims.get("sub")}, methods=["GET", "POST", "HEAD"])
    app.add_api_route("/health", lambda: {"ok": True})
    uvicorn.run(app, host="127.0.0.1", port=O["port"], proxy_headers=True)


def litestar_app():
    """Litestar's JWTAuth."""
    from typing import Any

    import uvicorn
    from litestar import Litestar, get
    from litestar.security.jwt import JWTAuth, Token

    async def user(token: Token, _connection: Any) -> dict | None:
        return {"id": token.sub} if token.sub not in O.get("gone", []) else None

    auth = JWTAuth[dict](retrieve_user_handler=user, token_secret=O["secret"], exclude=["/health"], accepted_audiences=O["audience"] and [O["audience"]],
                         accepted_issuers=O["issuer"] and [O["issuer"]])

    @get(["/api/orders", "/api/orders/{number:int}", "/api/me"], sync_to_thread=False)
    def orders(request: Any) -> dict:
        return {"orders": [ORDER], "user": request.user["id"]}

    @get("/health", sync_to_thread=False)
    def health() -> str:
        return "ok"

    uvicorn.run(Litestar([orders, health], on_app_init=[auth.on_app_init], openapi_config=None), host="127.0.0.1", port=O["port"])


if O["framework"].startswith("flask"):
    app = (flask_jwt if O["framework"] == "flask-jwt" else flask_login)()
    if __name__ == "__main__":
        app.run("127.0.0.1", O["port"])
elif __name__ == "__main__":
    {"aiohttp": aiohttp_app, "fastapi": fastapi_app, "litestar": litestar_app}[O["framework"]]()
