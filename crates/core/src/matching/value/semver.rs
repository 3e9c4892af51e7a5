//! `semver`: the value is a version within bounds.

use std::cmp::Ordering;

use super::{Reading, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::{Code, Invalid};
use crate::language::read;

/// Bounds, all of which must hold.
#[derive(Clone, Debug)]
pub(crate) struct Semver(Vec<Bound>);

#[derive(Clone, Debug)]
struct Bound {
    /// Which orders of a version and this one are within the bound.
    holds: &'static [Ordering],
    numbers: [u64; 3],
    pre_release: Box<[u8]>,
}

/// A version as written. What follows a `+` is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version<'v> {
    numbers: [u64; 3],
    /// Empty if it has none.
    pre_release: &'v [u8],
}

/// Bytes of the longest version, as in npm's reader: a longer text is none.
const LONGEST: usize = 256;

/// Each after those that start with it.
const OPERATORS: [(&str, &[Ordering]); 5] = [
    (">=", &[Ordering::Greater, Ordering::Equal]),
    ("<=", &[Ordering::Less, Ordering::Equal]),
    (">", &[Ordering::Greater]),
    ("<", &[Ordering::Less]),
    ("=", &[Ordering::Equal]),
];

impl ValueTest for Semver {
    const FIELD: Field = field!(
        "semver",
        Text(1, LONGEST),
        Optional,
        "The value is a version within these bounds, such as `>=2.1, <3`."
    );
    const HAS_CASE: bool = false;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        // Each is read anew for each value, as an expression is.
        reading.budget.expression()?;
        reading.fields.required(Self::FIELD.name, |tree| {
            read::text(tree)?.split(',').map(Bound::read).collect::<Result<_, _>>().map(Self)
        })
    }

    fn holds(&self, value: &[u8]) -> bool {
        let Some(version) = Version::of(value) else { return false };
        let may_be = version.pre_release.is_empty() || self.0.iter().any(|b| !b.pre_release.is_empty());
        may_be && self.0.iter().all(|bound| bound.holds.contains(&version.precedence(bound.version())))
    }
}

impl Bound {
    fn read(written: &str) -> Result<Self, Invalid> {
        let written = written.trim();
        let found = OPERATORS.iter().find_map(|(sign, holds)| Some((written.strip_prefix(sign)?, *holds)));
        let (rest, holds) = found.unwrap_or((written, &[Ordering::Equal]));
        let version = Version::of(rest.trim().as_bytes()).ok_or_else(|| {
            Invalid::new(
                Code::BadValue,
                format!("{written:?} is no bound of a version"),
                "write \">=2.1, <3\": \">\", \">=\", \"<\", \"<=\" or \"=\" before a version, and commas between bounds",
            )
        })?;
        Ok(Self { holds, numbers: version.numbers, pre_release: version.pre_release.into() })
    }

    fn version(&self) -> Version<'_> {
        Version { numbers: self.numbers, pre_release: &self.pre_release }
    }
}

impl<'v> Version<'v> {
    /// Reads `2`, `v2.1` or `2.1.0-rc.1+build`.
    fn of(text: &'v [u8]) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = text.strip_prefix(b"v").unwrap_or(text);
        let text = text.iter().position(|b| *b == b'+').and_then(|at| text.get(..at)).unwrap_or(text);
        let dash = text.iter().position(|b| *b == b'-');
        let (core, pre_release) = match dash.map(|at| text.split_at(at)) {
            Some((core, rest)) => (core, rest.get(1..)?),
            None => (text, &b""[..]),
        };
        if dash.is_some() && !pre_release.split(|b| *b == b'.').all(is_identifier) {
            return None;
        }
        let mut numbers = [0; 3];
        let mut places = numbers.iter_mut();
        for part in core.split(|b| *b == b'.') {
            *places.next()? = number(part)?;
        }
        Some(Self { numbers, pre_release })
    }

    /// The order of `SemVer` 2.0 §11.
    fn precedence(self, other: Version<'_>) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre_release, other.pre_release) {
            (b"", b"") => Ordering::Equal,
            (b"", _) => Ordering::Greater,
            (_, b"") => Ordering::Less,
            (one, other) => {
                let key = |part: &'_ [u8]| -> (bool, usize) {
                    let is_number = part.iter().all(u8::is_ascii_digit);
                    (!is_number, if is_number { part.len() } else { 0 })
                };
                let parts = |text: &'_ [u8]| {
                    text.split(|b| *b == b'.').map(|p| (key(p), p.to_vec())).collect::<Vec<_>>()
                };
                parts(one).cmp(&parts(other))
            }
        })
    }
}

/// Digits without a leading zero.
fn number(digits: &[u8]) -> Option<u64> {
    let is_number =
        digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || digits.first() != Some(&b'0'));
    if is_number { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

/// A part of a pre-release: a number without a leading zero, or letters, digits and hyphens.
fn is_identifier(part: &[u8]) -> bool {
    let is_zeroed = part.len() > 1 && part.first() == Some(&b'0') && part.iter().all(u8::is_ascii_digit);
    !part.is_empty() && !is_zeroed && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Bound, Semver, ValueTest, Version};

    fn within(bounds: &str, version: &str) -> bool {
        let bounds = bounds.split(',').map(|bound| Bound::read(bound).unwrap()).collect();
        Semver(bounds).holds(version.as_bytes())
    }

    #[test]
    fn bounds_as_people_write_them() {
        for inside in ["2.1", "2.1.0", "v2.1.0", "2.99.3", "2.1.0+build.7", "2.10"] {
            assert!(within(">=2.1, <3", inside), "{inside}");
        }
        let outside = [
            "2",
            "2.0.9",
            "3",
            "3.0.0",
            "2.1.0-rc.1",
            "3.0.0-alpha",
            "",
            "v",
            "2.1.0.0",
            "2.x",
            "02.1",
            " 2.1",
            "2.1-",
            "vv2.1",
        ];
        for outside in outside {
            assert!(!within(">=2.1, <3", outside), "{outside}");
        }
        assert!(within("2.1", "2.1.0") && within("=v2.1.0", "2.1") && !within("2.1", "2.1.1"));
        assert!(within("> 1 , <= 2", "2") && !within(">1", "1.0.0"));
        assert!(within(">=2.1.0-rc.1, <3", "2.1.0-rc.2") && !within(">=2.1.0-rc.2", "2.1.0-rc.1"));
        assert!(!within(">=2", &format!("2.0.0-{}", "a".repeat(300))));
        for bad in ["", "^2", "~2.1", ">=", "2.1.x", "!=2", ">=2 <3"] {
            assert!(Bound::read(bad).is_err(), "{bad}");
        }
    }

    /// The example of the specification, and numbers that no machine word holds.
    #[test]
    fn the_order_of_the_specification() {
        let ascending = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-beta.99999999999999999999999999",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2",
            "1.10",
            "2",
        ];
        let read: Vec<Version<'_>> =
            ascending.iter().map(|text| Version::of(text.as_bytes()).unwrap()).collect();
        for (at, one) in read.iter().enumerate() {
            for (other_at, other) in read.iter().enumerate() {
                assert_eq!(
                    one.precedence(*other),
                    at.cmp(&other_at),
                    "{} {}",
                    ascending[at],
                    ascending[other_at]
                );
            }
        }
        let equal = [Version::of(b"1.0.0+a").unwrap(), Version::of(b"v1").unwrap()];
        assert_eq!(equal[0].precedence(equal[1]), Ordering::Equal);
    }
}
