//! What keys, and tokens of other keys, say together with the answers.

use std::collections::BTreeSet;

use super::{authority, refusal, turned_away};
use crate::drift::{Holder, Nature, Subject, compare};
use crate::keys::{Key, KeySet, Kind};
use crate::logs::Pattern;
use crate::probe::Probe;
use crate::sign::token::{claims, presented};
use crate::sign::{Sign, accepted, client_answers, drift, of_token, refused, seen};
use crate::token::{Role, Shape, Signature, SignatureCheck, Token};
use crate::{Clue, Evidence, Source};

/// The issuer publishes the key of the token's kid, and it verifies the token.
pub(in super::super) static PUBLISHED_KEY_VERIFIES: Sign = Sign {
    name: "published-key-verifies",
    means: "the issuer publishes the key that the token names, and it verifies the token",
    find: |evidence| {
        let named = checks(evidence).filter(|check| is_published(&check.keys));
        let good =
            named.filter(|check| check.verdict == Signature::Good && is_named(evidence, check));
        good.map(|check| {
            of_set(
                &check.keys,
                "the published key of the token's kid verifies it",
            )
        })
        .collect()
    },
};

/// A token of an older key is accepted, the presented one of a newer key is not.
pub(in super::super) static OLDER_KEY_ACCEPTED: Sign = Sign {
    name: "older-key-accepted",
    means: "a token of the same issuer that was signed with an older key is accepted, the one of the newer key is not",
    find: |evidence| match rival(evidence, |own, other| kid_of(own) != kid_of(other)) {
        Some((probe, _, other)) => seen(
            older(presented(evidence), other),
            format!(
                "a token signed earlier with key `{}` is accepted, the one signed with key `{}` is not",
                kid_of(other).unwrap_or_default(),
                presented(evidence).and_then(kid_of).unwrap_or_default()
            ),
            probe,
        ),
        None => Vec::new(),
    },
};

/// Two tokens that name one key: the one that is accepted was signed with another key material.
pub(in super::super) static OLDER_MATERIAL_ACCEPTED: Sign = Sign {
    name: "older-material-accepted",
    means: "of two tokens with one kid only the one that the published key does not verify is accepted",
    find: |evidence| {
        let verified = |token: &Token| {
            let mut checks = token
                .signatures
                .iter()
                .filter(|check| is_published(&check.keys));
            checks.any(|check| check.verdict == Signature::Good)
        };
        let differ = |own: &Token, other: &Token| {
            kid_of(own) == kid_of(other)
                && verified(own)
                && !verified(other)
                && !other.signatures.is_empty()
        };
        match rival(evidence, differ) {
            Some((probe, ..)) => seen(
                true,
                "a token with the same kid, which the published key does not verify, is accepted",
                probe,
            ),
            None => Vec::new(),
        }
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
        let named =
            checks(evidence).filter(|check| is_published(&check.keys) && is_named(evidence, check));
        named
            .filter(|check| check.verdict == Signature::Bad)
            .map(|check| of_set(&check.keys, "its key of the token's kid does not verify it"))
            .collect()
    },
};

/// Another token of the same key and issuer is as the issuer signed it, and accepted.
pub(in super::super) static SAME_KEY_ACCEPTED: Sign = Sign {
    name: "same-key-accepted",
    means: "another token of the same kid, which the published key verifies, is accepted",
    find: |evidence| {
        let sound = |token: &Token| {
            let mut good = token
                .signatures
                .iter()
                .filter(|check| check.verdict == Signature::Good && is_published(&check.keys));
            good.any(|check| check.kid.as_deref() == kid_of(token))
        };
        let same = |own: &Token, other: &Token| kid_of(own) == kid_of(other) && sound(other);
        match rival(evidence, same) {
            Some((probe, ..)) => seen(
                true,
                "another token of the same kid is verified by the published key, and accepted",
                probe,
            ),
            None => Vec::new(),
        }
    },
};

/// One kid, two keys: in two sets, of which one verifies the token and one does not.
pub(in super::super) static ONE_KID_TWO_KEYS: Sign = Sign {
    name: "one-kid-two-keys",
    means: "two key sets have different keys under the token's kid, and only one of them verifies it",
    find: |evidence| {
        let named: Vec<_> = checks(evidence)
            .filter(|check| is_named(evidence, check))
            .collect();
        let good = named.iter().find(|check| check.verdict == Signature::Good);
        let bad = named.iter().find(|check| check.verdict == Signature::Bad);
        match (good, bad) {
            (Some(good), Some(bad)) if good.thumbprint != bad.thumbprint => vec![of_set(
                &bad.keys,
                &format!(
                    "its key of the token's kid does not verify the token, that of {} does",
                    good.keys
                ),
            )],
            _ => Vec::new(),
        }
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
                &format!("all of its {} keys can be used", set.keys.len()),
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
        let verifying = |set: &&KeySet| {
            let mut good = checks(evidence).filter(|check| check.verdict == Signature::Good);
            set.kind == Some(Kind::Jwks) && good.any(|check| check.keys == set.name)
        };
        let odd = |set: &KeySet| -> Vec<Clue> {
            let keys = set.keys.iter().filter(|key| is_odd(key));
            keys.map(|key| of_set(&set.name, &describe(key))).collect()
        };
        evidence
            .keys
            .iter()
            .filter(verifying)
            .flat_map(odd)
            .collect()
    },
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
                .any(|words| crate::sign::contains(&answer.body, words))
        });
        let broken = !(SET_HAS_BROKEN_KEY.find)(evidence).is_empty();
        seen(
            !waits && !broken,
            "no key that was seen is broken, and the verifier does not speak of a pause",
            Probe::Jwks,
        )
    },
};

/// Of the odd keys one is more than a key for encryption, which most verifiers leave out.
pub(in super::super) static SET_HAS_BROKEN_KEY: Sign = Sign {
    name: "set-has-broken-key",
    means: "the set holds a key that cannot be read as what it claims to be",
    find: |evidence| {
        let sets = evidence
            .keys
            .iter()
            .filter(|set| set.kind == Some(Kind::Jwks));
        let broken = |set: &KeySet| -> Vec<Clue> {
            let keys = set.keys.iter().filter(|key| is_broken(key));
            keys.map(|key| of_set(&set.name, &describe(key))).collect()
        };
        sets.flat_map(broken).collect()
    },
};

/// The published set was read, and has no key of the token's kid.
pub(in super::super) static KID_NOT_PUBLISHED: Sign = Sign {
    name: "kid-not-published",
    means: "the issuer that was asked does not publish the key that the token names",
    find: |evidence| {
        let Some(kid) = presented(evidence).and_then(kid_of) else {
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
                of_set(
                    &set.name,
                    &format!("no key `{kid}` among its {}", set.keys.len()),
                )
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
            other.then(|| {
                of_set(
                    &set.name,
                    &format!("it is the metadata of {issuer}, the token is of {iss}"),
                )
            })
        });
        let pools = drift::clues(&evidence.beliefs, |one| {
            let sides = || one.left.iter().chain(&one.right);
            matches!(one.about, Subject::Issuer | Subject::UserPool)
                && one.nature == Nature::Different
                && sides().any(|belief| belief.held_by == Holder::Token)
        });
        metadata.chain(pools).collect()
    },
};

/// The token is signed with a shared secret.
pub(in super::super) static SHARED_SECRET: Sign = Sign {
    name: "shared-secret",
    means: "the token is signed with a shared secret",
    find: |evidence| match alg(evidence) {
        Some(alg) if alg.starts_with("HS") => of_token(format!("alg is {alg}"), None),
        _ => Vec::new(),
    },
};

/// The token is signed with a private key.
pub(in super::super) static KEY_PAIR: Sign = Sign {
    name: "key-pair",
    means: "the token is signed with a private key",
    find: |evidence| match alg(evidence) {
        Some(alg)
            if ["RS", "PS", "ES", "Ed"]
                .iter()
                .any(|family| alg.starts_with(family)) =>
        {
            of_token(format!("alg is {alg}"), None)
        }
        _ => Vec::new(),
    },
};

/// A secret of the verifier's side was given, and no form of it verifies the token.
pub(in super::super) static SECRET_FAILS: Sign = Sign {
    name: "secret-fails",
    means: "a shared secret that was given does not verify the token in any form",
    find: |evidence| {
        let whole = presented(evidence).is_some_and(is_whole);
        let secret = |check: &&SignatureCheck| {
            let of = evidence.keys.iter().find(|set| set.name == check.keys);
            of.is_some_and(|set| set.kind == Some(Kind::Secret)) && check.verdict == Signature::Bad
        };
        let failing = checks(evidence).filter(secret).filter(|_| whole);
        failing
            .map(|check| of_set(&check.keys, "does not verify the token in any form"))
            .collect()
    },
};

/// One secret in two files: it verifies the token as it stands in one of them only.
pub(in super::super) static ONE_SECRET_TWO_FORMS: Sign = Sign {
    name: "one-secret-two-forms",
    means: "the same secret stands in two files, and verifies the token as it is only from one of them",
    find: |evidence| {
        let secrets: Vec<_> = checks(evidence)
            .filter(|check| check.form.is_some())
            .collect();
        let raw = |check: &&&SignatureCheck| {
            check.verdict == Signature::Good && check.form.as_deref() == Some("raw")
        };
        let good = secrets.iter().find(raw);
        let other = secrets.iter().find(|check| {
            !raw(check) && good.is_some_and(|good| good.thumbprint == check.thumbprint)
        });
        let further = || {
            secrets
                .iter()
                .find(|check| !raw(check) && check.verdict == Signature::Good)
        };
        match (good, other.or_else(further)) {
            (Some(good), Some(other)) => vec![of_set(
                &other.keys,
                &format!("it is the secret of {}, in another form", good.keys),
            )],
            _ => Vec::new(),
        }
    },
};

/// The secret that was given is the right one, and the token is refused as if it were forged.
pub(in super::super) static RIGHT_SECRET_REFUSED: Sign = Sign {
    name: "right-secret-refused",
    means: "a shared secret that was given verifies the token, and the verifier finds it forged",
    find: |evidence| {
        let good =
            checks(evidence).find(|check| check.verdict == Signature::Good && check.form.is_some());
        let bad = checks(evidence).any(|check| check.verdict == Signature::Bad);
        let forged = !(crate::sign::probes::FAILS_AS_FORGED.find)(evidence).is_empty();
        let sound = !(IN_ORDER.find)(evidence).is_empty();
        let clue = good.filter(|_| forged && sound && !bad);
        clue.map(|check| {
            of_set(
                &check.keys,
                "verifies the token, which is refused like a forged one",
            )
        })
        .into_iter()
        .collect()
    },
};

/// One secret of one side, another of the other, as files say.
pub(in super::super) static SECRETS_UNLIKE: Sign = Sign {
    name: "secrets-unlike",
    means: "issuer and verifier are configured with secrets that have nothing in common",
    find: |evidence| {
        drift::clues(&evidence.beliefs, |one| {
            one.about == Subject::Secret && one.nature == Nature::Different
        })
    },
};

/// The verifier's configuration does not allow the algorithm of the token.
pub(in super::super) static ALGORITHM_NOT_ALLOWED: Sign = Sign {
    name: "algorithm-not-allowed",
    means: "the verifier's configuration does not list the algorithm of the token",
    find: |evidence| {
        drift::clues(&evidence.beliefs, |one| {
            let sides = || one.left.iter().chain(&one.right);
            one.about == Subject::Algorithm && sides().any(|belief| belief.held_by == Holder::Token)
        })
    },
};

/// The keys that were given are of another kind than the token's algorithm, all of them.
pub(in super::super) static KEYS_OF_OTHER_KIND: Sign = Sign {
    name: "keys-of-other-kind",
    means: "none of the keys that were given is for the token's algorithm",
    find: |evidence| {
        let all: Vec<_> = checks(evidence).collect();
        let other = all
            .iter()
            .all(|check| check.verdict == Signature::OtherAlgorithm);
        let first = all.first().filter(|_| other);
        let alg = alg(evidence).unwrap_or("none");
        first
            .map(|check| of_set(&check.keys, &format!("its keys are not for {alg}")))
            .into_iter()
            .collect()
    },
};

/// A token of another algorithm is accepted.
pub(in super::super) static OTHER_ALGORITHM_ACCEPTED: Sign = Sign {
    name: "other-algorithm-accepted",
    means: "a token of the same issuer with another algorithm is accepted",
    find: |evidence| {
        let Some((probe, token)) =
            accepted_rivals(evidence).find(|(_, token)| alg_of(token) != alg(evidence))
        else {
            return Vec::new();
        };
        let says = format!(
            "a token signed with {} is accepted, the one signed with {} is not",
            alg_of(token).unwrap_or("nothing"),
            alg(evidence).unwrap_or("nothing")
        );
        seen(is_of_same_issuer(presented(evidence), token), says, probe)
    },
};

/// Requests with the token take seconds longer than those without.
pub(in super::super) static SLOW_WITH_TOKEN: Sign = Sign {
    name: "slow-with-token",
    means: "the answer takes seconds with a token and none without: the verifier waits for something",
    find: |evidence| {
        let took = |wanted: Probe| {
            let exchange = evidence
                .exchanges
                .iter()
                .find(|exchange| exchange.probe == wanted)?;
            Some(exchange.took_ms)
        };
        match (took(Probe::Client), took(Probe::Bare)) {
            (Some(client), Some(bare)) => seen(
                client >= bare.saturating_add(SLOW_MS),
                format!("{client} ms with the token, {bare} ms without"),
                Probe::Client,
            ),
            _ => Vec::new(),
        }
    },
};

/// Milliseconds that no verification takes by itself.
const SLOW_MS: u64 = 900;

/// The issuer's keys could not be fetched from here either.
pub(in super::super) static KEYS_UNREACHABLE: Sign = Sign {
    name: "keys-unreachable",
    means: "the issuer does not answer for its keys from here either",
    find: |evidence| {
        let asked = evidence
            .exchanges
            .iter()
            .filter(|exchange| matches!(exchange.probe, Probe::Jwks | Probe::Discovery));
        let bad = asked.filter_map(|exchange| match &exchange.result {
            Ok(answer) if answer.status >= 500 => Some((exchange.probe, answer.status.to_string())),
            Ok(_) => None,
            Err(failure) => Some((exchange.probe, failure.to_string())),
        });
        bad.flat_map(|(probe, says)| seen(true, says, probe))
            .collect()
    },
};

/// Many refusals of unknown keys in the logs.
pub(in super::super) static MANY_UNKNOWN_KIDS: Sign = Sign {
    name: "many-unknown-kids",
    means: "the logs are full of tokens with different keys that nobody knows",
    find: |evidence| {
        let findings = evidence.logs.findings.iter().filter(|finding| {
            finding.pattern == Pattern::Text
                && finding
                    .figures
                    .get("text")
                    .is_some_and(|text| text == "unknown-kids")
                && finding.count >= FLOOD
        });
        findings
            .map(|finding| Clue {
                says: format!("{} different key ids that nobody knows", finding.count),
                source: finding.source.clone(),
                at: None,
            })
            .collect()
    },
};

/// Different ids from which they are hardly those of a rotation.
const FLOOD: u64 = 8;

/// The answer to the client's request flips, and only some of the answers are about the signature.
pub(in super::super) static FLIPS_AS_FORGED: Sign = Sign {
    name: "flips-as-forged",
    means: "one token is accepted by some and refused by others as if it were forged",
    find: |evidence| {
        let yes = client_answers(evidence).any(|(_, answer)| accepted(answer));
        let altered = evidence.answer(Probe::Altered);
        let forged = client_answers(evidence).find(|(_, answer)| {
            refused(answer) && altered.is_some_and(|altered| crate::compare::same(answer, altered))
        });
        match forged {
            Some((exchange, answer)) => seen(
                yes,
                format!(
                    "{} as for an altered signature, and accepted at another time",
                    answer.status
                ),
                exchange.probe,
            ),
            None => Vec::new(),
        }
    },
};

/// The token is whole, and neither expired nor early by anybody's clock.
pub(in super::super) static IN_ORDER: Sign = Sign {
    name: "token-in-order",
    means: "the token is whole and in time, and no place that was read asks for another issuer, audience or client",
    find: |evidence| {
        let Some((token, claims)) = presented(evidence).zip(claims(evidence)) else {
            return Vec::new();
        };
        let mut times = evidence
            .exchanges
            .iter()
            .filter(|exchange| exchange.probe == Probe::Client)
            .map(|exchange| exchange.at);
        let at = times.next().unwrap_or(evidence.now);
        let begin = claims.nbf.max(claims.iat);
        let in_time =
            claims.exp.is_some_and(|exp| exp > at) && begin.is_none_or(|begin| begin <= at);
        let contradicted = compare(&evidence.beliefs).iter().any(|one| {
            one.left
                .iter()
                .chain(&one.right)
                .any(|belief| belief.held_by == Holder::Token)
        });
        if in_time && is_whole(token) && claims.mistyped.is_empty() && !contradicted {
            of_token(
                "whole, in time, and nothing that was read contradicts its claims",
                claims.exp,
            )
        } else {
            Vec::new()
        }
    },
};

/// The client's request is refused each time.
pub(in super::super) static TURNED_AWAY: Sign = Sign {
    name: "turned-away",
    means: "the client's own request is refused",
    find: |evidence| match turned_away(evidence) {
        Some((probe, answer)) => seen(
            true,
            format!("{} for the client's request", answer.status),
            probe,
        ),
        None => Vec::new(),
    },
};

/// The client's request is refused or unanswered, or, where it was not sent, refusals are in the logs.
pub(in super::super) static SOME_TURNED_AWAY: Sign = Sign {
    name: "some-turned-away",
    means: "the client's own request fails, or somebody's in the logs",
    find: |evidence| match evidence.answer(Probe::Client) {
        Some(answer) if !accepted(answer) => seen(
            true,
            format!("{} for the client's request", answer.status),
            Probe::Client,
        ),
        Some(_) => Vec::new(),
        None => evidence
            .logs
            .findings
            .iter()
            .filter(|finding| {
                let text = finding.figures.get("text");
                finding.pattern == Pattern::Refusals
                    || text.is_some_and(|text| text.starts_with("log-says-"))
            })
            .take(1)
            .map(|finding| Clue {
                says: finding.says.clone(),
                source: finding.source.clone(),
                at: None,
            })
            .collect(),
    },
};

/// Each answer to the client's request is a refusal.
pub(in super::super) static ALWAYS_REFUSED: Sign = Sign {
    name: "always-refused",
    means: "the client's own request is refused each time",
    find: |evidence| {
        let all = client_answers(evidence).all(|(_, answer)| refused(answer));
        match refusal(evidence).filter(|answer| all && refused(answer)) {
            Some(answer) => seen(true, format!("{} each time", answer.status), Probe::Client),
            None => Vec::new(),
        }
    },
};

pub(super) fn checks(evidence: &Evidence) -> impl Iterator<Item = &SignatureCheck> {
    presented(evidence)
        .into_iter()
        .flat_map(|token| &token.signatures)
}

/// Sets that the issuer itself answered with are named by their URL.
fn is_published(set: &str) -> bool {
    set.starts_with("http://") || set.starts_with("https://")
}

fn published(evidence: &Evidence) -> impl Iterator<Item = &KeySet> {
    let jwks = |set: &&KeySet| set.kind == Some(Kind::Jwks) && is_published(&set.name);
    evidence.keys.iter().filter(jwks)
}

fn is_named(evidence: &Evidence, check: &SignatureCheck) -> bool {
    let kid = presented(evidence).and_then(kid_of);
    kid.is_some() && check.kid.as_deref() == kid
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

fn is_whole(token: &Token) -> bool {
    token.shape == Shape::Jws && token.blemishes.is_empty()
}

fn alg(evidence: &Evidence) -> Option<&str> {
    presented(evidence).and_then(alg_of)
}

fn alg_of(token: &Token) -> Option<&str> {
    token.header.as_ref()?.alg.as_deref()
}

fn kid_of(token: &Token) -> Option<&str> {
    token.header.as_ref()?.kid.as_deref()
}

/// The part of an Amazon Cognito issuer that tells pools apart; of others, realms.
fn pool(issuer: &str) -> Option<String> {
    let url = url::Url::parse(issuer).ok()?;
    Some(url.path().trim_end_matches('/').to_owned())
}

/// Old and other tokens that are accepted while the presented one is refused.
fn accepted_rivals(evidence: &Evidence) -> impl Iterator<Item = (Probe, &Token)> {
    let refused = refusal(evidence).is_some_and(refused);
    let pairs = [(Probe::Old, Role::Old), (Probe::OtherToken, Role::Other)];
    pairs.into_iter().filter_map(move |(probe, role)| {
        let won = refused && evidence.answer(probe).is_some_and(accepted);
        let token = evidence.tokens.iter().find(|token| token.role == role)?;
        won.then_some((probe, token))
    })
}

/// One of them that differs from the presented one in this way only, as far as its claims say.
fn rival(
    evidence: &Evidence,
    differ: impl Fn(&Token, &Token) -> bool,
) -> Option<(Probe, &Token, &Token)> {
    let own = presented(evidence)?;
    let alike = |other: &Token| {
        let party = |token: &Token| {
            let claims = token.claims.as_ref()?;
            Some((
                claims.aud.clone(),
                claims.client_id.clone(),
                claims.azp.clone(),
                claims.token_use.clone(),
            ))
        };
        is_of_same_issuer(Some(own), other)
            && alg_of(own) == alg_of(other)
            && party(own) == party(other)
    };
    accepted_rivals(evidence)
        .find(|(_, other)| alike(other) && differ(own, other))
        .map(|(probe, other)| (probe, own, other))
}

fn is_of_same_issuer(own: Option<&Token>, other: &Token) -> bool {
    let iss = |token: &Token| token.claims.as_ref().and_then(|claims| claims.iss.clone());
    own.is_some_and(|own| iss(own) == iss(other))
}

/// Whether the other was issued before.
fn older(own: Option<&Token>, other: &Token) -> bool {
    let iat = |token: &Token| token.claims.as_ref().and_then(|claims| claims.iat);
    own.and_then(iat)
        .zip(iat(other))
        .is_some_and(|(own, other)| other <= own)
}

fn of_set(name: &str, says: &str) -> Clue {
    Clue {
        says: says.to_owned(),
        source: Source::Keys(name.to_owned()),
        at: None,
    }
}

/// Names of the sets that verify the token.
pub(super) fn verifying(evidence: &Evidence) -> BTreeSet<&str> {
    let good = checks(evidence).filter(|check| check.verdict == Signature::Good);
    good.map(|check| check.keys.as_str()).collect()
}
