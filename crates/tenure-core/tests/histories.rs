//! The five invariants over random histories: losses, duplicates, reordering, crashes, slow
//! servers, a store that falls back, a thief, a logout. See `world` for what can happen.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a place that is not there fails the test; how much was explored is worth a line"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::{Reason, TestError, TestRunner};
use tenure_core::lineage::{Evidence, Verdict};

mod walk;
mod world;

use walk::{DAY, KINDS, WISHES, Wish, granted, setting};
use world::setting::{Judge, shipped};
use world::{Action, Setting, World};

#[test]
fn no_history_without_a_thief_ends_a_session() {
    explore(
        false,
        &["Again", "Advance", "RingFull", "Superseded", "Ahead"],
    );
}

#[test]
fn after_a_fork_one_holder_at_most_goes_on_and_the_other_ends_the_session() {
    explore(true, &["Again", "Advance", "Superseded", "Ahead", "Reuse"]);
}

#[test]
fn a_thousand_lost_answers_cost_nothing_and_the_row_stays_small() {
    let setting = setting(false, true, 16, 400 * DAY);
    let mut world = World::new(&setting);
    for _ in 0..1000 {
        for lost in [true, false] {
            world = world.after(&setting, Action::Present);
            let server = 0;
            world = world.after(&setting, Action::Deliver { request: 0, server });
            world = world.after(&setting, Action::Write { server });
            if !lost {
                world = world.after(&setting, Action::Save { answer: 0 });
            }
        }
        world = world.after(&setting, Action::Tick(20));
        assert_eq!(world.flaw, None);
    }
    assert!(world.can_go_on(&setting));
    assert_eq!(setting.verdicts.of("Advance"), 999);
    assert_eq!(setting.verdicts.of("Again"), 1001);
}

/// The control: histories that could not break a rule would prove nothing by not breaking it.
#[test]
fn a_rule_that_lacks_a_line_is_broken_by_some_history() {
    let lacking: [(&str, bool, Judge); 4] = [
        ("line 4", false, |case| match shipped(case) {
            Verdict::Again { successor, .. } if successor.generation > 1 => {
                Verdict::Reuse(Evidence::Sibling)
            }
            verdict => verdict,
        }),
        ("line 6", false, |case| match shipped(case) {
            Verdict::Superseded { .. } => Verdict::Reuse(Evidence::Ancestor),
            verdict => verdict,
        }),
        ("line 7", false, |case| match shipped(case) {
            Verdict::Ahead(_) => Verdict::Reuse(Evidence::Sibling),
            verdict => verdict,
        }),
        ("line 8", true, |case| match shipped(case) {
            Verdict::Reuse(_) => Verdict::Superseded {
                retry_after: case.rules.late_window,
            },
            verdict => verdict,
        }),
    ];
    for (line, thief, judge) in lacking {
        let mut settings = settings(thief);
        for setting in &mut settings {
            setting.judge = judge;
        }
        let broken = run(&settings, 0);
        assert!(broken.is_err(), "no history missed {line}");
    }
}

/// Random histories in every setting; each of the named verdicts must have been among them.
fn explore(thief: bool, named: &[&str]) {
    let settings = settings(thief);
    if let Err(reason) = run(&settings, 10_000) {
        panic!("{reason}");
    }
    let verdicts = &settings[0].verdicts;
    println!("{verdicts}");
    for name in named {
        let given = verdicts.of(name);
        assert!(given > 20, "the histories hardly ever led to {name}");
    }
}

/// Every kind of world, with one count of verdicts.
fn settings(thief: bool) -> Vec<Setting> {
    let mut settings: Vec<_> = KINDS
        .into_iter()
        .flat_map(|(ring, idle)| [true, false].map(|keyed| setting(thief, keyed, ring, idle)))
        .collect();
    let verdicts = settings[0].verdicts.clone();
    for setting in &mut settings {
        setting.verdicts = verdicts.clone();
    }
    settings
}

/// Why a history broke an invariant, after so many attempts to find a shorter one.
fn run(settings: &[Setting], shortening: u32) -> Result<(), Reason> {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 10_000,
        max_shrink_iters: shortening,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let histories = (0..settings.len(), vec((wish(), any::<u8>()), 10..160));
    let broken = runner.run(&histories, |(setting, history)| {
        follow(&settings[setting], &history)
    });
    // The reason names the events; the wishes behind them say nothing more.
    broken.map_err(|error| match error {
        TestError::Fail(reason, _) | TestError::Abort(reason) => reason,
    })
}

fn follow(setting: &Setting, history: &[(Wish, u8)]) -> Result<(), TestCaseError> {
    let mut world = World::new(setting);
    let mut happened = vec![];
    for &wished in history {
        let Some(action) = granted(&world, setting, wished) else {
            continue;
        };
        world = world.after(setting, action);
        happened.push(action);
        prop_assert_eq!(world.flaw, None, "{:?}", happened);
        prop_assert!(world.can_go_on(setting), "stuck after {:?}", happened);
    }
    Ok(())
}

fn wish() -> impl Strategy<Value = Wish> {
    Union::new_weighted(WISHES.map(|(weight, wish)| (weight, Just(wish))).to_vec())
}
