//! Regular expressions: the only folder that names an engine.
//!
//! An expression means what it means in Envoy: it is read as RE2 reads it, over bytes, and matches the
//! whole value. [`re2`] reads it, and `regex-automata` compiles it to states. What is done with the states here has a price that is known when the
//! policy is loaded, so no value can make an expression expensive. If the sets of states are few, it is
//! a table ([`table`]); else it is the sets themselves, as bits ([`sets`]).

mod automaton;
mod captures;
mod re2;
mod relation;
mod replacer;
mod sets;
mod table;
#[cfg(any(test, feature = "describe"))]
pub(crate) mod values;

use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_syntax::hir::{Hir, Look};

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use automaton::Automaton;
pub(crate) use captures::Captures;
pub(crate) use replacer::Replacer;
use sets::Sets;
use table::Table;

/// A regular expression that matches whole values.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    engine: Engine,
    cost: u64,
    prefix: Box<[u8]>,
}

#[derive(Clone, Debug)]
enum Engine {
    Table(Box<Table>),
    Sets(Box<Sets>),
}

/// The length of the value that the price of an expression is given for: Envoy accepts 60 KiB of
/// headers unless it is configured otherwise.
const LONG: u64 = 60 * 1024;

impl Pattern {
    /// Compiles an expression, if it is valid, small and cheap enough.
    pub(crate) fn new(text: &str, ignore_case: bool) -> Result<Self, Invalid> {
        let nfa = nfa(text, ignore_case, WhichCaptures::None)?;
        let sets = Automaton::of(&nfa).map(|automaton| Sets::of(&nfa, &automaton));
        let sets = sets.ok_or_else(|| too_dear(text))?;
        let (engine, cost, prefix) = if let Some(table) = Table::of(&sets) {
            let (each, most) = table.work;
            let cost = each.saturating_mul(LONG).saturating_add(most);
            let prefix = table.prefix();
            (Engine::Table(Box::new(table)), cost, prefix)
        } else {
            let cost = sets.work().saturating_mul(LONG);
            (Engine::Sets(Box::new(sets)), cost, Vec::new())
        };
        if cost > limits::REGEX_WORK {
            return Err(too_dear(text));
        }
        Ok(Self { engine, cost, prefix: prefix.into() })
    }

    /// Bytes that it takes at most, the same on every machine.
    pub(crate) fn weight(&self) -> usize {
        let engine = match &self.engine {
            Engine::Table(table) => table.weight(),
            Engine::Sets(sets) => sets.weight(),
        };
        engine.saturating_add(self.prefix.len()).saturating_add(64)
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        match &self.engine {
            Engine::Table(table) => table.matches(value),
            Engine::Sets(sets) => sets.matches(value),
        }
    }

    /// The most that one value of 60 KiB costs, in about as many instructions. A shorter value costs
    /// proportionally less.
    pub(crate) fn cost(&self) -> u64 {
        self.cost
    }

    /// A value costs more than the few bytes of this text only if it starts with it. If neither of two
    /// expressions' texts is the start of the other, one value cannot make both expensive.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }
}

fn too_dear(written: &str) -> Invalid {
    Invalid::new(
        Code::BadRegex,
        format!("{written:?} is too dear to match with: a long value would hold up a worker"),
        "shorten repetitions such as {0,500}, or split the alternatives",
    )
}

/// Refuses an expression that is not valid by itself.
pub(crate) fn check(text: &str) -> Result<(), Invalid> {
    nfa(text, false, WhichCaptures::None).map(drop)
}

/// Compiles an expression.
fn nfa(text: &str, ignore_case: bool, captures: WhichCaptures) -> Result<NFA, Invalid> {
    compiled(&read(text, ignore_case)?, text, captures)
}

/// Compiles an expression that must match the whole value.
fn whole_nfa(text: &str, ignore_case: bool, captures: WhichCaptures) -> Result<NFA, Invalid> {
    let expression = read(text, ignore_case)?;
    let whole = Hir::concat(vec![Hir::look(Look::Start), expression, Hir::look(Look::End)]);
    compiled(&whole, text, captures)
}

/// Reads an expression, if it is valid and short enough.
fn read(text: &str, ignore_case: bool) -> Result<Hir, Invalid> {
    if text.len() > limits::REGEX_TEXT {
        return Err(Invalid::new(
            Code::BadRegex,
            format!("the expression has {} bytes, more than {}", text.len(), limits::REGEX_TEXT),
            "use \"in\" with a list of values",
        ));
    }
    re2::read(text, ignore_case).map_err(|fault| {
        let message = format!("invalid regular expression {text:?}: {}", fault.reason);
        Invalid::new(Code::BadRegex, message, fault.help)
    })
}

/// Compiles what was read from `text`. It is valid: it can only be too large.
fn compiled(expression: &Hir, text: &str, captures: WhichCaptures) -> Result<NFA, Invalid> {
    let config = thompson::Config::new()
        .utf8(false)
        .nfa_size_limit(Some(limits::REGEX_BYTES))
        .which_captures(captures);
    thompson::Compiler::new().configure(config).build_from_hir(expression).map_err(|_| too_dear(text))
}

#[cfg(test)]
mod tests;
