//! What Spring says when it guards its page for errors.

use serde_json::Value;

use crate::compare::same;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::{Sign, answers, found, of_client, refused, together};

/// What Spring Security writes unless told otherwise, in the answer to any probe.
pub(crate) static SPRING_MARKS: Sign =
    Sign {
        name: "spring-marks",
        means: "Spring wrote the answer",
        find: |evidence| {
            let marked = answers(evidence).find(|(_, answer)| {
                let has = |name: &str, value: &str| mentions(answer.header(name), value);
                let fields = has(
                    "cache-control",
                    "no-cache, no-store, max-age=0, must-revalidate",
                ) && has("x-content-type-options", "nosniff")
                    && has("expires", "0");
                let words = has("www-authenticate", "resource_metadata=")
                    || has("www-authenticate", "attempting to decode the jwt")
                    || has(
                        "www-authenticate",
                        "tools.ietf.org/html/rfc6750#section-3.1",
                    );
                fields || words || is_boot_error(answer)
            });
            found(marked.map(|(probe, answer)| {
                (probe, format!("{} with the marks of Spring", answer.status))
            }))
        },
    };

/// A 401 that says nothing at all: the challenge that RFC 9110 asks for is missing too.
pub(crate) static SILENT_401: Sign = Sign {
    name: "silent-401",
    means: "401 without a body and without a challenge: not the verifier of tokens said so",
    find: |evidence| {
        of_client(evidence, |answer| {
            is_silent_401(answer).then(|| "401 without a body and a challenge".to_owned())
        })
    },
};

pub(super) fn is_silent_401(answer: &Answer) -> bool {
    let challenge = answer.header("www-authenticate");
    answer.status == 401 && answer.body.trim().is_empty() && challenge.is_none()
}

/// Spring Boot's error document.
fn is_boot_error(answer: &Answer) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(&answer.body) else {
        return false;
    };
    ["timestamp", "status", "error", "path"]
        .iter()
        .all(|name| body.get(name).is_some())
}

/// The token is verified, and then the answer is the one for nobody: the error page asks again.
pub(crate) static VERIFIED_THEN_NOBODY: Sign = Sign {
    name: "verified-then-nobody",
    means: "a forged token is refused as such, the good one as if there were none",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::Altered];
        together(evidence, probes, |[own, bare, altered]| {
            let holds = refused(own) && same(own, bare) && refused(altered) && !same(own, altered);
            holds.then(|| {
                format!(
                    "{} with the token as without it, but another answer to an altered one: it is read, and forgotten",
                    own.status
                )
            })
        })
    },
};
