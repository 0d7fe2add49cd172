//! What all vaults that keep a record in two places have in common.

use std::fmt;

use tenure_core::session::{Change, Found, Record, VaultFault};

use super::home::Home;
use super::mark::Mark;
use super::slot::{Held, Place, Slot};
use super::{Lease, Vault};
use crate::events::Entry;

const STORE_WRITE: &str = "store_write";

/// A vault that keeps two copies; that makes it a [`Vault`]. Every write goes to the older place,
/// so a torn one leaves the record before.
pub(super) trait Slots: fmt::Debug + Send + Sync + 'static {
    /// Where the locks are.
    fn home(&self) -> &Home;

    /// What `place` holds, while no writer is about.
    fn read(&self, place: Place) -> Result<Held, VaultFault>;

    /// Stores the slot durably and says how many bytes that took. Nobody else is about. A write
    /// that is cut short may damage this place, and never the other one.
    fn write(&self, place: Place, slot: &Slot) -> Result<usize, VaultFault>;

    /// Makes durable what `place` holds; whoever wrote it may have been killed before it was.
    fn settle(&self, _place: Place) -> Result<(), VaultFault> {
        Ok(())
    }
}

impl<S: Slots> Vault for S {
    fn load(&self) -> Result<Found, VaultFault> {
        told(self, "store_read", load(self))
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        told(self, STORE_WRITE, update(self, change))
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        told(self, "store_lock", self.home().lock())
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        told(self, "store_lock", self.home().try_lock())
    }
}

fn load(vault: &impl Slots) -> Result<Found, VaultFault> {
    let mut lock = vault.home().shared()?;
    let mut contents = Contents::of(vault)?;
    if lock.is_none() && !contents.are_absent() {
        // A copy from a backup may come without its lock.
        lock = Some(vault.home().exclusive()?);
        contents = Contents::of(vault)?;
    }
    let found = found(vault, &contents)?;
    drop(lock);
    let slot = contents.newest().map(|(place, _)| place.name());
    let name = name(&found);
    Entry::StoreRead { found: name, slot }.tell();
    Ok(found)
}

/// Where a record without a session is the newest, and there is one, the newest is lost: that must
/// not pass for a sign-out.
fn found(vault: &impl Slots, contents: &Contents) -> Result<Found, VaultFault> {
    let newest = contents.newest().map(|(_, slot)| &slot.record);
    if let Some(record) = newest.filter(|record| record.tokens.is_some()) {
        return Ok(Found::Record(Box::new(record.clone())));
    }
    let mark = Mark::read(vault.home())?;
    Ok(match (newest, mark) {
        (_, Some(Mark::Present)) => Found::Damaged,
        (Some(record), _) => Found::Record(Box::new(record.clone())),
        (None, _) if contents.any(|held| matches!(held, Held::Torn)) => Found::Damaged,
        (None, Some(Mark::Past)) => Found::Damaged,
        (None, _) if contents.are_absent() => Found::Missing,
        (None, _) => Found::Empty,
    })
}

fn update(vault: &impl Slots, change: &Change) -> Result<Record, VaultFault> {
    let _lock = vault.home().exclusive()?;
    let contents = Contents::of(vault)?;
    let newest = contents.newest();
    let (place, generation) = match newest {
        Some((place, slot)) => (place.other(), slot.generation + 1),
        None => (Place::A, 1),
    };
    let mut record = newest.map_or_else(Record::default, |(_, slot)| slot.record.clone());
    let was_signed_in = record.tokens.is_some();
    if change.apply(&mut record) {
        let is_signed_in = record.tokens.is_some();
        let marked = Mark::read(vault.home())? == Some(Mark::Present);
        if marked && was_signed_in && !is_signed_in {
            Mark::Past.write(vault.home())?;
        }
        // The other place is about to be overwritten: then this one alone must outlive a power cut.
        newest.map_or(Ok(()), |(place, _)| vault.settle(place))?;
        let slot = Slot { generation, record };
        let bytes = vault.write(place, &slot)?;
        Entry::StoreWrite { ok: true, bytes }.tell();
        if is_signed_in && !marked {
            // The record is stored; the next write tries again.
            drop(told(vault, "store_mark", Mark::Present.write(vault.home())));
        }
        record = slot.record;
    }
    Ok(record)
}

fn told<T>(
    vault: &impl Slots,
    operation: &'static str,
    done: Result<T, VaultFault>,
) -> Result<T, VaultFault> {
    if let Err(error) = &done {
        if operation == STORE_WRITE {
            Entry::StoreWrite {
                ok: false,
                bytes: 0,
            }
            .tell();
        }
        let directory = vault.home().directory().display().to_string();
        let error = error.to_string();
        Entry::StoreFailed {
            operation,
            directory,
            error,
        }
        .tell();
    }
    done
}

/// Both places as found.
struct Contents {
    a: Held,
    b: Held,
}

impl Contents {
    fn of(vault: &impl Slots) -> Result<Self, VaultFault> {
        let a = vault.read(Place::A)?;
        let b = vault.read(Place::B)?;
        let contents = Self { a, b };
        if contents.any(|held| matches!(held, Held::Strange)) {
            return Err(VaultFault::Unavailable(format!(
                "{}: a vault of a newer format or of another kind; it was left as it is: update \
                 this program, or use the one that wrote it",
                vault.home().directory().display()
            )));
        }
        Ok(contents)
    }

    fn newest(&self) -> Option<(Place, &Slot)> {
        let places = [(Place::A, &self.a), (Place::B, &self.b)].into_iter();
        places
            .filter_map(|(place, held)| match held {
                Held::Intact(slot) => Some((place, slot.as_ref())),
                _ => None,
            })
            .max_by_key(|(_, slot)| slot.generation)
    }

    fn any(&self, like: impl Fn(&Held) -> bool) -> bool {
        like(&self.a) || like(&self.b)
    }

    fn are_absent(&self) -> bool {
        !self.any(|held| !matches!(held, Held::Absent))
    }
}

fn name(found: &Found) -> &'static str {
    match found {
        Found::Record(_) => "record",
        Found::Missing => "missing",
        Found::Damaged => "damaged",
        Found::Empty => "empty",
    }
}
