//! What a line is written in, and what it says.

pub(super) mod access;
mod clip;
pub(super) mod har;
mod json;
mod logfmt;
mod plain;

use super::record::{Record, Value};

/// Takes a line apart. Every text is understood as something, if only as a name.
pub(super) fn read(line: &str) -> Record {
    let line = line.trim();
    let Some((container, rest)) = container(line) else {
        return bare(line);
    };
    let mut record = bare(rest);
    record.put("container".to_owned(), Value::Text(container.to_owned()));
    record
}

/// The name before a bar that `docker compose logs` sets before each line, and the line.
fn container(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_at_checked(line.find(" | ")?)?;
    let name = name.trim_end();
    let named = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = !name.is_empty() && name.len() <= 64 && name.chars().all(named);
    is_name.then_some((name, rest.get(3..)?))
}

fn bare(line: &str) -> Record {
    let line = line.trim();
    if let Some(object) = line.strip_prefix('{').and_then(|_| json::read(line)) {
        return object;
    }
    if let Some(request) = access::read(line) {
        return request;
    }
    if let Some(pairs) = logfmt::read(line) {
        return pairs;
    }
    plain::read(line)
}

/// The format of a line that is only counted, as far as its first bytes tell.
pub(super) fn glance(line: &[u8]) -> &'static str {
    if line.first() == Some(&b'{') {
        "json"
    } else if access::looks_so(line) {
        "access"
    } else {
        "text"
    }
}
