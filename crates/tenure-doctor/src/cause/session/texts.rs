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
    /// Amazon Cognito, which says of a client that it does not exist, or of a secret that it is wrong.
    POOL_CLIENT = "cognito-client", At::Issuer, "User pool client", "the user pool speaks of its client";
    /// Amazon Cognito: what was named is not there.
    RESOURCE_NOT_FOUND = "cognito-resource-not-found", At::Issuer, "ResourceNotFoundException", "the user pool does not know what was named";
    /// RFC 6749, section 5.2.
    INVALID_CLIENT = "refresh-invalid-client", At::Refresh, "invalid_client", "the issuer does not know the client that refreshes, or its secret";
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
    /// aws-jwt-verify (`src/jwk.ts`).
    WAIT_PERIOD = "wait-period-not-yet-ended", At::Client, "WaitPeriodNotYetEndedJwkError", "the verifier does not ask for keys again within ten seconds of a failure";
    /// The same error's message.
    WAIT_PERIOD_SAID = "wait-period-said", At::Client, "Not allowed to fetch JWKS yet", "the verifier does not ask for keys again within ten seconds of a failure";
}
