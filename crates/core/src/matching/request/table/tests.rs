#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::Table;
use crate::matching::value::{Exact, In, Prefix, Range, Suffix, Test, ValueMatch};

fn table(pairs: &[(String, String)]) -> Table {
    let mut table = Table::default();
    pairs.iter().for_each(|(name, value)| table.push(name.as_bytes(), value.as_bytes()));
    table.finish()
}

/// Numbers without order, the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn text(&mut self) -> String {
        let length = self.below(4);
        (0..length).map(|_| ["a", "b", "A", "1", "0", "-"][usize::try_from(self.below(6)).unwrap()]).collect()
    }
}

#[test]
fn names_are_found_in_the_order_in_which_they_came() {
    let pairs: Vec<_> = (0..1000).map(|n| (format!("n{}", n % 7), format!("v{n}"))).collect();
    let table = table(&pairs);
    for name in ["n0", "n6", "n7", ""] {
        let expected: Vec<_> = pairs.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_bytes()).collect();
        assert_eq!(table.values(name.as_bytes()).collect::<Vec<_>>(), expected, "{name}");
    }
}

#[test]
fn few_values_stand_for_many() {
    let mut numbers = Numbers(7);
    for round in 0..20_000 {
        let count = numbers.below(24);
        let pairs: Vec<_> = (0..count).map(|_| ("n".to_owned(), numbers.text())).collect();
        let table = table(&pairs);
        let ignore_case = numbers.below(2) == 0;
        let fold =
            |text: String| if ignore_case { text.to_ascii_lowercase() } else { text }.into_bytes().into();
        let test = match numbers.below(5) {
            0 => Test::Exact(Exact(fold(numbers.text()))),
            1 => Test::Prefix(Prefix(fold(numbers.text()))),
            2 => Test::Suffix(Suffix(fold(numbers.text()))),
            3 => Test::In(In((0..=numbers.below(12)).map(|_| fold(numbers.text())).collect())),
            _ => Test::Range(Range(
                i64::try_from(numbers.below(120)).unwrap() - 20,
                i64::try_from(numbers.below(120)).unwrap(),
            )),
        };
        let invert = numbers.below(2) == 0;
        let condition = ValueMatch { test, ignore_case, invert };
        let values = || pairs.iter().map(|(_, value)| value.as_bytes());
        let told = format!("{round}: {condition:?} {pairs:?}");
        assert_eq!(table.meets(&condition, b"n", false), condition.matches(&mut values()), "{told}");
        assert_eq!(table.meets(&condition, b"n", true), condition.matches_first(values()), "{told}");
        assert_eq!(table.excludes(&condition, b"n"), condition.excludes(&mut values()), "{told}");
    }
}

#[test]
fn a_long_number_is_read_once() {
    let pairs = [("n".to_owned(), format!("{}7", "0".repeat(100)))];
    let condition = ValueMatch { test: Test::Range(Range(5, 8)), ignore_case: false, invert: false };
    assert!(table(&pairs).meets(&condition, b"n", false));
}
