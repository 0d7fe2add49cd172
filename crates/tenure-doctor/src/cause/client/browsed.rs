//! What a browser's own record (HAR) shows. A file from which credentials were left out says nothing
//! about what was sent; see [`crate::logs::Logs::with_credentials`].

use super::request::{self, Scheme};
use super::{cors, presented, redirect};
use crate::exchange::Answer;
use crate::logs::Browsed;
use crate::sign::answer::mentions;
use crate::sign::{Sign, accepted, contains, refused};
use crate::{Clue, Evidence};

/// Refused without a token, and accepted with one a little later; nobody signed in meanwhile.
pub(crate) static TOKEN_CAME_LATER: Sign = Sign {
    name: "token-came-later",
    means: "the same call was refused without a token and accepted with one later, without a sign-in in between",
    find: |evidence| {
        let all: Vec<_> = evidence.logs.with_credentials().collect();
        let clue = all.iter().enumerate().find_map(|(at, early)| {
            let answer = early.answer.as_ref().filter(|answer| refused(answer))?;
            let rest = all.get(at + 1..)?;
            let with = rest.iter().position(|later| {
                later.is_like(early)
                    && later.request.header("authorization").is_some()
                    && later.answer.as_ref().is_some_and(accepted)
            })?;
            let told = goes_bare(&all, at) && !signed_in(&all, at, rest.get(..with)?);
            let status = answer.status;
            let says = format!("{status} without a token; the same call went well with one later");
            told.then(|| early.clue(says))
        });
        clue.into_iter().collect()
    },
};

/// An app sends the call without credentials of its own accord: no redirect led there, which would have taken the
/// header off, and nobody tries by hand what happens.
fn goes_bare(all: &[&Browsed], at: usize) -> bool {
    const BY_HAND: [&str; 6] = ["curl/", "wget/", "httpie/", "postman", "insomnia", "bruno"];
    let Some(call) = all.get(at) else {
        return false;
    };
    let lacks = |name: &str| call.request.header(name).is_none();
    let agent = call.request.header("user-agent");
    let by_hand = BY_HAND.iter().any(|tool| mentions(agent, tool));
    let led = all.iter().take(at).any(|one| {
        let ends = one
            .answer
            .as_ref()
            .and_then(|answer| redirect::ends(&one.request, answer));
        ends.is_some_and(|(_, to)| to.as_str() == call.request.url)
    });
    lacks("authorization")
        && lacks("cookie")
        && call.request.method != "OPTIONS"
        && !by_hand
        && !led
}

/// Whether somebody may have signed in meanwhile. A session that is refreshed was there before, and where several
/// calls went without its token, none of them asked for the refresh.
fn signed_in(all: &[&Browsed], at: usize, between: &[&Browsed]) -> bool {
    let posts = || between.iter().filter(|one| one.request.method == "POST");
    let refreshes = |one: &&Browsed| {
        let path = one.request.url.split(['?', '#']).next();
        path.is_some_and(|path| {
            ["refresh", "renew", "restore"]
                .iter()
                .any(|word| contains(path, word))
        }) && one.answer.as_ref().is_some_and(accepted)
    };
    let first = between.iter().position(|one| one.request.method == "POST");
    let early = between
        .get(..first.unwrap_or(between.len()))
        .unwrap_or_default();
    let others = early.iter().zip(at + 1..).any(|(one, other)| {
        let refused = one.answer.as_ref().is_some_and(refused);
        refused
            && all
                .get(at)
                .is_some_and(|call| call.request.url != one.request.url)
            && goes_bare(all, other)
    });
    posts().count() > 0 && !(posts().all(refreshes) && others)
}

/// A word in place of the token, refused.
pub(crate) static WORD_BROWSED: Sign = Sign {
    name: "word-browsed",
    means: "the browser sent a word like `undefined` in place of a token",
    find: |evidence| {
        let clue = evidence.logs.unrecovered().find_map(|(one, answer)| {
            let word = request::word(one.request.header("authorization")?)?;
            let says = format!("{} for `Authorization: Bearer {word}`", answer.status);
            Some(one.clue(says))
        });
        clue.into_iter().collect()
    },
};

/// The same token, refused in one spelling of the scheme and accepted in another.
pub(crate) static CASE_BROWSED: Sign = Sign {
    name: "case-browsed",
    means: "the same token was refused and accepted by the letters of the scheme alone",
    find: |evidence| {
        twice(evidence, |one, other| {
            matches!(
                (one, other),
                (Scheme::OtherCase(_), Scheme::Bearer) | (Scheme::Bearer, Scheme::OtherCase(_))
            )
        })
    },
};

/// The same token, refused without `Bearer` and accepted with it, or the other way round.
pub(crate) static SCHEME_BROWSED: Sign = Sign {
    name: "scheme-browsed",
    means: "the same token was refused and accepted by its scheme alone",
    find: |evidence| {
        twice(evidence, |one, other| {
            matches!(
                (one, other),
                (Scheme::None | Scheme::Other(_), Scheme::Bearer)
                    | (Scheme::Bearer, Scheme::None | Scheme::Other(_))
            )
        })
    },
};

/// Two calls that are alike but for the scheme before one token: the first refused, the second accepted.
fn twice(evidence: &Evidence, differ: fn(&Scheme, &Scheme) -> bool) -> Vec<Clue> {
    let all: Vec<_> = evidence.logs.with_credentials().collect();
    let said = |one: &Browsed| {
        let value = one.request.header("authorization")?;
        let token = value.rsplit(char::is_whitespace).next()?.to_owned();
        Some((request::announced(value)?, token))
    };
    let clue = all.iter().find_map(|bad| {
        let status = bad.answer.as_ref().filter(|answer| refused(answer))?.status;
        let (scheme, token) = said(bad)?;
        let good = all.iter().find_map(|good| {
            let (other, same) = said(good).filter(|_| good.is_like(bad))?;
            let well = good.answer.as_ref().is_some_and(accepted);
            (well && same == token && differ(&scheme, &other)).then_some(other)
        })?;
        Some(bad.clue(format!("{status} with {scheme}, accepted with {good}")))
    });
    clue.into_iter().collect()
}

/// A redirect after which the header is gone, and a refusal.
pub(super) fn dropped(evidence: &Evidence, nature: redirect::Move) -> Option<Clue> {
    let all: Vec<_> = evidence.logs.with_credentials().collect();
    all.iter().enumerate().find_map(|(at, first)| {
        first.request.header("authorization")?;
        let answer = first.answer.as_ref()?;
        let (from, to) = redirect::ends(&first.request, answer)?;
        if redirect::nature(&from, &to) != Some(nature) {
            return None;
        }
        let mut rest = all.iter().skip(at + 1);
        let next = rest.find(|next| next.request.url == to.as_str())?;
        let status = next.answer.as_ref().filter(|it| refused(it))?.status;
        let gone = next.request.header("authorization").is_none();
        let redirect = answer.status;
        gone.then(|| {
            first.clue(format!(
                "{redirect} to {to}, where the header is gone: {status}"
            ))
        })
    })
}

/// The browser's question was refused, and the call was never answered.
pub(crate) static PREFLIGHT_BROWSED: Sign = Sign {
    name: "preflight-browsed",
    means: "the browser's preflight was refused for want of credentials, and the call itself never went out",
    find: |evidence| {
        let all = &evidence.logs.browsed;
        let clue = all.iter().find_map(|asked| {
            let answer = asked
                .answer
                .as_ref()
                .filter(|_| asked.request.method == "OPTIONS")?;
            let went = all.iter().any(|one| {
                one.request.method != "OPTIONS"
                    && one.request.url == asked.request.url
                    && one.answer.is_some()
            });
            let status = answer.status;
            let says = format!("{status} for the preflight (OPTIONS), and no answer to the call");
            (asks_for_credentials(answer) && !went).then(|| asked.clue(says))
        });
        clue.into_iter().collect()
    },
};

/// 401 or 403 from a layer that reads tokens; a password gate stands before everything.
fn asks_for_credentials(answer: &Answer) -> bool {
    let challenge = answer.header("www-authenticate");
    let basic = mentions(challenge, "basic ");
    let bearer = mentions(challenge, "bearer");
    cors::no_route(answer) || !basic && (answer.status == 401 || answer.status == 403 && bearer)
}

/// A page was given a refusal without CORS header fields, and a success with them.
pub(super) fn cors_on_success_only(evidence: &Evidence) -> Option<Clue> {
    let asked =
        |one: &&Browsed| one.request.header("origin").is_some() && one.request.method != "OPTIONS";
    let mut calls = evidence.logs.browsed.iter().filter(asked);
    let good = calls
        .clone()
        .any(|one| one.answer.as_ref().is_some_and(cors::readable));
    let bad = calls.find(|one| one.answer.as_ref().is_some_and(cors::withheld));
    let bad = bad.filter(|_| good)?;
    Some(bad.clue("refused without `access-control-allow-origin`, which successes have"))
}

/// After preflights that were allowed a page got no answer that it may read, and a log shows as many refusals.
pub(crate) static REFUSALS_UNREAD: Sign = Sign {
    name: "refusals-unread",
    means: "the preflight was allowed and the page got no answer, as often as a log shows that the service refused one",
    find: |evidence| {
        let all = &evidence.logs.browsed;
        let calls = || {
            all.iter().filter(|one| {
                one.request.header("origin").is_some() && one.request.method != "OPTIONS"
            })
        };
        let readable = |one: &Browsed| one.answer.as_ref().is_some_and(cors::readable);
        let allowed = |call: &Browsed| {
            let mut asked = all.iter().filter(|one| one.request.method == "OPTIONS");
            asked.any(|one| one.request.url == call.request.url && readable(one))
        };
        let unread: Vec<_> = calls().filter(|one| one.answer.is_none()).collect();
        let others = evidence
            .logs
            .files
            .iter()
            .filter(|file| !all.iter().any(|one| one.file == file.name));
        let statuses = || others.clone().flat_map(|file| &file.statuses);
        let refusals: u64 = statuses()
            .filter(|(status, _)| matches!(status, 401 | 403))
            .map(|(_, count)| count)
            .sum();
        let failed = statuses().any(|(status, _)| *status >= 500);
        let as_often = !unread.is_empty() && refusals == unread.len() as u64 && !failed;
        let told = as_often && calls().any(readable) && unread.iter().all(|call| allowed(call));
        let first = unread.first().filter(|_| told);
        let says = format!(
            "{refusals} calls got no answer that the page may read, {refusals} were refused by the log"
        );
        first.map(|call| call.clue(says)).into_iter().collect()
    },
};

/// The header was too large, by the token: no cookie was beside it, or the token alone is large.
pub(crate) static TOO_LARGE_BROWSED: Sign = Sign {
    name: "too-large-browsed",
    means: "the browser's calls with the token are answered with 431 or its like",
    find: |evidence| {
        let found = evidence.logs.unrecovered().find(|(one, answer)| {
            let token = one.request.header("authorization").is_some();
            let cookie = one.request.header("cookie").is_some();
            let by_token = token && !cookie || one.token_bytes >= presented::LARGE;
            by_token && presented::is_too_large(answer)
        });
        let clue = found
            .map(|(one, answer)| one.clue(format!("{} for a call with the token", answer.status)));
        clue.into_iter().collect()
    },
};

/// What stands in the header is not only the token, and no verifier reads past that.
pub(crate) static SPOILED_BROWSED: Sign = Sign {
    name: "spoiled-browsed",
    means: "quotes, a second scheme or an encoded blank were sent with the token, and the call was refused",
    find: |evidence| {
        let clue = evidence.logs.unrecovered().find_map(|(one, answer)| {
            let what = spoiled(one.request.header("authorization")?)?;
            let says = format!("{} for {what} in Authorization", answer.status);
            matches!(answer.status, 400 | 401 | 403 | 422).then(|| one.clue(says))
        });
        clue.into_iter().collect()
    },
};

fn spoiled(value: &str) -> Option<&'static str> {
    let value = value.trim().to_ascii_lowercase();
    let token = value
        .strip_prefix("bearer ")
        .map_or(value.as_str(), str::trim);
    let quoted = token.starts_with(['"', '\'']) || token.ends_with(['"', '\'']);
    if quoted && token.contains("sha256:") {
        Some("quotes around the token")
    } else if token.starts_with("bearer ") {
        Some("the scheme twice")
    } else if token.starts_with("bearer%20") || token.starts_with("bearer+") {
        Some("an encoded blank")
    } else {
        None
    }
}

/// Some calls went without a token and were refused; others of the same service had one soon after, and no sign-in
/// was in between.
pub(crate) static TOKEN_FOR_OTHERS: Sign = Sign {
    name: "token-for-others",
    means: "calls were refused without a token, and others of the same page had one soon after, without a sign-in in between",
    find: |evidence| {
        let all: Vec<_> = evidence.logs.with_credentials().collect();
        let clue = all.iter().enumerate().find_map(|(at, early)| {
            let answer = early
                .answer
                .as_ref()
                .filter(|answer| answer.status == 401)?;
            let rest = all.get(at + 1..)?;
            let with = rest.iter().position(|later| {
                later.request.header("authorization").is_some()
                    && origin(later) == origin(early)
                    && later.file == early.file
                    && later.answer.as_ref().is_some_and(accepted)
            })?;
            let told = goes_bare(&all, at) && !signed_in(&all, at, rest.get(..with)?);
            let says = format!(
                "{} without a token; other calls had one soon after",
                answer.status
            );
            told.then(|| early.clue(says))
        });
        clue.into_iter().collect()
    },
};

fn origin(one: &Browsed) -> Option<url::Origin> {
    Some(url::Url::parse(&one.request.url).ok()?.origin())
}
