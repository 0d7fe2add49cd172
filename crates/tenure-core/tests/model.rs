//! The rotation rule, explored exhaustively: every order of events within the bounds.
//!
//! The model is `world` (the shipped `decide()`, codec and derivation; losses, duplicates,
//! reordering, a client that dies before saving, two servers that read, decide and write in
//! separate steps, logout, a store that falls back, a rotated MAC key that one server lacks, one
//! thief who copies the vault). Time is a few seconds: the late window is 2 s, the idle limit 3 s,
//! the absolute lifetime 4 s where sessions are to expire; the ring holds 2 so that it overflows.
//!
//! Bounds, per check: see [`Bounds`] in each of them. The client's requests bound the generations
//! (one more than there are requests), and every request may be lost, late or answered in vain.
//!
//! Each *negative* check takes one line out of the rule by a wrapper around `decide()`, and must
//! find a history that breaks the invariant which that line is there for.
//!
//! `cargo test -p tenure-core --test model -- --nocapture` prints the numbers of states and the
//! counterexamples.

#![expect(
    clippy::print_stdout,
    reason = "the numbers of states and the counterexamples are to be read"
)]

use std::sync::Arc;

use stateright::{Checker, HasDiscoveries, Model, Property};
use tenure_core::lineage::{Asked, EndCause, Evidence, Head, Rules, Step, Verdict};

mod world;

use world::setting::{Case, Judge, shipped};
use world::{Action, Bounds, Flaw, Setting, World, rules};

const WINDOW: u64 = 2;
const LONG: (u64, u64) = (1_000, 1_000);

const HONEST: &str = "no honest history ends a session";
const ONE_HOLDER: &str = "after a fork both holders never go on";
const REVOKED: &str = "the loser of a fork ends the session after the window";
const REPORTED: &str = "use of a copied head is reported";
const SMALL: &str = "rows do not grow";
const TROUBLE: &str = "a server's own trouble is never definitive";
const LOGOUT: &str = "logout wins";
const GOES_ON: &str = "the client's next attempts go through";

/// The world as a model to check.
struct Rotation {
    setting: Arc<Setting>,
    /// What has happened before the exploration begins.
    past: &'static [Action],
}

impl Model for Rotation {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let events = self.past.iter();
        vec![events.fold(World::new(&self.setting), |world, action| {
            world.after(&self.setting, *action)
        })]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        world.actions(&self.setting, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(world.after(&self.setting, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(HONEST, |_, world: &World| {
                world.flaw != Some(Flaw::HonestSessionEnded)
            }),
            Property::always(ONE_HOLDER, |_, world: &World| {
                world.flaw != Some(Flaw::BothHoldersContinue)
            }),
            Property::always(REVOKED, |_, world: &World| {
                world.flaw != Some(Flaw::ForkNotRevoked)
            }),
            Property::always(REPORTED, |_, world: &World| {
                world.flaw != Some(Flaw::CopyNotReported)
            }),
            Property::always(SMALL, |_, world: &World| world.flaw != Some(Flaw::RowGrew)),
            Property::always(TROUBLE, |_, world: &World| {
                world.flaw != Some(Flaw::TroubleIsDefinitive)
            }),
            Property::always(LOGOUT, |_, world: &World| {
                world.flaw != Some(Flaw::RevocationIgnored)
            }),
            Property::always(GOES_ON, |model: &Self, world: &World| {
                world.flaw.is_some() || world.can_go_on(&model.setting)
            }),
        ]
    }
}

#[test]
fn losses_duplicates_and_a_logout_cost_no_session() {
    let bounds = Bounds {
        presentations: 4,
        copies: 1,
        ticks: &[1],
        end: world::START + 3,
        logout: true,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), LONG, false, bounds);
    let verdicts = ["Again", "Advance", "RingFull", "Superseded", "Ended"];
    holds("losses, duplicates, logout", setting, &verdicts);
}

#[test]
fn slow_servers_and_idempotency_keys_cost_no_session() {
    let bounds = Bounds {
        presentations: 5,
        restores: 1,
        ticks: &[1],
        end: world::START + 2,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), LONG, true, bounds);
    let verdicts = ["Again", "Advance", "Ahead", "RingFull", "Superseded"];
    holds("idempotency keys", setting, &verdicts);
}

#[test]
fn a_store_that_falls_back_costs_no_session() {
    let bounds = Bounds {
        presentations: 4,
        copies: 1,
        restores: 1,
        ticks: &[1],
        end: world::START + 2,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), LONG, false, bounds);
    let verdicts = ["Again", "Advance", "Ahead", "Superseded"];
    holds("store rollback", setting, &verdicts);
}

#[test]
fn a_server_without_the_new_key_and_an_expiry_cost_no_session_that_is_alive() {
    let bounds = Bounds {
        presentations: 3,
        copies: 1,
        ticks: &[1],
        end: world::START + 5,
        logout: true,
        rotation: true,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), (3, 4), true, bounds);
    let verdicts = ["MissingKey", "Ended", "Again", "Advance"];
    holds("key rotation, expiry", setting, &verdicts);
}

#[test]
fn a_thief_who_copies_the_vault_never_goes_on_beside_the_client() {
    let bounds = Bounds {
        presentations: 3,
        attacks: 3,
        ticks: &[1],
        end: world::START + 2,
        logout: true,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), LONG, true, bounds);
    holds(
        "thief",
        setting,
        &["Reuse", "Superseded", "Again", "Advance"],
    );
}

#[test]
fn a_thief_gains_nothing_by_a_store_that_falls_back() {
    let bounds = Bounds {
        presentations: 3,
        attacks: 2,
        restores: 1,
        ticks: &[1],
        end: world::START + 3,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), LONG, false, bounds);
    holds(
        "thief, store rollback",
        setting,
        &["Reuse", "Ahead", "Advance"],
    );
}

#[test]
fn without_line_4_a_lost_answer_ends_the_session() {
    // Sign-in's own token stays presentable: no other line is there for it.
    let judge: Judge = |case| match shipped(case) {
        Verdict::Again { successor, .. } if successor.generation > 1 => {
            Verdict::Reuse(Evidence::Sibling)
        }
        verdict => verdict,
    };
    breaks("line 4", HONEST, &honest(3, 0), judge);
}

#[test]
fn without_line_6_a_late_duplicate_ends_the_session() {
    let judge: Judge = |case| match shipped(case) {
        Verdict::Superseded { .. } => Verdict::Reuse(Evidence::Ancestor),
        verdict => verdict,
    };
    breaks("line 6", HONEST, &honest(3, 0), judge);
}

#[test]
fn without_line_7_a_store_that_falls_back_ends_the_session() {
    let judge: Judge = |case| match shipped(case) {
        Verdict::Ahead(_) => Verdict::Reuse(Evidence::Sibling),
        verdict => verdict,
    };
    breaks("line 7", HONEST, &honest(3, 1), judge);
}

#[test]
fn without_the_sibling_rule_both_holders_go_on() {
    // What is left for a sibling is to be taken for the head's child.
    let judge: Judge = |case| {
        let verdict = shipped(case);
        let (Verdict::Reuse(Evidence::Sibling), Ok(token)) = (&verdict, case.token) else {
            return verdict;
        };
        let (row, asked) = (case.row, case.asked);
        let content = token.content();
        let Some(successor) = content.successor(&row.secret, asked.fresh, asked.key, asked.now)
        else {
            return verdict;
        };
        Verdict::Advance(Step {
            expected: row.head.id,
            head: Head {
                id: content.id,
                generation: content.generation,
                since: asked.now,
                uses: vec![],
            },
            ring: row.ring.clone(),
            history_unknown_until: row.history_unknown_until,
            successor,
            parallel_use: false,
        })
    };
    breaks("the sibling rule (accepted)", ONE_HOLDER, &thief(), judge);
}

#[test]
fn without_the_revocation_of_siblings_a_thief_lives_on() {
    let judge: Judge = |case| match shipped(case) {
        Verdict::Reuse(Evidence::Sibling) => Verdict::Ended(EndCause::TheftDetected),
        verdict => verdict,
    };
    breaks("the sibling rule (only refused)", REVOKED, &thief(), judge);
}

#[test]
fn without_the_revocation_of_ancestors_a_thief_lives_on() {
    let judge: Judge = |case| match shipped(case) {
        Verdict::Reuse(Evidence::Ancestor) => Verdict::Superseded {
            retry_after: case.rules.late_window,
        },
        verdict => verdict,
    };
    breaks("line 8 on ancestors", REVOKED, &thief(), judge);
}

#[test]
fn without_the_condition_of_line_5_a_refresh_erases_a_logout() {
    let mut setting = Setting::new(
        rules(WINDOW, 2),
        LONG,
        false,
        Bounds {
            presentations: 3,
            logout: true,
            end: world::START,
            ..Bounds::default()
        },
    );
    setting.blind_writes = true;
    breaks("the condition of line 5", LOGOUT, &setting, |case| {
        shipped(case)
    });
}

#[test]
fn without_the_mark_of_unknown_history_a_forgotten_duplicate_ends_the_session() {
    let judge: Judge = |case| match shipped(case) {
        Verdict::Ahead(step) => Verdict::Ahead(Step {
            history_unknown_until: None,
            ..step
        }),
        verdict => verdict,
    };
    breaks("the history-unknown mark", HONEST, &honest(5, 1), judge);
}

#[test]
fn without_the_parent_of_an_adopted_token_in_the_ring_its_duplicate_ends_the_session() {
    let judge: Judge = |case| match shipped(case) {
        Verdict::Ahead(mut step) => {
            step.ring.pop();
            Verdict::Ahead(step)
        }
        verdict => verdict,
    };
    let bounds = Bounds {
        presentations: 5,
        restores: 1,
        ticks: &[1],
        end: world::START + 2,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 4), LONG, false, bounds);
    let line = "the parent of an adopted token";
    breaks_after(FOUR_REFRESHES, line, HONEST, &setting, judge);
}

#[test]
fn without_the_ring_guard_a_duplicate_of_a_token_pushed_out_ends_the_session() {
    let judge: Judge = |case| {
        let roomy = Rules {
            ring: usize::MAX,
            ..case.rules.clone()
        };
        let roomy = Case {
            rules: &roomy,
            ..*case
        };
        match shipped(&roomy) {
            Verdict::Advance(mut step) => {
                let surplus = step.ring.len().saturating_sub(case.rules.ring);
                step.ring.drain(..surplus);
                Verdict::Advance(step)
            }
            verdict => verdict,
        }
    };
    breaks("the ring guard", HONEST, &honest(5, 0), judge);
}

#[test]
fn without_the_excuse_of_overtaken_requests_a_slow_server_ends_the_session() {
    // A request that arrived before the head did is taken for one that has just arrived.
    let judge: Judge = |case| {
        let now = case.asked.now.max(case.row.head.since);
        let asked = Asked {
            now,
            ..case.asked.clone()
        };
        shipped(&Case {
            asked: &asked,
            ..*case
        })
    };
    let bounds = Bounds {
        presentations: 5,
        restores: 1,
        ticks: &[1],
        end: world::START + 2,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), LONG, true, bounds);
    breaks("the excuse of overtaken requests", HONEST, &setting, judge);
}

#[test]
fn without_line_1a_a_server_that_lacks_a_key_ends_the_session() {
    let judge: Judge = |case| match shipped(case) {
        Verdict::MissingKey(_) => Verdict::Unknown,
        verdict => verdict,
    };
    let bounds = Bounds {
        presentations: 2,
        rotation: true,
        end: world::START,
        ..Bounds::default()
    };
    let setting = Setting::new(rules(WINDOW, 2), LONG, false, bounds);
    breaks("line 1a", TROUBLE, &setting, judge);
}

#[test]
fn without_the_notes_of_line_4_the_use_of_a_copied_head_goes_unreported() {
    let judge: Judge = |case| {
        let mut row = case.row.clone();
        row.head.uses.clear();
        shipped(&Case { row: &row, ..*case })
    };
    breaks("the notes of line 4", REPORTED, &thief(), judge);
}

/// Four refreshes; the third and the fourth request will arrive once more.
const FOUR_REFRESHES: &[Action] = &[
    Action::Present,
    deliver(0),
    Action::Save { answer: 0 },
    Action::Present,
    deliver(0),
    Action::Write { server: 0 },
    Action::Save { answer: 0 },
    Action::Present,
    duplicate(0),
    Action::Write { server: 0 },
    Action::Save { answer: 0 },
    Action::Present,
    duplicate(1),
    Action::Write { server: 0 },
    Action::Save { answer: 0 },
];

const fn deliver(request: usize) -> Action {
    let server = 0;
    Action::Deliver { request, server }
}

const fn duplicate(request: usize) -> Action {
    let server = 0;
    Action::Duplicate { request, server }
}

/// A client alone, with few requests; for a negative check.
fn honest(presentations: u16, restores: u16) -> Setting {
    let bounds = Bounds {
        presentations,
        restores,
        end: world::START,
        ..Bounds::default()
    };
    Setting::new(rules(WINDOW, 2), LONG, false, bounds)
}

/// A client and a thief, with few requests; for a negative check.
fn thief() -> Setting {
    let bounds = Bounds {
        presentations: 3,
        attacks: 2,
        ticks: &[2],
        end: world::START + 2,
        ..Bounds::default()
    };
    Setting::new(rules(WINDOW, 2), LONG, true, bounds)
}

/// Explores everything; each of the named verdicts must have been given on the way.
fn holds(name: &str, setting: Setting, verdicts: &[&str]) {
    let setting = Arc::new(setting);
    let rotation = Rotation {
        setting: setting.clone(),
        past: &[],
    };
    let checker = rotation.checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} unique states, depth {}; {}",
        checker.unique_state_count(),
        checker.max_depth(),
        setting.verdicts
    );
    if let Some((broken, path)) = checker.discoveries().into_iter().next() {
        panic!("{name}: not so: {broken}\n{}", told(&path.into_actions()));
    }
    for verdict in verdicts {
        assert!(
            setting.verdicts.of(verdict) > 0,
            "{verdict} was never given"
        );
    }
}

/// Explores breadth first until the rule without `taken_out` breaks `property`, and tells how. The
/// whole rule must keep it within the same bounds, or the check would prove nothing.
fn breaks(taken_out: &str, property: &'static str, setting: &Setting, judge: Judge) {
    breaks_after(&[], taken_out, property, setting, judge);
}

fn breaks_after(
    past: &'static [Action],
    taken_out: &str,
    property: &'static str,
    setting: &Setting,
    judge: Judge,
) {
    let explore = |judge: Judge, blind_writes, threads| {
        let mut setting = setting.clone();
        setting.judge = judge;
        setting.blind_writes = blind_writes;
        let setting = Arc::new(setting);
        Rotation { setting, past }
            .checker()
            .threads(threads)
            .finish_when(HasDiscoveries::AnyOf([property].into()))
            .spawn_bfs()
            .join()
    };
    explore(shipped, false, 2).assert_no_discovery(property);
    // One thread goes strictly by depth: the first history found is a shortest one.
    let checker = explore(judge, setting.blind_writes, 1);
    let path = checker.discovery(property).unwrap_or_else(|| {
        let states = checker.unique_state_count();
        panic!("without {taken_out}, {states} states keep: {property}")
    });
    let actions = path.into_actions();
    println!(
        "without {taken_out}, {} states, {} steps against: {property}\n{}",
        checker.unique_state_count(),
        actions.len(),
        told(&actions)
    );
    assert!(!actions.is_empty());
}

fn told(actions: &[Action]) -> String {
    let steps = actions.iter().enumerate();
    let lines: Vec<_> = steps
        .map(|(number, action)| format!("  {:2}. {action:?}\n", number + 1))
        .collect();
    lines.concat()
}
