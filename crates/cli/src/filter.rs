//! The filters, in one table. A new filter is a new line.

use std::any::Any;

use narrows_core::Weight;
use narrows_core::describe::Object;
use narrows_core::merged::Merged;
use narrows_core::split::Splitter;
use narrows_core::stats_tags::Labels;
use narrows_core::{Decision, Fault, Invalid, Policy, PolicyValue, Request, Series, vm_config};

use crate::simulate::{Explanation, Outcome, Sent};
use crate::source::Node;

/// How a filter is attached unless the operator chooses otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Istio's phase.
    pub phase: &'static str,
    /// Its priority within the phase: higher runs first.
    pub priority: i32,
    /// Whether requests pass while the filter cannot run.
    pub fails_open: bool,
}

macro_rules! by_name {
    ($($filter:ident: $policy:ty, $beside:ident => $phase:literal $priority:literal;)+) => {
        /// A filter of Narrows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Filter { $(#[doc = concat!("See [`", stringify!($policy), "`].")] $filter),+ }

        /// A compiled policy of some filter.
        #[derive(Clone, Debug)]
        enum Compiled { $($filter(Box<$policy>)),+ }

        impl Filter {
            /// All filters.
            pub const ALL: [Self; [$(stringify!($filter)),+].len()] = [$(Self::$filter),+];

            /// The name, as in a policy's `filter`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$filter => <$policy>::FILTER),+ }
            }

            /// How its policies are written.
            pub const fn language(self) -> &'static Object {
                match self { $(Self::$filter => <$policy>::LANGUAGE),+ }
            }

            /// How it is attached.
            pub const fn attachment(self) -> Attachment {
                match self {
                    $(Self::$filter => Attachment {
                        phase: $phase, priority: $priority, fails_open: !<$policy>::FAIL_CLOSED,
                    }),+
                }
            }

            fn compile_any(self, tree: &PolicyValue) -> Result<Compiled, Invalid> {
                match self { $(Self::$filter => <$policy>::compile(tree).map(Box::new).map(Compiled::$filter)),+ }
            }
        }

        impl AnyPolicy {
            /// Every series that the policy counts in.
            pub fn series(&self) -> &[Series] {
                match &self.0 { $(Compiled::$filter(policy) => &policy.common().series),+ }
            }

            /// Labels for Istio's metrics, each with the filter state that holds it.
            pub fn published(&self) -> Vec<(String, String)> {
                let common = match &self.0 { $(Compiled::$filter(policy) => policy.common()),+ };
                common.published.iter().map(|(label, state)| (label.to_string(), state.to_string())).collect()
            }

            /// The labels of its series; `written` is the policy as written.
            pub fn labels(&self, written: &PolicyValue) -> Labels {
                match &self.0 { $(Compiled::$filter(policy) => Labels::of(&**policy, written)),+ }
            }

            /// The memory and work that it takes in every worker.
            pub fn weight(&self) -> Weight {
                match &self.0 { $(Compiled::$filter(policy) => policy.common().weight),+ }
            }

            /// The splits, if it has any.
            pub fn splitter(&self) -> Option<&Splitter> {
                let policy: &dyn Any = match &self.0 { $(Compiled::$filter(policy) => &**policy),+ };
                let merged = policy.downcast_ref::<Merged>();
                policy.downcast_ref().or_else(|| merged?.split.as_deref())
            }

            /// A summary of what was loaded, in a few words.
            pub fn summary(&self) -> String {
                match &self.0 { $(Compiled::$filter(policy) => policy.summary()),+ }
            }

            /// Probable mistakes, although the policy loads.
            pub fn warnings(&self) -> Vec<Fault> {
                match &self.0 { $(Compiled::$filter(policy) => policy.warnings()),+ }
            }

            /// The headers that it removes from a client's request, some with a `*` at their end.
            pub fn strips(&self) -> Vec<&str> {
                let common = match &self.0 { $(Compiled::$filter(policy) => policy.common()),+ };
                common.sanitizer.names().collect()
            }

            /// What a decision on a request comes to.
            pub fn outcome(&self, sent: &Sent) -> narrows_core::Outcome {
                match &self.0 { $(Compiled::$filter(policy) => outcome(&**policy, sent)),+ }
            }

            /// Decides on a request, as the filter would.
            pub fn decide(&self, sent: &Sent) -> Outcome {
                match &self.0 { $(Compiled::$filter(policy) => decide(&**policy, sent.on(&sent.trail(&**policy)))),+ }
            }

            /// Decides on a request of which nothing else is known.
            pub fn judge(&self, request: Request<'_>) -> Outcome {
                match &self.0 { $(Compiled::$filter(policy) => decide(&**policy, request)),+ }
            }
        }
    };
}

narrows_core::filters!(by_name);

/// A policy that was compiled without a fault, of any filter.
#[derive(Clone, Debug)]
pub struct AnyPolicy(Compiled);

impl Filter {
    /// The filter with that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.name() == name)
    }

    /// The filter that a module's address names: `…/canary-split:0.1.0`,
    /// `canary_split.wasm`, `narrows.canary-split`.
    pub fn of_module(address: &str) -> Option<Self> {
        let file = address.rsplit('/').next()?.split(['@', ':', '?']).next()?;
        let file = file.replace('_', "-");
        let parts = || file.split('.').map(|part| part.strip_prefix("narrows-").unwrap_or(part));
        // "narrows" stands before the names of other things too.
        let names = |filter: &Self| match filter {
            Self::Narrows => parts().all(|part| part == filter.name() || part == "wasm"),
            _ => parts().any(|part| part == filter.name()),
        };
        Self::ALL.into_iter().find(names)
    }

    /// The filter that a plugin is: in the module of all filters its root id says so, perhaps with
    /// `.strict` at its end.
    pub fn of_plugin(module: Option<&str>, root_id: Option<&str>) -> Option<Self> {
        match module.and_then(Self::of_module)? {
            Self::Narrows => {
                let root_id = root_id?;
                Self::named(root_id.strip_suffix(vm_config::STRICT).unwrap_or(root_id))
            }
            filter => Some(filter),
        }
    }

    /// The filter that a policy names.
    pub fn of_policy(policy: &Node) -> Option<Self> {
        Self::named(policy.text_at("filter")?)
    }

    /// Compiles a policy of this filter.
    pub fn compile(self, tree: &PolicyValue) -> Result<AnyPolicy, Invalid> {
        self.compile_any(tree).map(AnyPolicy)
    }
}

fn outcome<P: Policy>(policy: &P, sent: &Sent) -> narrows_core::Outcome {
    let trail = sent.trail(policy);
    let (decision, verdict) = policy.decide(sent.on(&trail));
    policy.outcome(&verdict, &decision)
}

fn decide<P: Policy>(policy: &P, request: Request<'_>) -> Outcome {
    let (decision, verdict) = policy.decide(request);
    let explanation = Explanation::of(&policy.outcome(&verdict, &decision));
    // In a proxy, a policy that has nothing to do is not called.
    let needs = policy.common().needs;
    let idle = !needs.headers && !needs.outcome;
    Outcome::new(explanation, &if idle { Decision::default() } else { decision })
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn modules_name_their_filter() {
        for (address, filter) in [
            ("oci://registry.example/narrows/canary-split:0.1.0", Some(Filter::CanarySplit)),
            ("registry.example:5000/canary-split@sha256:00", Some(Filter::CanarySplit)),
            ("file:///etc/narrows/narrows_header_router.wasm", Some(Filter::HeaderRouter)),
            ("dist/header-router.wasm", Some(Filter::HeaderRouter)),
            ("https://example.com/header-router.wasm?v=1", Some(Filter::HeaderRouter)),
            ("narrows.canary-split", Some(Filter::CanarySplit)),
            ("oci://registry.example/my-canary-split-fork:1", None),
            ("", None),
            ("oci://registry.example/narrows/narrows:0.1.0", Some(Filter::Narrows)),
            ("dist/narrows.wasm", Some(Filter::Narrows)),
            ("narrows.narrows", Some(Filter::Narrows)),
            ("narrows.shop", None),
        ] {
            assert_eq!(Filter::of_module(address), filter, "{address}");
        }
    }

    #[test]
    fn in_the_module_of_all_filters_the_root_id_names_the_filter() {
        for (root_id, filter) in [
            (Some("narrows"), Some(Filter::Narrows)),
            (Some("metric-tags.strict"), Some(Filter::MetricTags)),
            (Some("shop"), None),
            (None, None),
        ] {
            assert_eq!(Filter::of_plugin(Some("dist/narrows.wasm"), root_id), filter, "{root_id:?}");
            let own = Filter::of_plugin(Some("dist/canary-split.wasm"), root_id);
            assert_eq!(own, Some(Filter::CanarySplit));
        }
    }
}
