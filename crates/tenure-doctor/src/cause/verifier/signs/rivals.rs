//! Other tokens that are accepted while the presented one is refused.

use super::published::{is_published, of_set};
use crate::Evidence;
use crate::probe::Probe;
use crate::sign::token::{accepted_rivals, presented};
use crate::sign::{Sign, accepted, found, seen};
use crate::token::{Role, Signature, Token};

/// A token of an older key is accepted, the presented one of a newer key is not.
pub(in super::super) static OLDER_KEY_ACCEPTED: Sign = Sign {
    name: "older-key-accepted",
    means: "a token of the same issuer that was signed with an older key is accepted, the one of the newer key is not",
    find: |evidence| {
        let rival = rival(evidence, |own, other| own.kid() != other.kid());
        rival.map_or_else(Vec::new, |(probe, own, other)| {
            let kid = |token: &Token| token.kid().unwrap_or_default().to_owned();
            let (new, old) = (kid(own), kid(other));
            seen(
                is_older(other, own),
                format!("a token signed earlier with key `{old}` is accepted, the one signed with key `{new}` is not"),
                probe,
            )
        })
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
            own.kid() == other.kid()
                && verified(own)
                && !verified(other)
                && !other.signatures.is_empty()
        };
        let says =
            "a token with the same kid, which the published key does not verify, is accepted";
        found(rival(evidence, differ).map(|(probe, ..)| (probe, says.to_owned())))
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
            good.any(|check| check.kid.as_deref() == token.kid())
        };
        let same = |own: &Token, other: &Token| own.kid() == other.kid() && sound(other);
        let says = "another token of the same kid is verified by the published key, and accepted";
        found(rival(evidence, same).map(|(probe, ..)| (probe, says.to_owned())))
    },
};

/// Another token with the very signature of the presented one: no signature fits two contents.
pub(in super::super) static SIGNATURE_OF_ANOTHER: Sign = Sign {
    name: "signature-of-another",
    means: "the token has the signature of another token and other content: one of the two was edited",
    find: |evidence| {
        let Some(own) = presented(evidence) else {
            return Vec::new();
        };
        let others = [(Probe::Old, Role::Old), (Probe::OtherToken, Role::Other)];
        let twin = others.into_iter().find(|(probe, role)| {
            let accepts = evidence.answer(*probe).is_some_and(accepted);
            let refuses = evidence
                .answer(Probe::Client)
                .is_some_and(|own| !accepted(own));
            let twin = evidence.token(*role).is_some_and(|other| {
                own.ending.is_some()
                    && other.ending == own.ending
                    && other.fingerprint != own.fingerprint
            });
            accepts && refuses && twin
        });
        let says = "another token has the same signature and other content, and is accepted";
        found(twin.map(|(probe, _)| (probe, says.to_owned())))
    },
};

/// A key file of the verifier verifies the token that is accepted, and not the presented one.
pub(in super::super) static KEPT_KEY_IS_OLDER: Sign = Sign {
    name: "kept-key-is-older",
    means: "a key that was given verifies the older token, which is accepted, and not the presented one, which is refused",
    find: |evidence| {
        let good = |token: &Token, set: &str| {
            let mut checks = token.signatures.iter().filter(|check| check.keys == set);
            checks.any(|check| check.verdict == Signature::Good)
        };
        let rival = rival(evidence, |own, other| own.kid() != other.kid());
        let Some((_, own, other)) = rival.filter(|(_, own, other)| is_older(other, own)) else {
            return Vec::new();
        };
        let kept = evidence
            .keys
            .iter()
            .filter(|set| !is_published(&set.name))
            .filter(|set| good(other, &set.name) && !good(own, &set.name));
        kept.map(|set| {
            of_set(
                &set.name,
                "verifies the token that is accepted, and not this one",
            )
        })
        .collect()
    },
};

/// A token of another algorithm is accepted.
pub(in super::super) static OTHER_ALGORITHM_ACCEPTED: Sign = Sign {
    name: "other-algorithm-accepted",
    means: "a token of the same issuer with another algorithm is accepted",
    find: |evidence| {
        let Some(own) = presented(evidence) else {
            return Vec::new();
        };
        let rival = accepted_rivals(evidence).find(|(_, other)| other.alg() != own.alg());
        let Some((probe, other)) = rival else {
            return Vec::new();
        };
        let says = format!(
            "a token signed with {} is accepted, the one signed with {} is not",
            other.alg().unwrap_or("nothing"),
            own.alg().unwrap_or("nothing")
        );
        seen(own.iss() == other.iss(), says, probe)
    },
};

/// An accepted token that differs from the presented one in this way only, as far as its claims say.
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
        own.iss() == other.iss() && own.alg() == other.alg() && party(own) == party(other)
    };
    accepted_rivals(evidence)
        .find(|(_, other)| alike(other) && differ(own, other))
        .map(|(probe, other)| (probe, own, other))
}

/// Whether one was issued before the other, or at once.
fn is_older(one: &Token, other: &Token) -> bool {
    let iat = |token: &Token| token.claims.as_ref()?.iat;
    iat(one)
        .zip(iat(other))
        .is_some_and(|(one, other)| one <= other)
}
