//! Every short history, from every state there is.

use std::collections::BTreeSet;

use super::super::standing::Standing;
use super::super::{Refresh, Vault};
use super::State;
use super::random::{Happens, World};

fn carry(how: u8) -> Happens {
    Happens::ActionIsCarriedOut { which: 0, how }
}

/// How actions end: fine; the vault or the lock fails; the service is in trouble, says that it is our
/// mistake, says that it is over.
fn letters() -> Vec<Happens> {
    let mut letters: Vec<_> = [1, 2, 3, 4, 5, 6, 7].map(carry).to_vec();
    letters.extend([
        Happens::Request { min_ttl: 0 },
        Happens::TimePasses { seconds: 20 },
        Happens::TimePasses { seconds: 900 },
        Happens::ClockIsSet { minutes: 30 },
        Happens::ClockIsSet { minutes: -30 },
        Happens::TimerFires,
        Happens::ApiRefuses,
        Happens::ApiAccepts,
        Happens::UserSignsOut,
        Happens::UserSignsIn,
        Happens::AnotherProcessRefreshes,
        Happens::AnotherProcessSignsOut,
    ]);
    letters
}

/// The ways to the states; that they lead to all of them is checked.
fn ways() -> Vec<Vec<Happens>> {
    let load = vec![carry(0), carry(1)];
    let request = || Happens::Request { min_ttl: 0 };
    let expired = |after: &[Happens]| {
        let mut way = load.clone();
        way.extend([Happens::TimePasses { seconds: 900 }, request(), carry(0)]);
        way.extend_from_slice(after);
        way
    };
    let loaded = |after: &[Happens]| [&load[..], after].concat();
    let renewed = [carry(0), carry(0), carry(1), carry(1), carry(1)];
    let refused = [&[Happens::ApiRefuses, request()][..], &renewed].concat();
    vec![
        vec![],
        vec![carry(0), carry(5)],
        load.clone(),
        loaded(&[Happens::ApiRefuses]),
        loaded(&[&refused[..], &[Happens::ApiRefuses]].concat()),
        loaded(&[Happens::UserSignsOut, carry(1)]),
        expired(&[]),
        expired(&[carry(0)]),
        expired(&[carry(0), carry(1)]),
        expired(&[carry(0), carry(1), carry(1)]),
        expired(&[carry(0), carry(1), carry(7)]),
        expired(&[carry(0), carry(1), carry(5)]),
        expired(&[carry(0), carry(1), carry(1), carry(4)]),
    ]
}

/// Three steps; four under `TENURE_FULL`.
#[test]
fn every_short_history_from_every_state_keeps_the_session() {
    let full = std::env::var_os("TENURE_FULL").is_some();
    let steps = if full { 4 } else { 3 };
    let mut seen = BTreeSet::new();
    for way in ways() {
        let mut world = World::new();
        for happens in &way {
            world.step(happens);
        }
        seen.extend(names(&world));
        branch(&world, &letters(), steps, &mut seen);
    }
    let all = [
        "Active",
        "Beginning",
        "Damaged",
        "Degraded",
        "Doubted",
        "Ending",
        "Good",
        "Idle",
        "Keeping",
        "Locking",
        "Read",
        "Refreshing",
        "Refused",
        "Restoring",
        "Sending",
        "SignedOut",
        "Standing::Refused",
        "StorageLocked",
        "Unread",
        "Unreadable",
        "Unsaved",
    ];
    let missed: Vec<_> = all.iter().filter(|name| !seen.contains(**name)).collect();
    assert_eq!(
        missed,
        [&"Damaged"],
        "a vault that is read is never damaged later"
    );
}

fn branch(world: &World, letters: &[Happens], depth: u32, seen: &mut BTreeSet<&'static str>) {
    for happens in letters {
        let mut next = world.clone();
        next.step(happens);
        seen.extend(names(&next));
        if depth > 1 {
            branch(&next, letters, depth - 1, seen);
        } else {
            next.recover();
            let state = next.machine.state();
            let settled = matches!(state, State::Active { .. } | State::SignedOut { .. });
            assert!(settled, "stuck in {state:?}");
        }
    }
}

/// Written so that a new state, phase or standing does not compile until it is named.
fn names(world: &World) -> [&'static str; 4] {
    let machine = &world.machine;
    let state = match machine.state() {
        State::Restoring => "Restoring",
        State::SignedOut { .. } => "SignedOut",
        State::Active { .. } => "Active",
        State::Refreshing => "Refreshing",
        State::Degraded { .. } => "Degraded",
        State::Refused { .. } => "Refused",
        State::StorageLocked => "StorageLocked",
    };
    let vault = match &machine.vault {
        Vault::Unread => "Unread",
        Vault::Unreadable(_) => "Unreadable",
        Vault::Damaged => "Damaged",
        Vault::Read(_) => "Read",
    };
    let refresh = match &machine.refresh {
        Refresh::Idle => "Idle",
        Refresh::Locking(_) => "Locking",
        Refresh::Beginning(..) => "Beginning",
        Refresh::Sending { .. } => "Sending",
        Refresh::Ending => "Ending",
        Refresh::Keeping(_) => "Keeping",
        Refresh::Unsaved(..) => "Unsaved",
    };
    let standing = match &machine.standing {
        Standing::Good => "Good",
        Standing::Doubted(_) => "Doubted",
        Standing::Refused { .. } => "Standing::Refused",
    };
    [state, vault, refresh, standing]
}
