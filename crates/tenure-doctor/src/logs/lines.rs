//! Lines of a stream, with memory for one.

use std::io::{ErrorKind, Read};

use memchr::{memchr, memchr_iter};

/// Bytes of the longest line that is looked at; longer ones are counted and passed over.
pub(super) const LONGEST: usize = 1 << 20;
/// Bytes that are read at a time: few enough to be in the core's own cache when they are looked at.
const CHUNK: usize = 64 << 10;

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The whole line.
    Whole(&'a [u8]),
    /// More than [`LONGEST`] bytes; they were passed over.
    TooLong,
}

/// Hands every line to `take`, and says why reading ended early if it did. What was read before
/// counts; the last line needs no end.
pub(super) fn each(
    reader: &mut impl Read,
    mut take: impl FnMut(Line<'_>),
) -> (u64, Option<std::io::Error>) {
    let mut buffer = vec![0; LONGEST + CHUNK];
    let mut state = State::default();
    loop {
        let space = buffer.get_mut(state.filled..state.filled + CHUNK);
        let read = match reader.read(space.unwrap_or_default()) {
            Ok(0) => break state.end(&buffer, &mut take, None),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => break state.end(&buffer, &mut take, Some(error)),
        };
        state.bytes += read as u64;
        state.filled += read;
        state.lines(&mut buffer, &mut take);
    }
}

#[derive(Default)]
struct State {
    /// Bytes of the buffer that hold something.
    filled: usize,
    bytes: u64,
    /// Within a line that is too long, whose beginning is gone.
    passing: bool,
}

impl State {
    fn lines(&mut self, buffer: &mut [u8], take: &mut impl FnMut(Line<'_>)) {
        let filled = buffer.get(..self.filled).unwrap_or_default();
        let mut start = 0;
        if self.passing {
            let Some(end) = memchr(b'\n', filled) else {
                self.filled = 0;
                return;
            };
            take(Line::TooLong);
            self.passing = false;
            start = end + 1;
        }
        let rest = filled.get(start..).unwrap_or_default();
        let mut line = 0;
        for end in memchr_iter(b'\n', rest) {
            take(whole(rest.get(line..end).unwrap_or_default()));
            line = end + 1;
        }
        start += line;
        buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        if self.filled > LONGEST {
            self.passing = true;
            self.filled = 0;
        }
    }

    fn end(
        &self,
        buffer: &[u8],
        take: &mut impl FnMut(Line<'_>),
        error: Option<std::io::Error>,
    ) -> (u64, Option<std::io::Error>) {
        if self.passing {
            take(Line::TooLong);
        } else if self.filled > 0 {
            take(whole(buffer.get(..self.filled).unwrap_or_default()));
        }
        (self.bytes, error)
    }
}

fn whole(line: &[u8]) -> Line<'_> {
    if line.len() > LONGEST {
        return Line::TooLong;
    }
    Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, repeat};

    use super::*;

    fn of(mut reader: impl Read) -> Vec<String> {
        let mut lines = Vec::new();
        each(&mut reader, |line| {
            lines.push(match line {
                Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                Line::TooLong => "…".to_owned(),
            });
        });
        lines
    }

    #[test]
    fn line_ends_of_either_kind_and_none_at_all_are_understood() {
        assert_eq!(of(&b"a\r\nb\n\nc"[..]), ["a", "b", "", "c"]);
        assert_eq!(of(io::empty()), [""; 0]);
    }

    #[test]
    fn a_line_of_any_length_takes_the_memory_of_one() {
        let long = repeat(b'x').take(50 << 20);
        assert_eq!(
            of((&b"a\n"[..]).chain(long).chain(&b"\nb"[..])),
            ["a", "…", "b"]
        );
        assert_eq!(of(repeat(b'x').take(LONGEST as u64 + 1)), ["…"]);
    }
}
