//! Whether some value meets an expression. It is for lint: no module contains it.
//!
//! The positions of the expression are walked together with an automaton of the values that there may be.
//! A condition between two bytes, such as `\b`, depends on these two alone.

use std::collections::BTreeSet;

use regex_automata::nfa::thompson::{NFA, WhichCaptures};

use super::automaton::Automaton;
use super::relation::holds;
use super::sets::Classes;

/// The values that there may be, as an automaton with the states 0 to 3, which starts in 0.
pub struct Form<'f> {
    /// The state after a byte; none if no such byte comes there.
    pub next: &'f dyn Fn(u8, u8) -> Option<u8>,
    /// Whether a value may end in a state.
    pub ends: &'f dyn Fn(u8) -> bool,
}

/// Steps that are tried before the answer is given up.
const STEPS: usize = 20_000_000;

/// Whether an expression matches the whole of some value of this form. None if the expression is not valid,
/// or so large that it is too dear to find out.
pub fn has_value(text: &str, ignore_case: bool, form: &Form<'_>) -> Option<bool> {
    let nfa = super::nfa(text, ignore_case, WhichCaptures::None).ok()?;
    let automaton = Automaton::of(&nfa)?;
    let looker = nfa.look_matcher();
    let end = automaton.end();
    let bytes = kinds(&nfa, form);
    let takes = |position: usize, byte: u8| {
        automaton.positions.get(position).is_some_and(|taken| taken.contains(byte))
    };
    let mut left = STEPS;
    let mut seen = BTreeSet::new();
    // What was taken last, and the state behind it; nothing at the start.
    let mut open: Vec<(Option<(usize, u8)>, u8)> = vec![(None, 0)];
    while let Some((last, state)) = open.pop() {
        let leads = last.map_or(automaton.start(), |(position, _)| {
            automaton.leads.get(position).map(Vec::as_slice).unwrap_or_default()
        });
        left = left.checked_sub(leads.len().saturating_mul(bytes.len()))?;
        let before: Vec<u8> = last.into_iter().map(|(_, byte)| byte).collect();
        for lead in leads {
            if lead.to == end {
                if (form.ends)(state) && holds(lead.looks, looker, &before, before.len()) {
                    return Some(true);
                }
                continue;
            }
            for byte in bytes.iter().copied().filter(|byte| takes(lead.to, *byte)) {
                let mut around = before.clone();
                around.push(byte);
                let Some(state) = (form.next)(state, byte) else { continue };
                if holds(lead.looks, looker, &around, before.len()) && seen.insert((lead.to, byte, state)) {
                    open.push((Some((lead.to, byte)), state));
                }
            }
        }
    }
    Some(false)
}

/// One byte of each kind: neither the expression nor the form tells the others from it.
fn kinds(nfa: &NFA, form: &Form<'_>) -> Vec<u8> {
    let classes = Classes::of(nfa);
    let mut known = BTreeSet::new();
    let of = |byte: u8| (classes.get(byte), [0, 1, 2, 3].map(|state| (form.next)(state, byte)));
    (0..=u8::MAX).filter(|byte| known.insert(of(*byte))).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Form, has_value};
    use crate::matching::pattern::Pattern;

    const PARTS: [&str; 16] = [
        "a",
        "b",
        "[^a]",
        ".",
        "\\n",
        "a*",
        "b+",
        "(a|b\\n)",
        "\\b",
        "\\B",
        "^",
        "$",
        "(?m:^)",
        "(?m:$)",
        "[^\\x00-\\xff]",
        "[ab]",
    ];

    /// Every expression of up to three parts, against every value of up to five bytes.
    #[test]
    fn an_expression_has_a_value_if_one_of_all_meets_it() {
        let mut values = vec![Vec::new()];
        let mut last = values.clone();
        for _ in 0..5 {
            last = last
                .iter()
                .flat_map(|value: &Vec<u8>| b"ab\n-".map(|b| [&value[..], &[b]].concat()))
                .collect();
            values.extend(last.iter().cloned());
        }
        // Anything; no a in front; a and what is not a in turns, and the last is an a.
        let any = Form { next: &|_, _| Some(0), ends: &|_| true };
        let not_first =
            Form { next: &|state, byte| (state != 0 || byte != b'a').then_some(1), ends: &|_| true };
        let turns = Form {
            next: &|state, byte| ((state == 0) == (byte == b'a')).then_some(u8::from(state == 0)),
            ends: &|state| state == 1,
        };
        let is_of = |form: &Form<'_>, value: &[u8]| {
            let end = value.iter().try_fold(0, |state, byte| (form.next)(state, *byte));
            end.is_some_and(|state| (form.ends)(state))
        };
        let mut dead = 0;
        for expression in expressions() {
            let pattern = Pattern::new(&expression, false).unwrap();
            for form in [&any, &not_first, &turns] {
                let is_met = values.iter().any(|value| is_of(form, value) && pattern.matches(value));
                assert_eq!(has_value(&expression, false, form), Some(is_met), "{expression:?}");
                dead += usize::from(!is_met);
            }
        }
        assert!(dead > 1000, "{dead}");
    }

    fn expressions() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..3 {
            last = last.iter().flat_map(|text| PARTS.map(|part| format!("{text}{part}"))).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    #[test]
    fn what_is_too_dear_is_not_known() {
        let any = Form { next: &|_, _| Some(0), ends: &|_| true };
        assert_eq!(has_value("(", false, &any), None);
        assert_eq!(has_value("(a|b){900}(c|d){900}", false, &any), None);
        assert_eq!(has_value("[a-z]{500}[^\\x00-\\xff]", false, &any), Some(false));
    }
}
