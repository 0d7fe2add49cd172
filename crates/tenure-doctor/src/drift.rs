//! Who believes what: issuer, audience, client, pool, keys, secrets, from every place that says so.

mod aws;
mod certificate;
mod compare;
mod directives;
mod environment;
pub(crate) mod header;
mod names;
pub(crate) mod required;
pub(crate) mod source;
mod template;
mod tree;
pub(crate) mod value;
mod variables;
mod walk;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Source;
use crate::token::Token;

#[cfg(feature = "aws")]
pub use self::aws::live;
pub use self::aws::of_aws;
pub(crate) use self::certificate::ASKS_FOR_CERTIFICATE;
pub use self::compare::{Disagreement, Nature, compare};

/// What one place says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belief {
    /// About what.
    pub about: Subject,
    /// Its value; for [`Subject::Secret`] a fingerprint. What it points to stands in the notation of the
    /// place: `{{resolve:ssm:NAME}}`, `${NAME}`; see [`Belief::is_open`].
    pub value: String,
    /// The name under which it stands there (`JWT_SECRET`, `ProviderARNs`).
    pub name: String,
    /// Where.
    pub source: Source,
    /// Which part of the whole the place belongs to.
    pub held_by: Holder,
    /// When a change there becomes effective.
    pub effective: Effective,
    /// The part of the source that it is for, where there are several: a service of a compose file, a
    /// resource of a template, a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Of a secret: fingerprints of its other forms, `trimmed` and `base64` (decoded).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forms: BTreeMap<String, String>,
    /// What is to be known about it, in half a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Belief {
    /// Whether the value, or a part of it, stands elsewhere.
    pub fn is_open(&self) -> bool {
        self.value.contains("{{resolve:") || self.value.contains("${")
    }

    /// The environment that the source's name says it is for: `development`, `test`, `staging`,
    /// `production`, or `example` for a file to copy from.
    pub fn environment(&self) -> Option<&'static str> {
        environment::of(&self.source)
    }
}

/// About what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// `iss`.
    Issuer,
    /// `aud`.
    Audience,
    /// Client id.
    ClientId,
    /// Amazon Cognito user pool id.
    UserPool,
    /// Where the keys are.
    JwksUri,
    /// A shared signing secret.
    Secret,
    /// The signature algorithm.
    Algorithm,
    /// Seconds that clocks may differ.
    Leeway,
    /// Address of the session store.
    Store,
    /// Which deployment a gateway's stage runs.
    Deployment,
    /// How a gateway is set up, by the name of the setting; never compared with another place.
    Setting,
}

/// Which part of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// The token itself.
    Token,
    /// The app.
    Client,
    /// What issues tokens.
    Issuer,
    /// What verifies tokens.
    Verifier,
    /// A parameter store or secrets manager.
    Parameters,
    /// A template that is deployed.
    Template,
    /// What is deployed now.
    Deployed,
    /// It cannot be told.
    Unknown,
}

/// When a change becomes effective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effective {
    /// At once.
    Now,
    /// When the process starts again.
    Restart,
    /// When the app is built again.
    Build,
    /// When the stack is deployed with a changed template.
    Deploy,
    /// It cannot be told.
    Unknown,
}

/// Reads a configuration file, by the kind that its name says.
///
/// # Errors
/// Says why it cannot be read, without quoting it.
pub fn read_file(name: &str, text: &str) -> Result<Vec<Belief>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Templates and settings may stand in a directory of that name, too; answers are JSON.
    let is_below = name.starts_with("aws/") || name.contains("/aws/");
    if is_below && name.rsplit('.').next() == Some("json") {
        return of_aws(name, text);
    }
    match Kind::of(name, text) {
        Some(Kind::Variables) => Ok(variables::read(name, text)),
        Some(Kind::Directives) => {
            let settings = header::read(name, text);
            let required = required::claims(name, text);
            let certificate = certificate::read(name, text).into_iter().collect();
            Ok([
                directives::read(name, text),
                settings,
                required,
                certificate,
            ]
            .concat())
        }
        Some(Kind::Program) => {
            let settings = source::read(name, text);
            let required = required::claims(name, text);
            Ok([header::read(name, text), required, settings].concat())
        }
        Some(Kind::Pinned) => Ok(required::pinned(name, text)),
        Some(Kind::Json) => Ok(walk::read(name, &tree::json(text)?)),
        Some(Kind::Yaml) => {
            let settings = walk::read(name, &tree::yaml(text)?);
            Ok([settings, source::made_up_in(name, text)].concat())
        }
        Some(Kind::Toml) => Ok(walk::read(name, &tree::toml(text)?)),
        None if source::is(name, text) => Ok(source::read(name, text)),
        None => Err(
            "no configuration of a known kind: .env, JSON, YAML, TOML, .properties, nginx, Caddy, \
             Varnish, HAProxy"
                .to_owned(),
        ),
    }
}

enum Kind {
    Variables,
    Directives,
    /// Read for what it does to header fields, and for the claims that it asks for.
    Program,
    Json,
    Yaml,
    Toml,
    /// Libraries and their versions.
    Pinned,
}

impl Kind {
    fn of(name: &str, text: &str) -> Option<Self> {
        let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let ending = file.rsplit('.').next().unwrap_or_default();
        let by_ending = match ending {
            "json" | "jsonc" | "webmanifest" => Some(Self::Json),
            "yaml" | "yml" | "template" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "cfg" if is_haproxy(text) => Some(Self::Directives),
            "env" | "envrc" | "properties" | "ini" | "cfg" => Some(Self::Variables),
            "conf" | "caddyfile" | "htaccess" => Some(Self::Directives),
            "vcl" | "lua" => Some(Self::Program),
            _ if required::is_code(ending) => Some(Self::Program),
            _ if required::is_pinned(&file) => Some(Self::Pinned),
            _ => None,
        };
        let start = text.trim_start();
        match by_ending {
            None if file.starts_with(".env") || file.starts_with("env.") => Some(Self::Variables),
            None | Some(Self::Yaml) if start.starts_with('{') => Some(Self::Json),
            by_ending => by_ending,
        }
    }
}

fn is_haproxy(text: &str) -> bool {
    let sections = ["frontend", "backend", "listen", "defaults", "global"];
    text.lines().any(|line| {
        let word = line.split_ascii_whitespace().next();
        word.is_some_and(|word| line.starts_with(word) && sections.contains(&word))
    })
}

/// What a token says of itself.
pub fn of_token(token: &Token) -> Vec<Belief> {
    let Some(claims) = &token.claims else {
        return Vec::new();
    };
    let say = |about, name: &str, value: &str| Belief {
        about,
        value: value.to_owned(),
        name: name.to_owned(),
        source: token.source.clone(),
        held_by: Holder::Token,
        effective: Effective::Now,
        within: None,
        forms: BTreeMap::new(),
        note: None,
    };
    let mut beliefs = Vec::new();
    beliefs.extend(
        claims
            .iss
            .iter()
            .map(|iss| say(Subject::Issuer, "iss", iss)),
    );
    beliefs.extend(
        claims
            .aud
            .iter()
            .map(|aud| say(Subject::Audience, "aud", aud)),
    );
    let client = claims.client_id.iter().map(|id| ("client_id", id));
    let client = client.chain(claims.azp.iter().map(|id| ("azp", id)));
    beliefs.extend(client.map(|(name, id)| say(Subject::ClientId, name, id)));
    let alg = token.header.as_ref().and_then(|header| header.alg.as_ref());
    beliefs.extend(alg.map(|alg| say(Subject::Algorithm, "alg", alg)));
    beliefs
}

#[cfg(test)]
mod tests;
