//! JSON lines, and who wrote them.

use serde_json::{Map, Value as Json};

use super::{access, plain};
use crate::logs::names;
use crate::logs::record::{Record, Value, below};
use crate::logs::time;

/// Levels of nesting that are looked into.
const DEPTH: usize = 8;

/// A line that is one JSON object. `None` where it is not.
pub(super) fn read(line: &str) -> Option<Record> {
    let object: Map<String, Json> = serde_json::from_str(line).ok()?;
    let mut record = Record::of(dialect(&object));
    add(&mut record, "", object, DEPTH);
    record.time = time_of(&record);
    let message = record.text(names::MESSAGE).unwrap_or_default();
    if let Some(inner) = wrapped(&message) {
        return Some(within(record, inner));
    }
    plain::into(&mut record, &message);
    request_line(&mut record);
    Some(record)
}

/// A line of another program, as Docker, journald and collectors of logs wrap it.
fn wrapped(message: &str) -> Option<Record> {
    let text = message.trim();
    let whole = text.starts_with('{')
        || access::looks_so(text.as_bytes())
        || time::prefix(text.trim_start_matches('[')).is_some();
    whole.then(|| super::read(text))
}

/// The inner line's own words first, then what is around them.
fn within(outer: Record, mut inner: Record) -> Record {
    inner.time = inner.time.or(outer.time);
    for (path, value) in outer.fields {
        if !matches!(path.as_str(), "log" | "message" | "textpayload") {
            inner.put(path, value);
        }
    }
    inner
}

/// `"request": "GET /orders HTTP/1.1"`, as nginx's `$request` is logged.
fn request_line(record: &mut Record) {
    const LINES: names::Names = &["=request", "=requestline", "=httprequest", "=req"];
    let Some(line) = record
        .text(LINES)
        .filter(|_| record.find(names::PATH).is_none())
    else {
        return;
    };
    let mut words = line.split(' ').map(str::to_owned);
    if let (Some(method), Some(path)) = (words.next(), words.next())
        && method.bytes().all(|byte| byte.is_ascii_uppercase())
        && path.starts_with('/')
    {
        record.put("method".to_owned(), Value::Text(method));
        record.put("path".to_owned(), Value::Text(path));
    }
}

/// Adds the members of an object, those of inner ones by path.
pub(super) fn add(record: &mut Record, above: &str, object: Map<String, Json>, depth: usize) {
    for (name, value) in object {
        let path = below(above, &name);
        match value {
            Json::Object(inner) if depth > 0 => add(record, &path, inner, depth - 1),
            Json::Array(list) => add_list(record, &path, list),
            Json::String(text) => record.put(path, Value::Text(text)),
            Json::Number(number) => {
                record.put(path, Value::Number(number.as_f64().unwrap_or_default()));
            }
            Json::Bool(flag) => record.put(path, Value::Flag(flag)),
            Json::Null => record.put(path, Value::Null),
            Json::Object(_) => {}
        }
    }
}

/// Texts of a list, each under the list's name.
fn add_list(record: &mut Record, path: &str, list: Vec<Json>) {
    for value in list {
        if let Json::String(text) = value {
            record.put(path.to_owned(), Value::Text(text));
        }
    }
}

fn time_of(record: &Record) -> Option<u64> {
    match record.find(names::TIME)? {
        Value::Number(number) => time::epoch(*number),
        Value::Text(text) => time::whole(text),
        Value::Flag(_) | Value::Null => None,
    }
}

fn dialect(object: &Map<String, Json>) -> &'static str {
    let has = |name: &str| object.contains_key(name);
    let text = |name: &str| object.get(name).is_some_and(Json::is_string);
    let number = |name: &str| object.get(name).is_some_and(Json::is_number);
    if has("DownstreamStatus") || has("RouterName") {
        "traefik"
    } else if has("requestId") && (has("routeKey") || has("httpMethod") || has("resourcePath")) {
        "api-gateway"
    } else if number("level") && has("time") && (has("req") || has("res")) {
        "pino-http"
    } else if number("level") && has("time") {
        "pino"
    } else if text("level") && has("target") && has("timestamp") {
        "tracing"
    } else if has("response_code") && (has("response_flags") || has("start_time")) {
        "envoy"
    } else if text("event") {
        "structlog"
    } else if text("level") && text("message") {
        "winston"
    } else {
        "json"
    }
}
