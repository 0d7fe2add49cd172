//! The words in which verifiers say why they refuse, by reason.
//!
//! Texts of Envoy's `jwt_verify_lib`, Spring Security with Nimbus, PyJWT, jose, jsonwebtoken (Node.js and Rust), go-oidc,
//! golang-jwt, java-jwt, jjwt, aws-jwt-verify, Kong, Keycloak and the Firebase Admin SDK. Those in answers are about the
//! token that was sent; those in logs may be about anybody's.

mod said;

use std::sync::LazyLock;

use regex::Regex;

use self::said::{own, pattern, said};
use crate::Evidence;
use crate::probe::Probe;
use crate::sign::{Sign, found, logs};

/// For each reason a sign for answers and one for logs. `TEXTS` is what the logs are searched for.
macro_rules! reasons {
    ($($answer:ident, $log:ident = $name:literal, $means:literal, $words:literal, [$($needle:literal),+ $(,)?];)*) => {
        $(pub(in crate::cause::verifier) static $answer: Sign = Sign {
            name: concat!("answer-says-", $name),
            means: concat!("the refusal says: ", $means),
            find: |evidence| {
                static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($words));
                said(evidence, WORDS.as_ref())
            },
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
    SIGNATURE, LOG_SIGNATURE = "signature", "the signature is not good", r"signature.{0,40}(invalid|not valid|fail|bad\b|mismatch|wrong|not match|n't match)|(invalid|bad|wrong|verify|verification of).{0,20}signature|jwt verification fails", [
        "jwt_verification_fails",
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
    KID, LOG_KID = "kid", "no key fits the token's kid", r"\bno (matching |known |suitable |applicable |such )?(signing |public |verification )?(key|jwk)s?\b|(\bkid\b|jwk|signing key|public key|key id).{0,40}(unknown|not found|not match|no match|not in|missing from)|(unknown|unrecognized|find a|find key with|key to match).{0,20}(\bkid\b|key id|signing key|public key)", [
        "doesn't_have_key_to_match_kid",
        "could not find key with kid",
        "no key for this token",
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
    FETCH, LOG_FETCH = "jwks-fetch", "the keys cannot be fetched", r"(jwks|jwk set|json web key set|signing keys|issuer's keys).{0,60}(fail|unreachable|unavailable|timed? ?out|refused|not be (fetched|retrieved|loaded))|(fail|unable|could ?n[o']t|cannot|error).{0,20}(fetch|retriev|load|get|download|refresh).{0,25}(jwks|jwk set|key set|keys\b)|fail to fetch data from the url", [
        "jwks_remote_fetch_is_failed",
        "oauth2_http_call: curl_easy_perform() failed",
        "oidc_http_call: curl_easy_perform() failed",
        "get keys failed",
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
    THROTTLED, LOG_THROTTLED = "jwks-throttled", "fetching the keys again is limited", r"too many requests to the jwks|jwks.{0,30}(rate limit|throttl|cooldown)|(refetch|refresh).{0,20}(throttled|suppressed|skipped|limit)", [
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
    BAD_SET, LOG_BAD_SET = "jwks-malformed", "the key set cannot be read", r"not contain any usable keys|(unsupported|unknown).{0,12}(key type|kty|curve|jwk)|(parse|deserialize|decod\w*|invalid|malformed|unusable).{0,20}(jwk|key set)|key set malformed|jwks doesn't have any valid", [
        "key.kty' must be one of",
        "jwks_doesn't_have_any_valid",
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
    ALGORITHM, LOG_ALGORITHM = "algorithm", "the algorithm is not allowed", r"\b(alg|algorithm|signing method)\b.{0,40}(not (allowed|supported|accepted|valid|permitted)|unsupported|mismatch)|(unsupported|invalid|unexpected|disallowed|wrong|unknown).{0,25}\b(alg|algorithm|signing method)\b", [
        "alg]_is_not_supported",
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
    ISSUER, LOG_ISSUER = "issuer", "the issuer is another one", r"\b(issuer|iss)\b.{0,40}(invalid|not valid|not accepted|mismatch|not match|n't match|unknown|not trusted|untrusted|wrong|unexpected|not allowed|not configured|incorrect|not known)|(invalid|unexpected|untrusted|unknown|wrong|bad|incorrect|mismatch|another|other|different|for given).{0,20}\b(issuer|iss)\b|issued by (a different|another)", [
        "issuer_is_not_configured",
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
    AUDIENCE, LOG_AUDIENCE = "audience", "the audience is another one", r"\b(audiences?|aud)\b.{0,40}(invalid|not valid|not accepted|mismatch|not match|n't match|unknown|wrong|unexpected|not allowed|incorrect|not for)|(invalid|valid|unexpected|wrong|bad|incorrect|mismatch|another|other|different|expected).{0,20}\b(audience|aud)\b|for (another|a different) (resource|service|api|audience)", [
        "audiences_in_jwt_are_not_allowed",
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
    CLIENT, LOG_CLIENT = "client", "the client is another one", r"client[ _]id.{0,40}(not|invalid|mismatch|wrong|unknown)|(invalid|unexpected|wrong|unknown).{0,12}(client[ _]id|azp)\b|\bazp\b.{0,40}(not|invalid|mismatch|wrong|unexpected)|invalid authorized party|invalidclientiderror", [
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
    MISSING_AUDIENCE, LOG_MISSING_AUDIENCE = "missing-audience", "there is no audience", r"missing.{0,24}\baud\b|\baud\b.{0,12}(is )?missing|no \W?aud\b", [
        "missing the \"aud\" claim",
        "missing the \\\"aud\\\" claim",
        "missing required \"aud\" claim",
        "missing required \\\"aud\\\" claim",
        "missing required claim: aud",
        "missingrequiredclaim(\"aud\")",
    ];
    TOKEN_USE, LOG_TOKEN_USE = "token-use", "it is the other kind of token", r"token[ _]use\b|invalidtokenuse", [
        "token use not allowed",
        "invalidtokenuseerror",
        "invalid token_use",
        "token_use",
    ];
    TYPE, LOG_TYPE = "typ", "the type in the header is another one", r"\btyp\b.{0,40}(not|invalid|unexpected|mismatch|must|wrong)|(unexpected|invalid|wrong).{0,15}\btyp\b|at\+jwt", [
        "unexpected 'typ'",
        "unexpected \"typ\"",
        "unexpected \\\"typ\\\"",
        "typ header",
        "header typ",
        "jose header typ",
        "invalid typ",
        "at+jwt",
    ];
    EXPIRED, LOG_EXPIRED = "expired", "the token is expired", r"(token|jwt|signature|bearer)\b.{0,25}expired|\bexpired.{0,12}(token|jwt|signature)|\bexp\\?\W{1,3}claim timestamp|\bexp\b.{0,20}in the past|expiredsignature|tokenexpired", [
        "jwt is expired",
        "jwt_is_expired",
        "jwt expired",
        "token is expired",
        "token expired",
        "token has expired",
        "token_expired",
        "expired_token",
        "signature has expired",
        "expiredsignature",
        "tokenexpirederror",
        "\"exp\" claim timestamp",
        "\\\"exp\\\" claim timestamp",
        "the access token expired",
    ];
    EARLY, LOG_EARLY = "early", "the token is not valid yet", r"not yet valid|not valid yet|too early|jwt not active|used before|issued in the future|\b(iat|nbf)\b.{0,20}in the future|\b(iat|nbf)\\?\W{1,3}claim timestamp|can't be used before|clock (drift|skew)|immature", [
        "jwt_not_yet_valid",
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
    NUMBERS, LOG_NUMBERS = "numbers", "a claim has a wrong type", r"\((exp|iat|nbf)\) must be|\b(exp|iat|nbf)\b.{0,40}(number|integer|numeric)|cannot unmarshal string into go struct field", [
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
    FIREBASE, LOG_FIREBASE = "firebase", "Firebase expects another token", r"\(audience\) claim\. expected|same firebase project|given a custom token|firebase id token (has|is)", [
        "(audience) claim. expected",
        "make sure the id token comes from the same firebase project",
        "expects an id token, but was given a custom token",
        "firebase id token has no \"kid\" claim",
        "firebase id token has no \\\"kid\\\" claim",
        "firebase id token has incorrect",
        "has \"kid\" claim which does not correspond to a known public key",
        "has \\\"kid\\\" claim which does not correspond to a known public key",
    ];
    DPOP, LOG_DPOP = "dpop", "the proof of possession is missing or wrong", r"invalid_dpop_proof|use_dpop_nonce|dpop.{0,4}proof|\bdpop .{0,60}error=", [
        "invalid_dpop_proof",
        "use_dpop_nonce",
        "dpop proof",
        "dpop error=",
    ];
    STEP_UP, LOG_STEP_UP = "step-up", "the sign-in is too weak or too old", r"insufficient_user_authentication", [
        "insufficient_user_authentication",
    ];
    RANDOM, LOG_RANDOM = "random-secret", "a key was made up at the start", r"(random|ephemeral|temporary|made-up|auto-generated).{0,10}(secret|key)\b", [
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

/// Whether any refusal of the client's own request gives a reason that is known.
pub(in crate::cause::verifier) static NO_REASON: Sign = Sign {
    name: "no-reason-given",
    means: "the refusals do not say why",
    find: |evidence| {
        let given = REASONS.iter().any(|sign| sign.holds(evidence));
        let refused = own(evidence).next().filter(|_| !given);
        let says = |status| format!("{status} without a reason that is known");
        found(refused.map(|(probe, answer)| (probe, says(answer.status))))
    },
};

/// The audience, and not the client's id, which some libraries call the audience too.
pub(in crate::cause::verifier) static AUDIENCE_ALONE: Sign = Sign {
    name: "answer-says-audience-alone",
    means: "the refusal speaks of the audience, and not of the client's id",
    find: |evidence| {
        if CLIENT.holds(evidence) {
            Vec::new()
        } else {
            (AUDIENCE.find)(evidence)
        }
    },
};

/// Whether the answer to the client's own request says why it is refused, in words that are known.
pub(crate) fn gives_reason(evidence: &Evidence) -> bool {
    evidence.sent(Probe::Client) && REASONS.iter().any(|sign| sign.holds(evidence))
}

const REASONS: [&Sign; 15] = [
    &SIGNATURE, &KID, &FETCH, &THROTTLED, &BAD_SET, &ALGORITHM, &ISSUER, &AUDIENCE, &CLIENT, &TYPE,
    &EXPIRED, &EARLY, &NUMBERS, &DPOP, &STEP_UP,
];

#[cfg(test)]
mod tests;
