//! This plugin's part in the register of its filter.
//!
//! The register lies in shared data, which outlives VMs, and is kept as finely as a root
//! context can tell plugins apart: by name, root id and, because Envoy keeps shared data
//! by it, VM id. Beside it lies the text of each good policy that is served, once for all
//! VMs, for a root context to which Envoy hands a bad one without asking.
//!
//! Shared data outlives those who wrote there too, if they end without a word and
//! another Wasm plugin of the proxy lives. A gauge does not: it goes with the last VM
//! that has defined it. So a register beside which there is no gauge is nobody's.

use std::cell::RefCell;
use std::time::Duration;

use narrows_core::lease::{Judgement, Register, Root, Watcher};
use narrows_core::{LabelEncoding, Series, hash_of, vm_config};

use crate::shared::Key;
use crate::{metric, read};

/// How often a root context says that it lives.
pub(crate) const RENEW: Duration = Duration::from_secs(5);
/// Stands before the text of a policy, which may be empty.
const THERE: &[u8] = b"=";
/// How often what is shown is compared with what is so.
const LOOKS: usize = 4;

/// The plugins of which a VM remembers its last policy.
const REMEMBERED: usize = 64;

thread_local! {
    /// The last root context with a good policy that this VM had, by plugin.
    static LAST: RefCell<Vec<(u64, u64)>> = const { RefCell::new(Vec::new()) };
}

/// One plugin of a filter.
#[derive(Debug)]
pub struct Plugin {
    filter: &'static str,
    register: Key,
    id: u64,
}

/// The entry of one root context.
#[derive(Debug)]
pub(crate) struct Lease {
    plugin: Plugin,
    root: Root,
    grammar: LabelEncoding,
    watcher: Watcher,
    /// The hash of what is served in place of a bad policy.
    held: u64,
}

/// What became of a bad policy.
pub(crate) enum Rejected {
    /// It was refused; whether there is an older one.
    Refused(bool),
    /// It was taken: what is in force stays so, or requests pass.
    Taken(Lease),
}

impl Plugin {
    /// The plugin of this root context.
    pub(crate) fn here(filter: &'static str) -> Self {
        let name = read::property(&["plugin_name"]).unwrap_or_default();
        let plugin = Self {
            filter,
            register: Key::of_filter("register", filter),
            id: hash_of(&name, &read::root_id()),
        };
        plugin.forget_the_dead();
        plugin
    }

    /// A number by which plugins are told apart.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// How many series the policies of all plugins allow.
    pub(crate) fn bound(&self) -> u32 {
        Register::decode(&self.register.get()).bound()
    }

    /// Enters a root context with a good policy, which allows the filter `bound` series.
    pub(crate) fn accept(self, text: &[u8], bound: u32, grammar: LabelEncoding) -> Lease {
        let mut root = Root::default();
        let policy = hash(text);
        let last = LAST.with_borrow(|last| last.iter().find(|(id, _)| *id == self.id).map_or(0, |(_, p)| *p));
        let mut is_new = false;
        self.change(&mut |register| {
            is_new = !register.policies().contains(&(self.id, policy));
            root = register.good(self.id, policy, last, bound);
        });
        remember(self.id, root.id);
        if is_new {
            self.text(self.id, policy).update(&mut |_| Some([THERE, text].concat()));
        }
        self.show(grammar);
        Lease { plugin: self, root, grammar, watcher: Watcher::default(), held: 0 }
    }

    /// Says what becomes of a bad policy.
    pub(crate) fn reject(self, text: &[u8], is_fresh: bool, is_closed: bool) -> Rejected {
        let policy = hash(text);
        let mut judgement = Judgement::Refused { has_older: false };
        self.change(&mut |register| judgement = register.bad(self.id, policy, is_fresh, is_closed));
        self.show(LabelEncoding::default());
        match judgement {
            Judgement::Refused { has_older } => Rejected::Refused(has_older),
            Judgement::Passes(root) | Judgement::Holds(root) => Rejected::Taken(Lease {
                plugin: self,
                root,
                grammar: LabelEncoding::default(),
                watcher: Watcher::default(),
                held: 0,
            }),
        }
    }

    /// A register that outlives all VMs of the filter speaks of nobody.
    fn forget_the_dead(&self) {
        let register = Register::decode(&self.register.get());
        if register == Register::default() || self.has_gauge() {
            return;
        }
        register.policies().into_iter().for_each(|(plugin, policy)| self.text(plugin, policy).clear());
        self.register.clear();
    }

    /// Whether another VM holds the gauge; yes, if this proxy keeps no such series.
    fn has_gauge(&self) -> bool {
        let gauges =
            [LabelEncoding::StatTags, LabelEncoding::Stock].map(|g| vm_config::up_series(self.filter, g));
        if gauges.iter().any(|gauge| metric::get(gauge) > 0) {
            return true;
        }
        let [gauge, _] = &gauges;
        metric::set(gauge, 1);
        let is_kept = metric::get(gauge) > 0;
        metric::set(gauge, 0);
        !is_kept
    }

    /// Changes the register. The texts of policies that are gone go with them.
    #[inline(never)]
    fn change(&self, change: &mut dyn FnMut(&mut Register)) -> Register {
        let (mut before, mut after) = (Vec::new(), Register::default());
        self.register.update(&mut |old| {
            after = Register::decode(old);
            before = after.policies();
            change(&mut after);
            Some(after.encode())
        });
        let left = after.policies();
        let gone = before.into_iter().filter(|policy| !left.contains(policy));
        gone.for_each(|(plugin, policy)| self.text(plugin, policy).clear());
        after
    }

    /// Shows what the register says. Another VM may have changed it meanwhile, and have
    /// shown that already. What plugins with another VM id say is left alone: they say it
    /// again at every round.
    fn show(&self, grammar: LabelEncoding) {
        metric::set(&vm_config::up_series(self.filter, grammar), 1);
        let mut has_said = false;
        for _ in 0..LOOKS {
            let shared = self.register.get();
            let register = Register::decode(&shared);
            let is_rejected = register.is_rejected();
            for series in Self::rejected_series(self.filter, grammar, register.was_rejected()) {
                if is_rejected || register.is_shown() || has_said {
                    metric::set(&series, is_rejected.into());
                } else {
                    metric::define(&series);
                }
            }
            has_said |= is_rejected;
            if register.is_shown() != is_rejected {
                self.change(&mut |register| register.show(is_rejected));
            } else if self.register.get() == shared {
                return;
            }
        }
    }

    /// The grammar of a rejected policy may be its fault: then it is told in both.
    fn rejected_series(filter: &str, grammar: LabelEncoding, both: bool) -> Vec<Series> {
        let all = [LabelEncoding::StatTags, LabelEncoding::Stock].into_iter();
        all.filter(|one| both || *one == grammar).map(|one| vm_config::rejected_series(filter, one)).collect()
    }

    fn text(&self, plugin: u64, policy: u64) -> Key {
        Key::of_filter("policy", self.filter).with(plugin).with(policy)
    }
}

impl Lease {
    /// The plugin.
    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Whether its policy is a bad one.
    pub(crate) fn is_bad(&self) -> bool {
        self.root.is_bad
    }

    /// Whether nothing is served in place of a bad policy.
    pub(crate) fn passes(&self) -> bool {
        self.root.is_bad && self.held == 0
    }

    /// What to serve in place of a bad policy: what is in force, if it is not that
    /// already.
    pub(crate) fn older(&self) -> Option<Vec<u8>> {
        let register = Register::decode(&self.plugin.register.get());
        let in_force = register.in_force(self.plugin.id).filter(|in_force| *in_force != self.held)?;
        self.plugin.text(self.plugin.id, in_force).get().strip_prefix(THERE).map(<[u8]>::to_vec)
    }

    /// Says that a good policy is served in place of a bad one.
    pub(crate) fn hold(&mut self, text: &[u8], bound: u32, grammar: LabelEncoding) {
        self.held = hash(text);
        self.root.bound = bound;
        self.grammar = grammar;
    }

    /// Says that this root context lives, and for whom. Returns how many series are
    /// allowed.
    pub(crate) fn renew(&mut self, is_busy: bool) -> u32 {
        self.root.beat = self.root.beat.saturating_add(1);
        self.root.is_busy = is_busy;
        let now = Register::decode(&self.plugin.register.get());
        let dead = self.watcher.look(&now, self.root.id);
        let register = self.plugin.change(&mut |register| register.beat(self.root, &dead));
        self.plugin.show(self.grammar);
        register.bound()
    }

    /// Takes the entry back.
    pub(crate) fn release(&self) {
        self.plugin.change(&mut |register| register.release(self.root.id));
        self.plugin.show(self.grammar);
    }
}

/// Notes the root context that this VM has been given.
fn remember(plugin: u64, root: u64) {
    LAST.with_borrow_mut(|last| {
        last.retain(|(id, _)| *id != plugin);
        if last.len() >= REMEMBERED {
            last.remove(0);
        }
        last.push((plugin, root));
    });
}

/// The number of a configuration; never 0, which stands for none.
fn hash(text: &[u8]) -> u64 {
    hash_of(b"policy", text).max(1)
}
