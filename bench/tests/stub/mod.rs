//! A token endpoint that rotates strictly: a token is good for one refresh, and it remembers who came.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln";

/// How the stub answers for a session; the number of the session decides.
pub(crate) type Behaviour = fn(session: usize) -> Answer;

#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Rotate,
    RotateChunked,
    RotateAndClose,
    OpaqueAccessToken,
    Refuse(&'static str, &'static str),
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) live: HashMap<String, usize>,
    pub(crate) refreshes: usize,
    pub(crate) replays: usize,
    pub(crate) visitors: HashMap<usize, HashSet<SocketAddr>>,
    pub(crate) forms: HashSet<String>,
}

pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Stub {
    pub(crate) fn start(sessions: usize, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let live = (0..sessions)
            .map(|session| (format!("s{session}.0"), session))
            .collect();
        let state = Arc::new(Mutex::new(State {
            live,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), &state, behaviour));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.with(|state| state.live.keys().cloned().collect())
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap())
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, behaviour: Behaviour) {
    let visitor = stream.peer_addr().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some((head, body)) = request(&mut reader) {
        let answer = if head.starts_with("POST /admin/sessions ") {
            admin_sessions(&head, &body)
        } else if body.starts_with("grant_type=client_credentials") {
            client_credentials(&head)
        } else {
            refresh(&body, visitor, &mut state.lock().unwrap(), behaviour)
        };
        if stream.write_all(answer.as_bytes()).is_err() || answer.contains("Connection: close") {
            return;
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let (_, length) = head.split_once("Content-Length: ").unwrap();
    let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).unwrap()))
}

fn refresh(body: &str, visitor: SocketAddr, state: &mut State, behaviour: Behaviour) -> String {
    let (form, token) = body.rsplit_once('=').unwrap();
    state.forms.insert(form.to_owned());
    let Some(session) = state.live.get(token).copied() else {
        state.replays += 1;
        return counted("400 Bad Request", r#"{"error":"invalid_grant"}"#);
    };
    state.visitors.entry(session).or_default().insert(visitor);
    let behaviour = behaviour(session);
    if let Answer::Refuse(status, error) = behaviour {
        return counted(status, &format!(r#"{{"error":"{error}"}}"#));
    }
    if let Answer::OpaqueAccessToken = behaviour {
        return counted("200 OK", r#"{"access_token":"opaque"}"#);
    }
    state.refreshes += 1;
    let successor = format!("s{session}.{}", state.refreshes);
    state.live.remove(token);
    state.live.insert(successor.clone(), session);
    let body = format!(r#"{{"access_token":"{JWT}","refresh_token":"{successor}"}}"#);
    match behaviour {
        Answer::RotateChunked => chunked(&body),
        Answer::RotateAndClose => counted("200 OK\r\nConnection: close", &body),
        _ => counted("200 OK", &body),
    }
}

fn client_credentials(head: &str) -> String {
    // demo-api:demo-secret
    assert!(head.contains("Authorization: Basic ZGVtby1hcGk6ZGVtby1zZWNyZXQ="));
    counted("200 OK", r#"{"access_token":"admin"}"#)
}

fn admin_sessions(head: &str, body: &str) -> String {
    assert!(head.contains("Authorization: Bearer admin"));
    let request: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(request["client_id"], "demo");
    let subject = request["subject"].as_str().unwrap();
    let count = request["count"].as_u64().unwrap();
    let session = |n| serde_json::json!({ "refresh_token": format!("{subject}.{n}") });
    let sessions: Vec<_> = (0..count).map(session).collect();
    counted(
        "201 Created",
        &serde_json::json!({ "sessions": sessions }).to_string(),
    )
}

fn counted(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn chunked(body: &str) -> String {
    let (first, second) = body.split_at(7);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
    let chunks = [chunk(first), chunk(second), chunk("")].concat();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")
}
