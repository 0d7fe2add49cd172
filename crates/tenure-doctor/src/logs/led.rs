//! Redirects in the log of a client: httpx tells of each request that it sends, `HTTP Request: GET URL "HTTP/1.1 307 …"`.
//! It sends no Authorization to another origin (`_redirect_headers` of its `_client.py`).

use memchr::memmem;
use url::Url;

/// How httpx begins what it tells of a request.
const SAYS: &[u8] = b"HTTP Request: ";

/// The redirects of one file, while it is read.
#[derive(Default)]
pub(super) struct Led {
    /// The last request, where its answer was a redirect.
    open: Option<Url>,
    /// What the redirects before it have changed.
    changed: Option<Change>,
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    /// A slash, and TLS is lost.
    SlashToHttp,
    /// The host.
    Host,
}

impl Led {
    /// Where the file begins as such a log does.
    pub(super) fn begin(first: &[u8]) -> Option<Self> {
        memmem::find(first, SAYS).map(|_| Self::default())
    }

    /// A name and a sentence, where the line ends redirects with a refusal.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<(&'static str, String)> {
        let at = memmem::find(line, SAYS)?;
        let (url, status) = request(line.get(at + SAYS.len()..)?)?;
        let from = self.open.take();
        let step = from.as_ref().and_then(|from| change(from, &url));
        let changed = match from {
            Some(_) => self.changed.or(step),
            None => None,
        };
        if (300..400).contains(&status) {
            self.open = Some(url);
            self.changed = changed;
            return None;
        }
        self.changed = None;
        let (name, how) = match changed? {
            Change::SlashToHttp => ("client-led-to-http", "from https to http for a slash"),
            Change::Host => ("client-led-to-host", "to another host"),
        };
        let says = format!("{status} after a redirect {how}, where the client drops Authorization");
        matches!(status, 401 | 403).then_some((name, says))
    }
}

/// What a redirect changes by which the header is lost.
fn change(from: &Url, to: &Url) -> Option<Change> {
    let bare = |url: &Url| url.path().trim_end_matches('/').to_owned();
    let same_path = bare(from) == bare(to);
    if from.host_str() != to.host_str() {
        return same_path.then_some(Change::Host);
    }
    let to_http = from.scheme() == "https" && to.scheme() == "http";
    (to_http && same_path && from.path() != to.path()).then_some(Change::SlashToHttp)
}

/// The URL and the status of what follows.
fn request(told: &[u8]) -> Option<(Url, u16)> {
    let told = std::str::from_utf8(told).ok()?;
    let mut words = told.split(' ');
    let (_, url, version) = (words.next()?, words.next()?, words.next()?);
    let status = words.next()?.trim_end_matches('"').parse().ok()?;
    let url = Url::parse(url).ok()?;
    version.starts_with("\"HTTP/").then_some((url, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(requests: &[(&str, u16)]) -> Option<&'static str> {
        let mut led = Led::begin(SAYS).unwrap();
        let ends = requests.iter().map(|(url, status)| {
            let line = format!("INFO httpx: HTTP Request: GET {url} \"HTTP/1.1 {status} Told\"");
            led.line(line.as_bytes()).map(|(name, _)| name)
        });
        ends.fold(None, |_, said| said)
    }

    #[test]
    fn redirects_that_end_with_a_refusal_say_what_was_lost() {
        let slash = ("http://api.example/things/", 307);
        let start = ("https://api.example/things", 307);
        let end = ("https://api.example/things/", 401);
        assert_eq!(of(&[start, slash, end]), Some("client-led-to-http"));
        assert_eq!(of(&[start, end]), None);
        assert_eq!(of(&[start, slash, (end.0, 200)]), None);
        let moved = ("https://new.example/things", 401);
        assert_eq!(of(&[start, moved]), Some("client-led-to-host"));
        assert_eq!(of(&[("https://api.example/things", 200), moved]), None);
        assert_eq!(of(&[start, ("https://new.example/login", 401)]), None);
    }
}
