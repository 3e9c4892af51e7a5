//! Reading a [`Tree`] into types, with the place of every fault.
//!
//! A fault is made where it is found and learns its place on the way out
//! ([`Invalid::in_field`]), so that a policy without faults pays nothing for places.

use std::ops::RangeInclusive;

use crate::language::describe::{Named, Object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::nearest::{names, suggestion};
use crate::language::tree::Tree;

/// The fields of one table of a policy, all of them known.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'t> {
    fields: &'t [(String, Tree)],
    /// What describes them: a reader must ask for no other.
    #[cfg(debug_assertions)]
    object: &'static Object,
}

impl<'t> Fields<'t> {
    /// Opens a table: `object` must know every field, and none may be there twice.
    pub(crate) fn open(tree: &'t Tree, object: &'static Object) -> Result<Self, Invalid> {
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

    /// Reads a field of a table that is not open yet, as often as it is written.
    pub(crate) fn before_all(
        tree: &Tree,
        object: &'static Object,
        name: &str,
        read: impl Fn(&Tree) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        debug_assert!(object.find(name).is_some(), "{name:?} is read and not described");
        #[cfg(test)]
        crate::language::describe::recorder::note(object, name);
        let fields = if let Tree::Table(fields) = tree { fields.as_slice() } else { &[] };
        let mut named = fields.iter().filter(|(field, _)| field == name);
        named.try_for_each(|(_, tree)| read(tree).map_err(|e| e.in_field(name)))
    }

    /// Reads a field if it is there; `null` is as good as absent.
    pub(crate) fn optional<T>(
        self,
        name: &str,
        read: impl FnOnce(&'t Tree) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        #[cfg(test)]
        crate::language::describe::recorder::note(self.object, name);
        match self.get(name) {
            None => Ok(None),
            Some(tree) => read(tree).map(Some).map_err(|e| e.in_field(name)),
        }
    }

    fn get(self, name: &str) -> Option<&'t Tree> {
        #[cfg(debug_assertions)]
        assert!(self.object.find(name).is_some(), "{name:?} is read and not described");
        self.fields.iter().find(|(field, tree)| field == name && *tree != Tree::Null).map(|(_, tree)| tree)
    }

    /// Reads a field that must be there.
    pub(crate) fn required<T>(
        self,
        name: &str,
        read: impl FnOnce(&'t Tree) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        self.optional(name, read)?.ok_or_else(|| missing_field(name))
    }

    /// Whether a field is there and not `null`.
    pub(crate) fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether no field is there, or only `null`.
    pub(crate) fn is_empty(self) -> bool {
        self.fields.iter().all(|(_, tree)| *tree == Tree::Null)
    }

    /// The one of these kinds whose field is there.
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

    /// Whether there are as many as are reported.
    fn is_full(&self) -> bool {
        self.0.as_ref().is_some_and(|all| all.faults().len() >= limits::FAULTS)
    }

    /// The value of a part, or a note of its faults.
    pub(crate) fn take<T>(&mut self, part: Result<T, Invalid>) -> Option<T> {
        part.map_err(|invalid| self.note(invalid)).ok()
    }

    /// `value`, if nothing was noted.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Invalid> {
        self.0.map_or(Ok(value), Err)
    }
}

/// Reads a list of at most `limit` elements; every faulty element is reported.
pub(crate) fn list<'t, T>(
    tree: &'t Tree,
    limit: usize,
    mut read: impl FnMut(&'t Tree) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let mut values = Vec::new();
    values.reserve_exact(room(tree, limit));
    each(tree, limit, &mut |element| {
        values.push(read(element)?);
        Ok(())
    })?;
    Ok(values)
}

/// How many elements there are, unless too many: what a policy holds is counted, so that nothing is
/// reserved that it does not need.
fn room(tree: &Tree, limit: usize) -> usize {
    let elements = match tree {
        Tree::List(elements) => elements.len(),
        Tree::Table(fields) => fields.len(),
        _ => 0,
    };
    if elements <= limit { elements } else { 0 }
}

/// The part of [`list`] that is the same for every type: it is compiled once.
fn each<'t>(
    tree: &'t Tree,
    limit: usize,
    read: &mut dyn FnMut(&'t Tree) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let Tree::List(elements) = tree else {
        return Err(wrong_type("a list", tree));
    };
    within(elements.len(), limit)?;
    let mut faults = Faults::default();
    for (i, element) in elements.iter().enumerate() {
        faults.take(read(element).map_err(|e| e.in_index(i)));
    }
    faults.or(())
}

/// Reads a table with free keys, such as header names; no key may stand twice
/// once `normalise` has been applied.
pub(crate) fn entries<'t, K: AsRef<str>, T>(
    tree: &'t Tree,
    limit: usize,
    mut normalise: impl FnMut(&'t str) -> Result<K, Invalid>,
    mut read: impl FnMut(&'t Tree) -> Result<T, Invalid>,
) -> Result<Vec<(K, T)>, Invalid> {
    let mut values: Vec<(K, T)> = Vec::new();
    values.reserve_exact(room(tree, limit));
    each_entry(tree, limit, &mut |key, value| {
        let name = normalise(key)?;
        if values.iter().any(|(known, _)| known.as_ref() == name.as_ref()) {
            return Err(repeated_field(key));
        }
        values.push((name, read(value)?));
        Ok(())
    })?;
    Ok(values)
}

/// The part of [`entries`] that is the same for every type.
fn each_entry<'t>(
    tree: &'t Tree,
    limit: usize,
    read: &mut dyn FnMut(&'t str, &'t Tree) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let fields = table(tree)?;
    within(fields.len(), limit)?;
    let mut faults = Faults::default();
    for (key, value) in fields {
        faults.take(read(key, value).map_err(|e| e.in_field(key)));
    }
    faults.or(())
}

/// Reads a string.
pub(crate) fn text(tree: &Tree) -> Result<&str, Invalid> {
    match tree {
        Tree::Text(text) => Ok(text),
        // What an unquoted `off`, `no` or `y` becomes, here and on its way through Kubernetes.
        Tree::Flag(_) => Err(Invalid::new(
            Code::WrongType,
            "expected a string, found a boolean",
            "quote it: YAML reads off, no and the like as booleans",
        )),
        other => Err(wrong_type("a string", other)),
    }
}

/// Reads a boolean.
pub(crate) fn flag(tree: &Tree) -> Result<bool, Invalid> {
    match tree {
        Tree::Flag(flag) => Ok(*flag),
        other => Err(wrong_type("true or false", other)),
    }
}

/// Reads `true`, of what is there or is not.
pub(crate) fn only_true(tree: &Tree) -> Result<(), Invalid> {
    flag(tree)?.then_some(()).ok_or_else(|| {
        Invalid::new(Code::BadValue, "must be true", "remove the field instead of writing false")
    })
}

/// Reads an integer within `range`.
pub(crate) fn integer(tree: &Tree, range: RangeInclusive<i64>) -> Result<i64, Invalid> {
    let Tree::Integer(value) = tree else {
        return Err(wrong_type("an integer", tree));
    };
    if range.contains(value) {
        return Ok(*value);
    }
    let (low, high) = range.into_inner();
    Err(Invalid::new(
        Code::OutOfRange,
        format!("{value} is outside {low} to {high}"),
        "write a number in that range",
    ))
}

/// Reads a duration such as `30s`, as milliseconds within `range`.
pub(crate) fn millis(tree: &Tree, range: RangeInclusive<u64>) -> Result<u64, Invalid> {
    let written = text(tree)?;
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let read = units.iter().find_map(|(unit, factor)| {
        let digits = written.strip_suffix(unit).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u64>().ok()?.checked_mul(*factor)
    });
    let (low, high) = (*range.start(), *range.end());
    read.filter(|millis| range.contains(millis)).ok_or_else(|| {
        Invalid::new(
            Code::BadValue,
            format!("{written:?} is not a duration of {low}ms to {high}ms"),
            "write a whole number and ms, s, m or h, such as \"30s\"",
        )
    })
}

/// Reads one of a few words.
pub(crate) fn word<T: Copy>(tree: &Tree, words: &[(&str, T)]) -> Result<T, Invalid> {
    let written = text(tree)?;
    words.iter().find(|(word, _)| *word == written).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Invalid::new(
            Code::BadValue,
            format!("{written:?} is not one of {}", names(&known)),
            suggestion(written, &known).unwrap_or_else(|| "write one of these".to_owned()),
        )
    })
}

/// A value of another type than the field takes.
pub(crate) fn wrong_type(expected: &str, found: &Tree) -> Invalid {
    Invalid::new(
        Code::WrongType,
        format!("expected {expected}, found {}", found.kind()),
        format!("write {expected} here"),
    )
}

/// Refuses more than `limit` elements.
pub(crate) fn within(count: usize, limit: usize) -> Result<(), Invalid> {
    if count <= limit {
        return Ok(());
    }
    Err(Invalid::new(
        Code::TooMany,
        format!("{count} elements, more than {limit}"),
        "split the policy, or write fewer",
    ))
}

fn table(tree: &Tree) -> Result<&[(String, Tree)], Invalid> {
    match tree {
        Tree::Table(fields) => Ok(fields),
        other => Err(wrong_type("a table", other)),
    }
}

fn missing_field(name: &str) -> Invalid {
    Invalid::new(Code::MissingField, format!("missing field {name:?}"), "add it here")
}

fn repeated_field(name: &str) -> Invalid {
    Invalid::new(Code::RepeatedField, format!("duplicate field {name:?}"), "keep one of them")
}

fn unknown_field(name: &str, object: &Object) -> Invalid {
    let mut known = Vec::new();
    object.names(&mut known);
    Invalid::new(
        Code::UnknownField,
        format!("unknown field {name:?}"),
        suggestion(name, &known).unwrap_or_else(|| format!("known here: {}", names(&known))),
    )
}

/// None of some fields is there, or `both`.
fn not_exactly_one(both: Option<(&str, &str)>, known: &[&str]) -> Invalid {
    let known = names(known);
    match both {
        Some((one, two)) => Invalid::new(
            Code::Conflict,
            format!("{one:?} and {two:?} exclude each other"),
            format!("write exactly one of {known}"),
        ),
        None => Invalid::new(
            Code::MissingField,
            format!("expected exactly one of {known}"),
            "add the one that you mean",
        ),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Fields, integer, list};
    use crate::language::describe::{Object, field, object};
    use crate::language::tree::Tree;

    static ONLY_A: Object = object!(
        "a",
        Any,
        "For this test.",
        [],
        [field!("a", List(&Integer(0, 5), 0, 8), Optional, "a list")]
    );

    #[test]
    fn every_fault_is_named_with_its_place() {
        let tree = Tree::parse(br#"{"a": [1, "x", 7], "b": 1, "a": []}"#).unwrap();
        let refused = Fields::open(&tree, &ONLY_A).err().unwrap();
        let places: Vec<_> = refused.faults().iter().map(|f| f.place.to_string()).collect();
        assert_eq!(places, ["b", "a"]);

        let tree = Tree::parse(br#"{"a": [1, "x", 7]}"#).unwrap();
        let fields = Fields::open(&tree, &ONLY_A).unwrap();
        let refused = fields.required("a", |t| list(t, 8, |e| integer(e, 0..=5))).unwrap_err();
        let lines: Vec<_> = refused.faults().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "error[NRW102]: a[1]: expected an integer, found a string; write an integer here",
                "error[NRW107]: a[2]: 7 is outside 0 to 5; write a number in that range",
            ]
        );
    }
}
