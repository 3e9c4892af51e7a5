//! A plugin: its policy's life from push to push.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use narrows_core::split::guard::Guards;
use narrows_core::{Grammar, Invalid, Policy, Tree, vm};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::around::Proxy;
use crate::guard::{self, Watch};
use crate::learn::Seen;
use crate::lease::{self, Lease};
use crate::ledger::Ledger;
use crate::metric::{self, Ids};
use crate::read;
use crate::shared::Key;
use crate::stream::Stream;

/// A compiled policy with the ids of its series.
pub(crate) struct Loaded<P> {
    pub(crate) policy: P,
    pub(crate) ids: Ids,
    /// That it is in force.
    lease: Lease,
    /// If the policy watches anything.
    pub(crate) watch: Option<Watch>,
    /// Where the log of a policy's meter has been read to.
    pub(crate) ledger: RefCell<Option<Ledger>>,
    /// Requests that asked for a nonce.
    pub(crate) drawn: Cell<u64>,
    /// What this proxy is.
    pub(crate) around: Proxy,
    /// What was seen and not told yet.
    pub(crate) seen: Seen,
}

/// The root context of a filter. Aligned like the SDK's own: else the module holds all
/// default methods of its traits once more, four kilobytes.
pub(crate) struct Root<P> {
    /// None until a policy has been loaded: then requests pass.
    loaded: Option<Rc<Loaded<P>>>,
}

impl<P: Policy + 'static> Root<P> {
    pub(crate) fn boxed() -> Box<dyn RootContext> {
        Box::new(Self { loaded: None })
    }

    fn load(&mut self, policy: P, grammar: Grammar, lease: Lease) {
        let ids = Ids::of(policy.series());
        log::info!("{} {}: policy loaded: {}", P::FILTER, env!("CARGO_PKG_VERSION"), policy.summary());
        if let Some(warning) = policy.warning() {
            log::warn!("{}: {warning}", P::FILTER);
        }
        let watches = policy.guards().is_some_and(|guards| !guards.is_empty());
        let watch = policy.guards().map(|guards| {
            let watch = Watch::of(P::FILTER, guards);
            watch.hear(guards, &ids);
            ids.measure_all(guards.gauges());
            watch
        });
        _ = hostcalls::set_tick_period(if watches { guard::TICK } else { lease::RENEW });
        let loaded = Loaded {
            policy,
            ids,
            lease,
            watch,
            ledger: RefCell::default(),
            drawn: Cell::new(0),
            around: Proxy::default(),
            seen: Seen::default(),
        };
        loaded.begin();
        if let Some(older) = &self.loaded {
            older.lease.release();
        }
        loaded.lease.begin();
        self.loaded = Some(Rc::new(loaded));
        metric::set(&vm::rejected_series(P::FILTER, grammar), 0);
        Self::tell_rejected(false);
    }

    /// A rejected policy is told in both grammars, for its own may be its fault; so is,
    /// after one, that it is mended.
    fn tell_rejected(rejected: bool) {
        let key = Key::of("rejected", P::FILTER);
        if !rejected && key.get().is_empty() {
            return;
        }
        for grammar in [Grammar::StatTags, Grammar::Stock] {
            metric::set(&vm::rejected_series(P::FILTER, grammar), u64::from(rejected));
        }
        if rejected {
            key.update(&mut |old| old.is_empty().then(|| vec![1]));
        }
    }

    fn with_guards(&self, act: impl FnOnce(&Watch, &Guards, &Ids)) {
        let Some(loaded) = &self.loaded else { return };
        if let (Some(watch), Some(guards)) = (&loaded.watch, loaded.policy.guards()) {
            act(watch, guards, &loaded.ids);
        }
    }

    /// Refuses a bad policy if there is an older one to keep, or if passing traffic
    /// through would be worse; else lets traffic pass. Returns what to tell Envoy.
    fn reject(strict: bool, has_older: bool) -> bool {
        Self::tell_rejected(true);
        let consequence = match (strict || P::FAIL_CLOSED, has_older) {
            (_, true) => "the older policy stays in force",
            (true, false) => "the filter does not load",
            (false, false) => "traffic passes through unchanged until the policy is mended",
        };
        log::error!("{}: {consequence}", P::FILTER);
        !(strict || P::FAIL_CLOSED || has_older)
    }
}

/// Says what is wrong.
fn blame(filter: &str, what: &str, invalid: &Invalid) {
    for fault in invalid.faults() {
        log::error!("{filter}: {what} rejected: {fault}");
    }
}

impl<P: Policy + 'static> RootContext for Root<P> {
    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        let lease = Lease::of(P::FILTER);
        let strict = vm::strict(&read::vm()).map_err(|e| blame(P::FILTER, "VM configuration", &e));
        // The text goes before the policy is made.
        let tree = Tree::parse(&read::policy());
        let policy = tree.and_then(|tree| Ok((P::compile(&tree)?, vm::grammar(&tree))));
        match (policy.map_err(|e| blame(P::FILTER, "policy", &e)), strict) {
            (Ok((policy, grammar)), Ok(_)) => {
                self.load(policy, grammar, lease);
                true
            }
            // Whoever configures the VM asks for strictness: a mistake there is strict.
            (_, strict) => Self::reject(strict.unwrap_or(true), lease.is_live()),
        }
    }

    fn on_tick(&mut self) {
        self.with_guards(Watch::tick);
        let Some(loaded) = &self.loaded else { return };
        loaded.lease.renew();
        if let Some(learning) = loaded.policy.learning() {
            loaded.seen.share(P::FILTER, learning);
        }
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::<P>::new(self.loaded.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl<P: Policy + 'static> Context for Root<P> {
    fn on_http_call_response(&mut self, token: u32, headers: usize, _body: usize, _trailers: usize) {
        self.with_guards(|watch, guards, ids| watch.answered(token, headers > 0, guards, ids));
    }

    fn on_done(&mut self) -> bool {
        if let Some(loaded) = &self.loaded {
            loaded.lease.release();
        }
        self.with_guards(|watch, _, _| watch.release());
        true
    }
}
