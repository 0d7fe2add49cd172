//! What a vault says, and when it keeps its hands off.

use tenure_client::{Change, EndCause, Found, Secret, VaultFault};
use tenure_core::secret::sha256;

use super::changes::{discovered, outcome, sign_in, token};
use super::{Blobs, Subject, Verdict, Write, ensure};

pub(crate) fn the_last_of_several_records_is_found(subject: &dyn Subject) -> Verdict {
    let vault = subject.open();
    for turn in 1..=5 {
        let record = outcome(vault.update(&sign_in(turn)))?;
        ensure!(token(&record) == format!("r{turn}"), "answered {record:?}");
        ensure!(
            subject.held() == format!("r{turn}"),
            "held {}",
            subject.held()
        );
    }
    outcome(vault.update(&Change::SignOut))?;
    ensure!(subject.held() == "signed out", "held {}", subject.held());
    Ok(())
}

pub(crate) fn missing_empty_damaged_and_unreadable_are_different_answers(
    subject: &dyn Subject,
) -> Verdict {
    let load = || subject.open().load();
    ensure!(load() == Ok(Found::Missing), "never made: {:?}", load());
    outcome(subject.open().update(&Change::SignOut))?;
    ensure!(
        load() == Ok(Found::Missing),
        "nothing to store: {:?}",
        load()
    );
    subject.make_empty();
    ensure!(load() == Ok(Found::Empty), "made: {:?}", load());
    outcome(subject.open().update(&sign_in(1)))?;
    ensure!(subject.held() == "r1", "signed in: {}", subject.held());

    subject.break_down(true);
    let unreadable = load();
    subject.break_down(false);
    ensure!(
        matches!(unreadable, Err(VaultFault::Unavailable(_))),
        "unreadable: {unreadable:?}"
    );
    ensure!(subject.held() == "r1", "readable again: {}", subject.held());
    scribble(subject);
    ensure!(load() == Ok(Found::Damaged), "damaged: {:?}", load());
    Ok(())
}

pub(crate) fn a_damaged_vault_takes_a_new_sign_in(subject: &dyn Subject) -> Verdict {
    outcome(subject.open().update(&sign_in(1)))?;
    scribble(subject);
    let damaged = subject.blobs();
    let end = Change::End {
        presented: Secret::new("r1"),
        cause: EndCause::Unknown,
    };
    outcome(subject.open().update(&end))?;
    ensure!(subject.blobs() == damaged, "it was written to");
    outcome(subject.open().update(&sign_in(2)))?;
    ensure!(subject.held() == "r2", "held {}", subject.held());
    Ok(())
}

/// The copy before the first sign-in holds no session; it must not be taken for a sign-out.
pub(crate) fn a_lost_first_sign_in_is_damage(subject: &dyn Subject) -> Verdict {
    outcome(subject.open().update(&discovered()))?;
    let held = subject.held();
    ensure!(held == "signed out", "before: {held}");
    let before = subject.blobs();
    outcome(subject.open().update(&sign_in(1)))?;
    let writes = subject.writes_since(&before);
    for Write { name, bytes } in &writes {
        subject.put(name, None);
        let held = subject.held();
        ensure!(held == "Damaged", "without {name}: {held}");
        subject.put(name, bytes.as_deref());
    }
    ensure!(subject.held() == "r1", "all back again: {}", subject.held());
    subject.reset(&before);
    outcome(subject.open().update(&discovered()))?;
    let held = subject.held();
    ensure!(held == "Damaged", "new metadata mend nothing: {held}");
    outcome(subject.open().update(&sign_in(2)))?;
    ensure!(subject.held() == "r2", "held {}", subject.held());
    Ok(())
}

/// Signing out, or being told that the session is over, is no damage.
pub(crate) fn a_session_that_is_over_is_no_damage(subject: &dyn Subject) -> Verdict {
    let end = Change::End {
        presented: Secret::new("r2"),
        cause: EndCause::Unknown,
    };
    for (turn, over) in [(1, Change::SignOut), (2, end)] {
        outcome(subject.open().update(&discovered()))?;
        outcome(subject.open().update(&sign_in(turn)))?;
        outcome(subject.open().update(&over))?;
        let held = subject.held();
        ensure!(held == "signed out", "{over:?}: {held}");
    }
    Ok(())
}

fn scribble(subject: &dyn Subject) {
    for name in subject.blobs().keys() {
        subject.put(name, Some(b"TNRVLT1\n and then the power went"));
    }
}

pub(crate) fn a_change_without_effect_writes_nothing(subject: &dyn Subject) -> Verdict {
    outcome(subject.open().update(&sign_in(1)))?;
    let before = subject.blobs();
    let change = Change::Revoked(Secret::new("unknown"));
    let record = outcome(subject.open().update(&change))?;
    ensure!(token(&record) == "r1", "answered {record:?}");
    let writes = subject.writes_since(&before);
    ensure!(writes.is_empty(), "it wrote {writes:?}");
    Ok(())
}

pub(crate) fn the_refresh_lock_is_exclusive_until_it_is_dropped(subject: &dyn Subject) -> Verdict {
    let (vault, other) = (subject.open(), subject.open());
    let lease = outcome(vault.lock())?;
    ensure!(outcome(other.try_lock())?.is_none(), "taken twice");
    outcome(other.update(&sign_in(1)))?;
    ensure!(subject.held() == "r1", "it is no lock on the record");
    drop(lease);
    ensure!(outcome(other.try_lock())?.is_some(), "not let go");
    Ok(())
}

/// Whichever copy it is, and whatever the other one holds: neither read, nor written over.
pub(crate) fn a_newer_format_is_refused_and_left_as_it_is(subject: &dyn Subject) -> Verdict {
    for turn in 1..=3 {
        outcome(subject.open().update(&sign_in(turn)))?;
    }
    let ours = subject.blobs();
    let slots: Vec<_> = ours
        .iter()
        .filter(|(_, bytes)| bytes.starts_with(b"TNR"))
        .collect();
    ensure!(slots.len() == 2, "{} slots", slots.len());
    for (name, bytes) in slots {
        subject.reset(&ours);
        subject.put(name, Some(&newer(name, bytes, &ours)));
        let before = subject.blobs();
        let answers = [
            subject.open().load().map(|found| format!("{found:?}")),
            subject
                .open()
                .update(&sign_in(9))
                .map(|record| token(&record)),
            subject
                .open()
                .update(&Change::SignOut)
                .map(|record| token(&record)),
        ];
        let refused = answers.iter().all(|answer| {
            matches!(answer, Err(VaultFault::Unavailable(why)) if why.contains("newer format"))
        });
        ensure!(refused, "{name}: {answers:?}");
        ensure!(subject.blobs() == before, "{name}: it was written to");
    }
    Ok(())
}

/// The same slot as version 2 of its format would write it: intact.
fn newer(name: &str, bytes: &[u8], blobs: &Blobs) -> Vec<u8> {
    let (header, rest) = bytes.split_at(52);
    let content = if rest.is_empty() {
        let chunks = (0..).map_while(|number| blobs.get(&format!("{name}.{number}")));
        chunks.flatten().copied().collect()
    } else {
        rest.to_vec()
    };
    let mut fields = header[..20].to_vec();
    fields[6] = b'2';
    let sum = sha256(&[&fields[..], &content].concat());
    [&fields[..], &sum, rest].concat()
}
