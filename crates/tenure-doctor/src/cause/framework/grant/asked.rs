//! Claims that files of the service ask for, beside what the token says.

use super::held;
use crate::drift::{Belief, Subject, required};
use crate::sign::Sign;
use crate::sign::token::claims;
use crate::token::Claims;
use crate::{Clue, Evidence};

/// A file looks for a value in one claim, and the token has it in another.
pub(in crate::cause::framework) static ASKED_ELSEWHERE: Sign = Sign {
    name: "asked-elsewhere",
    means: "the service's files look for a role in one claim, and the token carries it in another",
    find: |evidence| {
        judged(evidence, |claims, path, value| {
            let places = claims.roles.iter();
            let elsewhere = places
                .filter(|(_, roles)| roles.iter().any(|role| role == value))
                .map(|(place, _)| place.as_str());
            let in_scope = claims.scope.iter().any(|scope| scope == value);
            let place = elsewhere.chain(in_scope.then_some("scope")).next()?;
            Some(format!(
                "asked for: {value} in `{path}`; the token carries it in `{place}`"
            ))
        })
    },
};

/// A file looks for a value that the token carries nowhere.
pub(in crate::cause::framework) static ASKED_LACKING: Sign = Sign {
    name: "asked-lacking",
    means: "the service's files ask for a scope or role that the token does not carry",
    find: |evidence| {
        judged(evidence, |claims, path, value| {
            let lacks = !held(claims).contains(&value.to_ascii_lowercase());
            lacks.then(|| format!("asked for: {value} in `{path}`; the token carries it nowhere"))
        })
    },
};

fn judged(evidence: &Evidence, says: impl Fn(&Claims, &str, &str) -> Option<String>) -> Vec<Clue> {
    let Some(claims) = claims(evidence) else {
        return Vec::new();
    };
    let asks =
        |belief: &&Belief| belief.about == Subject::Setting && belief.name == required::CLAIM;
    let clue = |belief: &Belief| {
        let (path, value) = belief.value.split_once('=')?;
        if !is_grant(path) || has(claims, path, value) {
            return None;
        }
        Some(Clue::new(says(claims, path, value)?, belief.source.clone()))
    };
    evidence
        .beliefs
        .iter()
        .filter(asks)
        .filter_map(clue)
        .collect()
}

/// Whether a claim is about rights; others are judged as what they are.
fn is_grant(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [
        "role",
        "scope",
        "scp",
        "group",
        "permission",
        "authorit",
        "entitle",
        "privilege",
    ]
    .iter()
    .any(|part| path.contains(part))
}

fn has(claims: &Claims, path: &str, value: &str) -> bool {
    let is_value = |grant: &String| grant == value;
    let scopes = matches!(path, "scope" | "scp" | "scopes") && claims.scope.iter().any(is_value);
    scopes
        || claims
            .roles
            .get(path)
            .is_some_and(|roles| roles.iter().any(is_value))
}
