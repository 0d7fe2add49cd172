//! What only the causes of client and transport ask.

use crate::cause::client::request::{self, Scheme};
use crate::compare::same;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::{At, texts};
use crate::sign::token::{claims, presented};
use crate::sign::{Sign, accepted, client_answers, contains, of_token, refused, seen};
use crate::token::{Blemish, Role, Shape};
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

/// 431, or nginx's 494, or a 400 that names the header, for the token and not without it.
pub(crate) static HEADER_TOO_LARGE: Sign = Sign {
    name: "header-too-large",
    means: "the header is too large with the token, and not without it",
    find: |evidence| {
        let Some((_, client)) = request::client(evidence) else {
            return Vec::new();
        };
        let bare = evidence.answer(Probe::Bare);
        let without = bare.is_some_and(|bare| bare.status != client.status);
        let says = format!(
            "{} with the token, {} without it",
            client.status,
            bare.map_or(0, |bare| bare.status)
        );
        seen(is_too_large(client) && without, says, Probe::Client)
    },
};

pub(super) fn is_too_large(answer: &Answer) -> bool {
    let texts = [
        "request header or cookie too large",
        "size of a request header field exceeds server limit",
        "request header is too large",
        "request header fields too large",
        "header fields too large",
        "request header too long",
    ];
    matches!(answer.status, 431 | 494)
        || (400..500).contains(&answer.status)
            && texts.iter().any(|text| contains(&answer.body, text))
}

/// Bytes from which a token alone comes near what servers accept as a header field (Apache 8,190; nginx 8 KiB; Node.js 16 KiB).
const LARGE: u64 = 3_500;

/// The token is that large.
pub(crate) static LARGE_TOKEN: Sign = Sign {
    name: "large-token",
    means: "the token is nearly as large as what servers accept as a whole header, or larger",
    find: |evidence| match presented(evidence) {
        Some(token) if token.length >= LARGE => {
            of_token(format!("the token has {} bytes", token.length), None)
        }
        _ => Vec::new(),
    },
};

/// A large token gets no answer, or a bare 400, whatever its signature; a request without it is answered.
pub(crate) static TOO_LARGE_TO_READ: Sign = Sign {
    name: "too-large-to-read",
    means: "with the large token, forged or not, the request is not even read; with a short one it is",
    find: |evidence| {
        let large = presented(evidence).is_some_and(|token| token.length >= LARGE);
        let unread = |probe| {
            let exchange = evidence.exchanges.iter().find(|it| it.probe == probe);
            exchange.is_some_and(|exchange| match &exchange.result {
                Ok(answer) => matches!(answer.status, 400 | 413 | 414 | 431 | 494),
                Err(crate::exchange::Failure::Reset) => true,
                Err(_) => false,
            })
        };
        let read = |probe| evidence.answer(probe).is_some() && !unread(probe);
        let holds = large
            && unread(Probe::Client)
            && unread(Probe::Altered)
            && read(Probe::Bare)
            && read(Probe::Garbage);
        let says = "not read with the large token, good or altered; answered without it and with `Bearer x`";
        seen(holds, says, Probe::Garbage)
    },
};

/// Refused, though nothing is wrong with it but its kind.
pub(crate) static ID_TOKEN_REFUSED: Sign = Sign {
    name: "id-token-refused",
    means: "an ID token is sent to an API, and refused",
    find: |evidence| kind_refused(evidence, &crate::sign::token::LOOKS_LIKE_ID_TOKEN),
};

/// Refused, and an access token by its claims.
pub(crate) static ACCESS_TOKEN_REFUSED: Sign = Sign {
    name: "access-token-refused",
    means: "an access token is sent, and refused",
    find: |evidence| kind_refused(evidence, &crate::sign::token::LOOKS_LIKE_ACCESS_TOKEN),
};

fn kind_refused(evidence: &Evidence, kind: &'static Sign) -> Vec<Clue> {
    match request::client(evidence) {
        Some((_, answer)) if turned_away(answer) => (kind.find)(evidence),
        _ => Vec::new(),
    }
}

/// Two tokens of one user, of the two kinds: one refused, the other accepted.
pub(crate) static OTHER_KIND_TURNS: Sign = Sign {
    name: "other-kind-turns",
    means: "of one user's ID token and access token the API accepts the one that the client does not send",
    find: |evidence| {
        let (Some(sent), Some(other)) = (claims(evidence), other_claims(evidence)) else {
            return Vec::new();
        };
        let kinds = [sent, other].map(|claims| claims.token_use.as_deref());
        let by_use = matches!(kinds, [Some(one), Some(two)] if one != two);
        let by_marks = is_id(sent) != is_id(other);
        let one_user = sent.sub.is_some() && sent.sub == other.sub && sent.iss == other.iss;
        if !one_user || !(by_use || by_marks && kinds == [None, None]) {
            return Vec::new();
        }
        flips(
            evidence,
            &[(Probe::OtherToken, "with the user's token of the other kind")],
        )
    },
};

fn other_claims(evidence: &Evidence) -> Option<&crate::token::Claims> {
    let other = evidence
        .tokens
        .iter()
        .find(|token| token.role == Role::Other)?;
    other.claims.as_ref()
}

/// Claims that OpenID Connect Core 1.0 (sections 2 and 3.1.3.6) gives to ID tokens only, and no scope.
fn is_id(claims: &crate::token::Claims) -> bool {
    let marks = ["nonce", "at_hash", "c_hash"];
    claims.scope.is_empty()
        && claims
            .names
            .iter()
            .any(|name| marks.contains(&name.as_str()))
}

/// A token that is no signed JWT is refused.
pub(crate) static UNREADABLE_REFUSED: Sign = Sign {
    name: "unreadable-refused",
    means: "the token is opaque or encrypted, and the API refuses it",
    find: |evidence| {
        let (Some(token), Some((_, answer))) = (presented(evidence), request::client(evidence))
        else {
            return Vec::new();
        };
        let unreadable = matches!(token.shape, Shape::Opaque | Shape::Jwe);
        let says = format!("{} for a token that is not a signed JWT", answer.status);
        seen(unreadable && turned_away(answer), says, Probe::Client)
    },
};

/// Encrypted with a key that issuer and recipient share, or that only the issuer has.
pub(crate) static ENCRYPTED_DIRECTLY: Sign = Sign {
    name: "encrypted-directly",
    means: "the token is encrypted with `alg` dir: only who has the issuer's own key can read it",
    find: |evidence| {
        let header = presented(evidence)
            .filter(|token| token.shape == Shape::Jwe)
            .and_then(|token| token.header.as_ref());
        match header.and_then(|header| header.alg.as_deref()) {
            Some("dir") => of_token("encrypted, `alg` is dir", None),
            _ => Vec::new(),
        }
    },
};

/// The API's words are those of a parser of JWTs that got something else.
pub(crate) static NOT_A_JWT: Sign = Sign {
    name: "not-a-jwt",
    means: "the answer says that what was sent is not a JWT",
    find: |evidence| {
        let found = client_answers(evidence).find_map(|(exchange, answer)| {
            let text = PARSERS
                .iter()
                .find(|text| turned_away(answer) && says(answer, text))?;
            Some((exchange.probe, answer.status, *text))
        });
        found.map_or_else(Vec::new, |(probe, status, text)| {
            seen(true, format!("{status} with `{text}`"), probe)
        })
    },
};

/// Of PyJWT, jsonwebtoken (Node.js), jose, Envoy, Nimbus, golang-jwt, jjwt, Microsoft.IdentityModel, Spring, Kong, aws-jwt-verify,
/// python-jose, Authlib, lua-resty-jwt.
const PARSERS: [&str; 20] = [
    "does not consist of exactly 3 parts",
    "error decoding token headers",
    "invalid input segments length",
    "invalid jwt string",
    "not a jwt",
    "not a valid jwt",
    "not enough segments",
    "jwt malformed",
    "invalid compact jws",
    "not in the form of header.payload.signature",
    "invalid jwt serialization",
    "missing dot delimiter",
    "invalid number of segments",
    "exactly 2 period characters",
    "must have three segments",
    "idx12741",
    "malformed token",
    "wrong number of segments",
    "invalid token format",
    "bad token; invalid",
];

/// The issuer knows the token that the API cannot read.
pub(crate) static ISSUER_ACCEPTS: Sign = Sign {
    name: "issuer-accepts",
    means: "the issuer's own userinfo endpoint accepts the token",
    find: |evidence| match evidence.answer(Probe::Userinfo) {
        Some(answer) => seen(
            accepted(answer),
            format!("{} from the userinfo endpoint", answer.status),
            Probe::Userinfo,
        ),
        None => Vec::new(),
    },
};

/// Of two tokens the signed one is accepted.
pub(crate) static SIGNED_TURNS: Sign = Sign {
    name: "signed-turns",
    means: "a signed JWT of the same issuer is accepted, the opaque or encrypted token is not",
    find: |evidence| {
        let shape = |role| {
            let token = evidence.tokens.iter().find(|token| token.role == role)?;
            Some(token.shape)
        };
        let unreadable = matches!(shape(Role::Presented), Some(Shape::Opaque | Shape::Jwe));
        if !unreadable || shape(Role::Other) != Some(Shape::Jws) {
            return Vec::new();
        }
        flips(evidence, &[(Probe::OtherToken, "with a signed JWT")])
    },
};

/// Refused with 400, 401, 403 or 422: what APIs answer to credentials that they do not take.
pub(super) fn turned_away(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401 | 403 | 422)
}

/// Whether an answer says this in its body or its challenge.
fn says(answer: &Answer, text: &str) -> bool {
    let mut challenges = answer
        .headers
        .iter()
        .filter(|(name, _)| name.ends_with("www-authenticate"));
    contains(&answer.body, text) || challenges.any(|(_, value)| contains(value, text))
}

/// The client's request is turned away, and one of these probes is accepted.
fn flips(evidence: &Evidence, probes: &[(Probe, &str)]) -> Vec<Clue> {
    let Some((_, client)) = request::client(evidence).filter(|(_, answer)| turned_away(answer))
    else {
        return Vec::new();
    };
    let turned = probes.iter().find_map(|(probe, how)| {
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
