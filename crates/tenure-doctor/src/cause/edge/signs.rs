//! What only this family asks.

use super::arrived::{TOLD_MISSING, is_edge, on_the_way, sent_with_token};
use crate::compare::same;
use crate::exchange::Answer;
use crate::layer;
use crate::probe::Probe;
use crate::sign::answer::{At, from_cache, header, texts};
use crate::sign::{Sign, accepted, answers, client_answers, contains, refused, seen};
use crate::{Clue, Evidence};

texts! {
    /// The access log of API Gateway, `$context.wafResponseCode`.
    WAF_BLOCK_LOGGED = "edge-waf-block-logged", At::Client, "waf_block", "API Gateway's access log says that the firewall blocked the request";
    /// `$context.error.responseType` of the same.
    WAF_FILTERED_LOGGED = "edge-waf-filtered-logged", At::Client, "waf_filtered", "API Gateway's access log says that the firewall filtered the request";
    /// The error log of nginx, at level `info`.
    INVALID_HEADER_LOGGED = "edge-nginx-invalid-header", At::Client, "client sent invalid header line", "nginx has logged that it ignores a header field";
    /// Envoy's access log in the format of Istio.
    UPSTREAM_401_LOGGED = "edge-envoy-upstream-401", At::Client, "401 - via_upstream", "Envoy has logged that the 401 comes from behind it";
}

/// The answer passed Amazon CloudFront.
pub(crate) static THROUGH_CLOUDFRONT: Sign = Sign {
    name: "edge-through-cloudfront",
    means: "the answer comes through Amazon CloudFront, which by default takes Authorization off GET requests",
    find: |evidence| through(evidence, "Amazon CloudFront"),
};

/// Nothing but CloudFront is on the way that is not on the direct one.
pub(crate) static ONLY_CLOUDFRONT: Sign = Sign {
    name: "edge-only-cloudfront",
    means: "Amazon CloudFront is all that stands before the service",
    find: |evidence| only(evidence, "Amazon CloudFront"),
};

/// The answer passed Envoy.
pub(crate) static THROUGH_ENVOY: Sign = Sign {
    name: "edge-through-envoy",
    means: "the answer comes through Envoy from a service behind it",
    find: |evidence| through(evidence, "Envoy or Istio"),
};

/// Envoy itself refuses a forged token.
pub(crate) static ENVOY_VERIFIES: Sign = Sign {
    name: "edge-envoy-verifies",
    means: "Envoy itself refuses a forged token",
    find: |evidence| {
        let altered = evidence
            .answer(Probe::Altered)
            .filter(|altered| refused(altered));
        let by = altered.and_then(layer::answered);
        seen(
            by.is_some_and(|by| by.product == "Envoy or Istio"),
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
        let upstream = sent_with_token(evidence).filter(|client| {
            let by_envoy = layer::answered(client).is_some_and(|by| by.product == "Envoy or Istio");
            client.header("x-envoy-upstream-service-time").is_some() && !by_envoy
        });
        match upstream {
            Some(_) => (TOLD_MISSING.find)(evidence),
            None => Vec::new(),
        }
    },
};

/// The answer passed Apache.
pub(crate) static THROUGH_APACHE: Sign = Sign {
    name: "edge-through-apache",
    means: "Apache httpd hands the request to the application",
    find: |evidence| through(evidence, "Apache httpd"),
};

/// Nothing but Apache is on the way.
pub(crate) static ONLY_APACHE: Sign = Sign {
    name: "edge-only-apache",
    means: "Apache httpd is all that stands before the application",
    find: |evidence| only(evidence, "Apache httpd"),
};

/// `Server` names `mod_wsgi`.
pub(crate) static MOD_WSGI: Sign = Sign {
    name: "edge-mod-wsgi",
    means: "the application runs in Apache's mod_wsgi, which takes Authorization off unless told otherwise",
    find: |evidence| header(evidence, "server", "mod_wsgi", At::Client),
};

/// Proxies are on the way, none of which takes Authorization off by itself.
pub(crate) static ONLY_OTHERS: Sign = Sign {
    name: "edge-only-told-proxies",
    means: "only proxies are on the way that take Authorization off when they are told to",
    find: |evidence| {
        let products = on_the_way(evidence);
        let told = |product: &&str| !BY_DEFAULT.contains(product);
        seen(
            !products.is_empty() && products.iter().all(told),
            format!(
                "through {} and nothing else that is known",
                products.join(", ")
            ),
            Probe::Client,
        )
    },
};

/// Products that take Authorization off where nothing is set.
const BY_DEFAULT: [&str; 3] = ["Amazon CloudFront", "Apache httpd", "Envoy or Istio"];

/// The answer passed nginx or OpenResty.
pub(crate) static THROUGH_NGINX: Sign = Sign {
    name: "edge-through-nginx",
    means: "the answer comes through nginx, which ignores header fields whose names hold an underscore",
    find: |evidence| {
        let mut clues = through(evidence, "nginx");
        clues.extend(through(evidence, "OpenResty"));
        clues
    },
};

/// Some proxy, of which it is not known that it takes Authorization off by itself.
pub(crate) static THROUGH_A_PROXY: Sign = Sign {
    name: "edge-through-a-proxy",
    means: "a proxy is on the way that takes Authorization off only when it is told to",
    find: |evidence| match evidence
        .answer(Probe::Client)
        .or(evidence.answer(Probe::Echo))
    {
        Some(answer) => {
            let passed = layer::passed(answer);
            let told = !passed.is_empty() && !passed.iter().any(|one| BY_DEFAULT.contains(one));
            seen(
                told,
                format!("through {}", passed.join(", ")),
                Probe::Client,
            )
        }
        None => Vec::new(),
    },
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

/// A challenge of Cloudflare.
pub(crate) static CLOUDFLARE_CHALLENGE: Sign = Sign {
    name: "edge-cloudflare-challenge",
    means: "Cloudflare asks for a proof that a browser is there; no API client can give it",
    find: |evidence| {
        let refusals = answers(evidence).filter(|(_, answer)| answer.status >= 400);
        let challenged = refusals.filter(|(probe, _)| is_own(*probe) || is_refresh(*probe));
        challenged
            .filter(|(_, answer)| {
                answer
                    .header("cf-mitigated")
                    .is_some_and(|value| contains(value, "challenge"))
            })
            .flat_map(|(probe, answer)| {
                seen(
                    true,
                    format!("{} with `cf-mitigated: challenge`", answer.status),
                    probe,
                )
            })
            .collect()
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

/// The same request passes with a small body and gets API Gateway's `Forbidden` with a large one.
pub(crate) static LARGE_BODY_FORBIDDEN: Sign = Sign {
    name: "edge-large-body-forbidden",
    means: "API Gateway answers `Forbidden` once the body is larger than 8 KB: a size rule of AWS WAF",
    find: |evidence| large_body(evidence, is_gateway_forbidden),
};

/// The same of a load balancer or CloudFront.
pub(crate) static LARGE_BODY_BLOCKED: Sign = Sign {
    name: "edge-large-body-blocked",
    means: "the load balancer or CloudFront refuses once the body is larger than 8 KB: a size rule of AWS WAF",
    find: |evidence| {
        large_body(evidence, |answer| {
            is_balancer_refusal(answer) || is_request_blocked(answer)
        })
    },
};

/// `Request blocked` of CloudFront.
pub(crate) static REQUEST_BLOCKED: Sign = Sign {
    name: "edge-request-blocked",
    means: "CloudFront's own page says that the request is blocked, as it does for AWS WAF",
    find: |evidence| page(evidence, is_request_blocked),
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
        let blocked = |answer: &Answer| contains(&answer.body, COGNITO_BLOCK);
        let mut clues: Vec<_> = answers(evidence)
            .filter(|(_, answer)| !accepted(answer) && blocked(answer))
            .flat_map(|(probe, answer)| {
                seen(
                    true,
                    format!("{} with `{COGNITO_BLOCK}`", answer.status),
                    probe,
                )
            })
            .collect();
        clues.extend(crate::sign::logs::text(evidence, "edge-cognito-blocked"));
        clues
    },
};

const COGNITO_BLOCK: &str = "not allowed due to waf block";

/// Texts whose signs look at other answers than the client's, for the logs.
pub(crate) const LOGGED: &[(&str, &str)] = &[("edge-cognito-blocked", COGNITO_BLOCK)];

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

fn is_own(probe: Probe) -> bool {
    matches!(
        probe,
        Probe::Client | Probe::Again(_) | Probe::Address(_) | Probe::Hop(_)
    )
}

fn is_refresh(probe: Probe) -> bool {
    matches!(probe, Probe::Refresh | Probe::RefreshAgain(_))
}

/// A page in place of an answer to the client or to a refresh.
fn page(evidence: &Evidence, wanted: impl Fn(&Answer) -> bool) -> Vec<Clue> {
    let own = answers(evidence).filter(|(probe, _)| is_own(*probe) || is_refresh(*probe));
    own.filter(|(_, answer)| answer.status >= 400 && wanted(answer))
        .flat_map(|(probe, answer)| {
            let by = layer::answered(answer).map_or("an edge", |by| by.product);
            seen(true, format!("{} made by {by}", answer.status), probe)
        })
        .collect()
}

fn through(evidence: &Evidence, product: &str) -> Vec<Clue> {
    let met = [Probe::Client, Probe::Echo].into_iter().find(|probe| {
        let answer = evidence.answer(*probe);
        answer.is_some_and(|answer| layer::passed(answer).contains(&product))
    });
    match met {
        Some(probe) => seen(true, format!("through {product}"), probe),
        None => Vec::new(),
    }
}

fn only(evidence: &Evidence, product: &str) -> Vec<Clue> {
    seen(
        on_the_way(evidence) == [product],
        format!("through {product} and nothing else that is known"),
        Probe::Client,
    )
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
