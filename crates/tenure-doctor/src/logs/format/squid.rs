//! Squid's own access log: `time elapsed client code/status bytes method URL user hierarchy/peer type`.

use crate::logs::record::{Record, Value};
use crate::logs::time;

/// Whether a line begins as one: seconds since 1970 with milliseconds, and blanks.
pub(in crate::logs) fn looks_so(line: &[u8]) -> bool {
    let digits = |part: Option<&[u8]>| part.is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    line.get(10) == Some(&b'.')
        && line.get(14) == Some(&b' ')
        && digits(line.get(..10))
        && digits(line.get(11..14))
}

/// A line of it. `None` for others.
pub(super) fn read(line: &str) -> Option<Record> {
    looks_so(line.as_bytes()).then_some(())?;
    let mut words = line.split_ascii_whitespace();
    let at = words.next()?;
    let client = words.nth(1)?;
    let (code, status) = words.next()?.split_once('/')?;
    let status: f64 = status.parse().ok()?;
    let named = code
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let (method, url, user) = (words.nth(1)?, words.next()?, words.next()?);
    named.then_some(())?;
    let mut record = Record::of("squid");
    record.time = time::prefix(at).map(|(at, _)| at);
    let texts = [
        ("remoteaddr", client),
        ("method", method),
        ("path", url),
        ("remoteuser", user),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| *text != "-") {
        record.put(name.to_owned(), Value::Text(text.to_owned()));
    }
    record.put("status".to_owned(), Value::Number(status));
    Some(record)
}
