"""Frameworks and hosted services that verify tokens, after their documents and sources."""

import json

from lab.documented import ISSUER, documented, empty, json_, text, token

SPRING = "spring-projects/spring-security: BearerTokenAuthenticationEntryPoint, BearerTokenAccessDeniedHandler, JwtTimestampValidator, JwtIssuerValidator"


def spring(status: int, error: str | None, description="", **more) -> tuple:
    """Spring Security's answer: a challenge and no body."""
    uri = 'error_uri="https://tools.ietf.org/html/rfc6750#section-3.1"'
    return empty(status, www_authenticate=f'Bearer error="{error}", error_description="{description}", {uri}' if error else "Bearer", **more)


BAD = "An error occurred while attempting to decode the Jwt: "
FORGED = spring(401, "invalid_token", BAD + "Signed JWT rejected: Invalid signature")

documented("spring-expired", family="verifier", expected=["TN0415"], source=SPRING, presented=token(age=9000, lifetime=900),
           fault="The token has ended; Spring's challenge says when.",
           answers={"client": spring(401, "invalid_token", BAD + "Jwt expired at 2026-11-21T15:44:10Z"), "bare": spring(401, None), "altered": FORGED})

documented("spring-issuer", family="verifier", expected=["TN0411"], source=SPRING, presented=token("http://keycloak:8080/realms/shop"),
           fault="The service asks for the public issuer, the token has the one of the internal network.",
           answers={"client": spring(401, "invalid_token", BAD + "The iss claim is not valid"), "bare": spring(401, None), "altered": FORGED},
           files={"application.yml": "spring:\n  security:\n    oauth2:\n      resourceserver:\n        jwt:\n          issuer-uri: https://sso.example.test/realms/shop\n"})

documented("spring-audience", family="verifier", expected=["TN0412"], source=SPRING, presented=token(audience="account"),
           fault="The token's audience is account, the service asks for its own name.",
           answers={"client": spring(401, "invalid_token", BAD + "The aud claim is not valid"), "bare": spring(401, None), "altered": FORGED})

documented("spring-insufficient-scope", family="framework", expected=["TN0513"], source=SPRING,
           fault="The token lacks the scope that the endpoint asks for; another user's token works.", other=token(subject="u-1", scope="orders:read orders:write"),
           answers={"client": spring(403, "insufficient_scope", "The request requires higher privileges than provided by the access token."), "bare": spring(401, None),
                    "altered": FORGED, "other_token": json_(200, '{"orders":[]}')})

documented("spring-two-tokens", family="client", expected=["TN0106"], source="spring-projects/spring-security: DefaultBearerTokenResolver",
           fault="The request has the token twice, in the header and as access_token.", url="https://api.example.test/v1/orders?access_token=eyJhbGciOiJub25lIn0.e30.",
           answers={"client": spring(400, "invalid_request", "Found multiple bearer tokens in the request")})

documented("spring-error-page-secured", family="framework", expected=["TN0506"], source="spring-projects/spring-security#12453; spring-projects/spring-security#14481",
           fault="A controller throws; the forward to /error is secured, and the answer is 401 with an empty body though the token is good.",
           answers={"client": empty(401), "bare": spring(401, None), "altered": FORGED, "other_endpoint": json_(200, '{"items":[]}')},
           logs={"service.log": "2026-11-20T10:11:12.345Z ERROR 1 --- [orders] [nio-8080-exec-3] o.a.c.c.C.[.[.[/].[dispatcherServlet]    : Servlet.service() for servlet [dispatcherServlet] in context with path [] threw exception [Request processing failed: java.lang.NullPointerException] with root cause\n\njava.lang.NullPointerException: Cannot invoke \"Order.total()\" because \"order\" is null\n\tat example.OrderController.get(OrderController.java:41)\n"})

documented("spring-csrf", family="framework", expected=["TN0507"], source="spring-projects/spring-security#15009", method="POST",
           fault="CSRF protection is on for a stateless API: GET works and POST is 403.",
           answers={"client": empty(403), "other_method": json_(200, "")})

SUPABASE = "supabase/auth internal/api/auth.go, internal/api/middleware.go"
documented("supabase-bad-jwt", family="framework", expected=["TN0501", "TN0415"], source=f"{SUPABASE}; supabase/supabase-js#1196",
           url="https://abcdefghij.supabase.co/auth/v1/user", presented=token("https://abcdefghij.supabase.co/auth/v1", age=7300, lifetime=3600, audience="authenticated"),
           fault="The token has ended; Supabase Auth says so with 403 bad_jwt, so a client that refreshes on 401 never does.",
           answers={"client": json_(403, '{"code":403,"error_code":"bad_jwt","msg":"invalid JWT: unable to parse or verify signature, token has invalid claims: token is expired"}'),
                    "bare": json_(401, '{"code":401,"error_code":"no_authorization","msg":"This endpoint requires a Bearer token"}')})

documented("supabase-session-gone", family="framework", expected=["TN0501"], source=SUPABASE, url="https://abcdefghij.supabase.co/auth/v1/user",
           presented=token("https://abcdefghij.supabase.co/auth/v1", audience="authenticated"),
           fault="The session was deleted elsewhere; the token is still well-signed, and the answer is 403 session_not_found.",
           answers={"client": json_(403, '{"code":403,"error_code":"session_not_found","msg":"Session from session_id claim in JWT does not exist"}')})

documented("postgrest-permission-denied", family="framework", expected=["TN0502"], source="docs.postgrest.org: Errors (42501)", url="https://abcdefghij.supabase.co/rest/v1/orders",
           fault="The database role has no grant on the table; PostgREST answers 403 with the SQL state.",
           answers={"client": json_(403, '{"code":"42501","details":null,"hint":null,"message":"permission denied for table orders"}'),
                    "bare": json_(401, '{"code":"42501","details":null,"hint":null,"message":"permission denied for table orders"}')})

documented("firebase-other-project", family="verifier", expected=["TN0421", "TN0412"], source="firebase/firebase-admin-node src/auth/token-verifier.ts",
           presented=token("https://securetoken.google.com/shop-staging", audience="shop-staging"),
           fault="The token is of the staging project, the service of the production one.",
           answers={"client": json_(401, json.dumps({"error": 'Firebase ID token has incorrect "aud" (audience) claim. Expected "shop-prod" but got "shop-staging". Make sure the ID token comes from the same Firebase project as the service account used to authenticate this SDK.'}))})

documented("firebase-custom-token-log", family="verifier", expected=["TN0421"], source="firebase/firebase-admin-node src/auth/token-verifier.ts",
           fault="The app sends the custom token that it should have exchanged for an ID token.",
           logs={"functions.log": "2026-11-20T08:00:01.200Z ERROR verifyIdToken() expects an ID token, but was given a custom token.\n2026-11-20T08:00:01.201Z INFO POST /orders 401\n"})

documented("google-used-too-early", family="verifier", expected=["TN0416"], source="googleapis/google-auth-library-python#583, #889",
           fault="The service's clock is some seconds behind Google's; a fresh token is refused once, and works when it is tried again.",
           logs={"service.log": "".join(f"2026-11-20 08:0{minute}:01,200 WARNING auth: sign-in failed: Token used too early, {1795161660 + minute * 60} < {1795161663 + minute * 60}. Check that your computer's clock is set correctly.\n"
                                        f"2026-11-20 08:0{minute}:05,120 INFO auth: sign-in ok\n" for minute in (1, 3, 4, 8))})

documented("jwt-authorizer-issuer", family="framework", expected=["TN0517", "TN0411"], source="cduvray/jwt-authorizer jwt-authorizer/src/error.rs",
           fault="The Rust layer jwt-authorizer answers a wrong issuer with 403 invalid_token.", presented=token("http://auth:8080"),
           answers={"client": empty(403, www_authenticate='Bearer error="invalid_token"'), "bare": empty(401, www_authenticate="Bearer"), "altered": empty(401, www_authenticate='Bearer error="invalid_token"')},
           files={"orders.toml": f'[auth]\nissuer = "{ISSUER}"\naudience = "orders-api"\n'})

documented("axum-jwt-auth-unknown-kid", family="framework", expected=["TN0518"], source="cmackenzie1/axum-jwt-auth src/axum.rs, src/remote.rs",
           fault="The Rust layer axum-jwt-auth answers an unknown kid with 500.",
           answers={"client": text(500, "Internal error")}, settling=False)

documented("step-up-required", family="verifier", expected=["TN0423"], source="RFC 9470, section 3", presented=token(acr="1", auth_time=1795200000),
           fault="The endpoint asks for a stronger or fresher sign-in; refreshing cannot give it.",
           answers={"client": empty(401, www_authenticate='Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="2"')})

documented("dpop-nonce", family="verifier", expected=["TN0422"], source="RFC 9449, section 9", presented=token(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
           fault="The resource server asks for a nonce in the DPoP proof, and the client does not try again with it.",
           answers={"client": empty(401, www_authenticate='DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof"', dpop_nonce="eyJ7S_zG.eyJH0-Z.HX4w-7v")})

documented("nginx-auth-request-log", family="framework", expected=["TN0510"], source="nginx/nginx src/http/modules/ngx_http_auth_request_module.c",
           fault="The service behind auth_request answers 502, and nginx makes 500 of it; only the error log is there.",
           logs={"error.log": "".join(f'2026/11/20 10:0{minute}:33 [error] 31#31: *{1840 + minute} auth request unexpected status: 502 while sending to client, client: 203.0.113.{minute}, server: api.example.test, request: "GET /v1/orders HTTP/1.1", host: "api.example.test"\n' for minute in range(6))})

documented("esp-exp-string", family="verifier", expected=["TN0419"], source="cloud.google.com/endpoints: Troubleshooting JWT validation; google/jwt_verify_lib src/status.cc",
           fault="exp is a string; the gateway of Google's endpoints refuses it.", presented=token(exp="1795300000"),
           answers={"client": json_(401, '{"code":401,"message":"Jwt payload [exp] field is not an integer"}')})
