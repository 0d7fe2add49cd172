//! Torn writes and flipped bits.

use super::changes::{outcome, sign_in};
use super::{Blobs, Subject, Verdict, Write, ensure};

/// `r1` in the first slot, `r2` in the second, `r3` in the first again.
fn written(subject: &dyn Subject) -> Result<Blobs, String> {
    for turn in 1..=3 {
        outcome(subject.open().update(&sign_in(turn)))?;
    }
    Ok(subject.blobs())
}

/// Every state in which the writes of an update can be cut short: after each of them, and within
/// each at every byte, with nothing, with zeroes and with what was there before behind the cut.
pub(crate) fn a_write_torn_at_any_byte_leaves_an_intact_record(subject: &dyn Subject) -> Verdict {
    let mut state = written(subject)?;
    outcome(subject.open().update(&sign_in(4)))?;
    let writes = subject.writes_since(&state);
    ensure!(!writes.is_empty(), "the update wrote nothing");
    subject.reset(&state);
    ensure!(subject.held() == "r3", "before: {}", subject.held());
    for (turn, write) in writes.iter().enumerate() {
        let old = state.get(&write.name).cloned().unwrap_or_default();
        for torn in torn(write, &old, subject.stride()) {
            subject.put(&write.name, Some(&torn));
            let held = subject.held();
            let (name, cut) = (&write.name, torn.len());
            let intact = ["r3", "r4"].contains(&held.as_str());
            ensure!(intact, "write {turn}, {name} torn at {cut}: {held}");
        }
        match &write.bytes {
            Some(bytes) => state.insert(write.name.clone(), bytes.clone()),
            None => state.remove(&write.name),
        };
        subject.put(&write.name, write.bytes.as_deref());
    }
    ensure!(subject.held() == "r4", "after: {}", subject.held());
    Ok(())
}

fn torn(write: &Write, old: &[u8], stride: usize) -> Vec<Vec<u8>> {
    let Some(new) = &write.bytes else {
        return Vec::new();
    };
    let mut states = Vec::new();
    for cut in (0..new.len()).step_by(stride) {
        let begun = &new[..cut];
        states.push(begun.to_vec());
        states.push([begun, &vec![0; new.len() - cut]].concat());
        states.push([begun, old.get(cut..).unwrap_or_default()].concat());
    }
    states.push([&new[..], b"\0"].concat());
    states
}

/// Both copies, every byte; under `TENURE_FULL` every bit of each.
pub(crate) fn any_flipped_bit_leaves_an_intact_record(subject: &dyn Subject) -> Verdict {
    let intact = written(subject)?;
    let full = std::env::var_os("TENURE_FULL").is_some();
    let mut fallen_back = 0;
    for (name, bytes) in &intact {
        for byte in (0..bytes.len()).step_by(subject.stride()) {
            let bits = if full { 0..8 } else { byte % 8..byte % 8 + 1 };
            for bit in bits {
                let mut flipped = bytes.clone();
                flipped[byte] ^= 1 << bit;
                subject.put(name, Some(&flipped));
                let held = subject.held();
                fallen_back += usize::from(held == "r2");
                let intact = ["r2", "r3"].contains(&held.as_str());
                ensure!(intact, "{name}, bit {bit} of byte {byte}: {held}");
            }
        }
        subject.put(name, Some(bytes));
    }
    ensure!(subject.held() == "r3", "restored: {}", subject.held());
    ensure!(fallen_back > 0, "no flipped bit was noticed");
    Ok(())
}

/// The torn copy is written next, so that the intact one is never at risk.
pub(crate) fn a_torn_write_is_mended_by_the_next(subject: &dyn Subject) -> Verdict {
    let intact = written(subject)?;
    for (name, bytes) in &intact {
        let half = &bytes[..bytes.len() / 2];
        subject.reset(&intact);
        subject.put(name, Some(half));
        let left = subject.held();
        ensure!(["r2", "r3"].contains(&left.as_str()), "{name} torn: {left}");
        outcome(subject.open().update(&sign_in(4)))?;
        ensure!(subject.held() == "r4", "{name} mended: {}", subject.held());
        let mended = subject.blobs();
        ensure!(
            mended.get(name).is_none_or(|now| now != half),
            "{name} was left torn"
        );
        subject.put(name, Some(half));
        let held = subject.held();
        ensure!(
            held == left || held == "r4",
            "{name} torn again: {held}, not {left}"
        );
    }
    Ok(())
}
