//! How to see it again, with placeholders where secrets belong.

use crate::Evidence;
use crate::exchange::{Exchange, Sent};
use crate::output::plain;

/// More requests than this tell nothing new to a reader.
const REQUESTS: usize = 6;

/// Fields that say nothing of the fault, or that curl sets itself.
const LEFT_OUT: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "user-agent",
];

/// Commands and places, one a line.
pub(super) fn steps(evidence: &Evidence) -> Vec<String> {
    let mut steps = Vec::new();
    let asked = evidence.exchanges.iter().take(REQUESTS);
    steps.extend(asked.map(request));
    let first = evidence.exchanges.first();
    if let Some(url) = first.map(|exchange| &exchange.request.url) {
        steps.push(format!(
            "tenure doctor probe {} --token-file token.txt  # every probe, compared",
            quoted(url)
        ));
    }
    let files = evidence.logs.files.iter();
    let names: Vec<_> = files.map(|file| quoted(&file.name)).collect();
    if !names.is_empty() {
        steps.push(format!("tenure doctor logs {}", names.join(" ")));
    }
    steps
}

fn request(exchange: &Exchange) -> String {
    let Sent {
        method,
        url,
        headers,
        ..
    } = &exchange.request;
    let mut words = vec!["curl -i".to_owned()];
    match method.as_str() {
        "GET" => {}
        // curl waits for a body that never comes where HEAD is only given by -X.
        "HEAD" => words.push("-I".to_owned()),
        other => words.push(format!("-X {}", quoted(other))),
    }
    let sent = headers.iter();
    let sent = sent.filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
    words.extend(sent.map(|(name, value)| field(name, value)));
    words.push(quoted(url));
    let seen = match &exchange.result {
        Ok(answer) => answer.status.to_string(),
        Err(failure) => crate::output::failure(failure),
    };
    format!(
        "{}  # {}: {}",
        words.join(" "),
        exchange.probe,
        plain(&seen)
    )
}

fn field(name: &str, value: &str) -> String {
    let name = plain(name);
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let hidden = value.contains("sha256:") && name.bytes().all(sound);
    match name.as_str() {
        "authorization" | "cookie" | "dpop" | "proxy-authorization" | "x-api-key" => {
            placeholder(&name, value)
        }
        _ if hidden => placeholder(&name, value),
        _ => format!("-H {}", quoted(&format!("{name}: {value}"))),
    }
}

/// A credential, by the name of a variable that whoever repeats the request fills.
fn placeholder(name: &str, value: &str) -> String {
    let scheme = value.split_once(' ').map(|(scheme, _)| scheme);
    let scheme = scheme.filter(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let scheme = scheme.map_or_else(String::new, |scheme| format!("{scheme} "));
    let variable = name.to_uppercase().replace('-', "_");
    format!("-H \"{name}: {scheme}${variable}\"")
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    let text = plain(text);
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@".contains(&byte);
    if !text.is_empty() && text.bytes().all(bare) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
