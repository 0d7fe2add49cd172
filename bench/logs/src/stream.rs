//! A log as a busy API writes it, made while it is read.

use std::io::{Read, Result};

/// Different lines; they differ in user, path, process and length.
const LINES: u64 = 4_096;
/// Users that the lines are about.
const USERS: u64 = 1_000;
/// Where the digits of the time are in each line.
const TIME: std::ops::Range<usize> = 19..32;
/// The first line's time.
const BEGUN: u64 = 1_795_284_000_000;

/// So many bytes of whole pino-http lines, 6 milliseconds apart. Three in a hundred are about a session: sign-ins,
/// a request refused, the refresh, and the request again.
pub(crate) struct Stream {
    lines: Vec<Vec<u8>>,
    /// The line that is being read, and the bytes of it that have been.
    line: usize,
    done: usize,
    /// Its time.
    at: u64,
    left: u64,
}

impl Stream {
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            lines: (0..LINES).map(line).collect(),
            line: 0,
            done: 0,
            at: BEGUN,
            left: bytes,
        }
    }

    /// Goes on to the next line, with its own time.
    fn advance(&mut self) {
        self.line = (self.line + 1) % self.lines.len();
        self.done = 0;
        self.at += 6;
        let line = self.lines.get_mut(self.line);
        let time = line.and_then(|line| line.get_mut(TIME));
        let mut digits = self.at;
        for place in time.unwrap_or_default().iter_mut().rev() {
            *place = b'0' + u8::try_from(digits % 10).unwrap_or_default();
            digits /= 10;
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < into.len() && self.left > 0 {
            let line = self.lines.get(self.line);
            let rest = line.and_then(|line| line.get(self.done..));
            let rest = rest.unwrap_or_default();
            if rest.is_empty() {
                self.advance();
                continue;
            }
            let space = into.get_mut(filled..).unwrap_or_default();
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            let take = space.len().min(rest.len()).min(left);
            if let (Some(space), Some(rest)) = (space.get_mut(..take), rest.get(..take)) {
                space.copy_from_slice(rest);
            }
            self.done += take;
            filled += take;
            self.left -= take as u64;
        }
        Ok(filled)
    }
}

/// One of the lines. Of every hundred, one user has a sign-in, a refused request, a refresh and the request again.
fn line(at: u64) -> Vec<u8> {
    let block = at / 100;
    let (user, path, method, status) = match at % 100 {
        20 => (block % USERS, "/login".to_owned(), "POST", 200),
        40 => (block % USERS, "/api/v1/feed".to_owned(), "GET", 401),
        41 => (block % USERS, "/auth/refresh".to_owned(), "POST", 200),
        42 => (block % USERS, "/api/v1/feed".to_owned(), "GET", 200),
        other => (
            (at * 7 + other) % USERS,
            format!("/api/v1/items/{}", at * 7_919 % 100_000),
            "GET",
            200,
        ),
    };
    let process = 10 + at % 4;
    format!(
        "{{\"level\":30,\"time\":{BEGUN},\"pid\":{process},\"hostname\":\"api-7d9f8b6c5-x2x4z\",\"req\":{{\"id\":{at},\"method\":\"{method}\",\"url\":\"{path}\",\"query\":{{}},\"headers\":{{\"host\":\"api.shop.example\",\"user-agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\",\"accept\":\"application/json\",\"authorization\":\"[Redacted]\"}},\"remoteAddress\":\"10.0.3.{}\",\"remotePort\":40112}},\"userId\":\"user-{user}\",\"res\":{{\"statusCode\":{status},\"headers\":{{\"content-type\":\"application/json; charset=utf-8\",\"content-length\":\"912\"}}}},\"responseTime\":{},\"msg\":\"request completed\"}}\n",
        at % 250,
        3 + at % 40,
    )
    .into_bytes()
}
