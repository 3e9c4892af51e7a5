//! The register: its contents, and who may change what.

/// The most root contexts in the register: twice the workers of any machine.
const ROOTS: usize = 4096;
/// The most plugins in the register. Each has a root context, or was refused at first.
const PLUGINS: usize = 1024;

/// The plugins of one filter in one proxy, and their root contexts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// The last number that was given out.
    pub(super) last: u64,
    /// Whether a policy has ever been rejected.
    pub(super) ever: bool,
    /// Whether the gauge shows that one is rejected.
    pub(super) shown: bool,
    pub(super) plugins: Vec<Plugin>,
    pub(super) roots: Vec<Root>,
}

/// A root context: one policy of one plugin in one VM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Root {
    /// Its number. A later root context has a greater one.
    pub id: u64,
    /// The plugin that it belongs to.
    pub plugin: u64,
    /// The hash of its configuration.
    pub policy: u64,
    /// How often it has reported that it lives; 0 if Envoy may have thrown it away.
    pub beat: u32,
    /// How many series its policy allows the filter.
    pub bound: u32,
    /// Whether its policy is a bad one.
    pub is_bad: bool,
    /// Whether it had open streams at its last report: it may live only for them.
    pub is_busy: bool,
}

/// A plugin, as finely as a root context can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plugin {
    pub(super) id: u64,
    /// The hash of the last good policy; 0 if there was none.
    pub(super) in_force: u64,
    /// The number of the root context that brought it.
    pub(super) since: u64,
    /// When a policy was refused last, as a number of the register; 0 if one has been taken since, or
    /// none was refused.
    pub(super) refused: u64,
    /// Whether it has had a root context.
    pub(super) is_loaded: bool,
}

/// What happens to a bad policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is refused. Envoy keeps the older policy, if there is one.
    Refused {
        /// Whether there is an older policy.
        has_older: bool,
    },
    /// There is no good policy: requests pass.
    Passes(Root),
    /// Envoy has taken it without asking. The policy that was in force stays in force.
    Holds(Root),
}

impl Register {
    /// Enters a root context with a good policy. `last` is the number of the root context that its VM
    /// had before; 0 if it had none.
    ///
    /// A text that nobody serves is new: it becomes the plugin's last good policy. So does any other
    /// text in a VM that had already come to the policy in force. Otherwise the text may come from a
    /// worker that is late, and then it does not affect later ones.
    pub fn good(&mut self, plugin: u64, policy: u64, last: u64, bound: u32) -> Root {
        let is_known = self.goods(plugin).any(|root| root.policy == policy);
        let since = self.last.saturating_add(1);
        self.change(plugin, |entry| {
            let is_next = last >= entry.since && policy != entry.in_force;
            if !is_known || is_next || entry.in_force == 0 {
                *entry = Plugin { id: plugin, in_force: policy, since, ..Plugin::default() };
            }
        });
        self.enter(Root { plugin, policy, bound, ..Root::default() })
    }

    /// Judges a bad policy. `is_fresh`: its VM has never had another policy, like the VM in which Envoy
    /// tries policies. `is_closed`: no bad policy may let traffic pass.
    ///
    /// Envoy does not try again what it has once taken. So a bad policy may come to a VM that has had
    /// others, or after a bad policy of the same text. To refuse it there would stop traffic or skip
    /// the filter.
    pub fn bad(&mut self, plugin: u64, policy: u64, is_fresh: bool, is_closed: bool) -> Judgement {
        self.ever = true;
        let has_older = self.in_force(plugin).is_some();
        let of = |root: &Root| root.plugin == plugin && root.is_bad && root.policy == policy;
        let was_taken = !is_fresh || self.roots.iter().any(of);
        if is_closed || (has_older && !was_taken) {
            self.last = self.last.saturating_add(1);
            let now = self.last;
            self.change(plugin, |entry| entry.refused = now);
            return Judgement::Refused { has_older };
        }
        let root = self.enter(Root { plugin, policy, is_bad: true, ..Root::default() });
        if has_older { Judgement::Holds(root) } else { Judgement::Passes(root) }
    }

    /// Records that a root context lives, and removes others that are `dead`, each with the beat at
    /// which it fell silent.
    pub fn beat(&mut self, by: Root, dead: &[(u64, u32)]) {
        let is_dead = |root: &Root| dead.contains(&(root.id, root.beat));
        self.roots.retain(|root| root.id != by.id && !is_dead(root));
        self.keep(by);
        self.settle();
    }

    /// Removes a root context.
    pub fn release(&mut self, id: u64) {
        // The entry of the VM in which Envoy tried its policy goes too: nobody else will remove it, and
        // it is kept only for workers that are late.
        if let Some(gone) = self.roots.iter().copied().find(|root| root.id == id) {
            let same = |root: &&mut Root| (root.plugin, root.policy) == (gone.plugin, gone.policy);
            let tried = self.roots.iter_mut().filter(same).filter(|root| root.beat == 0 && root.id < id);
            tried.for_each(|root| root.is_busy = true);
            // When the last root context that was in service goes, the plugin goes too.
            let is_tried = |root: &Root| root.beat == 0 && root.is_busy;
            let of_plugin = |root: &&Root| root.plugin == gone.plugin && root.id != id;
            if gone.beat > 0 && self.roots.iter().filter(of_plugin).all(is_tried) {
                self.roots.retain(|root| root.plugin != gone.plugin);
            }
        }
        self.roots.retain(|root| root.id != id);
        self.settle();
    }

    /// The hash of the good policy that is in force, if there is one.
    pub fn in_force(&self, plugin: u64) -> Option<u64> {
        let entry = self.plugins.iter().find(|entry| entry.id == plugin)?;
        (entry.in_force != 0).then_some(entry.in_force)
    }

    /// Whether the last policy of any plugin is a rejected one.
    pub fn is_rejected(&self) -> bool {
        let is_attached = |root: &&Root| {
            // A root context that was replaced lives only for its open streams. One that has not
            // reported that it lives may have been thrown away.
            let is_replaced = root.beat == 0 && self.goods(root.plugin).any(|good| good.id > root.id);
            root.is_bad && !root.is_busy && !is_replaced
        };
        let is_told = |plugin: &Plugin| {
            let lives = self.roots.iter().any(|root| root.plugin == plugin.id && !root.is_busy);
            plugin.refused != 0 && (lives || !plugin.is_loaded)
        };
        self.plugins.iter().any(is_told) || self.roots.iter().any(|r| is_attached(&r))
    }

    /// Whether a policy has ever been rejected.
    pub fn was_rejected(&self) -> bool {
        self.ever
    }

    /// Whether the gauge shows that a policy is rejected. Only the register that set the gauge may
    /// reset it, because plugins with another VM id have a register of their own and the same gauge.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// Records what the gauge shows.
    pub fn show(&mut self, is_rejected: bool) {
        self.shown = is_rejected;
    }

    /// The good policies that are served or in force: each plugin with each hash, once.
    pub fn policies(&self) -> Vec<(u64, u64)> {
        let served = self.roots.iter().filter(|root| !root.is_bad).map(|root| (root.plugin, root.policy));
        let in_force = self.plugins.iter().filter(|plugin| plugin.in_force != 0);
        let mut all = Vec::new();
        for policy in served.chain(in_force.map(|plugin| (plugin.id, plugin.in_force))) {
            // The list is short: a plugin has one policy, and two while it is replaced.
            if !all.contains(&policy) {
                all.push(policy);
            }
        }
        all
    }

    /// The root contexts.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The most series that any policy allows the filter.
    pub fn bound(&self) -> u32 {
        self.roots.iter().map(|root| root.bound).max().unwrap_or(0)
    }

    /// Updates the plugins after a change to the root contexts.
    fn settle(&mut self) {
        for at in 0..self.plugins.len() {
            let Some(mut entry) = self.plugins.get(at).copied() else { continue };
            let goods: Vec<&Root> = self.goods(entry.id).collect();
            if !goods.is_empty() && goods.iter().all(|root| root.policy != entry.in_force) {
                let newest = goods.iter().max_by_key(|root| root.id);
                (entry.in_force, entry.since) = newest.map_or((0, 0), |root| (root.policy, root.id));
            }
            // A refusal ends when a root context in service has loaded another policy after it. The
            // policy must not be one that a root context from before the refusal still serves, as when
            // a worker is late or a VM restarts. A root context that has been silent since was only a
            // trial.
            let is_kept = |policy: u64| {
                let is_older = |root: &&&Root| root.id < entry.refused && root.beat > 0 && !root.is_busy;
                goods.iter().filter(is_older).any(|root| root.policy == policy)
            };
            let mends = |root: &&&Root| {
                root.id > entry.refused && root.beat > 0 && !root.is_busy && !is_kept(root.policy)
            };
            if goods.iter().any(|root| mends(&root)) {
                entry.refused = 0;
            }
            if let Some(known) = self.plugins.get_mut(at) {
                *known = entry;
            }
        }
        let live: Vec<u64> = self.roots.iter().map(|root| root.plugin).collect();
        // A plugin that was refused at first has no root context: nobody can tell when it is gone.
        self.plugins.retain(|plugin| live.contains(&plugin.id) || (plugin.refused != 0 && !plugin.is_loaded));
    }

    fn goods(&self, plugin: u64) -> impl Iterator<Item = &Root> {
        self.roots.iter().filter(move |root| root.plugin == plugin && !root.is_bad)
    }

    fn lives(&self, plugin: u64) -> bool {
        self.roots.iter().any(|root| root.plugin == plugin)
    }

    /// Changes the row of a plugin. If there is no room, a new plugin replaces the oldest.
    fn change(&mut self, id: u64, change: impl FnOnce(&mut Plugin)) {
        if let Some(known) = self.plugins.iter_mut().find(|plugin| plugin.id == id) {
            return change(known);
        }
        if self.plugins.len() >= PLUGINS {
            self.plugins.remove(0);
        }
        let mut new = Plugin { id, ..Plugin::default() };
        change(&mut new);
        self.plugins.push(new);
    }

    fn enter(&mut self, root: Root) -> Root {
        self.last = self.last.saturating_add(1);
        let root = Root { id: self.last, ..root };
        self.keep(root);
        root
    }

    /// Keeps a root context, in the order of their numbers. If there is no room, the others of its
    /// plugin represent it.
    fn keep(&mut self, root: Root) {
        if self.roots.len() >= ROOTS {
            if self.lives(root.plugin) {
                return;
            }
            self.roots.remove(0);
        }
        self.change(root.plugin, |entry| entry.is_loaded = true);
        let at = self.roots.partition_point(|other| other.id < root.id);
        self.roots.insert(at, root);
    }
}
