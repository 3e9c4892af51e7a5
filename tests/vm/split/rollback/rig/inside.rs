//! What can be seen of a proxy from outside, what it keeps inside, and requests that do not end.

use super::{Proxy, lines};

impl Proxy {
    /// Opens a request that nobody answers. Returns its stream.
    pub(in crate::split::rollback) fn open(&mut self, worker: usize, user: &str) -> u32 {
        let exchange = self.exchange(user);
        let (vm, root) = &mut self.vms[worker];
        vm.open(*root, exchange)
    }

    /// Ends a request that nobody has answered.
    pub(in crate::split::rollback) fn close(&mut self, worker: usize, stream: u32) {
        let work = self.vms[worker].0.close(stream).work;
        assert_eq!(work.trap, None);
        self.logs.extend(lines(&work));
    }

    /// The process ends, and another one begins where its time ended.
    pub(in crate::split::rollback) fn reboot(&mut self, policy: &serde_json::Value) -> anyhow::Result<()> {
        let clock = self.shared.clock.clone();
        self.shared = narrows_vm::Proxy { clock, ..narrows_vm::Proxy::default() };
        (0..self.vms.len()).try_for_each(|worker| self.restart(worker, policy))
    }

    /// All lines of the log, and all series with their values.
    pub(in crate::split::rollback) fn said(&self) -> Vec<String> {
        let series = self.shared.metrics.snapshot().into_iter();
        self.logs.iter().cloned().chain(series.map(|(name, value)| format!("{name} {value}"))).collect()
    }

    /// What the VMs share of the rollback.
    pub(in crate::split::rollback) fn remembered(&self) -> Vec<u8> {
        let keys = self.shared.shared.keys().into_iter().filter(|key| key.starts_with(b"narrows.rollback."));
        keys.filter_map(|key| Some(self.shared.shared.get(key)?.0)).flatten().collect()
    }

    /// The bytes of each VM.
    pub(in crate::split::rollback) fn memory(&self) -> Vec<usize> {
        self.vms.iter().map(|(vm, _)| vm.memory_bytes()).collect()
    }

    /// The bytes that all VMs share, with their keys.
    pub(in crate::split::rollback) fn shared_bytes(&self) -> usize {
        self.shared.shared.bytes()
    }
}
