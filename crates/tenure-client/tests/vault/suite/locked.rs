//! A keystore that wants to be unlocked.

use tenure_client::{Found, VaultFault};

use super::changes::{outcome, sign_in};
use super::{Storage, Verdict, ensure};

/// Before anything was stored it is not even asked; afterwards nobody knows what it holds.
pub(crate) fn locked_is_neither_missing_nor_damaged(subject: &dyn Storage) -> Verdict {
    let load = || subject.open().load();
    let locked = |what: &str, answer: &dyn std::fmt::Debug, fault: Option<&VaultFault>| match fault
    {
        Some(VaultFault::Locked(_)) => Ok(()),
        _ => Err(format!("{what}: {answer:?}")),
    };
    subject.lock_up(true);
    ensure!(
        load() == Ok(Found::Missing),
        "never signed in: {:?}",
        load()
    );
    let refused = subject.open().update(&sign_in(1));
    locked("a sign-in", &refused, refused.as_ref().err())?;

    subject.lock_up(false);
    outcome(subject.open().update(&sign_in(1)))?;
    subject.lock_up(true);
    let found = load();
    locked("a session", &found, found.as_ref().err())?;
    let refused = subject.open().update(&sign_in(2));
    locked("an update", &refused, refused.as_ref().err())?;

    subject.lock_up(false);
    ensure!(subject.held() == "r1", "unlocked: {}", subject.held());
    Ok(())
}
