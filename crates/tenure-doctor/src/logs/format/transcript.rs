//! What command-line clients print of a request and its answer: `curl -v`, `curl -i`, HTTPie, `wget -d`; and Python's
//! `http.client` with `debuglevel`, see [`printed`].

mod printed;

use memchr::memmem;
use url::Url;

use crate::exchange::{Answer, Exchange, Failure, Sent};
use crate::logs::record::{Record, Value, key};
use crate::probe::Probe;
use tenure_core::outcome;
use tenure_core::time::Timestamp;

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Whether a file that begins so is one: a request that is sent, or a command and the head of an answer.
pub(in crate::logs) fn begins(first: &[u8]) -> bool {
    let holds = |needle: &[u8]| {
        memmem::find(first, needle).is_some()
            || first.starts_with(needle.get(1..).unwrap_or_default())
    };
    let answered = holds(b"\n< HTTP/") || holds(b"\nHTTP/");
    let shown = String::from_utf8_lossy(first);
    let sent = || {
        shown
            .lines()
            .any(|line| request(line.strip_prefix("> ").unwrap_or(line)).is_some())
    };
    let called = || shown.lines().any(|line| command(line).is_some());
    (answered || holds(b"\n> ")) && (sent() || answered && called()) || printed::begins(&shown)
}

/// Takes the lines of a transcript, one by one.
#[derive(Default)]
pub(in crate::logs) struct Transcript {
    open: Option<Exchange>,
    part: Part,
    tls: bool,
    /// What the command line says, where no request is printed.
    called: Option<Sent>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Part {
    #[default]
    Around,
    Request,
    /// Between a printed request and its answer.
    Sent,
    Head,
    Body,
}

impl Transcript {
    /// Whether the line is of the transcript, and the exchange that ended with it.
    pub(in crate::logs) fn line(&mut self, line: &str) -> (bool, Option<Exchange>) {
        if let Some(lines) = printed::lines(line) {
            let done: Vec<_> = lines.iter().filter_map(|line| self.line(line).1).collect();
            return (true, done.into_iter().next());
        }
        if let Some(called) = command(line) {
            let done = self.end();
            self.tls = called.url.starts_with("https:");
            self.called = Some(called);
            return (true, done);
        }
        if let Some(said) = line.strip_prefix("* ") {
            self.remark(said);
            return (true, None);
        }
        if let Some(sent) = line.strip_prefix('>') {
            return (true, self.sent(sent.strip_prefix(' ').unwrap_or(sent)));
        }
        if let Some(answered) = line.strip_prefix('<').filter(|it| self.is_head(it)) {
            return (true, self.answered(answered.trim_start()));
        }
        let bytes = |line: &str| line.ends_with(" bytes data]") || line.starts_with("curl: (");
        if bytes(line) {
            self.remark(line);
            return (true, None);
        }
        match self.part {
            Part::Request if !line.starts_with('-') => (true, self.sent(line)),
            Part::Head => (true, self.answered(line)),
            _ if request(line).is_some() => (true, self.sent(line)),
            _ if line.starts_with("HTTP/") && self.part != Part::Request => {
                (true, self.answered(line))
            }
            Part::Body => {
                self.body(line);
                (true, None)
            }
            _ => (false, None),
        }
    }

    /// The exchange that is not ended yet.
    pub(in crate::logs) fn end(&mut self) -> Option<Exchange> {
        self.part = Part::Around;
        let done = self.open.take()?;
        let date = done
            .result
            .as_ref()
            .ok()
            .and_then(|answer| answer.header("date"));
        let at = date.and_then(outcome::date).unwrap_or_default();
        Some(Exchange { at, ..done })
    }

    /// HTML begins with the same sign as a line of the head.
    fn is_head(&self, rest: &str) -> bool {
        rest.starts_with(" HTTP/")
            || self.part == Part::Head && (rest.is_empty() || rest.starts_with(' '))
    }

    fn remark(&mut self, said: &str) {
        if said.contains("Trying ") {
            self.tls = false;
        }
        self.tls |= said.contains("SSL connection using") || said.contains("TLS handshake");
        let failures = [
            ("alert", "TLS"),
            ("curl: (35)", "TLS"),
            ("curl: (56)", ""),
            ("curl: (52)", ""),
            ("curl: (28)", "time"),
        ];
        let failure = failures.iter().find(|(words, _)| said.contains(words));
        let Some(Exchange { result, .. }) = &mut self.open else {
            return;
        };
        if let (Err(Failure::Reset), Some((_, kind))) = (&*result, failure) {
            *result = Err(match *kind {
                "TLS" => Failure::Tls(said.trim().to_owned()),
                "time" => Failure::Timeout,
                _ => Failure::Reset,
            });
        }
    }

    fn sent(&mut self, line: &str) -> Option<Exchange> {
        if let Some((method, target)) = request(line) {
            let done = self.end();
            self.part = Part::Request;
            self.open = Some(draft(Sent {
                method: method.to_owned(),
                url: target.to_owned(),
                headers: Vec::new(),
                body_bytes: 0,
            }));
            return done;
        }
        if self.part != Part::Request {
            return None;
        }
        let Some(Exchange { request, .. }) = &mut self.open else {
            return None;
        };
        match field(line) {
            Some((name, value)) => {
                if name == "host" && request.url.starts_with('/') {
                    let scheme = if self.tls || value.ends_with(":443") {
                        "https"
                    } else {
                        "http"
                    };
                    request.url = format!("{scheme}://{value}{}", request.url);
                }
                request.headers.push((name, value));
            }
            None => self.part = Part::Sent,
        }
        None
    }

    fn answered(&mut self, line: &str) -> Option<Exchange> {
        if let Some(status) = status(line) {
            let again = matches!(&self.open, Some(Exchange { result: Ok(answer), .. }) if answer.status >= 200);
            let done = if again { self.end() } else { None };
            self.part = Part::Head;
            let sent = self
                .open
                .take()
                .map(|open| open.request)
                .or_else(|| self.called.clone());
            self.open = sent.map(|sent| Exchange {
                result: Ok(Answer {
                    status,
                    headers: Vec::new(),
                    body: String::new(),
                    body_bytes: 0,
                }),
                ..draft(sent)
            });
            return done;
        }
        if let Some(Exchange {
            result: Ok(answer), ..
        }) = &mut self.open
        {
            match field(line) {
                Some(field) => answer.headers.push(field),
                None => {
                    self.part = if answer.status < 200 {
                        Part::Sent
                    } else {
                        Part::Body
                    }
                }
            }
        }
        None
    }

    fn body(&mut self, line: &str) {
        if let Some(Exchange {
            result: Ok(answer), ..
        }) = &mut self.open
        {
            let room = Answer::BODY.saturating_sub(answer.body.len());
            answer.body.extend(line.chars().take(room).chain(['\n']));
            answer.body_bytes += line.len() as u64;
        }
    }
}

fn draft(request: Sent) -> Exchange {
    Exchange {
        probe: Probe::Client,
        request,
        result: Err(Failure::Reset),
        at: Timestamp::default(),
        took_ms: 0,
        address: None,
    }
}

/// Method and target of a request line.
fn request(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let place = target.starts_with('/') || target.starts_with("http");
    let whole = METHODS.contains(&method) && place && version.starts_with("HTTP/");
    (whole && words.next().is_none()).then_some((method, target))
}

fn status(line: &str) -> Option<u16> {
    let (version, rest) = line.split_once(' ')?;
    let status = rest.get(..3)?.parse().ok()?;
    (version.starts_with("HTTP/") && (100..600).contains(&status)).then_some(status)
}

fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let named = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    named.then(|| {
        (
            name.to_ascii_lowercase(),
            value.strip_prefix(' ').unwrap_or(value).to_owned(),
        )
    })
}

/// What a command line of curl sends.
fn command(line: &str) -> Option<Sent> {
    let line = line.trim_start_matches(['$', '#', '%', '>', ' ']);
    let mut words = words(line.strip_prefix("curl ")?).into_iter().peekable();
    let (mut url, mut method) = (None, None);
    let mut headers = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-H" | "--header" => headers.extend(words.next().as_deref().and_then(field)),
            "-X" | "--request" => method = words.next(),
            "-d" | "--data" | "--data-raw" | "--json" | "--data-binary" | "--data-urlencode" => {
                words.next();
                method.get_or_insert_with(|| "POST".to_owned());
            }
            "-I" | "--head" => method = Some("HEAD".to_owned()),
            "-b" | "--cookie" => {
                let pairs = words.next().filter(|pairs| pairs.contains('='));
                headers.extend(pairs.map(|pairs| ("cookie".to_owned(), pairs)));
            }
            word if word.starts_with("http://") || word.starts_with("https://") => {
                url = Url::parse(word).ok();
            }
            _ => {}
        }
    }
    Some(Sent {
        method: method.unwrap_or_else(|| "GET".to_owned()),
        url: url?.to_string(),
        headers,
        body_bytes: 0,
    })
}

/// The words of a command line; quotes keep blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => {
                if let Some(word) = words.last_mut() {
                    word.push(letter);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What the correlation is told of an exchange.
pub(in crate::logs) fn record(exchange: &Exchange) -> Record {
    let mut record = Record::of("transcript");
    record.time = (exchange.at.0 > 0).then_some(exchange.at.0.saturating_mul(1_000));
    record.put(
        "method".to_owned(),
        Value::Text(exchange.request.method.clone()),
    );
    record.put("path".to_owned(), Value::Text(exchange.request.url.clone()));
    match &exchange.result {
        Ok(answer) => record.put("status".to_owned(), Value::Number(f64::from(answer.status))),
        Err(_) => record.put("error".to_owned(), Value::Text("network".to_owned())),
    }
    for (name, value) in &exchange.request.headers {
        record.put(
            format!("req.headers.{}", key(name)),
            Value::Text(value.clone()),
        );
    }
    record
}
