//! Lines with a request in quotes: nginx and Apache combined, Envoy's default, uvicorn, HAProxy; and nginx's
//! error log.

use memchr::memmem;

use crate::logs::record::{Record, Value};
use crate::logs::time;

/// Whether a line has a request in quotes, by its bytes.
pub(in crate::logs) fn looks_so(line: &[u8]) -> bool {
    memmem::find(line, b" HTTP/").is_some()
}

/// A line with `"METHOD path HTTP/x"`. `None` for others.
pub(super) fn read(line: &str) -> Option<Record> {
    let (before, request, after) = request(line)?;
    let mut words = request.split(' ');
    let method = words.next()?;
    let path = words.next()?;
    let known = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    known.then_some(())?;
    if before.trim_end().ends_with("request:") {
        return Some(nginx_error(line, method, path));
    }
    let mut record = haproxy(before).unwrap_or_else(|| Record::of("combined"));
    put(&mut record, "method", method);
    put(&mut record, "path", path);
    if record.format == "haproxy" {
        return Some(record);
    }
    let mut rest = after.split_ascii_whitespace();
    let status: f64 = rest.next()?.parse().ok()?;
    record.put("status".to_owned(), Value::Number(status));
    if before.trim() == "[" || before.trim_start().starts_with('[') && before.trim().ends_with(']')
    {
        record.format = "envoy";
        put(&mut record, "responseflags", rest.next().unwrap_or("-"));
        put(&mut record, "responsedetails", rest.next().unwrap_or("-"));
    } else {
        who(&mut record, before, after);
    }
    record.time = stamp(before);
    Some(record)
}

/// `address:port [time] frontend backend/server timers status bytes … "request"`, behind a prefix of syslog's.
fn haproxy(before: &str) -> Option<Record> {
    let (client, rest) = before.split_once(" [")?;
    let (accepted, rest) = rest.split_once("] ")?;
    let mut words = rest.split_ascii_whitespace().skip(1);
    let (_, server) = words.next()?.split_once('/')?;
    let timers = words.next()?;
    let status: f64 = words.next()?.parse().ok()?;
    timers.contains('/').then_some(())?;
    let mut record = Record::of("haproxy");
    record.time = time::prefix(accepted).map(|(at, _)| at);
    record.put("status".to_owned(), Value::Number(status));
    let address = client.rsplit(' ').next()?.rsplit_once(':')?.0;
    put(&mut record, "remoteaddr", address);
    put(&mut record, "instance", server);
    Some(record)
}

/// What stands before the request, the request, and what follows it.
fn request(line: &str) -> Option<(&str, &str, &str)> {
    let version = line.find(" HTTP/")?;
    let open = line.get(..version)?.rfind('"')?;
    let rest = line.get(open + 1..)?;
    let close = rest.find('"')?;
    Some((
        line.get(..open)?,
        rest.get(..close)?,
        rest.get(close + 1..)?,
    ))
}

fn put(record: &mut Record, name: &str, value: &str) {
    if value != "-" && !value.is_empty() {
        record.put(name.to_owned(), Value::Text(value.to_owned()));
    }
}

/// `address - user [time]`, and the user agent as the last text in quotes; of uvicorn the address only.
fn who(record: &mut Record, before: &str, after: &str) {
    if let Some(rest) = before.strip_prefix("INFO:") {
        record.format = "uvicorn";
        let address = rest.trim().split(':').next().unwrap_or_default();
        put(record, "remoteaddr", address);
        return;
    }
    let mut words = before.split_ascii_whitespace();
    put(record, "remoteaddr", words.next().unwrap_or("-"));
    put(
        record,
        "remoteuser",
        words
            .nth(1)
            .filter(|word| !word.starts_with('['))
            .unwrap_or("-"),
    );
    let agent = after
        .trim_end()
        .strip_suffix('"')
        .and_then(|text| text.rsplit('"').next());
    put(record, "useragent", agent.unwrap_or("-"));
}

fn stamp(before: &str) -> Option<u64> {
    let open = before.rfind('[')?;
    let inner = before.get(open + 1..)?;
    time::prefix(inner).map(|(at, _)| at)
}

/// `2026/11/21 18:00:00 [error] 12#0: *1 text, client: …, request: "…"`.
fn nginx_error(line: &str, method: &str, path: &str) -> Record {
    let mut record = super::plain::read(line);
    record.format = "nginx-error";
    put(&mut record, "method", method);
    put(&mut record, "path", path);
    if let Some((name, _)) = record.name.split_once(", client:") {
        record.name = name.to_owned();
    }
    record
}
