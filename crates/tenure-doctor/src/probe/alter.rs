//! Tokens changed in one way.

use percent_encoding::percent_decode_str;

/// The token with some characters near its end changed: the same length and alphabet, so that only a
/// check of the signature (or a look-up) tells. Nothing where it is too short to be a token.
pub(super) fn signature(token: &str) -> Option<String> {
    let mut characters: Vec<char> = token.chars().collect();
    let own = |c: &char| c.is_ascii_alphanumeric();
    if characters.iter().filter(|c| own(c)).count() < SHORTEST {
        return None;
    }
    // The very last character may hold unused bits, which strict decoders want to be zero.
    let places = characters.iter_mut().rev().filter(|c| own(c)).skip(2);
    places.take(6).for_each(|c| *c = turned(*c));
    Some(characters.into_iter().collect())
}

const SHORTEST: usize = 12;

fn turned(c: char) -> char {
    match c {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        c => char::from_u32(u32::from(c) + 1).unwrap_or('A'),
    }
}

/// The token without what does not belong to it: blanks, quotes, a scheme, percent-encoding.
pub(super) fn clean(text: &str) -> String {
    let mut token = text.to_owned();
    loop {
        let next = step(&token);
        if next == token {
            return token;
        }
        token = next;
    }
}

fn step(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer ") => text.get(7..).unwrap_or(""),
        _ => text,
    };
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    decoded.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_token_keeps_its_length_its_claims_and_its_last_characters() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmnop";
        let altered = signature(token).unwrap();
        assert_eq!(
            altered,
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghjklmnoop"
        );
        assert_eq!(altered.rfind('.'), token.rfind('.'));
    }

    #[test]
    fn a_word_that_stands_for_nothing_is_not_altered() {
        assert_eq!(signature("undefined"), None);
    }

    #[test]
    fn whatever_was_stored_around_a_token_is_taken_off() {
        for found in [
            "\"a.b.c\"\n",
            "Bearer a.b.c",
            "'Bearer a.b.c'",
            " a.b%2Ec ",
            "a.b.\nc",
        ] {
            assert_eq!(clean(found), "a.b.c", "{found:?}");
        }
    }
}
