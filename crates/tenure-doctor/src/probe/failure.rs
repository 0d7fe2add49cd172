//! Why no answer came.

use std::error::Error;
use std::io::{self, ErrorKind};

use crate::exchange::Failure;

/// By the innermost error that says anything.
pub(super) fn classify(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Timeout;
    }
    if error.is_dns() {
        return Failure::Dns;
    }
    let mut found = None;
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        found = of(error).or(found);
        next = error.source();
    }
    match found {
        // The peer that hangs up while keys are agreed on has said no to TLS, not to the request.
        Some(Failure::Reset) if error.is_connect() => {
            Failure::Tls("the other side ended the handshake".to_owned())
        }
        Some(failure) => failure,
        None if error.is_connect() => Failure::Unreachable,
        None => Failure::Malformed("not understood".to_owned()),
    }
}

fn of(error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(Failure::Tls(error.to_string()));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return by_hyper(error);
    }
    let error = error.downcast_ref::<io::Error>()?;
    // `source` of an I/O error passes over the error that it wraps.
    match error.get_ref() {
        Some(inner) => of(inner).or_else(|| by_kind(error.kind())),
        None => by_kind(error.kind()),
    }
}

fn by_hyper(error: &hyper::Error) -> Option<Failure> {
    if error.is_parse() {
        Some(Failure::Malformed(error.to_string()))
    } else if error.is_incomplete_message() || error.is_closed() {
        Some(Failure::Reset)
    } else {
        None
    }
}

fn by_kind(kind: ErrorKind) -> Option<Failure> {
    match kind {
        ErrorKind::ConnectionRefused => Some(Failure::Refused),
        ErrorKind::NetworkUnreachable
        | ErrorKind::HostUnreachable
        | ErrorKind::AddrNotAvailable => Some(Failure::Unreachable),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof => Some(Failure::Reset),
        ErrorKind::TimedOut => Some(Failure::Timeout),
        _ => None,
    }
}
