//! Texts from elsewhere, without what a terminal would obey.

/// Control characters and marks that change the direction of writing become `�`; line breaks and tabs
/// become blanks. A server's answer must not colour, move or retitle the terminal that shows it.
pub(crate) fn plain(text: &str) -> String {
    text.trim()
        .chars()
        .map(|char| match char {
            '\n' | '\r' | '\t' => ' ',
            char if char.is_control() || turns(char) => '\u{fffd}',
            char => char,
        })
        .collect()
}

/// Bidirectional formatting characters (Unicode TR 9), which can make a line read otherwise than it is.
fn turns(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(
            plain("a\u{1b}[31mb\r\nc\u{202e}d "),
            "a\u{fffd}[31mb  c\u{fffd}d"
        );
    }
}
