"""nginx that verifies tokens itself in njs, one fault each."""

import base64
import json
import os
import time

from lab.common import answer, case, ensure, inputs, only, other_clock, record, status, target
from lab.servers import Api, Reply
from lab.tokens import Key, claims
from lab.traffic import NJS, Crowd, joined, nginx

SCRIPT = """import fs from 'fs';

const SECRET = fs.readFileSync('%(secret)s');
const EXPECTED = %(expected)s;

function refuse(r, reason) {
    r.error('jwt: ' + reason);
    r.headersOut['WWW-Authenticate'] = 'Bearer error="invalid_token", error_description="' + reason + '"';
    r.return(401);
}

async function check(r) {
    const given = r.headersIn['Authorization'];
    if (!given || !/^Bearer /i.test(given)) {
        r.headersOut['WWW-Authenticate'] = 'Bearer';
        return r.return(%(without)s);
    }
    const parts = given.slice(7).split('.');
    if (parts.length !== 3) return refuse(r, 'malformed token');
    const header = JSON.parse(Buffer.from(parts[0], 'base64url'));
    const claims = JSON.parse(Buffer.from(parts[1], 'base64url'));
    if (header.alg !== 'HS256') return refuse(r, 'algorithm ' + header.alg + ' is not allowed');
    const key = await crypto.subtle.importKey('raw', SECRET, {name: 'HMAC', hash: 'SHA-256'}, false, ['verify']);
    const good = await crypto.subtle.verify({name: 'HMAC'}, key, Buffer.from(parts[2], 'base64url'), parts[0] + '.' + parts[1]);
    if (!good) return refuse(r, 'invalid signature');
    const now = Math.floor(Date.now() / 1000);
%(expiry)s    if (claims.iat > now) return refuse(r, 'token used before issued (' + (claims.iat - now) + ' s)');
    for (const name in EXPECTED) {
        if (claims[name] !== EXPECTED[name]) return refuse(r, name + ' is ' + claims[name] + ', not ' + EXPECTED[name]);
    }
%(more)s    r.return(204);
}

export default {check};
"""


EXPIRY = """    if (claims.exp <= now) return refuse(r, 'token expired ' + (now - claims.exp) + ' s ago');
"""


def gate(lab, secret, expected="{}", *, name="nginx", expiry=EXPIRY, more="", without=401, behind=None):
    """nginx with the script before an API that believes it; Edge, and the files that an operator would show."""
    stored = lab.folder / f"{name}-jwt.secret"
    stored.write_text(secret)
    script = SCRIPT % {"secret": stored, "expected": expected, "expiry": expiry, "more": more, "without": without}
    lab.write(f"{name}-njs/auth.js", script)
    port = behind or lab.enter(Api(lambda: {}, before=lambda request: Reply(200, {"orders": [{"id": 17}]}) if request.path.startswith("/orders") else None).running())
    edge = nginx(lab, f"location = /_jwt {{ internal; js_content auth.check; }}\nlocation / {{\n  auth_request /_jwt;\n  auth_request_set $challenge $sent_http_www_authenticate;\n"
                 f"  add_header WWW-Authenticate $challenge always;\n  proxy_pass http://127.0.0.1:{port};\n}}",
                 f"js_path {lab.folder}/{name}-njs;\njs_import auth from auth.js;", name=name,
                 top="load_module /usr/lib/nginx/modules/ngx_http_js_module.so;")
    return edge, {**edge.config, "njs/auth.js": script}


def issue(secret, **more) -> str:
    return Key("HS256", kid=None, private=secret).token(headers={"kid": None}, **claims("https://auth.example.test", **more))


@case("ways-njs-secret-with-newline", family="verifier", expected=["TN0408"], settling=True, recorded=NJS,
      fault="nginx' njs script reads the secret from a mounted file with a line end behind it; the issuer signs without.")
def newline(lab):
    secret = Key("HS256").private
    edge, files = gate(lab, secret + "\n")
    token, wanted = issue(secret), target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and "invalid signature" in joined(lab, "nginx/error.log"), "as if forged")
    return inputs(token=token, target=wanted, exchanges=sent, files=files, keys={"jwt.secret": secret + "\n"})


@case("ways-njs-secret-with-newline-poor", family="verifier", expected=["TN0408", "TN0407"], settling=False, recorded=NJS,
      fault="As a secret file with a line end; the user has the token, the issuer's secret and nginx's log.")
def newline_poor(lab):
    secret = Key("HS256").private
    edge, _ = gate(lab, secret + "\n")
    token, wanted = issue(secret), target(edge.url())
    sent = only(record(wanted, token), "client", "bare", "altered", "again*")
    ensure(status(sent, "client") == 401, "refused")
    return inputs(token=token, target=wanted, exchanges=sent, keys={"issuer.secret": secret}, logs={"error.log": joined(lab, "nginx/error.log")})


@case("ways-njs-other-client", family="verifier", expected=["TN0413"], settling=True, recorded=NJS,
      fault="The njs script asks for azp shop-web; tokens of the new mobile app have shop-mobile. Only nginx's logs are at hand.")
def azp(lab):
    secret = Key("HS256").private
    edge, files = gate(lab, secret, "{azp: 'shop-web'}")
    crowd = Crowd(edge, seed=60, token=lambda **more: issue(secret, azp="shop-web", **more))
    for number in range(9):
        crowd.noise(8)
        crowd.send("/orders", f"203.0.113.{100 + number}", token=issue(secret, azp="shop-mobile"), agent="ShopMobile/1.0.0 (Android 15)")
    access, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    ensure("azp is shop-mobile, not shop-web" in error and '" 200 ' in access, "the other client")
    return inputs(logs={"access.log": access, "error.log": error}, files={"njs/auth.js": files["njs/auth.js"]})


@case("ways-njs-clock-behind", family="verifier", expected=["TN0416"], settling=True, recorded=NJS,
      fault="nginx' host is 45 s behind and the njs script has no leeway: each new token fails for its first 45 s, then works.")
def behind(lab):
    secret = Key("HS256").private
    faked = other_clock(-45)
    os.environ.update(faked)
    try:
        edge, files = gate(lab, secret)
    finally:
        for name in faked:
            del os.environ[name]
    token, older, wanted = issue(secret, age=4), issue(secret, age=300, subject="u-9"), target(edge.url())
    sent = record(wanted, token, other_token=older)
    error = joined(lab, "nginx/error.log")
    ensure(status(sent, "client") == 401 and status(sent, "other-token") == 200 and "used before issued" in error, "too early")
    return inputs(token=token, other_token=older, target=wanted, exchanges=sent, keys={"jwt.secret": secret}, logs={"error.log": error})


@case("ways-njs-alg-migrated", family="verifier", expected=["TN0410"], settling=True, recorded=NJS,
      fault="The issuer went from HS256 to RS256; the njs script at nginx knows HS256 only, and old tokens still pass.")
def migrated(lab):
    secret, new = Key("HS256").private, Key("RS256")
    edge, _ = gate(lab, secret)
    token, old = new.token(**claims("https://auth.example.test")), issue(secret, age=600)
    wanted = target(edge.url("/orders/17"))
    sent = record(wanted, token, old_token=old)
    challenge = dict(answer(sent, "client")["headers"]).get("www-authenticate", "")
    ensure(status(sent, "client") == 401 and "RS256 is not allowed" in challenge and status(sent, "old") == 200, "the algorithm")
    return inputs(token=token, old_token=old, target=wanted, exchanges=sent, keys={"new.pem": new.pem()})


@case("ways-njs-expired-in-log", family="verifier", expected=["TN0415"], settling=True, recorded=NJS,
      fault="Since a release the app goes on with dead tokens; nginx' error log counts the seconds, among other users' good calls.")
def expired(lab):
    secret = Key("HS256").private
    edge, _ = gate(lab, secret)
    crowd = Crowd(edge, seed=62, token=lambda **more: issue(secret, **more))
    stale = [(f"203.0.113.{n}", issue(secret, subject=f"u-{n}", age=900 + 60 * n)) for n in range(3, 9)]
    for _ in range(4):
        crowd.noise(14)
        for ip, token in stale:
            crowd.send("/orders", ip, token=token, agent="ShopApp/8.1.0 (iOS 18.1)")
    access, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    ensure(error.count("token expired") == 24 and access.count('" 401 ') >= 24, "expired")
    return inputs(logs={"access.log": access, "error.log": error})


@case("ways-healthy-njs-expired-then-refreshed", family="healthy", recorded=NJS,
      fault="Nothing: an app lets a token run out, is refused once, refreshes and repeats the call; the error log has a line for each.")
def refreshed(lab):
    secret = Key("HS256").private
    edge, _ = gate(lab, secret)
    crowd = Crowd(edge, seed=63, token=lambda **more: issue(secret, **more))
    for number in range(10):
        crowd.noise(9)
        ip, agent, _ = crowd.users[number % 6]
        crowd.send("/orders", ip, token=issue(secret, age=903 + number), agent=agent)
        time.sleep(0.2)
        fresh = issue(secret, age=0)
        crowd.send("/orders", ip, token=fresh, agent=agent)
        crowd.send("/orders/17", ip, token=fresh, agent=agent)
    token, wanted = issue(secret), target(edge.url())
    sent = record(wanted, token, old_token=issue(secret, age=2000))
    access, error = joined(lab, "nginx/access.log"), joined(lab, "nginx/error.log")
    ensure(status(sent, "client") == 200 and status(sent, "old") == 401 and "token expired" in error, "well")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"access.log": access, "error.log": error})


@case("ways-njs-wants-access-token-type", family="verifier", expected=["TN0414"], settling=True, recorded=NJS,
      fault="After a review the njs script takes `typ: at+jwt` only; the issuer writes JWT into its access tokens.")
def typ(lab):
    secret = Key("HS256").private
    edge, files = gate(lab, secret, more="    if (header.typ !== 'at+jwt') return refuse(r, 'typ ' + header.typ + ' is not at+jwt');\n")
    token, wanted = issue(secret), target(edge.url())
    sent = record(wanted, token)
    ensure("typ JWT is not at+jwt" in dict(answer(sent, "client")["headers"])["www-authenticate"], "the type")
    return inputs(token=token, target=wanted, exchanges=sent, files={"njs/auth.js": files["njs/auth.js"]}, keys={"jwt.secret": secret})


def orders(lab, secret, **more):
    """An API that verifies, too."""
    return lab.enter(Api(lambda: {None: (secret, "HS256")}, issuer="https://auth.example.test", **more).running())


@case("ways-njs-never-checks-expiry", family="verifier", expected=["TN0415", "TN0420"], settling=True, recorded=NJS,
      fault="The njs script at the edge does not look at exp: an app with a token of yesterday passes nginx' own pages, and the API behind refuses it.")
def never_expires(lab):
    secret = Key("HS256").private
    port = orders(lab, secret, before=lambda request: Reply(200, {"me": "anna"}) if request.path == "/session" else None)
    edge, files = gate(lab, secret, expiry="", behind=port)
    token, fresh, wanted = issue(secret, age=90000), issue(secret), target(edge.url())
    sent = record(wanted, token, other_endpoint=edge.url("/session"), other_token=fresh)
    ensure(status(sent, "client") == 401 and status(sent, "other-endpoint") == 200 == status(sent, "other-token"), "the API alone")
    return inputs(token=token, target=wanted, exchanges=sent, files=files)


@case("ways-njs-leeway-then-none", family="verifier", expected=["TN0418", "TN0415"], settling=False, recorded=NJS,
      fault="The njs script grants 120 s after the expiry, the API none: for two minutes calls pass the edge and fail behind it.")
def leeways(lab):
    secret = Key("HS256").private
    port = orders(lab, secret, before=lambda request: Reply(200, {"me": "anna"}) if request.path == "/session" else None)
    edge, files = gate(lab, secret, expiry=EXPIRY.replace("claims.exp <= now", "claims.exp + 120 <= now"), behind=port)
    token, older, wanted = issue(secret, age=950), issue(secret, age=4000), target(edge.url())
    sent = record(wanted, token, old_token=older, other_endpoint=edge.url("/session"))
    ensure(status(sent, "client") == 401 and status(sent, "other-endpoint") == 200, "between the two")
    return inputs(token=token, old_token=older, target=wanted, exchanges=sent, files=files)


@case("ways-njs-public-page-with-dead-token", family="framework", expected=["TN0508", "TN0415"], settling=True, recorded=NJS,
      fault="The catalogue needs no token; whoever still sends an old one is refused, because the njs script judges each token that it sees.")
def public(lab):
    secret = Key("HS256").private
    edge, files = gate(lab, secret, without=204)
    token, wanted = issue(secret, age=5000), target(edge.url("/orders"))
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and status(sent, "bare") == 200, "without it passes")
    return inputs(token=token, target=wanted, exchanges=sent)


@case("ways-njs-encrypted-token", family="client", expected=["TN0115"], settling=True, recorded=NJS,
      fault="The issuer hands out encrypted tokens (five parts, dir) where no audience was asked for; the njs script reads signed ones.")
def encrypted(lab):
    secret = Key("HS256").private
    edge, _ = gate(lab, secret)
    part = lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
    header = json.dumps({"alg": "dir", "enc": "A256GCM", "iss": "https://auth.example.test/"}, separators=(",", ":")).encode()
    token = ".".join((part(header), "", part(os.urandom(12)), part(os.urandom(190)), part(os.urandom(16))))
    wanted = target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401, "malformed")
    return inputs(token=token, target=wanted, exchanges=sent, logs={"error.log": joined(lab, "nginx/error.log")})


@case("ways-njs-last-characters-lost", family="verifier", expected=["TN0425"], settling=True, recorded=NJS,
      fault="A token was copied out of a terminal without its last five characters: the signature is too short, nginx' script calls it invalid.")
def lost(lab):
    secret = Key("HS256").private
    edge, _ = gate(lab, secret)
    whole = issue(secret)
    token, wanted = whole[:-5], target(edge.url())
    sent = record(wanted, token)
    ensure(status(sent, "client") == 401 and "invalid signature" in joined(lab, "nginx/error.log"), "invalid")
    return inputs(token=token, target=wanted, exchanges=only(sent, "client", "bare", "altered", "garbage", "again*"), keys={"jwt.secret": secret})
