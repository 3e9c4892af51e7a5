//! Shared data and queues: what the VMs of one proxy have in common.
//!
//! Envoy keys both by `vm_id`, which Istio never sets, so that every Wasm plugin of a proxy shares
//! one space across binaries. The stand-in has that one space; a test of two `vm_id`s takes two.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::abi::Status;

/// A handle to the key-value store of one proxy; clones are the same store.
#[derive(Clone, Default, Debug)]
pub struct SharedData(Arc<Mutex<Store>>);

#[derive(Default, Debug)]
struct Store {
    values: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    last_cas: u32,
    queues: Vec<Queue>,
}

#[derive(Default, Debug)]
struct Queue {
    name: Vec<u8>,
    items: VecDeque<Vec<u8>>,
    /// The VM and root context that registered last: the only ones Envoy wakes.
    owner: (u64, u32),
    wake: bool,
}

impl SharedData {
    /// The value under a key and its version.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<(Vec<u8>, u32)> {
        self.lock().values.get(key.as_ref()).cloned()
    }

    /// Writes a value as a filter would: `cas` 0 always writes, a wrong one is refused, and any
    /// creates a key that is missing.
    pub fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, cas: u32) -> Result<(), Status> {
        let mut store = self.lock();
        let next = store.last_cas.wrapping_add(1).max(1);
        match store.values.get(key.as_ref()) {
            Some((_, held)) if cas != 0 && cas != *held => return Err(Status::CasMismatch),
            _ => store.values.insert(key.as_ref().to_vec(), (value.as_ref().to_vec(), next)),
        };
        store.last_cas = next;
        Ok(())
    }

    /// Every key, in order.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.lock().values.keys().cloned().collect()
    }

    /// The size of all keys and values, for tests of a bound.
    pub fn bytes(&self) -> usize {
        self.lock().values.iter().map(|(key, (value, _))| key.len() + value.len()).sum()
    }

    pub(super) fn register_queue(&self, name: &[u8], owner: (u64, u32)) -> u32 {
        let mut store = self.lock();
        let index = store.queues.iter().position(|queue| queue.name == name).unwrap_or_else(|| {
            store.queues.push(Queue { name: name.to_vec(), ..Queue::default() });
            store.queues.len() - 1
        });
        store.queues[index].owner = owner;
        token(index)
    }

    pub(super) fn resolve_queue(&self, name: &[u8]) -> Option<u32> {
        self.lock().queues.iter().position(|queue| queue.name == name).map(token)
    }

    pub(super) fn enqueue(&self, token: u32, item: Vec<u8>) -> Result<(), Status> {
        let mut store = self.lock();
        let queue = store.queue(token).ok_or(Status::NotFound)?;
        queue.items.push_back(item);
        queue.wake = true;
        Ok(())
    }

    pub(super) fn dequeue(&self, token: u32) -> Result<Vec<u8>, Status> {
        let mut store = self.lock();
        store.queue(token).ok_or(Status::NotFound)?.items.pop_front().ok_or(Status::Empty)
    }

    /// The queues of one VM that have got something since the last call: root context and token.
    pub(super) fn woken(&self, vm: u64) -> Vec<(u32, u32)> {
        let mut woken = Vec::new();
        for (index, queue) in self.lock().queues.iter_mut().enumerate() {
            if queue.wake && queue.owner.0 == vm {
                queue.wake = false;
                woken.push((queue.owner.1, token(index)));
            }
        }
        woken
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn queue(&mut self, token: u32) -> Option<&mut Queue> {
        self.queues.get_mut((token as usize).checked_sub(1)?)
    }
}

/// Envoy counts its queues from one.
fn token(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}
