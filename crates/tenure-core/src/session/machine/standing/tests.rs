use std::time::Duration;

use super::{FRESH, Verdict, WINDOW, judge};
use crate::outcome::Granted;
use crate::secret::Secret;
use crate::session::{Expiry, Millis, Tokens};

const NOW: Millis = Millis(1_700_000_000_000);

/// A token that was issued `age` ago, after refreshes that refusals caused at `ages` before now.
fn tokens(age: u64, ages: &[u64]) -> Tokens {
    let granted = Granted {
        access_token: Secret::new("a"),
        refresh_token: Some(Secret::new("r")),
        expires_in: Some(Duration::from_mins(15)),
    };
    let asked = NOW - Millis(age);
    let mut tokens =
        Tokens::new(granted, Expiry::new(asked, Millis(900_000), None, asked)).expect("has both");
    tokens.refusals = ages.iter().map(|age| NOW - Millis(*age)).collect();
    tokens
}

fn held(tokens: &Tokens) -> Option<Millis> {
    match judge(tokens, NOW) {
        Verdict::Refresh => None,
        Verdict::Hold { wait, .. } => Some(wait),
    }
}

#[test]
fn a_first_refusal_is_worth_a_refresh_however_young_the_token_is() {
    for age in [0, 1, FRESH.0 - 1, FRESH.0, 800_000] {
        assert_eq!(held(&tokens(age, &[])), None, "{age}");
    }
}

#[test]
fn a_fresh_token_that_replaced_a_refused_one_is_the_last() {
    assert_eq!(
        held(&tokens(0, &[1_000])),
        Some(Millis(WINDOW.0 - 1_000)),
        "until that refresh is ten minutes old"
    );
    assert_eq!(
        held(&tokens(FRESH.0 - 1, &[FRESH.0 - 1])),
        Some(WINDOW - FRESH + Millis(1))
    );
    assert_eq!(
        held(&tokens(FRESH.0, &[FRESH.0])),
        None,
        "not fresh any more"
    );
    assert_eq!(
        held(&tokens(0, &[FRESH.0])),
        None,
        "it replaced one that ended"
    );
}

#[test]
fn three_refreshes_in_ten_minutes_are_enough() {
    let ages = [WINDOW.0 - 1, 200_000, 100_000];
    assert_eq!(held(&tokens(100_000, &ages)), Some(Millis(1)));
    let ages = [WINDOW.0, 200_000, 100_000];
    assert_eq!(
        held(&tokens(100_000, &ages)),
        None,
        "the first was forgotten"
    );
}

#[test]
fn a_clock_set_back_keeps_the_count_and_one_set_far_back_starts_it_again() {
    let mut tokens = tokens(100_000, &[]);
    let ahead = |by: u64| vec![NOW + Millis(by); 3];
    tokens.refusals = ahead(60_000);
    assert_eq!(held(&tokens), Some(WINDOW - Millis(60_000)));
    tokens.refusals = ahead(WINDOW.0);
    assert_eq!(held(&tokens), None);
}
