//! What a browser adds: preflights, CORS, cookies.

use crate::cause::client::signs::console;
use crate::cause::client::{browsed, cookies, cors};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::probes;
use crate::{Prior, Strength};

pub(super) const PREFLIGHT_NEEDS_TOKEN: Cause = Cause {
    id: "TN0110",
    title: "the browser's preflight is asked for credentials, which it never carries",
    layer: Layer::Transport,
    prior: Prior::Common,
    story: "Before a request with an Authorization header to another origin, a browser asks with OPTIONS \
            whether it may send it, without any credentials. Where authentication stands before CORS, \
            that question is answered with 401 or 403, and the browser never sends the request itself. \
            The page sees a network error and the console speaks of CORS; tools that do not ask first \
            work, and the API's log shows OPTIONS and nothing after it.",
    signs: &[
        (&cors::PREFLIGHT_BY_AUTH, Strength::Marks),
        (&browsed::PREFLIGHT_BROWSED, Strength::Marks),
        (&console::PREFLIGHT, Strength::Points),
        (&console::PREFLIGHT_REDIRECTED, Strength::Points),
        (&console::PREFLIGHT_FIREFOX, Strength::Points),
        (&console::PREFLIGHT_SAFARI, Strength::Points),
        (&cors::PREFLIGHT_AS_BARE, Strength::Suggests),
        (&cors::PREFLIGHT_REDIRECTED, Strength::Suggests),
        (&probes::PREFLIGHT_REFUSED, Strength::Hints),
    ],
    against: &[(&probes::NEVER_EVALUATED, Strength::Points)],
    settled_by: &[&[&cors::PREFLIGHT_BY_AUTH], &[&browsed::PREFLIGHT_BROWSED]],
    ruled_out_by: &[&probes::PREFLIGHT_ALLOWED],
    fix: "Let OPTIONS through before authentication: CORS middleware outside of the authentication, \
          `--skip-auth-preflight` for oauth2-proxy, `run_on_preflight=false` for Kong's jwt plugin, a \
          policy that bypasses OPTIONS for Authelia, a method OPTIONS without an authorizer in Amazon \
          API Gateway. The API still verifies every other method.",
    next: &[
        Step::Probe(Probe::Preflight),
        Step::Probe(Probe::Origin),
        Step::Supply("the origin of the web page", "--origin https://app.example"),
    ],
    references: &[
        "https://fetch.spec.whatwg.org/#cors-preflight-fetch",
        "oauth2-proxy/oauth2-proxy#735",
        "traefik/traefik#1019",
        "authelia/authelia#648",
        "https://github.com/Kong/kong/blob/master/kong/plugins/jwt/schema.lua",
    ],
};

pub(super) const REFUSAL_WITHOUT_CORS: Cause = Cause {
    id: "TN0111",
    title: "refusals lack the CORS header fields, so the page sees a network error in place of 401",
    layer: Layer::Transport,
    prior: Prior::Usual,
    story: "Successes carry `Access-Control-Allow-Origin`, refusals do not, because another layer writes \
            them or because header fields are added to successes only (nginx's `add_header` without \
            `always`, default responses of a gateway). The browser withholds such a refusal from the \
            page: its code sees status 0 and a CORS error, and never learns that its token expired. It \
            does not refresh then, or signs out as if the network were gone.",
    signs: &[
        (&cors::SOMEBODY_REFUSED, Strength::Marks),
        (&cors::CORS_ON_SUCCESS_ONLY, Strength::Suggests),
        (&cors::REFUSAL_WITHOUT_CORS, Strength::Points),
        (&browsed::REFUSALS_UNREAD, Strength::Marks),
        (&console::NO_ORIGIN, Strength::Points),
        (&console::NO_ORIGIN_FIREFOX, Strength::Points),
        (&console::NO_ORIGIN_SAFARI, Strength::Points),
        (&cors::CORS_USED, Strength::Hints),
    ],
    // A refusal that only a probe provoked shows a weakness, and no fault that anybody met.
    against: &[(&cors::NOBODY_REFUSED, Strength::Hints)],
    settled_by: &[&[&cors::SOMEBODY_REFUSED], &[&browsed::REFUSALS_UNREAD]],
    ruled_out_by: &[&cors::CORS_ON_REFUSAL],
    fix: "Put the CORS header fields on every answer: `add_header … always` in nginx, gateway responses \
          (DEFAULT_4XX, DEFAULT_5XX) in API Gateway, CORS outside of everything that can refuse in a \
          framework. Expose `WWW-Authenticate` where the page reads it.",
    next: &[Step::Probe(Probe::BareOrigin), Step::Probe(Probe::Origin)],
    references: &[
        "RubaXa/nginx-cors#3",
        "monsur/enable-cors.org#106",
        "bcgov/traction#443",
        "https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header",
    ],
};

pub(super) const COOKIE_NOT_SENT: Cause = Cause {
    id: "TN0112",
    title: "the browser does not keep or send the session cookie: its attributes, or the page's credentials mode",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "The session is a cookie, and the browser does not keep it (Secure over http, a domain that is not \
            the host's, SameSite=None without Secure) or does not send it there (another host or path). \
            Where page and API have different origins, it sends the cookie only if the page asks for it \
            (`credentials: \"include\"`), if the answer allows it (`Access-Control-Allow-Credentials: true` \
            and the page's origin by name), and if the cookie's SameSite permits the site. The API sees a \
            request without a session, while the same request with the cookie works from a command line.",
    signs: &[
        (&cors::CREDENTIALS_NOT_ALLOWED, Strength::Points),
        (&cors::SAME_SITE_BLOCKS, Strength::Points),
        (&cookies::COOKIE_LEFT_OUT, Strength::Marks),
        (&cookies::COOKIE_WITHHELD, Strength::Points),
        (&console::WILDCARD, Strength::Points),
        (&console::CREDENTIALS, Strength::Points),
        (&console::WILDCARD_FIREFOX, Strength::Points),
        (&console::CREDENTIALS_FIREFOX, Strength::Points),
        (&console::COOKIE_CROSS_SITE, Strength::Points),
        (&console::COOKIE_NOT_SECURE, Strength::Points),
        (&console::COOKIE_HTTP, Strength::Points),
        (&console::COOKIE_DOMAIN, Strength::Points),
        (&console::COOKIE_FOREIGN, Strength::Points),
        (&console::SET_COOKIE_BLOCKED, Strength::Points),
        (&cors::COOKIE_SESSION, Strength::Hints),
    ],
    against: &[],
    settled_by: &[
        &[&cors::COOKIE_SESSION, &cors::CREDENTIALS_NOT_ALLOWED],
        &[&cors::COOKIE_SESSION, &cors::SAME_SITE_BLOCKS],
        &[&cookies::COOKIE_LEFT_OUT],
    ],
    ruled_out_by: &[],
    fix: "Set the cookie for the host and the path of the API (`Domain`, `Path=/`), and serve https where it is \
          Secure. Serve page and API from one site, so that SameSite=Lax suffices. Otherwise: `credentials: \
          \"include\"` in the page, the page's origin by name (never `*`) with \
          `Access-Control-Allow-Credentials: true` in the API, and `SameSite=None; Secure` on the cookie.",
    next: &[
        Step::Probe(Probe::Origin),
        Step::Supply("a HAR of the browser with sensitive data", "--logs app.har"),
    ],
    references: &[
        "https://fetch.spec.whatwg.org/#concept-request-credentials-mode",
        "https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis",
    ],
};
