//! What is presented: how much of it, and of which kind.

use super::signs::{flips, turned_away};
use crate::exchange::{Answer, Failure};
use crate::probe::Probe;
use crate::sign::answer::says;
use crate::sign::token::{claims, presented};
use crate::sign::{Sign, accepted, contains, logs, of_client, of_token, seen, together};
use crate::token::{Claims, Role, Shape};
use crate::{Clue, Evidence};

/// 431, or nginx's 494, or a 400 that names the header, for the token and not without it.
pub(crate) static HEADER_TOO_LARGE: Sign = Sign {
    name: "header-too-large",
    means: "the header is too large with the token, and not without it",
    find: |evidence| {
        let Some([client, bare]) = evidence.all_answered([Probe::Client, Probe::Bare]) else {
            return Vec::new();
        };
        let (with, without) = (client.status, bare.status);
        let says = format!("{with} with the token, {without} without it");
        seen(is_too_large(client) && with != without, says, Probe::Client)
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
pub(super) const LARGE: u64 = 3_500;

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
            let exchange = evidence.exchange(probe);
            exchange.is_some_and(|exchange| match &exchange.result {
                Ok(answer) => matches!(answer.status, 400 | 413 | 414 | 431 | 494),
                Err(failure) => *failure == Failure::Reset,
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
    if evidence.answer(Probe::Client).is_some_and(turned_away) {
        (kind.find)(evidence)
    } else {
        Vec::new()
    }
}

/// Two tokens of one user, of the two kinds: one refused, the other accepted.
pub(crate) static OTHER_KIND_TURNS: Sign = Sign {
    name: "other-kind-turns",
    means: "of one user's ID token and access token the API accepts the one that the client does not send",
    find: |evidence| {
        let other = evidence.token(Role::Other);
        let other = other.and_then(|token| token.claims.as_ref());
        let (Some(sent), Some(other)) = (claims(evidence), other) else {
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

/// Claims that OpenID Connect Core 1.0 (sections 2 and 3.1.3.6) gives to ID tokens only, and no scope.
fn is_id(claims: &Claims) -> bool {
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
        let shape = presented(evidence).map(|token| token.shape);
        let unreadable = matches!(shape, Some(Shape::Opaque | Shape::Jwe));
        together(evidence, [Probe::Client], |[answer]| {
            let says = || format!("{} for a token that is not a signed JWT", answer.status);
            (unreadable && turned_away(answer)).then(says)
        })
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
        of_client(evidence, |answer| {
            let text = PARSERS.iter().find(|text| says(answer, text))?;
            turned_away(answer).then(|| format!("{} with `{text}`", answer.status))
        })
    },
};

/// Of PyJWT, jsonwebtoken (Node.js), jose, Envoy, Nimbus, golang-jwt, jjwt, Microsoft.IdentityModel, Spring, Kong, aws-jwt-verify,
/// python-jose, Authlib, lua-resty-jwt.
const PARSERS: [&str; 21] = [
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
    "token is malformed",
    "wrong number of segments",
    "invalid token format",
    "bad token; invalid",
];

/// What parsers of JWTs write of anything else, in a log.
pub(crate) const LOGGED: &[(&str, &str)] = &[
    ("not-a-jwt-jose", "invalid compact jws"),
    ("not-a-jwt-jsonwebtoken", "jwt malformed"),
    ("not-a-jwt-pyjwt", "not enough segments"),
    ("not-a-jwt-golang", "invalid number of segments"),
    ("not-a-jwt-nimbus", "missing dot delimiter"),
    ("not-a-jwt-jjwt", "exactly 2 period characters"),
    (
        "not-a-jwt-envoy",
        "not in the form of header.payload.signature",
    ),
    ("not-a-jwt-microsoft", "idx12741"),
    ("not-a-jwt-idx14100", "idx14100"),
    ("not-a-jwt-ruby", "not enough or too many segments"),
    ("not-a-jwt-php", "wrong number of segments"),
];

/// The token that was given is none that these read, and that is what the API's log says of what it was sent.
pub(crate) static UNREADABLE_LOGGED: Sign = Sign {
    name: "unreadable-logged",
    means: "the token is opaque or encrypted, and the API has logged that what it is sent is not a JWT",
    find: |evidence| {
        let shape = presented(evidence).map(|token| token.shape);
        let unreadable = matches!(shape, Some(Shape::Opaque | Shape::Jwe));
        let works = evidence.answer(Probe::Client).is_some_and(accepted);
        if !unreadable || works {
            return Vec::new();
        }
        LOGGED
            .iter()
            .flat_map(|(name, _)| logs::text(evidence, name))
            .collect()
    },
};

/// The issuer knows the token that the API cannot read.
pub(crate) static ISSUER_ACCEPTS: Sign = Sign {
    name: "issuer-accepts",
    means: "the issuer's own userinfo endpoint accepts the token",
    find: |evidence| {
        together(evidence, [Probe::Userinfo], |[answer]| {
            accepted(answer).then(|| format!("{} from the userinfo endpoint", answer.status))
        })
    },
};

/// Of two tokens the signed one is accepted.
pub(crate) static SIGNED_TURNS: Sign = Sign {
    name: "signed-turns",
    means: "a signed JWT of the same issuer is accepted, the opaque or encrypted token is not",
    find: |evidence| {
        let shape = |role| evidence.token(role).map(|token| token.shape);
        let unreadable = matches!(shape(Role::Presented), Some(Shape::Opaque | Shape::Jwe));
        if !unreadable || shape(Role::Other) != Some(Shape::Jws) {
            return Vec::new();
        }
        flips(evidence, &[(Probe::OtherToken, "with a signed JWT")])
    },
};
