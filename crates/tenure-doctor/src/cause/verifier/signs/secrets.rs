//! Shared secrets and algorithms.

use super::published::of_set;
use super::refusals::{IN_ORDER, is_whole};
use crate::drift::{Belief, Holder, Nature, Subject, source, value};
use crate::sign::keys::{checks, is_secret};
use crate::sign::token::presented;
use crate::sign::{Sign, drift, of_token, probes};
use crate::token::{Signature, SignatureCheck};
use crate::{Clue, Evidence};

/// The token is signed with a shared secret.
pub(in super::super) static SHARED_SECRET: Sign = Sign {
    name: "shared-secret",
    means: "the token is signed with a shared secret",
    find: |evidence| of_family(evidence, &["HS"]),
};

/// The token is signed with a private key.
pub(in super::super) static KEY_PAIR: Sign = Sign {
    name: "key-pair",
    means: "the token is signed with a private key",
    find: |evidence| of_family(evidence, &["RS", "PS", "ES", "Ed"]),
};

/// A secret of the verifier's side was given, and no form of it verifies the token.
pub(in super::super) static SECRET_FAILS: Sign = Sign {
    name: "secret-fails",
    means: "a shared secret that was given does not verify the token in any form",
    find: |evidence| {
        if !presented(evidence).is_some_and(is_whole) {
            return Vec::new();
        }
        let failing = checks(evidence)
            .filter(|check| is_secret(evidence, check) && check.verdict == Signature::Bad);
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
                format!("it is the secret of {}, in another form", good.keys),
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
        let refused = probes::FAILS_AS_FORGED.holds(evidence) && IN_ORDER.holds(evidence);
        let says = "verifies the token, which is refused like a forged one";
        good.filter(|_| refused && !bad)
            .map(|check| of_set(&check.keys, says))
            .into_iter()
            .collect()
    },
};

/// A setting has the verifier decode the secret as whose text the token is signed.
pub(in super::super) static DECODED_BY_SETTING: Sign = Sign {
    name: "decoded-by-setting",
    means: "the token is signed with the secret as it stands, and a setting has the verifier decode it from base64",
    find: |evidence| {
        let told = evidence
            .beliefs
            .iter()
            .find(|belief| belief.name == value::IS_BASE64);
        let raw = checks(evidence)
            .find(|check| check.verdict == Signature::Good && check.form.as_deref() == Some("raw"));
        let Some((told, raw)) = told.zip(raw) else {
            return Vec::new();
        };
        let mut configured = evidence.beliefs.iter();
        let same = configured
            .any(|one| one.about == Subject::Secret && one.value.ends_with(&raw.thumbprint));
        let says = format!(
            "the secret of {} is to be decoded, and verifies the token as it stands",
            raw.keys
        );
        let clue = same.then(|| Clue::new(says, told.source.clone()));
        clue.into_iter().collect()
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

/// A program or script gives a key or secret something random.
pub(in super::super) static MADE_UP_BY_PROGRAM: Sign = Sign {
    name: "made-up-by-program",
    means: "a program or start script makes up the key or secret",
    find: |evidence| {
        let made_up = |belief: &&Belief| belief.name == source::MADE_UP;
        let beliefs = evidence.beliefs.iter().filter(made_up);
        beliefs
            .map(|belief| {
                let says = format!("a key is made up with `{}`", belief.value);
                Clue::new(says, belief.source.clone())
            })
            .collect()
    },
};

/// The verifier's configuration does not allow the algorithm of the token.
pub(in super::super) static ALGORITHM_NOT_ALLOWED: Sign = Sign {
    name: "algorithm-not-allowed",
    means: "the verifier's configuration does not list the algorithm of the token",
    find: |evidence| {
        drift::clues(&evidence.beliefs, |one| {
            one.about == Subject::Algorithm && one.involves(Holder::Token)
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
            .map(|check| of_set(&check.keys, format!("its keys are not for {alg}")))
            .into_iter()
            .collect()
    },
};

fn alg(evidence: &Evidence) -> Option<&str> {
    presented(evidence)?.alg()
}

/// The token's algorithm, where its name begins in one of these ways.
fn of_family(evidence: &Evidence, families: &[&str]) -> Vec<Clue> {
    let alg = alg(evidence).filter(|alg| families.iter().any(|family| alg.starts_with(family)));
    alg.map_or_else(Vec::new, |alg| of_token(format!("alg is {alg}"), None))
}
