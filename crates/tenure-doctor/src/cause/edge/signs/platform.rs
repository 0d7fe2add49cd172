//! Gates of hosting platforms: they judge before the service runs, by credentials of their own.

use super::page;
use crate::Evidence;
use crate::exchange::Answer;
use crate::sign::token::claims;
use crate::sign::{Sign, contains};

/// A gate of the hosting platform.
pub(crate) static PLATFORM_GATE: Sign = Sign {
    name: "edge-platform-gate",
    means: "the gate of the hosting platform asks for its own sign-in",
    find: |evidence| page(evidence, |answer| is_gate(evidence, answer)),
};

/// Whether a platform's gate made this answer, and by credentials that the client's token cannot be.
pub(crate) fn is_gate(evidence: &Evidence, answer: &Answer) -> bool {
    matches!(answer.status, 401 | 403)
        && (is_for_people(answer) || of_google(answer) && !is_of_google(evidence))
}

/// A page that asks for an account of the platform, or for a password.
fn is_for_people(answer: &Answer) -> bool {
    let html = field(answer, "content-type", "text/html");
    let says = |text: &str| contains(&answer.body, text);
    let vercel = (field(answer, "server", "vercel") || field(answer, "x-vercel-id", ""))
        && (field(answer, "set-cookie", "_vercel_sso_nonce")
            || html && (says("authentication required") || says("vercel authentication")));
    let netlify = field(answer, "server", "netlify") && html && says("password");
    // https://developers.cloudflare.com/cloudflare-one/identity/service-tokens/
    let access = html && says("cloudflare access") && field(answer, "server", "cloudflare");
    vercel || netlify || access
}

/// Identity-Aware Proxy and the invoker's check of Cloud Run and Cloud Functions.
fn of_google(answer: &Answer) -> bool {
    let says = |text: &str| contains(&answer.body, text);
    field(answer, "x-goog-iap-generated-response", "")
        || says("invalid iap credentials")
        || says("your client does not have permission to")
            && (says("from this server.") || says("the requested url"))
        || field(
            answer,
            "www-authenticate",
            "the access token could not be verified",
        ) && field(answer, "server", "google frontend")
}

/// The client's token is one of Google: the gate may mean it, and find it wanting.
fn is_of_google(evidence: &Evidence) -> bool {
    let issuer = claims(evidence).and_then(|claims| claims.iss.as_deref());
    issuer.is_none_or(|issuer| {
        contains(issuer, "google.com") || contains(issuer, ".gserviceaccount.com")
    })
}

fn field(answer: &Answer, name: &str, value: &str) -> bool {
    let mut fields = answer.headers.iter().filter(|(field, _)| field == name);
    fields.any(|(_, found)| contains(found, value))
}
