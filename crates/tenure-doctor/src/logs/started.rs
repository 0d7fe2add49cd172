//! Rails tells of a request in two lines, `Started GET "/orders" for 192.0.2.1` and `Completed 401 Unauthorized`. Where
//! `config.log_tags` puts the request's id before both, they are read as one.

use std::num::NonZeroUsize;

use lru::LruCache;
use memchr::memmem;

use super::record::{Record, Value};

/// Requests that have begun and not ended, as remembered at a time.
const OPEN: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();
/// Characters of a tag that is an id.
const ID: usize = 16;

/// Requests by their tag.
pub(super) struct Started {
    open: LruCache<String, [String; 3]>,
}

impl Default for Started {
    fn default() -> Self {
        Self {
            open: LruCache::new(OPEN),
        }
    }
}

impl Started {
    /// Remembers how a request began, or adds that to how it ended.
    pub(super) fn note(&mut self, line: &str, record: &mut Record) {
        let Some(at) = memmem::find(line.as_bytes(), b"] Started ")
            .or_else(|| memmem::find(line.as_bytes(), b"] Completed "))
        else {
            return;
        };
        let (before, rest) = line.split_at(at);
        let tag = before.rsplit('[').next().unwrap_or_default();
        if tag.len() < ID || tag.contains(' ') {
            return;
        }
        if let Some(asked) = rest.strip_prefix("] Started ") {
            if let Some(asked) = begun(asked) {
                self.open.put(tag.to_owned(), asked);
            }
        } else if let Some(asked) = self.open.pop(tag) {
            let status = rest.split_ascii_whitespace().nth(2);
            let status = status.and_then(|status| status.parse().ok());
            for (name, text) in ["method", "path", "remoteaddr"].into_iter().zip(asked) {
                record.put(name.to_owned(), Value::Text(text));
            }
            if let Some(status) = status {
                record.put("status".to_owned(), Value::Number(status));
            }
        }
    }
}

/// `GET "/orders" for 192.0.2.1 at …`: method, path, address.
fn begun(text: &str) -> Option<[String; 3]> {
    let mut words = text.split_ascii_whitespace();
    let (method, path) = (words.next()?, words.next()?);
    (words.next()? == "for").then_some(())?;
    let address = words.next()?;
    Some([method, path.trim_matches('"'), address].map(str::to_owned))
}
