//! Conditions on a request. Their values are looked up in tables that serve all conditions together.
//!
//! However many conditions a policy has, and whatever a client sends, a condition costs little more
//! than the texts in it. Names are found in sorted tables; texts inside values are found in one pass
//! for all conditions.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use super::Request;
use super::table::Table;
use crate::matching::kind::Kind;
use crate::matching::named_condition::{NamedCondition, QueryMatch};
use crate::matching::needles::{Hay, Held, Needle, Needles, Search};
use crate::matching::value::{Terms, ValueMatch, integer};
use crate::wire::metadata;

/// What was made from a request so that conditions find their values. Nothing is made that no condition
/// needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked<'a> {
    needles: Option<&'a Needles>,
    search: Search,
    headers: OnceCell<Table>,
    /// How many times all headers have been looked at one by one.
    passes: Cell<usize>,
    cookies: OnceCell<Table>,
    query: OnceCell<Table>,
    /// The values in dynamic metadata, by path.
    metadata: RefCell<Vec<(Box<[u8]>, Rc<Table>)>>,
    /// Repeated headers as one text, by name.
    joined: RefCell<Vec<(Box<[u8]>, Rc<[u8]>)>>,
    slashes: OnceCell<Vec<u32>>,
    number: OnceCell<Option<i64>>,
}

/// All values of a header as one value.
enum Joined<'a> {
    Once(&'a [u8]),
    Repeated(Rc<[u8]>),
}

impl AsRef<[u8]> for Joined<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Once(value) => value,
            Self::Repeated(value) => value,
        }
    }
}

/// So few headers are always looked at one by one: a table would be no faster, however often they are
/// looked at.
const FEW_HEADERS: usize = 32;
/// Passes over a longer list of headers before a table is made: they cost about as much as the table
/// does. If fewer passes were allowed where headers are many, each of many headers would cost more than
/// each of few.
const FEW_PASSES: usize = 32;
/// Bytes of a number that is short enough to be read again for each condition.
const SHORT: usize = 32;

impl<'a> Request<'a> {
    /// The same request, to be searched for the texts of a policy.
    pub(crate) fn search_for(&mut self, needles: &'a Needles) {
        if self.looked.needles.is_some() {
            self.looked = Looked::default();
        }
        self.looked.needles = Some(needles);
    }

    /// Forgets what was looked up, because it is no longer true.
    pub(super) fn forget(&mut self) {
        self.looked = Looked { needles: self.looked.needles, ..Looked::default() };
    }

    /// Which texts the request holds, of those that are looked for in one hay.
    pub(crate) fn held(&self, hay: u32) -> Option<Rc<Held>> {
        let needles = self.looked.needles?;
        Some(self.looked.search.held(needles, hay, &|hay| self.values_of(hay)))
    }

    /// The values that are searched for texts.
    fn values_of<'s>(&'s self, hay: &Hay) -> Vec<Cow<'s, [u8]>> {
        let first = |values: &mut dyn Iterator<Item = &'s [u8]>| -> Vec<Cow<'s, [u8]>> {
            let counted = if hay.any || hay.counts { usize::MAX } else { 1 };
            values.take(counted).map(Cow::Borrowed).collect()
        };
        match hay.kind {
            Kind::Method => vec![self.method().into()],
            Kind::Path => vec![self.path().into()],
            Kind::Header => first(&mut self.values(&hay.name).map(|value| -> &'s [u8] { value })),
            Kind::Joined => {
                self.joined(&hay.name).map(|value| value.as_ref().to_vec().into()).into_iter().collect()
            }
            Kind::Cookie => first(&mut self.cookie_table().values(&hay.name)),
            Kind::Query => first(&mut self.query_table().values(&hay.name)),
            Kind::Metadata => {
                let values = self.metadata_values(&hay.name);
                values.values(b"").map(|value| value.to_vec().into()).collect()
            }
            Kind::Principal | Kind::Address => Vec::new(),
        }
    }

    pub(crate) fn method_meets(&self, condition: &ValueMatch) -> bool {
        if let Some(is_met) = self.text_meets(condition) {
            return is_met;
        }
        if matches!(condition.test.terms(), Terms::Within(..)) {
            let number = self.looked.number.get_or_init(|| integer(self.method()));
            return condition.is_of(number.map(|n| n.to_string()).unwrap_or_default().as_bytes());
        }
        condition.is_of(self.method())
    }

    pub(crate) fn path_meets(&self, condition: &ValueMatch) -> bool {
        self.text_meets(condition).unwrap_or_else(|| condition.is_of(self.path()))
    }

    /// Whether a header meets a condition; `joins` means that repeated headers are one value.
    pub(crate) fn meets(&self, condition: &NamedCondition, joins: bool) -> bool {
        if joins { self.joined_meets(condition) } else { self.header_meets(condition) }
    }

    pub(crate) fn header_meets(&self, NamedCondition { name, value }: &NamedCondition) -> bool {
        self.text_meets(value).unwrap_or_else(|| match self.table_for(name, value) {
            Some(table) => table.meets(value, name, false),
            None => value.matches(&mut self.values(name)),
        })
    }

    /// Whether a condition of `withoutHeaders` keeps the request out.
    pub(crate) fn header_excludes(&self, NamedCondition { name, value }: &NamedCondition) -> bool {
        if let Some((held, needle)) = self.needle(value) {
            return value.excludes(&mut held.stand_ins(needle, value.invert).into_iter().flatten());
        }
        match self.table_for(name, value) {
            Some(table) => table.excludes(value, name),
            None => value.excludes(&mut self.values(name)),
        }
    }

    /// Whether a condition holds for all values of a header as one.
    pub(crate) fn joined_meets(&self, NamedCondition { name, value }: &NamedCondition) -> bool {
        self.text_meets(value)
            .unwrap_or_else(|| value.matches(&mut self.joined(name).iter().map(AsRef::as_ref)))
    }

    pub(crate) fn cookie_meets(&self, NamedCondition { name, value }: &NamedCondition) -> bool {
        self.text_meets(value).unwrap_or_else(|| self.cookie_table().meets(value, name, true))
    }

    pub(crate) fn query_meets(
        &self,
        QueryMatch { named: NamedCondition { name, value }, any }: &QueryMatch,
    ) -> bool {
        self.text_meets(value).unwrap_or_else(|| self.query_table().meets(value, name, !any))
    }

    pub(crate) fn metadata_meets(&self, NamedCondition { name, value }: &NamedCondition) -> bool {
        self.text_meets(value).unwrap_or_else(|| self.metadata_values(name).meets(value, b"", false))
    }

    /// Whether a condition holds, if its text is one of those that are found together.
    fn text_meets(&self, condition: &ValueMatch) -> Option<bool> {
        let (held, needle) = self.needle(condition)?;
        Some(condition.matches(&mut held.stand_ins(needle, condition.invert).into_iter().flatten()))
    }

    /// The values of a header by its lower-case name, one for each header line. Conditions and keys use
    /// them.
    pub fn values(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let table = self.header_table();
        let each = if table.is_none() { self.headers() } else { &[] };
        let run = table.map(|table| table.indices(name)).unwrap_or_default();
        let found = each.iter().filter(move |(n, _)| *n == name).map(|(_, value)| *value);
        found.chain(
            run.iter().filter_map(|(_, index)| self.headers().get(*index as usize)).map(|(_, value)| *value),
        )
    }

    /// The values of a cookie by name, across repeated `cookie` headers.
    pub fn cookie_values(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.cookie_table().values(name)
    }

    /// The values of a query parameter by name, percent-decoded.
    pub fn query_values(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.query_table().values(name)
    }

    /// The values under a path of dynamic metadata, in a table under no name. Each path is looked for
    /// once.
    pub(crate) fn metadata_values(&self, path: &[u8]) -> Rc<Table> {
        // Borrowed for this call only; nothing here calls back.
        let Ok(mut known) = self.looked.metadata.try_borrow_mut() else { return Rc::default() };
        if let Some((_, values)) = known.iter().find(|(known, _)| **known == *path) {
            return Rc::clone(values);
        }
        let mut table = Table::default();
        let parts: Vec<&[u8]> = path.split(|byte| *byte == 0).collect();
        metadata::values(self.known.metadata.unwrap_or_default(), &parts)
            .iter()
            .for_each(|value| table.push(b"", value));
        let values = Rc::new(table.finish());
        known.push((path.into(), Rc::clone(&values)));
        values
    }

    /// Where the slashes of the path are.
    pub(crate) fn slashes(&self) -> &[u32] {
        self.looked.slashes.get_or_init(|| {
            let slashes = (0u32..).zip(self.path()).filter(|(_, byte)| **byte == b'/');
            slashes.map(|(index, _)| index).collect()
        })
    }

    /// The text that a condition looks for, and what was found in its hay, if its text is one of those
    /// that are found together.
    fn needle<'c>(&self, condition: &'c ValueMatch) -> Option<(Rc<Held>, &'c Needle)> {
        let Terms::Holds(needle) = condition.test.sole_terms() else { return None };
        Some((self.held(needle.id()?.hay)?, needle))
    }

    /// The table of headers, if this condition is better looked up there: because many others have been
    /// looked up one by one, or because a number is too long to be read for each of many conditions.
    fn table_for(&self, name: &[u8], condition: &ValueMatch) -> Option<&Table> {
        let is_long = |value: &[u8]| value.len() > SHORT;
        if matches!(condition.test.terms(), Terms::Within(..)) && self.values(name).any(is_long) {
            return Some(self.make_table());
        }
        self.header_table()
    }

    fn joined(&self, name: &[u8]) -> Option<Joined<'a>> {
        let mut values = self.values(name);
        let first = values.next()?;
        if values.next().is_none() {
            return Some(Joined::Once(first));
        }
        // Borrowed for this call only; nothing here calls back.
        let mut known = self.looked.joined.try_borrow_mut().ok()?;
        let text = match known.binary_search_by(|(known, _)| (**known).cmp(name)) {
            Ok(at) => known.get(at).map(|(_, text)| Rc::clone(text))?,
            Err(at) => {
                let text: Rc<[u8]> = self.header(name).value().unwrap_or_default().into();
                known.insert(at, (name.into(), Rc::clone(&text)));
                text
            }
        };
        Some(Joined::Repeated(text))
    }

    /// The table of headers, once enough headers were looked at one by one.
    #[inline]
    fn header_table(&self) -> Option<&Table> {
        let passes = self.looked.passes.get().saturating_add(1);
        self.looked.passes.set(passes);
        (passes > FEW_PASSES && self.headers().len() > FEW_HEADERS).then(|| self.make_table())
    }

    fn make_table(&self) -> &Table {
        made(&self.looked.headers, &|table| {
            self.headers().iter().for_each(|(name, value)| table.push(name, value));
        })
    }

    fn cookie_table(&self) -> &Table {
        made(&self.looked.cookies, &|table| self.cookies().for_each(|(name, value)| table.push(name, value)))
    }

    fn query_table(&self) -> &Table {
        made(&self.looked.query, &|table| {
            self.query_params().for_each(|(name, value)| table.push(&name, &value));
        })
    }
}

/// A table that is made when it is first asked for.
fn made<'t>(table: &'t OnceCell<Table>, fill: &dyn Fn(&mut Table)) -> &'t Table {
    table.get_or_init(|| {
        let mut table = Table::default();
        fill(&mut table);
        table.finish()
    })
}
