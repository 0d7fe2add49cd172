//! A server that answers bytes, and remembers what reached it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_doctor::case::{Inputs, Target};
use tenure_doctor::exchange::Exchange;
use tenure_doctor::probe::{Live, Options, Probe, Stop, Subject, Watch, examine};
use tenure_doctor::{Evidence, collect};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A token that is good everywhere in these tests.
pub(crate) const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRlc3Rz";

/// Requests, whole, as they came.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Answers every request with what `answer` makes of it, one for each connection.
pub(crate) async fn serve(
    answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let (noted, answer) = (seen.clone(), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (noted, answer) = (noted.clone(), Arc::clone(&answer));
            tokio::spawn(async move {
                let _gone = one(stream, &noted, answer.as_ref()).await;
            });
        }
    });
    (address, seen)
}

async fn one(
    mut stream: TcpStream,
    seen: &Seen,
    answer: &(dyn Fn(&str) -> Vec<u8> + Send + Sync),
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if count == 0 || is_whole(&text) {
            seen.0.lock().unwrap().push(text.clone());
            stream.write_all(&answer(&text)).await?;
            return stream.shutdown().await;
        }
    }
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = field(head, "content-length").and_then(|length| length.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// The value of a header field.
pub(crate) fn field<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

pub(crate) fn says(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{fields}\r\n{body}").into_bytes()
}

/// 200 for [`TOKEN`], else 401.
pub(crate) fn well(request: &str) -> Vec<u8> {
    if field(request, "authorization") == Some(&format!("Bearer {TOKEN}")) {
        says("200 OK", "", "fine")
    } else {
        says(
            "401 Unauthorized",
            "www-authenticate: Bearer\r\n",
            "who are you?",
        )
    }
}

pub(crate) fn subject(url: &str) -> Subject {
    Subject {
        token: Some(Secret::new(TOKEN)),
        ..Subject::new(Target {
            url: url.to_owned(),
            method: "GET".to_owned(),
            origin: None,
            issuer: None,
        })
    }
}

pub(crate) fn live(options: Options) -> Live {
    Live::new(options, || Timestamp(1_700_000_000)).unwrap()
}

/// Collects as the command line does, and remembers what was sent.
#[derive(Default)]
pub(crate) struct Watcher {
    inputs: Inputs,
    pub(crate) sent: Vec<Probe>,
    pub(crate) last: Evidence,
}

impl Watch for Watcher {
    fn sending(&mut self, probe: Probe, number: usize) {
        self.sent.push(probe);
        assert_eq!(self.sent.len(), number);
    }

    fn evidence(&mut self, exchanges: &[Exchange]) -> &Evidence {
        self.inputs.exchanges = exchanges.to_vec();
        self.last = collect(&self.inputs);
        &self.last
    }
}

pub(crate) async fn run(subject: &Subject, options: Options) -> (Watcher, Vec<Exchange>, Stop) {
    let mut watcher = Watcher::default();
    let budget = tenure_doctor::probe::BUDGET;
    let (exchanges, stop) = examine(&live(options), subject, budget, &mut watcher).await;
    (watcher, exchanges, stop)
}
