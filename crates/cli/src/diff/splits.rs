//! Which users move, bucket by bucket.

use std::collections::BTreeSet;

use narrows_core::split::bucket::BUCKETS;
use narrows_core::split::{Splitter, View};
use narrows_core::{Mode, moment};
use serde_json::{Value, json};

use super::owner::{Owner, differs};

/// What changes in one split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitDiff {
    /// The split's name.
    pub name: String,
    /// The mode before and after, if it changes.
    pub mode: Option<(Mode, Mode)>,
    /// The users that move, in the order of their buckets.
    pub moves: Vec<Move>,
    /// Why the same bucket means other users in the two policies, if it does.
    pub redrawn: Option<Redrawn>,
    /// The keys that move, if keys were given.
    pub keys: Vec<KeyMove>,
    /// Whether any backend but the baseline has users.
    pub is_divided: bool,
    /// Whether a key of a file can be looked up: it is one value of the request.
    pub takes_keys: bool,
    /// Whether nothing tells users apart, so that each request is drawn by itself.
    pub is_keyless: bool,
    /// The moment of these numbers, in seconds since the epoch, if a ramp changes them with time.
    pub at: Option<u64>,
}

/// Why the same user has another bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redrawn {
    /// Another salt is hashed before the key.
    Salt,
    /// The key is read from somewhere else.
    Key,
    /// The key is read in another form: `lowercase`, `trim` or `decode`.
    Form,
}

/// Buckets that go from one backend to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The backend in the old policy.
    pub from: String,
    /// The backend in the new one.
    pub to: String,
    /// How many buckets of a million.
    pub buckets: u32,
    /// What the move means for these users.
    pub kind: MoveKind,
}

/// What a move means for the users that are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// From the baseline to a canary: what a rollout does.
    Forward,
    /// From a canary to the baseline: they saw the new version and are sent back.
    Back,
    /// From one canary to another: they see a third version.
    Across,
    /// To a backend of the same name that is another service.
    Elsewhere,
}

/// A key that goes from one backend to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMove {
    /// The key, as given.
    pub key: String,
    /// The backend in the old policy.
    pub from: String,
    /// The backend in the new one.
    pub to: String,
}

/// Compares two policies at a moment, in seconds since the epoch; also finds where the given keys go.
pub fn splits(old: &Splitter, new: &Splitter, keys: &[&str], now: u64) -> Vec<SplitDiff> {
    let (old, new): (Vec<_>, Vec<_>) = (old.views(now).collect(), new.views(now).collect());
    let names = old.iter().chain(&new).map(|view| view.name);
    let mut seen = BTreeSet::new();
    let names = names.filter(|name| seen.insert(*name));
    names
        .map(|name| SplitDiff {
            at: timed(name, &old, &new).then_some(now),
            ..compare(name, &old, &new, keys)
        })
        .collect()
}

/// Whether a split of either policy has a ramp.
fn timed(name: &str, old: &[View<'_>], new: &[View<'_>]) -> bool {
    let mut both = old.iter().chain(new).filter(|view| view.name == name);
    both.any(|view| view.ramps.iter().any(Option::is_some))
}

fn compare(name: &str, old: &[View<'_>], new: &[View<'_>], keys: &[&str]) -> SplitDiff {
    // Without the split, every user is where its baseline is.
    let (old, new) = match (owner(name, old), owner(name, new)) {
        (Some(old), Some(new)) => (old, new),
        (Some(old), None) => (old.clone(), old.nobody()),
        (None, Some(new)) => (new.nobody(), new),
        (None, None) => {
            return SplitDiff {
                name: name.to_owned(),
                mode: None,
                moves: Vec::new(),
                redrawn: None,
                keys: Vec::new(),
                is_divided: false,
                takes_keys: false,
                is_keyless: false,
                at: None,
            };
        }
    };
    let redrawn = match (old.view.salt == new.view.salt, old.view.keys == new.view.keys) {
        (false, _) => Some(Redrawn::Salt),
        (true, false) => Some(Redrawn::Key),
        (true, true) => (old.view.readings != new.view.readings).then_some(Redrawn::Form),
    };
    let moves = match redrawn {
        Some(Redrawn::Salt | Redrawn::Key) => at_random(&old, &new),
        // Most users' keys are the same in both forms.
        Some(Redrawn::Form) | None => by_bucket(&old, &new),
    };
    let keys = keys.iter().filter_map(|key| {
        let (from, to) = (old.of_key(key.as_bytes()), new.of_key(key.as_bytes()));
        differs(&old, &new, (from, to)).then(|| KeyMove {
            key: (*key).to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
    });
    let mode = (old.view.mode != new.view.mode).then_some((old.view.mode, new.view.mode));
    SplitDiff {
        name: name.to_owned(),
        mode,
        moves,
        redrawn,
        keys: keys.collect(),
        is_divided: !(old.owned.is_empty() && new.owned.is_empty()),
        takes_keys: old.view.takes_keys() && new.view.takes_keys(),
        is_keyless: old.view.keys.is_empty() && new.view.keys.is_empty(),
        at: None,
    }
}

fn owner<'v>(name: &str, views: &[View<'v>]) -> Option<Owner<'v>> {
    views.iter().find(|view| view.name == name).map(Owner::of)
}

fn kind(old: &Owner<'_>, new: &Owner<'_>, from: &str, to: &str) -> MoveKind {
    if from == to {
        return MoveKind::Elsewhere;
    }
    match (from == old.baseline, to == new.baseline) {
        (true, _) => MoveKind::Forward,
        (false, true) => MoveKind::Back,
        (false, false) => MoveKind::Across,
    }
}

/// Bucket by bucket: between two borders every user has the same owner.
fn by_bucket(old: &Owner<'_>, new: &Owner<'_>) -> Vec<Move> {
    let borders =
        |owner: &Owner<'_>| owner.owned.iter().flat_map(|(from, to, _)| [*from, *to]).collect::<Vec<_>>();
    let mut all: BTreeSet<u32> = borders(old).into_iter().chain(borders(new)).collect();
    all.extend([0, BUCKETS]);
    let starts: Vec<u32> = all.into_iter().collect();
    let mut moves = Vec::new();
    for pair in starts.windows(2) {
        let (from, to) = (old.backend(pair[0]), new.backend(pair[0]));
        add(&mut moves, old, new, (from, to), pair[1] - pair[0]);
    }
    moves
}

/// Two draws that are independent of each other. A part of a bucket counts as a whole one: where somebody
/// may move, it does not say that nobody does.
fn at_random(old: &Owner<'_>, new: &Owner<'_>) -> Vec<Move> {
    let mut moves = Vec::new();
    for (from, of_old) in old.shares() {
        for (to, of_new) in new.shares() {
            let both = (u64::from(of_old) * u64::from(of_new)).div_ceil(u64::from(BUCKETS));
            add(&mut moves, old, new, (from, to), u32::try_from(both).unwrap_or(BUCKETS));
        }
    }
    moves
}

fn add(moves: &mut Vec<Move>, old: &Owner<'_>, new: &Owner<'_>, (from, to): (&str, &str), buckets: u32) {
    if buckets == 0 || !differs(old, new, (from, to)) {
        return;
    }
    match moves.iter_mut().find(|known| known.from == from && known.to == to) {
        Some(known) => known.buckets += buckets,
        None => moves.push(Move {
            from: from.to_owned(),
            to: to.to_owned(),
            buckets,
            kind: kind(old, new, from, to),
        }),
    }
}

impl SplitDiff {
    /// Whether any user that saw a canary is taken off it.
    pub fn takes_back(&self) -> bool {
        // Of one that nobody is told apart for, nobody has a side to lose; but another destination is another one.
        let is_back = |one: &Move| match one.kind {
            MoveKind::Forward => false,
            MoveKind::Elsewhere => true,
            MoveKind::Back | MoveKind::Across => !self.is_keyless,
        };
        (!self.is_keyless && self.may_take_back()) || self.moves.iter().any(is_back)
    }

    /// Whether some users' keys are other ones, and nobody can know whose.
    pub fn may_take_back(&self) -> bool {
        self.redrawn == Some(Redrawn::Form) && self.is_divided
    }

    /// The same as data.
    pub fn json(&self) -> Value {
        let moves = self.moves.iter().map(|one| {
            json!({ "from": one.from, "to": one.to, "buckets": one.buckets, "kind": one.kind.as_str() })
        });
        let keys = self.keys.iter().map(|one| json!({ "key": one.key, "from": one.from, "to": one.to }));
        json!({
            "split": self.name,
            "at": self.at.map(moment::utc),
            "moves": moves.collect::<Vec<_>>(),
            "mode": self.mode.map(|(from, to)| json!({ "from": word(from), "to": word(to) })),
            "redrawn": self.redrawn.map(Redrawn::as_str),
            "keys": keys.collect::<Vec<_>>(),
        })
    }
}

/// A mode, as a policy writes it.
pub const fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::Report => "report",
        Mode::Off => "off",
    }
}

impl Redrawn {
    /// The same in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Salt => "the salt changes",
            Self::Key => "the key changes",
            Self::Form => "the key is read in another form",
        }
    }

    /// The field of a split that causes it.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Salt => "salt",
            Self::Key | Self::Form => "key",
        }
    }
}

impl MoveKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Back => "back",
            Self::Across => "across",
            Self::Elsewhere => "elsewhere",
        }
    }
}
