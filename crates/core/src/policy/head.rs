//! The part that every policy has.

use crate::language::invalid::{Code, Invalid};
use crate::language::modes::{self, Callers, Mode, Trust};
use crate::language::names;
use crate::language::read::{self, Fields};
use crate::language::tree::Tree;
use crate::matching::budget::Budget;
use crate::matching::matches::Match;
use crate::matching::parse;
use crate::policy::series::Grammar;

/// The fields that every policy may have.
pub(crate) const FIELDS: [&str; 6] = ["filter", "mode", "trust", "callers", "explain", "labels"];

/// The part that every policy has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) mode: Mode,
    pub(crate) trust: Trust,
    pub(crate) callers: Callers,
    pub(crate) explain: Option<Explain>,
    pub(crate) labels: Grammar,
}

/// When and where a decision is explained to the client.
#[derive(Clone, Debug)]
pub(crate) struct Explain {
    pub(crate) header: Box<str>,
    pub(crate) when: Match,
}

impl Head {
    /// Opens a policy for `filter`, whose own fields are `own`.
    pub(crate) fn open<'t>(
        tree: &'t Tree,
        filter: &str,
        own: &[&str],
        budget: &Budget,
    ) -> Result<(Self, Fields<'t>), Invalid> {
        budget.open(tree)?;
        let known: Vec<&str> = FIELDS.iter().chain(own).copied().collect();
        // A policy for another filter is told so, not that its fields are unknown.
        if let Tree::Table(table) = tree {
            for (_, named) in table.iter().filter(|(name, _)| name == "filter") {
                let named = read::text(named).map_err(|e| e.in_field("filter"))?;
                if named != filter {
                    return Err(wrong_filter(named, filter).in_field("filter"));
                }
            }
        }
        let fields = Fields::open(tree, &known)?;
        let head = Self {
            mode: modes::mode(fields)?,
            trust: fields
                .optional("trust", |t| read::word(t, &[("edge", Trust::Edge), ("mesh", Trust::Mesh)]))?
                .unwrap_or_default(),
            callers: fields
                .optional("callers", |t| {
                    read::word(t, &[("presented", Callers::Presented), ("verified", Callers::Verified)])
                })?
                .unwrap_or_default(),
            explain: fields.optional("explain", |t| Explain::read(t, budget))?,
            labels: fields
                .optional("labels", |t| {
                    read::word(t, &[("stat-tags", Grammar::StatTags), ("stock", Grammar::Stock)])
                })?
                .unwrap_or_default(),
        };
        Ok((head, fields))
    }
}

impl Explain {
    fn read(tree: &Tree, budget: &Budget) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &["header", "when"])?;
        Ok(Self {
            header: fields
                .optional("header", |t| names::writable_header(read::text(t)?))?
                .unwrap_or_else(|| "x-narrows-explain".into()),
            when: fields.required("when", |t| parse::one(t, budget))?,
        })
    }
}

fn wrong_filter(named: &str, filter: &str) -> Invalid {
    Invalid::new(
        Code::WrongFilter,
        format!("this policy is for {named:?}, this filter is {filter:?}"),
        "attach it to the filter that it names",
    )
}
