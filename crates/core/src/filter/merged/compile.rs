//! Compiles what the operator wrote into a [`Merged`].

use super::Merged;
use crate::action::sanitize::Sanitizer;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::modes::Mode;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{Faults, Fields};
use crate::matching::budget::{Budget, Weight};
use crate::policy::Policy;
use crate::policy::common::Common;
use crate::policy::head::{HEAD, Head};
use crate::policy::needs::Needs;
use crate::policy::part::Part;
use crate::policy::written::Written;

macro_rules! described {
    ($($part:ident: $policy:ty, $beside:ident => $text:literal;)+) => {
        pub(super) static POLICY: Object = object!(
            "policy",
            Any,
            "A policy of narrows: a part for each filter, which decide in the order router, lanes, split, tags, egress; lanes of calls that go out come first.",
            [&HEAD],
            PARTS,
        );

        const PARTS: [Field; [$(stringify!($part)),+].len()] =
            [$(field!(stringify!($part), Table(<$policy as Part>::PART), Optional, $text)),+];

        pub(super) fn merged(tree: PolicyValue) -> Result<Merged, Invalid> {
            let mut written = Written::alone(tree, Merged::FILTER, Merged::LANGUAGE);
            let (head, _) = Head::open(&written, &Budget::default())?;
            // A part is given up when it has been read.
            $(let $part = written.tree.take_field(stringify!($part));)+
            let (whole, mut faults) = (&written.tree, Faults::default());
            let mode = head.mode;
            $(let $part = $part.map(|tree| faults.take(part::<$policy>(stringify!($part), tree, whole, mode)));)+
            $(let $part = $part.flatten();)+
            let common = [$($part.as_ref().map(|policy| Policy::common(&**policy))),+];
            let common = together(&head, &common);
            faults.or(Merged { common, $($part),+ })
        }
    };
}

crate::parts!(described);

/// A part of the policy.
fn part<P: Part>(
    name: &'static str,
    tree: PolicyValue,
    whole: &PolicyValue,
    mode: Mode,
) -> Result<Box<P>, Invalid> {
    Fields::without(&tree, P::PART, &HEAD).map_err(|e| e.in_field(name))?;
    let compiled = P::compile_written(Written::alone(tree, P::FILTER, P::PART).of(whole, mode));
    // A common field may be at odds with what a part says: it stands outside of the part.
    let is_common = |field: &str| HEAD.find(field).is_some() && P::PART.find(field).is_none();
    compiled.map(Box::new).map_err(|e| e.in_part(name, is_common))
}

/// What all parts have, as one. Each part explains for itself.
fn together(head: &Head, parts: &[Option<&Common>]) -> Common {
    let parts = || parts.iter().copied().flatten();
    let weight = parts().map(|part| part.weight).fold(Weight::default(), Weight::and);
    Common {
        head: Head { explain: None, ..head.clone() },
        sanitizer: Sanitizer::union(parts().map(|part| &part.sanitizer)),
        series: parts().flat_map(|part| part.series.iter().cloned()).collect(),
        labels: parts().flat_map(|part| part.labels.iter().cloned()).collect(),
        published: parts().flat_map(|part| part.published.iter().cloned()).collect(),
        needs: parts().map(|part| part.needs).fold(Needs::default(), Needs::and),
        weight,
        judges_presented: true,
        ..Common::default()
    }
}
