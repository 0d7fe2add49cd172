//! Proxies that ask another service whether a request may pass.

use super::signs;
use super::signs::proxies;
use crate::Prior::{Rare, Usual};
use crate::Strength::{Marks, Points, Suggests};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::probes;

pub(super) const EXT_AUTHZ: Cause = Cause {
    id: "TN0509",
    title: "Envoy's authorization service is down, and Envoy says 403",
    layer: Layer::GatewayVerifier,
    prior: Rare,
    story: "Envoy asks an external service about each request. When that one is down or too slow, Envoy \
            refuses with 403 unless told otherwise, as if the user were not allowed. It meets all users at \
            once, whatever their tokens; the access log has the flag UAEX and the details `ext_authz_error`, \
            where a real denial has `ext_authz_denied`.",
    signs: &[
        (&signs::EXT_AUTHZ_ERROR, Marks),
        (&proxies::EMPTY_ENVOY_403, Points),
        (&signs::EXT_AUTHZ_FLAG, Suggests),
    ],
    against: &[
        (&signs::EXT_AUTHZ_DENIED, Marks),
        (&probes::ACCEPTED, Points),
        (&probes::SIGNATURE_PASSES, Points),
    ],
    settled_by: &[&[&signs::EXT_AUTHZ_LASTS]],
    ruled_out_by: &[],
    fix: "Bring the authorization service back, then separate the two: set `status_on_error` to 503, so that \
          clients wait in place of signing out, or `failure_mode_allow` where another layer verifies too. \
          Alert on `ext_authz.error`.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Supply(
            "Envoy's access log with %RESPONSE_FLAGS% and %RESPONSE_CODE_DETAILS%",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "envoyproxy/envoy#14001",
        "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter",
    ],
};

pub(super) const AUTH_REQUEST: Cause = Cause {
    id: "TN0510",
    title: "nginx' auth_request got neither yes nor no, and says 500",
    layer: Layer::Proxy,
    prior: Usual,
    story: "`auth_request` passes a request on a 2xx of the subrequest and refuses on 401 and 403. Anything \
            else of the authentication service (a redirect, 404, 429, 502) becomes 500, and the error log \
            says `auth request unexpected status`. Often the service sends to a login, or is not there.",
    signs: &[
        (&signs::AUTH_REQUEST_STATUS, Marks),
        (&proxies::NGINX_500, Points),
    ],
    against: &[
        (&probes::ACCEPTED, Points),
        (&probes::SIGNATURE_PASSES, Suggests),
    ],
    settled_by: &[&[&signs::AUTH_REQUEST_LASTS]],
    ruled_out_by: &[],
    fix: "Ask the authentication service at the URL of the subrequest and make it answer 2xx, 401 or 403 \
          only: no redirect (turn 302 into 401 there), the right path, reachable from nginx. A login belongs \
          into `error_page 401`.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Supply("nginx' error log", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://nginx.org/en/docs/http/ngx_http_auth_request_module.html",
        "https://github.com/nginx/nginx/blob/master/src/http/modules/ngx_http_auth_request_module.c",
    ],
};

pub(super) const FORWARD_AUTH: Cause = Cause {
    id: "TN0511",
    title: "Traefik's ForwardAuth refuses: its server is down (500), or the body is too large (401)",
    layer: Layer::Proxy,
    prior: Rare,
    story: "Traefik asks another server about each request. If that one cannot be reached, the client gets \
            500; if the body is to be forwarded and exceeds `maxBodySize`, it gets 401. Both are without a \
            body, and neither says anything about the token.",
    signs: &[
        (&signs::FORWARD_AUTH_BODY, Marks),
        (&proxies::FORWARD_AUTH_DOWN, Marks),
        (&proxies::LARGE_BODY_401, Marks),
        (&proxies::MIDDLEWARE_500, Points),
        (&proxies::MIDDLEWARE_401, Suggests),
        (&signs::FORWARD_AUTH_NAMED, Suggests),
        (&proxies::EMPTY_500, Suggests),
    ],
    against: &[
        (&proxies::NGINX_500, Points),
        (&probes::ALWAYS_ACCEPTED, Suggests),
    ],
    settled_by: &[
        &[&signs::FORWARD_BODY_LASTS],
        &[&proxies::FORWARD_AUTH_DOWN],
        &[&proxies::LARGE_BODY_401],
        &[&proxies::MIDDLEWARE_500, &proxies::EMPTY_500],
    ],
    ruled_out_by: &[],
    fix: "For 500: see that Traefik reaches the address of the middleware, and that it answers. For 401 on \
          large bodies: raise `forwardAuth.maxBodySize`, or turn `forwardBody` off. In the access log \
          `OriginStatus` is missing for what a middleware answered.",
    next: &[
        Step::Probe(Probe::SmallBody),
        Step::Probe(Probe::LargeBody),
        Step::Supply("Traefik's log", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://github.com/traefik/traefik/blob/master/pkg/middlewares/auth/forward.go",
        "https://doc.traefik.io/traefik/middlewares/http/forwardauth/",
    ],
};

pub(super) const MESH_POLICY: Cause = Cause {
    id: "TN0512",
    title: "A policy of the mesh refuses: no token came with the request, or no rule allows it",
    layer: Layer::GatewayVerifier,
    prior: Usual,
    story: "Istio's RequestAuthentication refuses bad tokens with 401 and lets requests without a token \
            pass; then an AuthorizationPolicy asks for an identity and says 403 `RBAC: access denied`. So a \
            missing token is a 403 here, and a 403 with a good token means that no rule matches its issuer, \
            subject, claims, path or method.",
    signs: &[
        (&signs::RBAC_DENIED, Marks),
        (&signs::RBAC_LOGGED, Points),
        (&proxies::POLICY_AFTER_TOKEN, Suggests),
    ],
    against: &[(&probes::ACCEPTED, Points)],
    settled_by: &[
        &[&signs::RBAC_DENIED, &probes::REFUSED_403],
        &[&signs::RBAC_LOGGED, &probes::REFUSED_403],
    ],
    ruled_out_by: &[],
    fix: "If the token did not arrive, find out who takes it away (an answer to a bad token that begins with \
          `Jwt` shows that it does arrive). Else compare the policy's `requestPrincipals` (issuer/subject), \
          `when` conditions, paths and methods with the token and the request; an ALLOW policy that matches \
          nothing denies everything.",
    next: &[
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::OtherToken),
    ],
    references: &[
        "https://istio.io/latest/docs/ops/common-problems/security-issues/",
        "https://istio.io/latest/docs/tasks/security/authorization/authz-jwt/",
    ],
};
