//! Tokens changed in one way.

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
}
