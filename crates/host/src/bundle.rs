//! A module of all filters: what a plugin is follows from its root id.

use std::rc::Rc;

use narrows_core::Policy;
use narrows_core::vm_config::STRICT;

use crate::callbacks::{RootContext, StreamContext};
use crate::extension::{guarding::Watch, measuring::Measuring, outgoing::Seen, remembering::Remembering};
use crate::loaded::Loaded;
use crate::merged::Parts;
use crate::root::Root;

/// What a filter does beside deciding, by its word in the table of filters.
#[doc(hidden)]
#[macro_export]
macro_rules! beside {
    (Plain) => {
        ()
    };
    (Guarded) => {
        Watch
    };
    (Metered) => {
        Measuring
    };
    (Outbound) => {
        Seen
    };
    (Laned) => {
        Remembering
    };
}

/// The root context of a filter in the table.
macro_rules! root {
    ($policy:ty, Merged) => {
        Root::<Parts>::context()
    };
    ($policy:ty, $beside:ident) => {
        Root::<Loaded<$policy, $crate::beside!($beside)>>::context()
    };
}

macro_rules! by_root_id {
    ($($filter:ident: $policy:ty, $beside:ident => $phase:literal $priority:literal;)+) => {
        /// The root ids of a bundle.
        const ROOT_IDS: &[&str] = &[$(<$policy>::FILTER),+];

        /// Makes the root context of the filter that the root id names.
        pub fn root_of_bundle(root_id: &[u8]) -> Rc<dyn RootContext> {
            let name = root_id.strip_suffix(STRICT.as_bytes()).unwrap_or(root_id);
            $(if name == <$policy>::FILTER.as_bytes() {
                return root!($policy, $beside);
            })+
            Rc::new(Unknown(String::from_utf8_lossy(root_id).into_owned()))
        }
    };
}

narrows_core::filters!(by_root_id);

/// A plugin whose root id names no filter. It never loads: nobody can tell what its policy is for.
struct Unknown(String);

impl RootContext for Unknown {
    fn configure(&self) -> bool {
        log::error!(
            "root id {:?} names no filter of this module; set the root id (Istio: pluginName) to one of {}, \
             perhaps with {STRICT} at its end",
            self.0,
            ROOT_IDS.join(", ")
        );
        false
    }

    fn tick(&self) {}

    fn call_response(&self, _token: u32, _has_headers: bool) {}

    fn done(&self) {}

    fn stream(&self) -> Box<dyn StreamContext> {
        Box::new(Passes)
    }
}

/// A request under no policy. Envoy opens none under a plugin that did not load.
struct Passes;

impl StreamContext for Passes {
    fn request_headers(&mut self) -> crate::callbacks::Action {
        crate::callbacks::Action::Continue
    }

    fn request_trailers(&mut self) {}

    fn response_headers(&mut self) {}

    fn log(&mut self) {}
}
