//! Requests and their answers in lines for people: `GET /orders 401`, `HTTP GET /orders responded 401 in 3 ms`,
//! `Completed 401 Unauthorized`, `| 401 | 3ms | 192.0.2.1 | GET "/orders"`.

use crate::logs::names;
use crate::logs::record::{Record, Value};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Parts of lines that tell of a request, for who looks whether a line is worth taking apart.
pub(in crate::logs) const PARTS: &[&str] = &[
    "GET /",
    "GET http",
    "GET \"/",
    "GET - /",
    "POST /",
    "POST http",
    "POST \"/",
    "POST - /",
    "PUT /",
    "PUT http",
    "PUT \"/",
    "PATCH /",
    "PATCH http",
    "PATCH \"/",
    "DELETE /",
    "DELETE http",
    "DELETE \"/",
    "HEAD /",
    "HEAD http",
    "HEAD \"/",
    // Gin pads methods.
    "GET  ",
    "POST  ",
    "PUT  ",
    "PATCH  ",
    "DELETE  ",
    "Completed ",
    "Sent ",
    "status code: ",
    "completed with status: ",
];

/// Words behind which the status of an answer stands, without a path.
const STATUS_AFTER: [&str; 4] = [
    "Completed ",
    "Sent ",
    "with status code: ",
    "completed with status: ",
];

/// Words of a line that are looked at.
const WORDS: usize = 40;
/// Words between the path and the status.
const BETWEEN: usize = 7;

/// Adds method, path, status and address where the text tells them and no field does.
pub(super) fn note(record: &mut Record, text: &str) {
    let words: Vec<&str> = text.split_ascii_whitespace().take(WORDS).collect();
    let told = (0..words.len()).find_map(|at| Some((at, method(&words, at)?)));
    let Some((at, (method, path_at, path))) = told else {
        alone(record, text);
        return;
    };
    let before = words.get(..at).unwrap_or_default();
    let after = words.get(path_at + 1..).unwrap_or_default();
    let status = status_in(after, BETWEEN).or_else(|| status_before(before));
    let text = |text: &str| Value::Text(text.to_owned());
    if record.find(names::PATH).is_none() {
        record.put("path".to_owned(), text(path));
        if record.find(names::METHOD).is_none() {
            record.put("method".to_owned(), text(method));
        }
    }
    if let Some(status) = status.filter(|_| record.find(names::STATUS).is_none()) {
        record.put("status".to_owned(), Value::Number(status));
    }
    let address = before
        .iter()
        .map(|word| bare(word))
        .find(|word| is_address(word));
    if let Some(address) = address.filter(|_| record.find(names::ADDRESS).is_none()) {
        record.put("remoteaddr".to_owned(), text(address));
    }
}

/// A method and the path behind it.
fn method<'a>(words: &[&'a str], at: usize) -> Option<(&'a str, usize, &'a str)> {
    let word = words.get(at)?.trim_start_matches(['"', '\'', '[', '(']);
    METHODS.contains(&word).then_some(())?;
    let dashed = words.get(at + 1) == Some(&"-");
    let path_at = at + 1 + usize::from(dashed);
    let path = bare(words.get(path_at)?);
    let is_path =
        path.starts_with('/') || path.starts_with("http://") || path.starts_with("https://");
    is_path.then_some((word, path_at, path))
}

/// An answer without a path.
fn alone(record: &mut Record, text: &str) {
    let behind = STATUS_AFTER.iter().find_map(|words| {
        let at = text.find(words)?;
        let before = text.get(..at)?.trim_end();
        let begins = before.is_empty() || before.ends_with([':', ']']) || words.contains("status");
        let first = text
            .get(at + words.len()..)?
            .split_ascii_whitespace()
            .next()?;
        status(bare(first)).filter(|_| begins)
    });
    if let Some(status) = behind.filter(|_| record.find(names::STATUS).is_none()) {
        record.put("answeredstatus".to_owned(), Value::Number(status));
    }
}

fn status_in(words: &[&str], most: usize) -> Option<f64> {
    let mut here = words.iter().take(most).enumerate();
    here.find_map(|(at, word)| {
        let next = words.get(at + 1).copied().unwrap_or_default();
        let unit = matches!(
            bare(next),
            "ms" | "s" | "us" | "µs" | "bytes" | "B" | "KB" | "items" | "rows"
        );
        status(bare(word)).filter(|_| !unit)
    })
}

/// `[GIN] … | 401 | … | GET`, `401 Unauthorized: GET - /`.
fn status_before(words: &[&str]) -> Option<f64> {
    let first = words.first().and_then(|word| status(word));
    let barred = words.windows(3).find_map(|three| match three {
        ["|", word, "|"] => status(word),
        _ => None,
    });
    barred.or(first)
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| "\"',;()[]|".contains(c))
        .trim_end_matches(':')
}

fn status(word: &str) -> Option<f64> {
    let digits = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let number: f64 = word.parse().ok().filter(|_| digits)?;
    (100.0..600.0).contains(&number).then_some(number)
}

/// An address of version 4 or 6, perhaps with a port.
pub(super) fn is_address(word: &str) -> bool {
    word.parse::<std::net::IpAddr>().is_ok() || word.parse::<std::net::SocketAddr>().is_ok()
}
