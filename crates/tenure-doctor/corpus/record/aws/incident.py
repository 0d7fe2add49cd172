"""The topology of the incident `android-403`: an authorizer whose pool was resolved when it was deployed."""

import json
import time

from aws.rest_apis import error_type
from lab.cloud import ACCOUNT, DOMAIN, REGION, REST, Cloud, asked
from lab.common import case, ensure, inputs, only, status, target

TEMPLATE = f"""AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: feed
  Authorizer:
    Type: AWS::ApiGateway::Authorizer
    Properties:
      Name: cognito
      RestApiId: !Ref Api
      Type: COGNITO_USER_POOLS
      IdentitySource: method.request.header.Authorization
      ProviderARNs:
        - arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{{{{resolve:ssm:/app/user-pool-id}}}}
  Feed:
    Type: AWS::ApiGateway::Resource
    Properties:
      RestApiId: !Ref Api
      ParentId: !GetAtt Api.RootResourceId
      PathPart: feed
  GetFeed:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Feed
      HttpMethod: GET
      AuthorizationType: COGNITO_USER_POOLS
      AuthorizerId: !Ref Authorizer
      Integration:
        Type: MOCK
        RequestTemplates:
          application/json: '{{"statusCode": 200}}'
        IntegrationResponses:
          - StatusCode: "200"
            ResponseTemplates:
              application/json: '{{"items":[1,2,3]}}'
      MethodResponses:
        - StatusCode: "200"
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: GetFeed
    Properties:
      RestApiId: !Ref Api
      StageName: prod
Outputs:
  ApiId:
    Value: !Ref Api
"""


class Incident:
    """A stack deployed while SSM named the first pool; `.env` and SSM name the second one now."""

    def __init__(self, lab, moved=True):
        self.cloud = Cloud(lab)
        self.ssm = self.cloud.client("ssm")
        self.before = self.cloud.pool("before")
        self.name_pool(self.before)
        stack = self.cloud.client("cloudformation")
        stack.create_stack(StackName="app", TemplateBody=TEMPLATE)
        found = {}
        for _ in range(100):
            found = stack.describe_stacks(StackName="app")["Stacks"][0]
            if found["StackStatus"] != "CREATE_IN_PROGRESS":
                break
            time.sleep(0.1)
        assert found["StackStatus"] == "CREATE_COMPLETE", found
        self.api = found["Outputs"][0]["OutputValue"]
        self.now = self.before
        if moved:
            self.now = self.cloud.pool("now")
            self.name_pool(self.now)

    def name_pool(self, pool):
        self.ssm.put_parameter(Name="/app/user-pool-id", Value=pool.id, Type="String", Overwrite=True)

    def redeploy(self):
        """With the template as it was: CloudFormation sees no change."""
        self.cloud.client("cloudformation").update_stack(StackName="app", TemplateBody=TEMPLATE)
        time.sleep(1)

    def record(self, token, path="/prod/feed", **job):
        return asked(self.cloud, self.api, target(self.cloud.url(self.api, path)), token, **job)

    def env(self):
        return {".env": f"API_URL=https://{self.api}.execute-api.{DOMAIN}/prod\n"
                        f"EXPO_PUBLIC_USER_POOL_ID={self.now.id}\nEXPO_PUBLIC_USER_POOL_CLIENT_ID={self.now.client}\n"
                        f"AWS_REGION={REGION}\n"}

    def aws(self):
        """What a read-only look at the account shows."""
        answer, pool = self.cloud.answer, self.now
        return (answer("ssm", "GetParameter", Name="/app/user-pool-id")
                | answer("apigateway", "GetAuthorizers", restApiId=self.api)
                | answer("apigateway", "GetRestApis") | answer("apigateway", "GetStages", restApiId=self.api)
                | answer("cognito-idp", "DescribeUserPool", UserPoolId=pool.id)
                | answer("cognito-idp", "DescribeUserPoolClient", UserPoolId=pool.id, ClientId=pool.client))

    def log(self):
        """The app's own events, as its team had them."""
        start = int(time.time()) - 40
        at = lambda after: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start + after)) + f".{117 * after % 1000:03}Z"
        events = [
            (0, "bootstrap_started", {}),
            (1, "store_session_read", {"idToken": True, "accessToken": True, "refreshToken": True}),
            (2, "request_failed", {"path": "/feed", "status": 403, "had_token": True}),
            (3, "token_refresh_started", {}), (4, "token_refresh_succeeded", {}),
            (5, "store_session_write_succeeded", {"idToken": 1091, "accessToken": 1071, "refreshToken": 1788}),
            (6, "auth_retry_exhausted", {"status": 403, "had_retry_token": True}),
            (7, "redirect_to_login", {"reason": "auth_retry_exhausted"}),
        ]
        return {"app.log": "".join(f"{at(after)} {name} {json.dumps(more)}\n" for after, name, more in events)}


@case("aws-stale-pool", family="gateway", recorded=REST, expected=["TN0317", "TN0303", "TN0411"], settling=True,
      fault="The authorizer keeps the pool that SSM named when the stack was deployed; SSM, `.env` and the token have moved on.")
def stale_pool(lab):
    incident = Incident(lab)
    seen = incident.record(incident.now.sign_in()["IdToken"], other_token=incident.before.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 401, "the new pool is refused")
    ensure(status(seen["exchanges"], "other-token") == 200, "the old one is let in")
    return inputs(**seen, files={"template.yaml": TEMPLATE} | incident.env() | incident.aws())


@case("aws-stale-pool-redeployed", family="gateway", recorded=REST, expected=["TN0317", "TN0303", "TN0411"], settling=True,
      fault="As `aws-stale-pool`, and the stack was deployed again with its template as it was, which changed nothing.")
def redeployed(lab):
    incident = Incident(lab)
    incident.redeploy()
    seen = incident.record(incident.now.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 401, "still refused")
    return inputs(**seen, files={"template.yaml": TEMPLATE} | incident.env() | incident.aws())


@case("aws-stale-pool-poor", family="gateway", recorded=REST, expected=["TN0317", "TN0303", "TN0411"],
      fault="As `aws-stale-pool`; only the template, `.env` and a few answers are at hand.")
def stale_pool_poor(lab):
    incident = Incident(lab)
    seen = incident.record(incident.now.sign_in()["IdToken"])
    kept = only(seen["exchanges"], "client", "bare", "garbage", "altered", "other-path", "bare-other-path")
    return inputs(**seen | {"exchanges": kept}, files={"template.yaml": TEMPLATE} | incident.env())


@case("aws-android-403-stale-pool", family="gateway", recorded=REST, expected=["TN0317", "TN0303", "TN0315", "TN0411"], settling=True,
      fault="`android-403` settled one way: GatewayResponses answer 403 for 401, and the authorizer's pool is stale.")
def incident_stale(lab):
    incident = Incident(lab)
    gateway = incident.cloud.client("apigateway")
    gateway.put_gateway_response(restApiId=incident.api, responseType="UNAUTHORIZED", statusCode="403")
    gateway.create_deployment(restApiId=incident.api, stageName="prod")
    seen = incident.record(incident.now.sign_in()["IdToken"], other_token=incident.before.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 403, "403 as the team saw it")
    ensure(error_type(seen["exchanges"]) == "UnauthorizedException", "the authorizer refused it")
    ensure(status(seen["exchanges"], "other-token") == 200, "the old pool is let in")
    return inputs(**seen, logs=incident.log(), files={"template.yaml": TEMPLATE} | incident.env() | incident.aws()
                  | incident.cloud.answer("apigateway", "GetGatewayResponses", restApiId=incident.api))


@case("aws-android-403-no-route", family="gateway", recorded=REST, expected=["TN0301"], settling=True,
      fault="`android-403` settled the other way: the pools agree, and the app calls a path that the API does not have.")
def incident_route(lab):
    incident = Incident(lab, moved=False)
    tokens = incident.now.sign_in()
    seen = incident.record(tokens["IdToken"], "/prod/feeds", other_endpoint=incident.cloud.url(incident.api, "/prod/feed"))
    ensure(error_type(seen["exchanges"]) == "MissingAuthenticationTokenException", "no such route")
    ensure(status(seen["exchanges"], "bare") == 403, "with and without a token")
    return inputs(**seen, logs=incident.log(), files={"template.yaml": TEMPLATE} | incident.env() | incident.aws())


@case("aws-healthy-in-step", family="healthy", recorded=REST,
      fault="Nothing: template, SSM, `.env`, authorizer and token name one pool, in several spellings.")
def in_step(lab):
    incident = Incident(lab, moved=False)
    pool = incident.now
    seen = incident.record(pool.sign_in()["IdToken"])
    ensure(status(seen["exchanges"], "client") == 200, "200")
    config = json.dumps({"issuer": pool.issuer, "userPoolId": pool.id, "clientId": pool.client}, indent=1)
    return inputs(**seen, keys=incident.cloud.jwks(pool.id),
                  files={"template.yaml": TEMPLATE, "app.config.json": config} | incident.env() | incident.aws())
