//! What a browser's own record (HAR) shows. A file from which credentials were left out says nothing
//! about what was sent; see [`crate::logs::Logs::with_credentials`].

use url::Url;

use super::request::{self, Scheme};
use super::{cors, redirect};
use crate::exchange::Answer;
use crate::logs::Browsed;
use crate::sign::{Sign, accepted, contains, refused};
use crate::{Clue, Evidence, Source};

/// Refused without a token, and accepted with one a little later; nobody signed in meanwhile.
pub(crate) static TOKEN_CAME_LATER: Sign = Sign {
    name: "token-came-later",
    means: "the same call was refused without a token and accepted with one later, without a sign-in in between",
    find: |evidence| {
        let all: Vec<_> = evidence.logs.with_credentials().collect();
        let found = all.iter().enumerate().find_map(|(at, early)| {
            let answer = early.answer.as_ref().filter(|answer| refused(answer))?;
            let bare = early.request.header("authorization").is_none()
                && early.request.header("cookie").is_none();
            let rest = all.get(at + 1..)?;
            let with = rest.iter().position(|later| {
                later.is_like(early)
                    && later.request.header("authorization").is_some()
                    && later.answer.as_ref().is_some_and(accepted)
            })?;
            let signed_in = rest
                .get(..with)?
                .iter()
                .any(|one| one.request.method == "POST");
            (bare && !signed_in).then_some((early, answer.status))
        });
        found.map_or_else(Vec::new, |(early, status)| {
            clue(
                early,
                format!("{status} without a token; the same call went well with one later"),
            )
        })
    },
};

/// A word in place of the token, refused.
pub(crate) static WORD_BROWSED: Sign = Sign {
    name: "word-browsed",
    means: "the browser sent a word like `undefined` in place of a token",
    find: |evidence| {
        let found = evidence.logs.unrecovered().find_map(|(one, answer)| {
            let word = request::word(request::authorization(&one.request)?)?;
            Some((
                one,
                format!("{} for `Authorization: Bearer {word}`", answer.status),
            ))
        });
        found.map_or_else(Vec::new, |(one, says)| clue(one, says))
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
        let value = request::authorization(&one.request)?;
        let token = value.rsplit(char::is_whitespace).next()?.to_owned();
        Some((request::announced(value)?, token))
    };
    let found = all.iter().find_map(|bad| {
        let status = bad.answer.as_ref().filter(|answer| refused(answer))?.status;
        let (scheme, token) = said(bad)?;
        let good = all.iter().find_map(|good| {
            let (other, same) = said(good).filter(|_| good.is_like(bad))?;
            let well = good.answer.as_ref().is_some_and(accepted);
            (well && same == token && differ(&scheme, &other)).then_some(other)
        })?;
        Some((bad, format!("{status} with {scheme}, accepted with {good}")))
    });
    found.map_or_else(Vec::new, |(bad, says)| clue(bad, says))
}

/// A redirect after which the header is gone, and a refusal.
pub(super) fn dropped(evidence: &Evidence, nature: redirect::Move) -> Vec<Clue> {
    let all: Vec<_> = evidence.logs.with_credentials().collect();
    let found = all.iter().enumerate().find_map(|(at, first)| {
        request::authorization(&first.request)?;
        let answer = first.answer.as_ref()?;
        let from = Url::parse(&first.request.url).ok()?;
        let to = from.join(answer.header("location")?).ok()?;
        if !redirect::is_redirect(answer) || redirect::nature(&from, &to) != Some(nature) {
            return None;
        }
        let mut rest = all.iter().skip(at + 1);
        let next = rest.find(|next| next.request.url == to.as_str())?;
        let status = next
            .answer
            .as_ref()
            .filter(|answer| refused(answer))?
            .status;
        let gone = request::authorization(&next.request).is_none();
        gone.then(|| {
            (
                first,
                format!(
                    "{} to {to}, where the header is gone: {status}",
                    answer.status
                ),
            )
        })
    });
    found.map_or_else(Vec::new, |(first, says)| clue(first, says))
}

/// The browser's question was refused, and the call was never answered.
pub(crate) static PREFLIGHT_BROWSED: Sign = Sign {
    name: "preflight-browsed",
    means: "the browser's preflight was refused for want of credentials, and the call itself never went out",
    find: |evidence| {
        let all = &evidence.logs.browsed;
        let found = all.iter().find_map(|asked| {
            let answer = asked
                .answer
                .as_ref()
                .filter(|_| asked.request.method == "OPTIONS")?;
            let went = all.iter().any(|one| {
                one.request.method != "OPTIONS"
                    && one.request.url == asked.request.url
                    && one.answer.is_some()
            });
            (asks_for_credentials(answer) && !went).then_some((asked, answer.status))
        });
        found.map_or_else(Vec::new, |(asked, status)| {
            clue(
                asked,
                format!("{status} for the preflight (OPTIONS), and no answer to the call"),
            )
        })
    },
};

/// 401 or 403 from a layer that reads tokens; a password gate stands before everything.
fn asks_for_credentials(answer: &Answer) -> bool {
    let challenge = answer.header("www-authenticate");
    let basic = challenge.is_some_and(|challenge| contains(challenge, "basic "));
    let bearer = challenge.is_some_and(|challenge| contains(challenge, "bearer"));
    cors::no_route(answer) || !basic && (answer.status == 401 || answer.status == 403 && bearer)
}

/// A page was given a refusal without CORS header fields, and a success with them.
pub(super) fn cors_on_success_only(evidence: &Evidence) -> Vec<Clue> {
    let asked =
        |one: &&Browsed| one.request.header("origin").is_some() && one.request.method != "OPTIONS";
    let allows = |answer: &Answer| answer.header("access-control-allow-origin").is_some();
    let calls = || evidence.logs.browsed.iter().filter(asked);
    let good = calls().any(|one| {
        one.answer
            .as_ref()
            .is_some_and(|it| accepted(it) && allows(it))
    });
    let bad = calls().find(|one| {
        one.answer
            .as_ref()
            .is_some_and(|it| refused(it) && !allows(it))
    });
    match bad.filter(|_| good) {
        Some(bad) => clue(
            bad,
            "refused without `access-control-allow-origin`, which successes have",
        ),
        None => Vec::new(),
    }
}

/// A page's calls go without the cookie that the API knows the user by.
pub(crate) static COOKIE_LEFT_OUT: Sign = Sign {
    name: "cookie-left-out",
    means: "the page's calls to another origin go without the session cookie, and are refused",
    find: |evidence| {
        let all: Vec<_> = evidence.logs.with_credentials().collect();
        let found = all.iter().enumerate().find_map(|(at, call)| {
            let status = call
                .answer
                .as_ref()
                .filter(|answer| refused(answer))?
                .status;
            call.request.header("origin")?;
            let bare = request::authorization(&call.request).is_none()
                && call.request.header("cookie").is_none();
            let why = cookie_of(&all, at, call).filter(|_| bare)?;
            Some((call, format!("{status} for a call without a cookie; {why}")))
        });
        found.map_or_else(Vec::new, |(call, says)| clue(call, says))
    },
};

/// Which cookie a call should have had: one that the API took from elsewhere, or one that it set before
/// and that the browser may not send from this page.
fn cookie_of(all: &[&Browsed], at: usize, call: &Browsed) -> Option<String> {
    let origin = |one: &Browsed| Some(Url::parse(&one.request.url).ok()?.origin());
    let api = origin(call)?;
    let own = || all.iter().filter(|one| origin(one).as_ref() == Some(&api));
    let works = own().any(|one| {
        one.request.header("cookie").is_some() && one.answer.as_ref().is_some_and(accepted)
    });
    if works {
        return Some("with it the API answers well".to_owned());
    }
    let page = Url::parse(call.request.header("origin")?).ok()?;
    let other_site = cors::site(&page) != cors::site(&Url::parse(&call.request.url).ok()?);
    let mut set = own()
        .filter(|one| all.iter().position(|it| it == *one) < Some(at))
        .filter_map(|one| one.answer.as_ref())
        .flat_map(|answer| {
            answer
                .headers
                .iter()
                .filter(|(name, _)| name == "set-cookie")
        });
    let blocked = set.find_map(|(_, cookie)| cors::blocked(cookie));
    blocked
        .filter(|_| other_site)
        .map(|why| format!("the cookie that was set {why}"))
}

/// The header was too large, by the token: no cookie was beside it.
pub(crate) static TOO_LARGE_BROWSED: Sign = Sign {
    name: "too-large-browsed",
    means: "the browser's calls with the token are answered with 431 or its like",
    find: |evidence| {
        let found = evidence.logs.unrecovered().find(|(one, answer)| {
            let token = request::authorization(&one.request).is_some();
            let cookie = one.request.header("cookie").is_some();
            token && !cookie && super::presented::is_too_large(answer)
        });
        found.map_or_else(Vec::new, |(one, answer)| {
            clue(one, format!("{} for a call with the token", answer.status))
        })
    },
};

fn clue(one: &Browsed, says: impl Into<String>) -> Vec<Clue> {
    vec![Clue {
        says: says.into(),
        source: Source::Log(one.file.clone(), one.entry),
        at: None,
    }]
}
