//! CloudFormation and SAM templates, and what their intrinsic functions come to.

mod intrinsic;

use self::intrinsic::Functions;
use super::tree::{Node, Value};
use super::value::Place;
use super::walk::Walk;
use super::{Belief, Effective, Holder};

/// Whether a document is a template: it has resources with types of AWS.
pub(super) fn is_one(document: &Node) -> bool {
    let resources = document
        .get("Resources")
        .map(Node::entries)
        .unwrap_or_default();
    resources
        .iter()
        .any(|(_, resource)| kind(resource).starts_with("AWS::"))
}

fn kind(resource: &Node) -> &str {
    resource
        .get("Type")
        .and_then(Node::text)
        .unwrap_or_default()
}

/// What the parameters, globals and resources of a template say.
pub(super) fn read(name: &str, document: &Node) -> Vec<Belief> {
    let functions = Functions::of(document);
    let place = Place {
        held_by: Holder::Template,
        effective: Some(Effective::Deploy),
        ..Place::file(name)
    };
    let mut walk = Walk::new(place);
    for (name, parameter) in document
        .get("Parameters")
        .map(Node::entries)
        .unwrap_or_default()
    {
        if let Some(value) = functions.parameter(name) {
            let leaf = Node {
                line: parameter.line,
                tag: None,
                value: Value::Scalar(value),
            };
            walk.owned_by("Parameters", |walk| {
                walk.node(&mut vec![name.clone()], &leaf);
            });
        }
    }
    if let Some(globals) = document.get("Globals") {
        walk.owned_by("Globals", |walk| {
            walk.node(&mut Vec::new(), &functions.carry_out(globals));
        });
    }
    for (id, resource) in document
        .get("Resources")
        .map(Node::entries)
        .unwrap_or_default()
    {
        let properties = resource
            .get("Properties")
            .map(|properties| functions.carry_out(properties));
        let Some(properties) = properties else {
            continue;
        };
        if kind(resource) == "AWS::SSM::Parameter" {
            walk.beliefs.extend(stored(&walk.place, id, &properties));
        } else {
            walk.owned_by(id, |walk| walk.node(&mut vec![id.clone()], &properties));
        }
    }
    walk.beliefs.into_iter().map(noted).collect()
}

/// A parameter that the template itself writes.
fn stored(place: &Place<'_>, id: &str, properties: &Node) -> Option<Belief> {
    let name = properties.get("Name").and_then(Node::text).unwrap_or(id);
    let value = properties.get("Value")?;
    let mut belief = place.belief(&[name], value.line, value.text()?)?;
    belief.within = Some(id.to_owned());
    Some(belief)
}

/// Says when a reference to the parameter store is read.
fn noted(mut belief: Belief) -> Belief {
    let reference = belief
        .value
        .split_once("{{resolve:")
        .and_then(|(_, rest)| rest.split_once("}}"));
    let Some((reference, _)) = reference else {
        return belief;
    };
    let parts: Vec<_> = reference.split(':').collect();
    let pinned = parts.get(2).is_some_and(|version| !version.is_empty());
    let note = match () {
        () if reference.starts_with("ssm-parameter:") => {
            "a parameter of the template: read anew at each update of the stack"
        }
        () if pinned => "pinned to a version: only a changed template moves it",
        () => {
            "not pinned: read when this resource is created or changed; a deploy of the same template does not read it again"
        }
    };
    belief.note = Some(note.to_owned());
    belief
}
