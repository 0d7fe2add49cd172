//! What the token itself says.

use std::time::Duration;

use tenure_core::time::Timestamp;

use super::{Sign, accepted, of_token, refused};
use crate::probe::Probe;
use crate::token::{Blemish, Claims, Role, Shape, Token};
use crate::{Clue, Evidence};

/// The token that the client presents.
pub(crate) fn presented(evidence: &Evidence) -> Option<&Token> {
    evidence.token(Role::Presented)
}

/// Its claims, where they can be read.
pub(crate) fn claims(evidence: &Evidence) -> Option<&Claims> {
    presented(evidence)?.claims.as_ref()
}

/// When it ends, by its claims.
pub(crate) fn end(evidence: &Evidence) -> Option<Timestamp> {
    claims(evidence)?.exp
}

/// When it begins, by its claims.
pub(crate) fn begin(evidence: &Evidence) -> Option<Timestamp> {
    let claims = claims(evidence)?;
    claims.nbf.max(claims.iat)
}

/// One clue from the claims of the presented token, where they have something to say.
pub(crate) fn of_claims(
    evidence: &Evidence,
    says: impl FnOnce(&Claims) -> Option<String>,
) -> Vec<Clue> {
    let says = claims(evidence).and_then(says);
    says.map_or_else(Vec::new, |says| of_token(says, None))
}

/// Whether its header says that it is an access token (RFC 9068).
pub(crate) fn is_typed_access(token: &Token) -> bool {
    let typ = token.typ().map(str::to_ascii_lowercase);
    typ.is_some_and(|typ| typ.ends_with("at+jwt"))
}

/// Old and other tokens that are accepted while the presented one is refused.
pub(crate) fn accepted_rivals(evidence: &Evidence) -> impl Iterator<Item = (Probe, &Token)> {
    let refused = evidence.answer(Probe::Client).is_some_and(refused);
    let pairs = [(Probe::Old, Role::Old), (Probe::OtherToken, Role::Other)];
    pairs.into_iter().filter_map(move |(probe, role)| {
        let won = refused && evidence.answer(probe).is_some_and(accepted);
        won.then_some((probe, evidence.token(role)?))
    })
}

/// Clocks that are closer than this are the same: the widest leeway that is common.
pub(crate) const CLOSE: Duration = Duration::from_mins(1);

/// `exp` is past.
pub static EXPIRED: Sign = Sign {
    name: "expired",
    means: "the token is expired",
    find: |evidence| match end(evidence) {
        Some(exp) if exp + CLOSE < evidence.now => of_token(
            format!("expired {} s ago", evidence.now.since(exp).as_secs()),
            Some(exp),
        ),
        _ => Vec::new(),
    },
};

/// `exp` is to come, and `nbf` and `iat` are past.
pub static IN_TIME: Sign = Sign {
    name: "in-time",
    means: "the token is neither expired nor early",
    find: |evidence| {
        let Some(Claims {
            exp: Some(exp),
            nbf,
            iat,
            ..
        }) = claims(evidence)
        else {
            return Vec::new();
        };
        let begun = [nbf, iat]
            .into_iter()
            .flatten()
            .all(|begin| *begin <= evidence.now);
        if *exp > evidence.now && begun {
            of_token(
                format!("valid for {} s more", exp.since(evidence.now).as_secs()),
                Some(*exp),
            )
        } else {
            Vec::new()
        }
    },
};

/// `nbf` or `iat` is in the future.
pub static EARLY: Sign = Sign {
    name: "early",
    means: "the token begins in the future",
    find: |evidence| match begin(evidence) {
        Some(begin) if begin > evidence.now => of_token(
            format!("begins in {} s", begin.since(evidence.now).as_secs()),
            Some(begin),
        ),
        _ => Vec::new(),
    },
};

/// Nothing, or a word that stands for nothing.
pub static NO_TOKEN: Sign = Sign {
    name: "no-token",
    means: "what is presented is empty or a word like `undefined`",
    find: |evidence| match presented(evidence) {
        Some(token) if matches!(token.shape, Shape::Empty | Shape::Word) => of_token(
            format!("what is presented is no token ({} bytes)", token.length),
            None,
        ),
        _ => Vec::new(),
    },
};

/// One part: not a JWT.
pub static OPAQUE: Sign = Sign {
    name: "opaque-token",
    means: "the token is not a JWT",
    find: |evidence| shaped(evidence, Shape::Opaque, "the token has one part: not a JWT"),
};

/// Five parts.
pub static ENCRYPTED: Sign = Sign {
    name: "encrypted-token",
    means: "the token is encrypted (JWE)",
    find: |evidence| shaped(evidence, Shape::Jwe, "the token has five parts: encrypted"),
};

/// A part cannot be decoded.
pub static BROKEN: Sign = Sign {
    name: "broken-token",
    means: "the token looks like a JWT, and a part of it cannot be decoded",
    find: |evidence| {
        shaped(
            evidence,
            Shape::Broken,
            "a part of the token cannot be decoded",
        )
    },
};

/// The end of the token is missing.
pub static CUT_OFF: Sign = Sign {
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

/// Something that does not belong to it is around or in it.
pub static BLEMISHED: Sign = Sign {
    name: "blemished-token",
    means: "the token carries characters or an encoding that do not belong to it",
    find: |evidence| {
        let blemishes = presented(evidence).into_iter().flat_map(|it| &it.blemishes);
        blemishes
            .flat_map(|blemish| of_token(describe(*blemish), None))
            .collect()
    },
};

/// Its claims are those of an ID token.
pub static LOOKS_LIKE_ID_TOKEN: Sign = Sign {
    name: "looks-like-id-token",
    means: "the token is an ID token by its claims",
    find: |evidence| {
        of_claims(evidence, |claims| {
            if claims.token_use.as_deref() == Some("id") {
                return Some("token_use is `id`".to_owned());
            }
            let access = claims.token_use.as_deref() == Some("access")
                || !claims.scope.is_empty()
                || presented(evidence).is_some_and(is_typed_access);
            let has = |name: &&str| claims.names.iter().any(|claim| claim == name);
            let marks: Vec<_> = ["nonce", "at_hash", "c_hash", "sid"]
                .into_iter()
                .filter(has)
                .collect();
            (!access && !marks.is_empty())
                .then(|| format!("claims of an ID token: {}", marks.join(", ")))
        })
    },
};

/// Its claims are those of an access token.
pub static LOOKS_LIKE_ACCESS_TOKEN: Sign = Sign {
    name: "looks-like-access-token",
    means: "the token is an access token by its claims",
    find: |evidence| {
        of_claims(evidence, |claims| {
            let says = match claims.token_use.as_deref() {
                Some("access") => "token_use is `access`",
                _ if presented(evidence).is_some_and(is_typed_access) => "typ is at+jwt",
                _ => return None,
            };
            Some(says.to_owned())
        })
    },
};

/// It is a refresh token by its claims.
pub static LOOKS_LIKE_REFRESH_TOKEN: Sign = Sign {
    name: "looks-like-refresh-token",
    means: "the token is a refresh token by its claims",
    find: |evidence| {
        of_claims(evidence, |claims| {
            let refresh = claims.token_use.as_deref() == Some("refresh");
            refresh.then(|| "its claims say that it is a refresh token".to_owned())
        })
    },
};

/// A claim has a type that RFC 7519 does not allow.
pub static MISTYPED: Sign = Sign {
    name: "mistyped-claim",
    means: "a claim has a wrong JSON type",
    find: |evidence| {
        let mistyped = claims(evidence).into_iter().flat_map(|it| &it.mistyped);
        mistyped
            .flat_map(|(name, found)| of_token(format!("`{name}` is a {found}"), None))
            .collect()
    },
};

fn shaped(evidence: &Evidence, shape: Shape, says: &str) -> Vec<Clue> {
    match presented(evidence) {
        Some(token) if token.shape == shape => of_token(says, None),
        _ => Vec::new(),
    }
}

fn describe(blemish: Blemish) -> &'static str {
    match blemish {
        Blemish::OuterBlank => "blanks or a newline around the token",
        Blemish::InnerBlank => "blanks within the token",
        Blemish::Quoted => "quotes around the token",
        Blemish::Scheme => "`Bearer ` is stored as part of the token",
        Blemish::PercentEncoded => "the token is percent-encoded",
        Blemish::Base64Encoded => "the token is base64-encoded once more",
        Blemish::Json => "a JSON object stands in place of the token",
        Blemish::Padded => "padding or the plain base64 alphabet within the token",
        Blemish::Foreign => "characters that no token has",
        Blemish::Truncated => "the end of the token is missing",
        Blemish::Doubled => "the token stands there twice",
    }
}
