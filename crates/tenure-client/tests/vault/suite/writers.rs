//! Two writers at once.

use std::thread;

use tenure_client::{Found, Vault};

use super::changes::{outcome, sign_in_at, tokens};
use super::{Subject, Verdict, ensure};

/// How often each of two writers writes; a record remembers seventeen.
pub(crate) const TURNS: usize = 8;

/// Signs in again and again, under names of its own.
pub(crate) fn write_turns(vault: &dyn Vault, writer: &str) -> Verdict {
    for turn in 0..TURNS {
        let change = sign_in_at("https://id.example.com", &format!("{writer}{turn}"));
        outcome(vault.update(&change))?;
    }
    Ok(())
}

/// The tokens that a record holds after all writers have written.
pub(crate) fn written_tokens(writers: &[&str]) -> Vec<String> {
    let mut tokens: Vec<_> = writers
        .iter()
        .flat_map(|writer| (0..TURNS).map(move |turn| format!("r{writer}{turn}")))
        .collect();
    tokens.sort();
    tokens
}

pub(crate) fn two_writers_lose_no_update(subject: &dyn Subject) -> Verdict {
    let vaults = [("x", subject.open()), ("y", subject.open())];
    thread::scope(|scope| {
        let writers =
            vaults.map(|(name, vault)| scope.spawn(move || write_turns(vault.as_ref(), name)));
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or(Err("it panicked".into())))
    })?;
    let Found::Record(record) = outcome(subject.open().load())? else {
        return Err(subject.held());
    };
    let (held, expected) = (tokens(&record), written_tokens(&["x", "y"]));
    ensure!(held == expected, "held {held:?}");
    Ok(())
}
