//! What only the causes of this family ask.

use super::texts;
use crate::exchange::Answer;
use crate::logs::{LogFinding, Pattern};
use crate::probe::Probe;
use crate::sign::answer::At;
use crate::sign::{
    Sign, accepted, answers, client_answers, contains, each, found, logs, refused, seen, together,
    token,
};
use crate::{Clue, Evidence, Source};

/// A used token came back though its successor is in use.
pub(super) static TWO_HOLDERS: Sign = Sign {
    name: "refresh-two-holders",
    means: "a used refresh token came back while its successor was in use: there are two holders",
    find: |evidence| {
        finding(evidence, Pattern::RefreshReuse, |found| {
            is(found, "successor", "used")
        })
    },
};

/// A used token came back, and nobody ever used its successor.
pub(super) static SUCCESSOR_UNUSED: Sign = Sign {
    name: "refresh-successor-unused",
    means: "a used refresh token came back, and nobody ever presented its successor",
    find: |evidence| {
        finding(evidence, Pattern::RefreshReuse, |found| {
            is(found, "successor", "unused")
        })
    },
};

/// Refreshes were refused, by the logs.
pub(super) static REFRESHES_REFUSED: Sign = Sign {
    name: "refreshes-refused",
    means: "refreshes were refused",
    find: |evidence| {
        finding(evidence, Pattern::Refusals, |found| {
            found
                .figures
                .get("of_refreshes")
                .is_some_and(|count| count != "0")
        })
    },
};

/// Sessions in the memory of a process, and refreshes that it refused for no other reason that is known.
pub(super) static LOST_FROM_MEMORY: Sign = Sign {
    name: "refreshes-lost-from-memory",
    means: "refresh tokens are kept in one process's memory, and refreshes are refused",
    find: |evidence| {
        let otherwise = [
            &logs::RACE,
            &logs::REUSE,
            &logs::WIPED,
            &logs::EMPTY_REFRESH,
        ];
        let both = [&logs::IN_MEMORY, &REFRESHES_REFUSED];
        let lost = both.iter().all(|sign| sign.holds(evidence));
        if lost && !otherwise.iter().any(|sign| sign.holds(evidence)) {
            each(evidence, &both)
        } else {
            Vec::new()
        }
    },
};

/// An issuer that warns of its own memory does not know a refresh token. It may be another issuer's,
/// so that this settles nothing by itself.
pub(super) static UNKNOWN_TO_MEMORY: Sign = Sign {
    name: "refresh-unknown-to-memory",
    means: "the issuer keeps its grants in memory, and does not know the refresh token",
    find: |evidence| {
        let memory = (texts::OIDC_IN_MEMORY.find)(evidence);
        let unknown = of_refresh(evidence, (texts::REFRESH_NOT_FOUND.find)(evidence));
        if memory.is_empty() || unknown.is_empty() {
            return Vec::new();
        }
        memory.into_iter().chain(unknown).collect()
    },
};

/// Who was turned away after a restart was so when refreshing.
pub(super) static REFRESHES_END_WITH_RESTART: Sign = Sign {
    name: "refreshes-end-with-restart",
    means: "refreshes that worked before a restart are refused after it",
    find: |evidence| {
        finding(evidence, Pattern::RefusedAfterRestart, |found| {
            let of = |name: &str| found.figures.get(name).cloned().unwrap_or_default();
            of("of_refreshes") == of("users")
        })
    },
};

/// Processes disagree about refreshes.
pub(super) static WORKERS_DISAGREE_ON_REFRESH: Sign = Sign {
    name: "workers-disagree-on-refresh",
    means: "whether a refresh succeeds depends on the process that answers it",
    find: |evidence| {
        finding(evidence, Pattern::WorkersDisagree, |found| {
            found
                .figures
                .get("path")
                .is_none_or(|path| path == "refresh")
        })
    },
};

/// A refresh is refused, and the same token is good a moment later.
pub(super) static REFRESH_FLIPS: Sign = Sign {
    name: "refresh-flips",
    means: "a refresh token that was refused is accepted a moment later",
    find: |evidence| {
        let says = |status| format!("{status} for a refresh whose repetition succeeded");
        found(flip(evidence).map(|(probe, refused)| (probe, says(refused.status))))
    },
};

/// The refusal in [`REFRESH_FLIPS`] is about a session that is not known.
pub(super) static FLIP_SAYS_UNKNOWN: Sign = Sign {
    name: "refresh-flip-says-unknown",
    means: "the refusal says that the session or token is not known, and a moment later it is",
    find: |evidence| {
        const UNKNOWN: [&str; 5] = ["session", "not found", "unknown", "not known", "no such"];
        const OTHER: [&str; 4] = ["signature", "client", "already used", "reuse"];
        let Some((probe, refused)) = flip(evidence) else {
            return Vec::new();
        };
        let says = |words: &[&str]| words.iter().any(|word| contains(&refused.body, word));
        seen(
            says(&UNKNOWN) && !says(&OTHER),
            "the refusal speaks of a session or token that is not known",
            probe,
        )
    },
};

/// 400 or 401 for a refresh, then a success.
fn flip(evidence: &Evidence) -> Option<(Probe, &Answer)> {
    let all: Vec<_> = refreshes(evidence).collect();
    let dead = |answer: &&Answer| matches!(answer.status, 400 | 401);
    let at = all.iter().position(|(_, answer)| dead(answer))?;
    let later = all.iter().skip(at).any(|(_, answer)| accepted(answer));
    later.then(|| all.get(at).copied()).flatten()
}

/// Answers to refreshes, in their order.
fn refreshes(evidence: &Evidence) -> impl Iterator<Item = (Probe, &Answer)> {
    answers(evidence).filter(|(probe, _)| At::Refresh.includes(*probe))
}

/// Each refresh fails for reasons that say nothing about the token.
pub(super) static REFRESH_PASSING: Sign = Sign {
    name: "refresh-not-definitive",
    means: "refreshes fail for a reason that ends no session: network, firewall, overload",
    find: |evidence| {
        let refreshes = evidence
            .exchanges
            .iter()
            .filter(|exchange| At::Refresh.includes(exchange.probe));
        let failed = refreshes.filter_map(|exchange| {
            let says = match &exchange.result {
                Ok(answer) if matches!(answer.status, 403 | 408 | 429 | 500..) => {
                    format!("{} for a refresh", answer.status)
                }
                Err(failure) => failure.to_string(),
                Ok(_) => return None,
            };
            Some(Clue::new(says, Source::Probe(exchange.probe)))
        });
        failed.collect()
    },
};

/// The client's token is expired and refused, and a refresh brings another.
pub(super) static EXPIRED_REFRESH_WORKS: Sign = Sign {
    name: "expired-though-refresh-works",
    means: "the client presents an expired token, though a refresh would bring a new one",
    find: |evidence| {
        let works = refreshes(evidence)
            .next()
            .filter(|(_, answer)| accepted(answer));
        let turned_away = evidence.answer(Probe::Client).is_some_and(refused);
        let holds = turned_away && token::EXPIRED.holds(evidence);
        works.map_or_else(Vec::new, |(probe, answer)| {
            let says = format!("the token is expired; {} for a refresh", answer.status);
            seen(holds, says, probe)
        })
    },
};

/// A success without a refresh token in it.
pub(super) static NO_SUCCESSOR: Sign = Sign {
    name: "refresh-without-successor",
    means: "the answer to a refresh holds no refresh token: the old one stays good",
    find: |evidence| {
        let without = refreshes(evidence)
            .find(|(_, answer)| accepted(answer) && !contains(&answer.body, "refresh"));
        let says = "a refresh succeeded without a refresh token in its answer";
        found(without.map(|(probe, _)| (probe, says.to_owned())))
    },
};

/// An answer or request with a refresh token that is blank.
pub(super) static BLANK_SUCCESSOR: Sign = Sign {
    name: "blank-successor",
    means: "the answer to a refresh holds an empty refresh token",
    find: |evidence| {
        let blank = refreshes(evidence).find(|(_, answer)| {
            let body: String = answer.body.split_whitespace().collect();
            accepted(answer)
                && [
                    "\"refresh_token\":\"\"",
                    "\"refreshToken\":\"\"",
                    "\"RefreshToken\":\"\"",
                ]
                .iter()
                .any(|empty| body.contains(empty))
        });
        let says = "a refresh succeeded with an empty refresh token";
        found(blank.map(|(probe, _)| (probe, says.to_owned())))
    },
};

/// Amazon Cognito does not know the client that refreshes.
pub(super) static POOL_CLIENT_GONE: Sign = Sign {
    name: "cognito-client-gone",
    means: "the user pool has no client of that id",
    find: |evidence| {
        let gone = refreshes(evidence).find(|(_, answer)| {
            !accepted(answer)
                && contains(&answer.body, "ResourceNotFoundException")
                && contains(&answer.body, "client")
        });
        let says = |status| format!("{status} for a refresh: the user pool has no such client");
        found(gone.map(|(probe, answer)| (probe, says(answer.status))))
    },
};

/// The token says that Cognito tracks devices.
pub(super) static DEVICE_TRACKED: Sign = Sign {
    name: "cognito-device-tracked",
    means: "the token belongs to a device that the user pool tracks",
    find: |evidence| {
        token::of_claims(evidence, |claims| {
            let tracked = claims.names.iter().any(|name| name == "device_key");
            tracked.then(|| "the token has the claim `device_key`".to_owned())
        })
    },
};

/// The API takes the token; its issuer says that it is over.
pub(super) static ACCEPTED_THOUGH_INACTIVE: Sign = Sign {
    name: "accepted-though-inactive",
    means: "the API accepts a token of which its issuer says that it is not active",
    find: |evidence| {
        together(evidence, [Probe::Introspection], |[answer]| {
            let body: String = answer.body.split_whitespace().collect();
            let inactive = accepted(answer) && contains(&body, "\"active\":false");
            let says = "accepted by the API; introspection says that it is not active";
            (inactive && still_accepted(evidence)).then(|| says.to_owned())
        })
    },
};

/// The API takes the token; userinfo does not.
pub(super) static ACCEPTED_THOUGH_NO_USERINFO: Sign = Sign {
    name: "accepted-though-userinfo-refuses",
    means: "the API accepts a token that its issuer's userinfo endpoint refuses",
    find: |evidence| {
        together(evidence, [Probe::Userinfo], |[answer]| {
            let says = "accepted by the API; 401 at the issuer's userinfo";
            (answer.status == 401 && still_accepted(evidence)).then(|| says.to_owned())
        })
    },
};

/// Likewise, and userinfo says why.
pub(super) static ACCEPTED_THOUGH_REVOKED: Sign = Sign {
    name: "accepted-though-revoked",
    means: "the API accepts a token of which its issuer says that it was revoked",
    find: |evidence| {
        together(evidence, [Probe::Userinfo], |[answer]| {
            let revoked = refused(answer) && contains(&answer.body, "revoked");
            let says = "accepted by the API; revoked, says the issuer's userinfo";
            (revoked && still_accepted(evidence)).then(|| says.to_owned())
        })
    },
};

/// The token's scope is that of userinfo (OpenID Connect Core, section 5.3).
pub(super) static FOR_USERINFO: Sign = Sign {
    name: "scope-openid",
    means: "the token's scope holds `openid`, so userinfo is for it",
    find: |evidence| {
        token::of_claims(evidence, |claims| {
            let openid = claims.scope.iter().any(|scope| scope == "openid");
            openid.then(|| "the token's scope holds `openid`".to_owned())
        })
    },
};

/// The API takes the access token, and the issuer says that the session is over.
pub(super) static ACCEPTED_THOUGH_ENDED: Sign = Sign {
    name: "accepted-though-ended",
    means: "the API accepts the access token of a session that cannot be refreshed any more",
    find: |evidence| {
        let dead = refreshes(evidence).next().filter(|(_, answer)| {
            let over = [
                "invalid_grant",
                "NotAuthorizedException",
                "revoked",
                "not_found",
            ];
            matches!(answer.status, 400 | 401)
                && over.iter().any(|word| contains(&answer.body, word))
        });
        dead.map_or_else(Vec::new, |(probe, answer)| {
            let status = answer.status;
            let says = format!("accepted by the API; {status} for a refresh of its session");
            seen(still_accepted(evidence), says, probe)
        })
    },
};

/// An API that asks for tokens takes this one, each time, and it is not expired.
fn still_accepted(evidence: &Evidence) -> bool {
    let mut own = client_answers(evidence).peekable();
    let asks = [Probe::Bare, Probe::Altered]
        .iter()
        .any(|probe| evidence.answer(*probe).is_some_and(refused));
    let expired = token::EXPIRED.holds(evidence);
    own.peek().is_some() && own.all(|(_, answer)| accepted(answer)) && asks && !expired
}

/// Sign-in pages and callbacks that lead to each other.
pub(super) static LOGIN_LOOP: Sign = Sign {
    name: "login-loop",
    means: "the redirects come back to where they began, by way of a sign-in",
    find: |evidence| {
        const SIGN_IN: [&str; 6] = [
            "login",
            "signin",
            "sign-in",
            "callback",
            "authorize",
            "oauth",
        ];
        let mut met: Vec<&str> = Vec::new();
        for exchange in &evidence.exchanges {
            let hop = matches!(exchange.probe, Probe::Client | Probe::Hop(_));
            let redirects = |answer: &Answer| (300..400).contains(&answer.status);
            if !hop || !exchange.result.as_ref().is_ok_and(redirects) {
                continue;
            }
            let path = without_query(&exchange.request.url);
            let again = met.contains(&path);
            met.push(path);
            if again
                && met
                    .iter()
                    .any(|path| SIGN_IN.iter().any(|page| contains(path, page)))
            {
                let says = format!("redirected {} times, back to where it had been", met.len());
                return seen(true, says, exchange.probe);
            }
        }
        Vec::new()
    },
};

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// One check of `state` that fails again and again.
pub(super) static STATE_FAILS: Sign = Sign {
    name: "state-fails",
    means: "the answer to a sign-in does not belong to the browser that it comes to",
    find: |evidence| each(evidence, &STATES),
};

/// The same, told by a log: there a browser has kept its cookies, which the probes do not.
pub(super) static STATE_FAILS_LOGGED: Sign = Sign {
    name: "state-fails-logged",
    means: "a log says that the answer to a sign-in does not belong to the browser that it comes to",
    find: |evidence| {
        STATES
            .iter()
            .flat_map(|sign| logs::text(evidence, sign.name))
            .collect()
    },
};

/// The same, three times or more, where nothing says that processes forget what others know.
pub(super) static STATE_FAILS_EACH_TIME: Sign = Sign {
    name: "state-fails-each-time",
    means: "sign-ins fail at their `state` again and again",
    find: |evidence| {
        let forgotten = [
            &logs::IN_MEMORY,
            &logs::WORKERS_DISAGREE,
            &logs::AFTER_RESTART,
        ];
        if forgotten.iter().any(|sign| sign.holds(evidence)) {
            return Vec::new();
        }
        let often = |sign: &&&Sign| {
            let mut found = evidence.logs.findings.iter();
            found.any(|found| found.count >= 3 && found.text() == Some(sign.name))
        };
        let repeated = STATES.iter().filter(often);
        repeated.flat_map(|sign| (sign.find)(evidence)).collect()
    },
};

const STATES: [&Sign; 12] = [
    &texts::STATE_OAUTH,
    &texts::STATE_MISMATCH,
    &texts::STATE_MISMATCH_CODE,
    &texts::STATE_FORGOTTEN,
    &texts::STATE_UNVERIFIED,
    &texts::STATE_AUTHLIB,
    &texts::STATE_COOKIE,
    &texts::STATE_SPRING,
    &texts::STATE_PROXY,
    &texts::STATE_INVALID,
    &texts::STATE_INVALID_CODE,
    &texts::STATE_MISSING,
];

/// The issuer does not know the redirect URI.
pub(super) static REDIRECT_URI_REFUSED: Sign = Sign {
    name: "redirect-uri-refused",
    means: "the issuer refuses the redirect URI",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::REDIRECT_MISMATCH,
                &texts::REDIRECT_MISMATCH_COGNITO,
                &texts::REDIRECT_MISMATCH_KEYCLOAK,
                &texts::REDIRECT_MISMATCH_ENTRA,
                &texts::REDIRECT_MISMATCH_OIDC,
            ],
        )
    },
};

/// The issuer met a used refresh token, in the words of several.
pub(super) static REUSE_SAID: Sign = Sign {
    name: "refresh-reuse-said",
    means: "the issuer says that a used refresh token came back",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::SUPABASE_USED,
                &texts::SUPABASE_REUSE,
                &texts::AUTH0_REUSE,
                &texts::AUTH0_FERRT,
                &texts::KEYCLOAK_REUSE,
                &texts::OIDC_REUSE,
                &texts::TENURE_THEFT,
            ],
        )
    },
};

/// A refresh went out without its token, in the words of several issuers.
pub(super) static SENT_WITHOUT: Sign = Sign {
    name: "refresh-sent-without-token",
    means: "a refresh was sent without a refresh token",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::NO_REFRESH_TOKEN,
                &texts::NO_REFRESH_PARAMETER,
                &texts::NO_COGNITO_REFRESH,
                &texts::BLANK_REFRESH,
                &texts::BLANK_REFRESH_SAID,
            ],
        )
    },
};

/// The refresh token's time is over, in the words of several issuers that say so for no other reason.
pub(super) static IDLE_SAID: Sign = Sign {
    name: "refresh-token-over",
    means: "the issuer says that the refresh token's time is over",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::KEYCLOAK_TOKEN_INACTIVE,
                &texts::ENTRA_INACTIVE,
                &texts::ENTRA_EXPIRED,
                &texts::COGNITO_EXPIRED,
                &texts::SUPABASE_INACTIVE,
                &texts::REFRESH_EXPIRED,
            ],
        )
    },
};

/// Keycloak does not have the session.
pub(super) static SESSION_GONE_SAID: Sign = Sign {
    name: "session-gone-said",
    means: "the issuer says that the session of the refresh token is gone",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::KEYCLOAK_SESSION_INACTIVE,
                &texts::KEYCLOAK_OFFLINE_INACTIVE,
            ],
        )
    },
};

/// [`IDLE_SAID`] of a refresh: access tokens that expire are spoken of in the same words.
pub(super) static IDLE_SAID_OF_REFRESH: Sign = Sign {
    name: "refresh-token-over-at-refresh",
    means: "a refresh is refused because the refresh token's time is over",
    find: |evidence| of_refresh(evidence, (IDLE_SAID.find)(evidence)),
};

/// Clues of answers; those of logs only where refreshes were refused.
fn of_refresh(evidence: &Evidence, clues: Vec<Clue>) -> Vec<Clue> {
    let refused = REFRESHES_REFUSED.holds(evidence);
    let answered = |clue: &Clue| matches!(clue.source, Source::Probe(_));
    let kept = clues.into_iter().filter(|clue| refused || answered(clue));
    kept.collect()
}

/// [`SESSION_GONE_SAID`] of a refresh, while no restart or store in memory explains that.
pub(super) static SESSION_GONE_ALONE: Sign = Sign {
    name: "session-gone-alone",
    means: "the issuer says that the session is gone, and nothing says that it lost its store",
    find: |evidence| {
        let lost = [
            &logs::IN_MEMORY,
            &logs::AFTER_RESTART,
            &logs::RACE,
            &logs::REUSE,
        ];
        if lost.iter().any(|sign| sign.holds(evidence)) {
            return Vec::new();
        }
        of_refresh(evidence, (SESSION_GONE_SAID.find)(evidence))
    },
};

/// aws-jwt-verify's wait, by its name or its message.
pub(super) static WAIT_PERIOD: Sign = Sign {
    name: "jwks-wait-period",
    means: "the verifier waits before it asks for keys again, and refuses meanwhile",
    find: |evidence| each(evidence, &[&texts::WAIT_PERIOD, &texts::WAIT_PERIOD_SAID]),
};

/// The session was cleared and the app not told, and no failed refresh explains the clearing.
pub(super) static CLEARED_ALONE: Sign = Sign {
    name: "cleared-without-a-word",
    means: "the session was cleared while the app went on as signed in, for no failed refresh",
    find: |evidence| {
        let otherwise = [&logs::WIPED, &logs::RACE, &logs::REUSE];
        if otherwise.iter().any(|sign| sign.holds(evidence)) {
            return Vec::new();
        }
        (logs::CLEARED.find)(evidence)
    },
};

/// Findings of a pattern that fulfil a condition, as clues.
fn finding(
    evidence: &Evidence,
    pattern: Pattern,
    wanted: impl Fn(&LogFinding) -> bool,
) -> Vec<Clue> {
    let all = evidence.logs.findings.iter();
    let mut matching = all.filter(|found| found.pattern == pattern);
    if matching.any(wanted) {
        logs::found(evidence, pattern)
    } else {
        Vec::new()
    }
}

fn is(found: &LogFinding, figure: &str, value: &str) -> bool {
    found
        .figures
        .get(figure)
        .is_some_and(|figure| figure == value)
}
