//! The filters by name: where a case file meets the code that it is about.

use std::marker::PhantomData;

use narrows_core::{Invalid, Policy, PolicyValue};

use crate::native::{self, Beside, Native, Pure};

/// One of the filters.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    name: &'static str,
    compile: fn(&PolicyValue) -> Result<Box<dyn Pure>, Invalid>,
}

macro_rules! by_name {
    ($($filter:ident: $policy:ty, $beside:ident => $phase:literal $priority:literal;)+) => {
        /// Every filter.
        const FILTERS: &[Filter] = &[$(of::<$policy, native::$beside>()),+];
    };
}

narrows_core::filters!(by_name);

const fn of<P: Policy + 'static, B: Beside<P> + 'static>() -> Filter {
    Filter { name: P::FILTER, compile: |tree| Ok(Box::new(Native(P::compile(tree)?, PhantomData::<B>))) }
}

impl Filter {
    /// The filter of that name.
    pub fn named(name: &str) -> Option<Self> {
        FILTERS.iter().find(|filter| filter.name == name).copied()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Compiles a policy for it.
    pub fn compile(self, tree: &PolicyValue) -> Result<Box<dyn Pure>, Invalid> {
        (self.compile)(tree)
    }
}
