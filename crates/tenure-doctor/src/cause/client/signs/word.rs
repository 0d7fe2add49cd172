//! No token, or a word in place of one.

use super::{LOGGED_NULL, LOGGED_UNDEFINED, turned_away};
use crate::cause::client::request;
use crate::compare::same;
use crate::probe::Probe;
use crate::sign::token::presented;
use crate::sign::{Sign, accepted, first_of, logs, of_token, refused, seen};
use crate::token::Shape;

/// The client's request has no credentials at all, and is refused.
pub(crate) static SENT_WITHOUT_TOKEN: Sign = Sign {
    name: "sent-without-token",
    means: "the client's own request carries no token",
    find: |evidence| {
        let Some((sent, answer)) = request::client(evidence) else {
            return Vec::new();
        };
        let bare = sent.header("authorization").is_none() && request::carriers(sent).is_empty();
        seen(
            bare && refused(answer) && evidence.answer(Probe::Bare).is_none(),
            format!("{} for a request without any token", answer.status),
            Probe::Client,
        )
    },
};

/// A word or nothing is presented, and the API does not accept that.
pub(crate) static WORD_SENT: Sign = Sign {
    name: "word-sent",
    means: "a word like `undefined`, or nothing, is sent in place of a token",
    find: |evidence| {
        if evidence.answer(Probe::Client).is_some_and(accepted) {
            return Vec::new();
        }
        let word = presented(evidence)
            .filter(|token| matches!(token.shape, Shape::Word | Shape::Empty))
            .map(|token| of_token(word_says(token.shape), None));
        let sent = || {
            let (sent, answer) = request::client(evidence)?;
            let value = sent.header("authorization")?;
            let word = request::word(value)?;
            let says = format!("{} for `Authorization: Bearer {word}`", answer.status);
            Some(seen(turned_away(answer), says, Probe::Client))
        };
        word.or_else(sent).unwrap_or_default()
    },
};

fn word_says(shape: Shape) -> &'static str {
    if shape == Shape::Empty {
        "what is presented is empty"
    } else {
        "what is presented is a word that stands for no token"
    }
}

/// Requests with such a word were logged, and refusals too.
pub(crate) static WORD_LOGGED: Sign = Sign {
    name: "word-logged",
    means: "requests with `Bearer undefined` or `Bearer null` are in the logs",
    find: |evidence| {
        let words = [&LOGGED_UNDEFINED, &LOGGED_NULL].into_iter();
        words
            .flat_map(|word| logs::text(evidence, word.name))
            .collect()
    },
};

/// The client's request is refused as the probe that presents `undefined` is, and garbage is refused otherwise.
pub(crate) static AS_UNDEFINED: Sign = Sign {
    name: "as-undefined",
    means: "the request is refused as one with an empty token or a word in its place is",
    find: |evidence| {
        let Some([client, garbage]) = evidence.all_answered([Probe::Client, Probe::Garbage]) else {
            return Vec::new();
        };
        let words = [Probe::Undefined, Probe::Null, Probe::Empty];
        first_of(evidence, &words, |probe, word| {
            let holds = !accepted(client) && same(client, word) && !same(garbage, word);
            holds.then(|| format!("{} for the token as for `{probe}`", client.status))
        })
    },
};
