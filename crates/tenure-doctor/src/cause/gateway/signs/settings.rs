//! How the gateway is set up, as AWS itself answers, beside what the client sends.

use std::collections::BTreeMap;

use url::Url;

use super::http::{JWT_REFUSED, NOT_RSA_REFUSED};
use crate::drift::{Belief, Holder, Subject};
use crate::probe::Probe;
use crate::sign::Sign;
use crate::sign::token::claims;
use crate::{Clue, Evidence};

/// The authorizer reads a header that the client does not send.
pub(in super::super) static IDENTITY_ELSEWHERE: Sign = Sign {
    name: "gateway-identity-elsewhere",
    means: "the authorizer looks for its identity source in a header that the client does not send",
    find: |evidence| {
        let sent = evidence.exchange(Probe::Client).map(|it| &it.request);
        let Some(sent) = sent.filter(|sent| sent.header("authorization").is_some()) else {
            return Vec::new();
        };
        let by_authorizer = grouped(evidence, "identitySource");
        let lacks = |belief: &&Belief| {
            header(&belief.value).is_some_and(|name| sent.header(&name).is_none())
        };
        let missing: Vec<_> = by_authorizer
            .values()
            .map(|sources| sources.iter().copied().find(|source| lacks(source)))
            .collect();
        if missing.iter().any(Option::is_none) {
            return Vec::new();
        }
        let say = |belief: &Belief| {
            let says = format!("the authorizer reads {}, which is not sent", belief.value);
            stated(belief, says)
        };
        missing.into_iter().flatten().map(say).collect()
    },
};

/// Each authorizer is a function.
pub(in super::super) static LAMBDA_GUARDS: Sign = Sign {
    name: "gateway-lambda-guards",
    means: "the API's authorizers are functions",
    find: |evidence| {
        let kinds = ["REQUEST", "TOKEN", "CUSTOM"];
        let of_lambda = |belief: &Belief| kinds.contains(&belief.value.as_str());
        if settings(evidence, "type").all(of_lambda) {
            let say = |belief| stated(belief, "the authorizer is a function".to_owned());
            settings(evidence, "type").map(say).collect()
        } else {
            Vec::new()
        }
    },
};

/// The API's own address is switched off, and the client asks there.
pub(in super::super) static DEFAULT_ENDPOINT_OFF: Sign = Sign {
    name: "gateway-default-endpoint-off",
    means: "the client asks at the API's default endpoint, which is switched off",
    find: |evidence| {
        let asked = evidence.exchange(Probe::Client).map(|it| &it.request.url);
        let asked = asked.and_then(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()));
        let Some(host) = asked else {
            return Vec::new();
        };
        let own = |belief: &&Belief| {
            let id = belief.within.as_deref();
            let id = id.is_some_and(|id| host.starts_with(&format!("{id}.execute-api.")));
            belief.value == "true" && id
        };
        settings(evidence, "disableExecuteApiEndpoint")
            .filter(own)
            .map(|belief| stated(belief, format!("{host} is switched off")))
            .collect()
    },
};

/// A method is guarded by IAM.
pub(in super::super) static GUARDED_BY_IAM: Sign = Sign {
    name: "gateway-guarded-by-iam",
    means: "a method asks for an AWS signature, not for a token",
    find: |evidence| {
        settings(evidence, "authorizationType")
            .filter(|belief| belief.value == "AWS_IAM")
            .map(|belief| stated(belief, "the method's authorization is AWS_IAM".to_owned()))
            .collect()
    },
};

/// A method asks for an API key.
pub(in super::super) static KEY_REQUIRED: Sign = Sign {
    name: "gateway-api-key-required",
    means: "the method asks for an API key",
    find: |evidence| {
        settings(evidence, "apiKeyRequired")
            .filter(|belief| belief.value == "true")
            .map(|belief| stated(belief, "the method asks for an API key".to_owned()))
            .collect()
    },
};

/// No route that names scopes is satisfied by the token's.
pub(in super::super) static SCOPES_MISSING: Sign = Sign {
    name: "gateway-scopes-missing",
    means: "the token has none of the scopes that the route asks for",
    find: |evidence| {
        let Some(claims) = claims(evidence) else {
            return Vec::new();
        };
        let by_route = grouped(evidence, "authorizationScopes");
        let granted = |belief: &&Belief| claims.scope.contains(&belief.value);
        if by_route.values().any(|scopes| scopes.iter().any(granted)) {
            return Vec::new();
        }
        let say = |(route, scopes): (Option<&str>, Vec<&Belief>)| {
            let wanted: Vec<_> = scopes.iter().map(|scope| scope.value.as_str()).collect();
            let route = route.unwrap_or("the route");
            let says = format!("{route} asks for one of {}", wanted.join(", "));
            Some(stated(scopes.first()?, says))
        };
        by_route.into_iter().filter_map(say).collect()
    },
};

/// A JWT authorizer trusts the token's issuer and refuses its algorithm.
pub(in super::super) static TRUSTED_BUT_NOT_RSA: Sign = Sign {
    name: "http-api-trusted-but-not-rsa",
    means: "a JWT authorizer trusts the token's issuer, and the token is not signed with RSA",
    find: |evidence| {
        let issuer = claims(evidence).and_then(|claims| claims.iss.as_deref());
        let jwt = settings(evidence, "type").any(|belief| belief.value == "JWT");
        let trusted = |belief: &Belief| {
            belief.held_by == Holder::Deployed
                && belief.about == Subject::Issuer
                && issuer == Some(belief.value.as_str())
        };
        if jwt && JWT_REFUSED.holds(evidence) && evidence.beliefs.iter().any(trusted) {
            (NOT_RSA_REFUSED.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The template gives reasons of the gateway other statuses.
pub(in super::super) static STATUSES_SET: Sign = Sign {
    name: "gateway-statuses-set",
    means: "a refusal of the gateway was given another status",
    find: |evidence| {
        let usual = |belief: &&Belief| {
            let reason = belief.within.as_deref().unwrap_or_default();
            let wanted = match reason {
                "UNAUTHORIZED" => "401",
                "ACCESS_DENIED" | "MISSING_AUTHENTICATION_TOKEN" | "EXPIRED_TOKEN" => "403",
                _ => return true,
            };
            belief.value == wanted
        };
        settings(evidence, "statusCode")
            .filter(|belief| !usual(belief))
            .map(|belief| {
                let reason = belief.within.as_deref().unwrap_or_default();
                stated(
                    belief,
                    format!("{reason} is answered with {}", belief.value),
                )
            })
            .collect()
    },
};

fn settings<'e>(evidence: &'e Evidence, name: &'e str) -> impl Iterator<Item = &'e Belief> {
    evidence
        .beliefs
        .iter()
        .filter(move |belief| belief.about == Subject::Setting && belief.name == name)
}

/// By what they are settings of: an authorizer, a route.
fn grouped<'e>(
    evidence: &'e Evidence,
    name: &'e str,
) -> BTreeMap<Option<&'e str>, Vec<&'e Belief>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for belief in settings(evidence, name) {
        groups
            .entry(belief.within.as_deref())
            .or_default()
            .push(belief);
    }
    groups
}

/// The name in `method.request.header.NAME` (REST) or `$request.header.NAME` (HTTP).
fn header(source: &str) -> Option<String> {
    let (_, name) = source.split_once("request.header.")?;
    Some(name.to_ascii_lowercase())
}

fn stated(belief: &Belief, says: String) -> Clue {
    Clue::new(says, belief.source.clone())
}
