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
use messages::{missing_field, not_exactly_one, repeated_field, unknown_field};
use values::table;
pub(crate) use values::*;

/// The fields of one table of a policy, all of them known.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'t> {
    fields: &'t [(String, PolicyValue)],
    /// The object that describes them: a reader must ask for no other fields.
    #[cfg(debug_assertions)]
    object: &'static Object,
}

impl<'t> Fields<'t> {
    /// Opens a table. `object` must know every field, and no field may be there twice.
    pub(crate) fn open(tree: &'t PolicyValue, object: &'static Object) -> Result<Self, Invalid> {
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
        faults.or(Self {
            fields,
            #[cfg(debug_assertions)]
            object,
        })
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
        #[cfg(debug_assertions)]
        assert!(self.object.find(name).is_some(), "{name:?} is read and not described");
        self.fields
            .iter()
            .find(|(field, tree)| field == name && *tree != PolicyValue::Null)
            .map(|(_, tree)| tree)
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

    /// Whether there is no field, or only `null`.
    pub(crate) fn is_empty(self) -> bool {
        self.fields.iter().all(|(_, tree)| *tree == PolicyValue::Null)
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
