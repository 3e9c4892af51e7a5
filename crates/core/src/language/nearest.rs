//! "Did you mean": the known name that is nearest to the written one.

use crate::language::join::joined;
use crate::language::limits;

/// Names in quotes, with commas between.
pub(crate) fn names(known: &[&str]) -> String {
    let quoted: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
    joined(&mut quoted.iter().map(String::as_str), ", ")
}

/// "did you mean …?" for the nearest known name, if one is near enough.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> Option<String> {
    // A longer name is near to no known one, and expensive to compare.
    if written.len() > limits::NAME {
        return None;
    }
    let near = known
        .iter()
        .map(|name| (distance(written, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().max(written.len()).div_ceil(3))?;
    Some(format!("did you mean {:?}?", near.1))
}

/// The Levenshtein distance over bytes, ignoring letter case.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (y, above) in b.bytes().zip(row.iter().skip(1).copied()) {
            let same = usize::from(!x.eq_ignore_ascii_case(&y));
            left = diagonal.saturating_add(same).min(above.min(left).saturating_add(1));
            next.push(left);
            diagonal = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{distance, suggestion};

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("Exact", "exact"), 0);
        assert_eq!(distance("wieght", "weight"), 2);
    }

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["exact", "prefix", "weight"];
        assert_eq!(suggestion("exacts", &known).as_deref(), Some("did you mean \"exact\"?"));
        assert_eq!(suggestion("wieght", &known).as_deref(), Some("did you mean \"weight\"?"));
        assert_eq!(suggestion("banana", &known), None);
    }
}
