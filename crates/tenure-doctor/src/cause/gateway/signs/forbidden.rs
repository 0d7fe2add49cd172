//! `{"message":"Forbidden"}`: one text for the API key, the firewall, the stage and the certificate.

use url::Url;

use super::authorizers::is_unauthorized;
use super::routes::ROUTE_KNOWN;
use super::{always, is_type, reason, says, through_http, through_rest};
use crate::compare::same;
use crate::drift::Subject;
use crate::exchange::{Answer, Failure};
use crate::probe::Probe;
use crate::sign::{Sign, accepted, contains, seen};
use crate::{Clue, Evidence, Source};

/// The client is refused with the text that has four causes.
pub(in super::super) static FORBIDDEN: Sign = Sign {
    name: "gateway-forbidden",
    means: "the REST API answers `Forbidden`: API key, firewall, stage or client certificate",
    find: |evidence| always(evidence, is_forbidden, reason),
};

/// The token passes the authorizer, a forged one does not, and then something else refuses.
pub(in super::super) static AFTER_AUTHORIZER: Sign = Sign {
    name: "gateway-forbidden-after-authorizer",
    means: "the authorizer lets the token pass, and what comes after it answers `Forbidden`: the API key",
    find: |evidence| match evidence.answer(Probe::Altered) {
        Some(altered) if is_unauthorized(altered) => always(evidence, is_forbidden, |client| {
            format!(
                "{} with the token, {} with an altered one",
                reason(client),
                reason(altered)
            )
        }),
        _ => Vec::new(),
    },
};

/// It is the gateway itself that forbids: a service behind it sends no error type.
pub(in super::super) static FORBIDDEN_NAMED: Sign = Sign {
    name: "gateway-forbidden-named",
    means: "`x-amzn-errortype` says that the gateway itself forbids the request",
    find: |evidence| always(evidence, |answer| is_type(answer, "Forbidden"), reason),
};

/// A path that cannot exist, and no token, get the same `Forbidden`.
pub(in super::super) static EVERYWHERE: Sign = Sign {
    name: "gateway-forbidden-everywhere",
    means: "every path of the stage answers `Forbidden`, with and without a token",
    find: |evidence| {
        let probes = [Probe::Client, Probe::OtherPath, Probe::Bare];
        match evidence.all_answered(probes) {
            Some([client, other, bare]) if same(client, other) && same(client, bare) => {
                always(evidence, is_forbidden, |answer| {
                    format!("{} at every path, with and without a token", reason(answer))
                })
            }
            _ => Vec::new(),
        }
    },
};

/// The route is known to the gateway and forbidden.
pub(in super::super) static FORBIDDEN_AT_ROUTE: Sign = Sign {
    name: "gateway-forbidden-at-route",
    means: "`Forbidden` at this route only: the gateway has looked it up first",
    find: |evidence| {
        if !ROUTE_KNOWN.holds(evidence) {
            return Vec::new();
        }
        always(evidence, is_forbidden, |answer| {
            format!("{} at this route only", reason(answer))
        })
    },
};

/// The client's request carries an API key.
pub(in super::super) static KEY_SENT: Sign = Sign {
    name: "gateway-api-key-sent",
    means: "the request carries `x-api-key`, and is forbidden",
    find: |evidence| key(evidence, true),
};

/// The client's request carries none.
pub(in super::super) static KEY_NOT_SENT: Sign = Sign {
    name: "gateway-api-key-not-sent",
    means: "the request carries no `x-api-key`, and is forbidden",
    find: |evidence| key(evidence, false),
};

/// The stage in the URL is none of the API's.
pub(in super::super) static STAGE_UNKNOWN: Sign = Sign {
    name: "gateway-stage-unknown",
    means: "the URL names a stage that the API does not have",
    find: |evidence| {
        let stages: Vec<_> = evidence.beliefs.iter()
            .filter(|belief| belief.about == Subject::Deployment)
            .filter(|belief| matches!(&belief.source, Source::Aws(operation) if operation.ends_with(":GetStages")))
            .map(|belief| belief.name.as_str())
            .collect();
        let asked = evidence
            .exchange(Probe::Client)
            .and_then(|exchange| stage(&exchange.request.url));
        match asked {
            Some(asked) if !stages.is_empty() && !stages.contains(&asked.as_str()) => {
                let says = format!(
                    "the URL names the stage `{asked}`; there are: {}",
                    stages.join(", ")
                );
                seen(true, says, Probe::Client)
            }
            _ => Vec::new(),
        }
    },
};

/// An endpoint of the same API in another stage is reached.
pub(in super::super) static OTHER_STAGE_REACHED: Sign = Sign {
    name: "gateway-other-stage-reached",
    means: "another stage of the same host is there",
    find: |evidence| {
        let asked = |probe: Probe| {
            let url = &evidence.exchange(probe)?.request.url;
            let host = Url::parse(url).ok()?.host_str().map(str::to_owned);
            Some((host, stage(url)?))
        };
        let client = asked(Probe::Client);
        let Some(((here, own), (there, other))) = client.zip(asked(Probe::OtherEndpoint)) else {
            return Vec::new();
        };
        let reached = evidence
            .answer(Probe::OtherEndpoint)
            .is_some_and(|answer| accepted(answer) || answer.status == 401);
        // An HTTP API has no stage in its URL unless one was made.
        let forbidden = evidence.answer(Probe::Client).is_some_and(is_forbidden);
        seen(
            reached && forbidden && own != other && here == there,
            format!("stage `{other}` is reached, `{own}` is not"),
            Probe::OtherEndpoint,
        )
    },
};

/// The firewall is named in the answer.
pub(in super::super) static FIREWALL_NAMED: Sign = Sign {
    name: "gateway-firewall-named",
    means: "the answer names the firewall of the gateway",
    find: |evidence| {
        let named =
            |answer: &Answer| is_type(answer, "WafFiltered") || is_type(answer, "WAFForbidden");
        always(evidence, named, reason)
    },
};

/// The handshake ends for want of a client certificate.
pub(in super::super) static CERTIFICATE_ASKED: Sign = Sign {
    name: "gateway-certificate-asked",
    means: "the TLS handshake ends because a client certificate is asked for",
    find: |evidence| match evidence
        .exchange(Probe::Client)
        .map(|exchange| &exchange.result)
    {
        Some(Err(Failure::Tls(why))) => {
            seen(is_certificate(why), format!("TLS: {why}"), Probe::Client)
        }
        _ => Vec::new(),
    },
};

/// A server sends these alerts (RFC 8446, section 6.2) of nothing but the client's certificate.
fn is_certificate(why: &str) -> bool {
    let letters: String = why.chars().filter(char::is_ascii_alphanumeric).collect();
    let alerts = [
        "badcertificate",
        "unsupportedcertificate",
        "certificaterevoked",
        "certificateexpired",
        "certificateunknown",
        "unknownca",
    ];
    let received = contains(&letters, "alert") && alerts.iter().any(|it| contains(&letters, it));
    received || contains(&letters, "certificaterequired")
}

/// nginx's page, and those of what is made of it.
pub(in super::super) static CERTIFICATE_PAGE: Sign = Sign {
    name: "gateway-certificate-page",
    means: "the server's own page says that the client certificate is missing or not good",
    find: |evidence| {
        let page = |answer: &Answer| {
            let texts = [
                "<center>no required ssl certificate was sent</center>",
                "<center>the ssl certificate error</center>",
            ];
            answer.status == 400 && texts.iter().any(|text| contains(&answer.body, text))
        };
        always(evidence, page, reason)
    },
};

/// The stage in the URL of an API's own host, or of an emulator's path.
fn stage(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let mut segments = url.path_segments()?;
    let own = url
        .host_str()
        .is_some_and(|host| contains(host, "execute-api"));
    let place = match segments.clone().next() {
        Some("restapis" | "_aws") => 2,
        _ if own => 0,
        _ => return None,
    };
    segments
        .nth(place)
        .filter(|stage| !stage.is_empty())
        .map(str::to_owned)
}

fn key(evidence: &Evidence, sent: bool) -> Vec<Clue> {
    let has = evidence
        .exchange(Probe::Client)
        .map(|exchange| exchange.request.header("x-api-key").is_some());
    if has == Some(sent) {
        always(evidence, is_forbidden, |answer| {
            let with = if sent { "with" } else { "without" };
            format!("{} {with} `x-api-key`", reason(answer))
        })
    } else {
        Vec::new()
    }
}

fn is_forbidden(answer: &Answer) -> bool {
    let plain = says(answer, "Forbidden") && through_rest(answer) && !through_http(answer);
    answer.status == 403 && (is_type(answer, "Forbidden") || plain)
}
