"""Documented answers and log lines; `documented_*.py` are the tables."""

import json

from documents import edges as documented_edges
from documents import gateways as documented_gateways
from documents import more as documented_more
from documents import services as documented_services
from documents import sessions as documented_sessions
from lab.common import case, inputs
from lab.world import iso

TABLES = (documented_edges, documented_gateways, documented_more, documented_services, documented_sessions)

APP = """2026-11-14T06:31:02.118Z [auth] INFO bootstrap_completed {"session": true, "expires_in_s": 2710}
2026-11-14T06:31:02.240Z [api] WARN request {"method": "GET", "path": "/memories", "status": 403, "had_token": true}
2026-11-14T06:31:02.241Z [auth] INFO token_refresh_started {"reason": "403"}
2026-11-14T06:31:02.702Z [auth] INFO token_refresh_succeeded {"access_token_length": 1071, "id_token_length": 1091, "refresh_token_length": 1788}
2026-11-14T06:31:02.899Z [api] WARN request {"method": "GET", "path": "/memories", "status": 403, "had_token": true, "retry": true}
2026-11-14T06:31:02.900Z [api] ERROR auth_retry_exhausted {"status": 403, "had_retry_token": true}
"""

GATEWAY = "awsdocs/amazon-api-gateway-developer-guide: set-up-logging.md, supported-gateway-response-types.md; incident android-403"


def access_log(kind: str, text: str, status: str, **more) -> str:
    """API Gateway's access log as JSON, of the two requests of the app."""
    lines = [{"requestId": f"7b1f0e52-000{number}", "ip": "203.0.113.7", "requestTime": "14/Nov/2026:06:31:02 +0000", "httpMethod": "GET",
              "resourcePath": "/memories", "status": status, "protocol": "HTTP/1.1", "responseLength": "42",
              "error.responseType": kind, "error.messageString": text, **more} for number in (1, 2)]
    return "".join(json.dumps(line) + "\n" for line in lines)


@case("android-403-route-log", family="gateway", expected=["TN0301"], settling=True, documented=GATEWAY,
      fault="Incident I1, settled one way: the gateway's access log says that the route is missing; the token was never looked at.")
def route(_lab):
    log = access_log("MISSING_AUTHENTICATION_TOKEN", '"Missing Authentication Token"', "403", resourcePath="-")
    return inputs(now=1794638000, logs={"app.log": APP, "apigw-access.log": log})


@case("android-403-pool-log", family="gateway", expected=["TN0317", "TN0315"], settling=True, documented=GATEWAY,
      fault="Incident I1, settled the other way: the deployed authorizer has the old pool, and a gateway response makes 403 of its 401.")
def pool(_lab):
    log = access_log("UNAUTHORIZED", '"Unauthorized"', "403", **{"authorizer.error": "Unauthorized"})
    arn = "arn:aws:cognito-idp:eu-central-1:000000000000:userpool/eu-central-1_OLDpool01"
    files = {
        "app/.env": "EXPO_PUBLIC_USER_POOL_ID=eu-central-1_NEWpool02\nEXPO_PUBLIC_API_URL=https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod\n",
        "template.yaml": "Resources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: prod\n      Auth:\n        DefaultAuthorizer: Cognito\n        Authorizers:\n"
                         "          Cognito:\n            UserPoolArn: !Sub arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/{{resolve:ssm:/app/user-pool-id}}\n"
                         "      GatewayResponses:\n        UNAUTHORIZED:\n          StatusCode: 403\n",
        "aws/apigateway/GetAuthorizers.json": json.dumps({"items": [{"id": "k3x9", "name": "Cognito", "type": "COGNITO_USER_POOLS", "providerARNs": [arn],
                                                                     "authType": "cognito_user_pools", "identitySource": "method.request.header.Authorization"}]}),
        "aws/ssm/GetParameter.json": json.dumps({"Parameter": {"Name": "/app/user-pool-id", "Type": "String", "Value": "eu-central-1_NEWpool02", "Version": 2}}),
    }
    return inputs(now=1794638000, logs={"app.log": APP, "apigw-access.log": log}, files=files)


@case("jwks-flood-log", family="verifier", expected=["TN0405"], settling=True, documented="engram-app/Engram#1641; evoila/meho#3484",
      fault="One address sends tokens of ever new kids; the verifier spends its refetches on them, and users of the rotated key are refused.")
def flood(_lab):
    lines, at = [], 1794900000
    for number in range(60):
        lines.append({"timestamp": iso(at + number), "level": "warning", "event": "unknown kid", "kid": f"{number * 7919 % 65536:04x}{number:04x}",
                      "ip": "192.0.2.200", "status": 401, "refetch": "throttled" if number % 30 else "done"})
        if number % 12 == 5:
            lines.append({"timestamp": iso(at + number + 0.3), "level": "warning", "event": "unknown kid", "kid": "2026-11-rotated",
                          "ip": f"198.51.100.{number}", "status": 401, "refetch": "throttled"})
        if number % 10 == 3:
            lines.append({"timestamp": iso(at + number + 0.5), "level": "info", "event": "request", "path": "/v1/orders", "status": 200, "ip": f"198.51.100.{number + 1}"})
    return inputs(now=at + 120, logs={"api.log": "".join(json.dumps(line) + "\n" for line in lines)})
