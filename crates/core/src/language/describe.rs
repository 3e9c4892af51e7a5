//! The objects of the policy language. Each is described in one place, next to its reader.
//!
//! A reader opens a table with its [`Object`]: a field that the object does not name is an unknown
//! field. A filter holds only the names. Types, defaults and texts are compiled only for tests and with
//! the feature `describe`, which `narrows schema` uses.

#[cfg(test)]
pub(crate) mod recorder;
#[cfg(any(test, feature = "describe"))]
mod text;

#[cfg(any(test, feature = "describe"))]
pub use text::{About, Absent, Choice, NAME, Summary, TOKEN, Type, words};

/// The fields that a table of a policy may have.
#[derive(Debug)]
pub struct Object {
    /// Objects whose fields it also has.
    pub includes: &'static [&'static Self],
    /// Its own fields.
    pub fields: &'static [Field],
    /// What it is.
    #[cfg(any(test, feature = "describe"))]
    pub summary: Summary,
}

/// A field of a table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// As a policy writes it.
    pub name: &'static str,
    /// What it means.
    #[cfg(any(test, feature = "describe"))]
    pub about: About,
}

/// Something that has the name of a field.
pub(crate) trait Named {
    /// As a policy writes it.
    fn name(&self) -> &'static str;
}

impl Named for Field {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// One kind of the things that an object describes: its field, and its reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind<R> {
    pub(crate) field: Field,
    pub(crate) read: R,
}

impl<R> Named for Kind<R> {
    fn name(&self) -> &'static str {
        self.field.name
    }
}

/// The fields of a table of kinds.
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "runs while compiling")]
pub(crate) const fn fields_of<R, const N: usize>(kinds: &[Kind<R>; N]) -> [Field; N] {
    let mut fields = [kinds[0].field; N];
    let mut i = 0;
    while i < N {
        fields[i] = kinds[i].field;
        i += 1;
    }
    fields
}

impl Object {
    /// The field of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&'static Field> {
        let own = self.fields.iter().find(|field| field.name == name);
        own.or_else(|| self.includes.iter().find_map(|object| object.find(name)))
    }

    /// Adds the names of all fields, those of included objects first.
    pub(crate) fn names(&self, names: &mut Vec<&'static str>) {
        self.includes.iter().for_each(|object| object.names(names));
        names.extend(self.fields.iter().map(|field| field.name));
    }
}

/// Describes a field: its name, its [`Type`], what holds without it ([`Absent`]), its meaning; and the
/// version that added it, if that is not the first.
#[cfg(any(test, feature = "describe"))]
macro_rules! field {
    ($name:expr, $kind:expr, $absent:expr, $text:expr) => {
        $crate::language::describe::field!($name, $kind, $absent, $text, "0.1.0")
    };
    ($name:expr, $kind:expr, $absent:expr, $text:expr, $since:expr) => {{
        #[allow(unused_imports, reason = "a type may need none of them")]
        use $crate::language::describe::{Absent::*, NAME, TOKEN, Type::*, words};
        $crate::language::describe::Field {
            name: $name,
            about: $crate::language::describe::About {
                kind: $kind,
                absent: $absent,
                text: $text,
                since: $since,
            },
        }
    }};
}

/// A field without its description.
#[cfg(not(any(test, feature = "describe")))]
macro_rules! field {
    ($name:expr, $($more:expr),+) => {
        $crate::language::describe::Field { name: $name }
    };
}

/// Describes an object: its name, how many of its fields may be there, a summary, the objects that it
/// includes, and its own fields.
#[cfg(any(test, feature = "describe"))]
macro_rules! object {
    ($name:expr, $choice:expr, $text:expr, $includes:expr, $fields:expr $(,)?) => {{
        #[allow(unused_imports, reason = "`Any` is what most are")]
        use $crate::language::describe::Choice::*;
        $crate::language::describe::Object {
            includes: &$includes,
            fields: &$fields,
            summary: $crate::language::describe::Summary { name: $name, text: $text, choice: $choice },
        }
    }};
}

/// An object without its description.
#[cfg(not(any(test, feature = "describe")))]
macro_rules! object {
    ($name:expr, $choice:expr, $text:expr, $includes:expr, $fields:expr $(,)?) => {
        $crate::language::describe::Object { includes: &$includes, fields: &$fields }
    };
}

pub(crate) use {field, object};
