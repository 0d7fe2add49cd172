//! What a browser's console says of preflights, answers without CORS header fields and cookies.

use crate::sign::answer::{At, texts};

texts! {
    /// Chromium's console, `cors_error_string.cc`.
    PREFLIGHT = "console-preflight", At::Client, "response to preflight request doesn't pass access control check: it does not have http ok status",
        "the browser's console says that the preflight was refused";
    /// The same of a redirect, as to a login page.
    PREFLIGHT_REDIRECTED = "console-preflight-redirected", At::Client, "redirect is not allowed for a preflight request",
        "the browser's console says that the preflight was redirected";
    /// Firefox's console, `CORSPreflightDidNotSucceed3`.
    PREFLIGHT_FIREFOX = "console-preflight-firefox", At::Client, "cors preflight response did not succeed",
        "Firefox's console says that the preflight was refused";
    /// Safari's console.
    PREFLIGHT_SAFARI = "console-preflight-safari", At::Client, "preflight response is not successful",
        "Safari's console says that the preflight was refused";
    /// Chromium's console of an answer that its page may not read.
    NO_ORIGIN = "console-no-allow-origin", At::Client, "cors policy: no 'access-control-allow-origin' header is present",
        "the browser's console says that an answer lacks `Access-Control-Allow-Origin`";
    /// The same of Firefox, `CORSMissingAllowOrigin2`.
    NO_ORIGIN_FIREFOX = "console-no-allow-origin-firefox", At::Client, "access-control-allow-origin’ missing",
        "Firefox's console says that an answer lacks `Access-Control-Allow-Origin`";
    /// The same of Safari.
    NO_ORIGIN_SAFARI = "console-no-allow-origin-safari", At::Client, "is not allowed by access-control-allow-origin",
        "Safari's console says that an answer does not allow the page's origin";
    /// Chromium's console: credentials are asked for, and a wildcard is allowed.
    WILDCARD = "console-wildcard-credentials", At::Client, "must not be the wildcard '*' when the request's credentials mode is 'include'",
        "the browser's console says that a wildcard does not allow credentials";
    /// The same of `Access-Control-Allow-Credentials`.
    CREDENTIALS = "console-credentials-not-allowed", At::Client, "must be 'true' when the request's credentials mode is 'include'",
        "the browser's console says that the answer does not allow credentials";
    /// Firefox's console, `CORSNotSupportingCredentials`.
    WILDCARD_FIREFOX = "console-wildcard-credentials-firefox", At::Client, "credential is not supported if the cors header",
        "Firefox's console says that a wildcard does not allow credentials";
    /// Firefox's console, `CORSMissingAllowCredentials`.
    CREDENTIALS_FIREFOX = "console-credentials-not-allowed-firefox", At::Client, "in cors header ‘access-control-allow-credentials’",
        "Firefox's console says that the answer does not allow credentials";
    /// Firefox's console, `CookieRejectedForNonSameSiteness`.
    COOKIE_CROSS_SITE = "console-cookie-cross-site", At::Client, "rejected because it is in a cross-site context",
        "the browser's console says that a cookie is rejected in the context of another site";
    /// Firefox's console, `CookieRejectedNonRequiresSecure2`.
    COOKIE_NOT_SECURE = "console-cookie-none-without-secure", At::Client, "attribute but is missing the “secure” attribute",
        "the browser's console says that a cookie has SameSite=None without Secure";
    /// Firefox's console, `CookieRejectedSecureButNonHttps`.
    COOKIE_HTTP = "console-cookie-secure-over-http", At::Client, "non-https cookie can’t be set as “secure”",
        "the browser's console says that a Secure cookie was set over http";
    /// Firefox's console, `CookieRejectedInvalidDomain`.
    COOKIE_DOMAIN = "console-cookie-invalid-domain", At::Client, "has been rejected for invalid domain",
        "the browser's console says that a cookie names a domain that is not its host's";
    /// Firefox's console of cookies of third parties.
    COOKIE_FOREIGN = "console-cookie-foreign", At::Client, "rejected because it is foreign and does not have the",
        "the browser's console says that a cookie of a third party is rejected";
    /// Chromium's list of issues.
    SET_COOKIE_BLOCKED = "console-set-cookie-blocked", At::Client, "set-cookie header was blocked because",
        "the browser says that it did not keep a cookie";
}
