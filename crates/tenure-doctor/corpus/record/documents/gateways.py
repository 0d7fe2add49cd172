"""Gateways and sidecars that verify tokens, after their documents and sources."""

import json

from lab.documented import ISSUER, KEY, documented, empty, html, json_, text, token
from lab.tokens import Key, jwks

ENVOY_TEXTS = "google/jwt_verify_lib src/status.cc; envoyproxy/envoy source/extensions/filters/http/jwt_authn/filter.cc"
ENVOY = {"server": "envoy"}


def envoy(status: int, body: str, error=True) -> tuple:
    """Envoy's local reply; on 401 with a challenge."""
    challenge = {"www_authenticate": 'Bearer realm="https://api.example.test/v1/orders"' + (', error="invalid_token"' if error else "")}
    return text(status, body, **(challenge if status == 401 else {}), **ENVOY)


MISSING, FORGED = envoy(401, "Jwt is missing", error=False), envoy(401, "Jwt verification fails")

documented("envoy-audience", family="verifier", expected=["TN0412"], source=ENVOY_TEXTS,
           fault="Envoy's jwt_authn lists an audience that the token has not: 403, not 401.",
           answers={"client": envoy(403, "Audiences in Jwt are not allowed"), "bare": MISSING, "altered": FORGED})

documented("envoy-issuer", family="verifier", expected=["TN0411"], source=ENVOY_TEXTS,
           fault="Envoy has no provider of the token's issuer: the token's has a trailing slash.",
           presented=token(f"{ISSUER}/"), answers={"client": envoy(401, "Jwt issuer is not configured"), "bare": MISSING},
           files={"envoy.yaml": "http_filters:\n- name: envoy.filters.http.jwt_authn\n  typed_config:\n    providers:\n      main:\n"
                                f"        issuer: {ISSUER}\n        audiences:\n        - orders-api\n        forward: true\n"})

documented("envoy-expired", family="verifier", expected=["TN0415"], source=ENVOY_TEXTS,
           fault="The token has ended; Envoy says so.", presented=token(age=4000, lifetime=900),
           answers={"client": envoy(401, "Jwt is expired"), "bare": MISSING, "altered": envoy(401, "Jwt is expired")})

documented("envoy-not-yet-valid", family="verifier", expected=["TN0416"], source=ENVOY_TEXTS,
           fault="The token's iat and nbf are further in Envoy's future than its 60 seconds of tolerance.",
           presented=token(age=-400), answers={"client": envoy(401, "Jwt not yet valid"), "bare": MISSING})

documented("envoy-jwks-fetch", family="verifier", expected=["TN0404"], source=ENVOY_TEXTS,
           fault="Envoy cannot fetch the key set from where it runs; it answers 401 for every token.",
           answers={"client": envoy(401, "Jwks remote fetch is failed"), "bare": MISSING, "altered": envoy(401, "Jwks remote fetch is failed"),
                    "again_1": envoy(401, "Jwks remote fetch is failed")}, took={"client": 5003, "altered": 5002, "again_1": 5004})

NO_KEY = envoy(401, "Jwks doesn't have key to match kid or alg from Jwt")
DISCOVERY = json_(200, json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks.json"}))

documented("envoy-kid-not-refetched", family="verifier", expected=["TN0401"], issuer=ISSUER,
           source=f"{ENVOY_TEXTS}; envoyproxy/envoy#14557, envoyproxy/envoy#39643",
           fault="The issuer has rotated; Envoy does not fetch again for an unknown kid, though the live set has it.",
           answers={"client": NO_KEY, "bare": MISSING, "altered": NO_KEY, "discovery": DISCOVERY, "jwks": json_(200, json.dumps(jwks(KEY)))})

documented("envoy-kid-of-other-tenant", family="verifier", expected=["TN0403"], issuer=ISSUER, source=ENVOY_TEXTS,
           fault="The token's kid is in no key set of the issuer that Envoy trusts.",
           answers={"client": NO_KEY, "bare": MISSING, "altered": NO_KEY, "discovery": DISCOVERY, "jwks": json_(200, json.dumps(jwks(Key("ES256", kid="prod-7"))))})

documented("envoy-token-not-forwarded", family="edge", expected=["TN0211"],
           source="envoyproxy/envoy api/envoy/extensions/filters/http/jwt_authn/v3/config.proto (forward is false by default)",
           fault="Envoy verifies the token and takes it off; the service behind it asks for it again.",
           answers={"client": json_(401, '{"detail":"Not authenticated"}', www_authenticate="Bearer", **ENVOY), "bare": MISSING, "altered": FORGED},
           files={"envoy.yaml": "http_filters:\n- name: envoy.filters.http.jwt_authn\n  typed_config:\n    providers:\n      main:\n"
                                f"        issuer: {ISSUER}\n        audiences:\n        - orders-api\n        remote_jwks:\n          http_uri:\n            uri: {ISSUER}/jwks.json\n"},
           logs={"envoy.log": '[2026-11-20T09:14:02.114Z] "GET /v1/orders HTTP/1.1" 401 - via_upstream - "-" 0 31 7 6 "-" "okhttp/4.12.0" "0f1c" "api.example.test" "10.0.3.7:8080"\n'})

documented("envoy-ext-authz-down", family="framework", expected=["TN0509"], presented=None,
           source="envoyproxy/envoy#14001; docs/root/configuration/observability/access_log/usage.rst (UAEX, response code details)",
           fault="The external authorization service is down, and Envoy answers 403 to everybody.",
           answers={"client": empty(403, **ENVOY), "again_1": empty(403, **ENVOY)},
           logs={"access.log": "".join(
               f'[2026-11-20T10:0{turn}:0{turn}.500Z] "GET /v1/orders HTTP/2" 403 UAEX ext_authz_error - "-" 0 0 203 - "-" "app/{turn}" "b{turn}" "api.example.test" "-"\n'
               for turn in range(8))})

documented("envoy-log-expired", family="verifier", expected=["TN0415", "TN0601"],
           source="envoyproxy/envoy docs/root/configuration/observability/access_log/usage.rst (%RESPONSE_CODE_DETAILS%)",
           fault="An app goes on with a token that has ended; only Envoy's access log is there.",
           logs={"envoy-access.log": "".join(
               f'[2026-11-19T08:{minute:02}:11.{minute:03}Z] "GET /v1/feed HTTP/2" {"200 - via_upstream" if minute < 15 else "401 - jwt_authn_access_denied{Jwt_is_expired}"} - "-" 0 14 1 - "-" "shop-app/3.1" "r{minute}" "api.example.test" "-"\n'
               for minute in range(0, 40, 2))})

documented("envoy-log-audience", family="verifier", expected=["TN0412"],
           source="envoyproxy/envoy docs/root/configuration/observability/access_log/usage.rst (%RESPONSE_CODE_DETAILS%)",
           fault="A client's tokens are for another audience; only Envoy's access log, with other clients' good requests, is there.",
           logs={"envoy-access.log": "".join(
               f'[2026-11-19T09:{minute:02}:40.120Z] "GET /v1/feed HTTP/2" {"403 - jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}" if minute % 3 == 0 else "200 - via_upstream"} - "-" 0 32 1 - "-" "{"partner/1.0" if minute % 3 == 0 else "shop-app/3.1"}" "q{minute}" "api.example.test" "-"\n'
               for minute in range(0, 45))})

documented("istio-rbac-missing-token", family="framework", expected=["TN0512"], presented=None,
           source="istio docs: Security problems; RequestAuthentication lets a missing token pass, AuthorizationPolicy then denies",
           fault="The request has no token; RequestAuthentication lets it pass, and the policy answers 403 RBAC: access denied.",
           answers={"client": text(403, "RBAC: access denied", server="istio-envoy"), "garbage": text(401, "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections", server="istio-envoy")})

documented("kong-no-credentials-for-issuer", family="verifier", expected=["TN0411"], source="Kong/kong kong/plugins/jwt/handler.lua",
           fault="No consumer of Kong has a key for the token's iss: it is registered without the scheme.",
           answers={"client": json_(401, '{"message":"No credentials found for given \'iss\'"}', www_authenticate='Bearer realm="kong", error="invalid_token"', server="kong/3.9.0"),
                    "bare": json_(401, '{"message":"Unauthorized"}', www_authenticate='Bearer realm="kong"', server="kong/3.9.0")},
           files={"kong.yml": "_format_version: \"3.0\"\nconsumers:\n- username: shop\n  jwt_secrets:\n  - key: auth.example.test\n    algorithm: ES256\nplugins:\n- name: jwt\n  config:\n    key_claim_name: iss\n"})

documented("kong-multiple-tokens", family="client", expected=["TN0106"], source="Kong/kong kong/plugins/jwt/handler.lua",
           fault="The app sends the token in the header and as jwt in the URL.", url="https://api.example.test/v1/orders?jwt=eyJhbGciOiJub25lIn0.e30.",
           answers={"client": json_(401, '{"message":"Multiple tokens provided"}', server="kong/3.9.0")})

documented("kong-expired", family="verifier", expected=["TN0415"], source="Kong/kong kong/plugins/jwt/jwt_parser.lua (claims_to_verify: exp)",
           fault="The token has ended; Kong verifies exp and says so.", presented=token(age=7200, lifetime=900),
           answers={"client": json_(401, '{"exp":"token expired"}', server="kong/3.9.0"), "bare": json_(401, '{"message":"Unauthorized"}', server="kong/3.9.0")})

documented("kong-preflight", family="client", expected=["TN0110"], source="Kong/kong kong/plugins/jwt/schema.lua (run_on_preflight is true by default)",
           fault="Kong's jwt plugin runs on preflights too, and they carry no token.", origin="https://shop.example.test",
           answers={"client": json_(200, '{"orders":[]}', via="kong/3.9.0"), "preflight": json_(401, '{"message":"Unauthorized"}', server="kong/3.9.0")})

documented("oauth2-proxy-invalid-bearer", family="framework", expected=["TN0503", "TN0415"],
           source="oauth2-proxy/oauth2-proxy#2918; pkg/middleware/jwt_session.go", presented=token(age=4000, lifetime=900),
           fault="oauth2-proxy answers 403 to an expired bearer token, so a client that refreshes on 401 never does.",
           answers={"client": html(403, "<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body>Forbidden</body></html>"),
                    "bare": (302, {"location": "https://auth.example.test/oauth2/authorize?client_id=proxy&response_type=code"}, "")},
           logs={"oauth2-proxy.log": "[2026/11/20 11:02:41] [jwt_session.go:53] Error retrieving session from token in Authorization header: [unable to verify bearer token: failed to verify token: oidc: token is expired]\n"})

documented("oauth2-proxy-login-redirect", family="edge", expected=["TN0215"], source="oauth2-proxy/oauth2-proxy#2512; --api-route",
           fault="An API call without a session is sent to the login page with 302 instead of 401.", presented=None,
           answers={"client": (302, {"location": "https://auth.example.test/oauth2/authorize?client_id=proxy&redirect_uri=https%3A%2F%2Fapi.example.test%2Foauth2%2Fcallback&response_type=code&state=x"}, "")})

documented("traefik-forward-auth-down", family="framework", expected=["TN0511"],
           source="traefik/traefik pkg/middlewares/auth/forward.go; pkg/middlewares/accesslog/logdata.go (OriginStatus is of the service)",
           fault="Traefik's ForwardAuth service cannot be reached: 500 without a body, and no OriginStatus in the log.",
           answers={"client": empty(500), "bare": empty(500), "again_1": empty(500)},
           logs={"traefik.json": "".join(json.dumps({
               "ClientHost": "203.0.113.9", "DownstreamStatus": status, "Duration": 1500000, "RequestMethod": "GET", "RequestPath": "/v1/orders",
               "RouterName": "orders@docker", "StartUTC": f"2026-11-20T12:00:{second:02}Z", "level": "info", "msg": "", "time": f"2026-11-20T12:00:{second:02}Z",
               **({"OriginStatus": 200, "OriginDuration": 900000} if status == 200 else {})}) + "\n"
               for second, status in ((1, 200), (4, 200), (9, 500), (12, 500), (13, 500), (31, 500)))})

documented("alb-oidc-mismatch", family="framework", expected=["TN0516"],
           source="docs.aws.amazon.com/elasticloadbalancing: Authenticate users using an Application Load Balancer; Troubleshoot (HTTP 401)",
           fault="The load balancer's OIDC action does not fit the identity provider; it answers 401 itself.",
           answers={"client": html(401, "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n</body>\r\n</html>\r\n", server="awselb/2.0"),
                    "bare": html(401, "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n</body>\r\n</html>\r\n", server="awselb/2.0"),
                    "direct": json_(200, '{"orders":[]}')})

CALLERS = token()
documented("espv2-overwrites-authorization", family="edge", expected=["TN0210"],
           source="GoogleCloudPlatform/esp-v2#140; the original is in X-Forwarded-Authorization",
           fault="The gateway puts its own Google-signed token into Authorization; the service refuses it.", presented=CALLERS,
           answers={"client": json_(401, '{"error":"invalid_token","error_description":"issuer https://accounts.google.com is not accepted"}'),
                    "echo": json_(200, json.dumps({"headers": {"authorization": "Bearer " + token("https://accounts.google.com", Key("ES256"), audience="https://orders-run.example.test"),
                                                               "x-forwarded-authorization": f"Bearer {CALLERS}"}}))})

documented("rest-not-a-key-value-pair", family="gateway", expected=["TN0302"], url="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/order",
           source="amazon-archives/aws-cognito-angular-quickstart#50; serverless/serverless#3205",
           fault="The path does not exist; API Gateway takes the Bearer header for a signature and says that it is malformed.",
           answers={"client": json_(403, '{"message":"\'eyJhbGciOiJFUzI1NiJ9\' not a valid key=value pair (missing equal-sign) in Authorization header: \'Bearer eyJhbGciOiJFUzI1NiJ9\'."}', x_amzn_errortype="IncompleteSignatureException"),
                    "bare": json_(403, '{"message":"Missing Authentication Token"}', x_amzn_errortype="MissingAuthenticationTokenException")})
