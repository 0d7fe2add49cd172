//! What is not a log, or only partly.

use std::io::{self, Read, repeat};

use proptest::prelude::*;
use tenure_doctor::logs::{Analyst, Logs, Pattern};

use super::finding;

fn read(reader: impl Read) -> Logs {
    let mut analyst = Analyst::new();
    analyst.read("odd", reader);
    analyst.finish()
}

const REFUSED: &[u8] = b"status=401 path=/api/feed\n";

#[test]
fn a_line_without_end_is_counted_and_what_surrounds_it_is_read() {
    let logs = read(
        REFUSED
            .chain(repeat(b'{').take(64 << 20))
            .chain(&b"\n"[..])
            .chain(REFUSED),
    );
    assert_eq!(logs.files[0].lines, 3);
    assert_eq!(logs.files[0].unread, 1);
    assert_eq!(finding(&logs, Pattern::Refusals).count, 2);
    assert!(
        logs.files[0].notes[0].contains("longer than 1 MiB"),
        "{:?}",
        logs.files[0].notes
    );
}

#[test]
fn binary_lines_and_broken_utf8_are_counted() {
    let logs = read(&b"\x7fELF\0\0\0\x01\nstatus=401 path=/\xff\xfe x\nstatus=401 path=/b"[..]);
    let file = &logs.files[0];
    assert_eq!((file.lines, file.unread), (3, 1));
    assert_eq!(file.statuses[&401], 2);
    assert_eq!(file.notes.len(), 2, "{:?}", file.notes);
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(read(io::empty()).files[0].lines, 0);
    assert!(read(io::empty()).findings.is_empty());
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_reader_that_fails_keeps_what_was_read() {
    let logs = read(REFUSED.chain(Failing));
    assert_eq!(logs.files[0].statuses[&401], 1);
    assert_eq!(
        logs.files[0].problem.as_deref(),
        Some("reading ended early: the disk is gone")
    );
}

fn cases() -> u32 {
    if std::env::var_os("TENURE_FULL").is_some() {
        20_000
    } else {
        500
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read(bytes.as_slice());
    }

    #[test]
    fn any_text_that_looks_like_a_log_is_read_without_harm(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "\"", ":", "[", "]", "\n", " ", "=", "refresh", "status", "401", "login", "\"GET / HTTP/1.1\" ", "{\"log\":{\"entries\":[",
            "\"msg\":", "time", "2026-11-21T18:00:00Z", "21/Nov/2026:18:00:00 +0000", "é", "\\u", "\\", ",", "null", "session cleared", "refresh_token",
            "\u{1f600}", " | ", "INFO", "pid", "\u{0}", "-", "1e999", "99999999999999999999",
        ]), 0..80)
    ) {
        read(parts.concat().as_bytes());
    }
}
