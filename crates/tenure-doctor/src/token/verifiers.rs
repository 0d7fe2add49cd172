//! What well-known verifiers would say of a token: their rules differ, and each is written down as data.

mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure_core::time::Timestamp;

use self::table::{Audience, Edge, Expiry, TABLE, Type, Verifier};
use super::{Blemish, Claims, Shape, Signature, Token};

/// What the verifiers are set up with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The issuer that they trust.
    pub issuer: Option<String>,
    /// Their audience.
    pub audience: Option<String>,
    /// The client that they know; where it is absent, the audience stands for it.
    pub client_id: Option<String>,
    /// The time of their clocks.
    pub now: Timestamp,
}

/// What one verifier would say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opinion {
    /// Stable, in kebab-case.
    pub id: &'static str,
    /// With its language or its place.
    pub verifier: &'static str,
    /// Seconds after the expiry in which it still accepts, by default.
    pub leeway_s: u64,
    /// Every check that fails, not only the one that it would name; none where it accepts.
    pub refusals: Vec<Refusal>,
    /// Where its rules are from.
    pub source: &'static str,
}

/// A check that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which.
    pub rule: Rule,
    /// The status with which it answers, where it answers HTTP.
    pub status: Option<u16>,
    /// Its own words, where they are known; what differs each time is `…`.
    pub says: &'static str,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It is a signed JWT and nothing else.
    Shape,
    /// The signature, where keys were given.
    Signature,
    /// `alg`.
    Algorithm,
    /// `crit`.
    Critical,
    /// `kid`.
    KeyId,
    /// `typ`.
    Type,
    /// `exp` is in the future.
    Expiry,
    /// `nbf` is in the past.
    NotBefore,
    /// `iat` is in the past.
    IssuedAt,
    /// A claim that must be there is.
    Presence,
    /// Claims have the right types.
    Types,
    /// `iss`.
    Issuer,
    /// `aud`.
    Audience,
    /// `client_id`.
    Client,
    /// `token_use`.
    TokenUse,
}

/// What each verifier of the table would say. A function of its arguments.
pub fn opinions(token: &Token, expected: &Expected) -> Vec<Opinion> {
    let opinion = |verifier: &'static Verifier| Opinion {
        id: verifier.id,
        verifier: verifier.name,
        leeway_s: verifier.leeway,
        refusals: verifier.refusals(token, expected),
        source: verifier.source,
    };
    TABLE.iter().map(opinion).collect()
}

/// Each check that fails for any of them, with the number of those that it fails for.
pub fn failing(opinions: &[Opinion]) -> BTreeMap<Rule, usize> {
    let mut counts = BTreeMap::new();
    for refusal in opinions.iter().flat_map(|opinion| &opinion.refusals) {
        *counts.entry(refusal.rule).or_default() += 1;
    }
    counts
}

impl Rule {
    /// What it means that it fails, in half a sentence.
    pub fn means(self) -> &'static str {
        match self {
            Self::Shape => "it is not a signed JWT and nothing else",
            Self::Signature => "no key that was given verifies the signature",
            Self::Algorithm => "`alg` is not allowed",
            Self::Critical => "`crit` asks for an extension",
            Self::KeyId => "`kid` is missing",
            Self::Type => "`typ` is another",
            Self::Expiry => "expired",
            Self::NotBefore => "not valid yet (`nbf`)",
            Self::IssuedAt => "issued in the future (`iat`)",
            Self::Presence => "a claim is missing",
            Self::Types => "a date is no number",
            Self::Issuer => "another issuer (`iss`)",
            Self::Audience => "another audience (`aud`)",
            Self::Client => "another client (`client_id`)",
            Self::TokenUse => "the other kind of token (`token_use`)",
        }
    }
}

impl Verifier {
    fn refusals(&self, token: &Token, expected: &Expected) -> Vec<Refusal> {
        let mut failing = Vec::new();
        let mut fail = |rule, fails| {
            if fails && !failing.contains(&rule) {
                failing.push(rule);
            }
        };
        fail(Rule::Shape, is_misshapen(token));
        fail(Rule::Signature, is_forged(token));
        self.header(token, &mut fail);
        if let Some(claims) = &token.claims {
            self.dates(claims, expected.now, &mut fail);
            self.parties(claims, expected, &mut fail);
        }
        failing.into_iter().map(|rule| self.refusal(rule)).collect()
    }

    fn refusal(&self, rule: Rule) -> Refusal {
        let known = self.says.iter().find(|(known, ..)| *known == rule);
        let (_, status, says) = known.copied().unwrap_or((rule, self.status, ""));
        Refusal {
            rule,
            status: (status > 0).then_some(status),
            says,
        }
    }

    fn header(&self, token: &Token, fail: &mut impl FnMut(Rule, bool)) {
        let Some(header) = &token.header else {
            return;
        };
        let alg = header.alg.as_deref().unwrap_or("none");
        fail(Rule::Algorithm, !self.algorithms.contains(&alg));
        // RFC 7797 is the only extension that some know.
        let critical = header.crit.iter().any(|name| name != "b64");
        fail(Rule::Critical, critical);
        fail(Rule::KeyId, self.kid && header.kid.is_none());
        let typ = header
            .typ
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        let other = match self.typ {
            Type::Any => false,
            Type::JwtOrNone => !matches!(typ, "" | "jwt"),
            Type::AccessToken => typ != "at+jwt",
        };
        fail(Rule::Type, other);
    }

    fn dates(&self, claims: &Claims, now: Timestamp, fail: &mut impl FnMut(Rule, bool)) {
        let wrong = |name: &str| {
            let found = claims.mistyped.get(name).map(String::as_str);
            match found {
                None | Some("milliseconds") => false,
                Some("a string of digits" | "a boolean") => !self.coerces,
                Some(_) => true,
            }
        };
        let checked = self.typed.iter().any(|name| wrong(name));
        fail(Rule::Types, checked);
        let exp = claims.exp.filter(|_| !wrong("exp"));
        if self.expiry != Expiry::Unchecked {
            let over = exp.is_some_and(|exp| {
                let last = exp.0.saturating_add(self.leeway);
                match self.edge {
                    Edge::After => now.0 > last,
                    Edge::At => now.0 >= last,
                }
            });
            // 0 or 1 second after 1970.
            let boolean = claims
                .mistyped
                .get("exp")
                .is_some_and(|found| found == "a boolean");
            fail(Rule::Expiry, over || self.coerces && boolean);
            fail(
                Rule::Presence,
                exp.is_none() && self.expiry == Expiry::Required,
            );
        }
        let future = |date: Option<Timestamp>, leeway: Option<u64>| {
            let date = date.zip(leeway);
            date.is_some_and(|(date, leeway)| date.0 > now.0.saturating_add(leeway))
        };
        fail(
            Rule::NotBefore,
            future(claims.nbf.filter(|_| !wrong("nbf")), self.nbf),
        );
        fail(
            Rule::IssuedAt,
            future(claims.iat.filter(|_| !wrong("iat")), self.iat),
        );
    }

    fn parties(&self, claims: &Claims, expected: &Expected, fail: &mut impl FnMut(Rule, bool)) {
        let has = |name: &str| claims.names.iter().any(|known| known == name);
        let missing = self.required.iter().any(|name| !has(name));
        fail(Rule::Presence, missing);
        if let Some(issuer) = &expected.issuer {
            let other = claims
                .iss
                .as_ref()
                .map_or(self.issuer_required, |iss| iss != issuer);
            fail(Rule::Issuer, other && self.issuer);
        }
        let audience = expected.audience.as_ref();
        let client = expected.client_id.as_ref().or(audience);
        let lacks = |wanted: &String| !claims.aud.contains(wanted);
        let other_client = |client: &String| claims.client_id.as_ref() != Some(client);
        match self.audience {
            Audience::Unchecked => {}
            Audience::Asked => fail(Rule::Audience, audience.is_some_and(lacks)),
            Audience::IfPresent { unasked } => {
                let present = if unasked {
                    !claims.aud.is_empty()
                } else {
                    has("aud")
                };
                fail(
                    Rule::Audience,
                    match audience {
                        Some(audience) if unasked => lacks(audience),
                        Some(audience) => present && lacks(audience),
                        None => present,
                    },
                );
            }
            Audience::Client => fail(Rule::Audience, client.is_some_and(lacks)),
            Audience::ClientClaim => fail(Rule::Client, client.is_some_and(other_client)),
            Audience::EitherClaim if has("aud") => {
                fail(Rule::Audience, audience.or(client).is_some_and(lacks));
            }
            Audience::EitherClaim => fail(Rule::Audience, client.is_some_and(other_client)),
        }
        let other_use = self
            .token_use
            .is_some_and(|wanted| claims.token_use.as_deref() != Some(wanted));
        fail(Rule::TokenUse, other_use);
    }
}

/// Blanks around a field's value are no part of it (RFC 9110, section 5.5).
fn is_misshapen(token: &Token) -> bool {
    let spoils = |blemish: &Blemish| *blemish != Blemish::OuterBlank;
    token.shape != Shape::Jws || token.blemishes.iter().any(spoils)
}

fn is_forged(token: &Token) -> bool {
    let good = |check: &super::SignatureCheck| check.verdict == Signature::Good;
    !token.signatures.is_empty() && !token.signatures.iter().any(good)
}
