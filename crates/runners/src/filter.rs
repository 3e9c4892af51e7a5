//! The filters by name, with their modules.

use std::path::PathBuf;

use anyhow::Context;
use narrows_core::{Invalid, PolicyValue};
use narrows_harness::form::{Attached, Form};
use narrows_model::Pure;

/// One of the filters.
#[derive(Clone, Copy, Debug)]
pub struct Filter(narrows_model::Filter);

impl Filter {
    /// The filter of that name.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        narrows_model::Filter::named(name).map(Self).with_context(|| format!("there is no filter {name:?}"))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Compiles a policy for it, from JSON.
    pub fn compile(self, policy: &str) -> Result<Box<dyn Pure>, Invalid> {
        PolicyValue::parse(policy.as_bytes()).and_then(|tree| self.0.compile(&tree))
    }

    /// The policy of a case file as this filter's, in some form. The filter is another one then.
    pub fn attached(self, form: Form, policy: &str) -> anyhow::Result<(Self, Attached)> {
        let attached = form.attach(&self.wasm()?, policy);
        let name = if attached.root_id.is_empty() { self.name() } else { attached.root_id };
        Ok((Self::named(name)?, attached))
    }

    /// Where its `.wasm` is.
    pub fn wasm(self) -> anyhow::Result<PathBuf> {
        narrows_harness::module(self.name())
    }
}
