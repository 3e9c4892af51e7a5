//! Users that have a side whatever their bucket is, and users whose requests may no longer be taken.
//!
//! The buckets say nothing of them: conditions, headers and missing keys place them, and no file says
//! who they are. So this module tells whether anybody may be sent back.

use narrows_core::Mode;
use narrows_core::split::{Splitter, View};

use super::alike::{may_drop, sees_otherwise};
use super::notes::{differing, elements};
use super::owner::Owner;
use crate::source::Node;

/// Fields of a split that say which requests are taken, and where they go of which buckets know nothing.
const OF_SPLIT: [&str; 7] = ["hosts", "service", "matches", "include", "exclude", "override", "onMissingKey"];

/// Whether a field of a split says which requests are taken, or where they go.
pub fn is_choice(field: &str) -> bool {
    OF_SPLIT.contains(&field)
}

/// Whether a user of a canary may be taken off it in a way that the buckets do not show. Each policy has
/// its text as a whole; the new one may have no splits.
pub fn may_lose(old: (&Splitter, &Node), new: (Option<&Splitter>, &Node), now: u64) -> bool {
    let seen = [(old.1, new.1), (part(old.1), part(new.1))];
    let sees_others = seen.iter().any(|(old, new)| sees_otherwise(old, new));
    let after: Vec<View<'_>> = new.0.into_iter().flat_map(|new| new.views(now)).collect();
    old.0.views(now).any(|before| {
        let written = split_of(old.1, before.name);
        let Some(users) = Users::of(&before, written) else { return false };
        let now_written = split_of(new.1, before.name);
        let (Some(after), Some(written), Some(now_written)) =
            (after.iter().find(|after| after.name == before.name), written, now_written)
        else {
            // Without any split, there are no buckets to compare.
            return users == Users::Chosen || new.0.is_none();
        };
        if after.mode != Mode::Enforce {
            return users == Users::Chosen;
        }
        sees_others
            || may_drop((&before, written), (after, now_written))
            || (users == Users::Chosen && !leads_there(&before, after))
    })
}

/// Who has a side to lose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Users {
    /// Only those of its buckets, and the moves show them.
    OfBuckets,
    /// Others too.
    Chosen,
}

impl Users {
    /// The users of the canaries of a split; nothing if nobody has a side to lose.
    fn of(view: &View<'_>, written: Option<&Node>) -> Option<Self> {
        if view.mode != Mode::Enforce {
            return None;
        }
        let names = |field| {
            written
                .and_then(|split| split.get(field))
                .is_some_and(|node| !(node.fields().is_empty() && node.elements().is_empty()))
        };
        let is_chosen =
            names("include") || names("override") || view.keyless.is_some_and(|place| place != view.baseline);
        let has_keys = !view.keys.is_empty() && !Owner::of(view).owned.is_empty();
        is_chosen.then_some(Self::Chosen).or_else(|| has_keys.then_some(Self::OfBuckets))
    }
}

/// Whether every backend but the baseline is still there, and is the same destination.
fn leads_there(before: &View<'_>, after: &View<'_>) -> bool {
    let canaries = before.backends.iter().zip(&before.destinations).enumerate();
    let mut canaries = canaries.filter(|(place, _)| *place != before.baseline);
    canaries.all(|(_, (name, destination))| {
        let mut same = after.backends.iter().zip(&after.destinations);
        same.any(|(other, now)| other == name && now == destination)
    })
}

/// Whether two policies are the same but for their part of splits.
pub fn only_splits_differ(old: &Node, new: &Node) -> bool {
    differing(old, new, &["split"]).is_empty()
}

/// The part of a policy that has the splits.
pub fn part(policy: &Node) -> &Node {
    policy.get("split").unwrap_or(policy)
}

/// Whether a split of a policy has users on a canary, whom another split may take away.
pub(super) fn has_users(view: &View<'_>, policy: &Node) -> bool {
    Users::of(view, split_of(policy, view.name)).is_some()
}

fn split_of<'n>(policy: &'n Node, name: &str) -> Option<&'n Node> {
    elements(part(policy), "splits").iter().find(|split| split.text_at("name") == Some(name))
}
