//! Several tokens in one request.

use super::flips;
use crate::cause::client::request;
use crate::probe::Probe;
use crate::sign::answer::says;
use crate::sign::{Sign, seen, together};

/// The request carries a token in its header and another in its query or cookies.
pub(crate) static TWO_CARRIERS: Sign = Sign {
    name: "two-carriers",
    means: "the request carries a token in its header and another in its query or cookies",
    find: |evidence| {
        let Some((sent, _)) = request::client(evidence) else {
            return Vec::new();
        };
        let others = request::carriers(sent);
        let holds = sent.header("authorization").is_some() && !others.is_empty();
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
        let in_query = |(sent, _)| !request::in_query(sent).is_empty();
        if request::client(evidence).is_some_and(in_query) {
            (TWO_CARRIERS.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// With both carriers it is refused, with one alone accepted.
pub(crate) static ONE_CARRIER_TURNS: Sign = Sign {
    name: "one-carrier-turns",
    means: "the request is accepted once its Authorization header is left out",
    find: |evidence| {
        if TWO_CARRIERS.holds(evidence) {
            flips(
                evidence,
                &[(Probe::Bare, "without its Authorization header")],
            )
        } else {
            Vec::new()
        }
    },
};

/// 400 `invalid_request`, as RFC 6750 asks for where several methods are used.
pub(crate) static INVALID_REQUEST: Sign = Sign {
    name: "challenge-invalid-request",
    means: "the answer calls the request itself malformed (`invalid_request`)",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            let holds = answer.status == 400 && says(answer, "invalid_request");
            holds.then(|| "400 with `invalid_request`".to_owned())
        })
    },
};
