//! Whether the header field with the token comes through.

use super::super::arrived::{
    Echo, LOST_AT_THE_EDGE, TOLD_MISSING, echoed, fields, header_missing, is_by_edge,
    sent_with_token, told,
};
use super::{MISSING_LOGGED, UPSTREAM_401_LOGGED, unheard};
use crate::drift::header::TAKES_AUTHORIZATION;
use crate::exchange::Answer;
use crate::layer;
use crate::probe::Probe;
use crate::sign::answer::{At, from_cache, header, mentions};
use crate::sign::probes::SIGNATURE_PASSES;
use crate::sign::token::claims;
use crate::sign::{Sign, accepted, contains, found, logs, refused, seen, together};
use crate::{Clue, Evidence};

/// CloudFront hands a refusal of the service on that is the same with the token and without it.
pub(crate) static CLOUDFRONT_UNHEARD: Sign = Sign {
    name: "edge-cloudfront-unheard",
    means: "behind CloudFront the service answers as if no token had been sent",
    find: |evidence| {
        let own = |client: &Answer| {
            layer::passed(client).contains(&"Amazon CloudFront")
                && !is_by_edge(client)
                && from_cache(client).is_none()
        };
        unheard(evidence, own, "through CloudFront")
    },
};

/// The echo lacks the token, and nothing is on the way that has a cause of its own.
pub(crate) static TAKEN_BY_ECHO: Sign = Sign {
    name: "edge-taken-by-echo",
    means: "the Authorization header is sent and does not arrive behind the edge",
    find: |evidence| {
        let plain = !is_run_by_apache(evidence) && !envoy_verifies(evidence);
        seen(
            plain && echo_lacks_authorization(evidence),
            "`authorization` was sent, and the echo behind the edge has not got it",
            Probe::Echo,
        )
    },
};

/// The service says that no token came and accepts it past the edge, and nothing is on the way that has a cause of
/// its own.
pub(crate) static TAKEN_BY_DIRECT: Sign = Sign {
    name: "edge-taken-by-direct",
    means: "the service behind the edge is not sent the Authorization header that it accepts when asked directly",
    find: |evidence| {
        let plain =
            !is_run_by_apache(evidence) && !envoy_verifies(evidence) && !UNDERSCORE.holds(evidence);
        if plain {
            (LOST_AT_THE_EDGE.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The signature is looked at, and nobody says that no token came: a gateway that verifies may hand none on.
pub(crate) static HEARD: Sign = Sign {
    name: "edge-token-heard",
    means: "the signature passes, and the service does not say that no token came",
    find: |evidence| {
        if TOLD_MISSING.holds(evidence) {
            Vec::new()
        } else {
            (SIGNATURE_PASSES.find)(evidence)
        }
    },
};

/// A line of a proxy's configuration takes the field off.
pub(crate) static TAKEN_BY_SETTING: Sign = Sign {
    name: "edge-taken-by-setting",
    means: "a proxy's configuration takes Authorization off, or sets it to nothing",
    find: |evidence| {
        let beliefs = evidence.beliefs.iter();
        beliefs
            .filter(|belief| belief.name == TAKES_AUTHORIZATION)
            .map(|belief| Clue::new(format!("`{}`", belief.value), belief.source.clone()))
            .collect()
    },
};

/// `Authorization` was sent, the service says that no token came, and a proxy's configuration takes the field off.
pub(crate) static TAKEN_AS_SET: Sign = Sign {
    name: "edge-taken-as-set",
    means: "the service says that no token came, and a proxy's configuration takes Authorization off",
    find: |evidence| {
        let sent = evidence.exchange(Probe::Client);
        let sent = sent.is_some_and(|it| it.request.header("authorization").is_some());
        if sent && TAKEN_BY_SETTING.holds(evidence) && TOLD_MISSING.holds(evidence) {
            unheard(evidence, |_| true, "as if none had been sent")
        } else {
            Vec::new()
        }
    },
};

/// The service's words are about the header field, and not about a token: credentials of another kind in its place
/// would be no reason for them.
pub(crate) static TOLD_NO_HEADER: Sign = Sign {
    name: "edge-told-no-header",
    means: "the service says that the Authorization header itself did not come",
    find: |evidence| told(evidence, header_missing),
};

/// The same server refuses what comes through the edge and accepts what does not.
pub(crate) static SERVER_HEARS_DIRECTLY: Sign = Sign {
    name: "edge-server-hears-directly",
    means: "the service answers each request through the edge alike, and accepts the token when asked directly",
    find: |evidence| {
        let direct = evidence.answer(Probe::Direct).filter(|it| accepted(it));
        let Some(server) = direct.and_then(|direct| direct.header("server")) else {
            return Vec::new();
        };
        let same_server = |client: &Answer| {
            let mut servers = client.headers.iter().filter(|(name, _)| name == "server");
            servers.any(|(_, value)| value == server)
        };
        unheard(evidence, same_server, "through the edge, not past it")
    },
};

/// Envoy itself refuses a forged token.
pub(crate) static ENVOY_VERIFIES: Sign = Sign {
    name: "edge-envoy-verifies",
    means: "Envoy itself refuses a forged token",
    find: |evidence| {
        seen(
            envoy_verifies(evidence),
            "a forged token is refused in the words of Envoy",
            Probe::Altered,
        )
    },
};

/// The service behind Envoy says that there is no token.
pub(crate) static UPSTREAM_TOLD_MISSING: Sign = Sign {
    name: "edge-upstream-told-missing",
    means: "the service behind Envoy says that no token came, although one was sent",
    find: |evidence| {
        let upstream = sent_with_token(evidence).is_some_and(|client| {
            layer::passed(client).contains(&ENVOY)
                && layer::answered(client).is_none_or(|by| by.product != ENVOY)
        });
        if upstream {
            (TOLD_MISSING.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

const ENVOY: &str = "Envoy or Istio";

fn envoy_verifies(evidence: &Evidence) -> bool {
    let altered = evidence
        .answer(Probe::Altered)
        .filter(|altered| refused(altered));
    altered
        .and_then(layer::answered)
        .is_some_and(|by| by.product == ENVOY)
}

/// Envoy logs that the 401 is from behind it, and the service that it got no token.
pub(crate) static BOTH_LOGS: Sign = Sign {
    name: "edge-envoy-and-service-logged",
    means: "Envoy has let requests pass to a service that got no token",
    find: |evidence| {
        if !UPSTREAM_401_LOGGED.holds(evidence) {
            return Vec::new();
        }
        let names = MISSING_LOGGED.iter().map(|(name, _)| name);
        names.flat_map(|name| logs::text(evidence, name)).collect()
    },
};

/// A program that Apache runs says that no token came.
pub(crate) static APACHE_UNHEARD: Sign = Sign {
    name: "edge-apache-unheard",
    means: "an application that Apache runs itself answers as if no token had been sent",
    find: |evidence| {
        if is_run_by_apache(evidence) && TOLD_MISSING.holds(evidence) {
            unheard(evidence, |_| true, "by a program of Apache")
        } else {
            Vec::new()
        }
    },
};

/// The echo of a program that Apache runs lacks the token.
pub(crate) static APACHE_ECHO_LACKS: Sign = Sign {
    name: "edge-apache-echo-lacks",
    means: "a program that Apache runs is not given the Authorization header",
    find: |evidence| {
        // What mod_proxy adds: then Apache runs no program.
        let proxied = evidence.answer(Probe::Echo).is_some_and(|answer| {
            let added = |name: &str| matches!(name, "x-forwarded-server" | "x-forwarded-host");
            fields(answer).iter().any(|(name, _)| added(name))
        });
        seen(
            !proxied && is_run_by_apache(evidence) && echo_lacks_authorization(evidence),
            "`authorization` was sent, and the echo of Apache's program has not got it",
            Probe::Echo,
        )
    },
};

/// Past Apache another server accepts what Apache's program says it was not sent.
pub(crate) static APACHE_LOSES: Sign = Sign {
    name: "edge-apache-loses",
    means: "the application accepts the token under another server, and under Apache says that none came",
    find: |evidence| {
        let other = evidence
            .answer(Probe::Direct)
            .and_then(|direct| direct.header("server"))
            .is_some_and(|server| !contains(server, "apache"));
        if is_run_by_apache(evidence) && (other || MOD_WSGI.holds(evidence)) {
            (LOST_AT_THE_EDGE.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// `Server` names `mod_wsgi`.
pub(crate) static MOD_WSGI: Sign = Sign {
    name: "edge-mod-wsgi",
    means: "the application runs in Apache's mod_wsgi, which takes Authorization off unless told otherwise",
    find: |evidence| header(evidence, "server", "mod_wsgi", At::Client),
};

/// The name of the field that carries the token holds an underscore.
pub(crate) static UNDERSCORE: Sign = Sign {
    name: "edge-underscore",
    means: "the header field that carries the token has an underscore in its name",
    find: |evidence| {
        let client = evidence.exchange(Probe::Client);
        let mut fields = client.into_iter().flat_map(|it| &it.request.headers);
        let field = fields.find(|(name, _)| name.contains('_'));
        found(field.map(|(name, _)| (Probe::Client, format!("the request has `{name}`"))))
    },
};

/// The field has an underscore, and the answer is that to a request without a token.
pub(crate) static UNDERSCORE_UNHEARD: Sign = Sign {
    name: "edge-underscore-unheard",
    means: "the token in the field with the underscore makes no difference",
    find: |evidence| {
        if UNDERSCORE.holds(evidence) {
            unheard(evidence, |_| true, "in a field with an underscore")
        } else {
            Vec::new()
        }
    },
};

/// The refusal names an issuer that is not the token's.
pub(crate) static ANOTHER_ISSUER_REFUSED: Sign = Sign {
    name: "edge-another-issuer-refused",
    means: "the service refuses a token of Google, and the client's is of another issuer",
    find: |evidence| {
        together(evidence, [Probe::Client], |[client]| {
            let own = claims(evidence)?.iss.as_deref()?;
            let named = refused(client) && contains(&client.body, GOOGLE);
            (named && !contains(own, GOOGLE)).then(|| {
                format!(
                    "{} names `{GOOGLE}`, the token is of `{own}`",
                    client.status
                )
            })
        })
    },
};

const GOOGLE: &str = "accounts.google.com";

/// Apache made the application's answer: mod_proxy would have kept the name of the server behind it.
fn is_run_by_apache(evidence: &Evidence) -> bool {
    evidence.answer(Probe::Client).is_some_and(|answer| {
        mentions(answer.header("server"), "apache") && layer::answered(answer).is_none()
    })
}

/// `Authorization` was sent to an echo behind the same edge, which has not got it.
fn echo_lacks_authorization(evidence: &Evidence) -> bool {
    let lacks = |echo: Echo| echo.sent == "authorization" && echo.arrived.is_none();
    same_origin(evidence) && echoed(evidence).is_some_and(lacks)
}

/// The echo stands behind the same edge as what the client requests.
fn same_origin(evidence: &Evidence) -> bool {
    let origin = |probe| {
        let exchange = evidence.exchange(probe)?;
        Some(url::Url::parse(&exchange.request.url).ok()?.origin())
    };
    origin(Probe::Client).is_some_and(|client| origin(Probe::Echo) == Some(client))
}
