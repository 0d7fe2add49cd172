//! How text becomes a checked value, and how that is shown again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tenure_core::lineage::Policy;
use tenure_core::scope::Scope;

use super::value::Value;
use super::{Algorithm, GrantType};

/// A type that a key can have.
pub(super) trait Setting: Sized {
    /// Checks.
    fn parse(value: &Value) -> Result<Self, Wrong>;
    /// Shows; never a secret.
    fn show(&self) -> String;
}

/// Why a value is refused, and what to write instead.
#[derive(Debug)]
pub(super) struct Wrong {
    /// The line of one item of a list, where that is the culprit.
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

impl<T: Into<String>> From<T> for Wrong {
    fn from(message: T) -> Self {
        Self {
            line: None,
            message: message.into(),
        }
    }
}

/// The text of a value, or what to write instead of it.
pub(super) fn text<'v>(value: &'v Value, like: &str) -> Result<&'v str, Wrong> {
    match value {
        Value::Text(text) => Ok(text.trim()),
        other => Err(format!("is {}; write {like}", other.kind()).into()),
    }
}

impl Setting for String {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        match text(value, "a text in quotes")? {
            "" => Err("is empty; write a text, or remove the key".into()),
            text => Ok(text.to_owned()),
        }
    }

    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Setting for bool {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        match value {
            Value::Boolean(truth) => Ok(*truth),
            Value::Text(text) if text.trim() == "true" => Ok(true),
            Value::Text(text) if text.trim() == "false" => Ok(false),
            other => {
                Err(format!("is {}; write true or false, without quotes", other.kind()).into())
            }
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let number = match value {
            Value::Integer(number) => Self::try_from(*number).ok(),
            Value::Text(text) => text.trim().parse().ok(),
            other => return Err(format!("is {}; write a number", other.kind()).into()),
        };
        let range = "write a whole number from 1 to 4294967295";
        number
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("is out of range; {range}").into())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for PathBuf {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        match text(value, "a path in quotes")? {
            "" => Err("is empty; write a path, or remove the key".into()),
            path => Ok(path.into()),
        }
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for SocketAddr {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "\"ADDRESS:PORT\"")?;
        text.parse().map_err(|_| {
            format!(
                "{text:?} is no address with a port; write one such as 127.0.0.1:8420 or [::1]:8420"
            )
            .into()
        })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for IpNet {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "a network in quotes")?;
        let single = || {
            text.parse()
                .ok()
                .map(|address: std::net::IpAddr| address.into())
        };
        text.parse().ok().or_else(single).ok_or_else(|| {
            format!("{text:?} is no network; write one such as 10.0.0.0/8 or 127.0.0.1").into()
        })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Algorithm {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let fix = "one of \"ES256\", \"EdDSA\", \"RS256\"";
        let text = text(value, fix)?;
        Self::parse(text).ok_or_else(|| {
            format!("{text:?} is no algorithm that Tenure signs with; write {fix}").into()
        })
    }

    fn show(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Setting for Policy {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let fix = "one of \"retire_on_use\", \"strict\", \"none\"";
        match text(value, fix)? {
            "retire_on_use" => Ok(Self::RetireOnUse),
            "strict" => Ok(Self::Strict),
            "none" => Ok(Self::None),
            other => Err(format!("{other:?} is no policy; write {fix}").into()),
        }
    }

    fn show(&self) -> String {
        let name = match self {
            Self::RetireOnUse => "retire_on_use",
            Self::Strict => "strict",
            Self::None => "none",
        };
        name.to_owned()
    }
}

impl Setting for GrantType {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let fix =
            "\"authorization_code\", \"refresh_token\", \"client_credentials\" or \"device_code\"";
        match text(value, fix)? {
            "authorization_code" => Ok(Self::AuthorizationCode),
            "refresh_token" => Ok(Self::RefreshToken),
            "client_credentials" => Ok(Self::ClientCredentials),
            "device_code" => Ok(Self::DeviceCode),
            other => Err(format!("{other:?} is no grant type here; write {fix}").into()),
        }
    }

    fn show(&self) -> String {
        let name = match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "device_code",
        };
        name.to_owned()
    }
}

impl Setting for Scope {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "scopes in one text, separated by spaces")?;
        // RFC 6749 section 3.3: %x21 / %x23-5B / %x5D-7E.
        let allowed = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
        match text.chars().find(|c| *c != ' ' && !allowed(*c)) {
            Some(bad) => Err(format!("{bad:?} cannot stand in a scope; write printable ASCII without quotes and backslashes, separated by spaces").into()),
            None => Ok(Self::parse(text)),
        }
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Setting for Duration {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let fix = "write a number with a unit, such as 90s, 15m, 24h or 30d";
        let Value::Text(text) = value else {
            return Err(format!("is {} without a unit; {fix}", value.kind()).into());
        };
        match parse_duration(text.trim()) {
            Some(duration) if duration.is_zero() => Err(format!("is zero; {fix}").into()),
            Some(duration) => Ok(duration),
            None => Err(format!("{text:?} is no duration; {fix}").into()),
        }
    }

    fn show(&self) -> String {
        let seconds = self.as_secs();
        let whole = UNITS
            .iter()
            .rev()
            .find(|(_, unit)| seconds.is_multiple_of(*unit));
        whole.map_or_else(
            || format!("{seconds}s"),
            |(name, unit)| format!("{}{name}", seconds / unit),
        )
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        match value {
            Value::List(items) => items
                .iter()
                .map(|item| {
                    T::parse(&item.value).map_err(|wrong| Wrong {
                        line: wrong.line.or(Some(item.line)),
                        ..wrong
                    })
                })
                .collect(),
            // An environment variable has no other way to say a list.
            Value::Text(text) => text
                .split(',')
                .filter(|item| !item.trim().is_empty())
                .map(|item| T::parse(&Value::Text(item.trim().to_owned())))
                .collect(),
            other => Err(format!("is {}; write a list, [\"…\", \"…\"]", other.kind()).into()),
        }
    }

    fn show(&self) -> String {
        let items: Vec<_> = self.iter().map(Setting::show).collect();
        format!("[{}]", items.join(", "))
    }
}

const UNITS: [(char, u64); 5] = [
    ('s', 1),
    ('m', 60),
    ('h', 3_600),
    ('d', 86_400),
    ('w', 7 * 86_400),
];

/// `90s`, `1h30m`: numbers with units, added up; whole seconds, at most a century.
pub fn parse_duration(text: &str) -> Option<Duration> {
    const LONGEST: u64 = 100 * 366 * 86_400;
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let name = tail.chars().next()?;
        let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*unit)?)?;
        rest = tail.get(name.len_utf8()..)?;
    }
    (!text.is_empty() && total <= LONGEST).then(|| Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Setting, parse_duration};

    #[test]
    fn durations_have_units_and_are_shown_in_the_largest_that_fits() {
        for (text, seconds, shown) in [
            ("90s", 90, "90s"),
            ("15m", 900, "15m"),
            ("24h", 86_400, "1d"),
            ("30d", 2_592_000, "30d"),
            ("1h30m", 5_400, "90m"),
            ("2w", 1_209_600, "2w"),
        ] {
            let read = parse_duration(text).expect(text);
            assert_eq!(read, Duration::from_secs(seconds), "{text}");
            assert_eq!(read.show(), shown);
        }
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in [
            "",
            "15",
            "m",
            "1.5h",
            "-3s",
            "15 m",
            "3y",
            "99999999999999999999s",
            "200000w",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
