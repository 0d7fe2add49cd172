//! Intrinsic functions: `!Ref`, `Fn::Sub` and the like, as far as a template alone tells.
//!
//! What only a deployment knows stays, in the notation of `Fn::Sub`: `${Pool}`, `${Pool.Arn}`.

use crate::drift::tree::{Node, Value};

/// A template's parameters and mappings.
pub(super) struct Functions<'a> {
    template: &'a Node,
}

impl<'a> Functions<'a> {
    pub(super) fn of(template: &'a Node) -> Self {
        Self { template }
    }

    /// The default of a parameter; of one that is read from the parameter store, `{{resolve:ssm-parameter:NAME}}`,
    /// told apart from a reference because it is read at another time.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let parameter = self.template.at(&["Parameters", name])?;
        let default = parameter.get("Default")?.text()?;
        let kind = parameter
            .get("Type")
            .and_then(Node::text)
            .unwrap_or_default();
        let is_stored = kind.starts_with("AWS::SSM::Parameter::Value");
        Some(if is_stored {
            format!("{{{{resolve:ssm-parameter:{default}}}}}")
        } else {
            default.to_owned()
        })
    }

    /// The same tree, with scalars in place of functions.
    pub(super) fn carry_out(&self, node: &Node) -> Node {
        let (function, argument) = match (&node.tag, node.entries()) {
            (Some(tag), _) => (tag.as_str(), untagged(node)),
            (None, [(key, argument)]) => {
                (key.strip_prefix("Fn::").unwrap_or(key), argument.clone())
            }
            _ => ("", node.clone()),
        };
        let is_function = node.tag.is_some()
            || matches!(node.entries(), [(key, _)] if key == "Ref" || key.starts_with("Fn::"));
        let value = match is_function
            .then(|| self.call(function, &argument))
            .flatten()
        {
            Some(value) => value,
            None => self.inner(node),
        };
        Node {
            line: node.line,
            tag: None,
            value,
        }
    }

    fn inner(&self, node: &Node) -> Value {
        match &node.value {
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.carry_out(item)).collect())
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), self.carry_out(value)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    fn call(&self, function: &str, argument: &Node) -> Option<Value> {
        let value = match function {
            "Ref" => self.reference(argument.text()?),
            "GetAtt" => format!("${{{}}}", self.joined(argument, ".")?),
            "Sub" => self.sub(argument)?,
            "Join" => {
                let [separator, parts] = argument.items() else {
                    return None;
                };
                self.joined(&self.carry_out(parts), separator.text().unwrap_or_default())?
            }
            "FindInMap" => self.find_in_map(argument)?,
            "ImportValue" => format!("${{{}}}", self.carry_out(argument).text()?),
            // Either branch may be the one that is deployed.
            "If" => {
                return Some(Value::List(
                    argument
                        .items()
                        .iter()
                        .skip(1)
                        .map(|branch| self.carry_out(branch))
                        .collect(),
                ));
            }
            _ => return None,
        };
        Some(Value::Scalar(value))
    }

    fn reference(&self, name: &str) -> String {
        self.parameter(name)
            .unwrap_or_else(|| format!("${{{name}}}"))
    }

    /// `${Name}` replaced where the name is a parameter or a variable of the function itself.
    fn sub(&self, argument: &Node) -> Option<String> {
        let (text, own) = match argument.items() {
            [text, own] => (text.text()?, Some(self.carry_out(own))),
            _ => (argument.text()?, None),
        };
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after.split_once('}')?;
            let own = own
                .as_ref()
                .and_then(|own| own.get(name))
                .and_then(Node::text);
            done.push_str(before);
            done.push_str(&own.map_or_else(|| self.reference(name), str::to_owned));
            rest = behind;
        }
        Some(done + rest)
    }

    fn joined(&self, list: &Node, separator: &str) -> Option<String> {
        if let Some(text) = list.text() {
            return Some(text.to_owned());
        }
        let parts: Option<Vec<_>> = list
            .items()
            .iter()
            .map(|part| Some(self.carry_out(part).text()?.to_owned()))
            .collect();
        Some(parts?.join(separator))
    }

    fn find_in_map(&self, argument: &Node) -> Option<String> {
        let [map, first, second] = argument.items() else {
            return None;
        };
        let keys = [map, first, second]
            .map(|key| self.carry_out(key).text().unwrap_or_default().to_owned());
        let [map, first, second] = keys.each_ref().map(String::as_str);
        let found = self
            .template
            .at(&["Mappings", map, first, second])
            .and_then(Node::text);
        Some(found.map_or_else(|| format!("${{{}}}", keys.join(".")), str::to_owned))
    }
}

fn untagged(node: &Node) -> Node {
    Node {
        tag: None,
        ..node.clone()
    }
}
