//! What a client's own record (HAR) shows of gates and of fields that do not arrive.

use super::super::arrived::missing;
use super::gates::login;
use crate::Evidence;
use crate::exchange::Answer;
use crate::logs::Browsed;
use crate::sign::answer::mentions;
use crate::sign::{Sign, accepted, contains};

/// A call of a program is redirected to a sign-in page, and was not answered well afterwards.
pub(crate) static LOGIN_BROWSED: Sign = Sign {
    name: "edge-login-browsed",
    means: "a call of a program, not of a person, was redirected to a sign-in page",
    find: |evidence| {
        let calls = evidence.logs.browsed.iter().enumerate();
        calls
            .filter(|(_, one)| one.is_telling() && is_call(one))
            .filter_map(|(at, one)| {
                let answer = one.answer.as_ref()?;
                let (status, place) = login(answer)?;
                let later = evidence.logs.browsed.get(at + 1..)?;
                let again = later
                    .iter()
                    .any(|it| it.is_like(one) && it.answer.as_ref().is_some_and(accepted));
                let landed = later.iter().find(|it| contains(&it.request.url, place));
                let page = landed.and_then(|it| it.answer.as_ref()).is_none_or(is_page);
                (!again && page).then(|| one.clue(format!("{status} to `{place}` for an API call")))
            })
            .collect()
    },
};

/// It says itself that it is no person's: a bearer token or a wish for JSON, and no cookie that a gate could know.
fn is_call(one: &Browsed) -> bool {
    let has = |name: &str, word: &str| mentions(one.request.header(name), word);
    let program = has("authorization", "bearer") || has("accept", "json");
    program && !has("accept", "text/html") && one.request.header("cookie").is_none()
}

fn is_page(answer: &Answer) -> bool {
    let kind = answer.header("content-type");
    kind.is_none_or(|kind| contains(kind, "text/html"))
}

/// All that could carry the token stands in a field with an underscore, and nginx hands on that none came.
pub(crate) static UNDERSCORE_BROWSED: Sign = Sign {
    name: "edge-underscore-browsed",
    means: "the secret was sent in a field with an underscore through nginx, and the service says that none came",
    find: |evidence: &Evidence| {
        let refused = evidence.logs.unrecovered().filter_map(|(one, answer)| {
            let (name, _) = one
                .request
                .headers
                .iter()
                .find(|(name, value)| name.contains('_') && contains(value, "sha256:"))?;
            let nginx = mentions(answer.header("server"), "nginx");
            let alone = one.request.header("authorization").is_none();
            let words = missing(answer).filter(|_| nginx && alone)?;
            let says = format!("{} with `{name}` sent: `{words}`", answer.status);
            Some(one.clue(says))
        });
        refused.collect()
    },
};
