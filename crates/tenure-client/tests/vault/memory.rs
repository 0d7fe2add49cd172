//! A store of small values that fails on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tenure_client::{KeyValue, VaultFault, Zeroizing};

use crate::suite::Write;

/// Values in memory; the clones share them.
#[derive(Clone, Debug)]
pub(crate) struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Inner {
    values: BTreeMap<String, Vec<u8>>,
    writes: Vec<Write>,
    mood: Mood,
}

/// How a store answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Fine,
    Locked,
    Gone,
    /// So many writes and removals succeed; the next one gets this far and fails, and the rest too.
    Failing {
        after: usize,
        bytes: usize,
    },
}

impl MemoryStore {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            inner: Arc::default(),
            limit,
        }
    }

    pub(crate) fn values(&self) -> BTreeMap<String, Vec<u8>> {
        self.inner().values.clone()
    }

    pub(crate) fn put(&self, name: &str, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.inner().values.insert(name.to_owned(), bytes.to_vec()),
            None => self.inner().values.remove(name),
        };
    }

    /// The writes and removals since the last call.
    pub(crate) fn take_writes(&self) -> Vec<Write> {
        std::mem::take(&mut self.inner().writes)
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.inner().mood = mood;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn change(&self, write: Write) -> Result<(), VaultFault> {
        let mut inner = self.inner();
        let bytes = match (&mut inner.mood, &write.bytes) {
            (Mood::Failing { after: 0, bytes }, _) if *bytes == 0 => return Err(gone()),
            (
                Mood::Failing {
                    after: 0,
                    bytes: part,
                },
                Some(bytes),
            ) => {
                let torn = bytes.get(..*part).unwrap_or(bytes).to_vec();
                *part = 0;
                inner.values.insert(write.name, torn);
                return Err(gone());
            }
            (Mood::Failing { after: 0, .. } | Mood::Gone, _) => return Err(gone()),
            (Mood::Locked, _) => return Err(asks()),
            (Mood::Failing { after, .. }, _) => {
                *after -= 1;
                write.bytes.clone()
            }
            (Mood::Fine, _) => write.bytes.clone(),
        };
        match bytes {
            Some(bytes) => inner.values.insert(write.name.clone(), bytes),
            None => inner.values.remove(&write.name),
        };
        inner.writes.push(write);
        Ok(())
    }
}

fn gone() -> VaultFault {
    VaultFault::Unavailable("the store is gone".into())
}

fn asks() -> VaultFault {
    VaultFault::Locked("the store asks for a password".into())
}

impl KeyValue for MemoryStore {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        let inner = self.inner();
        match inner.mood {
            Mood::Locked => Err(asks()),
            Mood::Gone => Err(gone()),
            Mood::Fine | Mood::Failing { .. } => {
                Ok(inner.values.get(name).cloned().map(Zeroizing::new))
            }
        }
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        assert!(value.len() <= self.limit, "{name}: {} bytes", value.len());
        self.change(Write {
            name: name.to_owned(),
            bytes: Some(value.to_vec()),
        })
    }

    fn remove(&self, name: &str) -> Result<(), VaultFault> {
        self.change(Write {
            name: name.to_owned(),
            bytes: None,
        })
    }

    fn limit(&self) -> usize {
        self.limit
    }
}
