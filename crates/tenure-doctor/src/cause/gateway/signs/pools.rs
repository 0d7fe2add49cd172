//! Which user pool the gateway trusts, which one the token is of, and which one was meant.

use crate::drift::{self, Belief, Disagreement, Holder, Subject};
use crate::layer;
use crate::probe::Probe;
use crate::sign::drift::clues;
use crate::sign::token::{IN_TIME, accepted_rivals, claims, presented};
use crate::sign::{Sign, found, keys};
use crate::token::Token;
use crate::{Clue, Evidence};

/// The template takes the pool from a parameter without naming its version.
pub(in super::super) static POOL_BY_PARAMETER: Sign = Sign {
    name: "gateway-pool-by-parameter",
    means: "the template takes the pool from the parameter store, which is read only when the resource changes",
    find: |evidence| {
        let says = |belief: &Belief| format!("`{}` is {}", belief.name, belief.value);
        let found =
            references(evidence).map(|belief| Clue::new(says(belief), belief.source.clone()));
        found.collect()
    },
};

/// The parameter that the template names holds the token's pool by now.
pub(in super::super) static PARAMETER_IS_TOKENS: Sign = Sign {
    name: "gateway-parameter-is-of-token",
    means: "the parameter that the template names holds the pool that the token is of",
    find: |evidence| {
        let Some(pool) = tokens_pool(evidence) else {
            return Vec::new();
        };
        let names: Vec<_> = references(evidence)
            .filter_map(|belief| parameter(&belief.value))
            .collect();
        let stored = evidence
            .beliefs
            .iter()
            .filter(|belief| belief.held_by == Holder::Parameters);
        stored
            .filter(|belief| names.contains(&belief.name) && belief.value.contains(&pool))
            .map(|belief| {
                let name = &belief.name;
                let says = format!("`{name}` holds {pool}, the pool that the token is of");
                Clue::new(says, belief.source.clone())
            })
            .collect()
    },
};

/// The deployed authorizer trusts another pool than the token's, which is the one that is meant.
pub(in super::super) static DEPLOYED_IS_STALE: Sign = Sign {
    name: "gateway-deployed-pool-stale",
    means: "the deployed authorizer trusts another pool than the token's, though template or parameters name the token's",
    find: |evidence| {
        pools(evidence, |one| {
            is_tokens(&one.left) && is_meant(&one.left) && is_deployed(&one.right)
        })
    },
};

/// The same, where no request could be sent.
pub(in super::super) static STALE_UNPROBED: Sign = Sign {
    name: "gateway-deployed-pool-stale-unprobed",
    means: "no request was sent; the deployed authorizer trusts another pool than the token's, which is the one that is meant",
    find: |evidence| {
        let deployed = |belief: &&Belief| {
            belief.held_by == Holder::Deployed
                && matches!(belief.about, Subject::UserPool | Subject::Issuer)
        };
        let pool = tokens_pool(evidence);
        let mut all = evidence.beliefs.iter().filter(deployed);
        let none = all.all(|it| pool.as_ref().is_some_and(|pool| !it.value.contains(pool)));
        if none && evidence.exchanges.is_empty() {
            (DEPLOYED_IS_STALE.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The deployed authorizer trusts another pool than the token's, and so do template and parameters.
pub(in super::super) static TOKEN_OF_OTHER_POOL: Sign = Sign {
    name: "gateway-token-of-other-pool",
    means: "the token is of another pool than the one that the gateway is meant to trust",
    find: |evidence| {
        let stored = |name: String| {
            let mut beliefs = evidence.beliefs.iter();
            beliefs.any(|belief| belief.held_by == Holder::Parameters && belief.name == name)
        };
        let open = references(evidence).any(|belief| !parameter(&belief.value).is_some_and(stored));
        if open || DEPLOYED_IS_STALE.holds(evidence) {
            return Vec::new();
        }
        pools(evidence, |one| {
            is_tokens(&one.left)
                && !is_meant(&one.left)
                && !is_deployed(&one.left)
                && is_deployed(&one.right)
        })
    },
};

/// Template, parameters or authorizer name another pool than the token.
pub(in super::super) static POOL_DIFFERS: Sign = Sign {
    name: "gateway-pool-differs",
    means: "the token is of another pool than the gateway's side names",
    find: |evidence| {
        pools(evidence, |one| {
            is_tokens(&one.left) && (is_meant(&one.right) || is_deployed(&one.right))
        })
    },
};

/// A token of another pool is accepted where the client's is refused.
pub(in super::super) static OTHER_POOL_ACCEPTED: Sign = Sign {
    name: "gateway-other-pool-accepted",
    means: "a token of another pool is accepted where the client's is refused",
    find: |evidence| {
        let issuer = presented(evidence).and_then(Token::iss);
        found(accepted_rivals(evidence).find_map(|(probe, other)| {
            let other = other.iss()?;
            (issuer? != other).then(|| (probe, format!("accepted: a token of {other}")))
        }))
    },
};

/// The side that is meant (template, parameters, or the authorizer as it is written down) names the token's pool.
pub(in super::super) static MEANT_IS_TOKENS: Sign = Sign {
    name: "gateway-meant-pool-is-of-token",
    means: "parameters, template or the authorizer's present settings name the pool that the token is of",
    find: |evidence| {
        let Some(pool) = tokens_pool(evidence) else {
            return Vec::new();
        };
        let meant = |belief: &&Belief| {
            matches!(
                belief.held_by,
                Holder::Parameters | Holder::Template | Holder::Deployed
            ) && matches!(belief.about, Subject::UserPool | Subject::Issuer)
        };
        evidence
            .beliefs
            .iter()
            .filter(meant)
            .filter(|belief| belief.value.contains(&pool))
            .map(|belief| {
                let name = &belief.name;
                let says = format!("`{name}` names {pool}, the pool that the token is of");
                Clue::new(says, belief.source.clone())
            })
            .collect()
    },
};

/// Nothing is wrong with the token itself, and nothing stands between that might take it away.
pub(in super::super) static GOOD_ID_TOKEN: Sign = Sign {
    name: "gateway-good-id-token",
    means: "the token is an ID token in time, whole, sent as it should be and straight to the gateway",
    find: |evidence| {
        let whole = presented(evidence).is_some_and(|token| token.blemishes.is_empty());
        let id = claims(evidence).is_some_and(|claims| claims.token_use.as_deref() == Some("id"));
        let forged = keys::NO_KEY_VERIFIES.holds(evidence);
        let sent = evidence
            .exchange(Probe::Client)
            .is_some_and(|exchange| exchange.request.header("authorization").is_some());
        let straight = evidence.answer(Probe::Client).is_some_and(|answer| {
            layer::passed(answer)
                .iter()
                .all(|product| product.starts_with("Amazon API Gateway"))
        });
        if whole && id && !forged && sent && straight {
            (IN_TIME.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The stage runs an older deployment than the newest.
pub(in super::super) static STAGE_BEHIND: Sign = Sign {
    name: "gateway-stage-behind",
    means: "the stage runs an older deployment than the newest",
    find: |evidence| clues(&evidence.beliefs, |one| one.about == Subject::Deployment),
};

/// What the template says of the pool through the parameter store, without a version.
fn references(evidence: &Evidence) -> impl Iterator<Item = &Belief> {
    evidence.beliefs.iter().filter(|belief| {
        let note = belief.note.as_deref();
        belief.held_by == Holder::Template
            && matches!(belief.about, Subject::UserPool | Subject::Issuer)
            && note.is_some_and(|note| note.starts_with("not pinned"))
    })
}

/// The name in `{{resolve:ssm:NAME}}`.
fn parameter(value: &str) -> Option<String> {
    let (_, rest) = value.split_once("{{resolve:")?;
    let (reference, _) = rest.split_once("}}")?;
    reference.split(':').nth(1).map(str::to_owned)
}

/// The last part of the token's issuer, as Amazon Cognito names its pools.
fn tokens_pool(evidence: &Evidence) -> Option<String> {
    let issuer = claims(evidence)?.iss.clone()?;
    let pool = issuer.trim_end_matches('/').rsplit('/').next()?;
    pool.contains('_').then(|| pool.to_owned())
}

fn pools(evidence: &Evidence, wanted: impl Fn(&Disagreement) -> bool) -> Vec<Clue> {
    clues(&evidence.beliefs, |one| {
        matches!(one.about, Subject::UserPool | Subject::Issuer)
            && one.nature == drift::Nature::Different
            && wanted(one)
    })
}

fn held(side: &[Belief], by: &[Holder]) -> bool {
    side.iter().any(|belief| by.contains(&belief.held_by))
}

fn is_tokens(side: &[Belief]) -> bool {
    held(side, &[Holder::Token])
}

fn is_meant(side: &[Belief]) -> bool {
    held(side, &[Holder::Parameters, Holder::Template])
}

fn is_deployed(side: &[Belief]) -> bool {
    held(side, &[Holder::Deployed])
}
