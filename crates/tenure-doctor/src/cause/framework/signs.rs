//! What only frameworks and the services around them say.

use crate::cause::Layer;
use crate::compare::same;
use crate::layer;
use crate::probe::Probe;
use crate::sign::answer::{At, texts};
use crate::sign::{Sign, accepted, logs, of_client, refused, seen, together};

pub(super) mod forgery;
pub(super) mod libraries;
pub(super) mod proxies;
pub(super) mod services;
pub(super) mod spring;

texts! {
    /// What oauth2-proxy logs when it cannot read a bearer token.
    OAUTH2_PROXY_LOGGED = "oauth2-proxy-jwt-session", At::Client, "error retrieving session from token in authorization header", "oauth2-proxy cannot make a session of the bearer token";
    /// Spring Security's debug log.
    ERROR_SECURED_GET = "spring-error-secured-get", At::Client, "securing get /error", "Spring guards its own page for errors";
    /// The same for POST.
    ERROR_SECURED_POST = "spring-error-secured-post", At::Client, "securing post /error", "Spring guards its own page for errors";
    /// Tomcat's log of an error that nobody caught.
    SERVLET_FAILED = "servlet-failed", At::Client, "servlet.service() for servlet [dispatcherservlet]", "a controller of Spring failed";
    /// Spring's word for a path that nothing serves.
    NO_RESOURCE = "spring-no-resource", At::Client, "no static resource", "Spring finds nothing at the path";
    /// The flag in Envoy's access log.
    EXT_AUTHZ_FLAG = "envoy-uaex", At::Client, "uaex", "Envoy's authorization service did not let the request pass";
    /// Response code details of a real denial.
    EXT_AUTHZ_DENIED = "envoy-ext-authz-denied", At::Client, "ext_authz_denied", "Envoy's authorization service denies";
    /// Response code details in Envoy's access log.
    EXT_AUTHZ_ERROR = "envoy-ext-authz-error", At::Client, "ext_authz_error", "Envoy could not reach its authorization service";
    /// nginx' error log.
    AUTH_REQUEST_STATUS = "nginx-auth-request-status", At::Client, "auth request unexpected status", "the subrequest of auth_request ended in neither 2xx nor 401 or 403";
    /// Traefik's log.
    FORWARD_AUTH_BODY = "traefik-forward-auth-body", At::Client, "request body is too large, maxbodysize", "a body exceeds the limit of ForwardAuth";
    /// Traefik names its middleware so.
    FORWARD_AUTH_NAMED = "traefik-forward-auth", At::Client, "forwardauth", "Traefik's ForwardAuth is in the way";
    /// Envoy's RBAC filter, in its answer.
    RBAC_DENIED = "envoy-rbac", At::Client, "rbac: access denied", "a policy of the mesh refuses";
    /// The same in its access log.
    RBAC_LOGGED = "envoy-rbac-logged", At::Client, "rbac_access_denied", "a policy of the mesh refuses";
    /// mod_auth_openidc's log.
    CLAIM_UNMATCHED = "apache-claim-unmatched", At::Client, "could not match require claim expression", "Apache finds no claim as it is asked for";
    /// Supabase Auth's code, in its log.
    BAD_JWT_LOGGED = "supabase-bad-jwt", At::Client, "bad_jwt", "Supabase Auth cannot use the token";
}

/// An error that logs tell of and that nobody got over since: the client's request, where it was sent, fails.
macro_rules! lasting {
    ($($name:ident = $text:literal, $means:literal;)*) => {
        $(pub(super) static $name: Sign = Sign {
            name: concat!($text, "-lasts"),
            means: $means,
            find: |evidence| {
                if evidence.answer(Probe::Client).is_some_and(accepted) {
                    return Vec::new();
                }
                logs::text(evidence, $text)
            },
        };)*
    };
}

lasting! {
    EXT_AUTHZ_LASTS = "envoy-ext-authz-error", "Envoy could not reach its authorization service, and the request still fails";
    AUTH_REQUEST_LASTS = "nginx-auth-request-status", "the subrequest of auth_request failed, and the request still does";
    FORWARD_BODY_LASTS = "traefik-forward-auth-body", "a body exceeded the limit of ForwardAuth, and the request still fails";
}

/// What only logs are searched for: Traefik's word of a call that failed; that somebody was given a role.
pub(crate) const LOGGED: &[(&str, &str)] = &[
    ("traefik-forward-auth-call", "error calling http"),
    ("role-granted", "role granted"),
    ("role-granted", "role_granted"),
    ("role-granted", "role assigned"),
    ("role-granted", "role_assigned"),
    ("role-granted", "role added"),
    ("role-granted", "role_added"),
    ("role-granted", "permission granted"),
    ("role-granted", "permission_granted"),
];

/// The client's own request carries no credentials.
pub(super) static SENDS_NO_TOKEN: Sign = Sign {
    name: "sends-no-token",
    means: "the client's own request has no Authorization header",
    find: |evidence| {
        let client = evidence.exchange(Probe::Client);
        let bare = client.is_some_and(|it| it.request.header("authorization").is_none());
        seen(
            bare && evidence.tokens.is_empty(),
            "the request has no Authorization header",
            Probe::Client,
        )
    },
};

/// The token is refused in other words than no token is.
pub(super) static NOT_AS_BARE: Sign = Sign {
    name: "not-as-bare",
    means: "the answer without a token is not that with it",
    find: |evidence| {
        together(evidence, [Probe::Client, Probe::Bare], |[own, bare]| {
            let (with, without) = (own.status, bare.status);
            (!same(own, bare)).then(|| format!("{with} with the token, {without} without"))
        })
    },
};

/// An empty body: the challenge is all that is said.
pub(super) static EMPTY_BODY: Sign = Sign {
    name: "empty-refusal",
    means: "the refusal has no body",
    find: |evidence| {
        of_client(evidence, |answer| {
            (refused(answer) && answer.body.trim().is_empty())
                .then(|| format!("{} without a body", answer.status))
        })
    },
};

/// Something in front of the service answered.
pub(super) static ANSWERED_IN_FRONT: Sign = Sign {
    name: "answered-in-front",
    means: "what answered stands in front of the service",
    find: |evidence| {
        of_client(evidence, |answer| {
            let by = layer::answered(answer)?;
            matches!(
                by.layer,
                Layer::Cdn | Layer::Waf | Layer::Proxy | Layer::GatewayRouter
            )
            .then(|| format!("{} answered: {}", by.product, by.mark))
        })
    },
};
