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
        && (is_for_people(answer)
            || of_google(answer) && !is_of(evidence, &["google.com", ".gserviceaccount.com"])
            || of_azure(answer) && !is_of(evidence, &MICROSOFT))
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

/// App Service, Functions and Container Apps with built-in authentication: the page, with a challenge that names a
/// tenant or with the field of the middleware.
fn of_azure(answer: &Answer) -> bool {
    let page = contains(
        &answer.body,
        "you do not have permission to view this directory or page",
    );
    let tenant = MICROSOFT
        .iter()
        .any(|host| field(answer, "www-authenticate", host));
    page && (tenant && field(answer, "www-authenticate", "authorization_uri=")
        || field(answer, "x-ms-middleware-request-id", ""))
}

/// Issuers of Microsoft's tokens, and where their challenges lead.
const MICROSOFT: [&str; 5] = [
    "login.windows.net",
    "login.microsoftonline.com",
    "sts.windows.net",
    ".ciamlogin.com",
    ".b2clogin.com",
];

/// The client's token is of such an issuer, or of an unknown one: the gate may mean it, and find it wanting.
fn is_of(evidence: &Evidence, issuers: &[&str]) -> bool {
    let issuer = claims(evidence).and_then(|claims| claims.iss.as_deref());
    issuer.is_none_or(|issuer| issuers.iter().any(|one| contains(issuer, one)))
}

fn field(answer: &Answer, name: &str, value: &str) -> bool {
    let mut fields = answer.headers.iter().filter(|(field, _)| field == name);
    fields.any(|(_, found)| contains(found, value))
}
