"""More of API Gateway and Cognito: Lambda authorizers of HTTP APIs, custom domains, stages, ended sessions."""

import json

from aws.authorizers import behind_lambda
from aws.cognito import COGNITO, line, refresh
from aws.http_apis import BACKEND
from lab.cloud import ACCOUNT, HTTP, REGION, REST, Cloud, Rest, asked, cognito
from lab.common import answer, case, ensure, inputs, only, record, status, target, without

BRIEF = ("client", "bare", "garbage", "altered", "other-path", "again-1")
SIMPLE = '''
def handler(event, context):
    token = (event.get("headers") or {{}}).get("authorization", "").split(" ")[-1]
    return {{"isAuthorized": token in {allowed!r}, "context": {{"tenant": "t-12"}}}}
'''
POLICY = '''
def handler(event, context):
    return {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["routeArn"]}]}}
'''


class ByLambda:
    """An HTTP API with GET /items and GET /orders behind a Lambda authorizer."""

    def __init__(self, cloud, source, sources=("$request.header.Authorization",), ttl=0, simple=True, stage="$default"):
        self.cloud, gateway = cloud, cloud.client("apigatewayv2")
        self.id = gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
        function = cloud.function("shop-authorizer", source)
        made = gateway.create_authorizer(
            ApiId=self.id, AuthorizerType="REQUEST", Name="shop", IdentitySource=list(sources), AuthorizerPayloadFormatVersion="2.0",
            AuthorizerUri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
            EnableSimpleResponses=simple, AuthorizerResultTtlInSeconds=ttl)["AuthorizerId"]
        backend = gateway.create_integration(
            ApiId=self.id, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0", IntegrationUri=cloud.function("shop", BACKEND))["IntegrationId"]
        for route in ("GET /items", "GET /orders"):
            gateway.create_route(ApiId=self.id, RouteKey=route, AuthorizationType="CUSTOM", AuthorizerId=made, Target=f"integrations/{backend}")
        gateway.create_stage(ApiId=self.id, StageName=stage, AutoDeploy=True)

    def record(self, token, path="/items", **job):
        return asked(self.cloud, self.id, target(self.cloud.url(self.id, path)), token, **job)

    def authorizers(self):
        return self.cloud.answer("apigatewayv2", "GetAuthorizers", ApiId=self.id)


def other_user(pool):
    """An access token of somebody else of this pool."""
    client = pool.cloud.client("cognito-idp")
    client.admin_create_user(UserPoolId=pool.id, Username="bob", MessageAction="SUPPRESS")
    client.admin_set_user_password(UserPoolId=pool.id, Username="bob", Password=pool.PASSWORD, Permanent=True)
    found = client.initiate_auth(ClientId=pool.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "bob", "PASSWORD": pool.PASSWORD})
    return found["AuthenticationResult"]["AccessToken"]


@case("aws-http-lambda-denies", family="gateway", recorded=HTTP, expected=["TN0305"], settling=True,
      fault="The Lambda authorizer of an HTTP API answers isAuthorized false for this user; another user of the pool gets in.")
def denies(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    mine, other = pool.sign_in()["AccessToken"], other_user(pool)
    api = ByLambda(cloud, SIMPLE.format(allowed=[other]))
    seen = api.record(mine, other_token=other)
    ensure(status(seen["exchanges"], "client") == 403, str(answer(seen["exchanges"], "client")))
    ensure(status(seen["exchanges"], "other-token") == 200, "another token gets in")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=api.authorizers(), keys=cloud.jwks(pool.id))


@case("aws-http-lambda-two-sources", family="gateway", recorded=HTTP, expected=["TN0308"], settling=True,
      fault="The authorizer's identity sources are Authorization and X-Tenant; the app leaves X-Tenant out, and the Lambda is not called.")
def two_sources(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    token = pool.sign_in()["AccessToken"]
    api = ByLambda(cloud, SIMPLE.format(allowed=[token]), sources=("$request.header.Authorization", "$request.header.X-Tenant"))
    seen = api.record(token)
    ensure(status(seen["exchanges"], "client") == 401, str(answer(seen["exchanges"], "client")))
    return inputs(**seen | {"exchanges": only(seen["exchanges"], *BRIEF)}, files=api.authorizers())


@case("aws-http-lambda-policy-cached", family="gateway", recorded=HTTP, expected=["TN0306"], settling=True,
      fault="The authorizer allows the route of the first request only, and its answer is kept for ten minutes.")
def policy_cached(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    token = pool.sign_in()["AccessToken"]
    api = ByLambda(cloud, POLICY, ttl=600, simple=False)
    first = api.record(token, only=["client"])
    ensure(status(first["exchanges"], "client") == 200, "first")
    seen = api.record(token, "/orders", other_endpoint=cloud.url(api.id, "/items"))
    ensure(status(seen["exchanges"], "client") == 403, str(answer(seen["exchanges"], "client")))
    ensure(status(seen["exchanges"], "other-endpoint") == 200, "the first one")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=api.authorizers())


@case("aws-http-lambda-healthy", family="healthy", recorded=HTTP,
      fault="Nothing: an HTTP API behind a Lambda authorizer lets this user in, and others not.")
def lambda_healthy(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    token = pool.sign_in()["AccessToken"]
    api = ByLambda(cloud, SIMPLE.format(allowed=[token]))
    seen = api.record(token, other_endpoint=cloud.url(api.id, "/orders"), old_token=pool.old()["AccessToken"])
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "other-endpoint") == 200, "200")
    return inputs(**seen, files=api.authorizers(), keys=cloud.jwks(pool.id))


@case("aws-http-stage-left-out", family="gateway", recorded=HTTP, expected=["TN0313", "TN0320"],
      fault="The HTTP API has a stage `v1` and none named $default; the app's URL lacks it.")
def stage(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    token = pool.sign_in()["AccessToken"]
    api = ByLambda(cloud, SIMPLE.format(allowed=[token]), stage="v1")
    seen = api.record(token, other_endpoint=cloud.url(api.id, "/v1/items"))
    ensure(status(seen["exchanges"], "client") in (403, 404), str(answer(seen["exchanges"], "client")))
    ensure(status(seen["exchanges"], "other-endpoint") == 200, "with the stage")
    return inputs(**seen | {"exchanges": only(seen["exchanges"], *BRIEF, "bare-other-path", "other-endpoint")},
                  files=cloud.answer("apigatewayv2", "GetStages", ApiId=api.id))


@case("aws-custom-domain-stage-gone", family="gateway", recorded=REST, expected=["TN0313"], settling=True,
      fault="The custom domain maps /v2 to the stage `prod`, and /v1 to a stage that was deleted; the app in the field calls /v1.")
def base_path(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    name = "api.shop.example.com"
    api.gateway.create_domain_name(domainName=name, regionalCertificateArn=f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1f0a", endpointConfiguration={"types": ["REGIONAL"]})
    api.gateway.create_base_path_mapping(domainName=name, basePath="v2", restApiId=api.id, stage="prod")
    api.gateway.create_base_path_mapping(domainName=name, basePath="v1", restApiId=api.id, stage="legacy")
    host = f"{name}:{cloud.port}"
    wanted = target(f"http://{host}/v1/items")
    token = pool.sign_in()["IdToken"]
    exchanges = record(wanted, token, resolve={host: [f"127.0.0.1:{cloud.port}"]}, other_endpoint=f"http://{host}/v2/items")
    ensure(status(exchanges, "other-endpoint") == 200, str(answer(exchanges, "other-endpoint")))
    ensure(status(exchanges, "client") == 403, str(answer(exchanges, "client")))
    return inputs(target=wanted, token=token, exchanges=only(exchanges, *BRIEF, "other-endpoint", "bare-other-path"),
                  files=cloud.answer("apigateway", "GetBasePathMappings", domainName=name))


@case("aws-rest-deny-by-method", family="gateway", recorded=REST, expected=["TN0305"], settling=True,
      fault="The Lambda authorizer's policy allows GET /items and not GET /items/{id}; its answer is not kept.")
def by_method(lab):
    cloud, pool, api, token = behind_lambda(lab, 'return policy("Allow" if event["methodArn"].endswith("GET/items") else "Deny", event["methodArn"])')
    seen = api.record(token, "/prod/items/7", other_endpoint=api.url())
    ensure(status(seen["exchanges"], "client") == 403 and status(seen["exchanges"], "other-endpoint") == 200, "one of two")
    return inputs(**seen | {"exchanges": only(seen["exchanges"], *BRIEF, "other-endpoint", "again-2")},
                  files=cloud.answer("apigateway", "GetAuthorizers", restApiId=api.id))


@case("aws-cognito-token-revoked", family="session", recorded=COGNITO, expected=["TN0610"], settling=True,
      fault="Support revoked the refresh token of a lost phone; the user's tablet shared it by a restored backup and is out too.")
def revoked(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    tokens = pool.sign_in()
    cloud.client("cognito-idp").revoke_token(Token=tokens["RefreshToken"], ClientId=pool.client)
    answered = refresh(cloud, pool.client, tokens["RefreshToken"])
    ensure("NotAuthorizedException" in answered["result"]["Ok"]["body"], str(answered["result"]))
    log = (line(0, 30, "token_refresh_started") + line(0.3, 40, "token_refresh_failed", status=400, error="NotAuthorizedException", cause=json.loads(answered["result"]["Ok"]["body"])["message"])
           + line(0.4, 30, "redirect_to_login"))
    return inputs(exchanges=[answered], logs={"tablet.log": log})


@case("aws-cognito-refresh-never-sent", family="gateway", recorded=REST, expected=["TN0304", "TN0415", "TN0601"], settling=True,
      fault="After a rewrite the app never calls its refresh: it works for an hour after each sign-in, then gets 401 until the next; its log.")
def never(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    old = pool.old(3)["IdToken"]
    seen = api.record(old, other_token=pool.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 401 and status(seen["exchanges"], "other-token") == 200, "expired")
    log = line(-9000, 30, "signed_in", expires_in=3600)
    for turn in range(30):
        after = -8900 + turn * 300
        good = after + 9000 < 3600
        log += line(after, 30 if good else 40, "request_succeeded" if good else "request_failed", path="/items", status=200 if good else 401)
    return inputs(**seen | {"exchanges": only(seen["exchanges"], *BRIEF, "other-token")}, logs={"app.log": log}, keys=cloud.jwks(pool.id))
