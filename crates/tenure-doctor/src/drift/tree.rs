//! JSON, YAML and TOML as one tree, with lines and tags.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Aliases may multiply nodes without end ("billion laughs").
const MOST_NODES: usize = 200_000;
/// The walk is recursive.
const DEEPEST: usize = 100;

/// A value of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// From 1; 0 where it is not known.
    pub(super) line: u64,
    /// Of YAML, without the `!`: `Ref`, `Sub`, `GetAtt`.
    pub(super) tag: Option<String>,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// Text, number, truth value: as written.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let (_, node) = self.entries().iter().find(|(name, _)| name == key)?;
        Some(node)
    }

    /// The value at the end of several keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Of a map; empty where it is none.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Of a list; empty where it is none.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

/// Every document of a YAML stream. JSON is YAML, but for a few escapes.
pub(super) fn yaml(text: &str) -> Result<Vec<Node>, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker();
            format!("line {}: {}", at.line(), error.info())
        })?;
        builder.take(event, span)?;
    }
    Ok(builder.documents)
}

/// With lines where a YAML parser reads it, too.
pub(super) fn json(text: &str) -> Result<Vec<Node>, String> {
    let plain: serde_json::Value =
        serde_json::from_str(text).map_err(|error| without_content(&error))?;
    Ok(yaml(text).unwrap_or_else(|_| vec![of_json(&plain)]))
}

/// What serde says may quote what it found.
fn without_content(error: &serde_json::Error) -> String {
    format!("line {}: is no JSON", error.line())
}

/// A tree without lines.
pub(super) fn of_json(value: &serde_json::Value) -> Node {
    use serde_json::Value as Json;
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Scalar(truth.to_string()),
        Json::Number(number) => Value::Scalar(number.to_string()),
        Json::String(text) => Value::Scalar(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(of_json).collect()),
        Json::Object(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), of_json(value)))
                .collect(),
        ),
    };
    Node {
        line: 0,
        tag: None,
        value,
    }
}

/// A TOML document.
pub(super) fn toml(text: &str) -> Result<Vec<Node>, String> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        format!("line {}: {}", line_of(text, at), error.message())
    })?;
    Ok(vec![of_table(text, table.span().start, table.get_ref())])
}

fn of_table(text: &str, start: usize, table: &DeTable<'_>) -> Node {
    let entries = table.iter().map(|(key, value)| {
        let line = line_of(text, key.span().start);
        let mut node = of_toml(text, value);
        node.line = line;
        (key.get_ref().to_string(), node)
    });
    Node {
        line: line_of(text, start),
        tag: None,
        value: Value::Map(entries.collect()),
    }
}

fn of_toml(text: &str, value: &Spanned<DeValue<'_>>) -> Node {
    let start = value.span().start;
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Scalar(text.to_string()),
        DeValue::Integer(number) => Value::Scalar(number.to_string()),
        DeValue::Float(number) => Value::Scalar(number.to_string()),
        DeValue::Boolean(truth) => Value::Scalar(truth.to_string()),
        DeValue::Datetime(time) => Value::Scalar(time.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| of_toml(text, item)).collect())
        }
        DeValue::Table(table) => return of_table(text, start, table),
    };
    Node {
        line: line_of(text, start),
        tag: None,
        value,
    }
}

fn line_of(text: &str, at: usize) -> u64 {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    1 + before
        .iter()
        .map(|byte| u64::from(*byte == b'\n'))
        .sum::<u64>()
}

/// A list or map that is not complete yet.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<String>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), String> {
        let line = u64::try_from(span.start.line()).unwrap_or_default();
        let node = |tag: Option<String>, value| Node { line, tag, value };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| tag.suffix.clone());
                let empty = style == saphyr_parser::ScalarStyle::Plain
                    && matches!(text.as_ref(), "" | "~" | "null");
                let value = match () {
                    () if empty => Value::Null,
                    () => Value::Scalar(text.into_owned()),
                };
                self.complete(node(tag, value), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                let tag = tag.map(|tag| tag.suffix.clone());
                self.begin(node(tag, Value::List(Vec::new())), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                let tag = tag.map(|tag| tag.suffix.clone());
                self.begin(node(tag, Value::Map(Vec::new())), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.complete(open.node, open.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let known = known.unwrap_or_else(|| node(None, Value::Null));
                self.nodes += size(&known);
                self.complete(known, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("line {}: nested too deeply", node.line));
        }
        self.open.push(Open {
            node,
            anchor,
            key: None,
        });
        Ok(())
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err("holds too many values".to_owned());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match (&mut open.node.value, open.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(_), None) => open.key = Some(node.text().unwrap_or_default().to_owned()),
            (Value::Map(entries), Some(key)) if key == "<<" => merge(entries, node),
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            (Value::Null | Value::Scalar(_), _) => {}
        }
        Ok(())
    }
}

/// YAML's merge key: what is there already wins.
fn merge(entries: &mut Vec<(String, Node)>, from: Node) {
    let maps = match from.value {
        Value::List(items) => items,
        _ => vec![from],
    };
    for (key, value) in maps.into_iter().flat_map(|map| match map.value {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    }) {
        if !entries.iter().any(|(known, _)| *known == key) {
            entries.push((key, value));
        }
    }
}

fn size(node: &Node) -> usize {
    let within = match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|(_, node)| size(node)).sum(),
        Value::Null | Value::Scalar(_) => 0,
    };
    1 + within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_lines_anchors_and_merges_survive() {
        let text = "base: &b\n  issuer: a\nuse:\n  <<: *b\n  pool: !Ref Pool\n  arns: [!GetAtt Pool.Arn]\n";
        let documents = yaml(text).unwrap();
        let used = documents[0].get("use").unwrap();
        assert_eq!(used.get("issuer").unwrap().text(), Some("a"));
        let pool = used.get("pool").unwrap();
        assert_eq!((pool.line, pool.tag.as_deref()), (5, Some("Ref")));
        let arn = &used.get("arns").unwrap().items()[0];
        assert_eq!(
            (arn.tag.as_deref(), arn.text()),
            (Some("GetAtt"), Some("Pool.Arn"))
        );
    }

    #[test]
    fn an_alias_bomb_and_a_deep_nest_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            let many = vec![before; 10].join(", ");
            bomb.extend([format!("a{level}: &a{level} [{many}]\n")]);
        }
        assert!(yaml(&bomb).is_err());
        assert!(yaml(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn json_and_toml_have_lines() {
        let json = json("{\n  \"a\": {\n    \"issuer\": \"x\"\n  }\n}").unwrap();
        assert_eq!(json[0].at(&["a", "issuer"]).unwrap().line, 3);
        let toml = toml("[a]\n\nissuer = 'x'\n").unwrap();
        assert_eq!(toml[0].at(&["a", "issuer"]).unwrap().line, 3);
        let surrogates = super::json("{\"a\": \"\\ud83d\\ude00\", \"b\": 1}").unwrap();
        assert_eq!(surrogates[0].get("b").unwrap().text(), Some("1"));
    }
}
