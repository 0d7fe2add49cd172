//! What protection against forged requests says.

use crate::cause::Layer;
use crate::exchange::Answer;
use crate::layer;
use crate::probe::Probe;
use crate::sign::{Sign, accepted, contains, found, logs, of_client, together};

/// The refusal itself names a missing token against forged requests.
pub(crate) static CSRF_REFUSAL: Sign = Sign {
    name: "csrf-refusal",
    means: "the refusal asks for a token against forged requests (CSRF)",
    find: |evidence| {
        of_client(evidence, |answer| {
            let word = forgery_word(&answer.body)?;
            let tenure = layer::answered(answer).is_some_and(|by| by.layer == Layer::Tenure);
            (!tenure && is_status(answer))
                .then(|| format!("{} with `{word}` in its body", answer.status))
        })
    },
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
    matches!(answer.status, 400 | 403 | 419 | 422)
}

/// The word by which a body speaks of forged requests. Pages carry such tokens in their forms too.
fn forgery_word(body: &str) -> Option<&'static str> {
    let said = [
        "csrf verification failed",
        "csrf failed",
        "csrf cookie",
        "csrf token missing",
        "csrf token mismatch",
        "csrf token is",
        "csrf token from",
        "csrf token not",
        "missing csrf",
        "invalid csrf",
        "ebadcsrftoken",
        "invalidauthenticitytoken",
        "cross-site post form submissions are forbidden",
    ];
    let document = body.trim_start().starts_with('{');
    let anywhere = ["csrf", "xsrf"].iter().filter(|_| document);
    said.iter()
        .chain(anywhere)
        .find(|word| contains(body, word))
        .copied()
}

/// A log speaks of a missing token against forged requests.
pub(crate) static CSRF_LOGGED: Sign = Sign {
    name: "csrf-logged",
    means: "a log speaks of a missing token against forged requests (CSRF)",
    find: |evidence| logs::text(evidence, "csrf"),
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
