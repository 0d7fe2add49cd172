//! The server's side of HTTP/2, as little of it as goes wrong (RFC 9113).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::service::{Seen, Service, reset};

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Answer(String),
    /// Answered; then GOAWAY, because the connection is idle.
    AnswerThenGoAway(String),
    /// GOAWAY that names this stream as the last one; then the answer.
    GoAwayThenAnswer(String),
    /// GOAWAY with this error that names the stream before as the last one.
    GoAway(u32),
    /// GOAWAY with this error that names this stream as the last one; closed without an answer.
    GoAwayAfter(u32),
    /// RST_STREAM with this error.
    Cancel(u32),
    /// The connection is reset.
    Reset,
}

/// Section 7.
pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

type Stream = TlsStream<TcpStream>;

/// Plays `turns`, one for each request, and then reads until the client has gone.
pub(crate) async fn serve(service: &Service, mut visitor: Stream, turns: Vec<Turn>) {
    let mut turns = turns.into_iter();
    let mut preface = [0; 24];
    if visitor.read_exact(&mut preface).await.is_err() {
        return;
    }
    send(&mut visitor, &frame(SETTINGS, 0, 0, &[])).await;
    let mut body = Vec::new();
    while let Some((kind, flags, stream, payload)) = receive(&mut visitor).await {
        match kind {
            SETTINGS if flags & ACK == 0 => {
                send(&mut visitor, &frame(SETTINGS, ACK, 0, &[])).await;
            }
            DATA => body.extend_from_slice(&payload),
            _ => {}
        }
        if !matches!(kind, DATA | HEADERS) || flags & END_STREAM == 0 {
            continue;
        }
        let Some(turn) = turns.next() else {
            body.clear();
            continue;
        };
        service.note(Seen {
            line: String::new(),
            bearer: None,
            key: None,
            body: String::from_utf8(std::mem::take(&mut body)).expect("text"),
        });
        if matches!(turn, Turn::Reset) {
            let (visitor, _) = visitor.into_inner();
            reset(visitor);
            return;
        }
        send(&mut visitor, &frames(&turn, stream)).await;
        if matches!(turn, Turn::GoAwayAfter(_)) {
            drop(visitor.shutdown().await);
            return;
        }
    }
}

fn frames(turn: &Turn, stream: u32) -> Vec<u8> {
    let before = stream.saturating_sub(2);
    match turn {
        Turn::Answer(body) => answer(stream, body),
        Turn::AnswerThenGoAway(body) => [answer(stream, body), go_away(stream, NO_ERROR)].concat(),
        Turn::GoAwayThenAnswer(body) => [go_away(stream, NO_ERROR), answer(stream, body)].concat(),
        Turn::GoAway(error) => go_away(before, *error),
        Turn::GoAwayAfter(error) => go_away(stream, *error),
        Turn::Cancel(error) => frame(RST_STREAM, 0, stream, &error.to_be_bytes()),
        Turn::Reset => Vec::new(),
    }
}

fn answer(stream: u32, body: &str) -> Vec<u8> {
    // ":status: 200" in HPACK's static table (RFC 7541 appendix A, entry 8).
    let headers = frame(HEADERS, END_HEADERS, stream, &[0x88]);
    [headers, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
}

fn go_away(last: u32, error: u32) -> Vec<u8> {
    let payload = [last.to_be_bytes(), error.to_be_bytes()].concat();
    frame(GOAWAY, 0, 0, &payload)
}

/// Section 4.1: length (24 bits), type, flags, stream, payload.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

async fn send(visitor: &mut Stream, bytes: &[u8]) {
    // A client that has gone is noticed at the next reading.
    drop(visitor.write_all(bytes).await);
    drop(visitor.flush().await);
}

async fn receive(visitor: &mut Stream) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    visitor.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
    let mut payload = vec![0; length as usize];
    visitor.read_exact(&mut payload).await.ok()?;
    Some((head[3], head[4], stream, payload))
}
