//! Pages and refusals of firewalls.

use super::super::arrived::{is_by_edge, is_edge};
use super::{COGNITO_BLOCK, page, unheard};
use crate::cause::Layer;
use crate::compare::same;
use crate::exchange::Answer;
use crate::layer;
use crate::probe::Probe;
use crate::sign::answer::{At, header, is_aside, mentions};
use crate::sign::probes::OTHER_ENDPOINT_ACCEPTED;
use crate::sign::{Sign, accepted, client_answers, contains, logs, together};
use crate::{Clue, Evidence};

/// A challenge of Cloudflare.
pub(crate) static CLOUDFLARE_CHALLENGE: Sign = Sign {
    name: "edge-cloudflare-challenge",
    means: "Cloudflare asks for a proof that a browser is there; no API client can give it",
    find: |evidence| {
        page(evidence, |answer| {
            mentions(answer.header("cf-mitigated"), "challenge")
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
            let cloudflare = mentions(answer.header("server"), "cloudflare");
            cloudflare && texts.iter().any(|text| contains(&answer.body, text))
        })
    },
};

/// API Gateway's `Forbidden` for the client's request.
pub(crate) static GATEWAY_FORBIDDEN: Sign = Sign {
    name: "edge-gateway-forbidden",
    means: "API Gateway itself answers `Forbidden`, as for a request that its firewall blocks",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            is_gateway_forbidden(answer).then(|| "403 `Forbidden` of API Gateway".to_owned())
        })
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
            !is_gateway_forbidden(answer) && is_by_edge(answer)
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
        let probes = [Probe::Client, Probe::Browser];
        together(evidence, probes, |[client, browser]| {
            let untold = [Probe::Bare, Probe::Altered].iter().all(|probe| {
                let answer = evidence.answer(*probe);
                answer.is_none_or(|answer| same(client, answer))
            });
            let (own, other) = (client.status, browser.status);
            let holds = own >= 400 && untold && accepted(browser) && !is_gateway_forbidden(client);
            holds.then(|| format!("{own} as the client, {other} as a browser"))
        })
    },
};

/// The same of API Gateway.
pub(crate) static GATEWAY_FORBIDS_CLIENT: Sign = Sign {
    name: "edge-gateway-forbids-client",
    means: "API Gateway answers `Forbidden` to this client, and lets a browser pass",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Browser];
        together(evidence, probes, |[client, browser]| {
            let other = browser.status;
            let holds = is_gateway_forbidden(client) && other != 403;
            holds.then(|| format!("403 `Forbidden` as the client, {other} as a browser"))
        })
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

/// https://learn.microsoft.com/azure/application-gateway/http-response-codes
const AZURE: &str = "Azure Application Gateway";

/// The page of a firewall, each time.
pub(crate) static FIREWALL_PAGE: Sign = Sign {
    name: "edge-firewall-page",
    means: "a firewall's own page refuses the client's request",
    find: |evidence| {
        let by_firewall = |answer: &Answer| {
            // Cloudflare and AWS WAF have causes, and signs, of their own.
            let own = |product: &str| {
                !["Cloudflare", "AWS"]
                    .iter()
                    .any(|it| product.starts_with(it))
            };
            let by = layer::answered(answer);
            // Azure's gateway writes its page with 403 for its firewall only.
            let by = by
                .filter(|by| by.layer == Layer::Waf || by.product == AZURE && answer.status == 403);
            matches!(answer.status, 403 | 406 | 501) && by.is_some_and(|by| own(by.product))
        };
        let steady = client_answers(evidence).all(|(_, answer)| by_firewall(answer));
        if steady {
            page(evidence, by_firewall)
        } else {
            Vec::new()
        }
    },
};

/// The edge itself refuses each of the client's requests, and lets the same through with a browser's fields.
pub(crate) static EDGE_BLOCKS_CLIENT: Sign = Sign {
    name: "edge-blocks-client",
    means: "a page of the edge refuses this client each time, and a browser is let through",
    find: |evidence| {
        let refused = |answer: &Answer| {
            let by = layer::answered(answer).filter(is_edge);
            answer.status == 403 && by.is_some_and(|by| by.product != "Cloudflare")
        };
        let forged = [Probe::Bare, Probe::Altered].map(|probe| evidence.answer(probe));
        let alike = forged.iter().flatten().count() > 0
            && forged.into_iter().flatten().all(refused)
            && client_answers(evidence).all(|(_, answer)| refused(answer));
        if alike {
            (CLIENT_BLOCKED.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// A proxy's own 403, whatever is sent.
pub(crate) static EDGE_REFUSES_ALL: Sign = Sign {
    name: "edge-refuses-all",
    means: "a page of the edge answers 403 with the token and without it, and at no path only",
    find: |evidence| {
        if OTHER_ENDPOINT_ACCEPTED.holds(evidence) {
            return Vec::new();
        }
        let by_edge = |answer: &Answer| {
            answer.status == 403 && is_by_edge(answer) && !is_gateway_forbidden(answer)
        };
        unheard(evidence, by_edge, "on a page of the edge")
    },
};

/// A page of an edge in place of each answer, and an answer past it.
pub(crate) static EDGE_REFUSES: Sign = Sign {
    name: "edge-refuses",
    means: "the edge answers 403 with a page of its own to any request, and the service accepts it",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::Direct];
        together(evidence, probes, |[client, bare, direct]| {
            let by_edge = client.status == 403 && same(client, bare) && is_by_edge(client);
            (by_edge && accepted(direct))
                .then(|| format!("403 by the edge, {} past it", direct.status))
        })
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
        let mut clues = page(evidence, |answer| {
            contains(&answer.body, COGNITO_BLOCK) && !is_aside(answer)
        });
        clues.extend(logs::text(evidence, "edge-cognito-blocked"));
        clues
    },
};

fn large_body(evidence: &Evidence, wanted: impl Fn(&Answer) -> bool) -> Vec<Clue> {
    let probes = [Probe::SmallBody, Probe::LargeBody];
    together(evidence, probes, |[small, large]| {
        let holds = small.status < 400 && large.status == 403 && wanted(large);
        holds.then(|| format!("{} with 1 KiB of body, 403 with 9 KiB", small.status))
    })
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
        || mentions(answer.header("server"), "cloudfront");
    answer.status == 403 && cloudfront && contains(&answer.body, "request blocked.")
}

fn is_balancer_refusal(answer: &Answer) -> bool {
    answer.status == 403 && mentions(answer.header("server"), "awselb")
}
