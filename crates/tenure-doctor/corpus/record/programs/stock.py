"""A FastAPI service under uvicorn with its own log: OPTIONS: `jwks`, `issuer`, `audience`, `slash`, `leeway`, `level`."""

import json
import logging
import os

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

options = json.loads(os.environ["OPTIONS"])
log = logging.getLogger("uvicorn.error")
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
keys = jwt.PyJWKClient(options["jwks"], cache_keys=False) if "jwks" in options else None
issuers = options.get("issuer")


def user(given: HTTPAuthorizationCredentials = Depends(HTTPBearer())):
    try:
        key = keys.get_signing_key_from_jwt(given.credentials).key
        return jwt.decode(given.credentials, key, ["RS256"], audience=options["audience"], issuer=issuers, leeway=options.get("leeway", 0))
    except jwt.PyJWTError as error:
        log.warning("JWT rejected: %s: %s", type(error).__name__, error)
        raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"}) from error


@app.get("/healthz")
def health():
    return {"status": "ok"}


@app.get("/orders/" if options.get("slash") else "/orders")
def orders(request: Request, claims: dict = Depends(user)):
    return {"user": claims["sub"], "items": []}


@app.get("/me")
def me(claims: dict = Depends(user)):
    return {"user": claims["sub"]}


if __name__ == "__main__":
    config = uvicorn.config.LOGGING_CONFIG
    if options.get("log") == "dated":
        for formatter, form in (("default", "%(asctime)s %(levelprefix)s %(message)s"),
                                ("access", '%(asctime)s %(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s')):
            config["formatters"][formatter]["fmt"] = form
    uvicorn.run(app, host="127.0.0.1", port=options["port"], log_config=config, proxy_headers=options.get("proxied", False),
                use_colors=options.get("colors", False))
