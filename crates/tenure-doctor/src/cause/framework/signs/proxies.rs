//! What proxies say that ask another service first.

use super::{client, own};
use crate::probe::Probe;
use crate::sign::{Sign, accepted, contains, logs, refused, seen};

/// 403 without a body from Envoy, whatever the token.
pub(crate) static EMPTY_ENVOY_403: Sign = Sign {
    name: "empty-envoy-403",
    means: "Envoy says 403 without a word",
    find: |evidence| {
        own(evidence, |answer| {
            let envoy = answer
                .header("server")
                .is_some_and(|server| contains(server, "envoy") || contains(server, "istio"));
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
        own(evidence, |answer| {
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
        own(evidence, |answer| {
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
        if client(evidence).is_some_and(accepted) {
            return Vec::new();
        }
        let named = logs::text(evidence, "traefik-forward-auth");
        let called = logs::text(evidence, "traefik-forward-auth-call");
        if named.is_empty() { named } else { called }
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
        let (Some(small), Some(large)) = (
            evidence.answer(Probe::SmallBody),
            evidence.answer(Probe::LargeBody),
        ) else {
            return Vec::new();
        };
        let silent = large.body.trim().is_empty() && large.header("www-authenticate").is_none();
        seen(
            !refused(small) && small.status < 500 && large.status == 401 && silent,
            format!("{} for 1 KiB of body, an empty 401 for 9 KiB", small.status),
            Probe::LargeBody,
        )
    },
};

/// The policy refuses, and a bad token is refused by the mesh's verifier in other words.
pub(crate) static POLICY_AFTER_TOKEN: Sign = Sign {
    name: "policy-after-token",
    means: "the mesh's verifier refuses a bad token itself, so the policy is what refuses this request",
    find: |evidence| {
        let altered = evidence.answer(Probe::Altered);
        let told =
            altered.is_some_and(|answer| answer.status == 401 && contains(&answer.body, "jwt"));
        let denied = client(evidence).is_some_and(|own| contains(&own.body, "rbac: access denied"));
        seen(
            told && denied,
            "403 by the policy with the token, 401 by the verifier with an altered one",
            Probe::Altered,
        )
    },
};
