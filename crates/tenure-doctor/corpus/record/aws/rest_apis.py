"""API Gateway REST APIs: routes, stages, keys and policies."""

from lab.cloud import DOMAIN, REST, Cloud, Rest, asked, cognito
from lab.common import answer, case, ensure, inputs, only, status, target, without


def good(cloud, **more):
    """An API behind a Cognito authorizer, and tokens that it accepts."""
    pool = cloud.pool()
    return pool, Rest(cloud, authorizer=cognito(pool), **more), pool.sign_in()["IdToken"]


def error_type(exchanges, probe="client"):
    return dict(answer(exchanges, probe)["headers"]).get("x-amzn-errortype")


@case("aws-rest-wrong-path", family="gateway", recorded=REST, expected=["TN0301"], settling=True,
      fault="The app calls /prod/item, and the API has /prod/items.")
def wrong_path(lab):
    _, api, token = good(Cloud(lab))
    seen = api.record(token, "/prod/item", other_endpoint=api.url())
    ensure(error_type(seen["exchanges"]) == "MissingAuthenticationTokenException", "no such route")
    ensure(status(seen["exchanges"], "other-endpoint") == 200, "the token is good")
    return inputs(**seen)


@case("aws-rest-route-not-deployed", family="gateway", recorded=REST, expected=["TN0301"],
      settling=True, fault="A new version of the app calls /prod/feed, a resource that this API does not have yet.")
def route_not_deployed(lab):
    cloud = Cloud(lab)
    pool, api, token = good(cloud)
    seen = api.record(token, "/prod/feed")
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "bare") == 403, "403 both ways")
    return inputs(**seen, files=cloud.answer("apigateway", "GetResources", restApiId=api.id),
                  keys=cloud.jwks(pool.id))


@case("aws-rest-wrong-path-signature-text", family="gateway", expected=["TN0302", "TN0301"], settling=True,
      documented="serverless/serverless#3205, amazon-archives/aws-cognito-angular-quickstart#50: where there is no route, "
                 "API Gateway reads a bearer token as a signature; the other answers are of ministack 1.5.33",
      fault="The app calls /prod/item, and the API has /prod/items; the answer speaks of a signature.")
def wrong_path_text(lab):
    _, api, token = good(Cloud(lab))
    seen = api.record(token, "/prod/item")
    kept = without(seen["exchanges"], "bare*", "other-method")
    for exchange in kept:
        value = dict(exchange["request"]["headers"]).get("authorization", "")
        found = exchange["result"]["Ok"]
        if found["status"] == 403 and value:
            part = value.split(" ")[-1]
            text = (f'{{"message":"\'{part}\' not a valid key=value pair (missing equal-sign) in Authorization header: '
                    f'\'{value}\'."}}')
            found |= {"body": text[:4096], "body_bytes": len(text)}
            found["headers"] = [[name, "IncompleteSignatureException" if name == "x-amzn-errortype" else field]
                                for name, field in found["headers"]]
    ensure(error_type(kept) == "IncompleteSignatureException", "as documented")
    return inputs(**seen)


@case("aws-rest-wrong-method", family="gateway", recorded=REST, expected=["TN0301"], settling=True,
      fault="The app sends POST to a resource that has GET only.")
def wrong_method(lab):
    _, api, token = good(Cloud(lab))
    seen = api.record(token, method="POST", unsafe_methods=True)
    ensure(error_type(seen["exchanges"]) == "MissingAuthenticationTokenException", "no such method")
    ensure(status(seen["exchanges"], "other-method") == 200, "GET is there")
    return inputs(**seen)


@case("aws-rest-wrong-stage", family="gateway", recorded=REST, expected=["TN0313"], settling=True,
      fault="The app was built with the stage `dev`; the API is deployed to `prod` only.")
def wrong_stage(lab):
    cloud = Cloud(lab)
    _, api, token = good(cloud)
    seen = api.record(token, "/dev/items")
    ensure(error_type(seen["exchanges"]) == "ForbiddenException", "no such stage")
    return inputs(**seen, files=cloud.answer("apigateway", "GetStages", restApiId=api.id)
                  | {".env": f"API_URL=https://{api.id}.execute-api.{DOMAIN}/dev\n"})


@case("aws-rest-wrong-stage-poor", family="gateway", recorded=REST, expected=["TN0313"],
      fault="The app was built with the stage `dev`; nothing but the probes is known.")
def wrong_stage_poor(lab):
    _, api, token = good(Cloud(lab))
    return inputs(**api.record(token, "/dev/items"))


@case("aws-rest-no-options", family="gateway", recorded=REST, expected=["TN0110", "TN0301"],
      settling=True, fault="CORS was not enabled: no OPTIONS method, so that a browser's preflight is refused.")
def no_options(lab):
    _, api, token = good(Cloud(lab))
    seen = api.record(token, origin="https://app.example.com")
    ensure(status(seen["exchanges"], "client") == 200, "the request itself is good")
    ensure(status(seen["exchanges"], "preflight") == 403, "the preflight is not")
    return inputs(**seen)


def with_key(rest, limits=None):
    """A usage plan of the stage and its key's value."""
    gateway = rest.gateway
    key = gateway.create_api_key(name="partner", enabled=True)
    plan = gateway.create_usage_plan(
        name="partner", apiStages=[{"apiId": rest.id, "stage": "prod"}], **(limits or {}))
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return key["value"]


@case("aws-rest-api-key-missing", family="gateway", recorded=REST, expected=["TN0311"], settling=True,
      fault="The methods want an API key of a usage plan, and the app sends none.")
def api_key_missing(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, {"apiKeyRequired": True}, cognito(pool))
    with_key(api)
    seen = api.record(pool.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 403, "no key")
    ensure(status(seen["exchanges"], "altered") == 401, "the token was read before")
    method = cloud.answer("apigateway", "GetMethod", restApiId=api.id, resourceId=api.items, httpMethod="GET")
    return inputs(**seen, files=method | cloud.answer("apigateway", "GetUsagePlans"))


@case("aws-rest-api-key-not-in-plan", family="gateway", recorded=REST, expected=["TN0311"],
      fault="The methods want an API key, and no usage plan covers the stage.")
def api_key_without_plan(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, {"apiKeyRequired": True}, cognito(pool))
    seen = api.record(pool.sign_in()["IdToken"])
    kept = only(seen["exchanges"], "client", "bare", "garbage", "altered", "other-path")
    return inputs(**seen | {"exchanges": kept})


@case("aws-rest-throttled", family="gateway", recorded=REST, expected=["TN0316"], settling=True,
      fault="The stage lets one request a minute through; the client takes the rest for a refusal of its token.")
def throttled(lab):
    cloud = Cloud(lab)
    _, api, token = good(cloud)
    change = lambda what, value: {"op": "replace", "path": f"/*/*/throttling/{what}", "value": value}
    api.gateway.update_stage(restApiId=api.id, stageName="prod",
                             patchOperations=[change("rateLimit", "0.016"), change("burstLimit", "1")])
    api.record(token)
    seen = api.record(token)
    ensure(status(seen["exchanges"], "client") == 429, "429")
    return inputs(**seen)


@case("aws-rest-resource-policy", family="gateway", recorded=REST, expected=["TN0309"], settling=True,
      fault="A resource policy of the API denies every call that does not come through a VPC endpoint.")
def resource_policy(lab):
    policy = """{"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
      {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
       "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}}]}"""
    cloud = Cloud(lab, auth=True)
    pool = cloud.pool()

    def put(rest):
        change = {"op": "replace", "path": "/policy", "value": policy}
        rest.gateway.update_rest_api(restApiId=rest.id, patchOperations=[change])

    api = Rest(cloud, before_deploy=put)
    seen = api.record(pool.sign_in()["IdToken"])
    ensure(error_type(seen["exchanges"]) == "AccessDeniedException", "denied by the policy")
    return inputs(**seen)


@case("aws-rest-iam-method", family="gateway", recorded=REST, expected=["TN0302", "TN0301"], settling=True,
      fault="The method was deployed with AWS_IAM in place of the Cognito authorizer: a bearer token is read as a signature.")
def iam_method(lab):
    cloud = Cloud(lab, auth=True)
    pool = cloud.pool()
    api = Rest(cloud, {"authorizationType": "AWS_IAM"})
    seen = api.record(pool.sign_in()["IdToken"])
    ensure(error_type(seen["exchanges"]) == "IncompleteSignatureException", "read as a signature")
    ensure(error_type(seen["exchanges"], "bare") == "MissingAuthenticationTokenException", "no signature")
    method = cloud.answer("apigateway", "GetMethod", restApiId=api.id, resourceId=api.items, httpMethod="GET")
    return inputs(**seen, files=method)


@case("aws-rest-override-401", family="gateway", recorded=REST, settling=True,
      expected=["TN0315", "TN0304", "TN0415"],
      fault="GatewayResponses turn 401 into 403 with a text of their own, and the app's token has expired.")
def override(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()

    def put(rest):
        rest.gateway.put_gateway_response(
            restApiId=rest.id, responseType="UNAUTHORIZED", statusCode="403",
            responseTemplates={"application/json": '{"error":"access denied"}'})

    api = Rest(cloud, authorizer=cognito(pool), before_deploy=put)
    seen = api.record(pool.old()["IdToken"], other_token=pool.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 403, "403 in place of 401")
    ensure(error_type(seen["exchanges"]) == "UnauthorizedException", "and yet it says which")
    ensure(status(seen["exchanges"], "other-token") == 200, "a fresh token is good")
    return inputs(**seen, files=cloud.answer("apigateway", "GetGatewayResponses", restApiId=api.id))


@case("aws-rest-stage-left-out", family="gateway", recorded=REST, expected=["TN0313"],
      fault="The app leaves the stage out of the URL, so that the first part of the path is taken for one.")
def stage_left_out(lab):
    _, api, token = good(Cloud(lab))
    seen = api.record(token, "/items")
    ensure(error_type(seen["exchanges"]) == "ForbiddenException", "`items` is taken for a stage")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "large-*", "small-*", "again-*")})


@case("aws-rest-healthy", family="healthy", recorded=REST,
      fault="Nothing: a call without a token and calls of other paths are refused as they should be.")
def healthy(lab):
    cloud = Cloud(lab)
    pool, api, token = good(cloud)
    seen = api.record(token, old_token=pool.old()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 200, "200")
    ensure(status(seen["exchanges"], "bare") == 401, "401 without a token")
    return inputs(**seen, keys=cloud.jwks(pool.id))


@case("aws-rest-healthy-browser", family="healthy", recorded=REST,
      fault="Nothing: the preflight is answered by a mock of its own, and refusals may be read by a page too.")
def healthy_browser(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()

    def options(rest):
        at = {"restApiId": rest.id, "resourceId": rest.items, "httpMethod": "OPTIONS"}
        names = {"Origin": "https://app.example.com", "Headers": "authorization,content-type", "Methods": "GET,OPTIONS"}
        fields = {f"method.response.header.Access-Control-Allow-{name}": value for name, value in names.items()}
        rest.gateway.put_method(**at, authorizationType="NONE")
        rest.gateway.put_integration(
            **at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        rest.gateway.put_method_response(**at, statusCode="200", responseParameters=dict.fromkeys(fields, False))
        rest.gateway.put_integration_response(
            **at, statusCode="200", responseParameters={name: f"'{value}'" for name, value in fields.items()})
        at["httpMethod"] = "GET"
        name = "method.response.header.Access-Control-Allow-Origin"
        rest.gateway.put_method_response(**at, statusCode="200", responseParameters={name: False})
        rest.gateway.put_integration_response(
            **at, statusCode="200", responseParameters={name: "'https://app.example.com'"},
            responseTemplates={"application/json": '{"items":[1,2,3]}'})
        for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
            rest.gateway.put_gateway_response(
                restApiId=rest.id, responseType=kind,
                responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"})

    api = Rest(cloud, authorizer=cognito(pool), before_deploy=options)
    wanted = target(api.url(), origin="https://app.example.com")
    seen = asked(cloud, api.id, wanted, pool.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "preflight") == 200, "preflight")
    allowed = dict(answer(seen["exchanges"], "origin")["headers"])
    ensure("access-control-allow-origin" in allowed, "the browser may read it")
    return inputs(**seen)
