//! Times as logs write them, in milliseconds since 1970. A time without a zone is taken as UTC.

use time::{Date, Month};

/// A time at the beginning of a text, and the bytes that it takes: ISO 8601 (`T` or a blank between,
/// `-` or `/` in the date, `.` or `,` before the fraction, with or without a zone), or the common log
/// format's (`21/Nov/2026:18:00:00 +0100`), or Apache's error log's (`Sat Nov 21 18:00:00.1 2026`).
pub(super) fn prefix(text: &str) -> Option<(u64, usize)> {
    let mut at = Cursor { text, at: 0 };
    if text.starts_with(|c: char| c.is_ascii_uppercase()) {
        return at.asctime();
    }
    let day = if matches!(text.as_bytes().get(2), Some(b'/' | b'-')) {
        at.common_date()?
    } else {
        at.iso_date()?
    };
    let seconds = at.clock()?;
    let millis = at.fraction();
    let zone = at.zone();
    let since = (i64::from(day) * 86_400 + seconds - zone) * 1_000 + millis;
    Some((u64::try_from(since).ok()?, at.at))
}

/// `11-21 18:00:00.123` at the beginning, as Android's log has it. See [`in_year`].
pub(super) fn without_year(text: &str) -> Option<(u64, usize)> {
    let mut at = Cursor { text, at: 0 };
    let month = at.digits(2)?;
    at.any(b"-")?;
    let day = at.digits(2)?;
    at.any(b" ")?;
    at.in_leap_year(u8::try_from(month).ok()?, day)
}

/// `Nov 21 18:00:00` at the beginning, as syslog has it (RFC 3164). See [`in_year`].
pub(super) fn syslog(text: &str) -> Option<(u64, usize)> {
    let mut at = Cursor { text, at: 0 };
    let month = at.month()?;
    at.any(b" ")?;
    let day = match at.any(b" ") {
        Some(_) => at.digits(1)?,
        None => at.digits(2)?,
    };
    at.any(b" ")?;
    at.in_leap_year(month, day)
}

/// The year in which times without one are read.
const LEAP: i32 = 1972;

/// A time that was read without a year, in the last twelve months before the moment; others as they are.
pub(super) fn in_year(time: u64, now: u64) -> u64 {
    let day = i32::try_from(time / 86_400_000).unwrap_or(i32::MAX / 2);
    let today = i32::try_from(now / 86_400_000).unwrap_or(i32::MAX / 2);
    let date = |day: i32| Date::from_julian_day(day.saturating_add(UNIX_EPOCH));
    let (Ok(read), Ok(now_date)) = (date(day), date(today)) else {
        return time;
    };
    if read.year() != LEAP {
        return time;
    }
    let in_year = |year| {
        read.replace_year(year)
            .map(|it| it.to_julian_day() - UNIX_EPOCH)
    };
    let this = in_year(now_date.year())
        .ok()
        .filter(|this| *this <= today + 2);
    let Some(moved) = this.or_else(|| in_year(now_date.year() - 1).ok()) else {
        return time;
    };
    time + u64::from((moved - day).unsigned_abs()) * 86_400_000
}

/// A whole text that is a time: as [`prefix`], or a number as [`epoch`].
pub(super) fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) => epoch(number),
        Err(_) => prefix(text).map(|(time, _)| time),
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size.
pub(super) fn epoch(number: f64) -> Option<u64> {
    let millis = match number {
        n if n < 1e8 => return None,
        n if n < 1e11 => n * 1e3,
        n if n < 1e14 => n,
        n if n < 1e17 => n / 1e3,
        n if n < 1e20 => n / 1e6,
        _ => return None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1e11 and 1e14"
    )]
    Some(millis as u64)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn any(&mut self, of: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| of.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let digits = self.text.get(self.at..self.at + count)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(())?;
        self.at += count;
        digits.parse().ok()
    }

    fn iso_date(&mut self) -> Option<i32> {
        let year = self.digits(4)?;
        let dash = self.any(b"-/")?;
        let month = self.digits(2)?;
        self.any(&[dash])?;
        let day = self.digits(2)?;
        self.any(b"T t")?;
        days(year, u8::try_from(month).ok()?, day)
    }

    /// `21/Nov/2026:`, and PHP's `21-Nov-2026 `.
    fn common_date(&mut self) -> Option<i32> {
        let day = self.digits(2)?;
        let between = self.any(b"/-")?;
        let month = self.month()?;
        self.any(&[between])?;
        let year = self.digits(4)?;
        self.any(b": ")?;
        days(year, month, day)
    }

    fn month(&mut self) -> Option<u8> {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let name = self.text.get(self.at..self.at + 3)?;
        let month = MONTHS.iter().zip(1..).find(|(month, _)| **month == name)?.1;
        self.at += 3;
        Some(month)
    }

    /// `Sat Nov 21 18:00:00.123456 2026`, as Apache's error log has it.
    fn asctime(&mut self) -> Option<(u64, usize)> {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        DAYS.contains(&self.text.get(..3)?).then_some(())?;
        self.at = 3;
        self.any(b" ")?;
        let month = self.month()?;
        self.any(b" ")?;
        let day = match self.any(b" ") {
            Some(_) => self.digits(1)?,
            None => self.digits(2)?,
        };
        self.any(b" ")?;
        let seconds = self.clock()?;
        let millis = self.fraction();
        self.any(b" ")?;
        let year = self.digits(4)?;
        let day = days(year, month, day)?;
        let since = (i64::from(day) * 86_400 + seconds) * 1_000 + millis;
        Some((u64::try_from(since).ok()?, self.at))
    }

    fn in_leap_year(&mut self, month: u8, day: i64) -> Option<(u64, usize)> {
        let day = days(i64::from(LEAP), month, day)?;
        let seconds = self.clock()?;
        let millis = self.fraction();
        let since = (i64::from(day) * 86_400 + seconds) * 1_000 + millis;
        Some((u64::try_from(since).ok()?, self.at))
    }

    fn clock(&mut self) -> Option<i64> {
        let hour = self.digits(2).filter(|hour| *hour < 24)?;
        self.any(b":")?;
        let minute = self.digits(2).filter(|minute| *minute < 60)?;
        self.any(b":")?;
        let second = self.digits(2).filter(|second| *second <= 60)?;
        Some(hour * 3_600 + minute * 60 + second)
    }

    fn fraction(&mut self) -> i64 {
        if self.any(b".,").is_none() {
            return 0;
        }
        let mut millis = 0;
        let mut unit = 100;
        while let Some(digit) = self.any(b"0123456789") {
            millis += i64::from(digit - b'0') * unit;
            unit /= 10;
        }
        millis
    }

    /// Seconds east of Greenwich.
    fn zone(&mut self) -> i64 {
        let start = self.at;
        if self.any(b"Zz").is_some() {
            return 0;
        }
        self.any(b" ");
        let offset = self.offset();
        if offset.is_none() {
            self.at = start;
        }
        offset.unwrap_or(0)
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = if self.any(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2)?;
        self.any(b":");
        let minutes = self.digits(2)?;
        Some(sign * (hours * 3_600 + minutes * 60))
    }
}

/// Days since 1970.
fn days(year: i64, month: u8, day: i64) -> Option<i32> {
    let month = Month::try_from(month).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    Some(date.ok()?.to_julian_day() - UNIX_EPOCH)
}

/// Julian day of 1970-01-01.
const UNIX_EPOCH: i32 = 2_440_588;

/// `2026-11-21 18:00:00.123`, in UTC.
pub(super) fn absolute(millis: u64) -> String {
    let days = i32::try_from(millis / 86_400_000).unwrap_or(i32::MAX / 2);
    let date = Date::from_julian_day(days.saturating_add(UNIX_EPOCH)).unwrap_or(Date::MAX);
    let (seconds, rest) = (millis / 1_000 % 86_400, millis % 1_000);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{rest:03}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: u64 = 1_795_284_000_000;

    #[test]
    fn the_same_moment_is_read_from_every_form() {
        for text in [
            "2026-11-21T18:00:00Z",
            "2026-11-21T18:00:00.000000Z",
            "2026-11-21T19:00:00+01:00",
            "2026-11-21 18:00:00,000",
            "2026-11-21 18:00:00 +0000",
            "2026/11/21 18:00:00",
            "21/Nov/2026:13:00:00 -0500",
            "1795284000",
            "1795284000.0",
            "1795284000000",
            "1795284000000000",
        ] {
            assert_eq!(whole(text), Some(SIX), "{text}");
        }
        assert_eq!(absolute(SIX + 42), "2026-11-21 18:00:00.042");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "12",
            "2026-13-21T18:00:00Z",
            "2026-11-21",
            "yesterday",
            "31/Foo/2026:1",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
