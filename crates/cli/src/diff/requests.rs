//! Requests that two policies decide otherwise.

use std::collections::BTreeMap;

use narrows_core::state;
use serde_json::{Value, json};

use super::sides::Sides;
use crate::escape::printable;
use crate::filter::AnyPolicy;
use crate::simulate::{Outcome, Sent};

/// What two policies decide on the same requests, counted as they come.
#[derive(Debug)]
pub struct Decided {
    /// The requests.
    pub count: u64,
    /// Those that are decided otherwise.
    pub changed: u64,
    /// Those that a canary has served and that something else would serve.
    pub lost: u64,
    /// Those on which something else than the backend of a split changes.
    pub beyond_splits: u64,
    /// The first of those that are decided otherwise.
    pub listed: Vec<Changed>,
    list: usize,
    sides: Sides,
    transitions: BTreeMap<(Vec<u8>, Vec<u8>), u64>,
}

/// A request that is decided otherwise.
#[derive(Debug)]
pub struct Changed {
    /// Its number, from 1.
    pub number: u64,
    /// The request in a few words.
    pub title: String,
    /// The decision of the old policy.
    pub old: String,
    /// The decision of the new one.
    pub new: String,
}

/// From which outcome to which, and how many requests.
#[derive(Debug)]
pub struct Transition {
    /// The outcome under the old policy.
    pub from: String,
    /// The outcome under the new one.
    pub to: String,
    /// How many.
    pub count: u64,
}

/// Transitions that are told apart; the others are counted together.
const MOST: usize = 1_000;
const OTHERS: &[u8] = b"(others)";

impl Decided {
    /// Nothing yet of these two policies; the first `list` changes are kept whole.
    pub fn new(list: usize, old: &AnyPolicy, new: &AnyPolicy) -> Self {
        Self {
            count: 0,
            changed: 0,
            lost: 0,
            beyond_splits: 0,
            listed: Vec::new(),
            list,
            sides: Sides::of(old, new),
            transitions: BTreeMap::new(),
        }
    }

    /// Asks both policies about one more request.
    pub fn ask(&mut self, old: &AnyPolicy, new: &AnyPolicy, sent: &Sent) {
        self.count += 1;
        let (before, after) = (old.decide(sent), new.decide(sent));
        if same(&before, &after) {
            return;
        }
        self.changed += 1;
        self.lost += u64::from(self.sides.loses(&before.explanation, &after.explanation));
        self.beyond_splits += u64::from(!same_beyond_splits(&before, &after));
        let pair = (before.explanation.counted.clone(), after.explanation.counted.clone());
        let is_known = self.transitions.contains_key(&pair) || self.transitions.len() < MOST;
        let pair = if is_known { pair } else { (OTHERS.to_vec(), OTHERS.to_vec()) };
        *self.transitions.entry(pair).or_default() += 1;
        if self.listed.len() < self.list {
            self.listed.push(Changed {
                number: self.count,
                title: sent.title(),
                old: before.line(),
                new: after.line(),
            });
        }
    }

    /// The transitions, the most frequent first.
    pub fn transitions(&self) -> Vec<Transition> {
        let told = |outcome: &[u8]| if outcome.is_empty() { "-".to_owned() } else { printable(outcome) };
        let mut all: Vec<Transition> = self
            .transitions
            .iter()
            .map(|((from, to), count)| Transition { from: told(from), to: told(to), count: *count })
            .collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.count));
        all
    }

    /// The same as data.
    pub fn json(&self) -> Value {
        let transitions = self.transitions().into_iter();
        let transitions =
            transitions.map(|one| json!({ "from": one.from, "to": one.to, "count": one.count }));
        let listed = self
            .listed
            .iter()
            .map(|one| json!({ "number": one.number, "sent": one.title, "old": one.old, "new": one.new }));
        json!({
            "count": self.count,
            "changed": self.changed,
            "takenOff": self.lost,
            "transitions": transitions.collect::<Vec<_>>(),
            "listed": listed.collect::<Vec<_>>(),
        })
    }
}

/// Whether nobody could tell which of two policies decided: the explanation is a part of it.
fn same(one: &Outcome, other: &Outcome) -> bool {
    one.explanation == other.explanation
        && one.request == other.request
        && one.response == other.response
        && same_reply(one, other)
}

/// Whether all parts but the splits have decided the same about a request in which they saw the same. The
/// edits of a rule are those of its name.
fn same_beyond_splits(one: &Outcome, other: &Outcome) -> bool {
    let is_others = |name: &str| !matches!(name, "split" | "backend" | state::SPLIT | state::BACKEND);
    let details = |outcome: &Outcome| {
        let details = outcome.explanation.details.iter().filter(|(name, _)| is_others(name));
        details.cloned().collect::<Vec<_>>()
    };
    let strips = |outcome: &Outcome| {
        let strips = outcome.request.iter().filter(|edit| edit.starts_with("strip "));
        strips.cloned().collect::<Vec<_>>()
    };
    details(one) == details(other) && strips(one) == strips(other) && same_reply(one, other)
}

fn same_reply(one: &Outcome, other: &Outcome) -> bool {
    let reply = |outcome: &Outcome| {
        let reply = outcome.reply.as_ref()?;
        Some((reply.status, reply.grpc_status, reply.headers.clone(), reply.body.clone()))
    };
    reply(one) == reply(other)
}
