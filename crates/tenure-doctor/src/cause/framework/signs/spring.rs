//! What Spring says when it guards its page for errors.

use serde_json::Value;

use super::{client, own};
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::{Sign, answers, contains, refused, seen};

/// What Spring Security writes unless told otherwise, in the answer to any probe.
pub(crate) static SPRING_MARKS: Sign = Sign {
    name: "spring-marks",
    means: "Spring wrote the answer",
    find: |evidence| {
        let marked = answers(evidence).find(|(_, answer)| {
            let has = |name: &str, value: &str| {
                answer
                    .header(name)
                    .is_some_and(|found| contains(found, value))
            };
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
        marked.map_or_else(Vec::new, |(probe, answer)| {
            seen(
                true,
                format!("{} with the marks of Spring", answer.status),
                probe,
            )
        })
    },
};

/// A 401 that says nothing at all: the challenge that RFC 9110 asks for is missing too.
pub(crate) static SILENT_401: Sign = Sign {
    name: "silent-401",
    means: "401 without a body and without a challenge: not the verifier of tokens said so",
    find: |evidence| {
        own(evidence, |answer| {
            let silent =
                answer.body.trim().is_empty() && answer.header("www-authenticate").is_none();
            (answer.status == 401 && silent)
                .then(|| "401 without a body and a challenge".to_owned())
        })
    },
};

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
        let (Some(own), Some(bare), Some(altered)) = (
            client(evidence),
            evidence.answer(Probe::Bare),
            evidence.answer(Probe::Altered),
        ) else {
            return Vec::new();
        };
        let holds = refused(own)
            && crate::compare::same(own, bare)
            && refused(altered)
            && !crate::compare::same(own, altered);
        seen(
            holds,
            format!(
                "{} with the token as without it, but another answer to an altered one: it is read, and forgotten",
                own.status
            ),
            Probe::Altered,
        )
    },
};
