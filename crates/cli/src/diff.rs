//! Which users move when one `canary-split` policy replaces another.
//!
//! The result is exact, because the arithmetic is: a policy gives every one of a million buckets to one
//! backend, so two policies can be compared bucket by bucket.

mod notes;

use std::collections::BTreeSet;

use narrows_core::Mode;
use narrows_core::split::bucket::{BUCKETS, bucket};
use narrows_core::split::{Splitter, View};
use serde_json::{Value, json};

pub use notes::notes;

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
}

/// Why the same user has another bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redrawn {
    /// Another salt is hashed before the key.
    Salt,
    /// The key is read from somewhere else.
    Key,
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

/// Compares two policies; also finds where the given keys go.
pub fn splits(old: &Splitter, new: &Splitter, keys: &[&str]) -> Vec<SplitDiff> {
    let (old, new): (Vec<_>, Vec<_>) = (old.views().collect(), new.views().collect());
    let names = old.iter().chain(&new).map(|view| view.name);
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).map(|name| compare(name, &old, &new, keys)).collect()
}

fn compare(name: &str, old: &[View<'_>], new: &[View<'_>], keys: &[&str]) -> SplitDiff {
    let of = |views: &[View<'_>]| views.iter().find(|view| view.name == name).map(Owner::of);
    // Without the split, every user is where its baseline is.
    let (old, new) = match (of(old), of(new)) {
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
            };
        }
    };
    let redrawn = match (old.salt == new.salt, old.sources == new.sources) {
        (true, true) => None,
        (false, _) => Some(Redrawn::Salt),
        (true, false) => Some(Redrawn::Key),
    };
    let moves = if redrawn.is_some() { at_random(&old, &new) } else { by_bucket(&old, &new) };
    let keys = keys.iter().filter_map(|key| {
        let (from, to) =
            (old.backend(bucket(&old.salt, key.as_bytes())), new.backend(bucket(&new.salt, key.as_bytes())));
        (from != to).then(|| KeyMove { key: (*key).to_owned(), from: from.to_owned(), to: to.to_owned() })
    });
    let mode = (old.mode != new.mode).then_some((old.mode, new.mode));
    SplitDiff { name: name.to_owned(), mode, moves, redrawn, keys: keys.collect() }
}

/// The buckets that each backend owns, by the backend's name.
#[derive(Clone)]
struct Owner {
    mode: Mode,
    salt: Vec<u8>,
    sources: Vec<String>,
    baseline: String,
    /// The first bucket, the bucket after the last, and the backend; ascending.
    owned: Vec<(u32, u32, String)>,
}

impl Owner {
    fn of(view: &View<'_>) -> Self {
        let name =
            |place: usize| view.backends.get(place).map_or_else(String::new, |name| (*name).to_owned());
        // If a split does not act, every user stays where the baseline is.
        let acts = view.mode == Mode::Enforce && view.divides;
        let owned = view.slots.owned().iter().filter(|(from, to, _)| acts && from < to);
        Self {
            mode: view.mode,
            salt: view.salt.to_vec(),
            sources: view.keys.clone(),
            baseline: name(view.baseline),
            owned: owned.map(|(from, to, backend)| (*from, *to, name(*backend))).collect(),
        }
    }

    fn nobody(&self) -> Self {
        Self { owned: Vec::new(), ..self.clone() }
    }

    fn backend(&self, bucket: u32) -> &str {
        let owner = self.owned.iter().find(|(from, to, _)| (*from..*to).contains(&bucket));
        owner.map_or(&self.baseline, |(_, _, backend)| backend)
    }

    fn shares(&self) -> Vec<(&str, u32)> {
        let mut shares: Vec<(&str, u32)> = Vec::new();
        let mut left = BUCKETS;
        for (from, to, backend) in &self.owned {
            left -= to - from;
            shares.push((backend, to - from));
        }
        shares.push((&self.baseline, left));
        shares
    }

    fn kind(&self, new: &Self, from: &str, to: &str) -> MoveKind {
        match (from == self.baseline, to == new.baseline) {
            (true, _) => MoveKind::Forward,
            (false, true) => MoveKind::Back,
            (false, false) => MoveKind::Across,
        }
    }
}

/// Bucket by bucket: between two borders every user has the same owner.
fn by_bucket(old: &Owner, new: &Owner) -> Vec<Move> {
    let borders =
        |owner: &Owner| owner.owned.iter().flat_map(|(from, to, _)| [*from, *to]).collect::<Vec<_>>();
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

/// Two draws that are independent of each other.
fn at_random(old: &Owner, new: &Owner) -> Vec<Move> {
    let mut moves = Vec::new();
    for (from, of_old) in old.shares() {
        for (to, of_new) in new.shares() {
            let both = u64::from(of_old) * u64::from(of_new) / u64::from(BUCKETS);
            add(&mut moves, old, new, (from, to), u32::try_from(both).unwrap_or(BUCKETS));
        }
    }
    moves
}

fn add(moves: &mut Vec<Move>, old: &Owner, new: &Owner, (from, to): (&str, &str), buckets: u32) {
    if from == to || buckets == 0 {
        return;
    }
    match moves.iter_mut().find(|known| known.from == from && known.to == to) {
        Some(known) => known.buckets += buckets,
        None => moves.push(Move {
            from: from.to_owned(),
            to: to.to_owned(),
            buckets,
            kind: old.kind(new, from, to),
        }),
    }
}

impl SplitDiff {
    /// Whether any user that saw a canary is taken off it.
    pub fn takes_back(&self) -> bool {
        self.moves.iter().any(|one| one.kind != MoveKind::Forward)
    }

    /// The same as data.
    pub fn json(&self) -> Value {
        let moves = self.moves.iter().map(|one| {
            json!({ "from": one.from, "to": one.to, "buckets": one.buckets, "kind": one.kind.as_str() })
        });
        let keys = self.keys.iter().map(|one| json!({ "key": one.key, "from": one.from, "to": one.to }));
        json!({
            "split": self.name,
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
        }
    }

    /// The field of a split that causes it.
    const fn field(self) -> &'static str {
        match self {
            Self::Salt => "salt",
            Self::Key => "key",
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
        }
    }
}

#[cfg(test)]
mod tests;
