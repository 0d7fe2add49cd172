//! What Python's `http.client` prints where `debuglevel` is set, which `requests` and `urllib3` use:
//! `send: b'GET / HTTP/1.1\r\n…'`, `reply: 'HTTP/1.1 401 Unauthorized\r\n'`, `header: name: value`.

/// Whether a file shows one.
pub(super) fn begins(shown: &str) -> bool {
    let mut lines = shown.lines();
    lines.any(|line| line.starts_with("send: b'") && line.contains(" HTTP/1.1\\r\\n"))
        && lines.any(|line| line.starts_with("reply: 'HTTP/"))
}

/// The lines that one of them stands for, as `curl -v` writes them.
pub(super) fn lines(line: &str) -> Option<Vec<String>> {
    if let Some(sent) = quoted(line, "send: b") {
        let head = sent.split("\\r\\n\\r\\n").next()?;
        if !head.contains(" HTTP/1.") {
            return Some(Vec::new());
        }
        let mut lines: Vec<_> = head.split("\\r\\n").map(|one| format!("> {one}")).collect();
        lines.push(">".to_owned());
        return Some(lines);
    }
    if let Some(answered) = quoted(line, "reply: ") {
        let status = answered.split("\\r\\n").next()?;
        return Some(vec![format!("< {status}")]);
    }
    let field = line.strip_prefix("header: ")?;
    Some(vec![format!("< {field}")])
}

fn quoted<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(before)?;
    ['\'', '"'].iter().find_map(|quote| {
        let inner = rest.strip_prefix(*quote)?;
        Some(inner.trim_end().trim_end_matches(*quote))
    })
}

#[cfg(test)]
mod tests {
    use crate::logs::Analyst;

    const PRINTED: &str = "send: b'GET /orders HTTP/1.1\\r\\nHost: api.example\\r\\nAuthorization: Basic x\\r\\n\\r\\n'\nreply: 'HTTP/1.1 401 Unauthorized\\r\\n'\nheader: WWW-Authenticate: Bearer\n401 no\n";

    #[test]
    fn a_printed_request_is_read_with_its_answer() {
        let mut analyst = Analyst::new();
        analyst.read("job.log", PRINTED.as_bytes());
        let called = analyst.finish().called.unwrap();
        let exchange = &called.exchanges[0];
        assert_eq!(exchange.request.url, "http://api.example/orders");
        assert!(
            exchange
                .request
                .header("authorization")
                .unwrap()
                .starts_with("Basic")
        );
        let answer = exchange.result.as_ref().unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }

    #[test]
    fn words_alone_are_no_transcript() {
        let mut analyst = Analyst::new();
        analyst.read(
            "job.log",
            "send: b'hello'\nreply: 'HTTP/1.1 200 OK'\n".as_bytes(),
        );
        assert!(analyst.finish().called.is_none());
    }
}
