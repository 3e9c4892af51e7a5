//! Regular expressions: the only file that names an engine.
//!
//! RE2 syntax, over bytes, matching the whole value as Istio does, in time linear
//! in the value whatever the expression. The engine is the lazy DFA of
//! `regex-automata`, the part of the `regex` crate that this needs: the rest of that
//! crate (prefilters, strategies) would add 100 kB to every filter.

use std::cell::RefCell;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, State, WhichCaptures, pikevm::PikeVM};
use regex_automata::util::{captures::Captures, syntax};
use regex_automata::{Anchored, Input, MatchKind};

use crate::invalid::{Code, Invalid};
use crate::limits;

/// A regular expression that matches whole values.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    dfa: DFA,
    /// States built so far; bounded, and thrown away when full.
    cache: RefCell<Cache>,
}

impl Pattern {
    /// Compiles an expression, if it is valid and small enough.
    pub(crate) fn new(text: &str, ignore_case: bool) -> Result<Self, Invalid> {
        // By itself first: what is balanced only inside the anchors, such as
        // `a)|(?:b`, would not be anchored.
        nfa(text, text, ignore_case, WhichCaptures::None)?;
        let nfa = nfa(&format!(r"(?:{text})\z"), text, ignore_case, WhichCaptures::None)?;
        let config = DFA::config()
            .match_kind(MatchKind::LeftmostFirst)
            .cache_capacity(limits::REGEX_CACHE)
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder()
            .configure(config)
            .build_from_nfa(nfa)
            .map_err(|e| unusable(text, &e.to_string()))?;
        let cache = RefCell::new(dfa.create_cache());
        Ok(Self { dfa, cache })
    }

    /// Bytes that it takes at most: its states are built as values come.
    pub(crate) fn weight(&self) -> usize {
        weight(self.dfa.get_nfa()).saturating_add(limits::REGEX_CACHE)
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let input = Input::new(value).anchored(Anchored::Yes);
        // Borrowed for this call alone; nothing here calls back.
        self.cache.try_borrow_mut().is_ok_and(|mut cache| {
            self.dfa.try_search_fwd(&mut cache, &input).is_ok_and(|found| found.is_some())
        })
    }
}

/// A regular expression that finds parts of a value and rewrites them.
#[derive(Clone, Debug)]
pub(crate) struct Replacer {
    expression: PikeVM,
    substitution: Vec<Part>,
}

/// A part of a substitution.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<[u8]>),
    Group(usize),
}

impl Replacer {
    /// `pattern` as in [`Pattern`], but anywhere in the value; `substitution` quotes
    /// groups as `\1`, as Envoy and Istio write them.
    pub(crate) fn new(pattern: &str, substitution: &str) -> Result<Self, Invalid> {
        let nfa = nfa(pattern, pattern, false, WhichCaptures::All)?;
        let expression = PikeVM::new_from_nfa(nfa).map_err(|e| unusable(pattern, &e.to_string()))?;
        let groups = expression.get_nfa().group_info().group_len(regex_automata::PatternID::ZERO);
        Ok(Self { substitution: parts(substitution, groups)?, expression })
    }

    /// Bytes that it takes.
    pub(crate) fn weight(&self) -> usize {
        weight(self.expression.get_nfa())
    }

    /// Every match replaced; `None` if there is none.
    pub(crate) fn rewrite(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut cache = self.expression.create_cache();
        let mut written = Vec::with_capacity(value.len());
        let mut end = 0;
        for found in self.expression.captures_iter(&mut cache, value) {
            let whole = found.get_group(0)?;
            written.extend_from_slice(value.get(end..whole.start)?);
            self.substitute(&found, value, &mut written);
            end = whole.end;
            if written.len() > limits::VALUE_BYTES.saturating_add(value.len()) {
                return None;
            }
        }
        let unchanged = end == 0 && written.is_empty();
        written.extend_from_slice(value.get(end..)?);
        (!unchanged).then_some(written)
    }

    fn substitute(&self, found: &Captures, value: &[u8], written: &mut Vec<u8>) {
        for part in &self.substitution {
            match part {
                Part::Literal(text) => written.extend_from_slice(text),
                Part::Group(group) => {
                    let span = found.get_group(*group).and_then(|span| value.get(span.range()));
                    written.extend_from_slice(span.unwrap_or_default());
                }
            }
        }
    }
}

/// The parts of a substitution: `\0` to `\9` are groups, `\\\\` is a backslash.
fn parts(substitution: &str, groups: usize) -> Result<Vec<Part>, Invalid> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut chars = substitution.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            literal.push(c);
            continue;
        }
        let next = chars.next();
        let group = next.and_then(|c| c.to_digit(10)).and_then(|digit| usize::try_from(digit).ok());
        match (next, group.filter(|group| *group < groups)) {
            (Some('\\'), _) => literal.push('\\'),
            (_, Some(group)) => {
                parts.push(Part::Literal(std::mem::take(&mut literal).into_bytes().into()));
                parts.push(Part::Group(group));
            }
            (other, None) => {
                return Err(Invalid::new(
                    Code::BadRegex,
                    format!("\"\\{}\" is no group of the expression", other.unwrap_or(' ')),
                    format!("groups are \\0 to \\{}; a backslash is \\\\", groups.saturating_sub(1)),
                ));
            }
        }
    }
    parts.push(Part::Literal(literal.into_bytes().into()));
    Ok(parts)
}

/// Bytes that an automaton takes at most. Its own account differs between machines.
fn weight(nfa: &NFA) -> usize {
    let state = |state: &State| match state {
        State::Sparse(sparse) => 12usize.saturating_mul(sparse.transitions.len()),
        State::Dense(_) => 1024,
        State::Union { alternates } => 4usize.saturating_mul(alternates.len()),
        _ => 0,
    };
    let states = nfa.states().iter().map(|one| state(one).saturating_add(40));
    states.fold(2048, usize::saturating_add)
}

/// Refuses an expression that is not valid by itself.
pub(crate) fn check(text: &str) -> Result<(), Invalid> {
    nfa(text, text, false, WhichCaptures::None).map(drop)
}

/// Compiles `pattern`, which is `written` with anchors: only `written` is shown.
fn nfa(pattern: &str, written: &str, ignore_case: bool, captures: WhichCaptures) -> Result<NFA, Invalid> {
    if written.len() > limits::REGEX_TEXT {
        return Err(Invalid::new(
            Code::BadRegex,
            format!("the expression has {} bytes, more than {}", written.len(), limits::REGEX_TEXT),
            "use \"in\" with a list of values",
        ));
    }
    let syntax = syntax::Config::new().unicode(false).utf8(false).case_insensitive(ignore_case);
    let config = thompson::Config::new()
        .utf8(false)
        .nfa_size_limit(Some(limits::REGEX_BYTES))
        .which_captures(captures);
    thompson::Compiler::new().syntax(syntax).configure(config).build(pattern).map_err(|e| {
        // The engine's account is a drawing over several lines; the last is the reason.
        let cause = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
        unusable(written, cause.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })
}

fn unusable(written: &str, reason: &str) -> Invalid {
    Invalid::new(
        Code::BadRegex,
        format!("{written:?} is no usable regular expression: {reason}"),
        "write RE2 syntax; \"exact\", \"prefix\", \"in\" need none",
    )
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Pattern, Replacer};

    #[test]
    fn the_whole_value_must_match() {
        let pattern = Pattern::new("a|ab", false).unwrap();
        assert!(pattern.matches(b"ab"));
        assert!(!pattern.matches(b"abc"));
        assert!(!pattern.matches(b"a\nb"));
        assert!(Pattern::new("[a-z]+", true).unwrap().matches(b"ABC"));
        assert!(Pattern::new(r"\xff.*", false).unwrap().matches(b"\xff\x80"));
    }

    #[test]
    fn unusable_expressions_are_refused() {
        for text in ["a)|(?:b", "(", "(?=a)", r"(a)\1", "(a{1000}){1000}", "(?x) a # b"] {
            assert!(Pattern::new(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn groups_as_envoy_writes_them() {
        let replacer = Replacer::new("^/v([0-9]+)/(.*)$", r"/\2/$v\1").unwrap();
        assert_eq!(replacer.rewrite(b"/v2/books"), Some(b"/books/$v2".to_vec()));
        assert_eq!(replacer.rewrite(b"/books"), None);
        assert!(Replacer::new("a", r"\1").is_err());
    }
}
