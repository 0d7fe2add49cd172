//! The byte patterns that betray a secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// How a secret was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Raw,
    /// Base64 with `+` and `/`.
    Base64,
    /// Base64 with `-` and `_`.
    Base64Url,
    /// Two hexadecimal digits a byte, all lower case or all upper case.
    Hex,
    /// Percent-encoded, for a path, a query, a form, or every byte.
    Percent,
}

/// What URLs reserve, with `%` and what may not stand in one at all (RFC 3986, section 2.2).
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':')
    .add(b'/')
    .add(b'?')
    .add(b'#')
    .add(b'[')
    .add(b']')
    .add(b'@')
    .add(b'!')
    .add(b'$')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b'+')
    .add(b',')
    .add(b';')
    .add(b'=');

/// Every pattern for one secret. Encodings that leave it as it is are not repeated.
pub(super) fn all(secret: &str) -> Vec<(Encoding, Vec<u8>)> {
    let mut all = vec![(Encoding::Raw, secret.as_bytes().to_vec())];
    let mut add = |encoding, text: String| {
        let pattern = text.into_bytes();
        if !all.iter().any(|(_, known)| *known == pattern) {
            all.push((encoding, pattern));
        }
    };
    for shift in 0..3 {
        add(
            Encoding::Base64,
            inner_base64(&STANDARD_NO_PAD, secret, shift),
        );
        add(
            Encoding::Base64Url,
            inner_base64(&URL_SAFE_NO_PAD, secret, shift),
        );
    }
    let each = |write: fn(u8) -> String| secret.bytes().map(write).collect::<String>();
    add(Encoding::Hex, each(|byte| format!("{byte:02x}")));
    add(Encoding::Hex, each(|byte| format!("{byte:02X}")));
    add(Encoding::Percent, each(|byte| format!("%{byte:02X}")));
    add(Encoding::Percent, each(|byte| format!("%{byte:02x}")));
    add(
        Encoding::Percent,
        utf8_percent_encode(secret, RESERVED).to_string(),
    );
    add(
        Encoding::Percent,
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
    );
    add(
        Encoding::Percent,
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
    );
    all
}

/// The characters that depend on the secret alone when it starts `shift` bytes into a group of
/// three, whatever stands before and after it.
fn inner_base64(engine: &impl Engine, secret: &str, shift: usize) -> String {
    let padded = [&vec![0; shift], secret.as_bytes()].concat();
    let text = engine.encode(&padded);
    let first = (shift * 8).div_ceil(6);
    let whole = padded.len() * 8 / 6;
    text.get(first..whole).unwrap_or_default().to_owned()
}
