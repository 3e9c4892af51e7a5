//! Reading a [`PolicyValue`] into types, with the place of every fault.
//!
//! A fault is made where it is found. It learns its place on the way out ([`Invalid::in_field`]), so a
//! policy without faults pays nothing for places.

mod messages;
#[cfg(test)]
mod tests;
mod values;

use crate::language::describe::{Named, Object};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use messages::{missing_field, not_exactly_one, repeated_field, shared_field, unknown_field};
use values::table;
pub(crate) use values::*;

/// The fields of one table of a policy, all of them known.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'t> {
    own: &'t [(String, PolicyValue)],
    /// Of a part: the fields that stand outside of it, once for all parts.
    shared: Shared<'t>,
    /// The object that describes them: a reader must ask for no other fields.
    #[cfg(debug_assertions)]
    object: &'static Object,
}

/// Fields of a whole that its parts have too: those that an object describes.
type Shared<'t> = Option<(&'t [(String, PolicyValue)], &'static Object)>;

impl<'t> Fields<'t> {
    /// Opens a table. `object` must know every field, and no field may be there twice.
    pub(crate) fn open(tree: &'t PolicyValue, object: &'static Object) -> Result<Self, Invalid> {
        let (fields, faults) = Self::check(tree, object, None)?;
        faults.or(fields)
    }

    /// Opens a table and reads it. A field that is unknown or repeated does not keep the others from
    /// being read, so that one refusal names the faults of both.
    pub(crate) fn read<T>(
        tree: &'t PolicyValue,
        object: &'static Object,
        read: impl FnOnce(Self) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        let (fields, faults) = Self::check(tree, object, None)?;
        match (faults.0, read(fields)) {
            (None, read) => read,
            (Some(faults), Ok(_)) => Err(faults),
            (Some(mut faults), Err(more)) => {
                faults.append(more.without_missing());
                Err(faults)
            }
        }
    }

    /// Refuses fields of `shared` in a part, whose own fields are those of `object`.
    pub(crate) fn without(
        part: &PolicyValue,
        object: &'static Object,
        shared: &'static Object,
    ) -> Result<(), Invalid> {
        let mut faults = Faults::default();
        for (name, _) in table(part)? {
            if object.find(name).is_none() && shared.find(name).is_some() {
                faults.note(shared_field(name).in_field(name));
            }
        }
        faults.or(())
    }

    /// Opens a part of `whole`, which has the fields of `shared` for all its parts.
    pub(crate) fn open_part(
        tree: &'t PolicyValue,
        object: &'static Object,
        whole: &'t PolicyValue,
        shared: &'static Object,
    ) -> Result<Self, Invalid> {
        let (fields, faults) = Self::check(tree, object, Some((table(whole)?, shared)))?;
        faults.or(fields)
    }

    /// The fields of a table, and the faults of those that are unknown or repeated.
    fn check(
        tree: &'t PolicyValue,
        object: &'static Object,
        shared: Shared<'t>,
    ) -> Result<(Self, Faults), Invalid> {
        let fields = table(tree)?;
        let mut faults = Faults::default();
        for (i, (name, _)) in fields.iter().enumerate() {
            if faults.is_full() {
                break;
            }
            if object.find(name).is_none() {
                faults.note(unknown_field(name, object).in_field(name));
            } else if fields.iter().take(i).any(|(earlier, _)| earlier == name) {
                faults.note(repeated_field(name).in_field(name));
            }
        }
        let fields = Self {
            own: fields,
            shared,
            #[cfg(debug_assertions)]
            object,
        };
        Ok((fields, faults))
    }

    /// Reads a field of a table that is not open yet. It reads the field as often as it is written.
    pub(crate) fn before_all(
        tree: &PolicyValue,
        object: &'static Object,
        name: &str,
        read: impl Fn(&PolicyValue) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        debug_assert!(object.find(name).is_some(), "{name:?} is read and not described");
        #[cfg(test)]
        crate::language::describe::recorder::note(object, name);
        let fields = if let PolicyValue::Table(fields) = tree { fields.as_slice() } else { &[] };
        let mut named = fields.iter().filter(|(field, _)| field == name);
        named.try_for_each(|(_, tree)| read(tree).map_err(|e| e.in_field(name)))
    }

    /// Reads a field if it is there; `null` counts as absent.
    pub(crate) fn optional<T>(
        self,
        name: &str,
        read: impl FnOnce(&'t PolicyValue) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        #[cfg(test)]
        crate::language::describe::recorder::note(self.object, name);
        match self.get(name) {
            None => Ok(None),
            Some(tree) => read(tree).map(Some).map_err(|e| e.in_field(name)),
        }
    }

    fn get(self, name: &str) -> Option<&'t PolicyValue> {
        let shared = self.shared.filter(|(_, object)| object.find(name).is_some());
        #[cfg(debug_assertions)]
        assert!(self.object.find(name).is_some() || shared.is_some(), "{name:?} is read and not described");
        let found = |fields: &'t [(String, PolicyValue)]| {
            fields
                .iter()
                .find(|(field, tree)| field == name && *tree != PolicyValue::Null)
                .map(|(_, tree)| tree)
        };
        found(self.own).or_else(|| shared.and_then(|(outside, _)| found(outside)))
    }

    /// Reads a field that must be there.
    pub(crate) fn required<T>(
        self,
        name: &str,
        read: impl FnOnce(&'t PolicyValue) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        self.optional(name, read)?.ok_or_else(|| missing_field(name))
    }

    /// Whether a field is there and not `null`.
    pub(crate) fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether there is no field, or only `null`; of a part, neither in it nor outside of it.
    pub(crate) fn is_empty(self) -> bool {
        let outside = self
            .shared
            .iter()
            .flat_map(|(fields, object)| fields.iter().filter(|(name, _)| object.find(name).is_some()));
        self.own.iter().chain(outside).all(|(_, tree)| *tree == PolicyValue::Null)
    }

    /// The kind whose field is there. Exactly one of `kinds` must have its field there.
    pub(crate) fn exactly_one<K: Named>(self, kinds: &'static [K]) -> Result<&'static K, Invalid> {
        let mut present = kinds.iter().filter(|kind| self.has(kind.name()));
        match (present.next(), present.next()) {
            (Some(one), None) => Ok(one),
            (one, two) => {
                let names: Vec<&str> = kinds.iter().map(Named::name).collect();
                Err(not_exactly_one(one.map(Named::name).zip(two.map(Named::name)), &names))
            }
        }
    }
}

/// Gathers the faults of several parts, so that one refusal names them all.
#[derive(Default)]
pub(crate) struct Faults(Option<Invalid>);

impl Faults {
    pub(crate) fn note(&mut self, invalid: Invalid) {
        match &mut self.0 {
            None => self.0 = Some(invalid),
            Some(all) => all.append(invalid),
        }
    }

    /// Whether there are as many as a refusal reports.
    fn is_full(&self) -> bool {
        self.0.as_ref().is_some_and(|all| all.faults().len() >= limits::FAULTS)
    }

    /// The value of a part. If the part has faults, they are noted and there is none.
    pub(crate) fn take<T>(&mut self, part: Result<T, Invalid>) -> Option<T> {
        part.map_err(|invalid| self.note(invalid)).ok()
    }

    /// `value`, if no fault was noted.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Invalid> {
        self.0.map_or(Ok(value), Err)
    }
}
