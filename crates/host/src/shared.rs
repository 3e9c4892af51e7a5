//! Shared data: the data that the VMs of a proxy share.
//!
//! It is one space for all plugins of a proxy, and outlives their VMs. Every worker has a VM of its
//! own, and so has the main thread. Two may write at the same time, so data is changed by
//! compare-and-swap.

use narrows_core::hash_of;

use crate::{abi, read};

/// Another VM may write at the same time. Then the change is tried again, but not for ever. When a
/// policy is pushed, all workers of a machine write.
const ATTEMPTS: usize = 256;
/// The version for writing a key that does not exist. Any version creates the key, and a second VM that
/// does the same is refused.
const NO_VERSION: u32 = u32::MAX;

/// A place in shared data that belongs to a filter, or to one plugin of it.
#[derive(Debug)]
pub(crate) struct Key(String);

impl Key {
    /// The plugin's place for `what`.
    pub(crate) fn of(what: &str, filter: &str) -> Self {
        let plugin = read::property(&["plugin_name"]).unwrap_or_default();
        Self(["narrows.", what, ".", filter, ".", &String::from_utf8_lossy(&plugin)].concat())
    }

    /// The filter's place for `what`, whatever its plugins are called.
    pub(crate) fn of_filter(what: &str, filter: &str) -> Self {
        Self(["narrows.", what, ".", filter].concat())
    }

    /// A place beside this one, which has this number.
    pub(crate) fn with(mut self, number: u64) -> Self {
        self.0.push('.');
        self.0.push_str(&number.to_string());
        self
    }

    /// The data there; empty if there is none.
    pub(crate) fn get(&self) -> Vec<u8> {
        self.versioned().0
    }

    /// Makes the data there empty. Envoy keeps the key.
    pub(crate) fn clear(&self) {
        self.update(&mut |old| (!old.is_empty()).then(Vec::new));
    }

    /// Changes the data there. `change` is called again if another VM was quicker; it may leave the
    /// data as it is. Returns whether the last result of `change` holds.
    pub(crate) fn update(&self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
        for _ in 0..ATTEMPTS {
            let (old, version) = self.versioned();
            let Some(new) = change(&old) else { return true };
            if abi::set_shared_data(&self.0, &new, version) {
                return true;
            }
        }
        false
    }

    /// Replaces the data there.
    pub(crate) fn put(&self, value: &[u8]) {
        (0..ATTEMPTS).any(|_| abi::set_shared_data(&self.0, value, self.versioned().1));
    }

    fn versioned(&self) -> (Vec<u8>, u32) {
        let (value, version) = abi::shared_data(&self.0).unwrap_or_default();
        (value.into(), if version == 0 { NO_VERSION } else { version })
    }
}

/// A number that identifies a root context among all others of a proxy.
pub(crate) fn identity() -> u64 {
    hash_of(b"", &read::now_nanos().to_le_bytes())
}
