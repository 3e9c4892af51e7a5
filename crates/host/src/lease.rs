//! Whether this proxy is serving a good policy of a plugin already.
//!
//! A bad policy must be refused if Envoy has an older one to keep, and must not be
//! refused if it has none, for then Envoy answers 500 to everything. Envoy asks a
//! canary VM first, which has just been made and remembers nothing. What outlives a
//! VM is shared data: so every root context that serves a good policy renews its
//! record there, and takes it back when it is removed. A VM that ends without being
//! asked leaves a record that soon is old.

use std::time::Duration;

use narrows_core::lease::{self, Holder};

use crate::read;
use crate::shared::{self, Key};

/// How often a lease is renewed.
pub(crate) const RENEW: Duration = Duration::from_secs(5);

/// The record of one root context.
#[derive(Debug)]
pub(crate) struct Lease {
    key: Key,
    holder: Holder,
}

impl Lease {
    /// The lease of this plugin.
    pub(crate) fn of(filter: &str) -> Self {
        let holder = Holder { id: shared::identity(), since: read::now_millis() };
        Self { key: Key::of("live", filter), holder }
    }

    /// Whether some VM of this proxy serves a good policy of this plugin.
    pub(crate) fn is_live(&self) -> bool {
        lease::is_live(&self.key.get(), read::now_millis())
    }

    /// Says that this root context does, from now on.
    pub(crate) fn begin(&self) {
        self.say(self.holder.since);
    }

    /// Says that it still does.
    pub(crate) fn renew(&self) {
        self.say(read::now_millis());
    }

    /// Takes it back.
    pub(crate) fn release(&self) {
        self.key.update(&mut |old| Some(lease::released(old, self.holder)));
    }

    fn say(&self, at: u64) {
        self.key.update(&mut |old| Some(lease::renewed(old, self.holder, at)));
    }
}
