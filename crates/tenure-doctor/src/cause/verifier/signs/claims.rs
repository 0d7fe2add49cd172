//! What the claims say together with the answers and with what places ask for.

use super::authority;
use super::keys::verifying;
use crate::drift::{Disagreement, Holder, Nature, Subject, compare};
use crate::probe::Probe;
use crate::sign::token::{claims, presented};
use crate::sign::{Sign, accepted, answers, client_answers, drift, of_token, refused, seen};
use crate::{Clue, Evidence};

/// The token's issuer and the verifier's would be equal but for a slash, a scheme or capitals.
pub(in super::super) static ISSUER_NEARLY: Sign = Sign {
    name: "issuer-nearly-equal",
    means: "two issuers are equal but for a slash, a scheme or capitals; verifiers compare each byte",
    find: |evidence| {
        drift::clues(&evidence.beliefs, |one| {
            one.about == Subject::Issuer
                && one.nature != Nature::Different
                && one.nature != Nature::OtherHost
        })
    },
};

/// The metadata of an issuer whose keys verify the token has another name than the token.
pub(in super::super) static NAMED_OTHERWISE: Sign = Sign {
    name: "issuer-named-otherwise",
    means: "the keys of the issuer verify the token, and its metadata has another issuer than the token",
    find: |evidence| {
        let Some(iss) = claims(evidence).and_then(|claims| claims.iss.as_deref()) else {
            return Vec::new();
        };
        let good = !verifying(evidence).is_empty();
        let other = evidence.keys.iter().filter_map(|set| {
            let issuer = set.issuer.as_deref().filter(|issuer| *issuer != iss)?;
            Some(Clue {
                says: format!("a key verifies the token of {iss}, and the metadata is of {issuer}"),
                source: crate::Source::Keys(set.name.clone()),
                at: None,
            })
        });
        other.filter(|_| good).collect()
    },
};

/// A place knows the token's issuer without its scheme, or with a slash.
pub(in super::super) static ISSUER_IN_SHORT: Sign = Sign {
    name: "issuer-in-short",
    means: "a place names the token's issuer without its scheme or with another slash",
    find: |evidence| {
        let Some(iss) = claims(evidence).and_then(|claims| claims.iss.as_deref()) else {
            return Vec::new();
        };
        let bare = |text: &str| {
            let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
            rest.trim_end_matches('/').to_ascii_lowercase()
        };
        let short = evidence.beliefs.iter().filter(|belief| {
            belief.about == Subject::Issuer
                && belief.value != iss
                && bare(&belief.value) == bare(iss)
        });
        short
            .map(|belief| Clue {
                says: format!("`{}` says {}, the token {iss}", belief.name, belief.value),
                source: belief.source.clone(),
                at: None,
            })
            .collect()
    },
};

/// The places that were read contradict the token in one way only.
pub(in super::super) static ONE_CONTRADICTION: Sign = Sign {
    name: "one-contradiction",
    means: "what was read contradicts the token in one way only",
    find: |evidence| {
        let all = compare(&evidence.beliefs);
        let with_token = all.iter().filter(|one| {
            one.left
                .iter()
                .any(|belief| belief.held_by == Holder::Token)
        });
        let subjects: std::collections::BTreeSet<_> = with_token.map(|one| one.about).collect();
        if subjects.len() == 1 {
            of_token("one of its claims is another than what is asked for", None)
        } else {
            Vec::new()
        }
    },
};

/// The audience that some issuers put into tokens when nobody asked for one.
pub(in super::super) static DEFAULT_AUDIENCE: Sign = Sign {
    name: "default-audience",
    means: "the audience is the issuer's default: no API was asked for",
    find: |evidence| match claims(evidence) {
        // Keycloak's client for the account page.
        Some(claims) if claims.aud == ["account"] => {
            of_token("aud is `account`, Keycloak's default", None)
        }
        _ => Vec::new(),
    },
};

/// The verifier is configured for another issuer than the token's.
pub(in super::super) static VERIFIER_ASKS_OTHER_ISSUER: Sign = Sign {
    name: "verifier-asks-other-issuer",
    means: "the verifier's configuration names another issuer than the token",
    find: |evidence| with_token(evidence, Subject::Issuer),
};

/// The verifier is configured for another audience than the token's.
pub(in super::super) static VERIFIER_ASKS_OTHER_AUDIENCE: Sign = Sign {
    name: "verifier-asks-other-audience",
    means: "the verifier's configuration names another audience than the token",
    find: |evidence| with_token(evidence, Subject::Audience),
};

/// The verifier is configured for another client than the token's.
pub(in super::super) static VERIFIER_ASKS_OTHER_CLIENT: Sign = Sign {
    name: "verifier-asks-other-client",
    means: "the verifier's configuration names another client than the token",
    find: |evidence| with_token(evidence, Subject::ClientId),
};

/// A token without `aud`, as Amazon Cognito's access tokens are.
pub(in super::super) static CLIENT_WITHOUT_AUDIENCE: Sign = Sign {
    name: "client-without-audience",
    means: "the token has no audience, only the client's id",
    find: |evidence| match claims(evidence) {
        Some(claims)
            if claims.aud.is_empty() && (claims.client_id.is_some() || claims.azp.is_some()) =>
        {
            of_token("no `aud`; the client stands in `client_id` or `azp`", None)
        }
        _ => Vec::new(),
    },
};

/// `aud` stands there.
pub(in super::super) static HAS_AUDIENCE: Sign = Sign {
    name: "has-audience",
    means: "the token has an audience",
    find: |evidence| match claims(evidence) {
        Some(claims) if !claims.aud.is_empty() => {
            of_token(format!("aud is {}", claims.aud.join(", ")), None)
        }
        _ => Vec::new(),
    },
};

/// Its type is not that of RFC 9068.
pub(in super::super) static PLAIN_TYPE: Sign = Sign {
    name: "plain-typ",
    means: "the header's `typ` is not `at+jwt`",
    find: |evidence| {
        let Some(header) = presented(evidence).and_then(|token| token.header.as_ref()) else {
            return Vec::new();
        };
        let typ = header.typ.as_deref().unwrap_or("absent");
        if typ.to_ascii_lowercase().ends_with("at+jwt") {
            return Vec::new();
        }
        of_token(format!("typ is {typ}"), None)
    },
};

/// Its type is that of RFC 9068.
pub(in super::super) static ACCESS_TOKEN_TYPE: Sign = Sign {
    name: "at-jwt-typ",
    means: "the header's `typ` is `at+jwt`",
    find: |evidence| {
        let typ = presented(evidence).and_then(|token| token.header.as_ref()?.typ.as_deref());
        match typ {
            Some(typ) if typ.to_ascii_lowercase().ends_with("at+jwt") => {
                of_token(format!("typ is {typ}"), None)
            }
            _ => Vec::new(),
        }
    },
};

/// A date of the token is no number, or one of milliseconds.
pub(in super::super) static MISTYPED_DATE: Sign = Sign {
    name: "mistyped-date",
    means: "a date of the token is no number of seconds",
    find: |evidence| {
        let Some(claims) = claims(evidence) else {
            return Vec::new();
        };
        let dates = claims
            .mistyped
            .iter()
            .filter(|(name, _)| ["exp", "nbf", "iat"].contains(&name.as_str()));
        dates
            .flat_map(|(name, found)| of_token(format!("`{name}` is {found}"), None))
            .collect()
    },
};

/// The token is of Firebase: by its issuer.
pub(in super::super) static OF_FIREBASE: Sign = Sign {
    name: "of-firebase",
    means: "the token is Firebase's, or of a Firebase service account",
    find: |evidence| {
        let Some(claims) = claims(evidence) else {
            return Vec::new();
        };
        let iss = claims.iss.as_deref().unwrap_or_default();
        let custom = claims.aud.iter().any(|aud| aud.contains("identitytoolkit"));
        if iss.starts_with("https://securetoken.google.com/") || custom {
            of_token(format!("issuer {iss}"), None)
        } else {
            Vec::new()
        }
    },
};

/// A custom token in place of an ID token.
pub(in super::super) static CUSTOM_TOKEN: Sign = Sign {
    name: "firebase-custom-token",
    means: "the token is a custom token, which has to be exchanged for an ID token first",
    find: |evidence| match claims(evidence) {
        Some(claims) if claims.aud.iter().any(|aud| aud.contains("identitytoolkit")) => {
            of_token("its audience is the sign-in service", None)
        }
        _ => Vec::new(),
    },
};

/// Bound to a key, and sent as if it were not.
pub(in super::super) static BOUND_SENT_AS_BEARER: Sign = Sign {
    name: "bound-sent-as-bearer",
    means: "the token is bound to a key (`cnf.jkt`), and is sent with the scheme `Bearer`",
    find: |evidence| {
        let bound = claims(evidence).and_then(|claims| claims.cnf.as_deref()) == Some("jkt");
        let client = evidence
            .exchanges
            .iter()
            .find(|exchange| exchange.probe == Probe::Client);
        let scheme = client.and_then(|exchange| {
            let (_, value) = exchange
                .request
                .headers
                .iter()
                .find(|(name, _)| name == "authorization")?;
            value.split(' ').next()
        });
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
        let mut clues = Vec::new();
        for (exchange, answer) in client_answers(evidence).filter(|(_, answer)| !accepted(answer)) {
            let nonce = answer.header("dpop-nonce").is_some();
            let challenge = answer.headers.iter().any(|(name, value)| {
                name == "www-authenticate"
                    && value
                        .get(..4)
                        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("dpop"))
            });
            if nonce || challenge {
                clues.extend(seen(
                    true,
                    format!("{} with a DPoP challenge", answer.status),
                    exchange.probe,
                ));
            }
        }
        clues
    },
};

/// Kong passed the request on, and what stands behind it refused.
pub(in super::super) static REFUSED_BEHIND_KONG: Sign = Sign {
    name: "refused-behind-kong",
    means: "Kong passed the request on, and the service behind it refused",
    find: |evidence| {
        let refusals = client_answers(evidence).filter(|(_, answer)| refused(answer));
        let behind =
            refusals.filter(|(_, answer)| answer.header("x-kong-upstream-latency").is_some());
        behind
            .flat_map(|(exchange, answer)| {
                seen(
                    true,
                    format!("{} from behind Kong", answer.status),
                    exchange.probe,
                )
            })
            .collect()
    },
};

/// Marks of ORY Oathkeeper.
pub(in super::super) static OATHKEEPER: Sign = Sign {
    name: "oathkeeper",
    means: "ORY Oathkeeper is on the way",
    find: |evidence| {
        let named = |text: &str| crate::sign::contains(text, "oathkeeper");
        let on_answers = answers(evidence).filter(|(_, answer)| {
            answer
                .headers
                .iter()
                .any(|(name, value)| named(name) || named(value))
                || named(&answer.body)
        });
        let mut clues: Vec<_> = on_answers
            .flat_map(|(probe, answer)| {
                seen(
                    true,
                    format!("{} with Oathkeeper's mark", answer.status),
                    probe,
                )
            })
            .take(1)
            .collect();
        let places = evidence.beliefs.iter().map(|belief| &belief.source);
        let logs = evidence.logs.findings.iter().map(|finding| &finding.source);
        let source = places.chain(logs).find(|source| named(&source.to_string()));
        clues.extend(source.map(|source| Clue {
            says: "a file of Oathkeeper".to_owned(),
            source: source.clone(),
            at: None,
        }));
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
        let special = |answer: &crate::exchange::Answer| {
            let aws = [
                "x-amzn-errortype",
                "apigw-requestid",
                "sb-gateway-version",
                "x-sb-error-code",
            ];
            aws.iter().any(|name| answer.header(name).is_some())
                || crate::sign::contains(&answer.body, "\"error_code\"")
        };
        let mut all =
            client_answers(evidence).filter(|(_, answer)| refused(answer) && special(answer));
        all.next().map_or_else(Vec::new, |(exchange, answer)| {
            seen(
                true,
                format!("{} with the mark of such a product", answer.status),
                exchange.probe,
            )
        })
    },
};

/// Issuer and verifier are on one host: their names differ inside and outside.
pub(in super::super) static INSIDE_AND_OUTSIDE: Sign = Sign {
    name: "issuer-inside-and-outside",
    means: "one of two issuers is a name that only exists inside a network",
    find: |evidence| {
        let inside = |one: &Disagreement| {
            let names = || {
                one.left
                    .iter()
                    .chain(&one.right)
                    .filter_map(|belief| authority(&belief.value))
            };
            let local = |name: &String| {
                let host = name
                    .rsplit_once(':')
                    .map_or(name.as_str(), |(host, _)| host);
                !host.contains('.')
                    || matches!(host.rsplit('.').next(), Some("local" | "internal"))
                    || host == "127.0.0.1"
            };
            names().any(|name| local(&name)) && names().any(|name| !local(&name))
        };
        drift::clues(&evidence.beliefs, |one| {
            one.about == Subject::Issuer && inside(one)
        })
    },
};

/// What the token says of this against what others ask for; not where another pool explains it.
fn with_token(evidence: &Evidence, about: Subject) -> Vec<Clue> {
    let token = |one: &Disagreement| {
        one.left
            .iter()
            .any(|belief| belief.held_by == Holder::Token)
    };
    let asks = |one: &Disagreement| {
        one.right.iter().any(|belief| {
            matches!(
                belief.held_by,
                Holder::Verifier | Holder::Deployed | Holder::Unknown
            )
        })
    };
    let pools = compare(&evidence.beliefs)
        .iter()
        .any(|one| one.about == Subject::UserPool && token(one));
    if pools {
        return Vec::new();
    }
    drift::clues(&evidence.beliefs, |one| {
        one.about == about && token(one) && asks(one)
    })
}
