//! The filters by name: where a case file meets the code that it is about.

use std::marker::PhantomData;
use std::path::PathBuf;

use anyhow::Context;
use narrows_core::{Invalid, Policy, PolicyValue};
use narrows_harness::form::{Attached, Form};

use crate::model::{self, Beside, Native, Pure};

/// One of the filters.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    name: &'static str,
    compile: fn(&PolicyValue) -> Result<Box<dyn Pure>, Invalid>,
}

macro_rules! by_name {
    ($($filter:ident: $policy:ty, $beside:ident => $phase:literal $priority:literal;)+) => {
        /// Every filter.
        const FILTERS: &[Filter] = &[$(of::<$policy, model::$beside>()),+];
    };
}

narrows_core::filters!(by_name);

const fn of<P: Policy + 'static, B: Beside<P> + 'static>() -> Filter {
    Filter { name: P::FILTER, compile: |tree| Ok(Box::new(Native(P::compile(tree)?, PhantomData::<B>))) }
}

impl Filter {
    /// The filter of that name.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        let found = FILTERS.iter().find(|filter| filter.name == name);
        found.copied().with_context(|| format!("there is no filter {name:?}"))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Compiles a policy for it, from JSON.
    pub fn compile(self, policy: &str) -> Result<Box<dyn Pure>, Invalid> {
        PolicyValue::parse(policy.as_bytes()).and_then(|tree| (self.compile)(&tree))
    }

    /// The policy of a case file as this filter's, in some form. The filter is another one then.
    pub fn attached(self, form: Form, policy: &str) -> anyhow::Result<(Self, Attached)> {
        let attached = form.attach(&self.wasm()?, policy);
        let name = if attached.root_id.is_empty() { self.name } else { attached.root_id };
        Ok((Self::named(name)?, attached))
    }

    /// Where its `.wasm` is.
    pub fn wasm(self) -> anyhow::Result<PathBuf> {
        narrows_harness::module(self.name)
    }
}
