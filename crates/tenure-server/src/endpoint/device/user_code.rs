//! What a person types (RFC 8628 section 6.1).

use std::fmt;

use tenure_core::secret::sha256;
use tenure_store::TicketHash;

use crate::error::Fault;
use crate::random;

/// No vowels, so no words; no digits, so nothing looks like another letter.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// With this alphabet 34 bits: enough beside the limit on guesses.
const LENGTH: usize = 8;

/// The largest multiple of the alphabet's length that a byte holds: bytes past it would favour the
/// first letters.
const FAIR: u8 = 240;

/// A user code in its normal form: eight capital letters. It is shown with a dash in the middle.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UserCode([u8; LENGTH]);

impl UserCode {
    /// A new one.
    pub(super) fn random() -> Result<Self, Fault> {
        let mut code = [0; LENGTH];
        for place in &mut code {
            *place = letter()?;
        }
        Ok(Self(code))
    }

    /// From whatever a person made of it: any case, any dashes, dots and spaces.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        let letters: Vec<u8> = letters.map(|letter| letter.to_ascii_uppercase()).collect();
        let known = letters.iter().all(|letter| ALPHABET.contains(letter));
        letters.try_into().ok().filter(|_| known).map(Self)
    }

    /// What the store finds it by. Whoever has the store can find a code that is so short from its
    /// hash; it is worth nothing without somebody's sign-in.
    pub(super) fn hash(&self) -> TicketHash {
        sha256(&self.0)
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0);
        let (left, right) = text.split_at(LENGTH / 2);
        write!(f, "{left}-{right}")
    }
}

fn letter() -> Result<u8, Fault> {
    loop {
        let [byte] = random::bytes()?;
        let letter = ALPHABET.get(usize::from(byte) % ALPHABET.len());
        if let Some(letter) = letter.filter(|_| byte < FAIR) {
            return Ok(*letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALPHABET, UserCode};

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = UserCode::parse("WDJBMJHT").unwrap();
        assert_eq!(code.to_string(), "WDJB-MJHT");
        for typed in ["wdjb-mjht", " WDJB MJHT ", "w.d.j.b-m_j–h'T", "WDJB—MJHT\n"] {
            assert!(UserCode::parse(typed) == Some(code.clone()), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_read() {
        for typed in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTT",
            "WDJB-MJHA",
            "WDJB-MJH0",
            "ẂDJBMJHT",
        ] {
            assert!(UserCode::parse(typed).is_none(), "{typed:?}");
        }
    }

    #[test]
    fn every_letter_is_drawn() {
        let codes: Vec<UserCode> = (0..200).map(|_| UserCode::random().unwrap()).collect();
        let drawn: BTreeSet<u8> = codes.iter().flat_map(|code| code.0).collect();
        assert_eq!(drawn, ALPHABET.iter().copied().collect());
    }
}
