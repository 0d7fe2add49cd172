//! The words with which frameworks and products refuse what they take for forged.

macro_rules! words {
    ($($word:literal,)*) => {
        /// In answers, whatever their form.
        pub(super) const WORDS: &[&str] = &[$($word),*];

        /// The same for logs.
        pub(crate) const LOGGED: &[(&str, &str)] = &[$(("csrf", $word)),*];
    };
}

words! {
    // Django and Django REST framework.
    "csrf verification failed",
    "csrf failed:",
    "csrf cookie not set",
    "csrf token missing",
    "csrf token from",
    "csrf token has incorrect",
    "csrf session token is missing",
    "origin checking failed - ",
    "referer checking failed - ",
    // Rails, Rack::Protection, OmniAuth.
    "invalidauthenticitytoken",
    "can't verify csrf token",
    "http origin header (",
    "attack prevented by rack::protection::authenticitytoken",
    "attack prevented by rack::protection::httporigin",
    "attack prevented by rack::protection::remotetoken",
    "attack prevented by omniauth::authenticitytokenprotection",
    // Laravel, Symfony, CakePHP, Yii, Drupal, WordPress, Odoo, Nextcloud.
    "csrf token mismatch",
    "tokenmismatchexception",
    "csrf token is invalid",
    "invalidcsrftoken",
    "missing csrf token",
    "missing or incorrect csrf",
    "csrf token from either",
    "unable to verify your data submission",
    "x-csrf-token request header is",
    "rest_cookie_invalid_nonce",
    "csrf check failed",
    // Spring, Play, Jenkins, SAP, Atlassian.
    "invalid csrf token",
    "missingcsrftoken",
    "could not verify the provided csrf token",
    "expected csrf token not found",
    "expected csrf token cannot be found",
    "[csrf] check failed",
    "csrf token check failed",
    "no valid crumb was included",
    "csrf token validation failed",
    "xsrf check failed",
    // csurf, csrf-csrf, lusca, Fastify, Adonis, SvelteKit, Next.js, Auth.js, Apollo, Kibana.
    "ebadcsrftoken",
    "e_bad_csrf_token",
    "misconfigured csrf",
    "missing csrf secret",
    "fst_csrf_",
    "invalid or expired csrf token",
    "cross-site post form submissions are forbidden",
    "cross-site form submissions are forbidden",
    "from a forwarded server actions request",
    "csrf token was missing",
    "blocked as a potential cross-site request forgery",
    "must contain a kbn-xsrf header",
    // gorilla/csrf, echo, net/http, Ory.
    "csrf token invalid",
    "csrf token not found",
    "cross-origin request detected from sec-fetch-site",
    "cross-origin request detected, and/or browser",
    "security_csrf_violation",
    "protect you from cross-site-request-forgery",
    // Flask-WTF, Flask-JWT-Extended, Starlette, Litestar, Tornado, Pyramid.
    "csrf token is missing",
    "csrf token has expired",
    "csrf tokens do not match",
    "csrf signatures submitted do not match",
    "csrf double submit tokens do not match",
    "csrf token verification failed",
    "'_xsrf' argument missing",
    "xsrf cookie does not match",
    "bad csrf token",
    "bad csrf origin",
    // ASP.NET Core and MVC.
    "antiforgery token validation failed",
    "required antiforgery",
    "required anti-forgery",
    "antiforgery token could not be decrypted",
    "anti-forgery token could not be decrypted",
    "antiforgeryvalidationexception",
    "anti-forgery token was meant for a different",
    // Phoenix.
    "invalid csrf (cross site request forgery) token",
    "invalidcsrftokenerror",
}
