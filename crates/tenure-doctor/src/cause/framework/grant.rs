//! Scopes and roles: what is asked for, and what tokens carry.

use std::collections::BTreeSet;

pub(super) mod asked;
mod words;

use self::words::{named_grants, wanted};
use crate::compare::same;
use crate::exchange::Answer;
use crate::logs::Browsed;
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::token::claims;
use crate::sign::{
    Sign, accepted, contains, first_of, logs, of_client, of_token, refused, together,
};
use crate::token::{Claims, Role};
use crate::{Clue, Evidence};

/// The refusal speaks of permissions.
pub(super) static PERMISSION_WORDS: Sign = Sign {
    name: "permission-words",
    means: "the refusal speaks of a permission, role or scope",
    find: |evidence| {
        let words = [
            "permission",
            "insufficient",
            "privilege",
            "scope",
            "role",
            "forbidden resource",
            "not allowed to",
            "not authorized to perform this",
            "not authorized to access this page",
            "action is unauthorized",
        ];
        of_client(evidence, |answer| {
            let word = words.iter().find(|word| contains(&answer.body, word))?;
            refused(answer).then(|| format!("{} with `{word}` in its body", answer.status))
        })
    },
};

/// In a client's record the same credentials are accepted for one call and refused for want of rights for another.
pub(super) static LACKING_BROWSED: Sign = Sign {
    name: "grant-lacking-browsed",
    means: "a call was refused with 403 for want of a right, and another accepted with the same credentials",
    find: |evidence| {
        let speaks = |answer: &Answer| {
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            let words = [
                "insufficient_scope",
                "permission",
                "privilege",
                "scope",
                "role",
            ];
            let mut words = words.iter();
            words.any(|word| contains(challenge, word) || contains(&answer.body, word))
        };
        let accepted_elsewhere = |one: &Browsed| {
            let held = one.request.header("authorization");
            let alike = |other: &&Browsed| {
                other.request.header("authorization") == held
                    && other.request.url != one.request.url
            };
            let mut others = evidence.logs.browsed.iter().filter(alike);
            held.is_some() && others.any(|it| it.answer.as_ref().is_some_and(accepted))
        };
        let refusals = evidence.logs.unrecovered().filter(|(one, answer)| {
            answer.status == 403 && speaks(answer) && accepted_elsewhere(one)
        });
        refusals
            .map(|(one, _)| {
                one.clue("403 for want of a right, beside calls accepted with the same credentials")
            })
            .collect()
    },
};

/// The client's request is accepted, or refused without a word of rights.
pub(super) static NOT_ABOUT_RIGHTS: Sign = Sign {
    name: "not-about-rights",
    means: "the client's answer does not speak of a permission, role or scope",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            let silent = !PERMISSION_WORDS.holds(evidence);
            silent.then(|| format!("{} without a word of rights", answer.status))
        })
    },
};

/// What the refusal asks for is nowhere in the token.
pub(super) static REQUIRED_IS_LACKING: Sign = Sign {
    name: "required-is-lacking",
    means: "the refusal names a scope or role that the token does not carry",
    find: |evidence| {
        compare(evidence, |wanted, held| {
            wanted.iter().any(|one| !held.contains(one))
        })
    },
};

/// All that the refusal asks for is in the token.
pub(super) static REQUIRED_IS_HELD: Sign = Sign {
    name: "required-is-held",
    means: "the refusal names a scope or role that the token does carry, in a claim that nobody reads",
    find: |evidence| {
        compare(evidence, |wanted, held| {
            wanted.iter().all(|one| held.contains(one))
        })
    },
};

fn compare(evidence: &Evidence, holds: fn(&[String], &BTreeSet<String>) -> bool) -> Vec<Clue> {
    together(evidence, [Probe::Client], |[answer]| {
        let wanted = wanted(answer);
        let held = held(claims(evidence)?);
        let holds = refused(answer) && !wanted.is_empty() && holds(&wanted, &held);
        let carried = if held.is_empty() {
            "nothing".to_owned()
        } else {
            joined(&held)
        };
        let wanted = wanted.join(", ");
        holds.then(|| format!("asked for: {wanted}; the token carries: {carried}"))
    })
}

/// The token carries neither scopes nor roles.
pub(super) static GRANTS_NOTHING: Sign = Sign {
    name: "grants-nothing",
    means: "the token carries neither scopes nor roles",
    find: |evidence| match claims(evidence) {
        Some(claims) if held(claims).is_empty() => of_token("no scope, role or group", None),
        _ => Vec::new(),
    },
};

/// Roles stand where frameworks do not look unless told to.
pub(super) static ROLES_ELSEWHERE: Sign = Sign {
    name: "roles-elsewhere",
    means: "roles stand in a claim that frameworks do not read unless told to",
    find: |evidence| {
        let odd = odd_claims(evidence);
        if odd.is_empty() || !evidence.answer(Probe::Client).is_some_and(refused) {
            Vec::new()
        } else {
            of_token(format!("roles in {}", odd.join(", ")), None)
        }
    },
};

/// Spring speaks of privileges, and reads scopes only unless told otherwise.
pub(super) static SPRING_READS_SCOPES: Sign = Sign {
    name: "spring-reads-scopes",
    means: "Spring asks for a privilege, which it looks for among scopes, and the token has its roles elsewhere",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            let challenge = answer.header("www-authenticate");
            let odd = odd_claims(evidence);
            let holds = mentions(challenge, "requires higher privileges") && !odd.is_empty();
            let odd = odd.join(", ");
            holds.then(|| format!("`requires higher privileges`, and roles in {odd}"))
        })
    },
};

/// Paths of claims with roles that no framework reads by itself; roles that Keycloak gives to everybody left out.
fn odd_claims(evidence: &Evidence) -> Vec<&str> {
    let usual = ["role", "roles", "scope", "scp", "scopes", "permissions"];
    let everybodys = |role: &String| {
        role.starts_with("default-roles-")
            || role == "offline_access"
            || role == "uma_authorization"
    };
    let Some(claims) = claims(evidence) else {
        return Vec::new();
    };
    let odd = claims.roles.iter().filter(|(path, roles)| {
        !usual.contains(&path.as_str()) && roles.iter().any(|role| !everybodys(role))
    });
    odd.map(|(path, _)| path.as_str()).collect()
}

/// Somebody with more rights is refused too.
pub(super) static MORE_ROLES_REFUSED: Sign = Sign {
    name: "more-roles-refused",
    means: "somebody whose token carries more roles is refused in the same words",
    find: |evidence| {
        let probes = [Probe::Client, Probe::OtherToken];
        together(evidence, probes, |[own, answer]| {
            let (this, other) = both(evidence)?;
            let gained = gained(this, other).len();
            let holds = own.status == 403 && same(own, answer) && gained > 0;
            holds.then(|| format!("a token with {gained} more roles or scopes is refused alike"))
        })
    },
};

/// Another person's token of the same kind carries more, and is accepted.
pub(super) static OTHER_CARRIES_MORE: Sign = Sign {
    name: "other-carries-more",
    means: "the token of somebody who has more scopes or roles is accepted, all else being equal",
    find: |evidence| more(evidence, false),
};

/// Rights that stand in no token: somebody else is let in with one that carries as little.
pub(super) static OTHER_PERSON_MAY: Sign = Sign {
    name: "other-person-may",
    means: "somebody else's token is accepted that carries no other scopes or roles: the service knows who may",
    find: |evidence| {
        let probes = [Probe::Client, Probe::OtherToken];
        together(evidence, probes, |[own, answer]| {
            let (this, other) = both(evidence)?;
            let else_ones = match (&this.sub, &other.sub) {
                (Some(this), Some(other)) => this != other,
                // A newer token of the same person is younger.
                (None, None) => other.iat.is_some() && other.iat <= this.iat,
                _ => false,
            };
            let alike = held(this) == held(other);
            let holds = refused(own) && accepted(answer) && else_ones && alike;
            holds.then(|| {
                format!(
                    "somebody else's token, alike in rights, is accepted ({})",
                    answer.status
                )
            })
        })
    },
};

/// A newer token of the same person carries more, and is accepted.
pub(super) static NEWER_CARRIES_MORE: Sign = Sign {
    name: "newer-carries-more",
    means: "a newer token of the same person carries more and is accepted",
    find: |evidence| more(evidence, true),
};

fn more(evidence: &Evidence, same_person: bool) -> Vec<Clue> {
    let probes = [Probe::Client, Probe::OtherToken];
    together(evidence, probes, |[own, answer]| {
        let (this, other) = both(evidence)?;
        let gained = gained(this, other);
        let person = if same_person {
            is_one_person(this, other) && other.iat > this.iat
        } else {
            !is_one_person(this, other)
        };
        let holds = refused(own) && accepted(answer) && !gained.is_empty() && person;
        let (gained, status) = (joined(&gained), answer.status);
        holds.then(|| {
            format!("the other token carries {gained} besides, and is accepted ({status})")
        })
    })
}

/// The claims of the presented token and of another one, alike in all that a verifier judges by.
fn both(evidence: &Evidence) -> Option<(&Claims, &Claims)> {
    let this = claims(evidence)?;
    let other = evidence.token(Role::Other)?.claims.as_ref()?;
    let alike = this.iss == other.iss && this.aud == other.aud && this.token_use == other.token_use;
    alike.then_some((this, other))
}

fn is_one_person(one: &Claims, other: &Claims) -> bool {
    one.sub.is_some() && one.sub == other.sub
}

/// What another token carries besides.
fn gained(this: &Claims, other: &Claims) -> BTreeSet<String> {
    &held(other) - &held(this)
}

fn joined(rights: &BTreeSet<String>) -> String {
    let rights: Vec<_> = rights.iter().map(String::as_str).collect();
    rights.join(", ")
}

/// A newer token of the same person, whether it was tried or not, carries more.
pub(super) static NEWER_HAS_MORE: Sign = Sign {
    name: "newer-has-more",
    means: "a newer token of the same person carries more scopes or roles",
    find: |evidence| {
        let Some((this, other)) = both(evidence) else {
            return Vec::new();
        };
        let gained = gained(this, other);
        if is_one_person(this, other) && other.iat > this.iat && !gained.is_empty() {
            let gained = joined(&gained);
            of_token(
                format!("the newer token carries {gained} besides"),
                other.iat,
            )
        } else {
            Vec::new()
        }
    },
};

/// Logs tell that somebody was given a role after the token was issued.
pub(super) static GRANTED_SINCE: Sign = Sign {
    name: "granted-since",
    means: "a role was granted after the token was issued",
    find: |evidence| {
        let Some(iat) = claims(evidence).and_then(|claims| claims.iat) else {
            return Vec::new();
        };
        let granted = logs::text(evidence, "role-granted");
        granted
            .into_iter()
            .filter(|clue| clue.at.is_some_and(|at| at > iat))
            .collect()
    },
};

/// The issuer knows of a right that the token does not carry.
pub(super) static ISSUER_KNOWS_MORE: Sign = Sign {
    name: "issuer-knows-more",
    means: "the issuer names a scope or role now that the token does not carry",
    find: |evidence| {
        let Some(held) = claims(evidence).map(held) else {
            return Vec::new();
        };
        let probes = [Probe::Introspection, Probe::Userinfo];
        first_of(evidence, &probes, |_, answer| {
            let mut new = named_grants(&answer.body);
            new.retain(|grant| !held.contains(grant));
            let holds = accepted(answer) && !new.is_empty();
            let new = new.join(", ");
            holds.then(|| format!("the issuer names {new} now; the token does not"))
        })
    },
};

/// The token is older than this: a role that was granted since is not in it.
const LONG: std::time::Duration = std::time::Duration::from_mins(10);

/// It was issued a while ago.
pub(super) static ISSUED_LONG_AGO: Sign = Sign {
    name: "issued-long-ago",
    means: "the token was issued a while ago, and says what was true then",
    find: |evidence| match claims(evidence).and_then(|claims| claims.iat) {
        Some(iat) if evidence.now.since(iat) > LONG => of_token(
            format!("issued {} s ago", evidence.now.since(iat).as_secs()),
            Some(iat),
        ),
        _ => Vec::new(),
    },
};

/// A refresh succeeds: a new token can be had.
pub(super) static REFRESH_WORKS: Sign = Sign {
    name: "refresh-works",
    means: "a refresh succeeds",
    find: |evidence| {
        together(evidence, [Probe::Refresh], |[answer]| {
            accepted(answer).then(|| format!("{} for a refresh", answer.status))
        })
    },
};

/// All scopes, roles and groups of a token.
fn held(claims: &Claims) -> BTreeSet<String> {
    let roles = claims.roles.values().flatten();
    claims
        .scope
        .iter()
        .chain(roles)
        .map(|grant| grant.to_ascii_lowercase())
        .collect()
}
