//! Which lines are worth taking apart. Most of a log is requests that went well.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::{memchr, memmem};

use super::format::{access, sentence};
use super::texts;
use super::words::{NoTable, Words};

/// Parts of words of which at least one is in every line that [`super::names::SAYINGS`] or
/// [`super::names::ROUTES`] would say something about.
const WORDS: &[&str] = &[
    "refresh",
    "invalid_grant",
    "reuse",
    "replay",
    "revoke",
    "exhausted",
    "memory",
    "memorystore",
    "logged",
    "signed",
    "signin",
    "sign_in",
    "sign-in",
    "sign in",
    "signout",
    "sign_out",
    "sign-out",
    "sign out",
    "login",
    "logout",
    "log out",
    "log_out",
    "bootstrap",
    "restor",
    "hydrat",
    "session",
    "keychain",
    "tokens",
    "renewed",
    "rotated",
    "token_stored",
    "token stored",
    "store_",
    "store ",
    "storage_",
    "launch",
    "app_start",
    "app start",
    "appstart",
    "cold",
    "listening",
    "started",
    "startup",
    "booting",
    "restart",
    "request_s",
    "request s",
    "requests",
    "/token",
    "clear",
    "authenticated",
    "wip",
];

/// Looks for words and for the status of an answer.
pub(super) struct Prefilter {
    interesting: Words,
    texts: AhoCorasick,
    names: Vec<&'static str>,
    status: memmem::Finder<'static>,
    code: memmem::Finder<'static>,
    sentences: AhoCorasick,
    users: [memmem::Finder<'static>; 3],
}

impl Prefilter {
    /// Builds the tables; `None` only if they could not be built, which their constants decide.
    pub(super) fn new() -> Result<Self, NoTable> {
        let needles = || texts::all().map(|(_, needle)| needle);
        Ok(Self {
            interesting: Words::new(WORDS.iter().copied().chain(needles()))?,
            texts: AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .kind(Some(AhoCorasickKind::DFA))
                .build(needles())?,
            names: texts::all().map(|(name, _)| name).collect(),
            status: memmem::Finder::new("tatus"),
            code: memmem::Finder::new("esponse"),
            sentences: AhoCorasick::new(sentence::PARTS)?,
            users: ["\"user", "\"sub\"", "\"uid\""].map(memmem::Finder::new),
        })
    }

    /// Whether a line holds a word that counts.
    pub(super) fn interesting(&self, line: &[u8]) -> bool {
        self.interesting.any_in(line)
    }

    /// Names of the known texts of a line; texts may overlap, and several families may look for one.
    pub(super) fn texts<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = &'static str> + 'a {
        let found = self.texts.find_overlapping_iter(line);
        found.filter_map(|found| self.names.get(found.pattern().as_usize()).copied())
    }

    /// The status in a JSON or logfmt line, without taking it apart.
    pub(super) fn status(&self, line: &[u8]) -> Option<u16> {
        let mut places = self.status.find_iter(line);
        places
            .find_map(|at| number(line.get(at + 5..)?))
            .or_else(|| {
                let mut places = self.code.find_iter(line);
                places.find_map(|at| code(line.get(at + 7..)?))
            })
    }

    /// Whether a line without a status in a field may tell of an answer in words.
    pub(super) fn tells(&self, line: &[u8]) -> bool {
        access::looks_so(line) || self.sentences.is_match(line)
    }

    /// The text of the user in a JSON line, as it stands there.
    pub(super) fn user<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let value = |at: usize| {
            let rest = line.get(at + 1..)?;
            let (key, rest) = rest.split_at_checked(memchr(b'"', rest)?)?;
            named(key).then_some(())?;
            let rest = rest.get(1..)?.trim_ascii_start();
            let rest = rest.strip_prefix(b":")?.trim_ascii_start();
            if let Some(text) = rest.strip_prefix(b"\"") {
                return text.get(..memchr(b'"', text)?);
            }
            let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
            rest.get(..end).filter(|digits| !digits.is_empty())
        };
        let after = |finder: &memmem::Finder<'_>| finder.find_iter(line).find_map(value);
        self.users.iter().find_map(after)
    }
}

/// A key that names the user, not the user's agent.
fn named(key: &[u8]) -> bool {
    let letters = || key.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let letters = || letters().map(u8::to_ascii_lowercase);
    let names: [&[u8]; 7] = [
        b"userid",
        b"userhash",
        b"usersub",
        b"uid",
        b"sub",
        b"user",
        b"username",
    ];
    let length = letters().count();
    let is = |name: &&[u8]| name.len() == length && letters().eq(name.iter().copied());
    names.iter().any(is)
}

/// The status after `response_code` or `responseCode`.
fn code(rest: &[u8]) -> Option<u16> {
    let rest = rest.strip_prefix(b"_").unwrap_or(rest);
    let name = rest
        .get(..4)
        .filter(|name| name.eq_ignore_ascii_case(b"code"))?;
    number(rest.get(name.len()..)?)
}

/// Three digits after the rest of the key, `:` or `=`, and perhaps a quote.
fn number(rest: &[u8]) -> Option<u16> {
    let key = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let join = |byte: &u8| b"\\\": =".contains(byte);
    let rest = rest.get(rest.iter().take(12).take_while(|byte| key(byte)).count()..)?;
    let rest = rest.get(rest.iter().take(5).take_while(|byte| join(byte)).count()..)?;
    let [
        a @ b'1'..=b'5',
        b @ b'0'..=b'9',
        c @ b'0'..=b'9',
        after @ ..,
    ] = rest
    else {
        return None;
    };
    let digit = |byte: &u8| u16::from(byte - b'0');
    let ends = after.first().is_none_or(|byte| !byte.is_ascii_digit());
    ends.then(|| digit(a) * 100 + digit(b) * 10 + digit(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One text of many that begins like a common header field costs nine tenths of the speed.
    #[test]
    fn a_request_that_went_well_is_not_taken_apart() {
        let line = br#"{"level":30,"time":1795284000000,"pid":10,"hostname":"api-1","req":{"id":1,"method":"GET","url":"/api/items/7","query":{},"headers":{"host":"api.example","user-agent":"Mozilla/5.0 (X11; Linux x86_64)","accept":"application/json","authorization":"[Redacted]","cookie":"[Redacted]"},"remoteAddress":"192.0.2.1","remotePort":4711},"userId":"ana","res":{"statusCode":200,"headers":{"content-type":"application/json; charset=utf-8","content-length":"9"}},"responseTime":3,"msg":"request completed"}"#;
        assert!(!Prefilter::new().unwrap().interesting(line));
    }
}
