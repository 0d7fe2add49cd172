//! HAR 1.2: a browser's record of requests, one JSON document.
//!
//! Chrome leaves `Authorization`, `Cookie` and `Set-Cookie` out unless asked not to, so a request
//! without them says nothing about what was sent.

use std::fmt;
use std::io::Read;

use memchr::memmem;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::clip::Clip;
use super::{json, logfmt};
use crate::exchange::{Answer, Exchange, Sent};
use crate::logs::record::{Record, Value, below, key};
use crate::logs::{Browsed, time};
use crate::probe::Probe;

/// Whether a stream that begins so is a HAR.
pub(in crate::logs) fn begins(first: &[u8]) -> bool {
    let text = first.trim_ascii_start();
    let log = text
        .strip_prefix(b"{")
        .map(<[u8]>::trim_ascii_start)
        .is_some_and(|rest| rest.starts_with(b"\"log\""));
    log && [&b"\"creator\""[..], b"\"entries\"", b"\"pages\""]
        .iter()
        .any(|name| memmem::find(text, name).is_some())
}

/// Hands every entry to `take`; an error where the document is broken, with what was read before it.
pub(in crate::logs) fn read(
    reader: impl Read,
    take: &mut dyn FnMut(&Record, Browsed),
) -> Result<(), serde_json::Error> {
    let mut text = serde_json::Deserializer::from_reader(Clip::new(reader));
    Walk { take, depth: 0 }.deserialize(&mut text)
}

/// Goes down `log`, then `entries`, and reads their members one by one.
struct Walk<'a> {
    take: &'a mut dyn FnMut(&Record, Browsed),
    depth: usize,
}

const PATH: [&str; 2] = ["log", "entries"];

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a HAR")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(wanted) = PATH.get(self.depth) else {
            return Err(A::Error::custom("entries are not a list"));
        };
        while let Some(name) = map.next_key::<String>()? {
            if name == *wanted {
                map.next_value_seed(Walk {
                    take: &mut *self.take,
                    depth: self.depth + 1,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element::<Entry>()? {
            let browsed = entry.browsed();
            (self.take)(&entry.record(), browsed);
        }
        Ok(())
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    time: Option<f64>,
    request: Request,
    response: Response,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    headers: Vec<Header>,
    post_data: Body,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Response {
    status: Option<f64>,
    headers: Vec<Header>,
    content: Body,
    #[serde(rename = "_error")]
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    mime_type: String,
    text: String,
}

impl Header {
    /// Cookies that browsers write into one field, a line each, apart.
    fn fields(&self) -> impl Iterator<Item = (String, String)> {
        let name = self.name.to_ascii_lowercase();
        self.value
            .split('\n')
            .map(move |value| (name.clone(), value.to_owned()))
    }
}

impl Entry {
    /// Request and answer, redacted.
    fn browsed(&self) -> Browsed {
        let fields = |headers: &[Header]| headers.iter().flat_map(Header::fields).collect();
        let status = self.response.status.filter(|status| *status >= 100.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and a status is small"
        )]
        let answer = status.map(|status| Answer {
            status: status as u16,
            headers: fields(&self.response.headers),
            body: self
                .response
                .content
                .text
                .chars()
                .take(Answer::BODY)
                .collect(),
            body_bytes: self.response.content.text.len() as u64,
        });
        let raw = Exchange {
            probe: Probe::Client,
            request: Sent {
                method: self.request.method.clone(),
                url: self.request.url.clone(),
                headers: fields(&self.request.headers),
                body_bytes: self.request.post_data.text.len() as u64,
            },
            result: answer.ok_or(crate::exchange::Failure::Reset),
            at: tenure_core::time::Timestamp::default(),
            took_ms: 0,
            address: None,
        };
        Browsed::of(&raw)
    }

    fn record(self) -> Record {
        let mut record = Record::of("har");
        let text = |value: String| Value::Text(value);
        // The moment at which the answer was there, so that answers stand in the order in which they came.
        let took = self
            .time
            .filter(|took| (0.0..1e9).contains(took))
            .unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be small and positive"
        )]
        let took = took as u64;
        record.time = time::whole(&self.started_date_time).map(|at| at.saturating_add(took));
        record.put("method".to_owned(), text(self.request.method));
        record.put("path".to_owned(), text(self.request.url));
        match self.response.status {
            Some(status) if status > 0.0 => record.put("status".to_owned(), Value::Number(status)),
            _ => record.put(
                "error".to_owned(),
                text(self.response.error.unwrap_or_else(|| "network".to_owned())),
            ),
        }
        record.sanitized = true;
        for header in self.request.headers {
            let name = key(&header.name);
            record.sanitized &= name != "authorization" && name != "cookie";
            record.put(format!("req.headers.{name}"), text(header.value));
        }
        let date = |header: &&Header| header.name.eq_ignore_ascii_case("date");
        if let Some(date) = self.response.headers.iter().find(date) {
            record.put("res.headers.date".to_owned(), text(date.value.clone()));
        }
        body(&mut record, "req.body", &self.request.post_data);
        body(&mut record, "res.body", &self.response.content);
        record
    }
}

/// A body's JSON or form fields, under a path.
fn body(record: &mut Record, path: &str, body: &Body) {
    if let Ok(object) = serde_json::from_str::<Map<String, Json>>(&body.text) {
        json::add(record, path, object, 2);
    } else if body.mime_type.contains("form-urlencoded") {
        for pair in url::form_urlencoded::parse(body.text.as_bytes()) {
            record.put(below(path, &pair.0), logfmt::value(&pair.1));
        }
    }
}
