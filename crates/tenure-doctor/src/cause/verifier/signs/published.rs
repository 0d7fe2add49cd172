//! The keys that the issuer publishes, and what they say of the token.

use std::collections::BTreeSet;

use super::authority;
use crate::drift::{Holder, Nature, Subject};
use crate::keys::{Key, KeySet, Kind};
use crate::probe::Probe;
use crate::sign::keys::{checks, named};
use crate::sign::token::{claims, presented};
use crate::sign::{Sign, client_answers, contains, drift, seen};
use crate::token::{Signature, Token};
use crate::{Clue, Evidence, Source};

/// The issuer publishes the key of the token's kid, and it verifies the token.
pub(in super::super) static PUBLISHED_KEY_VERIFIES: Sign = Sign {
    name: "published-key-verifies",
    means: "the issuer publishes the key that the token names, and it verifies the token",
    find: |evidence| {
        let named = named(evidence).filter(|check| is_published(&check.keys));
        let good = named.filter(|check| check.verdict == Signature::Good);
        good.map(|check| {
            of_set(
                &check.keys,
                "the published key of the token's kid verifies it",
            )
        })
        .collect()
    },
};

/// The key that the issuer publishes under the token's kid does not verify it, and no other key does.
pub(in super::super) static PUBLISHED_KEY_FAILS: Sign = Sign {
    name: "published-key-fails",
    means: "the key that the issuer publishes under the token's kid does not verify the token",
    find: |evidence| {
        if checks(evidence).any(|check| check.verdict == Signature::Good) {
            return Vec::new();
        }
        let named = named(evidence).filter(|check| is_published(&check.keys));
        named
            .filter(|check| check.verdict == Signature::Bad)
            .map(|check| of_set(&check.keys, "its key of the token's kid does not verify it"))
            .collect()
    },
};

/// One kid, two keys: in two sets, of which one verifies the token and one does not.
pub(in super::super) static ONE_KID_TWO_KEYS: Sign = Sign {
    name: "one-kid-two-keys",
    means: "two key sets have different keys under the token's kid, and only one of them verifies it",
    find: |evidence| {
        let first = |verdict| named(evidence).find(|check| check.verdict == verdict);
        match (first(Signature::Good), first(Signature::Bad)) {
            (Some(good), Some(bad)) if good.thumbprint != bad.thumbprint => vec![of_set(
                &bad.keys,
                format!(
                    "its key of the token's kid does not verify the token, that of {} does",
                    good.keys
                ),
            )],
            _ => Vec::new(),
        }
    },
};

/// The published set was read, and has no key of the token's kid.
pub(in super::super) static KID_NOT_PUBLISHED: Sign = Sign {
    name: "kid-not-published",
    means: "the issuer that was asked does not publish the key that the token names",
    find: |evidence| {
        let Some(kid) = presented(evidence).and_then(Token::kid) else {
            return Vec::new();
        };
        let sets: Vec<_> = published(evidence)
            .filter(|set| !set.keys.is_empty())
            .collect();
        let known = |set: &&KeySet| set.keys.iter().any(|key| key.kid.as_deref() == Some(kid));
        let verified = checks(evidence)
            .any(|check| check.verdict == Signature::Good && is_published(&check.keys));
        if verified || sets.iter().any(known) {
            return Vec::new();
        }
        sets.iter()
            .map(|set| {
                let says = format!("no key `{kid}` among its {}", set.keys.len());
                of_set(&set.name, says)
            })
            .collect()
    },
};

/// The token is not of the issuer whose keys were given, by its own `iss`.
pub(in super::super) static OF_OTHER_ISSUER: Sign = Sign {
    name: "of-other-issuer",
    means: "the token's issuer is another one than the one that the verifier's keys or settings are of",
    find: |evidence| {
        let Some(iss) = claims(evidence).and_then(|claims| claims.iss.as_deref()) else {
            return Vec::new();
        };
        let metadata = evidence.keys.iter().filter_map(|set| {
            let issuer = set.issuer.as_deref()?;
            let other = authority(issuer) != authority(iss) || pool(issuer) != pool(iss);
            let says = || format!("it is the metadata of {issuer}, the token is of {iss}");
            other.then(|| of_set(&set.name, says()))
        });
        let pools = drift::clues(&evidence.beliefs, |one| {
            matches!(one.about, Subject::Issuer | Subject::UserPool)
                && one.nature == Nature::Different
                && one.involves(Holder::Token)
        });
        metadata.chain(pools).collect()
    },
};

/// Every key of the published sets can be used by common verifiers.
pub(in super::super) static SET_IS_PLAIN: Sign = Sign {
    name: "published-set-is-plain",
    means: "each key that the issuer publishes can be used by common verifiers",
    find: |evidence| {
        let sets: Vec<_> = published(evidence)
            .filter(|set| !set.keys.is_empty())
            .collect();
        let plain = sets
            .iter()
            .flat_map(|set| &set.keys)
            .all(|key| !is_odd(key));
        if !plain {
            return Vec::new();
        }
        let clue = |set: &&KeySet| {
            of_set(
                &set.name,
                format!("all of its {} keys can be used", set.keys.len()),
            )
        };
        sets.iter().map(clue).collect()
    },
};

/// A key set holds a key that strict verifiers stumble over, beside the one that verifies the token.
pub(in super::super) static SET_HAS_ODD_KEY: Sign = Sign {
    name: "set-has-odd-key",
    means: "beside the key that verifies the token the set holds one that strict verifiers stumble over",
    find: |evidence| {
        let verifying = verifying(evidence);
        keys_that(evidence, |set, key| {
            verifying.contains(set.name.as_str()) && is_odd(key)
        })
    },
};

/// Of the odd keys one is more than a key for encryption, which most verifiers leave out.
pub(in super::super) static SET_HAS_BROKEN_KEY: Sign = Sign {
    name: "set-has-broken-key",
    means: "the set holds a key that cannot be read as what it claims to be",
    find: |evidence| keys_that(evidence, |_, key| is_broken(key)),
};

/// Nothing shows that the keys arrive and cannot be read, or that the verifier waits before it asks again: verifiers say
/// of both that the fetch has failed.
pub(in super::super) static SET_CAN_BE_READ: Sign = Sign {
    name: "set-can-be-read",
    means: "nothing shows that the keys arrive and cannot be read, or that the verifier only waits",
    find: |evidence| {
        let waits = client_answers(evidence).any(|(_, answer)| {
            ["not allowed to fetch jwks yet", "waitperiodnotyetended"]
                .iter()
                .any(|words| contains(&answer.body, words))
        });
        seen(
            !waits && !SET_HAS_BROKEN_KEY.holds(evidence),
            "no key that was seen is broken, and the verifier does not speak of a pause",
            Probe::Jwks,
        )
    },
};

/// The issuer's keys could not be fetched from here either.
pub(in super::super) static KEYS_UNREACHABLE: Sign = Sign {
    name: "keys-unreachable",
    means: "the issuer does not answer for its keys from here either",
    find: |evidence| {
        let asked = evidence
            .exchanges
            .iter()
            .filter(|exchange| matches!(exchange.probe, Probe::Jwks | Probe::Discovery));
        let bad = asked.filter_map(|exchange| {
            let says = match &exchange.result {
                Ok(answer) if answer.status >= 500 => answer.status.to_string(),
                Ok(_) => return None,
                Err(failure) => failure.to_string(),
            };
            Some(Clue::new(says, Source::Probe(exchange.probe)))
        });
        bad.collect()
    },
};

/// Many refusals of unknown keys in the logs.
pub(in super::super) static MANY_UNKNOWN_KIDS: Sign = Sign {
    name: "many-unknown-kids",
    means: "the logs are full of tokens with different keys that nobody knows",
    find: |evidence| {
        let findings = evidence.logs.findings.iter();
        findings
            .filter(|finding| finding.text() == Some("unknown-kids") && finding.count >= FLOOD)
            .map(|finding| {
                let says = format!("{} different key ids that nobody knows", finding.count);
                Clue::new(says, finding.source.clone())
            })
            .collect()
    },
};

/// Different ids from which they are hardly those of a rotation.
const FLOOD: u64 = 8;

/// Names of the sets that verify the token.
pub(super) fn verifying(evidence: &Evidence) -> BTreeSet<&str> {
    let good = checks(evidence).filter(|check| check.verdict == Signature::Good);
    good.map(|check| check.keys.as_str()).collect()
}

/// Sets that the issuer itself answered with are named by their URL.
pub(super) fn is_published(set: &str) -> bool {
    set.starts_with("http://") || set.starts_with("https://")
}

fn published(evidence: &Evidence) -> impl Iterator<Item = &KeySet> {
    let jwks = |set: &&KeySet| set.kind == Some(Kind::Jwks) && is_published(&set.name);
    evidence.keys.iter().filter(jwks)
}

/// The keys of key sets of which this is true, and what is the matter with each.
fn keys_that(evidence: &Evidence, wanted: impl Fn(&KeySet, &Key) -> bool) -> Vec<Clue> {
    let jwks = |set: &&KeySet| set.kind == Some(Kind::Jwks);
    let all = evidence.keys.iter().filter(jwks);
    let pairs = all.flat_map(|set| set.keys.iter().map(move |key| (set, key)));
    pairs
        .filter(|(set, key)| wanted(set, key))
        .map(|(set, key)| of_set(&set.name, describe(key)))
        .collect()
}

/// A second key of one name is another matter.
fn is_odd(key: &Key) -> bool {
    key.problem
        .as_deref()
        .is_some_and(|problem| !problem.contains("same kid"))
}

fn is_broken(key: &Key) -> bool {
    let harmless = [
        "same kid",
        "for encryption",
        "private part",
        "bits;",
        "bytes;",
    ];
    let problem = key.problem.as_deref();
    problem.is_some_and(|problem| !harmless.iter().any(|known| problem.contains(known)))
}

fn describe(key: &Key) -> String {
    let kid = key.kid.as_deref().unwrap_or("without kid");
    format!(
        "key {kid} ({}): {}",
        key.kty,
        key.problem.as_deref().unwrap_or_default()
    )
}

/// The part of an Amazon Cognito issuer that tells pools apart; of others, realms.
fn pool(issuer: &str) -> Option<String> {
    let url = url::Url::parse(issuer).ok()?;
    Some(url.path().trim_end_matches('/').to_owned())
}

pub(super) fn of_set(name: &str, says: impl Into<String>) -> Clue {
    Clue::new(says, Source::Keys(name.to_owned()))
}
