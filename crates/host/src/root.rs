//! A plugin: its policies, from one push to the next.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use narrows_core::{Invalid, LabelEncoding, Policy, PolicyValue, policy_digest, vm_config};

use crate::abi;
use crate::callbacks::{RootContext, StreamContext};
use crate::lease::{self, Lease, Plugin, Rejected, Traits};
use crate::read;
use crate::stream::Open;

thread_local! {
    /// Whether this VM has been given a policy before. A VM in which Envoy only tries a policy has not.
    static WAS_CONFIGURED: Cell<bool> = const { Cell::new(false) };
}

/// The root context of a filter, whose policies in force are `L`.
pub(crate) struct Root<L> {
    /// None until a policy has been loaded. Until then, requests pass.
    loaded: RefCell<Option<Rc<L>>>,
    /// None until a policy has been taken.
    lease: RefCell<Option<Lease>>,
    /// The time since this root context renewed its lease.
    silent: Cell<Duration>,
    /// How often it is woken.
    period: Cell<Duration>,
    /// Held by every open stream.
    open: Rc<()>,
}

impl<L: Open> Root<L> {
    const FILTER: &'static str = L::Policy::FILTER;

    pub(crate) fn context() -> Rc<dyn RootContext> {
        Rc::new(Self {
            loaded: RefCell::default(),
            lease: RefCell::default(),
            silent: Cell::default(),
            period: Cell::new(lease::RENEW),
            open: Rc::default(),
        })
    }

    /// Puts a policy in force.
    #[inline(never)]
    fn load(&self, policy: L::Policy, plugin: &Plugin) {
        log::info!("{} {}: policy loaded: {}", Self::FILTER, env!("CARGO_PKG_VERSION"), policy.summary());
        for warning in policy.warnings() {
            log::warn!("{}: {}; {}", Self::FILTER, warning.message, warning.help);
        }
        let loaded = L::load(policy, plugin);
        self.wake(loaded.period());
        self.loaded.replace(Some(Rc::new(loaded)));
    }

    fn wake(&self, every: Duration) {
        self.period.set(every);
        abi::set_tick_period(u32::try_from(every.as_millis()).unwrap_or(u32::MAX));
    }

    fn loaded(&self) -> Option<Rc<L>> {
        self.loaded.borrow().clone()
    }

    /// Refuses a bad policy if there is an older one to keep, or if it would be worse to let traffic
    /// pass unfiltered. Otherwise it lets traffic pass. Returns the answer for Envoy.
    fn reject(&self, text: &[u8], strict: bool) -> bool {
        let is_fresh = !WAS_CONFIGURED.get();
        let is_closed = strict || L::Policy::FAIL_CLOSED;
        let (has_older, lease) = match Plugin::here(Self::FILTER).reject(text, is_fresh, is_closed) {
            Rejected::Refused(has_older) => (has_older, None),
            Rejected::Taken(lease) => (lease.older().is_some(), Some(lease)),
        };
        let consequence = match (is_closed, has_older) {
            (_, true) => "the older policy stays in force",
            (true, false) => "the filter does not load",
            (false, false) => "traffic passes through unchanged until the policy is mended",
        };
        log::error!("{}: {consequence}", Self::FILTER);
        let is_taken = lease.is_some();
        if is_taken {
            self.lease.replace(lease);
            self.wake(lease::RENEW);
            self.hold();
        }
        is_taken
    }

    /// Serves the policy in force in place of a bad policy, as soon as there is one.
    #[inline(never)]
    fn hold(&self) {
        let Ok(mut lease) = self.lease.try_borrow_mut() else { return };
        let Some(lease) = lease.as_mut().filter(|lease| lease.is_bad()) else { return };
        let Some(text) = lease.older() else { return };
        let traits = match read_policy::<L::Policy>(text.clone()) {
            Ok((policy, encoding, digest)) => {
                let bound = L::limit(&policy);
                self.load(policy, lease.plugin());
                Traits { bound, encoding, digest }
            }
            Err(invalid) => {
                blame(Self::FILTER, "older policy", &invalid);
                Traits::default()
            }
        };
        lease.hold(&text, traits);
    }
}

/// Logs what is wrong.
fn blame(filter: &str, what: &str, invalid: &Invalid) {
    for fault in invalid.faults() {
        log::error!("{filter}: {what} rejected: {fault}");
    }
}

/// Reads a policy, the label encoding that it asks for, and its number. This code must not be in the module twice,
/// because it is most of the module. The text is dropped before the policy is compiled: both at once
/// would be the most memory that a VM ever holds.
#[inline(never)]
fn read_policy<P: Policy>(text: Vec<u8>) -> Result<(P, LabelEncoding, u64), Invalid> {
    let tree = PolicyValue::parse(&text);
    drop(text);
    let tree = tree?;
    let (encoding, digest) = (vm_config::label_encoding(&tree), policy_digest(&tree));
    Ok((P::compile_once(tree)?, encoding, digest))
}

impl<L: Open> RootContext for Root<L> {
    fn configure(&self) -> bool {
        let strict = vm_config::strict(&read::vm()).map_err(|e| blame(Self::FILTER, "VM configuration", &e));
        let text = read::policy();
        let hash = lease::hash(&text);
        let policy = read_policy::<L::Policy>(text).map_err(|e| blame(Self::FILTER, "policy", &e));
        let is_taken = match (policy, strict) {
            (Ok((policy, encoding, digest)), Ok(_)) => {
                let (plugin, bound) = (Plugin::here(Self::FILTER), L::limit(&policy));
                self.load(policy, &plugin);
                let lease = plugin.accept(hash, Traits { bound, encoding, digest });
                if let Some(older) = self.lease.replace(Some(lease)) {
                    older.release();
                }
                true
            }
            // Whoever configures the VM wants strictness, so a mistake in that configuration is treated
            // as strict.
            (_, strict) => {
                self.reject(&read::policy(), strict.unwrap_or(true) || vm_config::is_strict(&read::root_id()))
            }
        };
        WAS_CONFIGURED.set(true);
        is_taken
    }

    fn tick(&self) {
        if let Some(loaded) = self.loaded() {
            loaded.tick();
        }
        let silent = self.silent.get().saturating_add(self.period.get());
        self.silent.set(silent);
        if silent >= lease::RENEW {
            self.silent.set(Duration::ZERO);
            let is_busy = Rc::strong_count(&self.open) > 1;
            let allowed = self.lease.borrow_mut().as_mut().map(|lease| lease.renew(is_busy));
            if let (Some(allowed), Some(loaded)) = (allowed, self.loaded()) {
                loaded.allow(allowed);
            }
            self.hold();
        }
    }

    fn stream(&self) -> Box<dyn StreamContext> {
        // Envoy may use a root context again that it has not removed yet.
        if self.lease.borrow().as_ref().is_some_and(Lease::passes) {
            abi::lasting(|| self.hold());
        }
        L::open(self.loaded(), self.open.clone())
    }

    fn call_response(&self, token: u32, has_headers: bool) {
        if let Some(loaded) = self.loaded() {
            loaded.answered(token, has_headers);
        }
    }

    fn done(&self) {
        if let Some(lease) = &*self.lease.borrow() {
            lease.release();
        }
        if let Some(loaded) = self.loaded() {
            loaded.release();
        }
    }
}
