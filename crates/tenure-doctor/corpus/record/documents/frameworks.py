"""Spring Security, ASP.NET, Hasura, PostgREST, Laravel and NextAuth, after their sources and documents."""

import base64
import email.utils
import json
import random
import secrets
import time

from lab.common import case, inputs
from lab.documented import documented, empty, json_
from lab.stacks import hs, mint
from lab.tokens import Key

SPRING = "spring-projects/spring-security: BearerTokenAuthenticationEntryPoint, JwtAuthenticationProvider; connect2id/nimbus-jose-jwt: DefaultJWTProcessor"
ASPNET = "dotnet/aspnetcore: src/Security/Authentication/JwtBearer/src/JwtBearerHandler.cs; AzureAD/azure-activedirectory-identitymodel-extensions-for-dotnet: LogMessages.cs"
RFC6750 = "https://tools.ietf.org/html/rfc6750#section-3.1"


def bearer(text: str) -> dict:
    return {"www_authenticate": f'Bearer error="invalid_token", error_description="{text}"', "date": email.utils.formatdate(usegmt=True)}


def spring(text: str) -> tuple:
    field = f'Bearer error="invalid_token", error_description="{text}", error_uri="{RFC6750}"'
    return empty(401, www_authenticate=field, x_content_type_options="nosniff", cache_control="no-cache, no-store, max-age=0, must-revalidate", content_length="0")


MALFORMED = spring("An error occurred while attempting to decode the Jwt: Malformed token")
SPRING_BARE = empty(401, www_authenticate="Bearer", x_content_type_options="nosniff", content_length="0")
NO_KEY = spring("An error occurred while attempting to decode the Jwt: Signed JWT rejected: Another algorithm expected, or no matching key(s) found")
EC = Key("ES256", kid="b1f6-es")
SUPABASE_LIKE = mint(EC, issuer="https://abcdefgh.supabase.example/auth/v1", audience="authenticated", lifetime=86400)

documented(
    "spring-es256-without-algorithm", family="verifier", expected=["TN0410"], source=SPRING, settling=True,
    fault="The issuer signs with ES256; NimbusJwtDecoder was built with its default RS256 and says that no key matches, though the set has the kid.",
    presented=SUPABASE_LIKE(scope=None, role="authenticated"), url="https://api.example.test/v1/invoices",
    answers={"client": NO_KEY, "bare": SPRING_BARE, "garbage": MALFORMED, "altered": NO_KEY},
    keys=lambda: {"jwks.json": json.dumps({"keys": [EC.jwk()]}, indent=1)},
    files={"src/main/java/shop/SecurityConfig.java": "@Bean\nJwtDecoder jwtDecoder(@Value(\"${auth.jwks-uri}\") String uri) {\n    return NimbusJwtDecoder.withJwkSetUri(uri).build();\n}\n",
           "src/main/resources/application.yml": "auth:\n  jwks-uri: https://abcdefgh.supabase.example/auth/v1/.well-known/jwks.json\n"})

KC = Key(kid="kc-rs-1")
REALM = mint(KC, issuer="https://sso.example.test/realms/shop", audience="account", lifetime=86400)
INSUFFICIENT = f'Bearer error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token.", error_uri="{RFC6750}"'

documented(
    "spring-has-role-realm-access", family="framework", expected=["TN0515"], source=SPRING, settling=True,
    fault="hasRole(ADMIN) without a JwtAuthenticationConverter: Spring makes authorities of scope only, Keycloak writes the role under realm_access.",
    presented=REALM(scope="openid profile email", roles=None, realm_access={"roles": ["offline_access", "ADMIN"]}, preferred_username="ines", azp="shop-web"),
    url="https://api.example.test/admin/reports",
    answers={"client": empty(403, www_authenticate=INSUFFICIENT, content_length="0"), "bare": SPRING_BARE, "garbage": MALFORMED,
             "altered": spring("An error occurred while attempting to decode the Jwt: Signed JWT rejected: Invalid signature")},
    files={"src/main/java/shop/SecurityConfig.java": "http.authorizeHttpRequests(requests -> requests\n        .requestMatchers(\"/admin/**\").hasRole(\"ADMIN\")\n        .anyRequest().authenticated())\n    .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()));\n",
           "src/main/resources/application.yml": "spring:\n  security:\n    oauth2:\n      resourceserver:\n        jwt:\n          issuer-uri: https://sso.example.test/realms/shop\n"})

SHARED_A, SHARED_B = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
SIGNED = hs(SHARED_A, issuer="https://identity.example.test", audience="shop-api", lifetime=86400)()
NOT_FOUND = empty(401, **bearer("The signature key was not found"), content_length="0", server="Kestrel")

documented(
    "aspnet-signature-key-not-found", family="verifier", expected=["TN0407"], source=ASPNET, settling=True,
    fault="Identity signs with Jwt:Key of its appsettings, the shop API has another value under Jwt:SecretKey; Kestrel says that the key was not found.",
    presented=SIGNED, url="https://api.example.test/api/points",
    answers={"client": NOT_FOUND, "bare": empty(401, www_authenticate="Bearer", server="Kestrel"), "altered": NOT_FOUND, "garbage": empty(401, www_authenticate='Bearer error="invalid_token"', server="Kestrel")},
    files={"Identity/appsettings.json": json.dumps({"Jwt": {"Key": SHARED_A, "Issuer": "https://identity.example.test", "Audience": "shop-api"}}, indent=2),
           "Shop.Api/appsettings.json": json.dumps({"Jwt": {"SecretKey": SHARED_B, "Issuer": "https://identity.example.test", "Audience": "shop-api"}}, indent=2)})

TENANT = "72f988bf-0000-4000-8000-00000000abcd"
ENTRA = mint(KC, issuer=f"https://sts.windows.net/{TENANT}/", audience="api://shop-orders", lifetime=4200)
V1 = f"The issuer 'https://sts.windows.net/{TENANT}/' is invalid"

documented(
    "aspnet-entra-v1-token", family="verifier", expected=["TN0411"], source=ASPNET, settling=True,
    fault="The app registration hands out v1 tokens (sts.windows.net), the API's authority is the v2.0 endpoint.",
    presented=ENTRA(ver="1.0", appid="6f1c0000-0000-4000-8000-000000000017", scope=None, scp="Orders.Read", tid=TENANT, roles=None), url="https://orders.example.test/api/orders",
    answers={"client": empty(401, **bearer(V1), server="Kestrel"), "bare": empty(401, www_authenticate="Bearer", server="Kestrel")},
    files={"appsettings.json": json.dumps({"Authentication": {"Authority": f"https://login.microsoftonline.com/{TENANT}/v2.0", "Audience": "api://shop-orders"}}, indent=2)})


def dotnet(now: float, path: str, status: int, lines: str = "") -> str:
    """One request in the layout of the console logger."""
    took = random.Random(now).uniform(0.6, 12)
    return (f"info: Microsoft.AspNetCore.Hosting.Diagnostics[1]\n      Request starting HTTP/1.1 GET http://orders.example.test{path} - - -\n{lines}"
            f"info: Microsoft.AspNetCore.Hosting.Diagnostics[2]\n      Request finished HTTP/1.1 GET http://orders.example.test{path} - {status} {0 if status == 401 else 184} {'-' if status == 401 else 'application/json;+charset=utf-8'} {took:.4f}ms\n")


def us(at: float) -> str:
    return time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime(at))


@case("aspnet-expired-console-log", family="verifier", expected=["TN0415"], settling=True, documented=ASPNET,
      fault="A kiosk's browser was asleep and sends a token that ended hours ago, again and again; others are well. Only the console log is there.")
def dotnet_expired(_lab):
    now, ended, log = time.time(), time.time() - 9000, ""
    for turn in range(40):
        at = now - (40 - turn) * 60
        log += dotnet(at, "/health" if turn % 5 == 0 else "/api/orders", 200)
        if turn % 3 == 1:
            log += dotnet(at, "/api/orders", 401, (
                "info: Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler[1]\n      Failed to validate the token.\n"
                f"      Microsoft.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: Lifetime validation failed. The token is expired. ValidTo (UTC): '{us(ended)}', Current time (UTC): '{us(at)}'.\n"
                "         at Microsoft.IdentityModel.Tokens.Validators.ValidateLifetime(Nullable`1 notBefore, Nullable`1 expires, SecurityToken securityToken, TokenValidationParameters validationParameters)\n"
                "info: Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler[7]\n      Bearer was not authenticated. Failure message: IDX10223: Lifetime validation failed. The token is expired. "
                f"ValidTo (UTC): '{us(ended)}', Current time (UTC): '{us(at)}'.\ninfo: Microsoft.AspNetCore.Authorization.DefaultAuthorizationService[2]\n      Authorization failed. These requirements were not met:\n"
                "      DenyAnonymousAuthorizationRequirement: Requires an authenticated user.\ninfo: Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler[12]\n      AuthenticationScheme: Bearer was challenged.\n"))
    return inputs(now=now, logs={"orders.log": log})


HASURA = "hasura/graphql-engine: docs/authentication/jwt, server/src-lib/Hasura/Server/Auth/JWT.hs"
HASURA_A, HASURA_B = secrets.token_hex(32), secrets.token_hex(32)
HASURA_TOKEN = hs(HASURA_A, audience=None, lifetime=86400)(scope=None, roles=None, **{"https://hasura.io/jwt/claims": {"x-hasura-default-role": "user", "x-hasura-allowed-roles": ["user"], "x-hasura-user-id": "4711"}})


def hasura(text: str, code="invalid-jwt") -> tuple:
    return json_(200, json.dumps({"errors": [{"extensions": {"path": "$", "code": code}, "message": text}]}, separators=(",", ":")))


documented(
    "hasura-secret-of-compose", family="verifier", expected=["TN0407"], source=HASURA, settling=True, method="POST", url="https://graphql.example.test/v1/graphql",
    fault="Hasura's JWT secret in the compose file is not the auth service's; it answers 200 with JWSInvalidSignature in errors.",
    presented=HASURA_TOKEN, answers={"client": hasura("Could not verify JWT: JWSError JWSInvalidSignature"), "altered": hasura("Could not verify JWT: JWSError JWSInvalidSignature")},
    files={"docker-compose.yml": "services:\n  graphql:\n    image: hasura/graphql-engine:v2.44.0\n    environment:\n      HASURA_GRAPHQL_UNAUTHORIZED_ROLE: anonymous\n"
                                 f"      HASURA_GRAPHQL_JWT_SECRET: '{{\"type\":\"HS256\",\"key\":\"{HASURA_B}\"}}'\n  auth:\n    environment:\n      JWT_SECRET: {HASURA_A}\n"})

documented(
    "hasura-expired-poor", family="verifier", expected=["TN0415"], source=HASURA, settling=True, method="POST", url="https://graphql.example.test/v1/graphql",
    fault="The token ended; Hasura answers 200 with JWTExpired in errors, so the client's 401 handler never refreshes.",
    presented=hs(HASURA_A, audience=None)(age=5000, scope=None, roles=None, **{"https://hasura.io/jwt/claims": {"x-hasura-default-role": "user", "x-hasura-allowed-roles": ["user"]}}),
    answers={"client": hasura("Could not verify JWT: JWTExpired")})

POSTGREST = "docs.postgrest.org: references/auth, references/errors, references/configuration (jwt-secret, jwt-secret-is-base64)"
B64 = base64.b64encode(secrets.token_bytes(32)).decode()
PGRST = hs(B64, audience=None, lifetime=86400)(role="web_user", scope=None, roles=None)


def pgrst(status: int, code: str, text: str, **headers) -> tuple:
    return json_(status, json.dumps({"code": code, "details": None, "hint": None, "message": text}, separators=(",", ":")), server="postgrest/12.2.3", **headers)


BAD_SIGNATURE = pgrst(401, "PGRST301", "JWSError JWSInvalidSignature", www_authenticate='Bearer error="invalid_token", error_description="JWSError JWSInvalidSignature"')

documented(
    "postgrest-secret-is-base64", family="verifier", expected=["TN0408"], source=POSTGREST, settling=True, url="https://data.example.test/orders",
    fault="PostgREST decodes the secret (jwt-secret-is-base64), the service that signs takes its text.",
    presented=PGRST, answers={"client": BAD_SIGNATURE, "altered": BAD_SIGNATURE, "bare": json_(200, "[]", server="postgrest/12.2.3")},
    keys={"jwt.secret": B64},
    files={"postgrest.conf": f'db-uri = "postgres://authenticator@db:5432/shop"\ndb-schemas = "api"\ndb-anon-role = "web_anon"\njwt-secret = "{B64}"\njwt-secret-is-base64 = true\n'})

documented(
    "postgrest-grant-missing-for-role", family="framework", expected=["TN0502"], source=POSTGREST, settling=True, url="https://data.example.test/invoices",
    fault="A new table came without GRANT for the role of the token; tables of before work.",
    presented=hs(B64, audience=None, lifetime=86400)(role="web_user", scope=None, roles=None),
    answers={"client": pgrst(403, "42501", "permission denied for table invoices"), "bare": pgrst(401, "42501", "permission denied for table invoices", www_authenticate="Bearer"),
             "altered": BAD_SIGNATURE},
    files={"migrations/20261119_invoices.sql": "create table api.invoices (\n  id bigint generated always as identity primary key,\n  order_id bigint not null references api.orders,\n  total numeric(10, 2) not null\n);\n"})

LARAVEL = "laravel/framework: src/Illuminate/Foundation/Http/Middleware/VerifyCsrfToken.php, src/Illuminate/Foundation/Exceptions/Handler.php"

documented(
    "laravel-sanctum-419", family="framework", expected=["TN0507"], source=LARAVEL, settling=True, method="POST", url="https://api.shop.example.test/api/orders", origin="https://shop.example.test",
    fault="The page's host is among SANCTUM_STATEFUL_DOMAINS, so its POST with a token is held for a cookie session and wants X-XSRF-TOKEN: 419. Without Origin it is well.",
    presented=f"17|{secrets.token_urlsafe(30)}",
    answers={"client": json_(201, '{"id":18}'), "origin": json_(419, '{"message":"CSRF token mismatch."}'), "bare_origin": json_(419, '{"message":"CSRF token mismatch."}'), "bare": json_(401, '{"message":"Unauthenticated."}')},
    files={".env": "APP_URL=https://api.shop.example.test\nSESSION_DOMAIN=.shop.example.test\nSANCTUM_STATEFUL_DOMAINS=shop.example.test\n"})

TYMON = "tymondesigns/jwt-auth: src/Providers/JWT/Lcobucci.php, src/Console/JWTGenerateSecretCommand.php; laravel/framework: Log"


@case("laravel-jwt-secret-in-entrypoint", family="verifier", expected=["TN0409"], settling=True, documented=TYMON,
      fault="The container's entry point runs jwt:secret --force at each start, so each start invalidates all tokens.")
def laravel(_lab):
    now, log = time.time(), ""
    for turn, hours in enumerate((30.5, 22.2, 6.1)):
        start = now - hours * 3600
        stamp = lambda at: time.strftime("[%Y-%m-%d %H:%M:%S]", time.gmtime(at))
        log += f"{stamp(start)} production.INFO: Application booted {{\"release\":\"2026.11.{17 + turn}\"}} \n"
        for user in range(11):
            at = start + 20 + user * 37
            log += f"{stamp(at)} production.WARNING: Token Signature could not be verified. {{\"path\":\"api/me\",\"ip\":\"203.0.113.{user}\"}} \n"
            log += f"{stamp(at + 8)} production.INFO: login {{\"user\":{4100 + user},\"ip\":\"203.0.113.{user}\"}} \n"
        for job in range(14):
            log += f"{stamp(start + 900 + job * 1200)} production.INFO: Processed order {{\"id\":{9000 + turn * 20 + job}}} \n"
    entry = "#!/bin/sh\nset -e\nphp artisan migrate --force\nphp artisan jwt:secret --force\nphp artisan config:cache\nexec php-fpm\n"
    return inputs(now=now, logs={"laravel.log": log}, files={"docker/entrypoint.sh": entry})


NEXTAUTH = "nextauthjs/next-auth (v4): packages/next-auth/src/core/routes/session.ts, docs/errors.md#jwt_session_error"


@case("nextauth-secret-per-build", family="verifier", expected=["TN0409"], settling=True, documented=NEXTAUTH,
      fault="The image's Dockerfile makes a NEXTAUTH_SECRET at each build, so each release cannot read the session cookies of the one before.")
def nextauth(_lab):
    now, log = time.time(), ""
    for release in range(3):
        log += "   ▲ Next.js 14.2.33\n   - Local:        http://localhost:3000\n\n ✓ Starting...\n ✓ Ready in 412ms\n"
        for visit in range(18):
            log += f" GET /{'dashboard' if visit % 2 else 'api/auth/session'} {200 if visit % 2 == 0 or visit > 9 else 307} in {9 + visit % 7}ms\n"
            if visit % 2 == 0 and visit < 10 and release:
                log += ("[next-auth][error][JWT_SESSION_ERROR] \nhttps://next-auth.js.org/errors#jwt_session_error decryption operation failed {\n  message: 'decryption operation failed',\n"
                        "  stack: 'JWEDecryptionFailed: decryption operation failed\\n' +\n    '    at gcmDecrypt (/app/node_modules/jose/dist/node/cjs/runtime/decrypt.js:67:15)\\n' +\n"
                        "    '    at decrypt (/app/node_modules/jose/dist/node/cjs/runtime/decrypt.js:90:20)',\n  name: 'JWEDecryptionFailed'\n}\n")
    docker = "FROM node:20-alpine AS build\nWORKDIR /app\nCOPY . .\nRUN apk add --no-cache openssl && echo \"NEXTAUTH_SECRET=$(openssl rand -base64 32)\" >> .env.production\nRUN npm ci && npm run build\n"
    return inputs(now=now, logs={"web.log": log}, files={"Dockerfile": docker})
