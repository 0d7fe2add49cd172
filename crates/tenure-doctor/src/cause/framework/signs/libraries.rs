//! What libraries for verifying tokens say.

use crate::drift::Subject;
use crate::probe::Probe;
use crate::sign::answer::{from_cache, mentions};
use crate::sign::probes::answers_vary;
use crate::sign::{
    Sign, accepted, answers, contains, each, keys, of_client, refused, seen, together, token,
};
use crate::{Clue, Evidence};

/// `FastAPI`'s words for a missing header, with 403.
pub(crate) static FASTAPI_403: Sign = Sign {
    name: "fastapi-403",
    means: "FastAPI says 403 where credentials are missing",
    find: |evidence| worded_403(evidence, &[r#""detail":"not authenticated""#]),
};

/// Django REST framework's words for a missing header, with 403.
pub(crate) static DRF_403: Sign = Sign {
    name: "drf-403",
    means: "Django REST framework says 403 where credentials are missing",
    find: |evidence| worded_403(evidence, &["authentication credentials were not provided."]),
};

/// Its words for a token that is no good, with 403.
pub(crate) static DRF_INVALID_403: Sign = Sign {
    name: "drf-invalid-403",
    means: "Django REST framework says 403 of a token that is not good",
    find: |evidence| {
        let words = [
            "given token not valid for any token type",
            r#"{"detail":"invalid token."}"#,
            "incorrect authentication credentials.",
            r#"{"detail":"token has expired"#,
            r#""code":"token_not_valid""#,
        ];
        of_client(evidence, |answer| {
            let word = words
                .iter()
                .find(|word| contains(&tight(&answer.body), &tight(word)))?;
            (answer.status == 403).then(|| format!("403 with `{word}`"))
        })
    },
};

/// 403 with one of these in the answer to the client, or to a request without a token where the client's is refused too.
fn worded_403(evidence: &Evidence, words: &[&str]) -> Vec<Clue> {
    let accepted = answers_vary(evidence);
    answered_403(evidence, words, |probe| match probe {
        Probe::Client => true,
        Probe::Bare | Probe::BareOrigin => !accepted,
        _ => false,
    })
}

fn answered_403(evidence: &Evidence, words: &[&str], asked: impl Fn(Probe) -> bool) -> Vec<Clue> {
    let mut clues = Vec::new();
    for (probe, answer) in answers(evidence) {
        let body = tight(&answer.body);
        let word = words.iter().find(|word| contains(&body, &tight(word)));
        if let (true, 403, Some(word)) = (asked(probe), answer.status, word) {
            clues.extend(seen(true, format!("403 with `{word}`"), probe));
        }
    }
    clues
}

/// `FastAPI`'s words for a missing header to the doctor's own request without one; the client's is accepted.
pub(crate) static FASTAPI_403_BARE: Sign = Sign {
    name: "fastapi-403-bare",
    means: "FastAPI would say 403 to a client whose credentials are missing",
    find: |evidence| {
        let words = [r#""detail":"not authenticated""#];
        let accepted = answers_vary(evidence);
        answered_403(evidence, &words, |probe| accepted && probe == Probe::Bare)
    },
};

/// The version in which `HTTPBearer` answers 401.
const FASTAPI_401: (u32, u32) = (0, 122);

/// The service is built with a `FastAPI` that says 403.
pub(crate) static FASTAPI_PINNED: Sign = Sign {
    name: "fastapi-pinned",
    means: "the service is built with a FastAPI of before 0.122",
    find: |evidence| {
        let pinned = evidence.beliefs.iter().filter(|belief| {
            let mut parts = belief.value.split('.').map(str::parse::<u32>);
            let version = (parts.next(), parts.next());
            belief.about == Subject::Setting
                && belief.name.eq_ignore_ascii_case("fastapi")
                && matches!(version, (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < FASTAPI_401)
        });
        pinned
            .map(|belief| Clue::new(format!("FastAPI {}", belief.value), belief.source.clone()))
            .collect()
    },
};

/// Without blanks: JSON is written with and without them.
fn tight(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Without a token the endpoint answers, with this token it refuses.
pub(crate) static WORSE_WITH_TOKEN: Sign = Sign {
    name: "worse-with-token",
    means: "the endpoint answers everybody, and refuses this token",
    find: |evidence| {
        together(evidence, [Probe::Client, Probe::Bare], |[own, bare]| {
            let page = mentions(bare.header("content-type"), "text/html");
            let holds = refused(own) && accepted(bare) && !page && from_cache(bare).is_none();
            holds.then(|| format!("{} with the token, {} without it", own.status, bare.status))
        })
    },
};

/// The token's own time is over, or no key that was given verifies it: whoever judges it must refuse it. Where it is
/// good by all that is known, the verifier is at fault, and that strangers are served is beside the point.
pub(crate) static DEAD_BY_ITSELF: Sign = Sign {
    name: "dead-by-itself",
    means: "the token is refused for what it is: expired, or of another issuer's key",
    find: |evidence| {
        if GOOD_BY_ITSELF.holds(evidence) {
            return Vec::new();
        }
        each(evidence, &[&token::EXPIRED, &keys::NO_KEY_VERIFIES])
    },
};

/// A key that was given verifies it, and its time is not over.
pub(crate) static GOOD_BY_ITSELF: Sign = Sign {
    name: "good-by-itself",
    means: "the token is in time, and a key that was given verifies it",
    find: |evidence| {
        if token::EXPIRED.holds(evidence) {
            return Vec::new();
        }
        (keys::VERIFIES.find)(evidence)
    },
};

/// An altered token is refused where none is needed: so a bad one is what is refused.
pub(crate) static FORGED_REFUSED: Sign = Sign {
    name: "forged-refused",
    means: "an altered token is refused",
    find: |evidence| {
        together(evidence, [Probe::Altered], |[altered]| {
            refused(altered).then(|| format!("{} with an altered signature", altered.status))
        })
    },
};

/// 403 beside `invalid_token`, for which RFC 6750 asks for 401.
pub(crate) static INVALID_TOKEN_403: Sign = Sign {
    name: "invalid-token-403",
    means: "the challenge says `invalid_token`, for which RFC 6750 asks for 401, and the status is 403",
    find: |evidence| {
        of_client(evidence, |answer| {
            let challenge = answer.header("www-authenticate")?;
            (answer.status == 403 && contains(challenge, "invalid_token"))
                .then(|| format!("403 with `{challenge}`"))
        })
    },
};

/// The words of axum-jwt-auth for whatever it has no other word for.
pub(crate) static INTERNAL_ERROR_500: Sign = Sign {
    name: "internal-error-500",
    means: "500 with the words that axum-jwt-auth has for a key that it does not know",
    find: |evidence| {
        of_client(evidence, |answer| {
            (answer.status == 500 && answer.body.trim() == "Internal error")
                .then(|| "500 with `Internal error`".to_owned())
        })
    },
};

/// Its words for other faults, to requests that differ.
pub(crate) static AXUM_WORDS: Sign = Sign {
    name: "axum-jwt-auth-words",
    means: "without a token the answer has axum-jwt-auth's words",
    find: |evidence| {
        together(evidence, [Probe::Bare], |[bare]| {
            let holds = bare.status == 401 && bare.body.trim() == "Missing token";
            holds.then(|| "401 with `Missing token`".to_owned())
        })
    },
};
