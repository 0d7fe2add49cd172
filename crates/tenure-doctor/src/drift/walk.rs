//! Trees of any shape: what stands under which names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Source;

use super::tree::{Node, Value};
use super::value::Place;
use super::{Belief, Effective, Holder, names, read_file, template, variables};

/// Every document of a file.
pub(super) fn read(name: &str, documents: &[Node]) -> Vec<Belief> {
    documents
        .iter()
        .flat_map(|document| read_document(name, document))
        .collect()
}

fn read_document(name: &str, document: &Node) -> Vec<Belief> {
    if template::is_one(document) {
        return template::read(name, document);
    }
    let mut walk = Walk::new(Place::file(name));
    if let Some(services) = compose(document) {
        for (service, node) in services {
            walk.owned_by(service, |walk| walk.node(&mut Vec::new(), node));
        }
        return walk.beliefs;
    }
    if is_discovery(document) || is_health(document) {
        walk.place.held_by = Holder::Issuer;
        walk.place.effective = Some(Effective::Now);
    }
    match kubernetes(document) {
        Some(owner) => {
            walk.is_secret = document.get("kind").and_then(Node::text) == Some("Secret");
            walk.owned_by(&owner, |walk| walk.node(&mut Vec::new(), document));
        }
        None => walk.node(&mut Vec::new(), document),
    }
    walk.beliefs
}

/// The services of a compose file.
fn compose(document: &Node) -> Option<&[(String, Node)]> {
    let services = document.get("services")?.entries();
    let is_one = services
        .iter()
        .any(|(_, service)| service.get("image").is_some() || service.get("build").is_some());
    is_one.then_some(services)
}

/// `Deployment/api`.
fn kubernetes(document: &Node) -> Option<String> {
    document.get("apiVersion")?;
    let kind = document.get("kind")?.text()?;
    let name = document
        .at(&["metadata", "name"])
        .and_then(Node::text)
        .unwrap_or_default();
    Some(format!("{kind}/{name}"))
}

/// Issuer metadata (RFC 8414, OpenID Connect Discovery).
fn is_discovery(document: &Node) -> bool {
    let has = |key| document.get(key).is_some();
    has("issuer") && has("jwks_uri") && (has("token_endpoint") || has("response_types_supported"))
}

/// What a Tenure service says of itself at `/health/ready`.
fn is_health(document: &Node) -> bool {
    document.get("ready").is_some() && document.at(&["keys", "signing"]).is_some()
}

/// A walk through one document.
pub(super) struct Walk<'a> {
    pub(super) place: Place<'a>,
    pub(super) beliefs: Vec<Belief>,
    /// Values are base64 (Kubernetes).
    is_secret: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(place: Place<'a>) -> Self {
        Self {
            place,
            beliefs: Vec::new(),
            is_secret: false,
        }
    }

    /// What `walk` finds is for this service or resource, whose name may say whose it is.
    pub(super) fn owned_by(&mut self, owner: &str, walk: impl FnOnce(&mut Self)) {
        let before = self.place.clone();
        self.place.within = Some(owner.to_owned());
        if before.held_by != Holder::Template {
            let by_owner = names::holder(owner);
            self.place.held_by = if by_owner == Holder::Unknown {
                before.held_by
            } else {
                by_owner
            };
        }
        walk(self);
        self.place = before;
    }

    pub(super) fn node(&mut self, path: &mut Vec<String>, node: &Node) {
        match &node.value {
            Value::Null => {}
            Value::Scalar(text) => self.leaf(path, node.line, text),
            Value::List(items) => items.iter().for_each(|item| self.item(path, item)),
            Value::Map(entries) => self.map(path, node, entries),
        }
    }

    /// Of a list: `NAME=value`, or one of several values for the name above.
    fn item(&mut self, path: &mut Vec<String>, item: &Node) {
        let assigned = item.text().and_then(|text| text.split_once('='));
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        };
        match assigned {
            Some((name, value)) if is_name(name) => {
                self.below(path, name, |walk, path| walk.leaf(path, item.line, value));
            }
            _ => self.node(path, item),
        }
    }

    fn map(&mut self, path: &mut Vec<String>, node: &Node, entries: &[(String, Node)]) {
        if let (Some(name), Some(value)) =
            (node.get("name").and_then(Node::text), node.get("value"))
        {
            return self.below(path, name, |walk, path| walk.node(path, value));
        }
        let before = self.place.clone();
        if self.place.held_by != Holder::Template && verifies(path, node) {
            self.place.held_by = Holder::Verifier;
        }
        for (key, value) in entries {
            self.below(path, key, |walk, path| match from_elsewhere(value) {
                Some(pointer) => walk.leaf(path, value.line, &pointer),
                None => walk.node(path, value),
            });
        }
        self.place = before;
    }

    fn below(
        &mut self,
        path: &mut Vec<String>,
        key: &str,
        walk: impl FnOnce(&mut Self, &mut Vec<String>),
    ) {
        path.push(key.to_owned());
        walk(self, path);
        path.pop();
    }

    fn leaf(&mut self, path: &[String], line: u64, text: &str) {
        let keys: Vec<_> = path.iter().map(String::as_str).collect();
        let Some(key) = keys.last() else { return };
        if is_file(key) && text.contains('\n') {
            return self.file_within(key, line, text);
        }
        let decoded = if self.is_secret && keys.first() == Some(&"data") {
            of_base64(text)
        } else {
            None
        };
        let text = decoded.as_deref().unwrap_or(text);
        let filled = variables::fill(text, |_| None);
        let belief = self.place.belief(&keys, line, &filled).map(|mut belief| {
            belief.within = belief.within.or_else(|| table(&keys));
            belief
        });
        self.beliefs.extend(belief);
    }

    /// A configuration file as a value (Kubernetes' ConfigMap).
    fn file_within(&mut self, key: &str, line: u64, text: &str) {
        let within = self.place.within.clone();
        let held_by = self.place.held_by;
        for mut belief in read_file(key, text).unwrap_or_default() {
            let inner = match belief.source {
                Source::File(_, Some(inner)) => inner,
                _ => 0,
            };
            belief.source = Source::File(
                self.place.file.to_owned(),
                Some((line + inner).saturating_sub(1)),
            );
            belief.within = within.clone().or(belief.within);
            if belief.held_by == Holder::Unknown {
                belief.held_by = held_by;
            }
            self.beliefs.push(belief);
        }
    }
}

/// Tables that only a verifier has: Spring's resource server, Envoy's and Istio's providers, Kong's credentials.
fn verifies(path: &[String], node: &Node) -> bool {
    const TABLES: &[&str] = &[
        "authorizer",
        "authorizers",
        "jwt_secrets",
        "jwtRules",
        "resourceserver",
        "resource-server",
    ];
    const BESIDE: &[&str] = &["remote_jwks", "local_jwks", "remoteJwks", "localJwks"];
    path.iter().any(|key| TABLES.contains(&key.as_str()))
        || BESIDE.iter().any(|key| node.get(key).is_some())
}

/// The table that a key stands in; alternatives beside each other stand in one.
fn table(keys: &[&str]) -> Option<String> {
    const ALTERNATIVES: &[&str] = &[
        "authorizers",
        "issuers",
        "jwtRules",
        "jwt_secrets",
        "providers",
    ];
    let (_, above) = keys.split_last()?;
    let cut = above.iter().position(|key| ALTERNATIVES.contains(key));
    let above = cut.and_then(|at| above.get(..=at)).unwrap_or(above);
    (!above.is_empty()).then(|| above.join("."))
}

/// `valueFrom` of Kubernetes.
fn from_elsewhere(node: &Node) -> Option<String> {
    let reference = ["secretKeyRef", "configMapKeyRef"]
        .iter()
        .find_map(|kind| node.get(kind))?;
    let of = |key| reference.get(key).and_then(Node::text);
    Some(format!("${{{}/{}}}", of("name")?, of("key")?))
}

fn is_file(key: &str) -> bool {
    let endings = [
        ".yml",
        ".yaml",
        ".json",
        ".toml",
        ".properties",
        ".env",
        ".conf",
    ];
    key == ".env" || endings.iter().any(|ending| key.ends_with(ending))
}

fn of_base64(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()
}
