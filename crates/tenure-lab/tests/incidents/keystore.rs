//! A keystore of an operating system, as the incidents' teams had it: values up to 2,048 bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tenure_client::{KeyValue, VaultFault, Zeroizing};

/// The clones are the same store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keystore {
    values: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Keystore {
    pub(crate) fn names(&self) -> Vec<String> {
        let values = self.values.lock().expect("not poisoned");
        values.keys().cloned().collect()
    }

    /// Takes one value out, as an update of the operating system did.
    pub(crate) fn lose(&self, name: &str) -> Vec<u8> {
        let mut values = self.values.lock().expect("not poisoned");
        values.remove(name).expect("a value")
    }

    pub(crate) fn put(&self, name: &str, value: Vec<u8>) {
        let mut values = self.values.lock().expect("not poisoned");
        values.insert(name.to_owned(), value);
    }
}

impl KeyValue for Keystore {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        let values = self.values.lock().expect("not poisoned");
        Ok(values.get(name).cloned().map(Zeroizing::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        assert!(value.len() <= self.limit(), "{name}: {}", value.len());
        self.put(name, value.to_vec());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), VaultFault> {
        let mut values = self.values.lock().expect("not poisoned");
        values.remove(name);
        Ok(())
    }

    fn limit(&self) -> usize {
        2048
    }
}
