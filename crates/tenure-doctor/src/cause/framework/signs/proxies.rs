//! What proxies say that ask another service first.

use super::spring::is_silent_401;
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::{Sign, accepted, contains, logs, of_client, refused, together};

/// 403 without a body from Envoy, whatever the token.
pub(crate) static EMPTY_ENVOY_403: Sign = Sign {
    name: "empty-envoy-403",
    means: "Envoy says 403 without a word",
    find: |evidence| {
        of_client(evidence, |answer| {
            let server = answer.header("server");
            let envoy = mentions(server, "envoy") || mentions(server, "istio");
            let upstream = answer.header("x-envoy-upstream-service-time").is_some();
            (envoy && !upstream && answer.status == 403 && answer.body.trim().is_empty())
                .then(|| "403 without a body, and nothing behind Envoy was asked".to_owned())
        })
    },
};

/// nginx' own page for an error of its own.
pub(crate) static NGINX_500: Sign = Sign {
    name: "nginx-500",
    means: "nginx itself says 500",
    find: |evidence| {
        of_client(evidence, |answer| {
            let nginx = contains(&answer.body, "<center>nginx")
                || contains(&answer.body, "<center>openresty");
            (answer.status == 500 && nginx).then(|| "500 with nginx' own page".to_owned())
        })
    },
};

/// Neither product nor words: 500 without a body.
pub(crate) static EMPTY_500: Sign = Sign {
    name: "empty-500",
    means: "500 without a body",
    find: |evidence| {
        of_client(evidence, |answer| {
            (answer.status == 500
                && answer.body.trim().is_empty()
                && answer.header("server").is_none())
            .then(|| "500 without a body and without a server's name".to_owned())
        })
    },
};

/// Traefik logged that its authentication server did not answer.
pub(crate) static FORWARD_AUTH_DOWN: Sign = Sign {
    name: "forward-auth-down",
    means: "Traefik's ForwardAuth could not reach its authentication server",
    find: |evidence| {
        let works = evidence.answer(Probe::Client).is_some_and(accepted);
        if works || logs::text(evidence, "traefik-forward-auth").is_empty() {
            return Vec::new();
        }
        logs::text(evidence, "traefik-forward-auth-call")
    },
};

/// Traefik's access log: a middleware answered 500, the origin was not asked.
pub(crate) static MIDDLEWARE_500: Sign = Sign {
    name: "traefik-middleware-500",
    means: "a middleware of Traefik said 500 without asking the origin",
    find: |evidence| logs::text(evidence, "traefik-middleware-500"),
};

/// The same with 401.
pub(crate) static MIDDLEWARE_401: Sign = Sign {
    name: "traefik-middleware-401",
    means: "a middleware of Traefik said 401 without asking the origin",
    find: |evidence| logs::text(evidence, "traefik-middleware-401"),
};

/// A small body passes, a large one gets an empty 401.
pub(crate) static LARGE_BODY_401: Sign = Sign {
    name: "large-body-401",
    means: "a large body is answered with an empty 401, a small one is not",
    find: |evidence| {
        let probes = [Probe::SmallBody, Probe::LargeBody];
        together(evidence, probes, |[small, large]| {
            let passes = !refused(small) && small.status < 500;
            (passes && is_silent_401(large))
                .then(|| format!("{} for 1 KiB of body, an empty 401 for 9 KiB", small.status))
        })
    },
};

/// The policy refuses, and a bad token is refused by the mesh's verifier in other words.
pub(crate) static POLICY_AFTER_TOKEN: Sign = Sign {
    name: "policy-after-token",
    means: "the mesh's verifier refuses a bad token itself, so the policy is what refuses this request",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Altered];
        together(evidence, probes, |[own, altered]| {
            let told = altered.status == 401 && contains(&altered.body, "jwt");
            let says = "403 by the policy with the token, 401 by the verifier with an altered one";
            (told && contains(&own.body, "rbac: access denied")).then(|| says.to_owned())
        })
    },
};
