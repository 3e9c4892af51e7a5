//! Whether some value meets some tests and none of others: for the tests that compare texts, exactly; for
//! every other test the answer is that there may be one.

use std::collections::BTreeSet;

/// A test of one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Test {
    /// One of these texts.
    Is(Vec<String>),
    /// A text at the start.
    Starts(String),
    /// Whole segments at the start of a path; without a slash at the end.
    Segments(String),
    /// A text at the end.
    Ends(String),
    /// A text anywhere.
    Holds(String),
    /// There, or not.
    Present(bool),
    /// One of these hosts.
    Hosts(Vec<String>),
    /// Anything else, in its own words. It may hold or not, but not both.
    Other(String),
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Host,
    Path,
    Method,
    /// It may be missing.
    Named,
}

/// Whether there may be a value that meets all of `wanted` and none of `unwanted`.
pub(super) fn may_be(sort: Sort, wanted: &[&Test], unwanted: &[&Test]) -> bool {
    if wanted.iter().any(|test| unwanted.contains(test)) {
        return false;
    }
    let is_other = |test: &&&Test| matches!(test, Test::Other(_));
    let known: Vec<_> = wanted.iter().filter(|test| !is_other(test)).copied().collect();
    let against: Vec<_> = unwanted.iter().filter(|test| !is_other(test)).copied().collect();
    let Some(fresh) = fresh(known.iter().chain(&against).copied()) else { return true };
    let suits = |value: &Option<String>| {
        known.iter().all(|test| test.holds(value.as_deref()))
            && !against.iter().any(|test| test.holds(value.as_deref()))
    };
    let mut candidates: Vec<Option<String>> = Vec::new();
    for test in &known {
        candidates.extend(test.examples(sort, &fresh).into_iter().map(Some));
    }
    if known.is_empty() || known.iter().all(|test| matches!(test, Test::Present(_))) {
        candidates.extend(sort.examples(&fresh).into_iter().map(Some));
        candidates.extend((sort == Sort::Named).then_some(None));
    }
    // No proxy takes any other path.
    let is_sent = |path: &str| path.starts_with('/') || path == "*" || path.is_empty();
    candidates.retain(|value| sort != Sort::Path || value.as_deref().is_some_and(is_sent));
    if candidates.iter().any(suits) {
        return true;
    }
    let has_star =
        |test: &&Test| matches!(test, Test::Hosts(hosts) if hosts.iter().any(|host| is_glob(host)));
    if known.iter().any(has_star) {
        return !is_covered(&known, &against);
    }
    // Two texts at once may be met by a value that none of them alone suggests.
    let is_finite = |test: &&Test| matches!(test, Test::Is(_) | Test::Present(_));
    let is_open = known.len() > 1 && !known.iter().any(is_finite);
    is_open && !exclude_each_other(&known) && !is_implied(sort, &known, &against)
}

/// Whether a value that meets one of these tests fails another of them.
fn exclude_each_other(wanted: &[&Test]) -> bool {
    let start = |test: &Test| match test {
        Test::Starts(text) | Test::Segments(text) => Some(text.clone()),
        _ => None,
    };
    let end = |test: &Test| match test {
        Test::Ends(text) => Some(text.clone()),
        _ => None,
    };
    let pairs = || {
        wanted.iter().enumerate().flat_map(|(i, one)| wanted.iter().skip(i + 1).map(move |two| (*one, *two)))
    };
    pairs().any(|(one, two)| match (start(one), start(two), end(one), end(two)) {
        (Some(a), Some(b), _, _) => !a.starts_with(&b) && !b.starts_with(&a),
        (_, _, Some(a), Some(b)) => !a.ends_with(&b) && !b.ends_with(&a),
        _ => false,
    })
}

/// Whether one of the wanted tests alone implies one of the unwanted.
fn is_implied(sort: Sort, wanted: &[&Test], unwanted: &[&Test]) -> bool {
    wanted.iter().any(|one| unwanted.iter().any(|other| !may_be(sort, &[one], &[other])))
}

/// Whether every host of a wanted set is written in an unwanted one too.
fn is_covered(wanted: &[&Test], unwanted: &[&Test]) -> bool {
    wanted.iter().any(|test| {
        let Test::Hosts(hosts) = test else { return false };
        hosts.iter().all(|host| {
            unwanted.iter().any(|other| {
                let Test::Hosts(others) = other else { return false };
                others.iter().any(|other| {
                    other == host || covers(other, &host.replace('*', "x")) && covers(other, host)
                })
            })
        })
    })
}

impl Test {
    /// Whether it holds for a value, or for none.
    fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return *self == Self::Present(false) };
        match self {
            Self::Is(texts) => texts.iter().any(|text| text == value),
            Self::Starts(text) => value.starts_with(text.as_str()),
            Self::Segments(text) => {
                value.strip_prefix(text.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Self::Ends(text) => value.ends_with(text.as_str()),
            Self::Holds(text) => value.contains(text.as_str()),
            Self::Present(is_there) => *is_there,
            Self::Hosts(hosts) => hosts.iter().any(|host| covers(host, value)),
            Self::Other(_) => false,
        }
    }

    /// Values that meet it, and as few other tests as they can.
    fn examples(&self, sort: Sort, fresh: &str) -> Vec<String> {
        let start = if sort == Sort::Path { "/" } else { "" };
        match self {
            Self::Is(texts) => texts.clone(),
            Self::Starts(text) => vec![format!("{text}{fresh}"), text.clone()],
            Self::Segments(text) => vec![text.clone(), format!("{text}/{fresh}"), format!("{text}/")],
            Self::Ends(text) => vec![format!("{start}{fresh}{text}"), text.clone()],
            Self::Holds(text) => vec![format!("{start}{fresh}{text}{fresh}"), text.clone()],
            Self::Present(_) | Self::Other(_) => Vec::new(),
            Self::Hosts(hosts) => hosts
                .iter()
                .map(|host| match host.strip_prefix("*.") {
                    Some(domain) => format!("{fresh}.{}", domain.replace('*', fresh)),
                    None if host == "*" => format!("{fresh}.{fresh}"),
                    None => host.replace('*', fresh),
                })
                .collect(),
        }
    }

    /// The texts in it.
    fn texts(&self) -> &[String] {
        match self {
            Self::Is(texts) | Self::Hosts(texts) => texts,
            Self::Starts(text) | Self::Segments(text) | Self::Ends(text) | Self::Holds(text) => {
                std::slice::from_ref(text)
            }
            Self::Present(_) | Self::Other(_) => &[],
        }
    }
}

impl Sort {
    /// Values that meet no test which compares texts, unless every such value meets it.
    fn examples(self, fresh: &str) -> Vec<String> {
        match self {
            Self::Host => vec![format!("{fresh}.{fresh}")],
            // `OPTIONS *`, and CONNECT, which has none.
            Self::Path => vec![format!("/{fresh}"), "*".to_owned(), String::new()],
            Self::Method | Self::Named => vec![fresh.to_owned()],
        }
    }
}

/// A text of a character that none of the texts of these tests has.
fn fresh<'t>(tests: impl Iterator<Item = &'t Test>) -> Option<String> {
    let used: BTreeSet<char> = tests.flat_map(Test::texts).flat_map(|text| text.chars()).collect();
    "qzxjkvwyufgbhpQZXJKVWY0987654321".chars().find(|c| !used.contains(c)).map(|c| c.to_string().repeat(3))
}

/// Whether a pattern is one with a star inside a label.
fn is_glob(pattern: &str) -> bool {
    pattern.strip_prefix("*.").unwrap_or(pattern).contains('*') && pattern != "*"
}

/// Whether a pattern for hosts takes a host. A star inside a label takes nothing but itself here: whoever
/// asks must not rely on it.
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        _ if pattern == "*" => true,
        Some(domain) if !domain.contains('*') => host
            .strip_suffix(domain)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|rest| !rest.is_empty()),
        _ => pattern == host,
    }
}
