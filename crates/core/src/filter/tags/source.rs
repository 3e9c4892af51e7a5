//! Where the value of a tag is read.

mod kinds;
mod templates;
use super::book::{Book, OTHER};
use super::bound::{self, VALUE};
use super::hosts::HostMap;
use super::meter::Path;
use super::paths::Paths;
use super::rules::Rules;
use crate::language::describe::{self, Object, fields_of, object};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::modes::Callers;
use crate::language::read::{self, Fields};
use crate::language::tree::Tree;
use crate::matching::budget::Budget;
use crate::policy::code_class::CODE_CLASSES;
use crate::policy::series::Stock;

/// The source of a tag. Numbers of values are the book's, places of properties those
/// of [`Wants`].
#[derive(Clone, Debug)]
pub(super) enum Source {
    Fixed(u32),
    /// Settled when the policy is loaded.
    Constant,
    Header(Box<[u8]>),
    Cookie(Box<[u8]>),
    Query(Box<[u8]>),
    Method,
    Host,
    HostMap(HostMap),
    Paths(Paths),
    Rules(Box<Rules>),
    /// The first of these properties that is there.
    Text(Vec<usize>),
    /// The caller's name, if the last property is true; else the proxy's own.
    Caller {
        presented: usize,
        own: usize,
        verified: Option<usize>,
    },
    Status(usize),
    StatusClass(usize, [u32; CODE_CLASSES.len()]),
    Grpc(usize),
    Flags(usize),
    Duration(usize, Vec<u64>, Vec<u32>),
    Security {
        mutual: usize,
        version: usize,
        values: [u32; 3],
    },
}

/// The properties to read in the log phase, each once, and whose certificates count.
#[derive(Debug, Default)]
pub(super) struct Wants(pub(super) Vec<Path>, pub(super) Callers);

impl Wants {
    pub(super) fn place(&mut self, path: &[&str]) -> usize {
        self.place_of(path.iter().map(|name| (*name).into()).collect())
    }

    pub(super) fn place_of(&mut self, path: Path) -> usize {
        self.0.iter().position(|known| *known == path).unwrap_or_else(|| {
            self.0.push(path);
            self.0.len().saturating_sub(1)
        })
    }
}

/// How a source is written and read.
pub(super) type Kind = describe::Kind<Reader>;

/// What holds for a source before its values are declared, and how it is read from under its name.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    pub(super) values: Values,
    /// Its values are long names of the mesh.
    pub(super) is_long: bool,
    /// What stands for no value, if the policy does not say.
    missing: &'static str,
    read: fn(&Tree, &mut Reading<'_>) -> Result<Source, Invalid>,
}

/// Who says what the values of a source are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Whoever sends requests.
    OfRequests,
    /// The source, but a policy may add some.
    WellKnown,
    /// The source alone.
    OfSource,
}

/// A tag that is being read.
pub(super) struct Reading<'r> {
    pub(super) tag: usize,
    pub(super) book: &'r mut Book,
    pub(super) wants: &'r mut Wants,
    pub(super) budget: &'r Budget,
}

/// The source of a tag.
pub(super) static SOURCE: Object =
    object!("source", ExactlyOne, "Where the value of a tag is read.", [], fields_of!(kinds::KINDS));

/// All sources.
pub(super) static SOURCES: [Kind; kinds::KINDS.len()] = kinds::KINDS;

/// What stands for no value of a tag, if the policy does not say.
pub(super) fn missing(reader: &Reader, stock: Stock) -> &'static str {
    match stock {
        // What the expression that cuts these labels out takes for a code.
        Stock::Code => "000",
        Stock::CodeClass => "0xx",
        Stock::WasmFilter | Stock::Tag | Stock::Component | Stock::Cache => reader.missing,
    }
}

/// Reads the source called `kind` and declares its values.
pub(super) fn read(
    fields: Fields<'_>,
    kind: &str,
    reader: &Reader,
    reading: &mut Reading<'_>,
) -> Result<Source, Invalid> {
    fields.required(kind, |tree| {
        if matches!(tree, Tree::Flag(false)) {
            read::only_true(tree)?;
        }
        (reader.read)(tree, reading)
    })
}

pub(super) fn host_map(
    tree: &Tree,
    tag: usize,
    book: &mut Book,
    budget: &Budget,
) -> Result<HostMap, Invalid> {
    let mut map = HostMap::default();
    let value = |t| {
        budget.hold(2 * VALUE)?;
        bound::value(read::text(t)?)
    };
    for (key, value) in read::entries(tree, limits::HOST_MAP, HostMap::key, value)? {
        map.insert(&key, book.declare(tag, &value));
    }
    Ok(map)
}

impl Source {
    /// Whether it reads the request's headers.
    pub(super) fn reads_request(&self) -> bool {
        self.pseudo_header().is_some()
            || matches!(self, Self::Header(_) | Self::Cookie(_) | Self::Rules(_) | Self::Grpc(_))
    }

    /// The one pseudo header that it reads, if that is all.
    pub(super) fn pseudo_header(&self) -> Option<&'static str> {
        match self {
            Self::Method => Some(":method"),
            Self::Host | Self::HostMap(_) => Some(":authority"),
            Self::Paths(_) | Self::Query(_) => Some(":path"),
            _ => None,
        }
    }

    /// The value of a number that has classes.
    pub(super) fn class(&self, number: u64) -> u32 {
        match self {
            Self::StatusClass(_, values) => {
                let class = if (100..600).contains(&number) { number / 100 } else { 0 };
                usize::try_from(class).ok().and_then(|class| values.get(class)).copied().unwrap_or_default()
            }
            Self::Duration(_, bounds, values) => {
                let milliseconds = number / 1_000_000;
                let class = bounds.iter().filter(|bound| milliseconds >= **bound).count();
                values.get(class).copied().unwrap_or(OTHER)
            }
            _ => OTHER,
        }
    }
}
