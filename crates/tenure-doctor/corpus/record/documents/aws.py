"""Logs and answers of API Gateway and Cognito, after their documents."""

import json

from lab.common import case, inputs
from lab.documented import json_, token
from lab.documented_logs import Day, Execution, access, documented

LOGS = "repost.aws/knowledge-center/api-gateway-logs (lines of execution logs)"
API = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/orders"
COGNITO = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Sh0pPool1"


def denied():
    log = Execution(11).good(4)
    for turn in range(6):
        log.begin().authorize("Deny", "c81e").say("The client is not authorized to perform this operation.",
                                                  "Gateway response type: ACCESS_DENIED with status code: 403")
        log.good(2 + turn % 2)
    return log.text()


documented("apigw-execution-log-deny", family="gateway", expected=["TN0305"],
           source=f"{LOGS}; awsdocs/amazon-api-gateway-developer-guide supported-gateway-response-types (ACCESS_DENIED)",
           fault="The Lambda authorizer returns Deny for one user and Allow for the others; the stage's execution log.",
           logs={"API-Gateway-Execution-Logs_a1b2c3d4e5_prod.log": denied})


def not_permitted():
    log = Execution(12).good(5)
    for _ in range(12):
        log.begin().starting().say("Execution failed due to configuration error: Invalid permissions on Lambda function",
                                   "Execution failed due to configuration error: Authorizer error",
                                   "Gateway response type: AUTHORIZER_CONFIGURATION_ERROR with status code: 500")
    return log.text()


documented("apigw-execution-log-authorizer-permission", family="gateway", expected=["TN0307"],
           source=f"{LOGS}; a published log of AUTHORIZER_CONFIGURATION_ERROR (loige.co: Debugging custom ApiGateway authorizers)",
           fault="A deployment replaced the authorizer's function, and API Gateway may not invoke the new one; the execution log.",
           logs={"execution.log": not_permitted})


def without_plan():
    log = Execution(13)
    for turn in range(14):
        if turn % 3 == 2:
            log.begin().plan().served()
            continue
        log.begin().say("Verifying Usage Plan for request: " + log.request + ". API Key: **********************************R9tQ4d API Stage: a1b2c3d4e5/prod",
                        "API Key **********************************R9tQ4d not authorized because method 'GET /partner/orders' requires API Key and API Key is "
                        "not associated with a Usage Plan for API Stage a1b2c3d4e5/prod: No Usage Plan found for key and API Stage",
                        "Gateway response type: INVALID_API_KEY with status code: 403")
    return log.text()


documented("apigw-execution-log-no-usage-plan", family="gateway", expected=["TN0311"], source=LOGS,
           fault="The partner's API key is in a usage plan of the test stage, and in none of production; the execution log.",
           logs={"execution.log": without_plan})

KEPT = {"errorMessage": "-", "errorResponseType": "-", "authorizerError": "-", "wafResponseCode": "WAF_ALLOW"}
VARIABLES = "awsdocs/amazon-api-gateway-developer-guide api-gateway-mapping-template-reference ($context variables)"

documented("apigw-access-log-waf", family="gateway", expected=["TN0312", "TN0205"],
           source=f"{VARIABLES}; supported-gateway-response-types (WAF_FILTERED)",
           fault="A managed rule of the web ACL blocks uploads of orders with long notes; the stage's access log.",
           logs={"access.log": lambda: access(21, [
               (60, KEPT), (6, KEPT | {"httpMethod": "POST", "resourcePath": "/orders", "status": "201"}),
               (9, {"httpMethod": "POST", "resourcePath": "/orders", "status": "403", "responseLength": "23", "errorMessage": "Forbidden",
                    "errorResponseType": "WAF_FILTERED", "authorizerError": "-", "wafResponseCode": "WAF_BLOCK"})])})

documented("apigw-access-log-expired", family="gateway", expected=["TN0304", "TN0415", "TN0601"],
           source=f"{VARIABLES}; aws-amplify/amplify-js#6060 (The incoming token has expired)",
           fault="The iPad's kiosk mode never wakes the refresh, so its Cognito token has ended; the stage's access log, with crawlers.",
           logs={"access.log": lambda: access(22, [
               (70, KEPT), (5, KEPT | {"resourcePath": "-", "status": "403", "errorMessage": "Missing Authentication Token",
                                       "errorResponseType": "MISSING_AUTHENTICATION_TOKEN", "userAgent": "Mozilla/5.0 zgrab/0.x"}),
               (18, KEPT | {"status": "401", "responseLength": "43", "errorMessage": "The incoming token has expired", "errorResponseType": "UNAUTHORIZED",
                            "userAgent": "ShopKiosk/2.0 (iPad; iPadOS 17.6)", "ip": "198.51.100.77"})])})

documented("apigw-access-log-quota", family="gateway", expected=["TN0316"], source=f"{VARIABLES}; supported-gateway-response-types (QUOTA_EXCEEDED)",
           fault="The partner's usage plan has 1000 requests a day, and they are used up early in the morning; its client reports that its key was withdrawn.",
           logs={"access.log": lambda: access(23, [
               (40, KEPT), (25, KEPT | {"status": "429", "responseLength": "28", "errorMessage": "Limit Exceeded", "errorResponseType": "QUOTA_EXCEEDED",
                                        "userAgent": "partner-sync/0.9 python-requests/2.32"})]),
                 "partner-sync.log": "2026-11-20 08:24:11,020 ERROR sync: API refused us, key withdrawn? giving up for today\n"})

documented("apigw-default-endpoint-off", family="gateway", expected=["TN0313"], url=API,
           source="awsdocs/amazon-api-gateway-developer-guide rest-api-disable-default-endpoint",
           fault="The default endpoint was switched off for a custom domain; an old build of the app still calls it.",
           answers={name: json_(403, '{"message":"Forbidden"}', **{"x_amzn_requestid": "0c2f7a3e-8f66-4a52-9a0e-2c1f0f3f5a11", "x_amzn_errortype": "ForbiddenException"})
                    for name in ("client", "bare", "garbage", "other_path", "again_1")},
           files={"aws/apigateway/GetRestApis.json": json.dumps({"items": [
               {"id": "a1b2c3d4e5", "name": "shop", "disableExecuteApiEndpoint": True, "endpointConfiguration": {"types": ["REGIONAL"]}}]}, indent=1),
               ".env.production": "API_URL=https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod\n"})

documented("apigw-mutual-tls-untrusted", family="gateway", expected=["TN0314"], presented=None, url="https://partner.example.test/orders",
           source="awsdocs/amazon-api-gateway-developer-guide rest-api-mutual-tls; repost.aws: mutual TLS 403 (Could not find issuer for certificate)",
           fault="The partner's new client certificate is of another authority than those in the API's trust store.",
           answers={"client": json_(403, '{"message":"Forbidden"}', x_amzn_errortype="ForbiddenException", x_amzn_requestid="6c6d1f1e-3c7b-4c0e-8f2e-0f9d5b1a7a52"),
                    "again_1": json_(403, '{"message":"Forbidden"}', x_amzn_errortype="ForbiddenException", x_amzn_requestid="b1c1b6f2-1b4f-4a21-93b8-52d2b7d6b2aa")},
           logs={"access.log": lambda: access(24, [
               (22, {"clientCertIssuer": "CN=Partner Issuing CA 1,O=Example Partner", "clientCertValidity": "OK", "errorMessage": "-"}),
               (11, {"status": "403", "responseLength": "23", "clientCertIssuer": "CN=Partner Issuing CA 2,O=Example Partner", "errorMessage": "Access denied. Reason: Could not find issuer for certificate",
                     "errorResponseType": "ACCESS_DENIED", "userAgent": "partner-sync/1.0"})])})


def iam_denied():
    day, lines = Day(31), []
    for turn in range(30):
        day.on()
        if turn % 4 == 3:
            lines.append(f"{day.iso()} WARN  reports: GET /prod/reports 403 {{\"Message\":\"User: arn:aws:sts::111122223333:assumed-role/report-worker/i-0abc{turn:02} is not authorized to perform: "
                         "execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********3333:a1b2c3d4e5/prod/GET/reports because no identity-based policy allows the execute-api:Invoke action\"}")
        else:
            lines.append(f"{day.iso()} INFO  orders: GET /prod/orders 200 {day.chance.randint(20, 300)}ms")
    return "\n".join(lines) + "\n"


documented("apigw-iam-role-lacks-invoke-log", family="gateway", expected=["TN0309"],
           source="repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden; IAM user guide: access denied error messages",
           fault="The worker's role may invoke /orders and not /reports; the worker's own log.", logs={"worker.log": iam_denied})

documented("apigw-signature-of-other-body", family="gateway", expected=["TN0310"], presented=None, method="POST",
           source="repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden; AWS IAM user guide: troubleshoot Signature Version 4",
           fault="A proxy of the company rewrites the body after the request was signed.",
           url="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/reports",
           answers={"client": json_(403, '{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. '
                                         'Consult the service documentation for details."}', x_amzn_errortype="InvalidSignatureException"),
                    "bare": json_(403, '{"message":"Missing Authentication Token"}', x_amzn_errortype="MissingAuthenticationTokenException")})


def trail(name, message, seed, extra):
    """CloudTrail events of a user pool: refreshes of several users, and of one that fails."""
    day, records = Day(seed), []
    for turn in range(24):
        day.on(20, 400)
        fails = turn in extra
        event = {"eventVersion": "1.08", "userIdentity": {"type": "Unknown", "principalId": "Anonymous"}, "eventTime": day.iso(0),
                 "eventSource": "cognito-idp.amazonaws.com", "eventName": day.pick("InitiateAuth", "InitiateAuth", "GetUser") if not fails else "InitiateAuth",
                 "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.40" if fails else day.ip(), "userAgent": "aws-amplify/6.6.0 auth/4 framework/1",
                 "requestParameters": {"authFlow": "REFRESH_TOKEN_AUTH", "authParameters": "HIDDEN_DUE_TO_SECURITY_REASONS", "clientId": extra.get(turn) or "4k1shopclient0f3example0id"},
                 "responseElements": None, "requestID": day.id(), "eventID": day.id(), "readOnly": False, "eventType": "AwsApiCall", "recipientAccountId": "111122223333"}
        records.append(event | ({"errorCode": name, "errorMessage": message} if fails else {}))
    return json.dumps({"Records": records}, indent=1)


documented("cloudtrail-cognito-refresh-ended", family="session", expected=["TN0610"],
           source="AWS Cognito developer guide: refresh tokens (Refresh Token has expired), logging with CloudTrail",
           fault="The user pool's refresh tokens live 30 days; a tablet that was away longer is refused. CloudTrail events of the pool.",
           logs={"cloudtrail.json": lambda: trail("NotAuthorizedException", "Refresh Token has expired", 41, {7: None, 8: None, 15: None})})

documented("cloudtrail-cognito-client-gone", family="session", expected=["TN0608"], source="aws-amplify/amplify-flutter#740; logging with CloudTrail",
           fault="An old build names an app client that a cleanup deleted; CloudTrail events of the pool, with the present client beside it.",
           logs={"cloudtrail.json": lambda: trail("ResourceNotFoundException", "User pool client 2v0oldclient9c7example1id does not exist.", 42,
                                                  {number: "2v0oldclient9c7example1id" for number in (3, 9, 10, 18, 21)})})

documented("apigw-stage-variable-old-pool", family="gateway", expected=["TN0303", "TN0411"], settling=True, url=API,
           source="awsdocs/amazon-api-gateway-developer-guide supported-gateway-response-types (UNAUTHORIZED); repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized",
           fault="The authorizer names the user pool of staging; tokens are of production's.",
           presented=token(COGNITO, token_use="id", audience="4k1shopclient0f3example0id"), issuer=COGNITO,
           answers={name: json_(401, '{"message":"Unauthorized"}', x_amzn_errortype="UnauthorizedException") for name in ("client", "bare", "altered", "again_1")},
           files={"aws/apigateway/GetAuthorizers.json": json.dumps({"items": [
               {"id": "k7m2p9", "name": "cognito", "type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.Authorization", "authType": "cognito_user_pools",
                "providerARNs": ["arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Stag1ng00"]}]}, indent=1)})


def quiet_day():
    log = Execution(51).good(20)
    for _ in range(3):
        log.begin().say("Unauthorized request: " + log.request, "Gateway response type: UNAUTHORIZED with status code: 401").good(4)
    return log.text()


def healthy(id, fault, source, **logs):
    """A documented healthy case."""
    case(id, family="healthy", documented=source, fault=fault)(lambda _lab: inputs(logs={name: text() for name, text in logs["logs"].items()}))


healthy("apigw-healthy-execution-log", "Nothing: three calls of scanners without a good token among thirty that were served.", LOGS, logs={"execution.log": quiet_day})
healthy("apigw-healthy-access-log", "Nothing: a phone came with an ended token once, refreshed and went on; crawlers ask for paths that are not there.",
        VARIABLES, logs={"access.log": lambda: access(52, [
            (90, KEPT), (1, KEPT | {"status": "401", "errorMessage": "The incoming token has expired", "errorResponseType": "UNAUTHORIZED"}),
            (6, KEPT | {"resourcePath": "-", "status": "403", "errorMessage": "Missing Authentication Token", "errorResponseType": "MISSING_AUTHENTICATION_TOKEN",
                        "userAgent": "Mozilla/5.0 (compatible; CensysInspect/1.1)"})])})
