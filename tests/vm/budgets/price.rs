//! The price of one request: counts, and how each is read.

use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions, Work};

/// The figures of a price, in the order of the columns of `budgets.txt`.
pub(super) const FIGURES: [&str; 6] = ["fuel", "callbacks", "calls", "allocated", "returned", "memory"];

/// What one request costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Price(pub(super) [u64; FIGURES.len()]);

/// The first request pays for what is made once, and the second may grow what the first left.
const WARM: usize = 2;

impl Price {
    pub(super) fn of(
        module: &Module,
        vm: &str,
        plugin: Plugin,
        exchange: &Exchange,
        answer: &Response,
    ) -> anyhow::Result<Self> {
        let options = VmOptions { vm_configuration: vm.as_bytes().to_vec(), ..VmOptions::default() };
        let mut vm = Vm::new(module, options)?;
        let plugin = vm.configure(plugin);
        anyhow::ensure!(plugin.accepted, "refused: {:?}", plugin.work.logs);
        let mut send = || vm.request(plugin.root, exchange.clone(), |_| answer.clone()).work;
        for _ in 0..WARM {
            send();
        }
        let work = send();
        anyhow::ensure!(work.trap.is_none(), "trapped: {:?}", work.trap);
        Ok(Self::read(&work, vm.memory_bytes()))
    }

    fn read(work: &Work, memory: usize) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Self([
            work.fuel(),
            count(work.callbacks.len()),
            count(work.calls.len()),
            // The host asks for room once for each call that returns bytes.
            count(work.fetches()),
            work.bytes_returned(),
            count(memory / 1024),
        ])
    }
}
