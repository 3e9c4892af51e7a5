//! This plugin's part in the register of its filter.
//!
//! The register is in shared data, which outlives VMs. It distinguishes plugins as finely as a root
//! context can: by name, by root id and, because Envoy keeps shared data by it, by VM id. Beside it is
//! the text of each good policy that is served, once for all VMs. A root context needs that text when
//! Envoy configures it with a bad policy without asking.
//!
//! Shared data also outlives VMs that wrote to it, if they end without releasing their entries and
//! another Wasm plugin of the proxy lives on. A gauge does not: it goes with the last VM that defined
//! it. So a register without its gauge belongs to no living VM.

mod last;

use std::time::Duration;

use narrows_core::lease::{Judgement, Register, Root, Watcher};
use narrows_core::{LabelEncoding, Series, hash_of, vm_config};

use crate::shared::Key;
use crate::{metric, read};

/// How often a root context renews its entry.
pub(crate) const RENEW: Duration = Duration::from_secs(5);
/// Comes before the text of a policy, which may be empty.
const THERE: u8 = b'=';
/// How many times the shown value is compared with the register.
const LOOKS: usize = 4;

/// One plugin of a filter.
#[derive(Debug)]
pub struct Plugin {
    filter: &'static str,
    name: Vec<u8>,
    register: Key,
    id: u64,
}

/// The entry of one root context.
#[derive(Debug)]
pub(crate) struct Lease {
    plugin: Plugin,
    root: Root,
    encoding: LabelEncoding,
    watcher: Watcher,
    /// The hash of the policy that is served in place of a bad one.
    held: u64,
    /// The number of the policy that is served; 0 if there is none.
    digest: u64,
}

/// What else a lease has to know of a policy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traits {
    /// How many series it allows its filter.
    pub(crate) bound: u32,
    /// How its series carry labels.
    pub(crate) encoding: LabelEncoding,
    /// Its number ([`narrows_core::policy_digest`]).
    pub(crate) digest: u64,
}

/// The result for a bad policy.
pub(crate) enum Rejected {
    /// It was refused; whether there is an older policy.
    Refused(bool),
    /// It was taken: the policy in force stays, or requests pass.
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
            name,
        };
        plugin.forget_the_dead();
        plugin
    }

    /// The filter that it is a plugin of.
    pub(crate) fn filter(&self) -> &'static str {
        self.filter
    }

    /// A number that identifies the plugin.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// How many series the policies of all plugins allow.
    pub(crate) fn bound(&self) -> u32 {
        Register::decode(&self.register.get()).bound()
    }

    /// Enters a root context with a good policy.
    pub(crate) fn accept(self, policy: u64, traits: Traits) -> Lease {
        let Traits { bound, encoding, digest } = traits;
        let mut root = Root::default();
        let before = last::of(self.id).map_or(0, |(root, _)| root);
        let mut is_new = false;
        let register = self.change(&mut |register| {
            is_new = !register.policies().contains(&(self.id, policy));
            root = register.good(self.id, policy, before, bound);
        });
        last::remember(self.id, root.id, encoding);
        if is_new {
            // In place: a second copy of a long text would be the most memory that this VM ever holds.
            let mut text = read::policy();
            text.reserve_exact(1);
            text.insert(0, THERE);
            self.text(self.id, policy).put(&text);
        }
        self.show(encoding);
        let lease = Lease { plugin: self, root, encoding, watcher: Watcher::default(), held: 0, digest };
        lease.show_digest(&register);
        lease
    }

    /// Decides what happens with a bad policy.
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
                encoding: LabelEncoding::default(),
                watcher: Watcher::default(),
                held: 0,
                digest: 0,
            }),
        }
    }

    /// Clears a register that has outlived all VMs of the filter.
    fn forget_the_dead(&self) {
        let register = Register::decode(&self.register.get());
        if register == Register::default() || self.has_gauge() {
            return;
        }
        register.policies().into_iter().for_each(|(plugin, policy)| self.text(plugin, policy).clear());
        self.register.clear();
    }

    /// Whether another VM holds the gauge. Also true if this proxy keeps no such series.
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

    /// Changes the register. The texts of policies that are no longer in it are removed too.
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

    /// Sets the gauges to what the register holds. Meanwhile another VM may have changed the register,
    /// and may have set the gauges already. Gauges that plugins with another VM id have set are left
    /// alone: those plugins set them again in every round.
    fn show(&self, encoding: LabelEncoding) {
        metric::set(&vm_config::up_series(self.filter, encoding), 1);
        let mut has_said = false;
        for _ in 0..LOOKS {
            let shared = self.register.get();
            let register = Register::decode(&shared);
            let is_rejected = register.is_rejected();
            for series in Self::rejected_series(self.filter, encoding, register.was_rejected()) {
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

    /// The label encoding of a rejected policy may itself be at fault. Then the series is written in
    /// both encodings.
    fn rejected_series(filter: &str, encoding: LabelEncoding, both: bool) -> Vec<Series> {
        let all = [LabelEncoding::StatTags, LabelEncoding::Stock].into_iter();
        all.filter(|one| both || *one == encoding)
            .map(|one| vm_config::rejected_series(filter, one))
            .collect()
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

    /// Whether its policy is bad.
    pub(crate) fn is_bad(&self) -> bool {
        self.root.is_bad
    }

    /// Whether nothing is served in place of a bad policy.
    pub(crate) fn passes(&self) -> bool {
        self.root.is_bad && self.held == 0
    }

    /// The policy to serve in place of a bad one: the policy in force, unless it is served already.
    pub(crate) fn older(&self) -> Option<Vec<u8>> {
        let register = Register::decode(&self.plugin.register.get());
        let in_force = register.in_force(self.plugin.id).filter(|in_force| *in_force != self.held)?;
        self.plugin.text(self.plugin.id, in_force).get().strip_prefix(&[THERE]).map(<[u8]>::to_vec)
    }

    /// Notes that a good policy is served in place of a bad one.
    pub(crate) fn hold(&mut self, text: &[u8], traits: Traits) {
        self.held = hash(text);
        self.root.bound = traits.bound;
        self.encoding = traits.encoding;
        self.digest = traits.digest;
        self.show_digest(&Register::decode(&self.plugin.register.get()));
    }

    /// Shows which policy is in force, unless it is no longer the one that is served here.
    fn show_digest(&self, register: &Register) {
        let served = if self.root.is_bad { self.held } else { self.root.policy };
        if self.digest != 0 && register.in_force(self.plugin.id) == Some(served) {
            metric::set(&self.digest_series(), self.digest);
        }
    }

    fn digest_series(&self) -> Series {
        let name = String::from_utf8_lossy(&self.plugin.name);
        vm_config::digest_series(self.plugin.filter, &name, self.encoding)
    }

    /// Renews the entry: this root context lives, and it has open streams if `is_busy`. Returns how
    /// many series are allowed.
    pub(crate) fn renew(&mut self, is_busy: bool) -> u32 {
        self.root.beat = self.root.beat.saturating_add(1);
        self.root.is_busy = is_busy;
        let now = Register::decode(&self.plugin.register.get());
        let dead = self.watcher.look(&now, self.root.id);
        let register = self.plugin.change(&mut |register| register.beat(self.root, &dead));
        self.plugin.show(self.encoding);
        self.show_digest(&register);
        register.bound()
    }

    /// Removes the entry. When it was the filter's last, other filters may live on in the VM.
    pub(crate) fn release(&self) {
        let register = self.plugin.change(&mut |register| register.release(self.root.id));
        self.plugin.show(self.encoding);
        let is_gone = register.roots().iter().all(|root| root.plugin != self.plugin.id);
        let is_renamed = last::of(self.plugin.id).is_some_and(|(_, encoding)| encoding != self.encoding);
        if self.digest != 0 && (is_gone || is_renamed) {
            metric::set(&self.digest_series(), 0);
        }
        if register.roots().is_empty() {
            metric::set(&vm_config::up_series(self.plugin.filter, self.encoding), 0);
        }
    }
}

/// The number of a configuration. It is never 0, which means none.
pub(crate) fn hash(text: &[u8]) -> u64 {
    hash_of(b"policy", text).max(1)
}
