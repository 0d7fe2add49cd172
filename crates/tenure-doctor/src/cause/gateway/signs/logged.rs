//! What logs of gateways name as the reason of a refusal.

use crate::logs::LogFinding;
use crate::sign::answer::{At, texts};
use crate::sign::{Sign, logs};
use crate::{Clue, Evidence};

texts! {
    /// An authority that is not in the truststore (Amazon, mutual TLS).
    CERTIFICATE_UNKNOWN = "gateway-logged-certificate-issuer", At::Client, "reason: could not find issuer for certificate",
        "the gateway's log says that it does not know the authority of the client certificate";
    /// The same, without an authority.
    CERTIFICATE_SELF_SIGNED = "gateway-logged-certificate-self-signed", At::Client, "access denied. reason: self signed certificate",
        "the gateway's log says that the client certificate is signed by itself";
    /// The same, for a signature that is too weak.
    CERTIFICATE_WEAK = "gateway-logged-certificate-weak", At::Client, "reason: client cert using an insecure signature",
        "the gateway's log says that the signature of the client certificate is too weak";
    /// The execution log of a REST API.
    AUTHORIZER_SETUP = "gateway-logged-authorizer-error", At::Client, "configuration error: authorizer error",
        "the gateway's execution log says that it cannot use its authorizer";
}

/// Words for rates and quotas that are used up.
pub(crate) const LIMITS: &[(&str, &str)] = &[
    // `$context.error.responseType` of an access log of Amazon.
    ("gateway-logged-quota-field", "\"quota_exceeded\""),
    // Apigee.
    ("gateway-logged-apigee-quota", "policies.ratelimit."),
    // Envoy's `%RESPONSE_CODE_DETAILS%`, by a rate limit service and by its own limit.
    ("gateway-logged-envoy-limited", "request_rate_limited"),
    ("gateway-logged-envoy-local-limited", "local_rate_limited"),
    // Kong.
    ("gateway-logged-kong-limited", "api rate limit exceeded"),
    // API Management.
    ("gateway-logged-apim-limited", "rate limit is exceeded"),
    ("gateway-logged-apim-quota", "out of call volume quota"),
];

/// So many lines at least, and a tenth of the answers that logs tell of, are no mishap and nobody's scan.
const OFTEN: u64 = 3;
const SHARE: u64 = 10;

macro_rules! often {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $means:literal, [$($one:literal),*];)*) => {
        $($(#[$doc])* pub(in super::super) static $name: Sign = Sign {
            name: $text,
            means: $means,
            find: |evidence| often(evidence, &[$($one),*]),
        };)*
    };
}

often! {
    /// Amazon's words for client certificates.
    CERTIFICATES_REFUSED = "gateway-certificates-refused", "the gateway refuses client certificates again and again",
        ["gateway-logged-certificate-issuer", "gateway-logged-certificate-self-signed", "gateway-logged-certificate-weak"];
    /// Amazon's words for authorizers.
    AUTHORIZER_FAILS = "gateway-authorizer-fails", "the gateway cannot use its authorizer, again and again",
        ["gateway-logged-authorizer-setup", "gateway-logged-authorizer-failure", "gateway-logged-authorizer-error"];
    /// Amazon's words for policies.
    POLICY_DENIES_OFTEN = "gateway-policy-denies-often", "a resource policy or an IAM policy denies again and again",
        ["gateway-policy-denies"];
}

/// A gateway's words for rates and quotas.
pub(in super::super) static LIMIT_NAMED_OFTEN: Sign = Sign {
    name: "gateway-limit-named-often",
    means: "the gateway names a rate or quota again and again",
    find: |evidence| {
        let amazons = [super::LOGGED_QUOTA.name, super::LOGGED_THROTTLED.name];
        let others = LIMITS.iter().map(|(name, _)| *name);
        let names: Vec<_> = others.chain(amazons).collect();
        often(evidence, &names)
    },
};

/// What logs say of these texts, where one of them is no rarity.
fn often(evidence: &Evidence, names: &[&str]) -> Vec<Clue> {
    let known = |finding: &LogFinding| finding.text().is_some_and(|text| names.contains(&text));
    let counts = evidence.logs.findings.iter().filter(|it| known(it));
    let most = counts
        .map(|finding| finding.count)
        .max()
        .unwrap_or_default();
    if most < OFTEN || most * SHARE < answers(evidence) {
        return Vec::new();
    }
    let texts = names.iter().flat_map(|name| logs::text(evidence, name));
    texts.collect()
}

fn answers(evidence: &Evidence) -> u64 {
    let files = evidence.logs.files.iter();
    files.flat_map(|file| file.statuses.values()).sum()
}

/// Cognito's word for an expired token in a log, unless it stands for one or two of many requests: users come back.
pub(in super::super) static EXPIRED_LOGGED: Sign = Sign {
    name: "gateway-cognito-expired-said",
    means: "the Cognito authorizer says that the token has expired, and not by the way",
    find: |evidence| {
        let said = (super::COGNITO_EXPIRED.find)(evidence);
        let logged = logs::text(evidence, super::COGNITO_EXPIRED.name);
        let counts = evidence.logs.findings.iter();
        let counts = counts.filter(|it| it.text() == Some(super::COGNITO_EXPIRED.name));
        let most = counts
            .map(|finding| finding.count)
            .max()
            .unwrap_or_default();
        let by_the_way = most < OFTEN && most * SHARE < answers(evidence);
        let counts = |clue: &Clue| !by_the_way || !logged.contains(clue);
        said.into_iter().filter(counts).collect()
    },
};
