"""Rails and Sinatra with ruby-jwt: what they answer, and what their logs say of it."""

import json
import secrets
import time

from lab.common import case, ensure, inputs, only, status
from lab.servers import Issuer
from lab.stacks import ISSUER, Clock, Service, hs, mint, show
from lab.tokens import Key

RAILS = "Rails 6.1.7.10, ruby-jwt 2.5.0, Puma 5.6.5"
SINATRA = "Sinatra 3.0.5, ruby-jwt 2.5.0, Puma 5.6.5"


def says(found: dict, text: str, probe="client") -> dict:
    ensure(text in show(found, probe), show(found, probe))
    return found


@case("rails-expired-among-users", family="verifier", expected=["TN0415"], settling=True, recorded=RAILS,
      fault="One user's app keeps sending a token that ended an hour ago; everybody else is well.")
def expired(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 3)
    service = Service(lab, "rails.rb", clock=clock, secret=secret, audience="orders-api")
    make = hs(secret)
    token = make(time.time() - 3600 * 2, lifetime=3600)
    service.traffic(make, rounds=25, minutes=100)
    for _ in range(6):
        service.ask("/api/orders", token, ip="203.0.113.88", agent="Shop/3.18.1 (iPhone; iOS 18.5)")
        service.traffic(make, rounds=4, minutes=11)
    return says(service.probed(token, log_name="production.log"), "Signature has expired")


@case("rails-secret-file-newline", family="verifier", expected=["TN0408"], settling=True, recorded=RAILS,
      fault="The API reads the shared secret with File.read and keeps the newline at its end; the sign-in service signs without it.")
def newline(lab):
    secret = secrets.token_hex(32)
    file = lab.write("jwt_secret", secret + "\n")
    service = Service(lab, "rails.rb", secret_file=str(file))
    initializer = 'Rails.application.config.x.jwt_secret = File.read("/run/secrets/jwt_secret")\n'
    found = service.probed(hs(secret)(), keys={"login-service.secret": secret}, keep=lambda all: only(all, "client", "bare", "altered", "garbage"),
                           files={"config/initializers/jwt.rb": initializer, "secrets/jwt_secret": secret + "\n"})
    return says(found, "Signature verification failed")


@case("rails-secret-rotated-on-one-side", family="verifier", expected=["TN0407"], settling=True, recorded=RAILS,
      fault="A release gave the API a new shared secret and the sign-in service kept the old one; there are the API's log of before and after, its .env, a token and the secret that signed it.")
def rotated(lab):
    old, new, clock = secrets.token_hex(32), secrets.token_hex(32), Clock(lab, 5)
    make, port = hs(old), lab.port()
    first = Service(lab, "rails.rb", clock=clock, port=port, secret=old, reasons=False)
    first.traffic(make, rounds=16, minutes=120)
    first.child.terminate()
    first.child.wait(10)
    second = Service(lab, "rails.rb", clock=clock, name="next", port=port, secret=new, reasons=False)
    ensure(set(second.traffic(make, rounds=22, minutes=90, good=False)) == {401}, "all are refused")
    return inputs(now=clock.now(), token=make(clock.now()), keys={"login-service.secret": old}, files={"api/.env": f"RAILS_ENV=production\nJWT_SECRET={new}\n"},
                  logs={"production.log": first.log() + second.log()})


@case("rails-audience-account", family="verifier", expected=["TN0412"], settling=True, recorded=RAILS,
      fault="The realm's client has no audience mapper, so tokens are for account; the API expects orders-api.")
def audience(lab):
    key = Key()
    at = lab.enter(Issuer(key, path="/realms/shop").running())
    service = Service(lab, "rails.rb", algorithms=["RS256"], jwks=f"{at.url}/jwks.json", issuer=at.url, audience="orders-api")
    make = mint(key, issuer=at.url, audience="account", azp="shop-web", typ="Bearer", realm_access={"roles": ["offline_access"]}, lifetime=300)
    return says(service.probed(make(), issuer=at.url), "Invalid audience. Expected orders-api, received account")


@case("rails-keys-kept-in-global", family="verifier", expected=["TN0401"], settling=True, recorded=RAILS,
      fault="The issuer rotated; the API's loader ignores ruby-jwt's invalidate and keeps the key set of its first request.")
def kept(lab):
    old, new, clock = Key(), Key(), Clock(lab, 2)
    at = lab.enter(Issuer(old).running())
    service = Service(lab, "rails.rb", clock=clock, algorithms=["RS256"], jwks=f"{at.url}/jwks.json", keep=True)
    make = mint(old, issuer=at.url, lifetime=3600)
    service.traffic(make, rounds=18, minutes=80)
    at.keys, at.published = (old, new), [new, old]
    after = mint(new, issuer=at.url, lifetime=3600)
    for _ in range(5):
        ensure(service.ask("/api/orders", after(clock.now(), "u-4711"), ip="203.0.113.61", agent="axios/1.12.2") == 401, "refused")
        service.traffic(make, rounds=3, minutes=6)
    found = service.probed(after(), issuer=at.url, old_token=make(), log_name="production.log")
    ensure(status(found["exchanges"], "old") == 200, "old ones work")
    return says(found, "Could not find public key for kid")


@case("rails-healthy-odd-keys", family="healthy", recorded=RAILS,
      fault="None: the issuer publishes an Ed25519 key and an encryption key that this ruby-jwt cannot use; tokens are signed by the RSA key.")
def odd_keys(lab):
    key = Key()
    at = lab.enter(Issuer(key).running())
    plain, odd = at.jwks(), {"kty": "OKP", "kid": "2026-11-ed", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    at.jwks = lambda: {"keys": [odd, {**plain["keys"][0], "kid": "enc-7", "use": "enc", "alg": "RSA-OAEP-256"}, *plain["keys"]]}
    service = Service(lab, "rails.rb", algorithms=["RS256"], jwks=f"{at.url}/jwks.json", issuer=at.url)
    found = service.probed(mint(key, issuer=at.url)(), issuer=at.url, old_token=mint(key, issuer=at.url, age=7200)())
    ensure(status(found["exchanges"], "client") == 200 and status(found["exchanges"], "old") == 401, "well")
    return found


@case("rails-forgery-protection-before-api", family="framework", expected=["TN0507"], settling=True, recorded=RAILS,
      fault="The API's controllers inherit protect_from_forgery from the web's: GET with a token is well, POST is 422.")
def forgery(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 1)
    service = Service(lab, "rails.rb", clock=clock, secret=secret, csrf=True)
    make = hs(secret)
    service.traffic(make, rounds=12, minutes=40)
    for number in range(4):
        ensure(service.ask("/api/orders", make(clock.now()), "POST", ip="203.0.113.9", body={"item": number}) == 422, "refused")
        service.traffic(make, rounds=3, minutes=4)
    return service.probed(make(), method="POST", log_name="production.log", unsafe_methods=True)


@case("rails-origin-is-not-base-url", family="framework", expected=["TN0507"], settling=True, recorded=RAILS,
      fault="TLS ends at a proxy that does not say so: Rails thinks its address is http and refuses each form whose Origin is https. Log only.")
def origin(lab):
    clock = Clock(lab, 4)
    service = Service(lab, "rails.rb", clock=clock, csrf=True)
    host = {"host": "account.example.test"}
    seen = set()
    for turn in range(9):
        service.ask(f"/magic_link?user=u-{turn}", headers=host, ip=f"203.0.113.{turn}")
        cookie = next(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")
        csrf = json.loads(service.answered)["csrf"]
        web = {**host, "cookie": cookie, "origin": "https://account.example.test", "x-csrf-token": csrf}
        service.ask("/account", headers=web, ip=f"203.0.113.{turn}")
        seen.add(service.ask("/account", method="POST", body={"phone": "5550100"}, headers=web, ip=f"203.0.113.{turn}"))
        service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
        clock.pass_(600)
    ensure(seen == {422}, str(seen))
    ensure("didn't match request.base_url" in service.log(), "named")
    return inputs(now=clock.now(), logs={"production.log": service.log()})


@case("rails-secret-key-base-per-start", family="verifier", expected=["TN0409"], settling=True, recorded=RAILS,
      fault="The container's entry point makes a new SECRET_KEY_BASE at each start, so each release ends all cookie sessions.")
def key_base(lab):
    clock, port, log, cookies = Clock(lab, 9), lab.port(), "", {}
    for release in range(3):
        service = Service(lab, "rails.rb", clock=clock, name=f"web{release}", port=port, session_secret="random")
        for turn in range(14):
            user = f"u-{turn % 5}"
            code = service.ask("/account", headers={"cookie": cookies.get(user, "")}, ip=f"203.0.113.{turn % 5}")
            ensure(turn < 5 or code == 200, "signed in again")
            if code == 401:
                service.ask(f"/magic_link?user={user}", ip=f"203.0.113.{turn % 5}")
                cookies[user] = next(value.split(";")[0] for name, value in service.received if name.lower() == "set-cookie")
            service.ask("/health", agent="kube-probe/1.31", ip="10.42.0.1")
            clock.pass_(650)
        service.child.terminate()
        service.child.wait(10)
        log += service.log()
    entry = ('#!/bin/sh -e\nrm -f tmp/pids/server.pid\nexport SECRET_KEY_BASE="$(openssl rand -hex 64)"\n'
             'bundle exec rails db:prepare\nexec bundle exec puma -C config/puma.rb\n')
    return inputs(now=clock.now(), logs={"production.log": log}, files={"bin/docker-entrypoint": entry, "config/initializers/session_store.rb": 'Rails.application.config.session_store :cookie_store, key: "_orders_session"\n'})


@case("rails-iat-of-fast-issuer", family="verifier", expected=["TN0416"], settling=True, recorded=RAILS,
      fault="The issuer's clock is 50 s ahead; ruby-jwt grants iat no leeway and refuses each new token until it is a minute old.")
def iat(lab):
    key = Key("ES256")
    at = lab.enter(Issuer(key).running())
    service = Service(lab, "rails.rb", algorithms=["ES256"], jwks=f"{at.url}/jwks.json", leeway=30)
    return says(service.probed(mint(key, issuer=at.url, age=-50)(), issuer=at.url), "Invalid iat")


@case("rails-admin-in-realm-access", family="framework", expected=["TN0515"], settling=True, recorded=RAILS,
      fault="The policy reads roles from the token's top, Keycloak writes them under realm_access; the user is an administrator there.")
def realm_access(lab):
    key = Key()
    at = lab.enter(Issuer(key, path="/realms/shop").running())
    service = Service(lab, "rails.rb", algorithms=["RS256"], jwks=f"{at.url}/jwks.json", issuer=at.url)
    token = mint(key, issuer=at.url, roles=None, realm_access={"roles": ["default-roles-shop", "admin"]}, preferred_username="ines")()
    policy = "class ReportPolicy < ApplicationPolicy\n  def index?\n    Array(claims[\"roles\"]).include?(\"admin\")\n  end\nend\n"
    return says(service.probed(token, path="/api/admin/reports", issuer=at.url, files={"app/policies/report_policy.rb": policy}), "not authorized")


@case("rails-healthy-noisy-log", family="healthy", recorded=RAILS,
      fault="None: scanners make FATAL routing errors, one app refreshes after its token ended, the rest is well.")
def healthy(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 4)
    service = Service(lab, "rails.rb", clock=clock, secret=secret, audience="orders-api", issuer=ISSUER)
    make = hs(secret)
    for _ in range(5):
        token = make(clock.now() - 900, "u-4711", age=2)
        ensure(service.ask("/api/orders", token, ip="203.0.113.88") == 401, "ended")
        ensure(service.ask("/api/orders", make(clock.now(), "u-4711", age=1), ip="203.0.113.88") == 200, "refreshed")
        service.traffic(make, rounds=9, minutes=40)
    found = service.probed(make(), log_name="production.log")
    ensure(status(found["exchanges"], "client") == 200, "well")
    return found


@case("sinatra-token-cut-by-column", family="verifier", expected=["TN0425"], settling=True, recorded=SINATRA,
      fault="The mobile backend keeps tokens in a column of 512 characters and the database cuts the end of the signature off.")
def cut(lab):
    key = Key()
    service = Service(lab, "sinatra.rb", pem=key.pem(), algorithm="RS256", audience="orders-api")
    whole = mint(key, lifetime=86400)()
    ensure(512 < len(whole), str(len(whole)))
    schema = 'create_table "device_sessions" do |t|\n  t.bigint "user_id", null: false\n  t.string "access_token", limit: 512\n  t.string "refresh_token", limit: 512\n  t.datetime "expires_at"\nend\n'
    found = service.probed(whole[:512], keys={"public.pem": key.pem()}, files={"db/schema.rb": schema}, logs={"puma.log": ""})
    found["logs"] = [{"name": "puma.log", "text": service.log()}]
    return says(found, "Invalid credentials")


@case("sinatra-http-origin", family="framework", expected=["TN0507"], settling=True, recorded=SINATRA,
      fault="Rack::Protection refuses POSTs whose Origin is another site, before the token is looked at; the web shop lives on another host.")
def http_origin(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 2)
    service = Service(lab, "sinatra.rb", clock=clock, secret=secret)
    make = hs(secret)
    for number in range(6):
        service.traffic(make, rounds=5, minutes=15)
        code = service.ask("/api/orders", make(clock.now()), "POST", ip="203.0.113.9", body={"item": number}, headers={"origin": "https://shop.example.test"})
        ensure(code == 403, str(code))
    return service.probed(make(), method="POST", origin="https://shop.example.test", log_name="api.log", unsafe_methods=True)


@case("sinatra-healthy-attack-prevented", family="healthy", recorded=SINATRA,
      fault="None: forms of another site post to the API and Rack::Protection turns them away, as it should; the users' own requests are well.")
def prevented(lab):
    secret, clock = secrets.token_hex(32), Clock(lab, 4)
    service = Service(lab, "sinatra.rb", clock=clock, secret=secret, audience="orders-api")
    make = hs(secret)
    for number in range(7):
        service.traffic(make, rounds=5, minutes=32)
        code = service.ask("/api/orders", None, "POST", ip="198.51.100.61", body={"item": number}, headers={"origin": "https://free-gifts.example"}, agent="Mozilla/5.0 (Linux; Android 10)")
        ensure(code == 403, str(code))
        ensure(service.ask("/api/orders", make(clock.now()), "POST", ip="203.0.113.9", body={"item": number}, agent="okhttp/4.12.0") == 201, "own")
    return inputs(now=clock.now(), token=make(clock.now()), keys={"orders.secret": secret}, logs={"api.log": service.log()})
