//! Whether a line holds one of many words.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::{Builder, DFA};
use aho_corasick::{Anchored, BuildError, MatchError, StartKind};

/// Bytes of a word that are looked for; what begins like a word may be taken for it.
const SIGNIFICANT: usize = 16;

/// Words that are looked for in four quarters of a line at a time.
///
/// Each step of an automaton waits for the one before; four that do not wait for each other take the
/// time of little more than one.
pub(super) struct Words {
    dfa: DFA,
    start: StateID,
}

/// The table could not be built, which its constants decide.
#[derive(Debug, thiserror::Error)]
#[error("the words of a log cannot be looked for")]
pub(super) enum NoTable {
    Build(#[from] BuildError),
    Start(#[from] MatchError),
}

impl Words {
    /// The words, without regard to case (ASCII).
    pub(super) fn new(words: impl Iterator<Item = &'static str>) -> Result<Self, NoTable> {
        let beginnings = words.map(|word| {
            let bytes = word.as_bytes();
            bytes.get(..SIGNIFICANT).unwrap_or(bytes)
        });
        let dfa = Builder::new()
            .ascii_case_insensitive(true)
            .prefilter(false)
            .start_kind(StartKind::Unanchored)
            .build(beginnings)?;
        let start = dfa.start_state(Anchored::No)?;
        Ok(Self { dfa, start })
    }

    /// Whether the line holds one of them, or the beginning of a long one.
    pub(super) fn any_in(&self, line: &[u8]) -> bool {
        match quarters(line) {
            Some(quarters) => self.any_in_quarters(quarters),
            None => self.any_in_part(line),
        }
    }

    fn any_in_quarters(&self, [one, two, three, four]: [&[u8]; 4]) -> bool {
        let mut states = [self.start; 4];
        for (((a, b), c), d) in one.iter().zip(two).zip(three).zip(four) {
            let [in_one, in_two, in_three, in_four] = &mut states;
            *in_one = self.step(*in_one, *a);
            *in_two = self.step(*in_two, *b);
            *in_three = self.step(*in_three, *c);
            *in_four = self.step(*in_four, *d);
            // No short cut: four tests and one branch are faster than four branches.
            if states
                .iter()
                .fold(false, |met, state| met | self.met(*state))
            {
                return true;
            }
        }
        false
    }

    fn any_in_part(&self, part: &[u8]) -> bool {
        let mut state = self.start;
        part.iter().any(|byte| {
            state = self.step(state, *byte);
            self.met(state)
        })
    }

    fn step(&self, state: StateID, byte: u8) -> StateID {
        self.dfa.next_state(Anchored::No, state, byte)
    }

    /// Without a prefilter, and unanchored, only a match is special.
    fn met(&self, state: StateID) -> bool {
        self.dfa.is_special(state)
    }
}

/// Four parts of one length that overlap by a word; nothing for a line that is too short for it.
fn quarters(line: &[u8]) -> Option<[&[u8]; 4]> {
    let quarter = line.len() / 4;
    if quarter < SIGNIFICANT {
        return None;
    }
    let length = quarter + SIGNIFICANT;
    let from = |start: usize| line.get(start..start + length);
    Some([
        from(0)?,
        from(quarter)?,
        from(2 * quarter)?,
        from(line.len() - length)?,
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_word_is_found_wherever_it_stands(before in "[ -~]{0,90}", after in "[ -~]{0,90}", upper: bool) {
            let words = Words::new(["refresh", "a known text that is long"].into_iter()).unwrap();
            let word = if upper { "REFRESH" } else { "refresh" };
            // `prop_assert!` would take braces for its own.
            let lines = [word, "A known text that is long"].map(|it| [&before, it, &after].concat());
            prop_assert!(lines.iter().all(|line| words.any_in(line.as_bytes())));
        }

        #[test]
        fn nothing_is_found_where_nothing_is(line in "[0-9 ]{0,300}") {
            let words = Words::new(["refresh"].into_iter()).unwrap();
            prop_assert!(!words.any_in(line.as_bytes()));
        }
    }
}
