//! What only this family asks.

use super::arrived::{LOST_AT_THE_EDGE, TOLD_MISSING, echoed, fields, is_edge, sent_with_token};
use crate::compare::same;
use crate::exchange::Answer;
use crate::layer;
use crate::logs::Browsed;
use crate::probe::Probe;
use crate::sign::answer::{At, from_cache, header, texts};
use crate::sign::{Sign, accepted, answers, client_answers, contains, logs, refused, seen};
use crate::{Clue, Evidence, Source};

texts! {
    /// The access log of API Gateway, `$context.wafResponseCode`.
    WAF_BLOCK_LOGGED = "edge-waf-block-logged", At::Client, "waf_block", "API Gateway's access log says that the firewall blocked the request";
    /// `$context.error.responseType` of the same.
    WAF_FILTERED_LOGGED = "edge-waf-filtered-logged", At::Client, "waf_filtered", "API Gateway's access log says that the firewall filtered the request";
    /// The error log of nginx, at level `info`.
    INVALID_HEADER_LOGGED = "edge-nginx-invalid-header", At::Client, "client sent invalid header line", "nginx has logged that it ignores a header field";
    /// Apache's mod_auth_basic.
    WRONG_SCHEME_LOGGED = "edge-apache-wrong-scheme", At::Client, "ah01614", "Apache has logged that a client came to its password gate with another scheme";
    /// nginx's error log.
    NO_PASSWORD_LOGGED = "edge-nginx-no-password", At::Client, "no user/password was provided for basic authentication", "nginx has logged that requests came to its password gate without a password";
    /// A service behind ESPv2.
    FORWARDED_LOGGED = "edge-forwarded-authorization", At::Client, "x-forwarded-authorization", "the service has logged that the client's header was moved aside";
    /// ModSecurity in the error log of nginx or Apache.
    MODSECURITY_LOGGED = "edge-modsecurity", At::Client, "modsecurity: access denied", "ModSecurity has logged that it denies requests";
    /// A client that logs the header fields of what it got.
    MITIGATED_LOGGED = "edge-cf-mitigated-logged", At::Client, "cf-mitigated", "the client has logged Cloudflare's `cf-mitigated`";
    /// A client that logs the page it got.
    MOMENT_LOGGED = "edge-just-a-moment-logged", At::Client, "just a moment...", "the client has logged a page that asks to wait a moment, as Cloudflare's challenge does";
    /// Envoy's access log in the format of Istio.
    UPSTREAM_401_LOGGED = "edge-envoy-upstream-401", At::Client, "401 - via_upstream", "Envoy has logged that the 401 comes from behind it";
}

/// CloudFront hands a refusal of the service on that is the same with the token and without it.
pub(crate) static CLOUDFRONT_UNHEARD: Sign = Sign {
    name: "edge-cloudfront-unheard",
    means: "behind CloudFront the service answers as if no token had been sent",
    find: |evidence| {
        let own = |client: &Answer| {
            layer::passed(client).contains(&"Amazon CloudFront")
                && layer::answered(client).is_none_or(|by| !is_edge(&by))
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
        let taken = echoed(evidence)
            .is_some_and(|echo| echo.sent == "authorization" && echo.arrived.is_none());
        let plain =
            !is_run_by_apache(evidence) && !envoy_verifies(evidence) && same_origin(evidence);
        seen(
            taken && plain,
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
        let plain = !is_run_by_apache(evidence)
            && !envoy_verifies(evidence)
            && (UNDERSCORE.find)(evidence).is_empty();
        if plain {
            (LOST_AT_THE_EDGE.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The same server refuses what comes through the edge and accepts what does not.
pub(crate) static SERVER_HEARS_DIRECTLY: Sign = Sign {
    name: "edge-server-hears-directly",
    means: "the service answers each request through the edge alike, and accepts the token when asked directly",
    find: |evidence| {
        let Some(direct) = evidence
            .answer(Probe::Direct)
            .filter(|direct| accepted(direct))
        else {
            return Vec::new();
        };
        let Some(server) = direct.header("server") else {
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
        let upstream = (UPSTREAM_401_LOGGED.find)(evidence);
        let missing: Vec<_> = MISSING_LOGGED
            .iter()
            .flat_map(|(name, _)| logs::text(evidence, name))
            .collect();
        if upstream.is_empty() {
            Vec::new()
        } else {
            missing
        }
    },
};

/// A program that Apache runs says that no token came.
pub(crate) static APACHE_UNHEARD: Sign = Sign {
    name: "edge-apache-unheard",
    means: "an application that Apache runs itself answers as if no token had been sent",
    find: |evidence| {
        let run = is_run_by_apache(evidence) && !(TOLD_MISSING.find)(evidence).is_empty();
        if run {
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
        let lacks = echoed(evidence)
            .is_some_and(|echo| echo.sent == "authorization" && echo.arrived.is_none());
        seen(
            lacks && !proxied && is_run_by_apache(evidence) && same_origin(evidence),
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
        if is_run_by_apache(evidence) && (other || !(MOD_WSGI.find)(evidence).is_empty()) {
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
        let client = evidence
            .exchanges
            .iter()
            .find(|exchange| exchange.probe == Probe::Client);
        let name = client.and_then(|client| {
            let own = |(name, _): &&(String, String)| name.contains('_');
            client.request.headers.iter().find(own)
        });
        match name {
            Some((name, _)) => seen(true, format!("the request has `{name}`"), Probe::Client),
            None => Vec::new(),
        }
    },
};

/// The field has an underscore, and the answer is that to a request without a token.
pub(crate) static UNDERSCORE_UNHEARD: Sign = Sign {
    name: "edge-underscore-unheard",
    means: "the token in the field with the underscore makes no difference",
    find: |evidence| {
        if (UNDERSCORE.find)(evidence).is_empty() {
            return Vec::new();
        }
        unheard(evidence, |_| true, "in a field with an underscore")
    },
};

/// With a query that no cache knows, a request without a token is refused.
pub(crate) static BARE_FRESH_REFUSED: Sign = Sign {
    name: "edge-bare-fresh-refused",
    means: "without a token the request is refused once no cache can know it, so the cache gives away what is protected",
    find: |evidence| {
        let (Some(bare), Some(fresh)) = (
            evidence.answer(Probe::Bare),
            evidence.answer(Probe::BareFresh),
        ) else {
            return Vec::new();
        };
        let by_service = layer::answered(fresh).is_none_or(|by| !is_edge(&by));
        seen(
            accepted(bare) && refused(fresh) && by_service,
            format!(
                "{} without a token, {} with a query that no cache has seen",
                bare.status, fresh.status
            ),
            Probe::BareFresh,
        )
    },
};

/// Without a token the service itself grants the request.
pub(crate) static BARE_FRESH_ACCEPTED: Sign = Sign {
    name: "edge-bare-fresh-accepted",
    means: "the service itself grants the request without a token: what the cache gives is public",
    find: |evidence| match evidence.answer(Probe::BareFresh) {
        Some(fresh) => seen(
            accepted(fresh) && from_cache(fresh).is_none(),
            format!(
                "{} without a token, with a query that no cache has seen",
                fresh.status
            ),
            Probe::BareFresh,
        ),
        None => Vec::new(),
    },
};

/// A token whose signature was altered is accepted out of a cache.
pub(crate) static ALTERED_FROM_CACHE: Sign = Sign {
    name: "edge-altered-from-cache",
    means: "a forged token gets a success out of a cache",
    find: |evidence| match evidence.answer(Probe::Altered) {
        Some(answer) if accepted(answer) => match from_cache(answer) {
            Some(mark) => seen(
                true,
                format!("{} for a forged token: {mark}", answer.status),
                Probe::Altered,
            ),
            None => Vec::new(),
        },
        _ => Vec::new(),
    },
};

/// The client's refusal came out of a cache, and the origin itself accepts the token.
pub(crate) static CACHED_REFUSAL_IS_WRONG: Sign = Sign {
    name: "edge-cached-refusal-is-wrong",
    means: "a cache refuses what the service behind it accepts",
    find: |evidence| {
        let cached = evidence
            .answer(Probe::Client)
            .filter(|answer| refused(answer))
            .and_then(from_cache);
        let uncached = [Probe::Fresh, Probe::Direct].into_iter().find_map(|probe| {
            let answer = evidence.answer(probe).filter(|answer| accepted(answer))?;
            from_cache(answer)
                .is_none()
                .then_some((probe, answer.status))
        });
        match (cached, uncached) {
            (Some(mark), Some((probe, status))) => seen(
                true,
                format!("refused by a cache ({mark}), {status} past it"),
                probe,
            ),
            _ => Vec::new(),
        }
    },
};

/// A refusal in a browser's record that a cache gave.
pub(crate) static REFUSAL_BROWSED_FROM_CACHE: Sign = Sign {
    name: "edge-refusal-browsed-from-cache",
    means: "the browser was refused by a cache",
    find: |evidence| {
        let refusals = evidence
            .logs
            .unrecovered()
            .filter(|(_, answer)| refused(answer));
        refusals
            .filter_map(|(one, answer)| {
                let mark = from_cache(answer)?;
                Some(browsed_clue(
                    one,
                    format!("{} out of a cache: {mark}", answer.status),
                ))
            })
            .collect()
    },
};

/// In a browser's record the cache refuses what the service grants to the same token.
pub(crate) static CACHE_BROWSED_AGAINST_SERVICE: Sign = Sign {
    name: "edge-cache-browsed-against-service",
    means: "a cache refuses the browser what the service grants to the same token",
    find: |evidence| {
        let path = |url: &str| url.split(['?', '#']).next().map(str::to_owned);
        let asked = |one: &Browsed| {
            let token = one.request.header("authorization")?.to_owned();
            Some((token, one.request.method.clone(), path(&one.request.url)))
        };
        let calls = || {
            let calls = evidence.logs.browsed.iter();
            calls.filter_map(|one| Some((one, one.answer.as_ref()?, asked(one)?)))
        };
        let granted: Vec<_> = calls()
            .filter(|(_, answer, _)| accepted(answer) && from_cache(answer).is_none())
            .map(|(.., asked)| asked)
            .collect();
        let refusals = calls().filter(|(_, answer, asked)| {
            refused(answer) && from_cache(answer).is_some() && granted.contains(asked)
        });
        refusals
            .map(|(one, ..)| {
                browsed_clue(one, "refused by a cache, granted by the service".to_owned())
            })
            .collect()
    },
};

/// A refusal that no token changes, and a query does: with it the token is looked at.
pub(crate) static SILENT_CACHE: Sign = Sign {
    name: "edge-silent-cache",
    means: "no token changes the refusal, a query that no cache has seen does: a cache without a mark",
    find: |evidence| {
        let (Some(client), Some(bare), Some(fresh), Some(bare_fresh)) = (
            evidence.answer(Probe::Client),
            evidence.answer(Probe::Bare),
            evidence.answer(Probe::Fresh),
            evidence.answer(Probe::BareFresh),
        ) else {
            return Vec::new();
        };
        let steady = client_answers(evidence).all(|(_, answer)| same(client, answer));
        let holds = refused(client)
            && same(client, bare)
            && steady
            && accepted(fresh)
            && refused(bare_fresh);
        seen(
            holds,
            format!(
                "{} with any token and without; with a new query {} with the token, {} without",
                client.status, fresh.status, bare_fresh.status
            ),
            Probe::Fresh,
        )
    },
};

/// A challenge of Cloudflare.
pub(crate) static CLOUDFLARE_CHALLENGE: Sign = Sign {
    name: "edge-cloudflare-challenge",
    means: "Cloudflare asks for a proof that a browser is there; no API client can give it",
    find: |evidence| {
        page(evidence, |answer| {
            answer
                .header("cf-mitigated")
                .is_some_and(|value| contains(value, "challenge"))
        })
    },
};

/// A page of Cloudflare's own that blocks or challenges, by its text.
pub(crate) static CLOUDFLARE_PAGE: Sign = Sign {
    name: "edge-cloudflare-page",
    means: "Cloudflare answers with a page of its own in place of the API",
    find: |evidence| {
        page(evidence, |answer| {
            let texts = [
                "just a moment...",
                "/cdn-cgi/challenge-platform/",
                "cf-error-details",
                "attention required! | cloudflare",
                "sorry, you have been blocked",
                "error code: 1020",
                "error code: 1010",
            ];
            let cloudflare = answer
                .header("server")
                .is_some_and(|server| contains(server, "cloudflare"));
            cloudflare && texts.iter().any(|text| contains(&answer.body, text))
        })
    },
};

/// API Gateway's `Forbidden` for the client's request.
pub(crate) static GATEWAY_FORBIDDEN: Sign = Sign {
    name: "edge-gateway-forbidden",
    means: "API Gateway itself answers `Forbidden`, as for a request that its firewall blocks",
    find: |evidence| match evidence.answer(Probe::Client) {
        Some(answer) => seen(
            is_gateway_forbidden(answer),
            "403 `Forbidden` of API Gateway",
            Probe::Client,
        ),
        None => Vec::new(),
    },
};

/// The same, with the token and without it.
pub(crate) static GATEWAY_FORBIDS_ALL: Sign = Sign {
    name: "edge-gateway-forbids-all",
    means: "API Gateway answers `Forbidden` with the token and without it",
    find: |evidence| unheard(evidence, is_gateway_forbidden, "`Forbidden` of API Gateway"),
};

/// The same request passes with a small body and gets API Gateway's `Forbidden` with a large one.
pub(crate) static LARGE_BODY_FORBIDDEN: Sign = Sign {
    name: "edge-large-body-forbidden",
    means: "API Gateway answers `Forbidden` once the body is larger than 8 KB: a size rule of AWS WAF",
    find: |evidence| large_body(evidence, is_gateway_forbidden),
};

/// The same of a load balancer, CDN or proxy.
pub(crate) static LARGE_BODY_BLOCKED: Sign = Sign {
    name: "edge-large-body-blocked",
    means: "the edge refuses once the body is larger than 8 KB: a rule about size",
    find: |evidence| {
        large_body(evidence, |answer| {
            !is_gateway_forbidden(answer) && layer::answered(answer).is_some_and(|by| is_edge(&by))
        })
    },
};

/// `Request blocked` of CloudFront.
pub(crate) static REQUEST_BLOCKED: Sign = Sign {
    name: "edge-request-blocked",
    means: "CloudFront's own page says that the request is blocked, as it does for AWS WAF",
    find: |evidence| page(evidence, is_request_blocked),
};

/// No token matters to the edge, the client's `User-Agent` does.
pub(crate) static CLIENT_BLOCKED: Sign = Sign {
    name: "edge-client-blocked",
    means: "the edge refuses this client whatever its token, and lets a browser pass",
    find: |evidence| {
        let (Some(client), Some(browser)) = (
            evidence.answer(Probe::Client),
            evidence.answer(Probe::Browser),
        ) else {
            return Vec::new();
        };
        let untold = [Probe::Bare, Probe::Altered].iter().all(|probe| {
            let answer = evidence.answer(*probe);
            answer.is_none_or(|answer| same(client, answer))
        });
        seen(
            client.status >= 400 && untold && accepted(browser) && !is_gateway_forbidden(client),
            format!(
                "{} as the client, {} as a browser",
                client.status, browser.status
            ),
            Probe::Browser,
        )
    },
};

/// The same of API Gateway.
pub(crate) static GATEWAY_FORBIDS_CLIENT: Sign = Sign {
    name: "edge-gateway-forbids-client",
    means: "API Gateway answers `Forbidden` to this client, and lets a browser pass",
    find: |evidence| match (
        evidence.answer(Probe::Client),
        evidence.answer(Probe::Browser),
    ) {
        (Some(client), Some(browser)) => seen(
            is_gateway_forbidden(client) && browser.status != 403,
            format!(
                "403 `Forbidden` as the client, {} as a browser",
                browser.status
            ),
            Probe::Browser,
        ),
        _ => Vec::new(),
    },
};

/// AWS WAF's log has blocks for an API.
pub(crate) static GATEWAY_BLOCKS_LOGGED: Sign = Sign {
    name: "edge-gateway-blocks-logged",
    means: "the log of AWS WAF has blocked requests to API Gateway",
    find: |evidence| blocks_logged(evidence, &["edge-waf-log-apigw"]),
};

/// AWS WAF's log has blocks for a distribution or load balancer.
pub(crate) static EDGE_BLOCKS_LOGGED: Sign = Sign {
    name: "edge-blocks-logged",
    means: "the log of AWS WAF has blocked requests to CloudFront or a load balancer",
    find: |evidence| blocks_logged(evidence, &["edge-waf-log-cf", "edge-waf-log-alb"]),
};

fn blocks_logged(evidence: &Evidence, sources: &[&str]) -> Vec<Clue> {
    let from = |name: &&str| !logs::text(evidence, name).is_empty();
    if sources.iter().any(from) {
        logs::text(evidence, "edge-waf-log-block")
    } else {
        Vec::new()
    }
}

/// A page of an edge in place of each answer, and an answer past it.
pub(crate) static EDGE_REFUSES: Sign = Sign {
    name: "edge-refuses",
    means: "the edge answers 403 with a page of its own to any request, and the service accepts it",
    find: |evidence| {
        let (Some(client), Some(bare), Some(direct)) = (
            evidence.answer(Probe::Client),
            evidence.answer(Probe::Bare),
            evidence.answer(Probe::Direct),
        ) else {
            return Vec::new();
        };
        let by_edge = layer::answered(client).is_some_and(|by| is_edge(&by));
        seen(
            client.status == 403 && same(client, bare) && by_edge && accepted(direct),
            format!("403 by the edge, {} past it", direct.status),
            Probe::Direct,
        )
    },
};

/// 403 of a load balancer.
pub(crate) static BALANCER_REFUSAL: Sign = Sign {
    name: "edge-balancer-refusal",
    means: "the AWS load balancer answers 403 itself: AWS WAF or a rule of the listener",
    find: |evidence| page(evidence, is_balancer_refusal),
};

/// `x-amzn-waf-action`.
pub(crate) static AWS_CHALLENGE: Sign = Sign {
    name: "edge-aws-challenge",
    means: "AWS WAF asks for a challenge or captcha, which no API client can answer",
    find: |evidence| header(evidence, "x-amzn-waf-action", "", At::Client),
};

/// The text of Cognito behind AWS WAF, at any endpoint of it.
pub(crate) static COGNITO_BLOCKED: Sign = Sign {
    name: "edge-cognito-blocked",
    means: "Amazon Cognito says that AWS WAF does not allow the request",
    find: |evidence| {
        let mut clues = page(evidence, |answer| contains(&answer.body, COGNITO_BLOCK));
        clues.extend(logs::text(evidence, "edge-cognito-blocked"));
        clues
    },
};

const COGNITO_BLOCK: &str = "not allowed due to waf block";

/// Texts whose signs look at other answers than the client's, for the logs.
pub(crate) const LOGGED: &[(&str, &str)] = &[
    ("edge-cognito-blocked", COGNITO_BLOCK),
    // https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
    ("edge-waf-log-block", "\"action\":\"block\""),
    ("edge-waf-log-apigw", "\"httpsourcename\":\"apigw\""),
    ("edge-waf-log-cf", "\"httpsourcename\":\"cf\""),
    ("edge-waf-log-alb", "\"httpsourcename\":\"alb\""),
    MISSING_LOGGED[0],
    MISSING_LOGGED[1],
    MISSING_LOGGED[2],
    MISSING_LOGGED[3],
];

/// What services log where no token came.
const MISSING_LOGGED: [(&str, &str); 4] = [
    ("edge-logged-header-missing", "authorization header missing"),
    (
        "edge-logged-header-is-missing",
        "authorization header is missing",
    ),
    ("edge-logged-missing-header", "missing authorization header"),
    ("edge-logged-no-header", "no authorization header"),
];

/// A gate of the hosting platform.
pub(crate) static PLATFORM_GATE: Sign = Sign {
    name: "edge-platform-gate",
    means: "the gate of the hosting platform asks for its own sign-in",
    find: |evidence| page(evidence, is_platform_gate),
};

/// A challenge for Basic in answer to a Bearer token.
pub(crate) static BASIC_CHALLENGE: Sign = Sign {
    name: "edge-basic-challenge",
    means: "a Bearer token is answered with a challenge for user name and password",
    find: |evidence| {
        let Some(client) = sent_with_token(evidence).filter(|client| client.status == 401) else {
            return Vec::new();
        };
        match only_basic(client) {
            Some(challenge) => seen(true, format!("401 with `{challenge}`"), Probe::Client),
            None => Vec::new(),
        }
    },
};

/// A proxy's own challenge for Basic, whatever was sent.
pub(crate) static BASIC_PAGE: Sign = Sign {
    name: "edge-basic-page",
    means: "a proxy itself asks for user name and password",
    find: |evidence| {
        page(evidence, |answer| {
            let by_proxy = layer::answered(answer).is_some_and(|by| is_edge(&by));
            answer.status == 401 && by_proxy && only_basic(answer).is_some()
        })
    },
};

/// The same in a browser's record, and the page is a proxy's own.
pub(crate) static BASIC_BROWSED: Sign = Sign {
    name: "edge-basic-browsed",
    means: "a proxy has answered a Bearer token with a challenge for user name and password",
    find: |evidence| {
        let asked = evidence.logs.unrecovered().filter(|(one, answer)| {
            let bearer = one
                .request
                .headers
                .iter()
                .any(|(name, value)| name == "authorization" && contains(value, "bearer "));
            let by_proxy = layer::answered(answer).is_some_and(|by| is_edge(&by));
            bearer && by_proxy && answer.status == 401 && only_basic(answer).is_some()
        });
        asked
            .map(|(one, answer)| {
                let challenge = only_basic(answer).unwrap_or_default();
                browsed_clue(one, format!("401 with `{challenge}` for a Bearer token"))
            })
            .collect()
    },
};

/// The same, and past the edge the token is accepted.
pub(crate) static BASIC_PAST: Sign = Sign {
    name: "edge-basic-past",
    means: "the edge asks for user name and password, and the service accepts the token",
    find: |evidence| {
        let direct = evidence
            .answer(Probe::Direct)
            .filter(|direct| accepted(direct));
        match direct {
            Some(_) => (BASIC_CHALLENGE.find)(evidence),
            None => Vec::new(),
        }
    },
};

/// The same, made by a proxy and for every token.
pub(crate) static BASIC_GATE: Sign = Sign {
    name: "edge-basic-gate",
    means: "a proxy asks for user name and password whatever token is sent",
    find: |evidence| {
        let (Some(client), Some(altered)) = (
            sent_with_token(evidence).filter(|client| client.status == 401),
            evidence
                .answer(Probe::Altered)
                .or(evidence.answer(Probe::Garbage)),
        ) else {
            return Vec::new();
        };
        let by_proxy = layer::answered(client).filter(is_edge);
        match (only_basic(client), by_proxy) {
            (Some(challenge), Some(by)) if same(client, altered) => seen(
                true,
                format!("{} asks any request for `{challenge}`", by.product),
                Probe::Altered,
            ),
            _ => Vec::new(),
        }
    },
};

/// API Gateway's new name for a challenge of what is behind it.
pub(crate) static REMAPPED: Sign = Sign {
    name: "edge-remapped-challenge",
    means: "API Gateway has renamed the challenge of the service behind it, so clients do not find it",
    find: |evidence| header(evidence, "x-amzn-remapped-www-authenticate", "", At::Client),
};

/// The renamed challenge says what is wrong with the token, and no other does.
pub(crate) static REASON_RENAMED: Sign = Sign {
    name: "edge-reason-renamed",
    means: "the reason of the refusal stands only in the renamed challenge",
    find: |evidence| {
        let client = evidence.answer(Probe::Client).filter(|client| {
            refused(client)
                && client.header("www-authenticate").is_none()
                && client
                    .header("x-amzn-remapped-www-authenticate")
                    .is_some_and(|value| contains(value, "error="))
        });
        match client {
            Some(client) => seen(
                true,
                format!("{} without `www-authenticate`", client.status),
                Probe::Client,
            ),
            None => Vec::new(),
        }
    },
};

/// The challenge of the service is there under its own name.
pub(crate) static CHALLENGE_KEPT: Sign = Sign {
    name: "edge-challenge-kept",
    means: "the challenge of the service arrives under its own name",
    find: |evidence| match evidence.answer(Probe::Client) {
        Some(answer) => seen(
            answer.header("www-authenticate").is_some(),
            "`www-authenticate` is on the answer",
            Probe::Client,
        ),
        None => Vec::new(),
    },
};

/// The client's request is redirected to a sign-in.
pub(crate) static LOGIN_REDIRECT: Sign = Sign {
    name: "edge-login-redirect",
    means: "an API request is redirected to a sign-in page in place of a 401",
    find: |evidence| {
        let mut clues = Vec::new();
        for probe in [Probe::Client, Probe::Bare] {
            if let Some((status, place)) = evidence.answer(probe).and_then(login) {
                clues.extend(seen(true, format!("{status} to `{place}`"), probe));
            }
        }
        clues
    },
};

/// What is no browser is sent to an authorization endpoint, and does not come back.
pub(crate) static API_SENT_TO_LOGIN: Sign = Sign {
    name: "edge-api-sent-to-login",
    means: "a client that is no browser is sent to an authorization endpoint in place of a 401",
    find: |evidence| {
        let Some(exchange) = evidence
            .exchanges
            .iter()
            .find(|it| it.probe == Probe::Client)
        else {
            return Vec::new();
        };
        let Ok(answer) = &exchange.result else {
            return Vec::new();
        };
        let person = exchange.request.headers.iter().any(|(name, value)| {
            name == "cookie" || name == "accept" && contains(value, "text/html")
        });
        let leads = |answer: &Answer, place: &str| {
            answer
                .header("location")
                .is_some_and(|location| contains(location, place))
        };
        let gate = leads(answer, "/oauth2/start")
            || leads(answer, "/oauth2/sign_in")
            || leads(answer, "response_type=") && leads(answer, "client_id=");
        let path = url::Url::parse(&exchange.request.url).map(|url| url.path().to_owned());
        let returns = answers(evidence)
            .filter(|(probe, _)| matches!(probe, Probe::Hop(_)))
            .any(|(_, hop)| hop.status < 400 && path.as_ref().is_ok_and(|path| leads(hop, path)));
        match login(answer) {
            Some((status, place)) if gate && !person && !returns => seen(
                true,
                format!("{status} to `{place}` for an API client"),
                Probe::Client,
            ),
            _ => Vec::new(),
        }
    },
};

/// Redirects by way of a sign-in lead back to where they began: somebody signs in, and the app does not notice.
pub(crate) static LOGIN_COMES_BACK: Sign = Sign {
    name: "edge-login-comes-back",
    means: "the redirects by way of the sign-in come back to where they began",
    find: |evidence| {
        let client = evidence
            .exchanges
            .iter()
            .find(|it| it.probe == Probe::Client);
        let url = client.and_then(|client| url::Url::parse(&client.request.url).ok());
        let Some(path) = url.as_ref().map(url::Url::path).filter(|path| *path != "/") else {
            return Vec::new();
        };
        let back = answers(evidence).find(|(probe, hop)| {
            let location = hop.header("location").unwrap_or_default();
            let to = location.split(['?', '#']).next().unwrap_or_default();
            matches!(probe, Probe::Hop(_)) && (300..400).contains(&hop.status) && to.ends_with(path)
        });
        match back {
            Some((probe, _)) => seen(true, format!("redirected back to `{path}`"), probe),
            None => Vec::new(),
        }
    },
};

/// A gate that does not look at tokens redirects all requests to a sign-in.
pub(crate) static LOGIN_FOR_ALL: Sign = Sign {
    name: "edge-login-for-all",
    means: "with the token, without it and with a forged one the request is redirected to a sign-in",
    find: |evidence| {
        let all = [Probe::Client, Probe::Bare, Probe::Altered]
            .map(|probe| evidence.answer(probe).and_then(login).is_some());
        seen(
            all == [true; 3],
            "redirected to a sign-in three times of 3",
            Probe::Altered,
        )
    },
};

/// The refusal names an issuer that is not the token's.
pub(crate) static ANOTHER_ISSUER_REFUSED: Sign = Sign {
    name: "edge-another-issuer-refused",
    means: "the service refuses a token of Google, and the client's is of another issuer",
    find: |evidence| {
        let own = crate::sign::token::claims(evidence).and_then(|claims| claims.iss.as_deref());
        let named = evidence
            .answer(Probe::Client)
            .filter(|client| refused(client) && contains(&client.body, GOOGLE));
        match (own, named) {
            (Some(own), Some(client)) if !contains(own, GOOGLE) => seen(
                true,
                format!(
                    "{} names `{GOOGLE}`, the token is of `{own}`",
                    client.status
                ),
                Probe::Client,
            ),
            _ => Vec::new(),
        }
    },
};

const GOOGLE: &str = "accounts.google.com";

/// The direct request is refused as the client's is: the edge is not what refuses.
pub(crate) static DIRECT_REFUSED: Sign = Sign {
    name: "edge-direct-refused",
    means: "past the edge the request is refused as well",
    find: |evidence| match (
        evidence.answer(Probe::Client),
        evidence.answer(Probe::Direct),
    ) {
        (Some(client), Some(direct)) => seen(
            refused(client) && refused(direct),
            format!(
                "{} through the edge, {} past it",
                client.status, direct.status
            ),
            Probe::Direct,
        ),
        _ => Vec::new(),
    },
};

/// With a query that no cache knows the refusal stays.
pub(crate) static FRESH_REFUSED: Sign = Sign {
    name: "edge-fresh-refused",
    means: "the request is refused also where no cache can know it",
    find: |evidence| match evidence.answer(Probe::Fresh) {
        Some(fresh) => seen(
            refused(fresh) && from_cache(fresh).is_none(),
            format!("{} with a query that no cache has seen", fresh.status),
            Probe::Fresh,
        ),
        None => Vec::new(),
    },
};

/// A refusal that only some of the repeats get, and that a cache gave.
pub(crate) static SOME_REFUSED_BY_CACHE: Sign = Sign {
    name: "edge-some-refused-by-cache",
    means: "of the same request, those are refused that a cache answers",
    find: |evidence| {
        let all: Vec<_> = client_answers(evidence).map(|(_, answer)| answer).collect();
        let cached = all
            .iter()
            .filter(|it| refused(it) && from_cache(it).is_some())
            .count();
        let asked = all
            .iter()
            .filter(|it| accepted(it) && from_cache(it).is_none())
            .count();
        seen(
            cached > 0 && asked > 0,
            format!("refused by a cache {cached} times, accepted by the service {asked} times"),
            Probe::Again(1),
        )
    },
};

/// The client's refusal is the one of a request without a token, and of a forged one.
fn unheard(evidence: &Evidence, wanted: impl Fn(&Answer) -> bool, how: &str) -> Vec<Clue> {
    let (Some(client), Some(bare)) = (sent_with_token(evidence), evidence.answer(Probe::Bare))
    else {
        return Vec::new();
    };
    let altered = evidence.answer(Probe::Altered);
    let holds = refused(client)
        && same(client, bare)
        && altered.is_none_or(|altered| same(client, altered))
        && wanted(client);
    seen(
        holds,
        format!("{} with any token and without, {how}", client.status),
        Probe::Bare,
    )
}

/// Apache made the application's answer: mod_proxy would have kept the name of the server behind it.
fn is_run_by_apache(evidence: &Evidence) -> bool {
    let by = |probe| {
        evidence.answer(probe).is_some_and(|answer| {
            let servers = answer.headers.iter().filter(|(name, _)| name == "server");
            let mut apache = servers.map(|(_, value)| contains(value, "apache"));
            apache.next() == Some(true) && layer::answered(answer).is_none()
        })
    };
    by(Probe::Client)
}

/// The echo stands behind the same edge as what the client requests.
fn same_origin(evidence: &Evidence) -> bool {
    let origin = |probe| {
        let exchange = evidence.exchanges.iter().find(|it| it.probe == probe)?;
        Some(url::Url::parse(&exchange.request.url).ok()?.origin())
    };
    origin(Probe::Client).is_some_and(|client| origin(Probe::Echo) == Some(client))
}

fn is_own(probe: Probe) -> bool {
    matches!(
        probe,
        Probe::Client | Probe::Again(_) | Probe::Address(_) | Probe::Hop(_)
    )
}

fn is_refresh(probe: Probe) -> bool {
    matches!(probe, Probe::Refresh | Probe::RefreshAgain(_))
}

/// An answer of this kind to the client or to a refresh, also in a browser's record.
fn page(evidence: &Evidence, wanted: impl Fn(&Answer) -> bool) -> Vec<Clue> {
    let own = answers(evidence).filter(|(probe, _)| is_own(*probe) || is_refresh(*probe));
    let mut clues: Vec<_> = own
        .filter(|(_, answer)| answer.status >= 400 && wanted(answer))
        .flat_map(|(probe, answer)| seen(true, made(answer), probe))
        .collect();
    let browsed = evidence.logs.unrecovered();
    clues.extend(
        browsed
            .filter(|(_, answer)| wanted(answer))
            .map(|(one, answer)| browsed_clue(one, made(answer))),
    );
    clues
}

fn made(answer: &Answer) -> String {
    let by = layer::answered(answer).map_or("an edge", |by| by.product);
    format!("{} made by {by}", answer.status)
}

fn browsed_clue(one: &Browsed, says: String) -> Clue {
    Clue {
        says,
        source: Source::Log(one.file.clone(), one.entry),
        at: None,
    }
}

fn large_body(evidence: &Evidence, wanted: impl Fn(&Answer) -> bool) -> Vec<Clue> {
    let (Some(small), Some(large)) = (
        evidence.answer(Probe::SmallBody),
        evidence.answer(Probe::LargeBody),
    ) else {
        return Vec::new();
    };
    seen(
        small.status < 400 && large.status == 403 && wanted(large),
        format!("{} with 1 KiB of body, 403 with 9 KiB", small.status),
        Probe::LargeBody,
    )
}

fn is_gateway_forbidden(answer: &Answer) -> bool {
    let body: String = answer.body.split_whitespace().collect();
    let gateway = [
        "x-amzn-errortype",
        "x-amz-apigw-id",
        "apigw-requestid",
        "x-amzn-requestid",
    ];
    answer.status == 403
        && body.eq_ignore_ascii_case("{\"message\":\"forbidden\"}")
        && gateway.iter().any(|name| answer.header(name).is_some())
}

fn is_request_blocked(answer: &Answer) -> bool {
    let cloudfront = layer::passed(answer).contains(&"Amazon CloudFront")
        || answer
            .header("server")
            .is_some_and(|server| contains(server, "cloudfront"));
    answer.status == 403 && cloudfront && contains(&answer.body, "request blocked.")
}

fn is_balancer_refusal(answer: &Answer) -> bool {
    answer.status == 403
        && answer
            .header("server")
            .is_some_and(|server| contains(server, "awselb"))
}

fn is_platform_gate(answer: &Answer) -> bool {
    let field = |name: &str, value: &str| {
        let mut fields = answer.headers.iter().filter(|(field, _)| field == name);
        fields.any(|(_, found)| contains(found, value))
    };
    let html = field("content-type", "text/html");
    let says = |text: &str| contains(&answer.body, text);
    let vercel = (field("server", "vercel") || field("x-vercel-id", ""))
        && (field("set-cookie", "_vercel_sso_nonce")
            || html && (says("authentication required") || says("vercel authentication")));
    let netlify = field("server", "netlify") && html && says("password");
    matches!(answer.status, 401 | 403) && (vercel || netlify)
}

/// The challenge, where all challenges of an answer are for Basic.
fn only_basic(answer: &Answer) -> Option<&str> {
    let mut challenges = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str());
    let first = challenges.next()?;
    let basic = |value: &str| {
        let scheme = value.trim_start().get(..5);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
            && !contains(value, "bearer")
    };
    (basic(first) && challenges.all(basic)).then_some(first)
}

/// Where an answer redirects to, if that is a sign-in.
fn login(answer: &Answer) -> Option<(u16, &str)> {
    let location = answer.header("location")?;
    let redirect = matches!(answer.status, 302 | 303 | 307);
    let path = location.split(['?', '#']).next().unwrap_or(location);
    let places = [
        "/oauth2/start",
        "/oauth2/sign_in",
        "/oauth2/authorize",
        "/authorize",
        "/login",
        "/signin",
        "/sign-in",
        "/sign_in",
        "/log-in",
        "/auth/realms/",
        "/protocol/openid-connect/auth",
        "/cdn-cgi/access/login",
        "/saml",
        "/sso",
        "/api/oidc/authorization",
        "accounts.google.com/o/oauth2",
        "login.microsoftonline.com",
        "/.auth/login",
        "/_oauth",
    ];
    (redirect && places.iter().any(|place| contains(path, place))).then_some((answer.status, path))
}
