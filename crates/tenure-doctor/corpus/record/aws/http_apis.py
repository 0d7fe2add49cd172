"""API Gateway HTTP APIs with JWT authorizers."""

import json

from lab.cloud import HTTP, Cloud, asked
from lab.common import answer, case, ensure, inputs, only, status, target
from lab.servers import Issuer
from lab.tokens import Key, claims

BACKEND = '''
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"items": [1, 2, 3]})}
'''


class Http:
    """An HTTP API with GET /items behind a JWT authorizer, deployed to `$default`."""

    def __init__(self, cloud, issuer, audience, scopes=(), cors=None, route="GET /items"):
        self.cloud, gateway = cloud, cloud.client("apigatewayv2")
        more = {"CorsConfiguration": cors} if cors else {}
        self.id = gateway.create_api(Name="items", ProtocolType="HTTP", **more)["ApiId"]
        authorizer = gateway.create_authorizer(
            ApiId=self.id, AuthorizerType="JWT", Name="jwt", IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": issuer, "Audience": audience})["AuthorizerId"]
        integration = gateway.create_integration(
            ApiId=self.id, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
            IntegrationUri=cloud.function("items", BACKEND))["IntegrationId"]
        gateway.create_route(
            ApiId=self.id, RouteKey=route, AuthorizationType="JWT", AuthorizerId=authorizer,
            AuthorizationScopes=list(scopes), Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=self.id, StageName="$default", AutoDeploy=True)

    def record(self, token, path="/items", origin=None, **job):
        wanted = target(self.cloud.url(self.id, path), origin=origin)
        return asked(self.cloud, self.id, wanted, token, **job)

    def authorizers(self):
        return self.cloud.answer("apigatewayv2", "GetAuthorizers", ApiId=self.id)


@case("aws-http-wrong-issuer", family="gateway", recorded=HTTP, expected=["TN0411", "TN0318", "TN0403"], settling=True,
      fault="The authorizer names a user pool that was replaced; tokens come from the new one.")
def wrong_issuer(lab):
    cloud = Cloud(lab)
    before, now = cloud.pool("before"), cloud.pool("now")
    api = Http(cloud, before.issuer, [before.client, now.client])
    seen = api.record(now.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "altered") == 401, "401 as if forged")
    return inputs(**seen, files=api.authorizers(), keys=cloud.jwks(before.id))


@case("aws-http-wrong-audience", family="gateway", recorded=HTTP, expected=["TN0412", "TN0318", "TN0413"], settling=True,
      fault="The authorizer's audience is the app client of the web app; the token is of the phone app's client.")
def wrong_audience(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    phone = cloud.pool_client(pool.id)
    api = Http(cloud, pool.issuer, [pool.client])
    seen = api.record(pool.sign_in(phone)["AccessToken"], other_token=pool.sign_in()["AccessToken"])
    ensure(status(seen["exchanges"], "client") == 401, "another audience")
    ensure(status(seen["exchanges"], "other-token") == 200, "the web app is let in")
    return inputs(**seen, files=api.authorizers(), keys=cloud.jwks(pool.id))


@case("aws-http-wrong-audience-text", family="gateway", expected=["TN0412", "TN0318"], settling=True,
      documented="docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html: "
                 "the field WWW-Authenticate; the other answers are of ministack 1.5.33",
      fault="The authorizer's audience is another app client's.")
def wrong_audience_text(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, ["orders-web"])
    seen = api.record(pool.sign_in()["IdToken"])
    kept = only(seen["exchanges"], "client", "again-*", "bare", "garbage", "altered", "other-path")
    reason = 'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"'
    for exchange in only(kept, "client", "again-*"):
        exchange["result"]["Ok"]["headers"] += [["www-authenticate", reason], ["apigw-requestid", "L6XxEhNuoAMEVRA="]]
    return inputs(**seen | {"exchanges": kept})


@case("aws-http-missing-scope", family="gateway", recorded=HTTP, expected=["TN0319", "TN0513"], settling=True,
      fault="The route wants the scope items/write, which the app never asks for.")
def missing_scope(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client], ["items/write"])
    seen = api.record(pool.sign_in()["AccessToken"])
    ensure(status(seen["exchanges"], "client") == 403, "403")
    ensure(status(seen["exchanges"], "altered") == 401, "the signature is good")
    api_id = {"ApiId": api.id}
    return inputs(**seen, files=cloud.answer("apigatewayv2", "GetRoutes", **api_id) | api.authorizers())


@case("aws-http-missing-route", family="gateway", recorded=HTTP, expected=["TN0320"], settling=True,
      fault="The app calls /item, and the API has the route `GET /items` only.")
def missing_route(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client])
    seen = api.record(pool.sign_in()["AccessToken"], "/item")
    ensure(status(seen["exchanges"], "client") == status(seen["exchanges"], "bare") == 404, "404")
    return inputs(**seen, files=cloud.answer("apigatewayv2", "GetRoutes", ApiId=api.id))


@case("aws-http-default-route-options", family="gateway", expected=["TN0322", "TN0110"], settling=True,
      documented="docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html: preflights reach the "
                 "authorizer of $default; the other answers are of ministack 1.5.33",
      fault="All goes to the route $default with its authorizer, which a preflight cannot pass.")
def default_options(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client], route="$default")
    seen = api.record(pool.sign_in()["AccessToken"], origin="https://app.example.com")
    ensure(status(seen["exchanges"], "client") == 200, "200")
    refused = answer(seen["exchanges"], "bare-origin")
    for exchange in only(seen["exchanges"], "preflight"):
        exchange["result"] = {"Ok": refused}
    return inputs(**seen, files=cloud.answer("apigatewayv2", "GetRoutes", ApiId=api.id))


def foreign(lab, key):
    """An API that trusts an issuer of ours, with the address of that issuer."""
    issuer = lab.enter(Issuer(key).running())
    cloud = Cloud(lab)
    return cloud, issuer, Http(cloud, issuer.url, ["orders-api"])


@case("aws-http-es256", family="gateway", recorded=HTTP, expected=["TN0321", "TN0318"], settling=True,
      fault="The issuer signs with ES256; HTTP APIs verify RSA signatures only.")
def es256(lab):
    key = Key("ES256")
    cloud, issuer, api = foreign(lab, key)
    seen = api.record(key.token(**claims(issuer.url)), issuer=issuer.url)
    ensure(status(seen["exchanges"], "client") == 401, "401")
    return inputs(**seen, files=api.authorizers(), keys={"jwks.json": json.dumps(issuer.jwks())})


@case("aws-http-key-rotated", family="gateway", recorded=HTTP, expected=["TN0323", "TN0401"], settling=True,
      fault="The issuer signs with a new key at once; the API keeps the old key set for two hours.")
def rotated(lab):
    before, now = Key(), Key()
    cloud, issuer, api = foreign(lab, before)
    old = before.token(**claims(issuer.url))
    ensure(status(api.record(old, only=["client"])["exchanges"], "client") == 200, "the key set is fetched")
    issuer.keys, issuer.published = (before, now), [before, now]
    seen = api.record(now.token(**claims(issuer.url)), issuer=issuer.url, other_token=old)
    ensure(status(seen["exchanges"], "client") == 401, "the new key is unknown")
    ensure(status(seen["exchanges"], "other-token") == 200, "the old one is known")
    return inputs(**seen, files=api.authorizers())


@case("aws-http-expired", family="gateway", recorded=HTTP, expected=["TN0415", "TN0318"], settling=True,
      fault="The app presents an access token that expired three hours ago, as it never refreshes.")
def expired(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    api = Http(cloud, pool.issuer, [pool.client])
    seen = api.record(pool.old(4)["AccessToken"])
    ensure(status(seen["exchanges"], "client") == 401, "expired")
    return inputs(**seen, keys=cloud.jwks(pool.id), files=api.authorizers())


@case("aws-http-healthy", family="healthy", recorded=HTTP,
      fault="Nothing: the preflight is answered, and other paths are not found.")
def healthy(lab):
    cloud = Cloud(lab)
    pool = cloud.pool()
    cors = {"AllowOrigins": ["https://app.example.com"], "AllowHeaders": ["authorization"], "AllowMethods": ["GET"]}
    api = Http(cloud, pool.issuer, [pool.client], cors=cors)
    seen = api.record(pool.sign_in()["AccessToken"], origin="https://app.example.com")
    ensure(status(seen["exchanges"], "client") == 200, "200")
    ensure(status(seen["exchanges"], "preflight") in (200, 204), "preflight")
    return inputs(**seen, files=api.authorizers(), keys=cloud.jwks(pool.id))
