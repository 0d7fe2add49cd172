//! `[clients.NAME]`.

use std::time::Duration;

use serde_json::{Map, Number, Value as Json};
use tenure_core::id::ClientId;
use tenure_core::lineage::{Policy, Rules};
use tenure_core::scope::Scope;

use super::kinds::{Audience, Origin, RedirectUri, SecretHash};
use super::master;
use super::section::Section;
use super::value::{Node, Value};
use super::{Client, ClientSecret, GrantType, Lifetimes};

const DAY: Duration = Duration::from_hours(24);
const DEFAULT_SCOPE: &str = "openid profile email offline_access";

/// A longer one would take a thief for a late duplicate of the user's own request.
const LONGEST_LATE_WINDOW: Duration = Duration::from_mins(10);

/// Scopes that open the admin API and introspection: not for a client that anyone can claim to be.
const PRIVILEGED: [&str; 2] = ["tenure:admin", "tenure:introspect"];

/// RFC 7519 section 4.1, RFC 9068 section 2.2, OIDC Core section 2: these are the service's to say.
const RESERVED_CLAIMS: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "sid",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "nonce",
    "cnf",
    "act",
];

/// Reads one client; `None` where its name is not usable.
pub(super) fn client(name: &str, section: &mut Section<'_>) -> Option<Client> {
    let id = id(name, section)?;
    let title = section.read("name", name.to_owned());
    let secret = secret(section);
    // A secret that is wrong is one problem, not three.
    let confidential = ["secret", "secret_sha256", "secret_file"]
        .iter()
        .any(|key| section.is_given(key));
    let first_party = section.read("first_party", false);
    let redirect_uris = redirect_uris(section);
    let grants = grants(section, confidential, &redirect_uris);
    let scope = scope(section, confidential);
    let audience = section.read("audience", Vec::<Audience>::new());
    let lifetimes = section.section("lifetimes", lifetimes);
    let rules = rules(section, confidential, &lifetimes);
    let claims = section.section("claims", claims);
    let origins = section.read("allowed_origins", Vec::<Origin>::new());
    Some(Client {
        id,
        name: title,
        secret,
        first_party,
        redirect_uris,
        grants,
        scope,
        audience: audience.into_iter().map(|Audience(text)| text).collect(),
        rules,
        lifetimes,
        claims,
        allowed_origins: origins.into_iter().map(|Origin(text)| text).collect(),
    })
}

fn id(name: &str, section: &mut Section<'_>) -> Option<ClientId> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(allowed) {
        section.entries();
        section.complain_all("is no client id; use up to 128 letters, digits and - . _ ~");
        return None;
    }
    Some(ClientId::new(name))
}

fn secret(section: &mut Section<'_>) -> Option<ClientSecret> {
    section.refuse(
        "secret",
        "a secret does not belong in this file; write its hash as secret_sha256 (printf %s \"$SECRET\" | sha256sum), or its place as secret_file",
    );
    let hash = section
        .optional("secret_sha256")
        .map(|SecretHash(hash)| hash);
    let Some(path) = section.path("secret_file") else {
        return hash;
    };
    if section.is_given("secret_sha256") {
        section.complain(
            "secret_file",
            "stands beside secret_sha256; remove one of them",
        );
    }
    let secret = master::read_secret(&path).and_then(|secret| match secret.expose().len() {
        0..16 => {
            Err("holds fewer than 16 characters; make one with: openssl rand -base64 32".to_owned())
        }
        _ => Ok(ClientSecret::of(secret.expose())),
    });
    secret
        .map_err(|message| section.complain("secret_file", message))
        .ok()
}

fn redirect_uris(section: &mut Section<'_>) -> Vec<String> {
    let uris = section.read("redirect_uris", Vec::<RedirectUri>::new());
    uris.into_iter().map(|RedirectUri(text)| text).collect()
}

fn grants(section: &mut Section<'_>, confidential: bool, redirects: &[String]) -> Vec<GrantType> {
    use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
    let default = match (redirects.is_empty(), confidential) {
        (false, _) => vec![AuthorizationCode, RefreshToken],
        (true, false) => vec![RefreshToken],
        (true, true) => vec![ClientCredentials],
    };
    let grants = section.read("grants", default);
    if grants.contains(&AuthorizationCode) && redirects.is_empty() {
        section.complain(
            "grants",
            "has authorization_code, but redirect_uris is empty; list where the code may go",
        );
    }
    if grants.contains(&ClientCredentials) && !confidential {
        section.complain("grants", "has client_credentials, but the client has no secret; add secret_sha256 or secret_file");
    }
    grants
}

fn scope(section: &mut Section<'_>, confidential: bool) -> Scope {
    let scope = section.read("scope", Scope::parse(DEFAULT_SCOPE));
    if let Some(privileged) = PRIVILEGED.iter().find(|one| scope.contains(one))
        && !confidential
    {
        section.complain("scope", format!("has {privileged}, but anyone can claim to be a client without a secret; add secret_sha256 or secret_file"));
    }
    scope
}

fn lifetimes(section: &mut Section<'_>) -> Lifetimes {
    let access = section.read("access", Duration::from_mins(15));
    let idle = section.read("idle", 30 * DAY);
    let absolute = section.read("absolute", 365 * DAY);
    if access > idle {
        section.complain(
            "access",
            "is longer than idle; an access token must not outlive an unused session",
        );
    }
    if idle > absolute {
        section.complain(
            "idle",
            "is longer than absolute; shorten it, or lengthen absolute",
        );
    }
    Lifetimes {
        access,
        idle,
        absolute,
    }
}

fn rules(section: &mut Section<'_>, confidential: bool, lifetimes: &Lifetimes) -> Rules {
    let policy = section.read("policy", Policy::RetireOnUse);
    if policy == Policy::None && !confidential {
        section.complain("policy", "is none, but the client has no secret, so a copied token would work for ever; use retire_on_use, or add a secret");
    }
    let mut rules = Rules::new(policy, lifetimes.access);
    rules.revoke_on_parallel_use = section.read("revoke_on_parallel_use", false);
    let late_window = section.read("late_window", rules.late_window);
    if section.is_given("late_window") && policy == Policy::Strict {
        section.complain(
            "late_window",
            "has no meaning with policy = \"strict\", which knows no late duplicate; remove it",
        );
    }
    if late_window > LONGEST_LATE_WINDOW {
        section.complain(
            "late_window",
            "is longer than 10m; a thief would be taken for a late request that long",
        );
    }
    rules.late_window = late_window;
    rules
}

fn claims(section: &mut Section<'_>) -> Map<String, Json> {
    let mut claims = Map::new();
    for (name, Node { value, .. }) in section.entries() {
        if RESERVED_CLAIMS.contains(&name.as_str()) || name.starts_with("tenure_") {
            section.complain(
                name,
                "is a claim that the service sets itself; choose another name",
            );
        }
        match json(value) {
            Some(json) => {
                let source = section.source(name);
                section.note(name, json.to_string(), source);
                claims.insert(name.clone(), json);
            }
            None => section.complain(
                name,
                "holds a number that JSON cannot say; write a finite one",
            ),
        }
    }
    claims
}

fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Text(text) => text.clone().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => Json::Number(Number::from_f64(*number)?),
        Value::Boolean(truth) => (*truth).into(),
        Value::List(items) => Json::Array(
            items
                .iter()
                .map(|item| json(&item.value))
                .collect::<Option<_>>()?,
        ),
        Value::Table(table) => {
            let entry = |(name, node): (&String, &Node)| Some((name.clone(), json(&node.value)?));
            Json::Object(table.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}
