"""Azure API Management, Apigee, Cloud Endpoints, Kong and Cloudflare Access at the edge; Keycloak, Okta, Entra and Google as issuers."""

import json
import time

from documents.aws import healthy
from lab.documented import ISSUER, KEY, json_, token
from lab.documented_logs import Day, documented
from lab.tokens import Key, jwks

APIM = "learn.microsoft.com/azure/api-management: error handling in policies (predefined errors), validate-jwt"
KONG = {"server": "kong/3.9.0"}


def apim(status, text, **headers):
    return json_(status, json.dumps({"statusCode": status, "message": text}), **headers)


documented("apim-subscription-key-missing", family="gateway", expected=["TN0311"], source=f"{APIM} (SubscriptionKeyNotFound)", url="https://shop.azure-api.example.test/orders",
           fault="The product of the API asks for a subscription key; the app sends its bearer token only.",
           answers={name: apim(401, "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.",
                               www_authenticate='AzureApiManagementKey realm="https://shop.azure-api.example.test/orders",name="Ocp-Apim-Subscription-Key",type="header"')
                    for name in ("client", "bare", "altered", "again_1")})

documented("apim-rate-limit", family="gateway", expected=["TN0316"], source=f"{APIM} (RateLimitExceeded)", url="https://shop.azure-api.example.test/orders",
           fault="rate-limit-by-key counts by the address of the company's proxy; all branches share it.",
           answers={"client": apim(429, "Rate limit is exceeded. Try again in 41 seconds.", retry_after="41"), "again_1": apim(429, "Rate limit is exceeded. Try again in 41 seconds.", retry_after="41"),
                    "bare": apim(401, "JWT not present.")})


def gateway_logs(reason, message, seed, share=4):
    """ApiManagementGatewayLogs as the diagnostic setting writes them."""
    day, lines = Day(seed), []
    for turn in range(48):
        day.on()
        bad = turn % share == 1
        lines.append(json.dumps({
            "time": day.iso(7), "category": "GatewayLogs", "operationName": "Microsoft.ApiManagement/GatewayLogs", "callerIpAddress": "198.51.100.61" if bad else day.ip(), "correlationId": day.id(), "isRequestSuccess": not bad,
            "properties": {"method": "GET", "url": "https://shop.azure-api.example.test/orders", "responseCode": 401 if bad else 200, "backendTime": 0 if bad else day.chance.randint(8, 90),
                           "apiId": "orders", "operationId": "list-orders", "clientProtocol": "HTTP/1.1",
                           **({"lastError": {"elapsed": 1, "source": "validate-jwt", "path": "validate-jwt[1]", "reason": reason, "message": message.replace("{now}", time.strftime("%m/%d/%Y %I:%M:%S %p", time.gmtime(day.at))), "section": "inbound"}} if bad else {})}}))
    return "\n".join(lines) + "\n"


documented("apim-audience-log", family="gateway", expected=["TN0412"], source=f"{APIM} (TokenAudienceNotAllowed)",
           fault="Tokens of the new app are for api://orders, and validate-jwt lists the client id only; the gateway's log.",
           logs={"PT1H.json": lambda: gateway_logs("TokenAudienceNotAllowed", "IDX10214: Audience validation failed. Audiences: 'api://orders'. Did not match: "
                                                   "validationParameters.ValidAudience: 'null' or validationParameters.ValidAudiences: '8f1c2d3e-0000-4a1b-9c2d-111122223333'.. Access denied.", 61)})

documented("apim-expired-log", family="gateway", expected=["TN0415"], source=f"{APIM} (TokenExpired)",
           fault="A nightly job fetches one token at its start and runs for three hours; the gateway's log.",
           logs={"PT1H.json": lambda: gateway_logs("TokenExpired", "IDX10223: Lifetime validation failed. The token is expired. ValidTo (UTC): '11/20/2026 7:58:12 AM', "
                                                   "Current time (UTC): '{now}'.. Access denied.", 62, 3)})

documented("apim-key-not-found", family="gateway", expected=["TN0323", "TN0401"], source=f"{APIM} (TokenSignatureKeyNotFound)", issuer=ISSUER,
           url="https://shop.azure-api.example.test/orders",
           fault="The issuer rotated its key at once; the gateway keeps the configuration that it fetched before, though the live set has the key.",
           answers={"client": apim(401, "Invalid JWT."), "bare": apim(401, "JWT not present."), "altered": apim(401, "Invalid JWT."),
                    "discovery": json_(200, json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks.json"})), "jwks": json_(200, json.dumps(jwks(KEY)))},
           logs={"PT1H.json": lambda: gateway_logs("TokenSignatureKeyNotFound", "IDX10503: Signature validation failed. Token does not match key in TokenValidationParameters or Configuration. "
                                                   "kid: 'doc-1'. Keys tried: kid: 'auth-2026-02'.. Access denied.", 63, 2)})

documented("apigee-api-key", family="gateway", expected=["TN0311"], source="cloud.google.com/apigee: VerifyAPIKey policy (oauth.v2.InvalidApiKey)",
           url="https://shop.apigee.example.test/v1/orders", fault="The key in the build is of the developer app that was revoked.",
           answers={name: json_(401, '{"fault":{"faultstring":"Invalid ApiKey","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}') for name in ("client", "bare", "again_1")})

documented("apigee-quota", family="gateway", expected=["TN0316"], source="cloud.google.com/apigee: Quota policy (policies.ratelimit.QuotaViolation)",
           url="https://shop.apigee.example.test/v1/orders", fault="The quota of the developer app is used up for this hour.",
           answers={name: json_(429, '{"fault":{"faultstring":"Rate limit quota violation. Quota limit  exceeded. Identifier : _default",'
                                     '"detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}') for name in ("client", "again_1", "again_2")})

documented("apigee-signing-key-log", family="gateway", expected=["TN0401", "TN0323"], source="cloud.google.com/apigee: VerifyJWT policy (steps.jwt.NoMatchingPublicKey); JWKS cache",
           fault="The JWKS is pasted into a property of the proxy, and the issuer has rotated since; its resources, and the live key set.",
           presented=token(), issuer=ISSUER, settling=True, url="https://shop.apigee.example.test/v1/orders",
           answers={"client": json_(401, '{"fault":{"faultstring":"No matching public key: policy(VJ-Orders)","detail":{"errorcode":"steps.jwt.NoMatchingPublicKey"}}}'),
                    "jwks": json_(200, json.dumps(jwks(KEY))), "discovery": json_(200, json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks.json"}))},
           files={"apiproxy/resources/properties/jwks.properties": "jwks=" + json.dumps(jwks(Key("ES256", kid="auth-2026-02"))) + "\n"})

documented("espv2-audience", family="gateway", expected=["TN0412"], source="GoogleCloudPlatform/esp-v2 (Envoy jwt_authn, JSON local replies); google/jwt_verify_lib src/status.cc",
           fault="The x-google-audiences of the OpenAPI document lack the audience of this app's tokens.", url="https://orders.endpoints.example.test/orders",
           answers={"client": json_(403, '{"code":403,"message":"Audiences in Jwt are not allowed"}', server="envoy"), "bare": json_(401, '{"code":401,"message":"Jwt is missing"}', server="envoy"),
                    "altered": json_(401, '{"code":401,"message":"Jwt verification fails"}', server="envoy")},
           files={"openapi.yaml": f"swagger: '2.0'\nhost: orders.endpoints.example.test\nsecurityDefinitions:\n  shop:\n    type: oauth2\n    flow: implicit\n    authorizationUrl: ''\n"
                                  f"    x-google-issuer: {ISSUER}\n    x-google-jwks_uri: {ISSUER}/jwks.json\n    x-google-audiences: orders-web\n"})

documented("espv2-api-key", family="gateway", expected=["TN0311"], source="GoogleCloudPlatform/esp-v2 (Service Control: unregistered callers)", url="https://orders.endpoints.example.test/orders",
           fault="The operation asks for an API key, and the app sends a token only.",
           answers={name: json_(401, '{"code":401,"message":"UNAUTHENTICATED: Method doesn\'t allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."}',
                                server="envoy") for name in ("client", "bare", "again_1")})

documented("kong-pinned-key", family="gateway", expected=["TN0323", "TN0401"], source="Kong/kong kong/plugins/jwt/handler.lua (Invalid signature); a consumer's rsa_public_key is fixed", presented=token(),
           issuer=ISSUER, fault="The consumer's rsa_public_key in Kong is the issuer's former one.",
           answers={"client": json_(401, '{"message":"Invalid signature"}', www_authenticate='Bearer realm="kong", error="invalid_token"', **KONG), "bare": json_(401, '{"message":"Unauthorized"}', **KONG),
                    "jwks": json_(200, json.dumps(jwks(KEY))), "discovery": json_(200, json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks.json"}))},
           files={"kong.yml": "_format_version: \"3.0\"\nconsumers:\n- username: shop\n  jwt_secrets:\n  - key: " + ISSUER + "\n    algorithm: ES256\n    rsa_public_key: |\n"
                  + "".join(f"      {line}\n" for line in Key("ES256").pem().strip().splitlines()) + "plugins:\n- name: jwt\n  config:\n    key_claim_name: iss\n    claims_to_verify: [exp]\n"})

documented("kong-acl", family="gateway", expected=["TN0513"], source="Kong/kong kong/plugins/acl/handler.lua (You cannot consume this service)",
           fault="The consumer was not put into the group that the route's acl plugin allows.", settling=False,
           answers={"client": json_(403, '{"message":"You cannot consume this service"}', **KONG), "bare": json_(401, '{"message":"Unauthorized"}', **KONG),
                    "altered": json_(401, '{"message":"Invalid signature"}', **KONG)})

documented("kong-key-auth", family="gateway", expected=["TN0311"], source="Kong/kong kong/plugins/key-auth/handler.lua (No API key found in request)",
           fault="The route has key-auth, and the app sends a bearer token.",
           answers={"client": json_(401, '{"message":"No API key found in request"}', www_authenticate="Key", **KONG), "bare": json_(401, '{"message":"No API key found in request"}', www_authenticate="Key", **KONG)})

LOGIN = "https://shop.cloudflareaccess.com/cdn-cgi/access/login/api.shop.example.test?kid=9cfdebba30b8527878cdd86690ec0862&redirect_url=%2Fv1%2Forders"
documented("cloudflare-access-login", family="edge", expected=["TN0215"], source="developers.cloudflare.com: Access, service tokens; recorded answers of protected hosts (www-authenticate: Cloudflare-Access)",
           url="https://api.shop.example.test/v1/orders", fault="An Access application was put before the API's host; requests without its cookie or service token are sent to a sign-in page.",
           answers={name: (302, {"location": LOGIN, "www-authenticate": "Cloudflare-Access", "server": "cloudflare", "cf-ray": "8e5a1b2c3d4e5f60-FRA", "cache-control": "private, max-age=0, no-store"}, "")
                    for name in ("client", "bare", "garbage", "other_path")})

REALM = "https://sso.example.test/realms/shop"


def keycloak(seed, bad, times=40, at=(17,)):
    """Keycloak's event log: refreshes that go well are not logged at WARN; other failures are."""
    day, lines = Day(seed), []
    for turn in range(times):
        day.on(2, 90)
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(day.at)) + f",{int(day.at % 1 * 1000):03}"
        head = f"{stamp} WARN  [org.keycloak.events] (executor-thread-{day.chance.randint(1, 60)})"
        if turn in at:
            lines += [f"{head} {text}" for text in bad(day)]
        else:
            kind, error = day.pick(("LOGIN_ERROR", "invalid_user_credentials"), ("LOGIN_ERROR", "user_not_found"), ("CODE_TO_TOKEN_ERROR", "invalid_code"), ("LOGIN_ERROR", "expired_code"))
            lines.append(f'{head} type="{kind}", realmId="4c1f", realmName="shop", clientId="{day.pick("shop-web", "shop-app", "backoffice")}", userId="null", ipAddress="{day.ip()}", error="{error}"')
    return "\n".join(lines) + "\n"


def reused(day):
    who = f'realmId="4c1f", realmName="shop", clientId="shop-web", userId="{day.id()}", sessionId="{day.id()}", ipAddress="198.51.100.23"'
    yield (f'type="REFRESH_TOKEN_ERROR", {who}, error="invalid_token", reason="Maximum allowed refresh token reuse exceeded", grant_type="refresh_token", '
           f'refresh_token_type="Refresh", client_auth_method="client-secret"')
    yield f'type="REFRESH_TOKEN_ERROR", {who}, error="invalid_token", reason="Session doesn\'t have required client", grant_type="refresh_token", refresh_token_type="Refresh", client_auth_method="client-secret"'


documented("keycloak-reuse-log", family="session", expected=["TN0602"], source="keycloak/keycloak services TokenManager.java (Maximum allowed refresh token reuse exceeded); org.keycloak.events",
           fault="Two tabs refresh with one token while the realm revokes used ones; the events among failed sign-ins.", logs={"keycloak.log": lambda: keycloak(71, reused, at=(9, 10, 26))})

documented("keycloak-offline-session-removed", family="session", expected=["TN0610"], source="keycloak/keycloak services TokenManager.java (Offline user session not found)", settling=True,
           fault="The app's offline sessions were removed by an administrator; the event log.", logs={"keycloak.log": lambda: keycloak(72, lambda day: [
               f'type="REFRESH_TOKEN_ERROR", realmId="4c1f", realmName="shop", clientId="shop-app", userId="null", ipAddress="{day.ip()}", error="invalid_token", reason="Offline user session not found", '
               'grant_type="refresh_token", refresh_token_type="Offline", client_auth_method="client-secret"'], at=(4, 5, 11, 19, 33))})


def okta(bad, seed):
    day, lines = Day(seed), []
    for turn in range(40):
        day.on(5, 120)
        kind, text, result = ("app.oauth2.as.token.grant.access_token", "OAuth2 access token is granted", {"result": "SUCCESS"})
        lines_of = bad.get(turn, [(kind, text, result)] if turn % 9 else [("user.session.start", "User login to Okta", {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"})])
        for kind, text, result in lines_of:
            lines.append(json.dumps({"published": day.iso(), "eventType": kind, "displayMessage": text, "severity": "WARN" if result["result"] == "FAILURE" else "INFO", "outcome": result,
                                     "actor": {"id": "0oa1shopspa", "type": "PublicClientApp", "displayName": "Shop"}, "client": {"ipAddress": "198.51.100.23" if turn in bad else day.ip(), "device": "Computer"},
                                     "uuid": day.id()}))
    return "\n".join(lines) + "\n"


documented("okta-detect-reuse-log", family="session", expected=["TN0602"], source="developer.okta.com: Refresh access tokens, refresh token reuse detection (app.oauth2.as.token.detect_reuse)",
           fault="The web app and its service worker refresh with one token, outside of the grace period; the System Log.",
           logs={"okta-system-log.json": lambda: okta({14: [("app.oauth2.as.token.detect_reuse", "OAuth2 token reuse detected", {"result": "FAILURE", "reason": "Refresh token reuse detected"}),
                                                            ("app.oauth2.as.token.revoke", "OAuth2 token revocation request", {"result": "SUCCESS"})]}, 81)})

ENTRA = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/oauth2/v2.0/token"


def entra(code, text):
    return json_(400, json.dumps({
        "error": "invalid_grant" if code != 700016 else "unauthorized_client", "error_description": f"AADSTS{code}: {text} Trace ID: af03a572-be25-4d2e-9d0a-f26981260f00 Correlation ID: "
        "57edf5de-7629-426f-ad47-30d87fa3e2ad Timestamp: 2026-11-20 08:19:37Z", "error_codes": [code], "timestamp": "2026-11-20 08:19:37Z"}))


documented("entra-refresh-inactive", family="session", expected=["TN0610"], source="learn.microsoft.com: Microsoft Entra authentication error codes (AADSTS700082)", url=ENTRA, presented=None,
           fault="The refresh token was not used for 90 days.", answers={"refresh": entra(700082, "The refresh token has expired due to inactivity. The token was issued on "
                                                                                          "2026-08-20T14:30:28.0990908Z and was inactive for 90.00:00:00.")})

documented("entra-client-unknown", family="session", expected=["TN0608"], source="learn.microsoft.com: Microsoft Entra authentication error codes (AADSTS700016)", url=ENTRA, presented=None,
           fault="The app registration was deleted by a cleanup of the tenant.",
           answers={"refresh": entra(700016, "Application with identifier '8f1c2d3e-0000-4a1b-9c2d-111122223333' was not found in the directory 'Example'. This can happen if the application has not been "
                                             "installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.")})


def google():
    day, lines = Day(91), []
    for number in range(26):
        day.on(200, 900)
        lines.append(f"{day.iso()} INFO  calendar-sync user={day.chance.randint(100, 900)} 200 events={day.chance.randint(0, 9)}" if number % 5 else
                     f"{day.iso()} ERROR calendar-sync user=417 google.auth.exceptions.RefreshError: ('invalid_grant: Token has been expired or revoked.', "
                     "{'error': 'invalid_grant', 'error_description': 'Token has been expired or revoked.'})")
    return "\n".join(lines) + "\n"


documented("google-testing-consent-log", family="session", expected=["TN0610"], source="developers.google.com/identity/protocols/oauth2: refresh token expiration (testing: seven days)",
           fault="The OAuth consent screen is in testing, so refresh tokens end after seven days; the worker's log.", logs={"worker.log": google})

healthy("keycloak-healthy-log", "Nothing: failed sign-ins and expired codes of a public realm, as on every day.", "keycloak.org/docs: Server Administration, auditing user events",
        logs={"keycloak.log": lambda: keycloak(95, lambda _: [], times=60, at=())})
healthy("okta-healthy-log", "Nothing: grants of tokens, and people who mistyped their password.", "developer.okta.com: System Log API, event types", logs={"okta-system-log.json": lambda: okta({}, 96)})
healthy("envoy-healthy-access-log", "Nothing: scanners without a token, and a rolling update with two retries, in an Envoy's access log.",
        "envoyproxy/envoy docs/root/configuration/observability/access_log/usage.rst", logs={"envoy-access.log": lambda: envoy()})


def envoy():
    day, lines = Day(97), []
    for turn in range(90):
        day.on(0.2, 9)
        status, why, agent = day.pick(*[("200 - via_upstream", "", "shop-app/3.1")] * 12, ("401 - jwt_authn_access_denied{Jwt_is_missing}", "", "zgrab/0.x"), ("404 - route_not_found", "", "CensysInspect/1.1"))
        if turn in (40, 41):
            status = "200 UF via_upstream"
        path = "/v1/feed" if agent.startswith("shop") else day.pick("/.env", "/v1/feed", "/actuator")
        lines.append(f'[{day.iso()}] "GET {path} HTTP/2" {status} - "-" 0 {day.chance.randint(14, 900)} {day.chance.randint(1, 40)} - "-" "{agent}" "{day.id()}" "api.example.test" "10.0.3.{day.chance.randint(2, 9)}:8080"')
    return "\n".join(lines) + "\n"
