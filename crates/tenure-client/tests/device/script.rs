//! A service that says what the test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tenure_client::{Transport, Trouble};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use url::form_urlencoded;

pub(crate) type Reply = Result<Response<Bytes>, Trouble>;

/// A poll as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) at: Instant,
    pub(crate) key: String,
}

/// The clones share everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    books: Mutex<Books>,
    asked: watch::Sender<usize>,
    /// Where answers are held, each takes a permit.
    gate: Mutex<Option<Arc<Semaphore>>>,
}

#[derive(Debug, Default)]
struct Books {
    metadata: Option<String>,
    begin: Option<Reply>,
    begun: Option<Instant>,
    replies: VecDeque<Reply>,
    polls: Vec<Poll>,
}

const METADATA: &str = r#"{"issuer":"https://id.example.com",
    "token_endpoint":"https://id.example.com/token",
    "device_authorization_endpoint":"https://id.example.com/device_authorization"}"#;

const BEGUN: &str = r#"{"device_code":"the-device-code","user_code":"WDJB-MJHT",
    "verification_uri":"https://id.example.com/device",
    "verification_uri_complete":"https://id.example.com/device?user_code=WDJB-MJHT",
    "expires_in":600,"interval":5}"#;

/// An answer; `header` is `name: value`, or the content type alone.
#[expect(clippy::unnecessary_wraps, reason = "a reply may also be some trouble")]
pub(crate) fn answer(status: u16, header: &str, body: &str) -> Reply {
    let (name, value) = header.split_once(": ").unwrap_or(("content-type", header));
    let answer = Response::builder().status(status).header(name, value);
    Ok(answer
        .body(Bytes::from(body.to_owned()))
        .expect("an answer"))
}

pub(crate) fn pending() -> Reply {
    answer(
        400,
        "application/json",
        r#"{"error":"authorization_pending"}"#,
    )
}

pub(crate) fn slow_down() -> Reply {
    answer(400, "application/json", r#"{"error":"slow_down"}"#)
}

pub(crate) fn granted() -> Reply {
    let tokens =
        r#"{"access_token":"a","token_type":"Bearer","expires_in":900,"refresh_token":"r"}"#;
    answer(200, "application/json", tokens)
}

impl Script {
    /// What the metadata say, instead of the usual.
    pub(crate) fn metadata(&self, text: &str) {
        self.books().metadata = Some(text.to_owned());
    }

    /// What the beginning is answered with, instead of the usual.
    pub(crate) fn begin(&self, reply: Reply) {
        self.books().begin = Some(reply);
    }

    /// What the next polls are answered with.
    pub(crate) fn poll(&self, replies: impl IntoIterator<Item = Reply>) {
        self.books().replies.extend(replies);
    }

    pub(crate) fn polls(&self) -> Vec<Poll> {
        self.books().polls.clone()
    }

    /// Whole seconds before each poll.
    pub(crate) fn gaps(&self) -> Vec<u64> {
        let books = self.books();
        let mut last = books.begun.expect("begun");
        let gap = |poll: &Poll| {
            let gap = poll.at - std::mem::replace(&mut last, poll.at);
            gap.as_secs_f64().round()
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few minutes"
        )]
        books.polls.iter().map(gap).map(|gap| gap as u64).collect()
    }

    /// From now on answers wait for [`Script::release`].
    pub(crate) fn hold_answers(&self) {
        *self.0.gate.lock().expect("not poisoned") = Some(Arc::new(Semaphore::new(0)));
    }

    pub(crate) fn release(&self, answers: usize) {
        let gate = self.0.gate.lock().expect("not poisoned");
        gate.as_ref().expect("held").add_permits(answers);
    }

    /// Waits until so many polls have come.
    pub(crate) async fn asked(&self, count: usize) {
        let mut asked = self.0.asked.subscribe();
        asked.wait_for(|asked| *asked >= count).await.expect("runs");
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().expect("not poisoned")
    }

    async fn polled(&self, request: &Request<Bytes>) -> Reply {
        let key = request.headers()["idempotency-key"].to_str();
        let key = key.expect("printable").to_owned();
        let mut fields = form_urlencoded::parse(request.body());
        assert!(fields.any(|(name, value)| name == "device_code" && value == "the-device-code"));
        let reply = {
            let mut books = self.books();
            let at = Instant::now();
            books.polls.push(Poll { at, key });
            books.replies.pop_front().expect("a reply is planned")
        };
        self.0.asked.send_modify(|asked| *asked += 1);
        let gate = self.0.gate.lock().expect("not poisoned").clone();
        if let Some(gate) = gate {
            gate.acquire().await.expect("open").forget();
        }
        reply
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Reply {
        match request.uri().path() {
            "/.well-known/openid-configuration" => {
                let metadata = self.books().metadata.clone();
                let metadata = metadata.unwrap_or_else(|| METADATA.to_owned());
                answer(200, "application/json", &metadata)
            }
            "/device_authorization" => {
                let mut books = self.books();
                books.begun = Some(Instant::now());
                let begin = books.begin.clone();
                begin.unwrap_or_else(|| answer(200, "application/json", BEGUN))
            }
            "/token" => self.polled(&request).await,
            other => panic!("nobody asks for {other}"),
        }
    }
}
