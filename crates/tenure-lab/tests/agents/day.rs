//! Fifty agents for a day, in virtual time: the shipped machine, vault changes, classification and
//! rule, among which everything that is in between is simulated.
//!
//! A refresh is a presentation under an idempotency key of its own; the same key again is the
//! repetition of one whose answer was lost or late.

mod device;
mod server;
mod world;

use server::LIFETIME;
use world::{Account, DAY, Setting, Tally, World};

/// A refresh is due when at most a minute is left, so a token is used for at least so long.
const SHORTEST: u64 = LIFETIME - 60;

const CALM: Setting = Setting {
    seed: 1,
    profiles: 1,
    agents: 50,
    faults: false,
    lock: true,
    shared: true,
};

/// The days of this tier: fifty agents on one profile, or five on each of ten.
fn days(faults: bool) -> impl Iterator<Item = Setting> {
    let seeds = if std::env::var_os("TENURE_FULL").is_some() {
        100
    } else {
        3
    };
    (1..=seeds).flat_map(move |seed| {
        [(1, 50), (10, 5)].map(|(profiles, agents)| Setting {
            seed,
            profiles,
            agents,
            faults,
            ..CALM
        })
    })
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the test")]
fn told(name: &str, setting: &Setting, tally: &Tally, accounts: &[Account]) {
    let sum = |count: fn(&Account) -> u64| accounts.iter().map(count).sum::<u64>();
    let refreshes: usize = accounts
        .iter()
        .map(|account| account.seen.refreshes())
        .sum();
    println!(
        "{name}: seed {} profiles {} agents {}: {refreshes} refreshes, {} repeated, {tally:?}",
        setting.seed,
        setting.profiles,
        setting.agents,
        sum(|account| account.seen.repeated),
    );
}

/// One per lifetime, the one that midnight interrupts aside; and no more lifetimes than fit.
fn one_refresh_per_lifetime(accounts: &[Account]) {
    let most = usize::try_from(DAY / 1000 / SHORTEST).unwrap() + 1;
    for account in accounts {
        let refreshes = account.seen.refreshes();
        let interrupted = refreshes - account.kept;
        assert!(interrupted <= 1, "{account:?}");
        assert!(refreshes <= most, "{account:?}");
        assert!(!account.ended);
    }
}

#[test]
fn fifty_agents_make_one_refresh_per_lifetime() {
    for setting in days(false) {
        let (tally, accounts) = World::run(setting);
        told("calm", &setting, &tally, &accounts);
        one_refresh_per_lifetime(&accounts);
        for account in &accounts {
            assert_eq!(account.seen.repeated, 0);
            let fewest = usize::try_from(DAY / 1000 / LIFETIME).unwrap();
            assert!(account.kept >= fewest, "somebody always asks: {account:?}");
        }
        assert_eq!((tally.stale, tally.told, tally.signed_out), (0, 0, 0));
    }
}

#[test]
fn fifty_agents_live_through_a_bad_day_without_a_sign_out() {
    for setting in days(true) {
        let (tally, accounts) = World::run(setting);
        told("bad", &setting, &tally, &accounts);
        one_refresh_per_lifetime(&accounts);
        assert_eq!((tally.stale, tally.signed_out), (0, 0));
        assert!(tally.lost > 0 && tally.restarts > 0 && tally.kills > 0);
    }
}

#[test]
fn the_same_seed_is_the_same_day() {
    let setting = Setting {
        faults: true,
        seed: 7,
        ..CALM
    };
    assert_eq!(World::run(setting), World::run(setting));
}

#[test]
fn control_without_a_lock_agents_refresh_more_often() {
    let setting = Setting {
        lock: false,
        ..CALM
    };
    let (tally, accounts) = World::run(setting);
    told("without a lock", &setting, &tally, &accounts);
    let granted: u64 = accounts.iter().map(|account| account.seen.granted).sum();
    let kept: usize = accounts.iter().map(|account| account.kept).sum();
    let kept = u64::try_from(kept).unwrap();
    assert!(2 * granted > 3 * kept, "{granted} for {kept}");
}

#[test]
fn control_agents_with_copies_of_the_vault_are_taken_for_thieves() {
    let setting = Setting {
        shared: false,
        ..CALM
    };
    let (tally, accounts) = World::run(setting);
    told("without a shared vault", &setting, &tally, &accounts);
    assert!(accounts.iter().all(|account| account.ended));
    assert!(tally.signed_out > 0);
}
