//! What the sources of tags share: how they are read, and what they read.

use std::borrow::Cow;

use super::{AnySource, Reader};
use crate::filter::tags::bound::{self, VALUE};
use crate::filter::tags::captured::Captured;
use crate::filter::tags::cardinality_limit::Path;
use crate::filter::tags::hosts::HostMap;
use crate::filter::tags::property::number;
use crate::filter::tags::registry::Registry;
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::modes::Callers;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::budget::Budget;

/// The properties to read in the log phase, each once; and whose certificates count.
#[derive(Debug, Default)]
pub(crate) struct PropertyReads(pub(crate) Vec<Path>, pub(crate) Callers);

impl PropertyReads {
    pub(crate) fn index(&mut self, path: &[&str]) -> usize {
        self.index_of(path.iter().map(|name| (*name).into()).collect())
    }

    pub(super) fn index_of(&mut self, path: Path) -> usize {
        self.0.iter().position(|known| *known == path).unwrap_or_else(|| {
            self.0.push(path);
            self.0.len().saturating_sub(1)
        })
    }
}

/// A tag that is being read.
pub(crate) struct Reading<'r> {
    pub(crate) tag: usize,
    pub(crate) registry: &'r mut Registry,
    pub(crate) reads: &'r mut PropertyReads,
    pub(crate) budget: &'r Budget,
}

impl Reading<'_> {
    /// The number of a value that the policy or the source knows.
    pub(super) fn declare(&mut self, value: &str) -> u32 {
        self.registry.declare(self.tag, value)
    }

    pub(super) fn host_map(&mut self, tree: &PolicyValue) -> Result<HostMap, Invalid> {
        host_map(tree, self.tag, self.registry, self.budget)
    }
}

/// Reads the source that is written as `name`, and declares its values.
pub(crate) fn read(
    fields: Fields<'_>,
    name: &str,
    reader: &Reader,
    reading: &mut Reading<'_>,
) -> Result<AnySource, Invalid> {
    fields.required(name, |tree| {
        if matches!(tree, PolicyValue::Flag(false)) {
            read::only_true(tree)?;
        }
        (reader.read)(tree, reading)
    })
}

/// Reads values by host.
pub(crate) fn host_map(
    tree: &PolicyValue,
    tag: usize,
    registry: &mut Registry,
    budget: &Budget,
) -> Result<HostMap, Invalid> {
    let mut map = HostMap::default();
    let value = |t| {
        budget.hold(2 * VALUE)?;
        bound::value(read::text(t)?)
    };
    let key = |written: &str| {
        let key = HostMap::key(written)?;
        budget.hold(HostMap::weight(&key))?;
        Ok(key)
    };
    for (key, value) in read::entries(tree, limits::HOST_MAP, key, value)? {
        map.insert(&key, registry.declare(tag, &value));
    }
    Ok(map)
}

/// What a source gives for a request.
pub(crate) enum Value<'v> {
    /// Nothing before the log phase.
    Later,
    /// The value that was settled when the policy was loaded.
    Constant,
    /// A value that the registry knows.
    Known(u32),
    /// A text, if there is one.
    Text(Option<Cow<'v, [u8]>>),
    /// The result of an attribute's rules.
    Captured(Captured),
}

/// What is known in the log phase.
pub(crate) struct Late<'l> {
    pub(crate) observed: &'l [Option<Vec<u8>>],
    /// The rules of an attribute that wait for the response.
    pub(crate) candidates: &'l [u32],
    pub(crate) is_grpc: bool,
}

impl<'l> Late<'l> {
    /// A property that is not empty.
    pub(super) fn read(&self, index: usize) -> Option<&'l [u8]> {
        self.observed.get(index).and_then(Option::as_deref).filter(|value| !value.is_empty())
    }

    /// A property that is a number.
    pub(super) fn number(&self, index: usize) -> Option<u64> {
        self.read(index).and_then(number)
    }

    /// The first of these properties that is there.
    pub(super) fn text(&self, indices: &[usize]) -> Value<'l> {
        Value::Text(indices.iter().find_map(|index| self.read(*index)).map(Cow::Borrowed))
    }
}
