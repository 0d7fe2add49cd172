//! A vault over small values.

use std::path::PathBuf;

use tenure_core::session::VaultFault;
use zeroize::Zeroizing;

use super::home::Home;
use super::key_value::KeyValue;
use super::mark::Mark;
use super::slot::{HEADER, Held, PLAIN, Place, Slot, checked, header, length};
use super::two_slots::Slots;
use crate::events::Entry;

/// A record in two slots over a store of small values, such as a keystore.
///
/// Each slot is a manifest `NAME.slot-a` (52 bytes) and chunks `NAME.slot-a.0`, `NAME.slot-a.1` and
/// so on. A write goes to the older slot and writes the manifest last; it holds a checksum of
/// everything, so a write that is cut short leaves the record before it.
///
/// The locks lie in a directory, and beside them a marker without secrets: it tells a store that is
/// locked from one that never held a session, and a store that lost values from one where nobody
/// signed in.
/// Without the marker the store is not asked. Processes that share the session share the directory.
#[derive(Clone, Debug)]
pub struct ChunkedVault<S> {
    home: Home,
    store: S,
    name: String,
}

impl<S: KeyValue> ChunkedVault<S> {
    /// A vault whose values in `store` have names that start with `name`, and whose locks lie in
    /// `directory`, which is made when something is stored for the first time.
    pub fn new(store: S, name: &str, directory: impl Into<PathBuf>) -> Self {
        Self {
            home: Home::new(directory.into()),
            store,
            name: name.to_owned(),
        }
    }

    fn manifest(&self, place: Place) -> String {
        format!("{}.{}", self.name, place.name())
    }

    fn chunk(&self, place: Place, number: usize) -> String {
        format!("{}.{number}", self.manifest(place))
    }

    /// As much as there is, and at most `length` and one chunk.
    fn content(&self, place: Place, length: usize) -> Result<Zeroizing<Vec<u8>>, VaultFault> {
        let mut content = Zeroizing::new(Vec::new());
        let mut number = 0;
        while content.len() < length {
            let Some(chunk) = self.store.read(&self.chunk(place, number))? else {
                break;
            };
            let longer = content.len() + chunk.len();
            let mut joined = Zeroizing::new(Vec::with_capacity(longer));
            joined.extend_from_slice(&content);
            joined.extend_from_slice(&chunk);
            content = joined;
            number += 1;
        }
        Ok(content)
    }

    fn limit(&self) -> Result<usize, VaultFault> {
        let limit = self.store.limit();
        if limit < HEADER {
            return Err(VaultFault::Unavailable(format!(
                "the store takes values of {limit} bytes only, a vault needs {HEADER}"
            )));
        }
        Ok(limit)
    }

    /// A longer record may have been here before; its last chunks hold an old token. The last goes
    /// first, so that no gap hides the rest from the next attempt.
    fn remove_from(&self, place: Place, first: usize) -> Result<(), VaultFault> {
        let mut end = first;
        let is_chunk = |value: Option<Zeroizing<Vec<u8>>>| value.is_some_and(|it| !it.is_empty());
        // A store that says empty for missing must not be read for ever.
        while is_chunk(self.store.read(&self.chunk(place, end))?) {
            end += 1;
        }
        (first..end)
            .rev()
            .try_for_each(|number| self.store.remove(&self.chunk(place, number)))
    }
}

impl<S: KeyValue> Slots for ChunkedVault<S> {
    fn home(&self) -> &Home {
        &self.home
    }

    fn read(&self, place: Place) -> Result<Held, VaultFault> {
        if Mark::read(&self.home)?.is_none() {
            return Ok(Held::Absent);
        }
        let Some(manifest) = self.store.read(&self.manifest(place))? else {
            return Ok(Held::Empty);
        };
        let Some(length) = length(&manifest) else {
            return Ok(Held::Torn);
        };
        let content = self.content(place, length)?;
        Ok(match checked(&manifest, &content, PLAIN) {
            Ok(content) => Slot::parse(content.generation, content.bytes),
            Err(held) => held,
        })
    }

    fn write(&self, place: Place, slot: &Slot) -> Result<usize, VaultFault> {
        let limit = self.limit()?;
        let content = slot.json()?;
        if Mark::read(&self.home)?.is_none() {
            Mark::Made.write(&self.home)?;
        }
        let mut chunks = 0;
        for chunk in content.chunks(limit) {
            self.store.write(&self.chunk(place, chunks), chunk)?;
            chunks += 1;
        }
        let manifest = header(PLAIN, slot.generation, &content);
        self.store.write(&self.manifest(place), &manifest)?;
        if let Err(error) = self.remove_from(place, chunks) {
            // The record is stored; the next write to this slot tries again.
            let error = error.to_string();
            Entry::StoreLeftovers { error }.tell();
        }
        Ok(manifest.len() + content.len())
    }
}
