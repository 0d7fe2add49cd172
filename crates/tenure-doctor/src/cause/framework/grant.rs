//! Scopes and roles: what is asked for, and what tokens carry.

use std::collections::BTreeSet;

mod words;

use self::words::{named_grants, wanted};
use super::signs::{client, own};
use crate::exchange::Answer;
use crate::logs::Browsed;
use crate::probe::Probe;
use crate::sign::token::presented;
use crate::sign::{Sign, accepted, contains, logs, of_token, refused, seen};
use crate::token::{Claims, Role, Token};
use crate::{Clue, Evidence, Source};

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
        ];
        own(evidence, |answer| {
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
        let held = |one: &Browsed| one.request.header("authorization").map(str::to_owned);
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
        let accepts = |one: &Browsed, with: &str| {
            let well = one.answer.as_ref().is_some_and(accepted);
            well && held(one).is_some_and(|held| held == with)
        };
        let refusals = evidence.logs.unrecovered().filter(|(one, answer)| {
            let elsewhere = held(one).is_some_and(|with| {
                let mut all = evidence.logs.browsed.iter();
                all.any(|other| other.request.url != one.request.url && accepts(other, &with))
            });
            answer.status == 403 && speaks(answer) && elsewhere
        });
        refusals
            .map(|(one, _)| Clue {
                says: "403 for want of a right, beside calls accepted with the same credentials"
                    .to_owned(),
                source: Source::Log(one.file.clone(), one.entry),
                at: None,
            })
            .collect()
    },
};

/// The client's request is accepted, or refused without a word of rights.
pub(super) static NOT_ABOUT_RIGHTS: Sign = Sign {
    name: "not-about-rights",
    means: "the client's answer does not speak of a permission, role or scope",
    find: |evidence| match client(evidence) {
        Some(answer) => seen(
            (PERMISSION_WORDS.find)(evidence).is_empty(),
            format!("{} without a word of rights", answer.status),
            Probe::Client,
        ),
        None => Vec::new(),
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
    let (Some(answer), Some(token)) = (client(evidence), presented(evidence)) else {
        return Vec::new();
    };
    let Some(claims) = &token.claims else {
        return Vec::new();
    };
    let wanted = wanted(answer);
    let held = held(claims);
    let holds = refused(answer) && !wanted.is_empty() && holds(&wanted, &held);
    let carried: Vec<_> = held.iter().map(String::as_str).collect();
    seen(
        holds,
        format!(
            "asked for: {}; the token carries: {}",
            wanted.join(", "),
            if carried.is_empty() {
                "nothing".to_owned()
            } else {
                carried.join(", ")
            }
        ),
        Probe::Client,
    )
}

/// The token carries neither scopes nor roles.
pub(super) static GRANTS_NOTHING: Sign = Sign {
    name: "grants-nothing",
    means: "the token carries neither scopes nor roles",
    find: |evidence| match presented(evidence).and_then(|token| token.claims.as_ref()) {
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
        if odd.is_empty() || !client(evidence).is_some_and(refused) {
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
        let asks = client(evidence).is_some_and(|answer| {
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            contains(challenge, "requires higher privileges")
        });
        let odd = odd_claims(evidence);
        seen(
            asks && !odd.is_empty(),
            format!(
                "`requires higher privileges`, and roles in {}",
                odd.join(", ")
            ),
            Probe::Client,
        )
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
    let Some(claims) = claims(presented(evidence)) else {
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
        let other = evidence
            .tokens
            .iter()
            .find(|token| token.role == Role::Other);
        let (Some(this), Some(other)) = (claims(presented(evidence)), claims(other)) else {
            return Vec::new();
        };
        let (Some(own), Some(answer)) = (client(evidence), evidence.answer(Probe::OtherToken))
        else {
            return Vec::new();
        };
        let gained = held(other).difference(&held(this)).count();
        let holds = own.status == 403
            && crate::compare::same(own, answer)
            && alike(this, other)
            && gained > 0;
        seen(
            holds,
            format!("a token with {gained} more roles or scopes is refused alike"),
            Probe::OtherToken,
        )
    },
};

/// Another person's token of the same kind carries more, and is accepted.
pub(super) static OTHER_CARRIES_MORE: Sign = Sign {
    name: "other-carries-more",
    means: "the token of somebody who has more scopes or roles is accepted, all else being equal",
    find: |evidence| more(evidence, false),
};

/// A newer token of the same person carries more, and is accepted.
pub(super) static NEWER_CARRIES_MORE: Sign = Sign {
    name: "newer-carries-more",
    means: "a newer token of the same person carries more and is accepted",
    find: |evidence| more(evidence, true),
};

fn more(evidence: &Evidence, same_person: bool) -> Vec<Clue> {
    let other = evidence
        .tokens
        .iter()
        .find(|token| token.role == Role::Other);
    let (Some(this), Some(other)) = (claims(presented(evidence)), claims(other)) else {
        return Vec::new();
    };
    let (Some(own), Some(answer)) = (client(evidence), evidence.answer(Probe::OtherToken)) else {
        return Vec::new();
    };
    let person = this.sub.is_some() && this.sub == other.sub;
    let newer = other.iat > this.iat;
    let gained: Vec<_> = held(other).difference(&held(this)).cloned().collect();
    let holds = refused(own)
        && accepted(answer)
        && alike(this, other)
        && !gained.is_empty()
        && person == same_person
        && (newer || !same_person);
    seen(
        holds,
        format!(
            "the other token carries {} besides, and is accepted ({})",
            gained.join(", "),
            answer.status
        ),
        Probe::OtherToken,
    )
}

fn claims(token: Option<&Token>) -> Option<&Claims> {
    token?.claims.as_ref()
}

/// Alike in all that a verifier judges by.
fn alike(one: &Claims, other: &Claims) -> bool {
    one.iss == other.iss && one.aud == other.aud && one.token_use == other.token_use
}

/// A newer token of the same person, whether it was tried or not, carries more.
pub(super) static NEWER_HAS_MORE: Sign = Sign {
    name: "newer-has-more",
    means: "a newer token of the same person carries more scopes or roles",
    find: |evidence| {
        let other = evidence
            .tokens
            .iter()
            .find(|token| token.role == Role::Other);
        let (Some(this), Some(other)) = (claims(presented(evidence)), claims(other)) else {
            return Vec::new();
        };
        let gained: Vec<_> = held(other).difference(&held(this)).cloned().collect();
        let same = this.sub.is_some() && this.sub == other.sub && alike(this, other);
        if same && other.iat > this.iat && !gained.is_empty() {
            of_token(
                format!("the newer token carries {} besides", gained.join(", ")),
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
        let Some(iat) = claims(presented(evidence)).and_then(|claims| claims.iat) else {
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
        let Some(this) = claims(presented(evidence)) else {
            return Vec::new();
        };
        let held = held(this);
        for probe in [Probe::Introspection, Probe::Userinfo] {
            let Some(answer) = evidence.answer(probe).filter(|answer| accepted(answer)) else {
                continue;
            };
            let new: Vec<_> = named_grants(&answer.body)
                .into_iter()
                .filter(|grant| !held.contains(grant))
                .collect();
            if !new.is_empty() {
                return seen(
                    true,
                    format!(
                        "the issuer names {} now; the token does not",
                        new.join(", ")
                    ),
                    probe,
                );
            }
        }
        Vec::new()
    },
};

/// The token is older than this: a role that was granted since is not in it.
const LONG: std::time::Duration = std::time::Duration::from_mins(10);

/// It was issued a while ago.
pub(super) static ISSUED_LONG_AGO: Sign = Sign {
    name: "issued-long-ago",
    means: "the token was issued a while ago, and says what was true then",
    find: |evidence| match claims(presented(evidence)).and_then(|claims| claims.iat) {
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
    find: |evidence| match evidence.answer(Probe::Refresh) {
        Some(answer) => seen(
            accepted(answer),
            format!("{} for a refresh", answer.status),
            Probe::Refresh,
        ),
        None => Vec::new(),
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
