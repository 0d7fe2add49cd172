"""A Flask site that signs in by Authlib: `gunicorn authlib_app:app`. OPTIONS: `issuer` and Flask's own settings."""

import json
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

options = json.loads(os.environ["OPTIONS"])
issuer, inside = options.pop("issuer"), options.pop("inside")
app = Flask(__name__)
app.config.update({"SECRET_KEY": "corpus-flask-secret", **options})
app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)
oauth = OAuth(app)
oauth.register("sso", client_id="portal", client_secret="corpus-portal", authorize_url=f"{issuer}/authorize",
               access_token_url=f"{inside}/token", userinfo_endpoint=f"{inside}/userinfo", client_kwargs={"scope": "profile"})


@app.get("/healthz")
def health():
    return {"status": "ok"}


@app.get("/")
def home():
    if "user" not in session:
        return redirect("/login")
    return f"<!doctype html><title>Portal</title><h1>Welcome, {session['user']}</h1>"


@app.get("/login")
def login():
    return oauth.sso.authorize_redirect(url_for("callback", _external=True))


@app.get("/auth/callback")
def callback():
    token = oauth.sso.authorize_access_token()
    session["user"] = oauth.sso.userinfo(token=token)["name"]
    return redirect("/")
