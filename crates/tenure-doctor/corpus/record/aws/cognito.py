"""Cognito sessions: refreshing, signing out, and app clients that are gone."""

import json
import time

from aws.http_apis import Http
from lab.cloud import HTTP, REST, Cloud, Rest, cognito
from lab.common import case, ensure, inputs, only, status
from lab.wire import sent

COGNITO = "ministack 1.5.33 (Cognito)"


def ask(cloud, probe, operation, body):
    """One call of the user pool's API, as an exchange."""
    headers = {"content-type": "application/x-amz-json-1.1",
               "x-amz-target": f"AWSCognitoIdentityProviderService.{operation}"}
    return sent(probe, f"http://127.0.0.1:{cloud.port}/", json.dumps(body).encode(), headers)


def refresh(cloud, client, token, probe="refresh"):
    body = {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": client, "AuthParameters": {"REFRESH_TOKEN": token}}
    return ask(cloud, probe, "InitiateAuth", body)


def line(after, level, message, **more):
    """A line as pino writes it; `after` in seconds from ten minutes ago."""
    record = {"level": level, "time": int((time.time() - 600 + after) * 1000), "pid": 1, "name": "app", **more}
    return json.dumps(record | {"msg": message}) + "\n"


@case("aws-cognito-empty-refresh-token", family="session", recorded=COGNITO, expected=["TN0605"], settling=True,
      fault="Cognito leaves refresh_token out of its answer to a refresh; the app stores an empty one, and sends it next time.")
def empty_refresh_token(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    tokens = pool.sign_in()
    first = refresh(cloud, pool.client, tokens["RefreshToken"])
    ensure("RefreshToken" not in first["result"]["Ok"]["body"], "no refresh token in the answer")
    second = refresh(cloud, pool.client, "", "refresh-again-1")
    ensure(second["result"]["Ok"]["status"] == 400, "refused")
    log = (line(0, 30, "token_refresh_succeeded", status=200)
           + line(1, 30, "store_session_write_succeeded", idToken=1091, accessToken=1071, refreshToken=0)
           + line(540, 30, "token_refresh_started", refreshTokenLength=0)
           + line(541, 40, "token_refresh_failed", status=400, error="InvalidParameterException")
           + line(541, 40, "redirect_to_login"))
    return inputs(exchanges=[first, second], logs={"app.log": log})


@case("aws-cognito-client-recreated", family="session", recorded=COGNITO, expected=["TN0608"], settling=True,
      fault="The stack replaced the app client; the app in the store still names the one that is gone.")
def client_recreated(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    tokens = pool.sign_in()
    client = cloud.client("cognito-idp")
    client.delete_user_pool_client(UserPoolId=pool.id, ClientId=pool.client)
    now = cloud.pool_client(pool.id)
    seen = api.record(tokens["IdToken"])
    answered = refresh(cloud, pool.client, tokens["RefreshToken"])
    ensure("ResourceNotFoundException" in answered["result"]["Ok"]["body"], "the client is gone")
    seen["exchanges"] = only(seen["exchanges"], "client", "bare", "altered") + [answered]
    files = {".env": f"USER_POOL_ID={pool.id}\nUSER_POOL_CLIENT_ID={pool.client}\n"} | cloud.answer(
        "cognito-idp", "DescribeUserPoolClient", UserPoolId=pool.id, ClientId=now)
    return inputs(**seen, files=files)


@case("aws-cognito-global-sign-out", family="session", recorded=REST, expected=["TN0609"], settling=True,
      fault="The user signed out everywhere; the API verifies by signature alone and goes on, the user pool refuses.")
def global_sign_out(lab):
    cloud = Cloud(lab, auth=True)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    tokens = pool.sign_in()
    cloud.client("cognito-idp").global_sign_out(AccessToken=tokens["AccessToken"])
    time.sleep(1)
    seen = api.record(tokens["AccessToken"])
    userinfo = ask(cloud, "userinfo", "GetUser", {"AccessToken": tokens["AccessToken"]})
    answered = refresh(cloud, pool.client, tokens["RefreshToken"])
    ensure(status(seen["exchanges"], "client") == 200, "the API lets it in")
    ensure(userinfo["result"]["Ok"]["status"] == 400, "the pool does not: " + userinfo["result"]["Ok"]["body"])
    ensure(answered["result"]["Ok"]["status"] == 400, "nor is it refreshed: " + answered["result"]["Ok"]["body"])
    seen["exchanges"] += [userinfo, answered]
    return inputs(**seen, keys=cloud.jwks(pool.id))


@case("aws-cognito-waf-blocks-refresh", family="session", settling=True, expected=["TN0207", "TN0604"],
      documented="ravenscar/franken-srp#13: the answer of a user pool behind WAF; the other answers are of ministack 1.5.33",
      fault="A WAF rule blocks the refresh, and the app takes the 403 for the end of its session.")
def waf(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client])
    tokens = pool.sign_in()
    seen = api.record(tokens["AccessToken"])
    answered = refresh(cloud, pool.client, tokens["RefreshToken"])
    text = '{"__type":"ForbiddenException","message":"Request not allowed due to WAF block."}'
    answered["result"]["Ok"] |= {"status": 403, "body": text, "body_bytes": len(text)}
    log = (line(0, 30, "token_refresh_started") + line(0.2, 40, "token_refresh_failed", status=403)
           + line(0.3, 40, "will_clear_session", reason="refresh_failed") + line(0.4, 30, "redirect_to_login"))
    seen["exchanges"] = only(seen["exchanges"], "client", "bare", "altered") + [answered]
    return inputs(**seen, logs={"app.log": log})


@case("aws-cognito-healthy-refresh", family="healthy", recorded=HTTP,
      fault="Nothing: a refresh after the token had expired, without a new refresh token in its answer; the app keeps the old one.")
def healthy_refresh(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client])
    old = pool.old()
    answers = [refresh(cloud, pool.client, old["RefreshToken"], probe) for probe in ("refresh", "refresh-again-1")]
    token = json.loads(answers[1]["result"]["Ok"]["body"])["AuthenticationResult"]["AccessToken"]
    seen = api.record(token, old_token=old["AccessToken"])
    ensure(status(seen["exchanges"], "client") == 200, "200")
    ensure(status(seen["exchanges"], "old") == 401, "the old one has expired")
    log = (line(0, 40, "request_failed", path="/items", status=401) + line(0.1, 30, "token_refresh_started")
           + line(0.4, 30, "token_refresh_succeeded", status=200)
           + line(0.5, 30, "store_session_write_succeeded", idToken=1091, accessToken=1071, refreshToken=1788)
           + line(0.7, 30, "request_succeeded", path="/items", status=200))
    seen["exchanges"] += answers
    return inputs(**seen, logs={"app.log": log})
