//! What only this family asks.

pub(crate) mod browsed;
pub(super) mod cache;
pub(super) mod gates;
pub(super) mod header;
pub(crate) mod platform;
pub(super) mod waf;

use super::arrived::sent_with_token;
use crate::compare::same;
use crate::exchange::Answer;
use crate::layer;
use crate::logs::Browsed;
use crate::probe::Probe;
use crate::sign::answer::{At, texts};
use crate::sign::{Sign, answers, refused, together};
use crate::{Clue, Evidence, Source};

texts! {
    /// The access log of API Gateway, `$context.wafResponseCode`.
    WAF_BLOCK_LOGGED = "edge-waf-block-logged", At::Client, "waf_block", "API Gateway's access log says that the firewall blocked the request";
    /// `$context.error.responseType` of the same.
    WAF_FILTERED_LOGGED = "edge-waf-filtered-logged", At::Client, "waf_filtered", "API Gateway's access log says that the firewall filtered the request";
    /// The error log of nginx, at level `info`.
    INVALID_HEADER_LOGGED = "edge-nginx-invalid-header", At::Client, "client sent invalid header line", "nginx has logged that it ignores a header field";
    /// Apache's mod_auth_basic (AH01614) and mod_auth_digest (AH01781).
    WRONG_SCHEME_LOGGED = "edge-apache-wrong-scheme", At::Client, "client used wrong authentication scheme", "Apache has logged that a client came to its password gate with another scheme";
    /// nginx's error log.
    NO_PASSWORD_LOGGED = "edge-nginx-no-password", At::Client, "no user/password was provided for basic authentication", "nginx has logged that requests came to its password gate without a password";
    /// curl, Python and Java name the status so, and proxies themselves.
    PROXY_ASKS_LOGGED = "edge-proxy-asks-logged", At::Client, "407 proxy authentication required", "a proxy on the way out has asked the client for a password";
    /// curl and others, where the tunnel for TLS is not opened.
    TUNNEL_ASKS_LOGGED = "edge-tunnel-asks-logged", At::Client, "tunnel failed, response 407", "a proxy on the way out has not opened the client's tunnel without a password";
    /// Squid's access log. A client that asks again with its password has such a line for each connection.
    SQUID_ASKS_LOGGED = "edge-squid-asks-logged", At::Client, "tcp_denied/407", "Squid has asked clients for a password";
    /// Cloud Run's request log.
    NOT_INVOKER_LOGGED = "edge-not-invoker", At::Client, "the request was not authorized to invoke this service", "Cloud Run has refused requests before the service ran: it asks for the token of an invoker";
    /// The same, for requests without credentials.
    NO_INVOKER_LOGGED = "edge-no-invoker", At::Client, "allow unauthenticated invocations or set the proper authorization header", "Cloud Run has refused requests without an invoker's token";
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

/// The direct request is refused as the client's is: the edge is not what refuses.
pub(crate) static DIRECT_REFUSED: Sign = Sign {
    name: "edge-direct-refused",
    means: "past the edge the request is refused as well",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Direct];
        together(evidence, probes, |[client, direct]| {
            let (through, past) = (client.status, direct.status);
            let holds = refused(client) && refused(direct);
            holds.then(|| format!("{through} through the edge, {past} past it"))
        })
    },
};

/// The client's refusal is the one of a request without a token, and of a forged one.
fn unheard(evidence: &Evidence, wanted: impl Fn(&Answer) -> bool, how: &str) -> Vec<Clue> {
    together(evidence, [Probe::Client, Probe::Bare], |[client, bare]| {
        let altered = evidence.answer(Probe::Altered);
        let holds = refused(client)
            && sent_with_token(evidence).is_some()
            && same(client, bare)
            && altered.is_none_or(|altered| same(client, altered))
            && wanted(client);
        holds.then(|| format!("{} with any token and without, {how}", client.status))
    })
}

/// An answer of this kind to the client or to a refresh, also in a browser's record.
fn page(evidence: &Evidence, wanted: impl Fn(&Answer) -> bool) -> Vec<Clue> {
    let asked = |probe: Probe| {
        probe.is_own() || matches!(probe, Probe::Hop(_)) || At::Refresh.includes(probe)
    };
    let mut clues: Vec<_> = answers(evidence)
        .filter(|(probe, answer)| asked(*probe) && answer.status >= 400 && wanted(answer))
        .map(|(probe, answer)| Clue::new(made(answer), Source::Probe(probe)))
        .collect();
    // A browser's record holds requests to other sites as well.
    let site = evidence
        .exchanges
        .first()
        .and_then(|it| host(&it.request.url));
    let own = |one: &Browsed| site.is_none() || host(&one.request.url) == site;
    let browsed = evidence.logs.unrecovered().filter(|(one, _)| own(one));
    clues.extend(
        browsed
            .filter(|(_, answer)| wanted(answer))
            .map(|(one, answer)| one.clue(made(answer))),
    );
    clues
}

fn made(answer: &Answer) -> String {
    let by = layer::answered(answer).map_or("an edge", |by| by.product);
    format!("{} made by {by}", answer.status)
}

fn host(url: &str) -> Option<String> {
    Some(url::Url::parse(url).ok()?.host_str()?.to_owned())
}
