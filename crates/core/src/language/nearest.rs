//! "Did you mean": the known name that is nearest to the written one.

use crate::language::join::joined;
use crate::language::limits;

/// Names in quotes, with commas between.
pub(crate) fn names(known: &[&str]) -> String {
    let quoted: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
    joined(&mut quoted.iter().map(String::as_str), ", ")
}

/// "did you mean …?" for the nearest known name, if one is near enough; for both, if two are.
pub fn suggestion(written: &str, known: &[&str]) -> Option<String> {
    // A longer name is near to no known one, and expensive to compare.
    if written.len() > limits::NAME {
        return None;
    }
    let others = || known.iter().filter(|name| !is_opposite(written, name));
    let near = others().map(|name| (distance(written, name), *name)).min();
    let (near, name) =
        near.filter(|(distance, name)| *distance <= name.len().max(written.len()).div_ceil(3))?;
    let mut meant = format!("did you mean {name:?}");
    if let Some(too) = others().find(|other| **other != name && distance(written, other) == near) {
        meant.push_str(&format!(" or {too:?}"));
    }
    meant.push('?');
    Some(meant)
}

/// Words that turn a meaning around, each with its opposite. The longer one comes second if it holds
/// the other.
const OPPOSITES: [(&str, &str); 5] = [
    ("allow", "deny"),
    ("with", "without"),
    ("include", "exclude"),
    ("public", "private"),
    ("always", "never"),
];
/// Beginnings that turn a meaning around.
const NEGATIONS: [&str; 4] = ["not", "non", "dis", "un"];

/// Whether two names mean opposite things: who follows such a suggestion gets the opposite of what they
/// wanted.
fn is_opposite(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let is_pair = |one: &str, other: &str| {
        OPPOSITES.iter().any(|(yes, no)| {
            one.contains(yes)
                && !one.contains(no)
                && other.contains(no)
                && (yes.len() < no.len() || !other.contains(yes))
        })
    };
    let negates = |one: &str, other: &str| {
        let rest = NEGATIONS.iter().find_map(|negation| one.strip_prefix(negation));
        rest.is_some_and(|rest| distance(rest, other) <= distance(one, other))
    };
    is_pair(&one, &other) || is_pair(&other, &one) || negates(&one, &other) || negates(&other, &one)
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
        let known = ["exact", "cidrs", "hosts", "posts"];
        assert_eq!(suggestion("costs", &known).as_deref(), Some("did you mean \"hosts\" or \"posts\"?"));
    }

    #[test]
    fn no_suggestion_turns_a_policy_around() {
        let known = [
            "namespaces",
            "notNamespaces",
            "withoutHeaders",
            "headers",
            "denyPrivateAddresses",
            "deny",
            "allow",
            "exclude",
            "include",
            "always",
            "never",
        ];
        for written in ["notWorkloads", "allowPrivateAddresses", "denyPublicAddresses", "disallow"] {
            assert_eq!(suggestion(written, &known), None, "{written}");
        }
        let only = |written: &str, known: &str| suggestion(written, &[known]);
        assert_eq!(only("notNamespaces", "namespaces"), None);
        assert_eq!(only("notNamespace", "namespaces"), None);
        assert_eq!(only("namespaces", "notNamespaces"), None);
        assert_eq!(only("withHeaders", "withoutHeaders"), None);
        assert_eq!(only("unverified", "verified"), None);
        assert_eq!(only("includes", "exclude"), None);
        for (written, meant) in [
            ("notNamespace", "notNamespaces"),
            ("namespace", "namespaces"),
            ("witoutHeaders", "withoutHeaders"),
            ("denyPrivateAddress", "denyPrivateAddresses"),
            ("exlude", "exclude"),
            ("alow", "allow"),
            ("nevr", "never"),
        ] {
            let expected = format!("did you mean {meant:?}?");
            assert_eq!(suggestion(written, &known), Some(expected), "{written}");
        }
    }
}
