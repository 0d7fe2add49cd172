//! What a line is written in, and what it says.

pub(super) mod access;
mod clip;
mod envelope;
pub(super) mod har;
mod json;
mod logfmt;
mod plain;
pub(super) mod sentence;
mod squid;
pub(super) mod transcript;

use self::envelope::Envelope;
use super::record::Record;

/// Takes a line apart. Every text is understood as something, if only as a name.
pub(super) fn read(line: &str) -> Record {
    let (envelope, rest) = Envelope::open(line);
    let mut record = bare(rest);
    envelope.note(&mut record);
    record
}

fn bare(line: &str) -> Record {
    let line = line.trim();
    if let Some(object) = line.strip_prefix('{').and_then(|_| json::read(line)) {
        return object;
    }
    if let Some(request) = access::read(line).or_else(|| squid::read(line)) {
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
    } else if squid::looks_so(line) || access::looks_so(line) {
        "access"
    } else {
        "text"
    }
}
