"""More documented answers: second sightings of causes, in other products, forms and wealth of evidence."""

import json

from lab.documented import ISSUER, KEY, documented, empty, html, json_, text, token
from lab.tokens import Key, jwks

GATE = "<!doctype html><html><head><title>Authentication Required</title></head><body>This page requires you to log in to Vercel</body></html>"
documented("vercel-preview-gate-poor", family="edge", expected=["TN0208"], url="https://feed-9x8y7z-team.vercel.app/api/me", settling=False, presented=None,
           source="vercel.com/docs/deployment-protection; vm0-ai/vm0#1519", fault="A preview's gate answers before the app; the user has no token at hand.",
           answers={"client": html(401, GATE, server="Vercel")})

documented("envoy-token-not-forwarded-log", family="edge", expected=["TN0211"],
           source="envoyproxy/envoy api/envoy/extensions/filters/http/jwt_authn/v3/config.proto (forward is false by default)",
           fault="Envoy takes the token off; there are its configuration, its access log and the service's log.",
           files={"envoy.yaml": "static_resources:\n  listeners:\n  - filter_chains:\n    - filters:\n      - typed_config:\n          http_filters:\n          - name: envoy.filters.http.jwt_authn\n            typed_config:\n              providers:\n                main:\n"
                                f"                  issuer: {ISSUER}\n                  from_headers:\n                  - name: Authorization\n                    value_prefix: 'Bearer '\n"},
           logs={"envoy.log": "".join(f'[2026-11-20T09:14:0{n}.114Z] "GET /v1/orders HTTP/1.1" 401 - via_upstream - "-" 0 31 7 6 "-" "okhttp/4.12.0" "0f1{n}" "api.example.test" "10.0.3.7:8080"\n' for n in range(5)),
                 "service.log": "".join(f"2026-11-20T09:14:0{n}.112Z WARN orders: Authorization header missing\n2026-11-20T09:14:0{n}.113Z INFO GET /v1/orders 401\n" for n in range(5))})

documented("step-up-max-age", family="verifier", expected=["TN0423"], source="RFC 9470, section 3", presented=token(auth_time=1795000000),
           fault="The endpoint wants a sign-in of the last five minutes; the user's is older.",
           answers={"client": empty(401, www_authenticate='Bearer error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="300"'),
                    "other_endpoint": json_(200, '{"items":[]}')})

documented("postgrest-row-level-security", family="framework", expected=["TN0502"], method="POST", source="docs.postgrest.org: Errors (42501); postgresql.org/docs: Row Security Policies",
           url="https://abcdefghij.supabase.co/rest/v1/orders", fault="A row security policy forbids the insert; PostgREST answers 403 with the SQL state.",
           answers={"client": json_(403, '{"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy for table \\"orders\\""}')})

documented("oauth2-proxy-forbidden-forged", family="framework", expected=["TN0503"], source="oauth2-proxy/oauth2-proxy#785, oauth2-proxy/oauth2-proxy#2918; vmware-tanzu/kubeapps#1281", settling=False,
           fault="oauth2-proxy denies bearer tokens that it cannot verify with 403, and sends callers without a token to the login.",
           answers={"client": html(403, "<!DOCTYPE html><html><head><title>403 Forbidden</title></head></html>"), "altered": html(403, "<!DOCTYPE html><html><head><title>403 Forbidden</title></head></html>"),
                    "bare": (302, {"location": f"{ISSUER}/authorize?client_id=oauth2-proxy&redirect_uri=https%3A%2F%2Fapi.example.test%2Foauth2%2Fcallback"}, "")})

documented("spring-not-found-masked", family="framework", expected=["TN0506"], source="spring-projects/spring-security#12771, spring-projects/spring-security#14481",
           fault="A path that does not exist is forwarded to the secured /error: 403 or 401 with an empty body where 404 is due; other endpoints work with the same token.",
           answers={"client": empty(401), "other_endpoint": json_(200, '{"items":[]}')}, settling=False)

documented("traefik-body-too-large", family="framework", expected=["TN0511"], source="traefik/traefik pkg/middlewares/auth/forward.go (maxBodySize)", method="POST",
           fault="ForwardAuth forwards bodies up to a limit, and answers larger ones with 401.",
           answers={"client": empty(401), "small_body": json_(201, '{"id":19}'), "large_body": empty(401)},
           logs={"traefik.json": "".join(json.dumps({"DownstreamStatus": status, "RequestContentSize": size, "RequestMethod": "POST", "RequestPath": "/v1/orders", "RouterName": "orders@file",
                                                     "level": "info", "msg": "", "time": f"2026-11-20T12:00:{second:02}Z", **({"OriginStatus": 201} if status == 201 else {})}) + "\n"
                                         for second, status, size in ((1, 201, 900), (4, 401, 120000), (9, 201, 1100), (12, 401, 98000)))})

documented("istio-rbac-log", family="framework", expected=["TN0512"], source="istio docs: Security problems; Envoy access log of the sidecar (rbac_access_denied_matched_policy)",
           fault="Callers without a token pass RequestAuthentication and are denied by the policy with 403.",
           logs={"istio-proxy.log": "".join(f'[2026-11-20T09:1{n}:02.114Z] "GET /v1/orders HTTP/1.1" 403 - rbac_access_denied_matched_policy[none] - "-" 0 19 0 - "10.0.2.{n}" "app/1.4" "f{n}" "orders.shop.svc.cluster.local" "-" inbound|8080|| - 10.0.3.7:8080 10.0.2.{n}:40112 outbound_.80_._.orders.shop.svc.cluster.local default\n' for n in range(9))},
           files={"policy.yaml": f"apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata:\n  name: orders\nspec:\n  jwtRules:\n  - issuer: {ISSUER}\n    jwksUri: {ISSUER}/jwks.json\n---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: orders\nspec:\n  action: ALLOW\n  rules:\n  - from:\n    - source:\n        requestPrincipals: ['*']\n"},
           answers={"client": text(403, "RBAC: access denied", server="istio-envoy")}, presented=None)

ALB_401 = "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n</body>\r\n</html>\r\n"
documented("alb-deny-action", family="framework", expected=["TN0516"], settling=False,
           source="docs.aws.amazon.com/elasticloadbalancing: Authenticate users (OnUnauthenticatedRequest deny)",
           fault="The listener rule denies callers without the load balancer's own session; API callers have a bearer token instead.",
           answers={"client": html(401, ALB_401, server="awselb/2.0"), "bare": html(401, ALB_401, server="awselb/2.0"), "altered": html(401, ALB_401, server="awselb/2.0")})

documented("jwt-authorizer-issuer-poor", family="framework", expected=["TN0517", "TN0411"], source="cduvray/jwt-authorizer jwt-authorizer/src/error.rs", settling=False,
           fault="403 with error invalid_token, as the Rust layer jwt-authorizer answers a wrong issuer.",
           answers={"client": empty(403, www_authenticate='Bearer error="invalid_token"'), "altered": empty(401, www_authenticate='Bearer error="invalid_token"')})

documented("axum-jwt-auth-rotated", family="framework", expected=["TN0518", "TN0401"], source="cmackenzie1/axum-jwt-auth src/axum.rs, src/remote.rs", issuer=ISSUER,
           fault="The issuer rotated; the Rust layer axum-jwt-auth asks once an hour only, and answers 500 meanwhile.",
           answers={"client": text(500, "Internal error"), "discovery": json_(200, json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks.json"})),
                    "jwks": json_(200, json.dumps(jwks(Key("ES256", kid="doc-0"), KEY)))})

documented("cognito-device-key-refresh", family="session", expected=["TN0607"], source="aws/aws-sdk-cpp#851; aws/aws-sdk-java-v2#3418", settling=False, presented=None,
           url="https://cognito-idp.eu-central-1.amazonaws.com/", fault="The pool remembers devices; the refresh without DEVICE_KEY is answered as an invalid token.",
           answers={"refresh": json_(400, '{"__type":"NotAuthorizedException","message":"Invalid Refresh Token"}')},
           files={"aws/cognito-idp/DescribeUserPool.json": json.dumps({"UserPool": {"Id": "eu-central-1_Dev1ce000", "Name": "shop", "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}}})})

documented("aws-jwt-verify-penalty-log", family="session", expected=["TN0613"], source="awslabs/aws-jwt-verify src/jwk.ts, src/error.ts",
           fault="After one failed fetch the library asks for no keys for ten seconds, and every token is refused meanwhile.",
           logs={"lambda.log": "".join(f"2026-11-20T10:00:{second:02}.410Z\t7c1e0b8a-0000-4000-8000-0000000000{second:02}\tERROR\t{line}\n" for second, line in (
               (1, "FetchError: Failed to fetch https://auth.example.test/jwks.json: ECONNRESET"),
               (2, "WaitPeriodNotYetEndedJwkError: Not allowed to fetch JWKS yet, still waiting for back off period to end"),
               (3, "WaitPeriodNotYetEndedJwkError: Not allowed to fetch JWKS yet, still waiting for back off period to end"),
               (7, "WaitPeriodNotYetEndedJwkError: Not allowed to fetch JWKS yet, still waiting for back off period to end")))})

documented("auth0-typ-strict", family="verifier", expected=["TN0414"], source="auth0/node-oauth2-jwt-bearer packages/access-token-jwt/src/validate.ts (strict)",
           fault="The middleware is strict about RFC 9068, the issuer writes typ JWT.",
           answers={"client": json_(401, '{"message":"Unexpected \'typ\' value"}', www_authenticate='Bearer realm="api", error="invalid_token", error_description="Unexpected \'typ\' value"'),
                    "bare": empty(401, www_authenticate='Bearer realm="api"')})

documented("oathkeeper-mutator-cache", family="verifier", expected=["TN0424"], source="ory/oathkeeper#763", settling=False, issuer="https://edge.example.test",
           fault="Oathkeeper's id_token mutator hands out tokens of its old key from its cache after the key was changed.",
           presented=token("https://edge.example.test", Key("ES256", kid="edge-old")),
           answers={"client": json_(401, '{"error":"invalid_token"}', www_authenticate='Bearer error="invalid_token"'),
                    "discovery": json_(200, '{"issuer":"https://edge.example.test","jwks_uri":"https://edge.example.test/.well-known/jwks.json"}'),
                    "jwks": json_(200, json.dumps(jwks(Key("ES256", kid="edge-new"))))},
           files={"oathkeeper.yml": "mutators:\n  id_token:\n    enabled: true\n    config:\n      issuer_url: https://edge.example.test\n      jwks_url: file:///etc/oathkeeper/id_token.jwks.json\n      ttl: 1h\n"})

documented("sigv4-clock", family="gateway", expected=["TN0310"], presented=None, url="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/reports",
           source="repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden", fault="The caller's clock is behind, so its signature for an IAM method has expired.",
           answers={"client": json_(403, '{"message":"Signature expired: 20261121T170000Z is now earlier than 20261121T175500Z (20261121T180000Z - 5 min.)"}', x_amzn_errortype="InvalidSignatureException")})

documented("sigv4-bad-keys", family="gateway", expected=["TN0310"], presented=None, url="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/reports",
           source="repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden", fault="The caller's access keys are of a deleted role.",
           answers={"client": json_(403, '{"message":"The security token included in the request is invalid."}')})

documented("spring-csrf-log", family="framework", expected=["TN0507"], method="POST", source="spring-projects/spring-security#15009; CsrfFilter logs at debug level",
           fault="CSRF protection refuses POSTs of an API with bearer tokens; the service's debug log says so.",
           answers={"client": empty(403)}, logs={"service.log": "2026-11-20T10:11:12.345Z DEBUG 1 --- [orders] [nio-8080-exec-5] o.s.security.web.csrf.CsrfFilter         : Invalid CSRF token found for http://api.example.test/v1/orders\n"})

documented("espv2-echo-poor", family="edge", expected=["TN0210"], source="GoogleCloudPlatform/esp-v2#447; cloudendpoints/esp#771", settling=False,
           fault="The service's log says that the issuer is Google's, though the caller's token is another's.",
           answers={"client": json_(401, '{"error":"invalid_token"}')},
           logs={"service.log": "2026-11-20T10:11:12.345Z WARN auth: refused token iss=https://accounts.google.com aud=https://orders-run.example.test (x-forwarded-authorization is present)\n"})
