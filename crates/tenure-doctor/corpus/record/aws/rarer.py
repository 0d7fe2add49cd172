"""Rarer refusals of API Gateway: scopes, algorithms, methods, authorizers that were changed and not deployed."""

from aws.http_apis import Http
from aws.more import BRIEF, ByLambda
from lab.cloud import HTTP, Cloud, Rest, asked, cognito
from lab.common import answer, case, ensure, inputs, only, status, target, without
from lab.documented import token as any_token
from lab.documented_logs import documented
from lab.servers import Issuer
from lab.tokens import Key, claims


@case("aws-http-scope-poor", family="gateway", recorded=HTTP, expected=["TN0319", "TN0513"],
      fault="The route asks for the scope shop/orders.write, which this client may not have; a token and a URL are all there is.")
def scope(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client], ["shop/orders.write"])
    seen = api.record(pool.sign_in()["AccessToken"], only=list(BRIEF))
    ensure(status(seen["exchanges"], "client") == 403, "403")
    return inputs(**seen)


@case("aws-http-hs256", family="gateway", recorded=HTTP, expected=["TN0321", "TN0318", "TN0403"], settling=True,
      fault="A service mints its own tokens with a shared secret (HS256) under the issuer's name; the JWT authorizer knows RSA only.")
def hs256(lab):
    rsa, shared = Key(), Key("HS256", kid=None)
    issuer = lab.enter(Issuer(rsa).running())
    cloud = Cloud(lab)
    api = Http(cloud, issuer.url, ["orders-api"])
    good = rsa.token(**claims(issuer.url))
    seen = api.record(shared.token(headers={"kid": None}, **claims(issuer.url)), other_token=good, issuer=issuer.url)
    ensure(status(seen["exchanges"], "client") == 401 and status(seen["exchanges"], "other-token") == 200, "RSA gets in")
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=api.authorizers())


@case("aws-http-method-missing", family="gateway", recorded=HTTP, expected=["TN0320"], settling=True,
      fault="The app sends POST /items, and the HTTP API has GET /items only.")
def method(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client])
    wanted = target(cloud.url(api.id, "/items"), "POST")
    seen = asked(cloud, api.id, wanted, pool.sign_in()["AccessToken"], unsafe_methods=True)
    ensure(status(seen["exchanges"], "client") == 404 and status(seen["exchanges"], "other-method") == 200, str(answer(seen["exchanges"], "client")))
    return inputs(**seen | {"exchanges": only(seen["exchanges"], *BRIEF, "bare-other-path", "other-method")},
                  files=cloud.answer("apigatewayv2", "GetRoutes", ApiId=api.id))


@case("aws-http-any-route-preflight", family="gateway", expected=["TN0322", "TN0110"], settling=True,
      documented="docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html: without a CORS configuration a preflight "
                 "reaches the authorizer of the route that takes it; the other answers are of ministack 1.5.33",
      fault="The route ANY /{proxy+} has the JWT authorizer, and takes the page's preflights too.")
def any_route(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client], route="ANY /{proxy+}")
    seen = api.record(pool.sign_in()["IdToken"], origin="https://shop.example.com")
    ensure(status(seen["exchanges"], "client") == 200, "200")
    refused = answer(seen["exchanges"], "bare-origin")
    ensure(refused["status"] == 401, "401")
    kept = only(seen["exchanges"], "client", "bare", "preflight", "origin", "bare-origin", "other-path")
    for exchange in only(kept, "preflight"):
        exchange["result"] = {"Ok": refused}
    return inputs(**seen | {"exchanges": kept}, files=cloud.answer("apigatewayv2", "GetRoutes", ApiId=api.id))


@case("aws-http-lambda-throws", family="gateway", recorded=HTTP, expected=["TN0307"], settling=True,
      fault="The Lambda authorizer of an HTTP API fails at its start: a module is missing in the new package.")
def throws(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = ByLambda(cloud, "import verifier_of_the_shop\ndef handler(event, context):\n    return {'isAuthorized': True}\n")
    seen = api.record(pool.sign_in()["AccessToken"], only=list(BRIEF))
    ensure(status(seen["exchanges"], "client") == 500, str(answer(seen["exchanges"], "client")))
    return inputs(**seen, files=api.authorizers())


@case("aws-rest-authorizer-not-deployed", family="gateway", expected=["TN0317", "TN0303"], settling=True,
      documented="repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized: a change of the authorizer acts after a deployment only; the answers are of "
                 "ministack 1.5.33 before the change, the configuration of after it",
      fault="The methods were switched to an authorizer of the new pool in the console, and the stage was not deployed since.")
def not_deployed(lab):
    cloud = Cloud(lab)
    before, now = cloud.pool("before"), cloud.pool("now")
    rest = Rest(cloud, authorizer=cognito(before))
    seen = rest.record(now.sign_in()["IdToken"], other_token=before.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 401 and status(seen["exchanges"], "other-token") == 200, str(answer(seen["exchanges"], "client")))
    made = rest.gateway.create_authorizer(restApiId=rest.id, name="cognito-new", **cognito(now))["id"]
    for resource in (rest.items, rest.item):
        rest.gateway.update_method(restApiId=rest.id, resourceId=resource, httpMethod="GET",
                                   patchOperations=[{"op": "replace", "path": "/authorizerId", "value": made}])
    method = cloud.answer("apigateway", "GetMethod", restApiId=rest.id, resourceId=rest.items, httpMethod="GET")
    ensure(made in method["aws/apigateway/GetMethod.json"], "the console shows the new authorizer")
    files = method | cloud.answer("apigateway", "GetAuthorizers", restApiId=rest.id) | cloud.answer("apigateway", "GetStages", restApiId=rest.id)
    return inputs(**seen | {"exchanges": without(seen["exchanges"], "small-*", "large-*")}, files=files, keys=cloud.jwks(now.id))


SHOWN = any_token(issuer="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Sh0pPool1")
documented("apigw-curl-bearer-as-signature", family="gateway", expected=["TN0302", "TN0301"],
           source="serverless/serverless#3205, AstronomyAPI/Samples#20: a bearer token where no authorizer stands is read as a signature",
           fault="The path of the request lacks its last part; curl -v is all that the user sent.",
           logs={"curl.txt": "> GET /prod/order HTTP/2\n> Host: a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com\n> user-agent: curl/8.5.0\n> accept: */*\n"
                             f"> authorization: Bearer {SHOWN}\n>\n< HTTP/2 403\n< content-type: application/json\n< x-amzn-requestid: 7a4e2f0c-5b57-4b55-9d0f-2f6bb0d8b9aa\n"
                             "< x-amzn-errortype: IncompleteSignatureException\n< x-amz-apigw-id: NbK3qFzXIAMEJdA=\n<\n"
                             f"{{\"message\":\"'{SHOWN}' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer {SHOWN}'.\"}}\n"})
