"""Refresh and sessions of hosted issuers, after their documents."""

import json

from lab.documented import documented, json_, token

COGNITO = "https://cognito-idp.eu-central-1.amazonaws.com/"
ISSUER = "https://sso.example.test/realms/shop"


def keycloak(text: str) -> tuple:
    return json_(400, json.dumps({"error": "invalid_grant", "error_description": text}))


documented("keycloak-session-not-active", family="session", expected=["TN0610"], url=f"{ISSUER}/protocol/openid-connect/token", presented=None,
           source="keycloak/keycloak#30452; oauth2-proxy/oauth2-proxy#1945", fault="The realm's SSO session idle time is shorter than the app's pauses.",
           answers={"refresh": keycloak("Session not active")})

documented("keycloak-token-not-active", family="session", expected=["TN0610"], url=f"{ISSUER}/protocol/openid-connect/token", presented=None,
           source="keycloak/keycloak#39266; oauth2-proxy/oauth2-proxy#1945", fault="The refresh token has ended with the session's idle time.",
           answers={"refresh": keycloak("Token is not active")}, settling=True)

documented("keycloak-event-log", family="session", expected=["TN0610"], source="keycloak.org/docs: Server Administration, auditing user events; keycloak/keycloak#30452",
           fault="The event log has refresh errors of an inactive session, half an hour and more after the last refresh.",
           logs={"keycloak.log": "".join(
               f'2026-11-20 {hour:02}:12:41,318 WARN  [org.keycloak.events] (executor-thread-{hour}) type="REFRESH_TOKEN_ERROR", realmId="shop", clientId="shop-app", userId="null", ipAddress="203.0.113.{hour}", error="invalid_token", reason="Session not active", grant_type="refresh_token"\n'
               for hour in (8, 9, 11, 14))})

documented("keycloak-issuer-log", family="verifier", expected=["TN0411"], source="keycloak/keycloak#24596",
           fault="The server is reached by an internal name, so the issuer that it expects is not the one in the token.",
           logs={"keycloak.log": "2026-11-20 08:12:41,318 DEBUG [org.keycloak.services] (executor-thread-4) Invalid token issuer. Expected 'http://keycloak:8080/realms/shop' but was 'https://sso.example.test/realms/shop'\n"})

documented("auth0-ferrt-log", family="session", expected=["TN0602"], source="auth0/docs#8821; auth0.com/docs: Log event type codes (ferrt), Refresh token rotation",
           fault="Two tabs of a single-page app exchange the same rotating token; Auth0 detects the reuse and revokes the family.",
           logs={"auth0.json": "".join(json.dumps(line) + "\n" for line in (
               {"date": "2026-11-20T09:00:00.410Z", "type": "sertft", "description": "Successful Refresh Token exchange", "client_id": "spa1", "user_id": "auth0|u1", "ip": "203.0.113.5"},
               {"date": "2026-11-20T09:00:00.733Z", "type": "ferrt", "description": "Unsuccessful Refresh Token exchange, reused refresh token detected", "client_id": "spa1", "user_id": "auth0|u1", "ip": "203.0.113.5"},
               {"date": "2026-11-20T09:15:02.118Z", "type": "fertft", "description": "Unknown or invalid refresh token.", "client_id": "spa1", "user_id": "auth0|u1", "ip": "203.0.113.5"}))})

documented("supabase-refresh-already-used", family="session", expected=["TN0602"], source="supabase/auth internal/tokens/service.go; supabase/auth#2136, supabase/auth-js#213",
           url="https://abcdefghij.supabase.co/auth/v1/token?grant_type=refresh_token", presented=None, settling=False,
           fault="Another process of the same user has used the refresh token; Supabase answers Already Used.",
           answers={"refresh": json_(400, '{"code":400,"error_code":"refresh_token_already_used","msg":"Invalid Refresh Token: Already Used"}')})

documented("supabase-refresh-log", family="session", expected=["TN0602"], source="supabase/auth internal/tokens/service.go; supabase/auth#466",
           fault="Two requests for a refresh of one session within a second; the second is refused as reuse.",
           logs={"auth.log": "".join(json.dumps(line) + "\n" for line in (
               {"component": "api", "grant_type": "refresh_token", "level": "info", "method": "POST", "msg": "request completed", "path": "/token", "remote_addr": "203.0.113.5", "status": 200, "time": "2026-11-20T09:00:00Z"},
               {"component": "api", "error": "400: Invalid Refresh Token: Already Used", "error_code": "refresh_token_already_used", "grant_type": "refresh_token", "level": "info", "method": "POST", "path": "/token", "remote_addr": "203.0.113.5", "status": 400, "time": "2026-11-20T09:00:00Z"}))})

documented("cognito-device-key-missing", family="session", expected=["TN0607"], source="aws/aws-sdk-cpp#851; aws/aws-sdk-java-v2#3418",
           fault="The pool remembers devices, and the app's refresh lacks DEVICE_KEY: the first refresh after each login is refused.",
           logs={"app.log": "".join(
               f'2026-11-{day}T08:00:00.100Z [auth] INFO login_succeeded {{"new_device_metadata": true, "expires_in": 3600}}\n'
               f'2026-11-{day}T08:58:00.200Z [auth] INFO token_refresh_started {{"flow": "REFRESH_TOKEN_AUTH", "auth_parameters": ["REFRESH_TOKEN"]}}\n'
               f'2026-11-{day}T08:58:00.480Z [auth] ERROR token_refresh_failed {{"status": 400, "__type": "NotAuthorizedException", "message": "Invalid Refresh Token"}}\n' for day in (16, 17, 18))},
           files={"aws/cognito-idp/DescribeUserPool.json": json.dumps({"UserPool": {"Id": "eu-central-1_Dev1ce000", "Name": "shop", "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}}})})

documented("cognito-client-recreated", family="session", expected=["TN0608"], source="aws-amplify/amplify-flutter#740; aws/aws-sdk-php#2183", url=COGNITO, presented=None,
           fault="The user pool client was made anew with another id; the app's build has the old one.",
           answers={"refresh": json_(400, '{"__type":"ResourceNotFoundException","message":"User pool client 4h57oldclient does not exist."}')})

documented("cognito-waf-refresh", family="edge", expected=["TN0207"], source="ravenscar/franken-srp#13", url=COGNITO, presented=None,
           fault="A firewall in front of the user pool blocks the refresh with 403.",
           answers={"refresh": json_(403, '{"__type":"ForbiddenException","message":"Request not allowed due to WAF block."}')})

documented("cognito-revoked-but-accepted", family="session", expected=["TN0609"], source="docs.aws.amazon.com/cognito-user-identity-pools: GlobalSignOut",
           presented=token("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Q3xTfake1", token_use="access", client_id="4h57client"),
           fault="The user was signed out everywhere: the user pool refuses the token, the API that verifies by itself takes it until it ends.",
           answers={"client": json_(200, '{"orders":[]}'), "altered": json_(401, '{"message":"Unauthorized"}'), "userinfo": json_(401, '{"error":"invalid_token","error_description":"Access token has been revoked"}')})

documented("amplify-no-refresh-after-waf", family="session", expected=["TN0604", "TN0207"], source="ravenscar/franken-srp#13; incident token-loss",
           fault="A firewall's 403 on refresh, after which the app signs the user out in the same second.",
           logs={"logcat.txt": '11-20 09:14:02.118  4711  4802 I Auth: token_refresh_started {"flow":"REFRESH_TOKEN_AUTH"}\n'
                               '11-20 09:14:02.502  4711  4802 E Auth: token_refresh_failed {"status":403,"__type":"ForbiddenException","message":"Request not allowed due to WAF block."}\n'
                               '11-20 09:14:02.503  4711  4802 W Auth: session_cleared {"reason":"refresh failed"}\n'
                               '11-20 09:14:02.611  4711  4711 I Nav: navigate {"to":"/login"}\n'})
