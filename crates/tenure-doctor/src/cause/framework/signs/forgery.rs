//! What protection against forged requests says.

use serde_json::Value;

use self::words::WORDS;
use crate::cause::Layer;
use crate::exchange::Answer;
use crate::layer;
use crate::logs::Pattern;
use crate::probe::Probe;
use crate::sign::answer::lists;
use crate::sign::{Sign, accepted, contains, first_of, found, logs, of_client, together};

pub(crate) mod words;

/// The refusal itself names a missing token against forged requests; that to a page's request, where a page was named.
pub(crate) static CSRF_REFUSAL: Sign = Sign {
    name: "csrf-refusal",
    means: "the refusal asks for a token against forged requests (CSRF)",
    find: |evidence| {
        let says = |answer: &Answer| {
            let word = forgery_word(&answer.body)?;
            let tenure = layer::answered(answer).is_some_and(|by| by.layer == Layer::Tenure);
            (!tenure && is_status(answer) && !lists(answer))
                .then(|| format!("{} with `{word}` in its body", answer.status))
        };
        let own = of_client(evidence, says);
        if own.is_empty() {
            return first_of(evidence, &[Probe::Origin], |_, answer| says(answer));
        }
        own
    },
};

/// A browser's record holds such a refusal of a call that was not answered well afterwards.
pub(crate) static CSRF_BROWSED: Sign = Sign {
    name: "csrf-browsed",
    means: "a page's call was refused for want of a token against forged requests (CSRF)",
    find: |evidence| {
        let refusals = evidence.logs.unrecovered().filter(|(_, answer)| {
            let tenure = layer::answered(answer).is_some_and(|by| by.layer == Layer::Tenure);
            !tenure && is_status(answer) && !lists(answer)
        });
        let clues = refusals.filter_map(|(one, answer)| {
            let word = forgery_word(&answer.body)?;
            Some(one.clue(format!("{} with `{word}` in its body", answer.status)))
        });
        clues.collect()
    },
};

/// Writes are refused beside such words in a log, of people who are served else.
pub(crate) static CSRF_WRITES_LOGGED: Sign = Sign {
    name: "csrf-writes-logged",
    means: "a log shows writes refused beside words about forged requests, of people who may read",
    find: |evidence| logs::found(evidence, Pattern::WritesRefused),
};

/// Statuses with which frameworks refuse what they take for forged.
pub(crate) static CSRF_STATUS: Sign = Sign {
    name: "csrf-status",
    means: "the status is one with which frameworks refuse what they take for forged",
    find: |evidence| {
        of_client(evidence, |answer| {
            is_status(answer).then(|| format!("{} for the client's request", answer.status))
        })
    },
};

fn is_status(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401 | 403 | 412 | 419 | 422)
}

/// The word by which a body speaks of forged requests. Pages carry such tokens in their forms too, and documents
/// in their members: there, only what explains counts.
fn forgery_word(body: &str) -> Option<&str> {
    let said = WORDS.iter().find(|word| contains(body, word)).copied();
    said.or_else(|| explained(&serde_json::from_str(body).ok()?))
}

fn explained(document: &Value) -> Option<&'static str> {
    const EXPLAINS: [&str; 9] = [
        "code", "descr", "detail", "error", "messag", "msg", "reason", "title", "type",
    ];
    let members = document.as_object()?;
    let explains = |name: &str| EXPLAINS.iter().any(|part| contains(name, part));
    members
        .iter()
        .filter(|(name, _)| explains(name))
        .find_map(|(_, member)| match member {
            Value::String(text) => ["csrf", "xsrf"]
                .into_iter()
                .find(|word| contains(text, word)),
            Value::Array(items) => items.iter().find_map(explained),
            member => explained(member),
        })
}

/// A log speaks of a missing token against forged requests.
pub(crate) static CSRF_LOGGED: Sign = Sign {
    name: "csrf-logged",
    means: "a log speaks of a missing token against forged requests (CSRF)",
    find: |evidence| logs::text(evidence, "csrf"),
};

/// The same request is taken without an Origin and refused with one, while a log speaks of forged requests.
pub(crate) static CSRF_BY_ORIGIN: Sign = Sign {
    name: "csrf-by-origin",
    means: "a page's write is refused for its Origin, and the same without one is taken",
    find: |evidence| {
        if !WRITES.holds(evidence) || !CSRF_LOGGED.holds(evidence) {
            return Vec::new();
        }
        together(evidence, [Probe::Client, Probe::Origin], |[own, page]| {
            let holds = accepted(own) && page.status == 403;
            let status = own.status;
            holds.then(|| {
                format!("{status} without an Origin, 403 with one, in a log of forged requests")
            })
        })
    },
};

/// The method writes, and its refusal does not look at the token, while reading is allowed with it.
pub(crate) static WRITES_REFUSED: Sign = Sign {
    name: "writes-refused",
    means: "reading is allowed with the token, and writing refused",
    find: |evidence| {
        let probes = [Probe::Client, Probe::OtherMethod];
        together(evidence, probes, |[own, other]| {
            let holds = WRITES.holds(evidence) && own.status == 403 && accepted(other);
            holds.then(|| format!("403 for the method that writes, {} for GET", other.status))
        })
    },
};

/// The client's method is one that writes.
pub(crate) static WRITES: Sign = Sign {
    name: "writes",
    means: "the client's request writes",
    find: |evidence| {
        let method = evidence
            .exchange(Probe::Client)
            .map(|it| it.request.method.as_str());
        let writes = method.filter(|it| matches!(*it, "POST" | "PUT" | "PATCH" | "DELETE"));
        found(writes.map(|method| (Probe::Client, format!("the client's method is {method}"))))
    },
};
