//! What stands before the token.

use super::{flips, is_bearer, is_blemished, turned_away};
use crate::cause::client::request::{self, Scheme};
use crate::probe::Probe;
use crate::sign::answer::says;
use crate::sign::token::claims;
use crate::sign::{Sign, accepted, contains, first_of, probes, refused, seen, together};
use crate::{Clue, Evidence, Source};

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

/// What is announced otherwise than by `Bearer` is answered as nothing is. After `Bearer` the same answer tells
/// nothing of the scheme: many services have one refusal for everything.
pub(crate) static OTHER_SPELLING_UNREAD: Sign = Sign {
    name: "other-spelling-unread",
    means: "the token, which is not announced by `Bearer`, is answered as none is",
    find: |evidence| {
        let other = request::scheme(evidence).is_some_and(|scheme| scheme != Scheme::Bearer);
        if other {
            (probes::AS_WITHOUT_TOKEN.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The client sends `Bearer`, and the API accepts the token only without it, or with another.
pub(crate) static OTHER_SCHEME_WANTED: Sign = Sign {
    name: "other-scheme-wanted",
    means: "the token is accepted without a scheme or with another, and refused with `Bearer`",
    find: |evidence| {
        // Behind the edge `Bearer` is understood: what lies between adds a scheme.
        let added = evidence.answer(Probe::Direct).is_some_and(accepted);
        if !is_bearer(evidence) || added {
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

/// The same, where no edge that adds a scheme explains it: that would answer to `Bearer` as to no token.
pub(crate) static OTHER_SCHEME_ALONE: Sign = Sign {
    name: "other-scheme-alone",
    means: "the token is accepted with another scheme, or without one by a service that reads it after `Bearer`, too",
    find: |evidence| {
        let other = evidence.answer(Probe::TokenScheme).is_some_and(accepted);
        if other || !probes::AS_WITHOUT_TOKEN.holds(evidence) {
            (OTHER_SCHEME_WANTED.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The edge takes the bare token, the service behind it wants `Bearer`: the edge adds one.
pub(crate) static SCHEME_ADDED: Sign = Sign {
    name: "scheme-added-on-the-way",
    means: "`Bearer` is accepted behind the edge, and at the edge only the token without it: the edge adds a second one",
    find: |evidence| {
        let direct = evidence.answer(Probe::Direct).is_some_and(accepted);
        if !is_bearer(evidence) || !direct {
            return Vec::new();
        }
        flips(evidence, &[(Probe::Raw, "without a scheme")])
    },
};

/// The refusal speaks of the scheme.
pub(crate) static SCHEME_NAMED: Sign = Sign {
    name: "scheme-named",
    means: "the refusal speaks of the scheme of the Authorization header",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            let text = SCHEME_TEXTS.iter().find(|text| says(answer, text))?;
            turned_away(answer).then(|| format!("{} with `{text}`", answer.status))
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
        let decodes = claims(evidence).is_some() && is_bearer(evidence);
        together(evidence, [Probe::Client], |[answer]| {
            let words =
                says(answer, "jsonwebtokenerror") && contains(&answer.body, "invalid token");
            let holds = decodes && turned_away(answer) && words;
            holds.then(|| format!("{} with `invalid token`", answer.status))
        })
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
        let client = evidence.answer(Probe::Client).filter(|it| refused(it));
        let challenge = client.and_then(|answer| answer.header("www-authenticate"));
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

/// The client has a signed token and sends a password; the API asks for the token alone.
pub(crate) static PASSWORD_IN_PLACE: Sign = Sign {
    name: "password-in-place",
    means: "the client sends user name and password in place of its token, and the API asks for a Bearer token alone",
    find: |evidence| {
        let password = match request::scheme(evidence) {
            Some(Scheme::Other(scheme)) => ["basic", "digest", "negotiate", "ntlm"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known)),
            _ => false,
        };
        together(evidence, [Probe::Client], |[client]| {
            let mut challenges = client
                .headers
                .iter()
                .filter(|(name, _)| name == "www-authenticate")
                .map(|(_, value)| value.split([' ', ',']).next().unwrap_or_default())
                .peekable();
            let asked = challenges.peek().is_some()
                && challenges.all(|scheme| scheme.eq_ignore_ascii_case("bearer"));
            let holds = password && asked && client.status == 401 && claims(evidence).is_some();
            holds.then(|| "401 for a password, with a challenge for `Bearer`".to_owned())
        })
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
        let answer = evidence.answer(*probe).filter(|it| !accepted(it))?;
        let says = format!("{} for `{probe}`", answer.status);
        Some(Clue::new(says, Source::Probe(*probe)))
    };
    let refusals: Option<Vec<_>> = probes.iter().map(refusal).collect();
    refusals.unwrap_or_default()
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
        let client = evidence.answer(Probe::Client).filter(|it| accepted(it));
        let Some(client) = client.filter(|_| is_bearer(evidence)) else {
            return Vec::new();
        };
        first_of(evidence, &[Probe::Lower, Probe::Upper], |_, answer| {
            let (own, other) = (client.status, answer.status);
            refused(answer).then(|| format!("{own} with `Bearer`, {other} in other letters"))
        })
    },
};

fn said(says: impl Into<String>) -> Vec<Clue> {
    seen(true, says, Probe::Client)
}
