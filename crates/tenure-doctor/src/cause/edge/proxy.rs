//! Proxies that ask, rewrite or drop.

use super::arrived::{
    ECHO_HAS_ANOTHER, ECHO_HAS_FOREIGN, ECHO_HAS_TOKEN, ECHO_LACKS_TOKEN, LOST_AT_THE_EDGE,
    MISSED_WITHOUT_ONE, ORIGINAL_KEPT_ASIDE, TOLD_INVALID_WITHOUT_ONE,
};
use super::signs::browsed::{LOGIN_BROWSED, UNDERSCORE_BROWSED};
use super::signs::gates::{
    API_SENT_TO_LOGIN, BASIC_BROWSED, BASIC_BY_PROXY, BASIC_CHALLENGE,
    BASIC_GATE as ASKS_FOR_BASIC, BASIC_PAGE, BASIC_PAST, CHALLENGE_KEPT, LOGIN_COMES_BACK,
    LOGIN_FOR_ALL, LOGIN_REDIRECT as TO_LOGIN, PROXY_ASKS, REASON_RENAMED, REMAPPED,
};
use super::signs::header::{
    ANOTHER_ISSUER_REFUSED, APACHE_ECHO_LACKS, APACHE_LOSES, APACHE_UNHEARD, BOTH_LOGS,
    ENVOY_VERIFIES, MOD_WSGI, TAKEN_BY_ECHO, TOLD_NO_HEADER, UNDERSCORE, UNDERSCORE_UNHEARD,
    UPSTREAM_TOLD_MISSING,
};
use super::signs::{
    DIRECT_REFUSED, FORWARDED_LOGGED, INVALID_HEADER_LOGGED, NO_PASSWORD_LOGGED, PROXY_ASKS_LOGGED,
    SQUID_ASKS_LOGGED, TUNNEL_ASKS_LOGGED, UPSTREAM_401_LOGGED, WRONG_SCHEME_LOGGED,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::logs::SENT_TO_LOGIN;
use crate::sign::probes::{
    ACCEPTED, AS_WITHOUT_TOKEN, DIRECT_ACCEPTED, FAILS_AS_FORGED, REFUSED_401, SIGNATURE_PASSES,
};
use crate::weight::{Prior, Strength};

pub(super) const BASIC_GATE: Cause = Cause {
    id: "TN0209",
    title: "a proxy in front asks for user name and password",
    layer: Layer::Proxy,
    prior: Prior::Usual,
    story: "Somebody has guarded the whole site by HTTP Basic, often a staging environment or a tunnel. Basic and Bearer \
            use the same header field, so one request cannot satisfy both: the proxy refuses the Bearer token, and once \
            the client sends the password the API misses its token. The challenge names the realm of whoever asks.",
    signs: &[
        (&BASIC_CHALLENGE, Strength::Marks),
        (&ASKS_FOR_BASIC, Strength::Points),
        (&BASIC_PAST, Strength::Points),
        (&BASIC_PAGE, Strength::Points),
        (&WRONG_SCHEME_LOGGED, Strength::Marks),
        (&BASIC_BROWSED, Strength::Marks),
        (&NO_PASSWORD_LOGGED, Strength::Points),
        (&PROXY_ASKS, Strength::Marks),
        (&PROXY_ASKS_LOGGED, Strength::Marks),
        (&TUNNEL_ASKS_LOGGED, Strength::Marks),
        (&SQUID_ASKS_LOGGED, Strength::Points),
    ],
    against: &[
        (&SIGNATURE_PASSES, Strength::Marks),
        (&ACCEPTED, Strength::Points),
        (&DIRECT_REFUSED, Strength::Suggests),
    ],
    settled_by: &[
        &[&ASKS_FOR_BASIC],
        &[&BASIC_PAST],
        &[&WRONG_SCHEME_LOGGED],
        &[&BASIC_BROWSED],
        &[&BASIC_BY_PROXY],
        &[&PROXY_ASKS],
    ],
    ruled_out_by: &[],
    fix: "Take the gate off the API's paths (nginx `auth_basic off;` in their location), or guard by something that leaves \
          Authorization alone: addresses, mTLS, a cookie, a header of its own. Where the proxy must keep its password, let \
          the client carry the API's token in another field and have the proxy move it to Authorization.",
    next: &[
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::OtherPath),
        Step::Probe(Probe::Direct),
    ],
    references: &["inconshreveable/ngrok#196", "RFC 9110, section 11.6.1"],
};

pub(super) const OVERWRITES: Cause = Cause {
    id: "TN0210",
    title: "a proxy puts another Authorization header in place of the client's",
    layer: Layer::Proxy,
    prior: Prior::Usual,
    story: "On its way the header field is set again: ESPv2 and Google's API Gateway put a token of their own service \
            account there and move the client's to X-Forwarded-Authorization; a proxy has a fixed `proxy_set_header \
            Authorization` with credentials of its own; a sidecar adds its identity. The service judges what arrives, and \
            the client's token has no influence on the answer. A sign of it is that a request without any token is \
            refused because of its token.",
    signs: &[
        (&ECHO_HAS_ANOTHER, Strength::Marks),
        (&ORIGINAL_KEPT_ASIDE, Strength::Marks),
        (&TOLD_INVALID_WITHOUT_ONE, Strength::Points),
        (&ANOTHER_ISSUER_REFUSED, Strength::Marks),
        (&FORWARDED_LOGGED, Strength::Marks),
        (&LOST_AT_THE_EDGE, Strength::Points),
    ],
    against: &[
        (&TOLD_NO_HEADER, Strength::Points),
        (&MISSED_WITHOUT_ONE, Strength::Points),
        (&TAKEN_BY_ECHO, Strength::Marks),
        (&SIGNATURE_PASSES, Strength::Marks),
        (&ACCEPTED, Strength::Marks),
        (&DIRECT_REFUSED, Strength::Suggests),
    ],
    settled_by: &[&[&ECHO_HAS_FOREIGN]],
    ruled_out_by: &[&ECHO_HAS_TOKEN],
    fix: "Pass the client's field on unchanged (nginx `proxy_set_header Authorization $http_authorization;`, HAProxy \
          without `http-request set-header Authorization`), and let the proxy identify itself in a field of its own. With \
          ESPv2, read X-Forwarded-Authorization in the service or set `disable_auth: true` for the back end; trust that \
          field only from the proxy.",
    next: &[
        Step::Probe(Probe::Echo),
        Step::Probe(Probe::Direct),
        Step::Supply(
            "an endpoint behind the same edge that answers with the header fields it got",
            "--echo URL",
        ),
    ],
    references: &[
        "GoogleCloudPlatform/esp-v2#140",
        "GoogleCloudPlatform/esp-v2#447",
        "cloudendpoints/esp#771",
        "https://cloud.google.com/endpoints/docs/openapi/specify-proxy-startup-options",
    ],
};

pub(super) const ENVOY_CONSUMES: Cause = Cause {
    id: "TN0211",
    title: "Envoy verifies the token and does not pass it on",
    layer: Layer::GatewayVerifier,
    prior: Prior::Rare,
    story: "Envoy's `jwt_authn` filter takes a token off the request once it has verified it, unless the provider says \
            `forward: true`. A service behind it that verifies by itself then finds none. Forged tokens are refused by \
            Envoy in its own words, good ones by the service as if none had been sent.",
    signs: &[
        (&ENVOY_VERIFIES, Strength::Suggests),
        (&UPSTREAM_TOLD_MISSING, Strength::Marks),
        (&UPSTREAM_401_LOGGED, Strength::Points),
        (&BOTH_LOGS, Strength::Points),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&DIRECT_REFUSED, Strength::Suggests),
    ],
    settled_by: &[
        &[&ENVOY_VERIFIES, &UPSTREAM_TOLD_MISSING],
        &[&ENVOY_VERIFIES, &ECHO_LACKS_TOKEN],
    ],
    ruled_out_by: &[&ECHO_HAS_TOKEN],
    fix: "Set `forward: true` on the provider (`forwardOriginalToken: true` in Istio's RequestAuthentication), or let the \
          service read the verified payload from `forward_payload_header`. In the second case the service must be \
          reachable through Envoy only.",
    next: &[
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::Echo),
        Step::Supply(
            "Envoy's access log with %RESPONSE_CODE_DETAILS%",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/jwt_authn/v3/config.proto",
    ],
};

pub(super) const APACHE_DROPS: Cause = Cause {
    id: "TN0212",
    title: "Apache does not hand Authorization to the application",
    layer: Layer::Proxy,
    prior: Prior::Usual,
    story: "Apache httpd keeps Authorization from programs that it runs (CGI, mod_wsgi, FastCGI), because it may have \
            checked the password itself. The application sees no token and answers as to a request without one. Under \
            the framework's own server the same code works, so it is found on the first deployment.",
    signs: &[
        (&APACHE_UNHEARD, Strength::Marks),
        (&APACHE_ECHO_LACKS, Strength::Marks),
        (&APACHE_LOSES, Strength::Points),
        (&MOD_WSGI, Strength::Hints),
    ],
    against: &[
        (&SIGNATURE_PASSES, Strength::Marks),
        (&FAILS_AS_FORGED, Strength::Points),
        (&ACCEPTED, Strength::Marks),
        (&DIRECT_REFUSED, Strength::Suggests),
        (&UNDERSCORE, Strength::Points),
    ],
    settled_by: &[&[&APACHE_ECHO_LACKS, &APACHE_UNHEARD], &[&APACHE_LOSES]],
    ruled_out_by: &[&ECHO_HAS_TOKEN],
    fix: "`WSGIPassAuthorization On` for mod_wsgi, `CGIPassAuth On` (httpd 2.4.13) for CGI and FastCGI; before that, \
          `SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1`. Where Apache is a reverse proxy, look for \
          `RequestHeader unset Authorization`. Restart it: a reload does not restart mod_wsgi daemons with changed settings.",
    next: &[
        Step::Probe(Probe::Echo),
        Step::Probe(Probe::Direct),
        Step::Supply(
            "an endpoint that answers with the header fields it got",
            "--echo URL",
        ),
    ],
    references: &[
        "encode/django-rest-framework#488",
        "https://modwsgi.readthedocs.io/en/master/configuration-directives/WSGIPassAuthorization.html",
        "https://httpd.apache.org/docs/2.4/mod/core.html#cgipassauth",
    ],
};

pub(super) const UNDERSCORES: Cause = Cause {
    id: "TN0213",
    title: "nginx ignores the header field because of the underscore in its name",
    layer: Layer::Proxy,
    prior: Prior::Rare,
    story: "nginx drops request header fields with an underscore in their names, because CGI would not tell `X_API_KEY` \
            from `X-Api-Key`. It says so only in the error log at level `info`. A token in a field such as `access_token` \
            or `X_AUTH_TOKEN` never arrives; on a developer's machine without nginx it does. Load balancers and some \
            application servers do the same.",
    signs: &[
        (&UNDERSCORE, Strength::Points),
        (&UNDERSCORE_UNHEARD, Strength::Marks),
        (&UNDERSCORE_BROWSED, Strength::Marks),
        (&INVALID_HEADER_LOGGED, Strength::Marks),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&SIGNATURE_PASSES, Strength::Marks),
        (&FAILS_AS_FORGED, Strength::Points),
    ],
    settled_by: &[
        &[&UNDERSCORE, &ECHO_LACKS_TOKEN, &AS_WITHOUT_TOKEN],
        &[&UNDERSCORE_UNHEARD, &DIRECT_ACCEPTED],
        &[&UNDERSCORE_UNHEARD, &INVALID_HEADER_LOGGED],
    ],
    ruled_out_by: &[&ECHO_HAS_TOKEN],
    fix: "Rename the field: hyphens, or Authorization. If clients cannot be changed, `underscores_in_headers on;` in the \
          `server` block; it counts only in the default server of that address and port, so set it in `http` when in doubt.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::Echo),
        Step::Supply("nginx's error log at level info", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#underscores_in_headers",
        "https://github.com/nginx/nginx/blob/master/src/http/ngx_http_core_module.c",
    ],
};

pub(super) const CHALLENGE_RENAMED: Cause = Cause {
    id: "TN0214",
    title: "API Gateway renames the service's WWW-Authenticate, and the client does not find it",
    layer: Layer::GatewayRouter,
    prior: Prior::Rare,
    story: "The service behind API Gateway says 401 with a challenge. API Gateway passes it on as \
            x-amzn-Remapped-WWW-Authenticate. A client that reads the challenge, to see whether a refresh would help or \
            where to sign in, finds none and gives up. The renamed field also proves that the service refused, not the \
            gateway.",
    signs: &[
        (&REMAPPED, Strength::Marks),
        (&REASON_RENAMED, Strength::Suggests),
    ],
    against: &[
        (&CHALLENGE_KEPT, Strength::Marks),
        (&ACCEPTED, Strength::Marks),
    ],
    settled_by: &[&[&REASON_RENAMED]],
    ruled_out_by: &[],
    fix: "Map the field back: in the integration response set `method.response.header.WWW-Authenticate` from \
          `integration.response.header.WWW-Authenticate` (not possible with proxy integrations, where the client has to \
          read the renamed field as well). Why the service refuses is another question: look at the challenge's `error`.",
    next: &[
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::Bare),
        Step::Supply(
            "the log of the service behind the gateway",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html",
    ],
};

pub(super) const LOGIN_REDIRECT: Cause = Cause {
    id: "TN0215",
    title: "a gate for browsers redirects API requests to a sign-in page",
    layer: Layer::Proxy,
    prior: Prior::Usual,
    story: "A gate that was made for people guards the API. It looks for a cookie, not for a token, and sends everybody \
            without one to a sign-in page by 302. A client that follows gets 200 with HTML and fails on parsing it, or \
            ends at another host without its header; it never sees the 401 that would have made it refresh.",
    signs: &[
        (&TO_LOGIN, Strength::Marks),
        (&LOGIN_FOR_ALL, Strength::Points),
        (&API_SENT_TO_LOGIN, Strength::Points),
        (&LOGIN_BROWSED, Strength::Marks),
        (&SENT_TO_LOGIN, Strength::Marks),
    ],
    against: &[
        (&ACCEPTED, Strength::Points),
        (&SIGNATURE_PASSES, Strength::Points),
        (&REFUSED_401, Strength::Points),
        (&LOGIN_COMES_BACK, Strength::Points),
    ],
    settled_by: &[&[&LOGIN_FOR_ALL], &[&API_SENT_TO_LOGIN]],
    ruled_out_by: &[],
    fix: "Tell the gate which paths are an API: oauth2-proxy `--api-route` and `--skip-jwt-bearer-tokens`, with the issuers \
          in `--extra-jwt-issuers`; other gates, a rule for `Accept: application/json` or for the path. In the client turn \
          redirects off for API calls and treat HTML as a refusal.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::Garbage),
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::Browser),
    ],
    references: &[
        "oauth2-proxy/oauth2-proxy#2512",
        "https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview",
    ],
};
