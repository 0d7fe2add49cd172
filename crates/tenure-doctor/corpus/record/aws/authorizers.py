"""API Gateway REST APIs: Cognito and Lambda authorizers."""

from lab.cloud import REST, Cloud, Rest, cognito, lambda_uri
from lab.common import answer, case, ensure, inputs, only, status, without

SCOPE = "aws.cognito.signin.user.admin"


@case("aws-rest-id-token-with-scopes", family="gateway", recorded=REST, expected=["TN0114", "TN0303"],
      settling=True, fault="The method has authorization scopes, which only access tokens have; the app sends the ID token.")
def id_token(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, {"authorizationScopes": [SCOPE]}, cognito(pool))
    tokens = pool.sign_in()
    seen = api.record(tokens["IdToken"], other_token=tokens["AccessToken"])
    ensure(status(seen["exchanges"], "client") == 401, "the ID token is refused")
    ensure(status(seen["exchanges"], "other-token") == 200, "the access token is good")
    method = cloud.answer("apigateway", "GetMethod", restApiId=api.id, resourceId=api.items, httpMethod="GET")
    return inputs(**seen, keys=cloud.jwks(pool.id), files=method)


@case("aws-rest-id-token-with-scopes-poor", family="gateway", recorded=REST, expected=["TN0114", "TN0303"],
      fault="As `aws-rest-id-token-with-scopes`, without the access token and without the method's settings.")
def id_token_poor(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, {"authorizationScopes": [SCOPE]}, cognito(pool))
    seen = api.record(pool.sign_in()["IdToken"])
    return inputs(**seen, keys=cloud.jwks(pool.id))


@case("aws-rest-access-token-without-scopes", family="gateway", expected=["TN0114", "TN0303"], settling=True,
      documented="repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized: a method without scopes takes ID "
                 "tokens only; the answers are of ministack 1.5.33, whose 200 for the access token was replaced by its 401",
      fault="The method has no authorization scopes, so that it takes ID tokens; the app sends the access token.")
def access_token(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    tokens = pool.sign_in()
    seen = api.record(tokens["AccessToken"], other_token=tokens["IdToken"])
    refused = answer(seen["exchanges"], "altered")
    for exchange in without(seen["exchanges"], "other-token"):
        if exchange["result"].get("Ok", {}).get("status") == 200:
            exchange["result"] = {"Ok": refused}
    method = cloud.answer("apigateway", "GetMethod", restApiId=api.id, resourceId=api.items, httpMethod="GET")
    return inputs(**seen, keys=cloud.jwks(pool.id), files=method)


@case("aws-rest-expired", family="gateway", recorded=REST, expected=["TN0304", "TN0415"], settling=True,
      fault="The app presents an ID token that expired an hour ago.")
def expired(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    seen = api.record(pool.old()["IdToken"], other_token=pool.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 401, "expired")
    return inputs(**seen, keys=cloud.jwks(pool.id))


@case("aws-rest-expired-text", family="gateway", expected=["TN0304", "TN0415"], settling=True,
      documented="aws-amplify/amplify-js#6060, #5934: the text of API Gateway; the other answers are of ministack 1.5.33",
      fault="The app presents an ID token that expired an hour ago; no key is known.")
def expired_text(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    seen = api.record(pool.old()["IdToken"])
    evaluated = ("client", "lower", "upper", "raw", "again-1", "again-2", "again-3", "again-4", "fresh", "browser", "slash",
                 "small-body", "large-body", "large-header")
    text = '{"message":"The incoming token has expired"}'
    for exchange in only(seen["exchanges"], *evaluated):
        found = exchange["result"].get("Ok", {})
        if found.get("status") == 401:
            found |= {"body": text, "body_bytes": len(text)}
    return inputs(**seen)


@case("aws-rest-quoted-token", family="client", recorded=REST, expected=["TN0105"], settling=True,
      fault="The app stored the token as JSON, and sends it with its quotes.")
def quoted(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Rest(cloud, authorizer=cognito(pool))
    seen = api.record(f'"{pool.sign_in()["IdToken"]}"')
    ensure(status(seen["exchanges"], "client") == 401, "with quotes")
    ensure(status(seen["exchanges"], "trimmed") == 200, "without")
    return inputs(**seen, keys=cloud.jwks(pool.id))


@case("aws-rest-other-environment", family="gateway", recorded=REST, expected=["TN0303", "TN0403", "TN0411"],
      settling=True, fault="The app signs in at the pool of the test environment, and calls the API of production.")
def other_environment(lab):
    cloud = Cloud(lab)
    production, test = cloud.pool("production"), cloud.pool("test")
    api = Rest(cloud, authorizer=cognito(production))
    seen = api.record(test.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 401, "wrong pool")
    env = f"COGNITO_USER_POOL_ID={test.id}\nCOGNITO_CLIENT_ID={test.client}\n"
    return inputs(**seen, files=cloud.answer("apigateway", "GetAuthorizers", restApiId=api.id)
                  | {".env.production": env}, keys=cloud.jwks(production.id))


AUTHORIZER = '''
import json
def policy(effect, resource):
    return {{"principalId": "ann", "policyDocument": {{"Version": "2012-10-17", "Statement": [
        {{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}}]}}}}
def handler(event, context):
    token = event["authorizationToken"].split(" ")[-1]
    if token != {token!r}:
        raise Exception("Unauthorized")
    {rest}
'''


def behind_lambda(lab, rest, ttl=0, **more):
    """An API behind a Lambda authorizer; what it does with a good token is `rest`."""
    cloud = Cloud(lab)
    pool = cloud.pool()
    token = pool.sign_in()["AccessToken"]
    arn = cloud.function("authorizer", AUTHORIZER.format(token=token, rest=rest))
    authorizer = {"type": "TOKEN", "authorizerUri": lambda_uri(arn), "authorizerResultTtlInSeconds": ttl,
                  "identitySource": "method.request.header.Authorization"} | more
    return cloud, pool, Rest(cloud, authorizer=authorizer), token


@case("aws-lambda-authorizer-deny", family="gateway", recorded=REST, expected=["TN0305"], settling=True,
      fault="The Lambda authorizer knows the token and denies the user.")
def deny(lab):
    cloud, pool, api, token = behind_lambda(lab, 'return policy("Deny", "*")')
    seen = api.record(token)
    ensure(status(seen["exchanges"], "client") == 403, "denied")
    ensure(status(seen["exchanges"], "altered") == 401, "a forged token is told apart")
    return inputs(**seen)


@case("aws-lambda-authorizer-throws", family="gateway", recorded=REST, expected=["TN0307"], settling=True,
      fault="The Lambda authorizer fails with KeyError, as a variable of its environment is missing.")
def throws(lab):
    cloud, pool, api, token = behind_lambda(lab, 'import os; return policy("Allow", os.environ["TABLE"])')
    seen = api.record(token)
    ensure(status(seen["exchanges"], "client") == 500, "500")
    return inputs(**seen)


@case("aws-lambda-authorizer-cached", family="gateway", recorded=REST, expected=["TN0306"], settling=True,
      fault="The Lambda authorizer allows the ARN of the first request only, and its answer is kept for five minutes.")
def cached(lab):
    cloud, pool, api, token = behind_lambda(lab, 'return policy("Allow", event["methodArn"])', ttl=300)
    first = api.record(token)
    ensure(status(first["exchanges"], "client") == 200, "the first endpoint is allowed")
    seen = api.record(token, "/prod/items/7", other_endpoint=api.url())
    ensure(status(seen["exchanges"], "client") == 403, "the second is not")
    ensure(status(seen["exchanges"], "other-endpoint") == 200, "the first still is")
    return inputs(**seen, files=cloud.answer("apigateway", "GetAuthorizers", restApiId=api.id))


@case("aws-lambda-authorizer-refuses", family="gateway", recorded=REST, expected=["TN0303", "TN0412"],
      fault="The Lambda authorizer wants another audience, and throws `Unauthorized` for this token too.")
def refuses(lab):
    cloud, pool, api, token = behind_lambda(lab, 'raise Exception("Unauthorized")')
    seen = api.record(token)
    ensure(status(seen["exchanges"], "client") == 401, "refused")
    return inputs(**seen, keys=cloud.jwks(pool.id), files={"authorizer/.env": "EXPECTED_AUDIENCE=orders-web\n"})


@case("aws-lambda-authorizer-identity-source", family="gateway", recorded=REST, expected=["TN0308"],
      settling=True, fault="The authorizer reads the header X-Auth-Token, the app sends Authorization: the Lambda is never asked.")
def identity_source(lab):
    cloud, pool, api, token = behind_lambda(
        lab, 'return policy("Allow", "*")', identitySource="method.request.header.X-Auth-Token")
    seen = api.record(token)
    ensure(status(seen["exchanges"], "client") == 401, "never asked")
    return inputs(**seen, files=cloud.answer("apigateway", "GetAuthorizers", restApiId=api.id))


@case("aws-lambda-authorizer-healthy", family="healthy", recorded=REST,
      fault="Nothing: the authorizer's answer is kept for five minutes, for all methods.")
def healthy(lab):
    cloud, pool, api, token = behind_lambda(lab, 'return policy("Allow", "*")', ttl=300)
    seen = api.record(token, other_endpoint=api.url("/prod/items/7"))
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "other-endpoint") == 200, "200")
    return inputs(**seen, files=cloud.answer("apigateway", "GetAuthorizers", restApiId=api.id))
