//! What only the causes of client and transport ask.

use crate::cause::client::request::{self, Scheme};
use crate::compare::same;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::{At, texts};
use crate::sign::token::presented;
use crate::sign::{Sign, accepted, contains, of_token, probes, refused, seen};
use crate::token::{Blemish, Shape};
use crate::{Clue, Evidence};

texts! {
    /// Kong's jwt plugin, `handler.lua`.
    MULTIPLE_TOKENS_KONG = "kong-multiple-tokens", At::Client, "multiple tokens provided",
        "Kong says that the request carries several tokens";
    /// Spring Security, `DefaultBearerTokenResolver`.
    MULTIPLE_TOKENS_SPRING = "spring-multiple-tokens", At::Client, "found multiple bearer tokens in the request",
        "Spring Security says that the request carries several tokens";
    /// Auth0's `oauth2-bearer` for Node.js, `get-token.ts`.
    MULTIPLE_TOKENS_AUTH0 = "auth0-multiple-tokens", At::Client, "more than one method used for authentication",
        "Auth0's middleware says that the request carries several tokens";
    /// A request was logged with the word that JavaScript makes of a missing token.
    LOGGED_UNDEFINED = "bearer-undefined", At::Client, "bearer undefined",
        "a request was sent with `Bearer undefined`";
    /// The same of a null.
    LOGGED_NULL = "bearer-null", At::Client, "bearer null",
        "a request was sent with `Bearer null`";
    /// nginx, the page of its status 494.
    HEADER_TOO_LARGE_NGINX = "nginx-header-too-large", At::Client, "request header or cookie too large",
        "nginx says that a header field is too large";
    /// nginx's error log, which names the field.
    LOGGED_TOO_LONG_HEADER = "nginx-too-long-authorization", At::Client, "client sent too long header line: \"authorization",
        "nginx logged an Authorization header that was too long";
    /// Apache httpd, which answers 400.
    HEADER_TOO_LARGE_APACHE = "apache-header-too-large", At::Client, "size of a request header field exceeds server limit",
        "Apache says that a header field is too large";
    /// Tomcat's log and page.
    HEADER_TOO_LARGE_TOMCAT = "tomcat-header-too-large", At::Client, "request header is too large",
        "Tomcat says that the header is too large";
    /// aws-jwt-verify, `assertStringEquals` of `token_use`.
    TOKEN_USE_NOT_ALLOWED = "token-use-not-allowed", At::Client, "token use not allowed",
        "aws-jwt-verify says that the token is of the other kind (`token_use`)";
}

/// The client's request has no credentials at all, and is refused.
pub(crate) static SENT_WITHOUT_TOKEN: Sign = Sign {
    name: "sent-without-token",
    means: "the client's own request carries no token",
    find: |evidence| {
        let Some((sent, answer)) = request::client(evidence) else {
            return Vec::new();
        };
        let bare = request::authorization(sent).is_none() && request::carriers(sent).is_empty();
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
        let presented = presented(evidence);
        let word = presented
            .filter(|token| matches!(token.shape, Shape::Word | Shape::Empty))
            .map(|token| of_token(word_says(token.shape), None));
        let sent = || {
            let (sent, answer) = request::client(evidence)?;
            let value = request::authorization(sent)?;
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
        let mut clues = crate::sign::logs::text(evidence, LOGGED_UNDEFINED.name);
        clues.extend(crate::sign::logs::text(evidence, LOGGED_NULL.name));
        clues
    },
};

/// The client's request is refused as the probe that presents `undefined` is, and garbage is refused otherwise.
pub(crate) static AS_UNDEFINED: Sign = Sign {
    name: "as-undefined",
    means: "the request is refused as one with an empty token or a word in its place is",
    find: |evidence| {
        let Some((_, client)) = request::client(evidence).filter(|(_, it)| !accepted(it)) else {
            return Vec::new();
        };
        let words = [Probe::Undefined, Probe::Null, Probe::Empty];
        let garbage = evidence.answer(Probe::Garbage);
        let alike = words.into_iter().find(|probe| {
            let word = evidence.answer(*probe);
            word.is_some_and(|word| same(client, word) && garbage.is_some_and(|it| !same(it, word)))
        });
        match alike {
            Some(probe) => seen(
                true,
                format!("{} for the token as for `{probe}`", client.status),
                probe,
            ),
            None => Vec::new(),
        }
    },
};

/// The client sends its token without a scheme, or with another than `Bearer`.
pub(crate) static OTHER_SCHEME_SENT: Sign = Sign {
    name: "other-scheme-sent",
    means: "the client sends the token without a scheme, or with another than `Bearer`",
    find: |evidence| match request::scheme(evidence) {
        Some(Scheme::None) => said("the client sends the token without a scheme"),
        Some(Scheme::Other(scheme)) => said(format!("the client sends the scheme `{scheme}`")),
        _ => Vec::new(),
    },
};

/// The client sends `Bearer`, and the API accepts the token only without it, or with another.
pub(crate) static OTHER_SCHEME_WANTED: Sign = Sign {
    name: "other-scheme-wanted",
    means: "the token is accepted without a scheme or with another, and refused with `Bearer`",
    find: |evidence| {
        if request::scheme(evidence) != Some(Scheme::Bearer) {
            return Vec::new();
        }
        flips(
            evidence,
            &[
                (Probe::Raw, "without a scheme"),
                (Probe::TokenScheme, "with `Token`"),
            ],
        )
    },
};

/// The refusal speaks of the scheme.
pub(crate) static SCHEME_NAMED: Sign = Sign {
    name: "scheme-named",
    means: "the refusal speaks of the scheme of the Authorization header",
    find: |evidence| {
        let Some((_, answer)) = request::client(evidence).filter(|(_, it)| turned_away(it)) else {
            return Vec::new();
        };
        let text = SCHEME_TEXTS.iter().find(|text| says(answer, text));
        text.map_or_else(Vec::new, |text| {
            let says = format!("{} with `{text}`", answer.status);
            seen(true, says, Probe::Client)
        })
    },
};

/// Of express-jwt, Auth0's samples, Flask-JWT-Extended, Django REST framework and hand-written checks.
const SCHEME_TEXTS: [&str; 10] = [
    "format is authorization: bearer",
    "must start with bearer",
    "bad authorization header",
    "missing 'bearer'",
    "expected bearer",
    "invalid authentication scheme",
    "invalid authorization scheme",
    "unsupported authorization",
    "invalid scheme",
    "wrong scheme",
];

/// jsonwebtoken (Node) can decode neither header nor payload of a token that is in order: something stands before it.
/// A bad signature is `invalid signature` there, and what has not three parts `jwt malformed`.
pub(crate) static NOT_DECODED: Sign = Sign {
    name: "bearer-not-decoded",
    means: "the service cannot decode a token that is well formed, so it may take the scheme for a part of it",
    find: |evidence| {
        let decodes = presented(evidence).is_some_and(|token| token.claims.is_some());
        let client = request::client(evidence).filter(|(_, answer)| turned_away(answer));
        let words = |answer: &Answer| {
            says(answer, "jsonwebtokenerror") && contains(&answer.body, "invalid token")
        };
        match client.filter(|(_, answer)| decodes && is_bearer(evidence) && words(answer)) {
            Some((_, answer)) => said(format!("{} with `invalid token`", answer.status)),
            None => Vec::new(),
        }
    },
};

/// The challenge asks for another scheme than the client sends.
pub(crate) static OTHER_SCHEME_ASKED: Sign = Sign {
    name: "other-scheme-asked",
    means: "the challenge asks for another scheme than the client sends",
    find: |evidence| {
        let sent = match request::scheme(evidence) {
            Some(Scheme::Bearer | Scheme::OtherCase(_)) => "bearer".to_owned(),
            Some(Scheme::Other(scheme)) => scheme.to_ascii_lowercase(),
            Some(Scheme::None) => String::new(),
            None => return Vec::new(),
        };
        let client = request::client(evidence).filter(|(_, answer)| refused(answer));
        let challenge = client.and_then(|(_, answer)| answer.header("www-authenticate"));
        let asked = challenge
            .and_then(|it| it.split([' ', ',']).next())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let known = ["bearer", "token", "jwt"].contains(&asked.as_str());
        seen(
            known && asked != sent,
            format!("the challenge asks for `{asked}`"),
            Probe::Client,
        )
    },
};

/// Other schemes were tried, and refused.
pub(crate) static SCHEMES_TRIED: Sign = Sign {
    name: "schemes-tried",
    means: "the token is refused without a scheme and with another, too",
    find: |evidence| tried(evidence, &[Probe::Raw, Probe::TokenScheme]),
};

/// Other letters were tried, and refused.
pub(crate) static CASES_TRIED: Sign = Sign {
    name: "cases-tried",
    means: "the token is refused in every spelling of the scheme",
    find: |evidence| tried(evidence, &[Probe::Lower, Probe::Upper]),
};

fn tried(evidence: &Evidence, probes: &[Probe]) -> Vec<Clue> {
    let refusal = |probe: &Probe| {
        let answer = evidence.answer(*probe).filter(|answer| !accepted(answer))?;
        Some((*probe, answer.status))
    };
    let refusals: Option<Vec<_>> = probes.iter().map(refusal).collect();
    let refusals = refusals.unwrap_or_default().into_iter();
    refusals
        .flat_map(|(probe, status)| seen(true, format!("{status} for `{probe}`"), probe))
        .collect()
}

/// Refused as the client sends it, accepted as `Bearer`, where the scheme is all that differs.
pub(crate) static BEARER_TURNS: Sign = Sign {
    name: "bearer-turns",
    means: "the same token is accepted once `Bearer` stands before it",
    find: |evidence| {
        let other = matches!(
            request::scheme(evidence),
            Some(Scheme::None | Scheme::Other(_))
        );
        if !other || is_blemished(evidence) {
            return Vec::new();
        }
        flips(evidence, &[(Probe::Trimmed, "with `Bearer`")])
    },
};

/// The client sends `bearer` in other letters; most services take it.
pub(crate) static OTHER_CASE_SENT: Sign = Sign {
    name: "other-case-sent",
    means: "the client writes the scheme in other letters than `Bearer`, and is not accepted",
    find: |evidence| match request::scheme(evidence) {
        _ if evidence.answer(Probe::Client).is_some_and(accepted) => Vec::new(),
        Some(Scheme::OtherCase(scheme)) => said(format!("the client writes `{scheme}`")),
        _ => Vec::new(),
    },
};

/// Two spellings of the scheme, one accepted and one refused, with the same token.
pub(crate) static CASE_TURNS: Sign = Sign {
    name: "case-turns",
    means: "the same token is refused and accepted by the letters of the scheme alone",
    find: |evidence| {
        if is_blemished(evidence) {
            return Vec::new();
        }
        match request::scheme(evidence) {
            Some(Scheme::OtherCase(_)) => flips(evidence, &[(Probe::Trimmed, "with `Bearer`")]),
            Some(Scheme::Bearer) => flips(
                evidence,
                &[
                    (Probe::Lower, "with `bearer`"),
                    (Probe::Upper, "with `BEARER`"),
                ],
            ),
            _ => Vec::new(),
        }
    },
};

/// The client's `Bearer` works, `bearer` does not.
pub(crate) static CASE_MATTERS: Sign = Sign {
    name: "case-matters",
    means: "the API accepts the scheme in one spelling only",
    find: |evidence| {
        let bearer = request::scheme(evidence) == Some(Scheme::Bearer);
        let Some((_, client)) = request::client(evidence).filter(|(_, it)| bearer && accepted(it))
        else {
            return Vec::new();
        };
        let strict = [Probe::Lower, Probe::Upper].into_iter().find_map(|probe| {
            let answer = evidence.answer(probe).filter(|answer| refused(answer))?;
            Some((probe, answer.status))
        });
        strict.map_or_else(Vec::new, |(probe, status)| {
            let says = format!("{} with `Bearer`, {status} in other letters", client.status);
            seen(true, says, probe)
        })
    },
};

/// Something is around or in the token that no verifier reads past.
pub(crate) static SPOILED: Sign = Sign {
    name: "spoiled-token",
    means: "the token carries what no verifier reads past: quotes, a second scheme, another encoding",
    find: |evidence| {
        let spoils = |blemish: &Blemish| {
            matches!(
                blemish,
                Blemish::Quoted
                    | Blemish::Scheme
                    | Blemish::PercentEncoded
                    | Blemish::Base64Encoded
                    | Blemish::Json
                    | Blemish::Foreign
                    | Blemish::InnerBlank
                    | Blemish::Doubled
            )
        };
        let token = presented(evidence);
        let spoiled = token.is_some_and(|token| token.blemishes.iter().any(spoils));
        let client = evidence.answer(Probe::Client);
        let bearer = client.is_none() || is_bearer(evidence);
        if spoiled && bearer && !client.is_some_and(accepted) {
            of_token("what is stored as the token is not only the token", None)
        } else {
            Vec::new()
        }
    },
};

/// What is sent is read, and no better without what does not belong to it as far as that was tried.
pub(crate) static READ_AND_REFUSED: Sign = Sign {
    name: "read-and-refused",
    means: "what is sent is read and refused; without any token the answer is another, and so it is with a cleaned one, where that was tried",
    find: |evidence| {
        let (Some((_, client)), Some(bare)) =
            (request::client(evidence), evidence.answer(Probe::Bare))
        else {
            return Vec::new();
        };
        let trimmed = evidence.answer(Probe::Trimmed);
        let no_better = trimmed.is_some_and(|trimmed| same(client, trimmed));
        let says = format!("{} for it, {} without a token", client.status, bare.status);
        seen(
            turned_away(client) && !same(client, bare) && !no_better,
            says,
            Probe::Bare,
        )
    },
};

/// Cleaned, it is refused no less.
pub(crate) static TRIMMED_REFUSED: Sign = Sign {
    name: "trimmed-refused",
    means: "the token is refused in the same way without what does not belong to it",
    find: |evidence| {
        let (Some((_, client)), Some(trimmed)) =
            (request::client(evidence), evidence.answer(Probe::Trimmed))
        else {
            return Vec::new();
        };
        let holds = !accepted(client) && same(client, trimmed);
        seen(
            holds,
            format!("{} for the cleaned token too", trimmed.status),
            Probe::Trimmed,
        )
    },
};

/// Quotes, blanks and encodings are what makes the difference.
pub(crate) static CLEANING_TURNS: Sign = Sign {
    name: "cleaning-turns",
    means: "the token is accepted once the characters that do not belong to it are off",
    find: |evidence| {
        if !is_blemished(evidence) || !is_bearer(evidence) {
            return Vec::new();
        }
        flips(evidence, &[(Probe::Trimmed, "with the cleaned token")])
    },
};

/// The end of the token is missing.
pub(crate) static CUT_OFF: Sign = Sign {
    name: "cut-off-token",
    means: "the end of the token is missing",
    find: |evidence| {
        let cut = presented(evidence).filter(|it| it.blemishes.contains(&Blemish::Truncated));
        match cut {
            Some(token) => of_token(format!("it ends after {} bytes", token.length), None),
            None => Vec::new(),
        }
    },
};

/// The request carries a token in its header and another in its query or cookies.
pub(crate) static TWO_CARRIERS: Sign = Sign {
    name: "two-carriers",
    means: "the request carries a token in its header and another in its query or cookies",
    find: |evidence| {
        let Some((sent, _)) = request::client(evidence) else {
            return Vec::new();
        };
        let others = request::carriers(sent);
        let holds = request::authorization(sent).is_some() && !others.is_empty();
        seen(
            holds,
            format!("Authorization, and {}", others.join(" and ")),
            Probe::Client,
        )
    },
};

/// The other one is in the query, where nobody puts a token by accident of a browser.
pub(crate) static TOKEN_IN_QUERY_TOO: Sign = Sign {
    name: "token-in-query-too",
    means: "the request carries a token in its header and another in its query",
    find: |evidence| {
        let carriers = (TWO_CARRIERS.find)(evidence).into_iter();
        carriers
            .filter(|clue| clue.says.contains("in the query"))
            .collect()
    },
};

/// With both carriers it is refused, with one alone accepted.
pub(crate) static ONE_CARRIER_TURNS: Sign = Sign {
    name: "one-carrier-turns",
    means: "the request is accepted once its Authorization header is left out",
    find: |evidence| {
        let two = !(TWO_CARRIERS.find)(evidence).is_empty();
        if !two {
            return Vec::new();
        }
        flips(
            evidence,
            &[(Probe::Bare, "without its Authorization header")],
        )
    },
};

/// 400 `invalid_request`, as RFC 6750 asks for where several methods are used.
pub(crate) static INVALID_REQUEST: Sign = Sign {
    name: "challenge-invalid-request",
    means: "the answer calls the request itself malformed (`invalid_request`)",
    find: |evidence| match request::client(evidence) {
        Some((_, answer)) => seen(
            answer.status == 400 && says(answer, "invalid_request"),
            "400 with `invalid_request`",
            Probe::Client,
        ),
        None => Vec::new(),
    },
};

/// Refused with 400, 401, 403 or 422: what APIs answer to credentials that they do not take.
pub(super) fn turned_away(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401 | 403 | 422)
}

/// Whether an answer says this in its body or its challenge.
pub(super) fn says(answer: &Answer, text: &str) -> bool {
    let mut challenges = answer
        .headers
        .iter()
        .filter(|(name, _)| name.ends_with("www-authenticate"));
    contains(&answer.body, text) || challenges.any(|(_, value)| contains(value, text))
}

/// The client's request is turned away, and one of these probes is accepted.
pub(super) fn flips(evidence: &Evidence, tried: &[(Probe, &str)]) -> Vec<Clue> {
    let steady = |answer: &Answer| {
        turned_away(answer) && !probes::is_passing(answer) && !probes::answers_vary(evidence)
    };
    let Some((_, client)) = request::client(evidence).filter(|(_, answer)| steady(answer)) else {
        return Vec::new();
    };
    let turned = tried.iter().find_map(|(probe, how)| {
        let answer = evidence.answer(*probe).filter(|answer| accepted(answer))?;
        Some((*probe, answer.status, *how))
    });
    turned.map_or_else(Vec::new, |(probe, status, how)| {
        seen(
            true,
            format!("{} as the client sends it, {status} {how}", client.status),
            probe,
        )
    })
}

fn said(says: impl Into<String>) -> Vec<Clue> {
    seen(true, says, Probe::Client)
}

fn is_bearer(evidence: &Evidence) -> bool {
    request::scheme(evidence) == Some(Scheme::Bearer)
}

fn is_blemished(evidence: &Evidence) -> bool {
    presented(evidence).is_some_and(|token| !token.blemishes.is_empty())
}
