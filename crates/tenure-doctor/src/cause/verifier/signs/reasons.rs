//! The words in which verifiers say why they refuse, by reason.
//!
//! Texts of Envoy's `jwt_verify_lib`, Spring Security with Nimbus, PyJWT, jose, jsonwebtoken (Node.js and Rust), go-oidc,
//! golang-jwt, java-jwt, jjwt, aws-jwt-verify, Kong, Keycloak and the Firebase Admin SDK. Those in answers are about the
//! token that was sent; those in logs may be about anybody's.

use crate::sign::{Sign, accepted, answers, contains, logs, seen};
use crate::{Clue, Evidence, probe::Probe};

/// For each reason a sign for answers and one for logs. `TEXTS` is what the logs are searched for.
macro_rules! reasons {
    ($($answer:ident, $log:ident = $name:literal, $means:literal, [$($needle:literal),+ $(,)?];)*) => {
        $(pub(in crate::cause::verifier) static $answer: Sign = Sign {
            name: concat!("answer-says-", $name),
            means: concat!("the refusal says: ", $means),
            find: |evidence| said(evidence, &[$($needle),+]),
        };
        pub(in crate::cause::verifier) static $log: Sign = Sign {
            name: concat!("log-says-", $name),
            means: concat!("a log says: ", $means),
            find: |evidence| logs::text(evidence, concat!("log-says-", $name)),
        };)*

        /// Names and needles, for the logs.
        pub(crate) const TEXTS: &[(&str, &str)] =
            &[$($((concat!("log-says-", $name), $needle),)+)*];
    };
}

reasons! {
    SIGNATURE, LOG_SIGNATURE = "signature", "the signature is not good", [
        "jwt verification fails",
        "signature verification failed",
        "signature verification error",
        "invalid signature",
        "invalidsignature",
        "signature is invalid",
        "bad signature",
        "crypto/rsa: verification error",
        "failed to verify id token signature",
        "does not match locally computed signature",
        "resulted invalid when verified",
        "signature mismatch",
        "signature does not match",
    ];
    KID, LOG_KID = "kid", "no key fits the token's kid", [
        "doesn't have key to match kid",
        "unable to find a signing key that matches",
        "no applicable key found in the json web key set",
        "no matching key",
        "no matching jwk",
        "another algorithm expected, or no matching",
        "jwk for kid",
        "kid not found",
        "kidnotfound",
        "unknown kid",
        "unknown key id",
        "unrecognized kid",
        "signing key not found",
        "key id not found",
        "no key with kid",
        "no key for kid",
        "no key found for kid",
        "unable to find a key with",
        "kid not in jwks",
        "kid is not in",
    ];
    FETCH, LOG_FETCH = "jwks-fetch", "the keys cannot be fetched", [
        "jwks remote fetch is failed",
        "couldn't retrieve remote jwk set",
        "could not retrieve remote jwk set",
        "fail to fetch data from the url",
        "failed to fetch jwks",
        "failed to fetch the jwks",
        "error fetching jwks",
        "unable to fetch jwks",
        "could not fetch jwks",
        "cannot fetch jwks",
        "failed to retrieve jwks",
        "jwks fetch failed",
        "jwks fetch error",
        "fetching keys oidc: get keys failed",
        "from the json web key set http response",
        "err_jwks_timeout",
        "pyjwkclientconnectionerror",
        "jwks unavailable",
        "jwks endpoint unreachable",
        "failed to load jwks",
        "failed to refresh jwks",
        "keys could not be fetched",
    ];
    THROTTLED, LOG_THROTTLED = "jwks-throttled", "fetching the keys again is limited", [
        "too many requests to the jwks endpoint",
        "jwksratelimiterror",
        "jwks rate limit",
        "refetch throttled",
        "refetch suppressed",
        "refresh throttled",
        "jwks refetch limit",
        "jwks cooldown",
        "refetch limit reached",
        "refetch skipped",
    ];
    BAD_SET, LOG_BAD_SET = "jwks-malformed", "the key set cannot be read", [
        "did not contain any usable keys",
        "unsupported key type",
        "unsupported kty",
        "unknown kty",
        "unsupported curve",
        "failed to parse jwk",
        "unable to parse jwk",
        "could not parse jwk",
        "failed to deserialize jwk",
        "invalid jwk",
        "json web key set malformed",
        "err_jwks_invalid",
        "jwks doesn't have any valid",
        "jwks parse error",
        "pyjwksetexception",
        "malformed jwk",
        "error decoding jwk",
        "unknown variant `okp`",
    ];
    ALGORITHM, LOG_ALGORITHM = "algorithm", "the algorithm is not allowed", [
        "header [alg] is not supported",
        "alg value is not allowed",
        "invalid algorithm",
        "invalidalgorithm",
        "header parameter value not allowed",
        "unexpected signing method",
        "unexpected signature algorithm",
        "signed with unsupported algorithm",
        "unsupported algorithm",
        "unsupported alg",
        "algorithm not allowed",
        "algorithm is not allowed",
        "algorithm not supported",
        "disallowed algorithm",
    ];
    ISSUER, LOG_ISSUER = "issuer", "the issuer is another one", [
        "issuer is not configured",
        "issuer not configured",
        "issuer not allowed",
        "invalid token issuer",
        "invalid issuer",
        "invalidissuer",
        "issuer invalid",
        "issuer mismatch",
        "untrusted issuer",
        "unknown issuer",
        "wrong issuer",
        "unexpected issuer",
        "unexpected \"iss\"",
        "unexpected \\\"iss\\\"",
        "unexpected 'iss'",
        "iss claim is not valid",
        "invalid iss",
        "issued by a different provider",
        "no credentials found for given 'iss'",
        "incorrect \"iss\"",
        "incorrect \\\"iss\\\"",
    ];
    AUDIENCE, LOG_AUDIENCE = "audience", "the audience is another one", [
        "audiences in jwt are not allowed",
        "does not have a valid audience",
        "audience doesn't match",
        "audience does not match",
        "invalid audience",
        "invalidaudience",
        "audience invalid",
        "audience mismatch",
        "audience not allowed",
        "wrong audience",
        "expected audience",
        "unexpected \"aud\"",
        "unexpected \\\"aud\\\"",
        "unexpected 'aud'",
        "aud claim is not valid",
        "invalid aud",
    ];
    CLIENT, LOG_CLIENT = "client", "the client is another one", [
        "client id not allowed",
        "client id (\"audience\") not allowed",
        "client id (\\\"audience\\\") not allowed",
        "invalidclientiderror",
        "invalid client_id",
        "client_id mismatch",
        "client_id claim",
        "unexpected \"client_id\"",
        "unexpected \\\"client_id\\\"",
        "unexpected \"azp\"",
        "unexpected \\\"azp\\\"",
        "invalid azp",
        "azp mismatch",
        "invalid authorized party",
    ];
    MISSING_AUDIENCE, LOG_MISSING_AUDIENCE = "missing-audience", "there is no audience", [
        "missing the \"aud\" claim",
        "missing the \\\"aud\\\" claim",
        "missing required \"aud\" claim",
        "missing required \\\"aud\\\" claim",
        "missing required claim: aud",
        "missingrequiredclaim(\"aud\")",
    ];
    TOKEN_USE, LOG_TOKEN_USE = "token-use", "it is the other kind of token", [
        "token use not allowed",
        "invalidtokenuseerror",
        "invalid token_use",
        "token_use",
    ];
    TYPE, LOG_TYPE = "typ", "the type in the header is another one", [
        "unexpected 'typ'",
        "unexpected \"typ\"",
        "unexpected \\\"typ\\\"",
        "typ header",
        "header typ",
        "jose header typ",
        "invalid typ",
        "at+jwt",
    ];
    EXPIRED, LOG_EXPIRED = "expired", "the token is expired", [
        "jwt is expired",
        "jwt_is_expired",
        "jwt expired",
        "token is expired",
        "token expired",
        "token has expired",
        "token_expired",
        "expired_token",
        "expired token",
        "signature has expired",
        "expiredsignature",
        "tokenexpirederror",
        "\"exp\" claim timestamp",
        "\\\"exp\\\" claim timestamp",
        "the access token expired",
    ];
    EARLY, LOG_EARLY = "early", "the token is not valid yet", [
        "not yet valid",
        "used too early",
        "jwt not active",
        "jwt used before",
        "token not valid yet",
        "\"nbf\" claim timestamp",
        "\\\"nbf\\\" claim timestamp",
        "\"iat\" claim timestamp",
        "\\\"iat\\\" claim timestamp",
        "issued in the future",
        "iat in the future",
        "used before issued",
        "can't be used before",
        "clock drift detected",
        "immaturesignature",
    ];
    NUMBERS, LOG_NUMBERS = "numbers", "a claim has a wrong type", [
        "(exp) must be",
        "(iat) must be",
        "(nbf) must be",
        "claim must be a number",
        "exp must be a number",
        "must be an integer",
        "exp is not a number",
        "invalid exp value",
        "invalid claim type",
        "cannot unmarshal string into go struct field",
        "not a valid numericdate",
    ];
    FIREBASE, LOG_FIREBASE = "firebase", "Firebase expects another token", [
        "(audience) claim. expected",
        "make sure the id token comes from the same firebase project",
        "expects an id token, but was given a custom token",
        "firebase id token has no \"kid\" claim",
        "firebase id token has no \\\"kid\\\" claim",
        "firebase id token has incorrect",
        "has \"kid\" claim which does not correspond to a known public key",
        "has \\\"kid\\\" claim which does not correspond to a known public key",
    ];
    DPOP, LOG_DPOP = "dpop", "the proof of possession is missing or wrong", [
        "invalid_dpop_proof",
        "use_dpop_nonce",
        "dpop proof",
        "dpop error=",
    ];
    STEP_UP, LOG_STEP_UP = "step-up", "the sign-in is too weak or too old", [
        "insufficient_user_authentication",
    ];
    RANDOM, LOG_RANDOM = "random-secret", "a key was made up at the start", [
        "random secret",
        "random signing",
        "random jwt",
        "random key",
        "ephemeral secret",
        "ephemeral key",
        "ephemeral signing key",
        "ephemeral jwt",
        "temporary secret",
        "temporary signing key",
        "generated secret",
        "generating secret",
        "generated signing key",
        "generating signing key",
        "generated a new signing key",
        "generating a new signing key",
        "auto-generated jwt",
        "secret not set, generating",
        "secret is not set, generating",
    ];
}

/// Where one of the needles is in a refusal of the client's own request.
fn said(evidence: &Evidence, needles: &[&str]) -> Vec<Clue> {
    let own = |probe: Probe| {
        matches!(
            probe,
            Probe::Client | Probe::Again(_) | Probe::Address(_) | Probe::Hop(_) | Probe::KeptHop(_)
        )
    };
    let mut clues = Vec::new();
    for (probe, answer) in answers(evidence).filter(|(probe, _)| own(*probe)) {
        let values = answer.headers.iter().map(|(_, value)| value.as_str());
        let mut texts = values.chain([answer.body.as_str()]);
        let found = |text: &str| needles.iter().find(|needle| contains(text, needle));
        if !accepted(answer)
            && let Some(needle) = texts.find_map(found)
        {
            clues.extend(seen(
                true,
                format!("{} with `{needle}`", answer.status),
                probe,
            ));
        }
    }
    clues
}
