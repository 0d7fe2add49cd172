//! Marks of products whose tokens or answers follow rules of their own, and of what they need.

use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::token::{claims, of_claims, presented};
use crate::sign::{
    Sign, accepted, answers, client_answers, contains, found, of_client, refused, seen,
};
use crate::token::Claims;
use crate::{Clue, Source};

/// The token is of Firebase: by its issuer.
pub(in super::super) static OF_FIREBASE: Sign = Sign {
    name: "of-firebase",
    means: "the token is Firebase's, or of a Firebase service account",
    find: |evidence| {
        of_claims(evidence, |claims| {
            let iss = claims.iss.as_deref().unwrap_or_default();
            let own = iss.starts_with("https://securetoken.google.com/");
            (own || is_custom(claims)).then(|| format!("issuer {iss}"))
        })
    },
};

/// A custom token in place of an ID token.
pub(in super::super) static CUSTOM_TOKEN: Sign = Sign {
    name: "firebase-custom-token",
    means: "the token is a custom token, which has to be exchanged for an ID token first",
    find: |evidence| {
        of_claims(evidence, |claims| {
            is_custom(claims).then(|| "its audience is the sign-in service".to_owned())
        })
    },
};

fn is_custom(claims: &Claims) -> bool {
    claims.aud.iter().any(|aud| aud.contains("identitytoolkit"))
}

/// Bound to a key, and sent as if it were not.
pub(in super::super) static BOUND_SENT_AS_BEARER: Sign = Sign {
    name: "bound-sent-as-bearer",
    means: "the token is bound to a key (`cnf.jkt`), and is sent with the scheme `Bearer`",
    find: |evidence| {
        let bound = claims(evidence).and_then(|claims| claims.cnf.as_deref()) == Some("jkt");
        let client = evidence.exchange(Probe::Client);
        let field = client.and_then(|exchange| exchange.request.header("authorization"));
        let scheme = field.and_then(|value| value.split(' ').next());
        let bearer = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
        seen(
            bound && bearer,
            "`cnf.jkt` in the token, `Bearer` in the request",
            Probe::Client,
        )
    },
};

/// The refusal asks for a proof of possession.
pub(in super::super) static DPOP_CHALLENGE: Sign = Sign {
    name: "dpop-challenge",
    means: "the refusal is a DPoP challenge",
    find: |evidence| {
        let challenges = |answer: &Answer| {
            answer.headers.iter().any(|(name, value)| {
                let scheme = value.get(..4).unwrap_or_default();
                name == "dpop-nonce"
                    || name == "www-authenticate" && scheme.eq_ignore_ascii_case("dpop")
            })
        };
        client_answers(evidence)
            .filter(|(_, answer)| !accepted(answer) && challenges(answer))
            .map(|(exchange, answer)| {
                let says = format!("{} with a DPoP challenge", answer.status);
                Clue::new(says, Source::Probe(exchange.probe))
            })
            .collect()
    },
};

/// Kong passed the request on, and what stands behind it refused.
pub(in super::super) static REFUSED_BEHIND_KONG: Sign = Sign {
    name: "refused-behind-kong",
    means: "Kong passed the request on, and the service behind it refused",
    find: |evidence| {
        let refusals = client_answers(evidence).filter(|(_, answer)| refused(answer));
        refusals
            .filter(|(_, answer)| answer.header("x-kong-upstream-latency").is_some())
            .map(|(exchange, answer)| {
                let says = format!("{} from behind Kong", answer.status);
                Clue::new(says, Source::Probe(exchange.probe))
            })
            .collect()
    },
};

/// Marks of ORY Oathkeeper.
pub(in super::super) static OATHKEEPER: Sign = Sign {
    name: "oathkeeper",
    means: "ORY Oathkeeper is on the way",
    find: |evidence| {
        let named = |text: &str| contains(text, "oathkeeper");
        let marked = |answer: &Answer| {
            let mut fields = answer.headers.iter();
            named(&answer.body) || fields.any(|(name, value)| named(name) || named(value))
        };
        let answer = answers(evidence).find(|(_, answer)| marked(answer));
        let says = |status| format!("{status} with Oathkeeper's mark");
        let mut clues = found(answer.map(|(probe, answer)| (probe, says(answer.status))));
        let places = evidence.beliefs.iter().map(|belief| &belief.source);
        let logs = evidence.logs.findings.iter().map(|finding| &finding.source);
        let source = places.chain(logs).find(|source| named(&source.to_string()));
        clues.extend(source.map(|source| Clue::new("a file of Oathkeeper", source.clone())));
        clues
    },
};

/// The echo shows that another token arrives than the one that was sent.
pub(in super::super) static OTHER_TOKEN_ARRIVES: Sign = Sign {
    name: "other-token-arrives",
    means: "another token arrives at the service than the client sent",
    find: |evidence| {
        let (Some(sent), Some(echo)) = (presented(evidence), evidence.answer(Probe::Echo)) else {
            return Vec::new();
        };
        let tokens = echo.body.contains("token:") || echo.body.contains("Bearer");
        let own = echo.body.contains(&sent.fingerprint.to_string());
        seen(
            accepted(echo) && tokens && !own,
            "the echo shows another token",
            Probe::Echo,
        )
    },
};

/// The answer is one of products whose status or words are a cause of their own.
pub(in super::super) static SPECIAL_ANSWER: Sign = Sign {
    name: "answer-of-a-product-with-its-own-rule",
    means: "the refusal is in the words of a product whose refusals are a matter of their own",
    find: |evidence| {
        let special = |answer: &Answer| {
            let aws = [
                "x-amzn-errortype",
                "apigw-requestid",
                "sb-gateway-version",
                "x-sb-error-code",
            ];
            aws.iter().any(|name| answer.header(name).is_some())
                || contains(&answer.body, "\"error_code\"")
        };
        of_client(evidence, |answer| {
            let holds = refused(answer) && special(answer);
            holds.then(|| format!("{} with the mark of such a product", answer.status))
        })
    },
};
