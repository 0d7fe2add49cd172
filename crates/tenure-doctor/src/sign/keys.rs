//! What the keys say of the token.

use super::token::{claims, presented};
use super::{Sign, of_token};
use crate::keys::Kind;
use crate::token::{Signature, SignatureCheck};
use crate::{Clue, Evidence, Source};

/// A key that was given verifies the token.
pub static VERIFIES: Sign = Sign {
    name: "signature-verifies",
    means: "a key that was given verifies the token's signature",
    find: |evidence| {
        checks(evidence)
            .filter(|check| check.verdict == Signature::Good)
            .map(|check| clue(check, "verifies the signature"))
            .collect()
    },
};

/// Keys that fit the algorithm were given, and none verifies it.
pub static NO_KEY_VERIFIES: Sign = Sign {
    name: "no-key-verifies",
    means: "none of the keys that were given verifies the token's signature",
    find: |evidence| none_good(checks(evidence), "does not verify the signature"),
};

/// The token's kid is in a key set, and the key of that name does not verify it.
pub static SAME_KID_OTHER_KEY: Sign = Sign {
    name: "same-kid-other-key",
    means: "the key set has a key of the token's kid, and it does not verify the token",
    find: |evidence| {
        none_good(
            named(evidence),
            "has the token's kid and does not verify it",
        )
    },
};

/// The token's kid is in none of the key sets.
pub static KID_UNKNOWN: Sign = Sign {
    name: "kid-unknown",
    means: "no key set that was given has the token's kid",
    find: |evidence| {
        let Some(kid) = kid(evidence) else {
            return Vec::new();
        };
        let sets: Vec<_> = evidence
            .keys
            .iter()
            .filter(|set| set.kind == Some(Kind::Jwks) && !set.keys.is_empty())
            .collect();
        let known = sets
            .iter()
            .flat_map(|set| &set.keys)
            .any(|key| key.kid.as_deref() == Some(kid));
        if known || sets.is_empty() {
            return Vec::new();
        }
        sets.iter()
            .map(|set| {
                let says = format!("no key `{kid}` among its {}", set.keys.len());
                Clue::new(says, Source::Keys(set.name.clone()))
            })
            .collect()
    },
};

/// The token's kid is in a key set, and that key verifies it.
pub static KID_KNOWN: Sign = Sign {
    name: "kid-known",
    means: "a key set has the token's kid, and that key verifies it",
    find: |evidence| {
        named(evidence)
            .filter(|check| check.verdict == Signature::Good)
            .map(|check| clue(check, "has the token's kid and verifies it"))
            .collect()
    },
};

/// Of several shared secrets one verifies the token and another does not.
pub static SECRETS_DISAGREE: Sign = Sign {
    name: "secrets-disagree",
    means: "one of the shared secrets verifies the token, another does not",
    find: |evidence| {
        let of = |verdict| {
            let mut names: Vec<_> = checks(evidence)
                .filter(|check| is_secret(evidence, check))
                .filter(|check| check.verdict == verdict)
                .map(|check| check.keys.as_str())
                .collect();
            names.dedup();
            names
        };
        let good = of(Signature::Good);
        let bad: Vec<_> = of(Signature::Bad)
            .into_iter()
            .filter(|name| !good.contains(name))
            .collect();
        if good.is_empty() || bad.is_empty() {
            return Vec::new();
        }
        let (good, bad) = (good.join(", "), bad.join(", "));
        let says = format!("{good} verifies the token, {bad} does not");
        vec![Clue::new(says, Source::Keys(bad))]
    },
};

/// A secret verifies the token only in another form than the one that stands there.
pub static OTHER_FORM: Sign = Sign {
    name: "secret-in-other-form",
    means: "the secret verifies the token only when it is decoded or trimmed first",
    find: |evidence| {
        let good = checks(evidence).filter(|check| check.verdict == Signature::Good);
        let forms: Vec<_> = good
            .filter_map(|check| Some((check, check.form.as_deref()?)))
            .collect();
        if forms.iter().any(|(_, form)| *form == "raw") {
            return Vec::new();
        }
        forms
            .into_iter()
            .map(|(check, form)| clue(check, &format!("verifies only in the form `{form}`")))
            .collect()
    },
};

/// A key set holds keys that common verifiers cannot use.
pub static UNUSABLE_KEYS: Sign = Sign {
    name: "unusable-keys",
    means: "the key set holds keys that common verifiers cannot use",
    find: |evidence| {
        let unusable = evidence.keys.iter().flat_map(|set| {
            set.keys.iter().filter_map(|key| {
                let problem = key.problem.as_ref()?;
                let kid = key.kid.as_deref().unwrap_or("without kid");
                let says = format!("key {kid} ({}): {problem}", key.kty);
                Some(Clue::new(says, Source::Keys(set.name.clone())))
            })
        });
        unusable.collect()
    },
};

/// The issuer's metadata names another issuer than the token.
pub static ISSUER_DIFFERS_FROM_DISCOVERY: Sign = Sign {
    name: "issuer-differs-from-discovery",
    means: "the token's issuer is not the one that the metadata names",
    find: |evidence| {
        let Some(iss) = claims(evidence).and_then(|claims| claims.iss.as_deref()) else {
            return Vec::new();
        };
        let other = evidence.keys.iter().filter_map(|set| {
            let issuer = set.issuer.as_deref().filter(|issuer| *issuer != iss)?;
            let says = format!("the metadata names {issuer}, the token {iss}");
            Some(Clue::new(says, Source::Keys(set.name.clone())))
        });
        other.collect()
    },
};

/// The token has no kid.
pub static NO_KID: Sign = Sign {
    name: "no-kid",
    means: "the token names no key",
    find: |evidence| match presented(evidence).and_then(|token| token.header.as_ref()) {
        Some(header) if header.kid.is_none() => of_token("the header has no `kid`", None),
        _ => Vec::new(),
    },
};

/// What each key that was tried says of the presented token.
pub(crate) fn checks(evidence: &Evidence) -> impl Iterator<Item = &SignatureCheck> {
    presented(evidence)
        .into_iter()
        .flat_map(|token| &token.signatures)
}

/// Whether the key is a shared secret.
pub(crate) fn is_secret(evidence: &Evidence, check: &SignatureCheck) -> bool {
    let set = evidence.keys.iter().find(|set| set.name == check.keys);
    set.is_some_and(|set| set.kind == Some(Kind::Secret))
}

/// Those of the keys that have the token's kid.
pub(crate) fn named(evidence: &Evidence) -> impl Iterator<Item = &SignatureCheck> {
    let kid = kid(evidence);
    checks(evidence).filter(move |check| kid.is_some() && check.kid.as_deref() == kid)
}

/// A clue from each of these that does not verify the token, where none of them does.
fn none_good<'e>(checks: impl Iterator<Item = &'e SignatureCheck>, says: &str) -> Vec<Clue> {
    let checks: Vec<_> = checks.collect();
    if checks.iter().any(|check| check.verdict == Signature::Good) {
        return Vec::new();
    }
    let bad = checks
        .iter()
        .filter(|check| check.verdict == Signature::Bad);
    bad.map(|check| clue(check, says)).collect()
}

fn kid(evidence: &Evidence) -> Option<&str> {
    presented(evidence)?.kid()
}

fn clue(check: &SignatureCheck, says: &str) -> Clue {
    let kid = check
        .kid
        .as_deref()
        .map(|kid| format!("key {kid} "))
        .unwrap_or_default();
    Clue::new(format!("{kid}{says}"), Source::Keys(check.keys.clone()))
}
