//! What issuers, clients and their libraries say when a session ends.

use crate::sign::answer::{At, texts};

texts! {
    /// Supabase (`internal/tokens/service.go`).
    SUPABASE_USED = "refresh-token-already-used", At::Issuer, "refresh_token_already_used", "the issuer met a refresh token that had been used";
    /// Supabase's header field.
    SUPABASE_REUSE = "supabase-refresh-reuse", At::Issuer, "sb-auth-refresh-token-reuse", "the issuer met a refresh token that had been used";
    /// Auth0's answer.
    AUTH0_REUSE = "auth0-refresh-reuse", At::Issuer, "reused refresh token detected", "the issuer met a refresh token that had been used";
    /// Auth0's log event.
    AUTH0_FERRT = "auth0-ferrt", At::Issuer, "\"ferrt\"", "the issuer's log has the event of a reused refresh token";
    /// Keycloak with `Revoke Refresh Token`.
    KEYCLOAK_REUSE = "keycloak-refresh-reuse", At::Issuer, "Maximum allowed refresh token reuse exceeded", "the issuer met a refresh token that had been used";
    /// oidc-provider's `error_detail`.
    OIDC_REUSE = "oidc-provider-refresh-reuse", At::Issuer, "refresh token already used", "the issuer met a refresh token that had been used";
    /// Tenure.
    TENURE_THEFT = "tenure-theft-detected", At::Issuer, "theft_detected", "two holders of one refresh token went on";
    /// Tenure's client.
    ANSWER_LOST = "tenure-answer-lost", At::Issuer, "answer_lost", "the client never got the answer to a refresh, and the service had carried it out";
    /// Supabase's message.
    SUPABASE_USED_SAID = "supabase-refresh-used", At::Issuer, "Refresh Token: Already Used", "the issuer met a refresh token that had been used";
    /// Okta's System Log, of its own server and of custom ones.
    OKTA_REUSE = "okta-detect-reuse", At::Issuer, "token.detect_reuse", "the issuer met a refresh token that had been used";
    /// Amazon Cognito's rotation.
    COGNITO_REUSE = "cognito-refresh-reuse", At::Issuer, "RefreshTokenReuseException", "the issuer met a refresh token that had been used";
    /// Duende `IdentityServer`, in its log.
    DUENDE_REUSE = "duende-refresh-consumed", At::Issuer, "refresh token because it has been consumed", "the issuer met a refresh token that had been used";
    /// ABP, and others on it.
    CONSUMED = "refresh-token-consumed", At::Issuer, "Refresh token has been consumed", "the issuer met a refresh token that had been used";
    /// `OpenIddict`.
    OPENIDDICT_REUSE = "openiddict-redeemed", At::Issuer, "token has already been redeemed", "the issuer met a refresh token that had been used";
    /// `WorkOS`.
    WORKOS_REUSE = "workos-refresh-exchanged", At::Issuer, "Refresh token already exchanged", "the issuer met a refresh token that had been used";
    /// authentik.
    AUTHENTIK_REUSE = "authentik-refresh-reuse", At::Issuer, "Revoked refresh token was used", "the issuer met a refresh token that had been used";
    /// Ory Fosite (Hydra, Authelia).
    FOSITE_REUSE = "fosite-refresh-reuse", At::Issuer, "The refresh token was already used", "the issuer met a refresh token that had been used";
    /// Services of one's own.
    REUSE_NAMED = "refresh-token-reuse", At::Issuer, "refresh token reuse", "the issuer met a refresh token that had been used";
    /// Likewise.
    REUSE_CODE = "refresh-token-reuse-code", At::Issuer, "refresh_token_reuse", "the issuer met a refresh token that had been used";
    /// Likewise.
    REPLAY_NAMED = "refresh-token-replay", At::Issuer, "refresh token replay", "the issuer met a refresh token that had been used";
    /// Likewise.
    USED_NAMED = "refresh-token-has-been-used", At::Issuer, "refresh token has already been used", "the issuer met a refresh token that had been used";
    /// Likewise.
    ROTATED_NAMED = "refresh-token-has-been-rotated", At::Issuer, "refresh token has already been rotated", "the issuer met a refresh token that had been used";
    /// Microsoft Entra: tokens of single-page apps last a day.
    ENTRA_SPA = "entra-700084", At::Issuer, "AADSTS700084", "the refresh token's day is over, as of every single-page app";
    /// Microsoft Entra, lifetime.
    ENTRA_LIFETIME = "entra-700081", At::Issuer, "AADSTS700081", "the refresh token's lifetime is over";
    /// Microsoft Entra: the sign-in frequency of conditional access.
    ENTRA_FREQUENCY = "entra-70043", At::Issuer, "AADSTS70043", "the refresh token is over by the sign-in frequency";
    /// Supabase: a limit of the session's time.
    SUPABASE_OVER = "supabase-session-expired", At::Issuer, "Refresh Token: Session Expired", "the session's time is over";
    /// Salesforce.
    SALESFORCE_OVER = "salesforce-refresh-expired", At::Issuer, "expired access/refresh token", "the refresh token is over";
    /// AWS IAM Identity Center, by the AWS CLI.
    AWS_SSO_OVER = "aws-sso-token-expired", At::Issuer, "Token has expired and refresh failed", "the sign-in's time is over";
    /// Keycloak's event.
    KEYCLOAK_SESSION_EXPIRED = "keycloak-session-expired", At::Issuer, "error=\"session_expired\"", "the session is over at the issuer";
    /// Firebase.
    FIREBASE_OVER = "firebase-user-token-expired", At::Issuer, "auth/user-token-expired", "the session was ended at the issuer";
    /// Google: the user took the grant back, a week of a test is over, or half a year without use.
    GOOGLE_ENDED = "google-expired-or-revoked", At::Issuer, "Token has been expired or revoked", "the refresh token is expired or was revoked";
    /// Google Workspace: the session's length.
    GOOGLE_RAPT = "google-invalid-rapt", At::Issuer, "invalid_rapt", "the organisation asks for a new sign-in";
    /// Microsoft Entra: the grant was revoked, mostly by a new password.
    ENTRA_REVOKED = "entra-50173", At::Issuer, "AADSTS50173", "the grant was revoked, mostly by a new password";
    /// Microsoft Entra.
    ENTRA_NOT_VALID = "entra-50132", At::Issuer, "AADSTS50132", "the session was revoked or its password changed";
    /// Microsoft Entra.
    ENTRA_SESSION_OVER = "entra-50133", At::Issuer, "AADSTS50133", "the session is over, or its password changed";
    /// Microsoft Entra.
    ENTRA_DISABLED = "entra-50057", At::Issuer, "AADSTS50057", "the account is disabled";
    /// Supabase: one session for each user.
    SUPABASE_NEWER = "supabase-newer-login", At::Issuer, "Session Expired (Revoked by Newer Login)", "the session was ended by a newer sign-in";
    /// Keycloak: a `not before` was pushed.
    KEYCLOAK_STALE = "keycloak-stale-token", At::Issuer, "Stale token", "the session was signed out at the issuer";
    /// Keycloak, offline sessions.
    KEYCLOAK_OFFLINE_GONE = "keycloak-offline-not-found", At::Issuer, "Offline user session not found", "the offline session is gone at the issuer";
    /// Firebase.
    FIREBASE_REVOKED = "firebase-id-token-revoked", At::Issuer, "auth/id-token-revoked", "the session was revoked at the issuer";
    /// Firebase.
    FIREBASE_COOKIE_REVOKED = "firebase-session-cookie-revoked", At::Issuer, "auth/session-cookie-revoked", "the session was revoked at the issuer";
    /// Services of one's own, Spotify.
    REVOKED_NAMED = "refresh-token-revoked", At::Issuer, "refresh token revoked", "the refresh token was revoked";
    /// Likewise.
    REVOKED_WAS = "refresh-token-was-revoked", At::Issuer, "refresh token was revoked", "the refresh token was revoked";
    /// Likewise.
    EXPIRED_NAMED = "refresh-token-expired", At::Issuer, "refresh token expired", "the refresh token is over";
    /// Likewise.
    EXPIRED_CODE = "refresh-token-expired-code", At::Issuer, "refresh_token_expired", "the refresh token is over";
    /// Okta.
    OKTA_INVALID = "okta-refresh-invalid", At::Issuer, "The refresh token is invalid or expired", "the issuer does not take the refresh token any more";
    /// Auth0.
    AUTH0_INVALID = "auth0-refresh-invalid", At::Issuer, "Unknown or invalid refresh token", "the issuer does not take the refresh token any more";
    /// Auth0's log event.
    AUTH0_FERTFT = "auth0-fertft", At::Issuer, "\"fertft\"", "the issuer's log has the event of a refresh that failed";
    /// GitHub, `HubSpot`.
    BAD_REFRESH = "bad-refresh-token", At::Issuer, "bad_refresh_token", "the issuer does not take the refresh token any more";
    /// Slack.
    SLACK_INVALID = "slack-refresh-invalid", At::Issuer, "invalid_refresh_token", "the issuer does not take the refresh token any more";
    /// Ping.
    PING_INVALID = "ping-refresh-invalid", At::Issuer, "unknown, invalid, or expired refresh token", "the issuer does not take the refresh token any more";
    /// `LinkedIn`, others.
    LINKEDIN_INVALID = "linkedin-refresh-invalid", At::Issuer, "refresh token is invalid, expired or revoked", "the issuer does not take the refresh token any more";
    /// Supabase.
    SUPABASE_UNKNOWN = "supabase-refresh-not-found", At::Issuer, "Refresh Token: Refresh Token Not Found", "the issuer does not know the refresh token";
    /// `OpenIddict`.
    OPENIDDICT_INVALID = "openiddict-refresh-invalid", At::Issuer, "refresh token is no longer valid", "the issuer does not take the refresh token any more";
    /// Ory Fosite (Hydra, Authelia).
    FOSITE_INVALID = "fosite-refresh-not-found", At::Issuer, "refresh token has not been found", "the issuer does not know the refresh token";
    /// ZITADEL.
    ZITADEL_INVALID = "zitadel-refresh-invalid", At::Issuer, "Errors.OIDCSession.RefreshTokenInvalid", "the issuer does not take the refresh token any more";
    /// Django REST framework with simplejwt, after a rotation or a sign-out.
    BLACKLISTED = "simplejwt-blacklisted", At::Issuer, "Token is blacklisted", "the refresh token was used, or signed out";
    /// Services of one's own.
    INVALID_OR_EXPIRED = "invalid-or-expired-refresh", At::Issuer, "invalid or expired refresh token", "the issuer does not take the refresh token any more";
    /// Auth0, Google.
    NO_REFRESH_REQUIRED = "refresh-token-required-parameter", At::Issuer, "Missing required parameter: refresh_token", "a refresh was sent without a refresh token";
    /// Microsoft Entra.
    NO_REFRESH_ENTRA = "entra-900144-refresh", At::Issuer, "must contain the following parameter: 'refresh_token'", "a refresh was sent without a refresh token";
    /// Firebase.
    NO_REFRESH_FIREBASE = "firebase-missing-refresh", At::Issuer, "MISSING_REFRESH_TOKEN", "a refresh was sent without a refresh token";
    /// Services of one's own.
    NO_REFRESH_CAMEL = "refresh-token-is-required-camel", At::Issuer, "refreshToken is required", "a refresh was sent without a refresh token";
    /// Likewise.
    NO_REFRESH_SNAKE = "refresh-token-is-required-snake", At::Issuer, "refresh_token is required", "a refresh was sent without a refresh token";
    /// Likewise, Duende `IdentityServer`.
    NO_REFRESH_WORDS = "refresh-token-is-required", At::Issuer, "refresh token is required", "a refresh was sent without a refresh token";
    /// Likewise.
    NO_REFRESH_MISSING = "refresh-token-is-missing", At::Issuer, "refresh token is missing", "a refresh was sent without a refresh token";
    /// Supabase.
    NO_REFRESH_SUPABASE = "supabase-refresh-required", At::Issuer, "refresh_token required", "a refresh was sent without a refresh token";
    /// Amazon Cognito behind AWS WAF.
    WAF_AT_ISSUER = "waf-before-the-issuer", At::Refresh, "not allowed due to WAF block", "a firewall before the token endpoint refuses refreshes";
    /// oidc-provider.
    NO_REFRESH_TOKEN = "refresh-token-missing", At::Issuer, "missing required parameter(s): refresh_token", "a refresh was sent without a refresh token";
    /// Spring Authorization Server.
    NO_REFRESH_PARAMETER = "refresh-token-parameter", At::Issuer, "OAuth 2.0 Parameter: refresh_token", "a refresh was sent without a refresh token";
    /// Amazon Cognito.
    NO_COGNITO_REFRESH = "cognito-refresh-token-missing", At::Issuer, "Missing required parameter REFRESH_TOKEN", "a refresh was sent without a refresh token";
    /// Services that check the field before they look the token up.
    BLANK_REFRESH = "refresh-token-empty", At::Issuer, "refresh_token is empty", "a refresh was sent with an empty refresh token";
    /// Likewise.
    BLANK_REFRESH_SAID = "refresh-token-is-empty", At::Issuer, "refresh token is empty", "a refresh was sent with an empty refresh token";
    /// oidc-provider's `error_detail`, and others'.
    REFRESH_EXPIRED = "refresh-token-is-expired", At::Issuer, "refresh token is expired", "the refresh token is over";
    /// oidc-provider's `error_detail`.
    REFRESH_NOT_FOUND = "refresh-token-not-found", At::Issuer, "refresh token not found", "the issuer does not know the refresh token";
    /// oidc-provider's warning when it starts without an adapter.
    OIDC_IN_MEMORY = "oidc-provider-in-memory", At::Issuer, "development-only in-memory adapter", "the issuer keeps its grants in the memory of one process";
    /// Amazon Cognito, of a token of another client, of another device, or of none.
    COGNITO_INVALID = "cognito-invalid-refresh-token", At::Issuer, "Invalid Refresh Token", "the user pool does not take the refresh token";
    /// Amazon Cognito's name for a refusal.
    NOT_AUTHORIZED = "cognito-not-authorized", At::Refresh, "NotAuthorizedException", "the user pool refuses";
    /// Amazon Cognito, which says of a client that it does not exist, or of a secret that it is wrong.
    POOL_CLIENT = "cognito-client", At::Issuer, "User pool client", "the user pool speaks of its client";
    /// Amazon Cognito: what was named is not there.
    RESOURCE_NOT_FOUND = "cognito-resource-not-found", At::Issuer, "ResourceNotFoundException", "the user pool does not know what was named";
    /// RFC 6749, section 5.2.
    INVALID_CLIENT = "refresh-invalid-client", At::Refresh, "invalid_client", "the issuer does not know the client that refreshes, or its secret";
    /// Microsoft Entra.
    ENTRA_NO_CLIENT = "entra-700016", At::Issuer, "AADSTS700016", "the issuer does not know the client";
    /// Google.
    GOOGLE_NO_CLIENT = "google-deleted-client", At::Issuer, "deleted_client", "the client was deleted at the issuer";
    /// Google.
    GOOGLE_CLIENT_UNKNOWN = "google-client-not-found", At::Issuer, "The OAuth client was not found", "the issuer does not know the client";
    /// oidc-provider's `error_detail`.
    OIDC_NO_CLIENT = "oidc-provider-client-not-found", At::Issuer, "client not found", "the issuer does not know the client";
    /// Keycloak's event.
    KEYCLOAK_NO_CLIENT = "keycloak-client-not-found", At::Issuer, "error=\"client_not_found\"", "the issuer does not know the client";
    /// Ory Fosite (Hydra, Authelia).
    FOSITE_NO_CLIENT = "fosite-client-not-found", At::Issuer, "requested OAuth 2.0 Client does not exist", "the issuer does not know the client";
    /// Duende `IdentityServer`, in its log.
    DUENDE_NO_CLIENT = "duende-no-client", At::Issuer, "found. aborting", "the issuer does not know the client";
    /// Amazon Cognito after a sign-out everywhere.
    COGNITO_REVOKED = "cognito-refresh-revoked", At::Issuer, "Refresh Token has been revoked", "the refresh token was revoked";
    /// Keycloak: the refresh token's own `exp`, which is the idle limit, is over.
    KEYCLOAK_TOKEN_INACTIVE = "keycloak-token-not-active", At::Refresh, "Token is not active", "the refresh token is over: it was not used within the idle limit";
    /// Keycloak: the session is not there any more.
    KEYCLOAK_SESSION_INACTIVE = "keycloak-session-not-active", At::Refresh, "Session not active", "the session of the refresh token is gone at the issuer";
    /// Keycloak, offline sessions.
    KEYCLOAK_OFFLINE_INACTIVE = "keycloak-offline-not-active", At::Issuer, "Offline session not active", "the offline session is gone at the issuer";
    /// Microsoft Entra, inactivity.
    ENTRA_INACTIVE = "entra-700082", At::Issuer, "AADSTS700082", "the refresh token was not used for too long";
    /// Microsoft Entra, lifetime.
    ENTRA_EXPIRED = "entra-70008", At::Issuer, "AADSTS70008:", "the refresh token is over";
    /// Amazon Cognito.
    COGNITO_EXPIRED = "cognito-refresh-expired", At::Issuer, "Refresh Token has expired", "the refresh token is over";
    /// Supabase.
    SUPABASE_INACTIVE = "supabase-session-inactive", At::Issuer, "Session Expired (Inactivity)", "the session was not used for too long";
    /// Google, Cognito's hosted pages: the redirect URI is not among those registered.
    REDIRECT_MISMATCH = "redirect-uri-mismatch", At::Client, "redirect_uri_mismatch", "the issuer does not know the redirect URI";
    /// Amazon Cognito's hosted pages.
    REDIRECT_MISMATCH_COGNITO = "redirect-mismatch", At::Client, "error=redirect_mismatch", "the issuer does not know the redirect URI";
    /// Keycloak.
    REDIRECT_MISMATCH_KEYCLOAK = "keycloak-redirect-uri", At::Client, "Invalid parameter: redirect_uri", "the issuer does not know the redirect URI";
    /// Microsoft Entra.
    REDIRECT_MISMATCH_ENTRA = "entra-50011", At::Client, "AADSTS50011", "the issuer does not know the redirect URI";
    /// oidc-provider.
    REDIRECT_MISMATCH_OIDC = "oidc-provider-redirect-uri", At::Client, "redirect_uri did not match", "the issuer does not know the redirect URI";
    /// Tenure.
    TENURE_URI = "tenure-redirect-uri", At::Client, "redirect_uri is not registered for this client", "the issuer does not know the redirect URI";
    /// Auth0.
    AUTH0_URI = "auth0-callback-mismatch", At::Client, "Callback URL mismatch", "the issuer does not know the redirect URI";
    /// Okta.
    OKTA_URI = "okta-redirect-uri", At::Client, "'redirect_uri' parameter must be a Login redirect URI", "the issuer does not know the redirect URI";
    /// Ory Fosite (Hydra, Authelia).
    FOSITE_URI = "fosite-redirect-uri", At::Client, "pre-registered redirect urls", "the issuer does not know the redirect URI";
    /// GitHub.
    GITHUB_URI = "github-redirect-uri", At::Client, "redirect_uri is not associated with this application", "the issuer does not know the redirect URI";
    /// GitHub, of its older pages.
    GITHUB_URI_OLD = "github-redirect-uri-old", At::Client, "redirect_uri MUST match the registered callback URL", "the issuer does not know the redirect URI";
    /// Doorkeeper (GitLab).
    DOORKEEPER_URI = "doorkeeper-redirect-uri", At::Client, "redirect uri included is not valid", "the issuer does not know the redirect URI";
    /// Likewise.
    DOORKEEPER_URI_NEW = "doorkeeper-redirect-uri-malformed", At::Client, "doesn't match client redirect URI", "the issuer does not know the redirect URI";
    /// Duende `IdentityServer`, Discord.
    DUENDE_URI = "invalid-redirect-uri", At::Client, "Invalid redirect_uri", "the issuer does not know the redirect URI";
    /// ZITADEL.
    ZITADEL_URI = "zitadel-redirect-uri", At::Client, "redirect_uri is missing in the client configuration", "the issuer does not know the redirect URI";
    /// Django OAuth Toolkit.
    OAUTHLIB_URI = "oauthlib-redirect-uri", At::Client, "Mismatching redirect URI", "the issuer does not know the redirect URI";
    /// Dex.
    DEX_URI = "dex-redirect-uri", At::Client, "Unregistered redirect_uri", "the issuer does not know the redirect URI";
    /// Spring Authorization Server.
    SPRING_URI = "spring-redirect-uri", At::Client, "OAuth 2.0 Parameter: redirect_uri", "the issuer does not know the redirect URI";
    /// authentik.
    AUTHENTIK_URI = "authentik-redirect-uri", At::Client, "mismatching redirection URI", "the issuer does not know the redirect URI";
    /// `OpenIddict`.
    OPENIDDICT_URI = "openiddict-redirect-uri", At::Client, "specified 'redirect_uri' is not valid for this client", "the issuer does not know the redirect URI";
    /// `LinkedIn`.
    LINKEDIN_URI = "linkedin-redirect-uri", At::Client, "redirect_uri does not match the registered value", "the issuer does not know the redirect URI";
    /// Meta.
    META_URI = "meta-redirect-uri", At::Client, "redirect URI is not whitelisted", "the issuer does not know the redirect URI";
    /// Slack.
    SLACK_URI = "slack-redirect-uri", At::Client, "bad_redirect_uri", "the issuer does not know the redirect URI";
    /// openid-client, many others.
    STATE_MISMATCH = "state-mismatch", At::Client, "state mismatch, expected", "the answer to the sign-in does not belong to the browser's own";
    /// Passport.
    STATE_UNVERIFIED = "state-unverified", At::Client, "Unable to verify authorization request state", "the answer to the sign-in does not belong to the browser's own";
    /// Authlib.
    STATE_AUTHLIB = "authlib-mismatching-state", At::Client, "mismatching_state", "the answer to the sign-in does not belong to the browser's own";
    /// Likewise, without the blank.
    STATE_MISMATCH_CODE = "state-mismatch-code", At::Client, "error=state_mismatch", "the answer to the sign-in does not belong to the browser's own";
    /// Likewise, of a session that has forgotten it.
    STATE_FORGOTTEN = "state-forgotten", At::Client, "oauth state missing", "the answer to the sign-in came to a session that has not begun it";
    /// Likewise.
    STATE_OAUTH = "oauth-state-mismatch", At::Client, "oauth state mismatch", "the answer to the sign-in does not belong to the browser's own";
    /// Auth.js.
    STATE_COOKIE = "state-cookie-missing", At::Client, "State cookie was missing", "the browser did not bring the cookie of the sign-in back";
    /// Spring Security.
    STATE_SPRING = "authorization-request-not-found", At::Client, "authorization_request_not_found", "the answer to the sign-in does not belong to the browser's own";
    /// oauth2-proxy.
    STATE_PROXY = "oauth2-proxy-csrf-cookie", At::Client, "unable to obtain CSRF cookie", "the browser did not bring the cookie of the sign-in back";
    /// Many: a check of the parameter, without the name of a library.
    STATE_INVALID = "invalid-state", At::Client, "invalid state parameter", "the answer to the sign-in does not belong to the browser's own";
    /// Likewise.
    STATE_INVALID_CODE = "invalid-state-code", At::Client, "invalid oauth state", "the answer to the sign-in does not belong to the browser's own";
    /// Likewise.
    STATE_MISSING = "missing-state", At::Client, "missing state parameter", "the answer to the sign-in came without state";
    /// Authlib's exception.
    STATE_AUTHLIB_ERROR = "authlib-mismatching-state-error", At::Client, "MismatchingStateError", "the answer to the sign-in does not belong to the browser's own";
    /// Authlib's words.
    STATE_CSRF_WARNING = "csrf-warning-state", At::Client, "State not equal in request and response", "the answer to the sign-in does not belong to the browser's own";
    /// `OmniAuth`.
    STATE_OMNIAUTH = "omniauth-csrf-detected", At::Client, "csrf_detected", "the answer to the sign-in does not belong to the browser's own";
    /// Laravel Socialite.
    STATE_SOCIALITE = "socialite-invalid-state", At::Client, "Two\\InvalidStateException", "the answer to the sign-in does not belong to the browser's own";
    /// ASP.NET Core.
    STATE_ASPNET = "aspnet-correlation-failed", At::Client, "Correlation failed", "the answer to the sign-in does not belong to the browser's own";
    /// Auth0's SDK for browsers.
    STATE_AUTH0 = "auth0-invalid-state", At::Client, "`state` does not match", "the answer to the sign-in does not belong to the browser's own";
    /// Auth0's SDK for Next.js, express-openid-connect.
    STATE_CHECKS = "checks-state-missing", At::Client, "checks.state argument is missing", "the answer to the sign-in does not belong to the browser's own";
    /// Python Social Auth.
    STATE_SOCIAL = "social-auth-state-missing", At::Client, "AuthStateMissing", "the answer to the sign-in does not belong to the browser's own";
    /// Likewise.
    STATE_SOCIAL_WRONG = "social-auth-state-forbidden", At::Client, "AuthStateForbidden", "the answer to the sign-in does not belong to the browser's own";
    /// mozilla-django-oidc.
    STATE_MOZILLA = "mozilla-oidc-state", At::Client, "OIDC callback state not found in session", "the answer to the sign-in does not belong to the browser's own";
    /// mod_auth_openidc.
    STATE_APACHE = "apache-openidc-state", At::Client, "no \"state\" cookie found", "the answer to the sign-in does not belong to the browser's own";
    /// `oidc-client-ts`.
    STATE_OIDC_CLIENT = "oidc-client-no-state", At::Client, "No matching state found in storage", "the answer to the sign-in does not belong to the browser's own";
    /// oauth4webapi.
    STATE_OAUTH4 = "oauth4webapi-state", At::Client, "unexpected \"state\" response parameter", "the answer to the sign-in does not belong to the browser's own";
    /// MSAL.
    STATE_MSAL = "msal-state-mismatch", At::Client, "state_mismatch:", "the answer to the sign-in does not belong to the browser's own";
    /// AWS Amplify.
    STATE_AMPLIFY = "amplify-state", At::Client, "Invalid state in OAuth flow", "the answer to the sign-in does not belong to the browser's own";
    /// `AppAuth`.
    STATE_APPAUTH = "appauth-state", At::Client, "Response state param did not match request state", "the answer to the sign-in does not belong to the browser's own";
    /// better-auth.
    STATE_BETTER = "better-auth-state", At::Client, "state_not_found", "the answer to the sign-in does not belong to the browser's own";
    /// aws-jwt-verify (`src/jwk.ts`).
    WAIT_PERIOD = "wait-period-not-yet-ended", At::Client, "WaitPeriodNotYetEndedJwkError", "the verifier does not ask for keys again within ten seconds of a failure";
    /// The same error's message.
    WAIT_PERIOD_SAID = "wait-period-said", At::Client, "Not allowed to fetch JWKS yet", "the verifier does not ask for keys again within ten seconds of a failure";
}
