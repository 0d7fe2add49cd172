//! The life of a key: every verifier has it before it signs, and keeps it while anything it signed
//! is alive.

#![expect(
    clippy::indexing_slicing,
    reason = "a place that is not there fails the test"
)]

use std::time::Duration;

use proptest::prelude::*;
use tenure_core::keyset::{Due, KeyLife, KeyState, Schedule, due};
use tenure_core::time::Timestamp;

const SCHEDULE: Schedule = Schedule {
    distribute: Duration::from_secs(10),
    sign: Duration::from_secs(100),
    verify: Duration::from_secs(30),
};

#[test]
fn the_first_key_is_active_at_once() {
    assert_eq!(
        due(&[], &SCHEDULE, false, Timestamp(0)),
        Some(Due::Create(KeyState::Active))
    );
}

#[test]
fn a_fresh_active_key_leaves_nothing_to_do() {
    let keys = [key(KeyState::Active, 0)];
    assert_eq!(due(&keys, &SCHEDULE, false, Timestamp(89)), None);
}

#[test]
fn the_next_key_is_made_one_distribution_before_the_rotation() {
    let keys = [key(KeyState::Active, 0)];
    assert_eq!(
        due(&keys, &SCHEDULE, false, Timestamp(90)),
        Some(Due::Create(KeyState::Next))
    );
}

#[test]
fn the_next_key_takes_over_when_the_active_one_is_old_and_never_before_it_is_distributed() {
    let punctual = [key(KeyState::Active, 0), key(KeyState::Next, 90)];
    assert_eq!(due(&punctual, &SCHEDULE, false, Timestamp(99)), None);
    let takeover = Some(Due::Move(1, KeyState::Active));
    assert_eq!(due(&punctual, &SCHEDULE, false, Timestamp(100)), takeover);
    let late = [key(KeyState::Active, 0), key(KeyState::Next, 500)];
    assert_eq!(due(&late, &SCHEDULE, false, Timestamp(509)), None);
    assert_eq!(due(&late, &SCHEDULE, false, Timestamp(510)), takeover);
}

#[test]
fn rotating_now_makes_a_next_key_and_still_waits_for_its_distribution() {
    let alone = [key(KeyState::Active, 0)];
    assert_eq!(
        due(&alone, &SCHEDULE, true, Timestamp(1)),
        Some(Due::Create(KeyState::Next))
    );
    let both = [key(KeyState::Active, 0), key(KeyState::Next, 1)];
    assert_eq!(due(&both, &SCHEDULE, true, Timestamp(10)), None);
    assert_eq!(
        due(&both, &SCHEDULE, true, Timestamp(11)),
        Some(Due::Move(1, KeyState::Active))
    );
}

#[test]
fn a_takeover_that_was_cut_in_half_is_finished_by_retiring_the_older_key() {
    let cut = [key(KeyState::Active, 100), key(KeyState::Active, 0)];
    assert_eq!(
        due(&cut, &SCHEDULE, false, Timestamp(101)),
        Some(Due::Move(1, KeyState::Retiring))
    );
}

#[test]
fn a_set_whose_active_key_is_gone_promotes_the_next_one_even_if_it_is_young() {
    let keys = [key(KeyState::Retiring, 0), key(KeyState::Next, 5)];
    assert_eq!(
        due(&keys, &SCHEDULE, false, Timestamp(5)),
        Some(Due::Move(1, KeyState::Active))
    );
    assert_eq!(
        due(&keys[..1], &SCHEDULE, false, Timestamp(5)),
        Some(Due::Create(KeyState::Active))
    );
}

#[test]
fn a_retiring_key_verifies_until_the_last_token_it_signed_has_expired() {
    let keys = [key(KeyState::Active, 100), key(KeyState::Retiring, 100)];
    assert_eq!(due(&keys, &SCHEDULE, false, Timestamp(129)), None);
    assert_eq!(
        due(&keys, &SCHEDULE, false, Timestamp(130)),
        Some(Due::Move(1, KeyState::Retired))
    );
}

#[test]
fn a_key_that_is_retired_stays_so() {
    let keys = [key(KeyState::Active, 0), key(KeyState::Retired, 0)];
    assert_eq!(due(&keys, &SCHEDULE, false, Timestamp(80)), None);
}

#[test]
fn state_names_read_as_they_print() {
    let states = [
        KeyState::Next,
        KeyState::Active,
        KeyState::Retiring,
        KeyState::Retired,
    ];
    for state in states {
        assert_eq!(KeyState::parse(state.as_str()), Some(state));
    }
    assert_eq!(KeyState::parse("Active"), None);
}

proptest! {
    /// Ticks of random length, each carrying out a random number of changes (a crash cuts the rest
    /// off), with random calls for a rotation, under random schedules.
    #[test]
    fn a_token_signed_at_any_time_verifies_until_it_expires(
        (distribute, sign, verify) in (0_u64..40, 1_u64..80, 1_u64..60),
        ticks in prop::collection::vec((0_u64..50, 0_usize..4, any::<bool>()), 1..120),
    ) {
        let schedule = Schedule {
            distribute: Duration::from_secs(distribute),
            sign: Duration::from_secs(sign),
            verify: Duration::from_secs(verify),
        };
        let mut keys = vec![];
        let mut signed: Vec<(u64, usize)> = vec![];
        let mut now = 0;
        carry_out(&mut keys, &schedule, false, now, usize::MAX);
        for (step, changes, rotate_now) in ticks {
            now += step;
            signed.retain(|(at, _)| now < at + verify);
            carry_out(&mut keys, &schedule, rotate_now, now, changes);
            for &(at, signer) in &signed {
                prop_assert!(
                    matches!(keys[signer].state, KeyState::Active | KeyState::Retiring),
                    "signed at {at}, now {now}: {keys:?}"
                );
            }
            let actives: Vec<_> = (0..keys.len())
                .filter(|&position| keys[position].state == KeyState::Active)
                .collect();
            prop_assert!(!actives.is_empty(), "no key signs at {now}: {keys:?}");
            prop_assert!(actives.len() <= 2);
            signed.extend(actives.into_iter().map(|signer| (now, signer)));
        }
        // Left to itself, the set comes to rest with exactly one key that signs.
        carry_out(&mut keys, &schedule, false, now, usize::MAX);
        let count = |state| keys.iter().filter(|key| key.state == state).count();
        prop_assert_eq!(count(KeyState::Active), 1);
        prop_assert!(count(KeyState::Next) <= 1);
    }

    #[test]
    fn no_key_but_the_first_signs_before_it_was_distributed(
        ticks in prop::collection::vec((0_u64..50, 0_usize..4, any::<bool>()), 1..120),
    ) {
        let mut keys = vec![];
        let mut now = 0;
        carry_out(&mut keys, &SCHEDULE, false, now, usize::MAX);
        for (step, changes, rotate_now) in ticks {
            now += step;
            for _ in 0..changes {
                let Some(change) = due(&keys, &SCHEDULE, rotate_now, Timestamp(now)) else {
                    break;
                };
                if let Due::Move(position, KeyState::Active) = change {
                    let distributed = Timestamp(now).since(keys[position].since);
                    prop_assert!(distributed >= SCHEDULE.distribute);
                }
                apply(&mut keys, change, now);
            }
        }
    }
}

fn key(state: KeyState, since: u64) -> KeyLife {
    KeyLife {
        state,
        since: Timestamp(since),
    }
}

/// At most `changes` of what is due; more than a set can ever need in one tick is a loop.
fn carry_out(
    keys: &mut Vec<KeyLife>,
    schedule: &Schedule,
    rotate_now: bool,
    now: u64,
    changes: usize,
) {
    // A rotation asked for once is one rotation, however many changes it takes.
    let mut rotate_now = rotate_now;
    for number in 0..changes {
        assert!(number < 1000, "due() never comes to rest: {keys:?}");
        let Some(change) = due(keys, schedule, rotate_now, Timestamp(now)) else {
            return;
        };
        rotate_now &= !matches!(change, Due::Move(_, KeyState::Active));
        apply(keys, change, now);
    }
}

fn apply(keys: &mut Vec<KeyLife>, change: Due, now: u64) {
    match change {
        Due::Create(state) => keys.push(key(state, now)),
        Due::Move(position, state) => keys[position] = key(state, now),
    }
}
