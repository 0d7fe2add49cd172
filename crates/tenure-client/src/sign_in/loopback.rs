//! The place on this device that the browser comes back to (RFC 8252 section 7.3).

use std::sync::Arc;
use std::time::Duration;

use tenure_core::secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::form_urlencoded;

use crate::Error;
use crate::events::Entry;

/// A listener on a free port of 127.0.0.1.
#[derive(Debug)]
pub(super) struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// What the browser must bring.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) state: Secret,
    /// Compared with `iss`, so that no other service's answer is taken (RFC 9207).
    pub(super) issuer: String,
    /// Whether `iss` must be there.
    pub(super) names_issuer: bool,
}

const PATH: &str = "/callback";
const LONGEST_HEAD: usize = 16 * 1024;
const PAUSE: Duration = Duration::from_millis(100);
/// A browser sends its request at once.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Loopback {
    pub(super) async fn bind() -> Result<Self, Error> {
        let failed = |error| Error::Misconfigured(format!("no loopback port: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, port })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits for the one who brings the expected state: the code, or why there is none. Each
    /// visitor has a task of its own, so one that says nothing does not keep the browser waiting.
    pub(super) async fn code(self, expected: Expected) -> Result<Secret, Error> {
        let expected = Arc::new(expected);
        let (found, mut verdict) = mpsc::channel(1);
        let mut visitors = JoinSet::new();
        loop {
            tokio::select! {
                Some(verdict) = verdict.recv() => return verdict,
                visitor = self.listener.accept() => {
                    let Ok((visitor, _)) = visitor else {
                        // Out of files, or a visitor who has gone: the browser may still come.
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    };
                    let (expected, found) = (Arc::clone(&expected), found.clone());
                    visitors.spawn(receive(visitor, expected, found));
                }
                Some(_) = visitors.join_next() => {}
            }
        }
    }
}

/// Answers one visitor; the page is written before the verdict is told, so the browser sees it.
async fn receive(
    mut visitor: TcpStream,
    expected: Arc<Expected>,
    found: mpsc::Sender<Result<Secret, Error>>,
) {
    let read = tokio::time::timeout(LONGEST_WAIT, target(&mut visitor));
    let Ok(Some(target)) = read.await else {
        return;
    };
    let verdict = expected.judge(&target);
    let (status, text) = match &verdict {
        Some(Ok(_)) => ("200 OK", "Done. You can close this window."),
        Some(Err(_)) => (
            "200 OK",
            "The sign-in was refused. You can close this window.",
        ),
        None if target.split(['?', '#']).next() == Some(PATH) => {
            let had_state = target.contains("state=");
            Entry::SignInStranger { had_state }.tell();
            (
                "400 Bad Request",
                "This is not the answer to the sign-in that is under way. Start again in the app.",
            )
        }
        None => ("404 Not Found", "Nothing here."),
    };
    let length = text.len();
    let page = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}"
    );
    // A browser that does not wait for its page has brought the code all the same.
    let _written = visitor.write_all(page.as_bytes()).await;
    let _closed = visitor.shutdown().await;
    if let Some(verdict) = verdict {
        // Nobody listens any more: somebody else brought the verdict.
        let _told = found.send(verdict).await;
    }
}

/// The target of the request line, once the whole head is there.
async fn target(visitor: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_HEAD {
            return None;
        }
        head.push(visitor.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.lines().next()?.split(' ');
    (words.next() == Some("GET")).then_some(())?;
    words.next().map(ToOwned::to_owned)
}

impl Expected {
    /// `None`: this is not the browser that was sent out.
    fn judge(&self, target: &str) -> Option<Result<Secret, Error>> {
        let query = target.strip_prefix(PATH)?.strip_prefix('?')?;
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let pair = pairs.find(|(key, _)| key == name)?;
            Some(pair.1.into_owned())
        };
        if Secret::new(value("state")?) != self.state {
            return None;
        }
        let issuer = value("iss");
        if self.names_issuer && issuer.is_none() || issuer.is_some_and(|iss| iss != self.issuer) {
            return Some(Err(Error::SignInRefused {
                code: "wrong_issuer".into(),
                description: Some("the answer does not come from the service asked".into()),
            }));
        }
        if let Some(code) = value("error") {
            let description = value("error_description");
            return Some(Err(Error::SignInRefused { code, description }));
        }
        let code = Secret::new(value("code")?);
        (!code.is_blank()).then_some(Ok(code))
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::secret::Secret;

    use super::Expected;
    use crate::Error;

    fn judge(names_issuer: bool, target: &str) -> Option<Result<Secret, Error>> {
        let expected = Expected {
            state: Secret::new("s"),
            issuer: "https://id.example.com".into(),
            names_issuer,
        };
        expected.judge(target)
    }

    fn refusal(verdict: Option<Result<Secret, Error>>) -> String {
        match verdict {
            Some(Err(Error::SignInRefused { code, .. })) => code,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn the_code_is_taken_from_whoever_knows_the_state() {
        let code = Some(Ok(Secret::new("c+d")));
        assert_eq!(judge(false, "/callback?code=c%2Bd&state=s"), code);
        for stranger in [
            "/callback?code=c&state=t",
            "/callback?code=c",
            "/callback?error=access_denied&state=t",
            "/callback?state=s",
            "/callback?state=s&code=",
            "/callback",
            "/callbackx?code=c&state=s",
            "/favicon.ico",
            "/",
        ] {
            assert_eq!(judge(false, stranger), None, "{stranger}");
        }
    }

    #[test]
    fn another_issuer_s_answer_is_refused() {
        let right = "/callback?code=c&state=s&iss=https%3A%2F%2Fid.example.com";
        let wrong = "/callback?code=c&state=s&iss=https%3A%2F%2Fevil.example.com";
        let none = "/callback?code=c&state=s";
        for names_issuer in [true, false] {
            assert!(matches!(judge(names_issuer, right), Some(Ok(_))));
            assert_eq!(refusal(judge(names_issuer, wrong)), "wrong_issuer");
        }
        assert_eq!(refusal(judge(true, none)), "wrong_issuer");
    }

    #[test]
    fn an_error_is_told_with_its_description() {
        let verdict = judge(
            false,
            "/callback?error=access_denied&error_description=no+thanks&state=s",
        );
        assert_eq!(
            verdict,
            Some(Err(Error::SignInRefused {
                code: "access_denied".into(),
                description: Some("no thanks".into()),
            }))
        );
    }
}
