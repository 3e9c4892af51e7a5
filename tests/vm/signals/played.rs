//! Envoy's part of a push, played: which VM is asked what, and when.
//!
//! As `proxy-wasm-cpp-host` has it. A policy is tried in a VM of its own, once for each
//! text of a plugin in a module; that VM then ends without a word. The main thread takes
//! it at once, and each worker when it comes to it. A root context that a stream still
//! holds is taken into service again without being asked.

mod life;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use narrows_vm::{Module, Plugin, Proxy, Vm, VmOptions, Work};

use narrows_tests::signals::exchanged;

/// One Envoy with a filter in several modules.
pub(super) struct Played {
    filter: &'static str,
    pub(super) proxy: Proxy,
    modules: Vec<Module>,
    vm_configuration: Vec<u8>,
    threads: Vec<Thread>,
    /// What was tried: the answer, while the module is in use.
    tried: BTreeMap<Policy, bool>,
    /// The VMs in which something was tried: their module keeps their series.
    spent: Vec<(usize, Vm)>,
    /// All that was logged.
    pub(super) log: Vec<String>,
    /// Whether any of it asked for the time.
    pub(super) asked_for_time: bool,
    time: Duration,
}

/// A policy of a plugin in a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Policy {
    pub(super) module: usize,
    pub(super) name: String,
    pub(super) root_id: String,
    /// Which listener it is in: two may have plugins of one name.
    pub(super) listener: u8,
    pub(super) text: String,
}

#[derive(Default)]
struct Thread {
    vms: BTreeMap<usize, Vm>,
    roots: Vec<Root>,
    pushed: VecDeque<(u8, String, Option<Policy>)>,
}

struct Root {
    policy: Policy,
    id: u32,
    /// The listeners that use it, beside the streams that do.
    attached: Vec<u8>,
    streams: Vec<u32>,
    ticked: Duration,
}

/// A policy for the plugin `p` in the first module.
pub(super) fn policy(text: impl Into<String>) -> Policy {
    Policy { module: 0, name: "p".to_owned(), root_id: String::new(), listener: 0, text: text.into() }
}

impl Policy {
    pub(super) fn module(self, module: usize) -> Self {
        Self { module, ..self }
    }

    pub(super) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub(super) fn root(self, root_id: &str) -> Self {
        Self { root_id: root_id.to_owned(), ..self }
    }

    pub(super) fn at(self, listener: u8) -> Self {
        Self { listener, ..self }
    }

    /// What Envoy knows a plugin by. Listeners share a root context if all else is the same.
    fn key(&self) -> Self {
        Self { listener: 0, ..self.clone() }
    }
}

impl Played {
    pub(super) fn new(filter: &'static str, workers: usize) -> Self {
        let module = |version| Module::from_bytes(&exchanged(filter, version)).expect("a module");
        Self {
            filter,
            proxy: Proxy::default(),
            modules: vec![module(b'0'), module(b'1')],
            vm_configuration: Vec::new(),
            threads: (0..=workers).map(|_| Thread::default()).collect(),
            tried: BTreeMap::new(),
            spent: Vec::new(),
            log: Vec::new(),
            asked_for_time: false,
            time: Duration::ZERO,
        }
    }

    /// With a VM configuration.
    pub(super) fn configured(self, vm: &str) -> Self {
        Self { vm_configuration: vm.as_bytes().to_vec(), ..self }
    }

    fn vm(&self, module: usize) -> Vm {
        let options = VmOptions {
            proxy: self.proxy.clone(),
            vm_configuration: self.vm_configuration.clone(),
            ..VmOptions::default()
        };
        Vm::new(&self.modules[module], options).expect("a VM")
    }

    /// Pushes a policy; returns whether Envoy takes it. Workers have yet to hear of it.
    pub(super) fn push(&mut self, policy: &Policy) -> bool {
        // What was tried is known while anybody uses the module.
        let in_use = |module| self.threads.iter().any(|thread| thread.vms.contains_key(&module));
        let unused: Vec<usize> = (0..self.modules.len()).filter(|module| !in_use(*module)).collect();
        self.tried.retain(|known, _| !unused.contains(&known.module));
        let taken = self.tried.get(&policy.key()).copied().unwrap_or_else(|| {
            let mut canary = self.vm(policy.module);
            let configured = canary.configure(plugin(policy));
            assert_eq!(canary.trap(), None);
            let is_taken = configured.accepted;
            self.note(configured.work);
            if unused.contains(&policy.module) && !is_taken {
                canary.end();
            } else {
                self.spent.push((policy.module, canary));
            }
            if !unused.contains(&policy.module) || is_taken {
                self.tried.insert(policy.key(), is_taken);
            }
            is_taken
        });
        if taken {
            let news = (policy.listener, policy.name.clone(), Some(policy.clone()));
            self.threads.iter_mut().for_each(|thread| thread.pushed.push_back(news.clone()));
            self.merge(0);
        }
        taken
    }

    /// Pushes a policy and lets all workers hear of it.
    pub(super) fn settle(&mut self, policy: &Policy) -> bool {
        let taken = self.push(policy);
        self.hear_all();
        taken
    }

    /// Takes a plugin away.
    pub(super) fn remove(&mut self, name: &str, listener: u8) {
        let news = (listener, name.to_owned(), None);
        self.threads.iter_mut().for_each(|thread| thread.pushed.push_back(news.clone()));
        self.hear_all();
    }

    pub(super) fn hear_all(&mut self) {
        (0..self.threads.len()).for_each(|thread| self.merge(thread));
    }

    /// A thread does what it was told. 0 is the main thread.
    pub(super) fn merge(&mut self, thread: usize) {
        while let Some((listener, name, policy)) = self.threads[thread].pushed.pop_front() {
            let mut next = None;
            if let Some(policy) = policy {
                next = Some(self.serve(thread, &policy));
            }
            let held = &mut self.threads[thread];
            for (at, root) in held.roots.iter_mut().enumerate() {
                if root.policy.name == name {
                    root.attached.retain(|other| *other != listener);
                }
                if next == Some(at) {
                    root.attached.push(listener);
                }
            }
            self.reap(thread);
        }
    }

    /// The place of a root context that serves a policy.
    fn serve(&mut self, thread: usize, policy: &Policy) -> usize {
        let known = self.threads[thread].roots.iter().position(|root| root.policy.key() == policy.key());
        if let Some(known) = known {
            return known;
        }
        if !self.threads[thread].vms.contains_key(&policy.module) {
            let vm = self.vm(policy.module);
            self.threads[thread].vms.insert(policy.module, vm);
        }
        let held = &mut self.threads[thread];
        let vm = held.vms.get_mut(&policy.module).expect("just made");
        let configured = vm.configure(plugin(policy));
        assert_eq!(vm.trap(), None);
        assert!(configured.accepted, "what Envoy has taken must not be refused: {:?}", configured.work.logs);
        held.roots.push(Root {
            policy: policy.clone(),
            id: configured.root,
            attached: Vec::new(),
            streams: Vec::new(),
            ticked: self.time,
        });
        let place = held.roots.len() - 1;
        self.note(configured.work);
        place
    }

    fn note(&mut self, work: Work) {
        self.asked_for_time |=
            work.calls.iter().any(|call| call.name == "proxy_get_current_time_nanoseconds");
        self.log.extend(work.logs.into_iter().map(|line| line.text));
    }

    /// Removes root contexts that nobody holds, and VMs without any.
    fn reap(&mut self, thread: usize) {
        let held = &mut self.threads[thread];
        while let Some(at) =
            held.roots.iter().position(|root| root.attached.is_empty() && root.streams.is_empty())
        {
            let root = held.roots.remove(at);
            if let Some(vm) = held.vms.get_mut(&root.policy.module) {
                assert_eq!(vm.remove(root.id).work.trap, None);
            }
        }
        let unused: Vec<usize> = held.vms.keys().copied().collect();
        for module in unused {
            if !held.roots.iter().any(|root| root.policy.module == module) {
                held.vms.remove(&module).expect("it is there").end();
            }
        }
        self.forget();
    }

    /// What was tried in a module goes with it.
    fn forget(&mut self) {
        let threads = &self.threads;
        let unused = |at: usize| !threads.iter().any(|thread| thread.vms.contains_key(&at));
        self.spent.extract_if(.., |(module, _)| unused(*module)).for_each(|(_, vm)| vm.end());
    }
}

fn plugin(policy: &Policy) -> Plugin {
    Plugin { root_id: policy.root_id.clone(), ..Plugin::new(&policy.name, &policy.text) }
}
