//! From what stands in a file to a belief: secrets become fingerprints, here and nowhere else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use url::Url;

use crate::{Fingerprint, Source, redact};

use super::{Belief, Effective, Holder, Subject, names};

/// Longer ones are no issuer, no id and no address.
const LONGEST: usize = 500;

/// A part of a file that beliefs are read from.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) within: Option<String>,
    pub(super) held_by: Holder,
    pub(super) effective: Option<Effective>,
    pub(super) note: Option<String>,
}

impl<'a> Place<'a> {
    /// The whole file, whose name may say whose it is.
    pub(super) fn file(file: &'a str) -> Self {
        let base = file.rsplit('/').next().unwrap_or(file);
        let stem = base.split('.').next().unwrap_or(base);
        let built_in =
            BUILT_IN_FILES.contains(&stem) && base.split('.').next_back() == Some("json");
        Self {
            file,
            within: None,
            held_by: if built_in {
                Holder::Client
            } else {
                names::holder(file)
            },
            effective: built_in.then_some(Effective::Build),
            note: None,
        }
    }

    /// What the value under the last of these keys says, if it is about anything.
    pub(super) fn belief(&self, path: &[&str], line: u64, value: &str) -> Option<Belief> {
        if names::says_base64(path.last()?) && value.trim() == "true" {
            return Some(self.setting(line, IS_BASE64, "true"));
        }
        let meaning = names::meaning(path)?;
        let (value, forms) = match meaning.about {
            Subject::Secret => secret(value)?,
            about => (plain(about, value)?, BTreeMap::new()),
        };
        let (held_by, effective) = if meaning.built_in {
            (Holder::Client, Effective::Build)
        } else {
            (self.held_by, self.effective.unwrap_or(Effective::Restart))
        };
        Some(Belief {
            about: meaning.about,
            value,
            name: (*path.last()?).to_owned(),
            source: Source::File(self.file.to_owned(), (line > 0).then_some(line)),
            held_by,
            effective,
            within: self.within.clone(),
            forms,
            note: self.note.clone(),
        })
    }

    fn setting(&self, line: u64, name: &str, value: &str) -> Belief {
        Belief {
            about: Subject::Setting,
            value: value.to_owned(),
            name: name.to_owned(),
            source: Source::File(self.file.to_owned(), (line > 0).then_some(line)),
            held_by: self.held_by,
            effective: self.effective.unwrap_or(Effective::Restart),
            within: self.within.clone(),
            forms: BTreeMap::new(),
            note: None,
        }
    }
}

/// The name of a setting by which a secret is decoded before it is used.
pub(crate) const IS_BASE64: &str = "secret-is-base64";

/// Files that are built into an app as a whole (Expo, Amplify, Capacitor).
const BUILT_IN_FILES: &[&str] = &[
    "amplifyconfiguration",
    "app",
    "aws-exports",
    "awsconfiguration",
    "capacitor",
    "eas",
];

/// A fingerprint, and those of the forms in which other programs may read the same text.
fn secret(value: &str) -> Option<(String, BTreeMap<String, String>)> {
    // With anything beside the reference, that may be the secret.
    let reference = value.starts_with("{{resolve:") && value.find("}}") == Some(value.len() - 2);
    if reference || is_variable(value) {
        return Some((value.to_owned(), BTreeMap::new()));
    }
    let within = within_json(value.trim());
    let value = within.as_deref().unwrap_or(value);
    let trimmed = value.trim();
    // A key pair is no shared secret.
    if trimmed.is_empty() || trimmed.starts_with("-----BEGIN") {
        return None;
    }
    let of = |text: &str| Fingerprint::of(text).to_string();
    let mut forms = BTreeMap::new();
    if trimmed != value {
        forms.insert("trimmed".to_owned(), of(trimmed));
    }
    if let Some(decoded) = decoded(trimmed) {
        forms.insert("base64".to_owned(), of(&decoded));
    }
    Some((of(value), forms))
}

/// Hasura's `{"type": "HS256", "key": "…"}`.
fn within_json(text: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(object.as_object()?.get("key")?.as_str()?.to_owned())
}

/// `${NAME}` and nothing else.
fn is_variable(value: &str) -> bool {
    let inner = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|name| !name.contains(['}', '{', ':']))
}

fn decoded(text: &str) -> Option<String> {
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let bytes = engines.iter().find_map(|engine| engine.decode(text).ok())?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}

fn plain(about: Subject, value: &str) -> Option<String> {
    let value = value.trim();
    // A token in the wrong place is not to be shown.
    let unfit = value.is_empty()
        || value.len() > LONGEST
        || value.contains(['\n', ' '])
        || value.starts_with("eyJ");
    if unfit {
        return None;
    }
    match about {
        Subject::UserPool => Some(pool(value)),
        Subject::Leeway => value
            .trim_end_matches('s')
            .parse::<u32>()
            .ok()
            .map(|seconds| seconds.to_string()),
        // As the claims of tokens are shown, with which it is compared.
        _ => without_credentials(value).map(|value| redact::id(&value)),
    }
}

/// The id in a user pool's ARN.
pub(super) fn pool(value: &str) -> String {
    let id = value.rsplit_once("userpool/").map_or(value, |(_, id)| id);
    match id.strip_suffix(".Arn}") {
        Some(resource) => format!("{resource}}}"),
        None => id.to_owned(),
    }
}

/// A URL without user name and password.
fn without_credentials(value: &str) -> Option<String> {
    let has_some = value
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('@'));
    if !has_some {
        return Some(value.to_owned());
    }
    let mut url = Url::parse(value).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.to_string())
}

/// `eu-west-1_AbCdEfGhI`.
pub(super) fn looks_like_a_pool(text: &str) -> bool {
    let Some((region, id)) = text.split_once('_') else {
        return false;
    };
    let is_region =
        region.split('-').count() >= 3 && region.ends_with(|digit: char| digit.is_ascii_digit());
    let alphanumeric = |letter: char| letter.is_ascii_alphanumeric();
    is_region
        && region
            .chars()
            .all(|letter| alphanumeric(letter) || letter == '-')
        && !id.is_empty()
        && id.chars().all(alphanumeric)
}
