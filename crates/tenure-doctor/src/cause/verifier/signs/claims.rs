//! What the claims say together with what places ask for.

use std::collections::BTreeSet;

use super::authority;
use super::published::verifying;
use crate::drift::{Belief, Disagreement, Holder, Nature, Subject, compare};
use crate::probe::Probe;
use crate::sign::token::{claims, is_typed_access, of_claims, presented};
use crate::sign::{Sign, drift, of_token, refused};
use crate::token::Token;
use crate::{Clue, Evidence, Source};

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
        let Some(iss) = presented(evidence).and_then(Token::iss) else {
            return Vec::new();
        };
        let good = !verifying(evidence).is_empty();
        let other = evidence.keys.iter().filter_map(|set| {
            let issuer = set.issuer.as_deref().filter(|issuer| *issuer != iss)?;
            let says =
                format!("a key verifies the token of {iss}, and the metadata is of {issuer}");
            Some(Clue::new(says, Source::Keys(set.name.clone())))
        });
        other.filter(|_| good).collect()
    },
};

/// A place knows the token's issuer without its scheme, or with a slash.
pub(in super::super) static ISSUER_IN_SHORT: Sign = Sign {
    name: "issuer-in-short",
    means: "a place names the token's issuer without its scheme or with another slash",
    find: |evidence| {
        let Some(iss) = presented(evidence).and_then(Token::iss) else {
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
            .map(|belief| {
                let says = format!("`{}` says {}, the token {iss}", belief.name, belief.value);
                Clue::new(says, belief.source.clone())
            })
            .collect()
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

/// The places that were read contradict the token in one way only.
pub(in super::super) static ONE_CONTRADICTION: Sign = Sign {
    name: "one-contradiction",
    means: "what was read contradicts the token in one way only",
    find: |evidence| {
        let all = compare(&evidence.beliefs);
        let with_token = all.iter().filter(|one| one.involves(Holder::Token));
        let subjects: BTreeSet<_> = with_token.map(|one| one.about).collect();
        if subjects.len() == 1 {
            of_token("one of its claims is another than what is asked for", None)
        } else {
            Vec::new()
        }
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

/// Both issuers are of one tenant, under two of its names: Microsoft Entra's differ with the version of the token.
pub(in super::super) static ISSUER_OF_SAME_TENANT: Sign = Sign {
    name: "issuer-of-same-tenant",
    means: "the token's issuer and the one that is asked for are two names of one tenant",
    find: |evidence| {
        let tenant = |issuer: &str| {
            let is_id = |part: &&str| part.len() == 36 && part.matches('-').count() == 4;
            issuer.split('/').find(is_id).map(str::to_ascii_lowercase)
        };
        drift::clues(&evidence.beliefs, |one| {
            let tenants = |beliefs: &[Belief]| {
                let tenants = beliefs.iter().filter_map(|it| tenant(&it.value));
                tenants.collect::<BTreeSet<_>>()
            };
            one.about == Subject::Issuer
                && one.involves(Holder::Token)
                && !tenants(&one.left).is_disjoint(&tenants(&one.right))
        })
    },
};

/// The issuer has written the scopes into `aud`, as some do where no resource was asked for.
pub(in super::super) static AUDIENCE_IS_SCOPE: Sign = Sign {
    name: "audience-is-scope",
    means: "the audience is the list of scopes: no API is named",
    find: |evidence| {
        of_claims(evidence, |claims| {
            let aud: BTreeSet<_> = claims.aud.iter().flat_map(|aud| aud.split(' ')).collect();
            let scope: BTreeSet<_> = claims.scope.iter().map(String::as_str).collect();
            let same = !aud.is_empty() && aud == scope;
            same.then(|| format!("aud is {}, as the scope", claims.aud.join(" ")))
        })
    },
};

/// The audience that some issuers put into tokens when nobody asked for one.
pub(in super::super) static DEFAULT_AUDIENCE: Sign = Sign {
    name: "default-audience",
    means: "the audience is the issuer's default: no API was asked for",
    find: |evidence| {
        of_claims(evidence, |claims| {
            // Keycloak's client for the account page.
            let default = claims.aud == ["account"];
            default.then(|| "aud is `account`, Keycloak's default".to_owned())
        })
    },
};

/// The audience is an address of another environment than the one that is called.
pub(in super::super) static AUDIENCE_OF_ENVIRONMENT: Sign = Sign {
    name: "audience-of-environment",
    means: "the audience names an environment, staging for example, that the address which refuses it does not",
    find: |evidence| {
        let client = evidence.exchange(Probe::Client);
        let refuses = client.is_some_and(|one| one.result.as_ref().is_ok_and(refused));
        let Some(called) = client.filter(|_| refuses).map(|one| &one.request.url) else {
            return Vec::new();
        };
        of_claims(evidence, |claims| {
            let other = |aud: &&String| {
                let named = environments(aud);
                !named.is_empty() && named.is_disjoint(&environments(called))
            };
            let all = !claims.aud.is_empty() && claims.aud.iter().all(|aud| other(&aud));
            all.then(|| format!("aud is {}", claims.aud.join(", ")))
        })
    },
};

/// Labels of a URL's host that are for trying things out.
fn environments(url: &str) -> BTreeSet<String> {
    const KNOWN: [&str; 10] = [
        "dev",
        "develop",
        "development",
        "integration",
        "preprod",
        "preview",
        "qa",
        "sandbox",
        "staging",
        "stage",
    ];
    let host = url::Url::parse(url)
        .ok()
        .and_then(|url| Some(url.host_str()?.to_owned()));
    let host = host.unwrap_or_default();
    let labels = host.split(['.', '-']).filter(|label| KNOWN.contains(label));
    labels.map(str::to_owned).collect()
}

/// A token without `aud`, as Amazon Cognito's access tokens are.
pub(in super::super) static CLIENT_WITHOUT_AUDIENCE: Sign = Sign {
    name: "client-without-audience",
    means: "the token has no audience, only the client's id",
    find: |evidence| {
        of_claims(evidence, |claims| {
            let client = claims.client_id.is_some() || claims.azp.is_some();
            let says = "no `aud`; the client stands in `client_id` or `azp`";
            (claims.aud.is_empty() && client).then(|| says.to_owned())
        })
    },
};

/// `aud` stands there.
pub(in super::super) static HAS_AUDIENCE: Sign = Sign {
    name: "has-audience",
    means: "the token has an audience",
    find: |evidence| {
        of_claims(evidence, |claims| {
            (!claims.aud.is_empty()).then(|| format!("aud is {}", claims.aud.join(", ")))
        })
    },
};

/// Its type is not that of RFC 9068.
pub(in super::super) static PLAIN_TYPE: Sign = Sign {
    name: "plain-typ",
    means: "the header's `typ` is not `at+jwt`",
    find: |evidence| {
        let plain = |token: &&Token| token.header.is_some() && !is_typed_access(token);
        let typ = |token: &Token| format!("typ is {}", token.typ().unwrap_or("absent"));
        let token = presented(evidence).filter(plain);
        token.map_or_else(Vec::new, |token| of_token(typ(token), None))
    },
};

/// Its type is that of RFC 9068.
pub(in super::super) static ACCESS_TOKEN_TYPE: Sign = Sign {
    name: "at-jwt-typ",
    means: "the header's `typ` is `at+jwt`",
    find: |evidence| {
        let token = presented(evidence).filter(|token| is_typed_access(token));
        let typ = token.and_then(Token::typ);
        typ.map_or_else(Vec::new, |typ| of_token(format!("typ is {typ}"), None))
    },
};

/// A date of the token is no number, or one of milliseconds.
pub(in super::super) static MISTYPED_DATE: Sign = Sign {
    name: "mistyped-date",
    means: "a date of the token is no number of seconds",
    find: |evidence| {
        let mistyped = claims(evidence).into_iter().flat_map(|it| &it.mistyped);
        mistyped
            .filter(|(name, _)| ["exp", "nbf", "iat"].contains(&name.as_str()))
            .flat_map(|(name, found)| of_token(format!("`{name}` is {found}"), None))
            .collect()
    },
};

/// What the token says of this against what others ask for; not where another pool explains it.
fn with_token(evidence: &Evidence, about: Subject) -> Vec<Clue> {
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
        .any(|one| one.about == Subject::UserPool && one.involves(Holder::Token));
    if pools {
        return Vec::new();
    }
    drift::clues(&evidence.beliefs, |one| {
        one.about == about && one.involves(Holder::Token) && asks(one)
    })
}
