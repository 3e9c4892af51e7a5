//! The register, and what may be written there.

/// The root contexts that are known at a time: twice the workers of any machine.
const ROOTS: usize = 4096;
/// The plugins that are known at a time. Each has a root context, or was refused at first.
const PLUGINS: usize = 1024;

/// The plugins of one filter in one proxy, and their root contexts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// The last number that was given out.
    pub(super) last: u64,
    /// Whether a policy has ever been rejected.
    pub(super) ever: bool,
    /// Whether the gauge says that one is.
    pub(super) shown: bool,
    pub(super) plugins: Vec<Plugin>,
    pub(super) roots: Vec<Root>,
}

/// A root context: one policy of one plugin in one VM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Root {
    /// Its number. Who came later has a greater one.
    pub id: u64,
    /// Of which plugin.
    pub plugin: u64,
    /// The hash of its configuration.
    pub policy: u64,
    /// How often it has said that it lives; 0 of one that Envoy may have thrown away.
    pub beat: u32,
    /// How many series its policy allows the filter.
    pub bound: u32,
    /// Whether its policy is a bad one.
    pub is_bad: bool,
    /// Whether it had open streams when it said so: it may live for them alone.
    pub is_busy: bool,
}

/// A plugin, as finely as a root context can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plugin {
    pub(super) id: u64,
    /// The hash of the last good policy; 0 if there was none.
    pub(super) in_force: u64,
    /// The root context that has brought it.
    pub(super) since: u64,
    /// When a policy was refused last, if none has been taken since; else 0.
    pub(super) refused: u64,
    /// Whether it has had a root context.
    pub(super) is_loaded: bool,
}

/// What becomes of a bad policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is refused. Envoy keeps the older one, if there is any.
    Refused {
        /// Whether there is.
        has_older: bool,
    },
    /// There is no good policy: requests pass.
    Passes(Root),
    /// Envoy has taken it without asking: what was in force stays so.
    Holds(Root),
}

impl Register {
    /// Enters a root context with a good policy. `last` is the number of the one
    /// that its VM had before; 0 if it had none.
    ///
    /// A text that nobody serves is a new one: the plugin's last policy is good. So is any
    /// other one in a VM that had come to the one in force. Else it may come from a worker
    /// that is late, and then says nothing of later ones.
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

    /// Judges a bad policy. `is_fresh` says that its VM has never had another, as that in
    /// which Envoy tries policies; `is_closed`, that none may pass traffic.
    ///
    /// Envoy does not try again what it has once taken. So it may come to a VM that has
    /// had others, or after a bad one of the same text: to refuse it there would stop
    /// traffic or skip the filter.
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

    /// A root context says that it lives, and that others are `dead`, each with the beat
    /// at which it has fallen silent.
    pub fn beat(&mut self, by: Root, dead: &[(u64, u32)]) {
        let is_dead = |root: &Root| dead.contains(&(root.id, root.beat));
        self.roots.retain(|root| root.id != by.id && !is_dead(root));
        self.keep(by);
        self.settle();
    }

    /// A root context is removed.
    pub fn release(&mut self, id: u64) {
        // With it goes what the VM in which Envoy tried its policy has entered: nobody will
        // say so, and it stands only for workers that are late.
        if let Some(gone) = self.roots.iter().copied().find(|root| root.id == id) {
            let same = |root: &&mut Root| (root.plugin, root.policy) == (gone.plugin, gone.policy);
            let tried = self.roots.iter_mut().filter(same).filter(|root| root.beat == 0 && root.id < id);
            tried.for_each(|root| root.is_busy = true);
            // And with the last one that was in service goes the plugin.
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
            // Who was replaced lives for its open streams; who has not said that it
            // lives may have been thrown away.
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

    /// Whether the gauge says that a policy is rejected: who set it has to take it back, and
    /// nobody else, for plugins with another VM id have a register of their own and the
    /// same gauge.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// Notes what the gauge says.
    pub fn show(&mut self, is_rejected: bool) {
        self.shown = is_rejected;
    }

    /// The good policies that are served or in force: each plugin with each hash, once.
    pub fn policies(&self) -> Vec<(u64, u64)> {
        let served = self.roots.iter().filter(|root| !root.is_bad).map(|root| (root.plugin, root.policy));
        let in_force = self.plugins.iter().filter(|plugin| plugin.in_force != 0);
        let mut all = Vec::new();
        for policy in served.chain(in_force.map(|plugin| (plugin.id, plugin.in_force))) {
            // They are few: a plugin has one, and while it is replaced two.
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

    /// Draws the consequences of who is there.
    fn settle(&mut self) {
        for at in 0..self.plugins.len() {
            let Some(mut entry) = self.plugins.get(at).copied() else { continue };
            let goods: Vec<&Root> = self.goods(entry.id).collect();
            if !goods.is_empty() && goods.iter().all(|root| root.policy != entry.in_force) {
                let newest = goods.iter().max_by_key(|root| root.id);
                (entry.in_force, entry.since) = newest.map_or((0, 0), |root| (root.policy, root.id));
            }
            // Envoy has taken another policy since one was refused: somebody has loaded it
            // who is in service, and nobody from before serves the same, as when a worker is
            // late or a VM restarts. Who has been silent since was only tried.
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
            if let Some(place) = self.plugins.get_mut(at) {
                *place = entry;
            }
        }
        let live: Vec<u64> = self.roots.iter().map(|root| root.plugin).collect();
        // Who was refused at first has no root context: nobody can say when it is gone.
        self.plugins.retain(|plugin| live.contains(&plugin.id) || (plugin.refused != 0 && !plugin.is_loaded));
    }

    fn goods(&self, plugin: u64) -> impl Iterator<Item = &Root> {
        self.roots.iter().filter(move |root| root.plugin == plugin && !root.is_bad)
    }

    fn lives(&self, plugin: u64) -> bool {
        self.roots.iter().any(|root| root.plugin == plugin)
    }

    /// Changes the row of a plugin. A new one takes the place of the oldest if there is
    /// no room.
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

    /// Keeps a root context, in the order of their numbers. Where there is no room the
    /// others of its plugin speak for it.
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
