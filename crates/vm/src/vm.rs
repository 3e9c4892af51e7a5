//! A VM: one instance of a filter, as one worker of a proxy holds it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use wasmtime::{Memory, Store, WasmParams, WasmResults};

use super::callouts::{CallResponse, HttpCall};
use super::exports::{Export, Exports};
use super::host::{Gate, Host, Root};
use super::module::{Module, plain};
use super::options::{Plugin, VmOptions};
use super::proxy::Proxy;
use super::trace::{Callback, Work};

/// An instance of a filter with everything that Envoy keeps for it.
///
/// A trap kills it, as in Envoy: from then on every callback is skipped, and every exchange ends in
/// a 503 with [`Work::trap`] set.
pub struct Vm {
    pub(super) store: Store<Host>,
    pub(super) exports: Exports,
    pub(super) answerer: Option<Answerer>,
    memory: Memory,
    fuel_limit: u64,
    next_context: u32,
    dead: Option<String>,
}

pub(super) type Answerer = Box<dyn FnMut(&HttpCall) -> Option<CallResponse> + Send>;

/// The answer of a filter to a plugin configuration.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The root context, to send requests to.
    pub root: u32,
    /// Whether the filter took the configuration.
    pub accepted: bool,
    /// What it did.
    pub work: Work,
}

/// The answer of a filter to the end of a plugin.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Whether it is gone. False if the filter asked for time: it goes when it calls `done`.
    pub gone: bool,
    /// What it did.
    pub work: Work,
}

impl Vm {
    /// Makes an instance and lets it initialise, where it may do nothing but log. That work is in
    /// the account of whatever comes next, unless [`Vm::take_work`] reads it first.
    pub fn new(module: &Module, options: VmOptions) -> Result<Self> {
        let fuel_limit = options.fuel_limit;
        let start = module.start();
        let mut store = Store::new(start.module().engine(), Host::new(options));
        store.limiter(|host| &mut host.limits);
        store.set_fuel(fuel_limit).map_err(plain)?;
        let instance = start.instantiate(&mut store).map_err(plain)?;
        let memory = instance.get_memory(&mut store, "memory").context("the module exports no memory")?;
        let malloc = ["proxy_on_memory_allocate", "malloc"]
            .into_iter()
            .find_map(|name| instance.get_typed_func(&mut store, name).ok());
        let exports = Exports::new(&instance, &mut store);
        store.data_mut().memory = Some(memory);
        store.data_mut().malloc = malloc;
        let mut vm = Self { store, exports, answerer: None, memory, fuel_limit, next_context: 1, dead: None };
        vm.store.data_mut().gate = Gate::Initialize;
        vm.run(vm.exports.initialize.clone(), 0, ());
        vm.store.data_mut().gate = Gate::Open;
        if let Some(trap) = vm.dead {
            bail!("_initialize trapped: {trap}");
        }
        Ok(vm)
    }

    /// Makes a root context and hands it a configuration, as Envoy does for each plugin. Several
    /// may live side by side: an update makes the new one before the old one goes.
    pub fn configure(&mut self, plugin: Plugin) -> Configured {
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let root = self.new_context();
        let (vm_size, size) = (size(&self.host().vm_configuration), size(&plugin.configuration));
        self.host().roots.push(Root {
            id: root,
            plugin,
            tick: None,
            starting: true,
            leaving: false,
            done: false,
        });
        self.run(self.exports.context_create.clone(), root, (root, 0));
        let accepted = self.accepts(self.exports.vm_start.clone(), root, vm_size)
            && self.accepts(self.exports.configure.clone(), root, size);
        if let Some(root) = self.root(root) {
            root.starting = false;
        }
        Configured { root, accepted, work: self.take_work() }
    }

    /// Takes a plugin away.
    pub fn remove(&mut self, root: u32) -> Removed {
        if let Some(root) = self.root(root) {
            root.leaving = true;
        }
        let at_once = self.run(self.exports.done.clone(), root, root).is_none_or(|done| done != 0);
        if at_once && let Some(root) = self.root(root) {
            root.done = true;
        }
        self.reap();
        Removed { gone: self.root(root).is_none(), work: self.take_work() }
    }

    /// Ends the VM without a word to the filter, as Envoy ends one in which it has tried a policy.
    /// A series that no other VM has defined goes with it; one that is only dropped leaves its
    /// series to be read.
    pub fn end(mut self) {
        let Host { ids, proxy, .. } = self.host();
        ids.end(&proxy.metrics);
    }

    /// Lets the timer of a root context fire.
    pub fn tick(&mut self, root: u32) -> Work {
        self.run(self.exports.tick.clone(), root, root);
        self.reap();
        self.take_work()
    }

    /// How often the filter asked to be woken; none if it did not ask.
    pub fn tick_period(&self, root: u32) -> Option<Duration> {
        let root = self.store.data().roots.iter().find(|held| held.id == root)?;
        root.tick.map(|millis| Duration::from_millis(millis.into()))
    }

    /// Wakes the root contexts whose queues have got something.
    pub fn run_queues(&mut self) -> Work {
        let serial = self.host().serial;
        for (root, token) in self.host().proxy.shared.woken(serial) {
            self.run(self.exports.queue_ready.clone(), root, (root, token));
        }
        self.take_work()
    }

    /// The size of the VM's memory. It never shrinks, so a leak shows.
    pub fn memory_bytes(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// Why the VM is dead, if it is.
    pub fn trap(&self) -> Option<&str> {
        self.dead.as_deref()
    }

    /// How often this VM has defined each metric. Each definition costs Envoy memory for good, so
    /// a count above one is a leak.
    pub fn definitions(&self) -> BTreeMap<String, usize> {
        let host = self.store.data();
        host.ids.definitions(&host.proxy.metrics)
    }

    /// The process that the VM belongs to.
    pub fn proxy(&self) -> &Proxy {
        &self.store.data().proxy
    }

    /// What the filter did since the account was last read.
    pub fn take_work(&mut self) -> Work {
        let trap = self.dead.clone();
        Work { trap, ..std::mem::take(&mut self.host().work) }
    }

    /// Runs a callback on behalf of a context. None if there is no such export, or no VM any more.
    pub(super) fn run<P: WasmParams, R: WasmResults>(
        &mut self,
        export: Export<P, R>,
        context: u32,
        params: P,
    ) -> Option<R> {
        let function = export.function.filter(|_| self.dead.is_none())?;
        self.host().effective = context;
        self.store.set_fuel(self.fuel_limit).ok()?;
        let result = function.call(&mut self.store, params);
        let fuel = self.fuel_limit - self.store.get_fuel().unwrap_or(0);
        self.host().work.callbacks.push(Callback { name: export.name, fuel });
        result.map_err(|error| self.dead = Some(format!("{}: {error:?}", export.name))).ok()
    }

    pub(super) fn new_context(&mut self) -> u32 {
        self.next_context += 1;
        self.next_context - 1
    }

    pub(super) fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// Deletes the root contexts that are done.
    pub(super) fn reap(&mut self) {
        while let Some(index) = self.host().roots.iter().position(|root| root.done) {
            let id = self.host().roots[index].id;
            self.run(self.exports.delete.clone(), id, id);
            self.host().roots.remove(index);
        }
    }

    fn accepts(&mut self, export: Export<(u32, u32), u32>, root: u32, size: u32) -> bool {
        let exported = export.function.is_some();
        self.run(export, root, (root, size)).map_or(!exported, |accepted| accepted != 0)
    }

    fn root(&mut self, id: u32) -> Option<&mut Root> {
        self.host().roots.iter_mut().find(|root| root.id == id)
    }
}
