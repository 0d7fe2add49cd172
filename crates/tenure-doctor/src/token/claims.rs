//! Header and claims of a JWT, each with the type that it ought to have.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use serde_json::Value;
use tenure_core::time::Timestamp;

use super::{Claims, Header, Object};
use crate::Fingerprint;
use crate::redact;

/// Characters of a value that are kept, and values of a list.
const LONGEST: usize = 400;
const MOST: usize = 200;

/// How deep roles are looked for; Keycloak has them at three (`resource_access.api.roles`).
const DEEPEST: usize = 6;

/// No date of a token is later, in seconds; in milliseconds each is (the year 5138).
const MILLISECONDS: f64 = 1e11;

/// A part of a JWT as a JSON object. Bits that are left over are no error here: the signature decides.
pub(super) fn object(part: &str) -> Option<Object> {
    const LENIENT: GeneralPurpose =
        GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
    let bytes = LENIENT.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

pub(super) fn header(object: &Object) -> Header {
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(shown);
    Header {
        alg: text("alg"),
        kid: text("kid"),
        typ: text("typ"),
        enc: text("enc"),
        crit: object.get("crit").map(texts).unwrap_or_default(),
    }
}

pub(super) fn claims(object: &Object) -> Claims {
    let mut reader = Reader {
        object,
        mistyped: BTreeMap::new(),
    };
    let subject = reader.text("sub");
    Claims {
        iss: reader.text("iss").map(shown),
        aud: reader.audience(),
        azp: reader.text("azp").map(shown),
        client_id: reader.text("client_id").map(shown),
        token_use: reader.text("token_use").or_else(|| kind(object)).map(shown),
        sub: subject.map(Fingerprint::of),
        exp: reader.date("exp"),
        nbf: reader.date("nbf"),
        iat: reader.date("iat"),
        auth_time: reader.date("auth_time"),
        acr: reader.text("acr").map(shown),
        scope: scope(object),
        roles: roles(object),
        cnf: object
            .get("cnf")
            .and_then(|cnf| cnf.as_object()?.keys().next())
            .map(|name| shown(name)),
        names: object.keys().take(MOST).map(|name| shown(name)).collect(),
        mistyped: reader.mistyped,
    }
}

struct Reader<'o> {
    object: &'o Object,
    mistyped: BTreeMap<String, String>,
}

impl<'o> Reader<'o> {
    fn text(&mut self, name: &str) -> Option<&'o str> {
        let value = self.object.get(name)?;
        if value.as_str().is_none() {
            self.mistyped.insert(name.to_owned(), type_of(value));
        }
        value.as_str()
    }

    /// RFC 7519, section 2: a number of seconds, perhaps with a fraction.
    fn date(&mut self, name: &str) -> Option<Timestamp> {
        let value = self.object.get(name)?;
        let digits = value
            .as_str()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let seconds = value
            .as_f64()
            .or_else(|| digits?.parse().ok())
            .filter(|seconds| *seconds >= 0.0);
        let wrong = match seconds {
            Some(_) if digits.is_some() => Some("a string of digits".to_owned()),
            None if value.is_number() => Some("a negative number".to_owned()),
            None => Some(type_of(value)),
            Some(seconds) if seconds >= MILLISECONDS => Some("milliseconds".to_owned()),
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            self.mistyped.insert(name.to_owned(), wrong);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative, and `as` saturates"
        )]
        seconds.map(|seconds| Timestamp(value.as_u64().unwrap_or(seconds as u64)))
    }

    fn audience(&mut self) -> Vec<String> {
        let Some(value) = self.object.get("aud") else {
            return Vec::new();
        };
        let strings = |list: &Vec<Value>| list.iter().all(Value::is_string);
        if !(value.is_string() || value.as_array().is_some_and(strings)) {
            self.mistyped.insert("aud".to_owned(), type_of(value));
        }
        texts(value)
    }
}

/// A kind other than that of access tokens under the names of other issuers: Keycloak's `typ`, simplejwt's `token_type`,
/// `type` of several frameworks.
fn kind(object: &Object) -> Option<&'static str> {
    ["token_type", "typ", "type"].iter().find_map(|name| {
        let value = object.get(*name)?.as_str()?;
        match value.to_ascii_lowercase().as_str() {
            "refresh" | "refresh_token" | "offline" => Some("refresh"),
            "id" | "id_token" => Some("id"),
            _ => None,
        }
    })
}

fn scope(object: &Object) -> Vec<String> {
    let claim = ["scope", "scp", "scopes"]
        .iter()
        .find_map(|name| object.get(*name));
    let list = claim.map(texts).unwrap_or_default();
    let words = list.iter().flat_map(|text| text.split_ascii_whitespace());
    words.take(MOST).map(str::to_owned).collect()
}

/// Claims that are called like roles, wherever they are.
fn roles(object: &Object) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    look_for_roles(object, "", 0, &mut found);
    found
}

fn look_for_roles(
    object: &Object,
    path: &str,
    depth: usize,
    found: &mut BTreeMap<String, Vec<String>>,
) {
    for (name, value) in object {
        let path = if path.is_empty() {
            shown(name)
        } else {
            format!("{path}.{}", shown(name))
        };
        let lower = name.to_ascii_lowercase();
        let called = ["role", "group", "permission", "authorit", "entitlement"]
            .iter()
            .any(|part| lower.contains(part));
        match value {
            Value::Object(inner) if depth < DEEPEST => {
                look_for_roles(inner, &path, depth + 1, found);
            }
            Value::String(_) | Value::Array(_) if called && found.len() < MOST => {
                found.insert(path, texts(value));
            }
            _ => {}
        }
    }
}

/// A string, or the strings of a list.
fn texts(value: &Value) -> Vec<String> {
    let one = value.as_str().into_iter();
    let several = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    one.chain(several).take(MOST).map(shown).collect()
}

/// A value that people compare: without mail addresses and tokens, and not endless.
fn shown(text: &str) -> String {
    let cut = text.char_indices().nth(LONGEST);
    let text = cut.map_or(text, |(at, _)| text.get(..at).unwrap_or(text));
    let end = if cut.is_some() { "…" } else { "" };
    format!("{}{end}", redact::id(text))
}

fn type_of(value: &Value) -> String {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    name.to_owned()
}
