//! The file of the prices, as it is read and written.

use std::path::PathBuf;

use narrows_harness::root;

use super::Prices;
use super::price::{FIGURES, Price};

const HEAD: &str = "\
# What a request costs, counted in the stand-in for Envoy: tests/vm/budgets.rs keeps it to two percent.
# Do not write here by hand: UPDATE=1 cargo test --locked --workspace --test vm -- budgets
#
# fuel       instructions of the module, over all callbacks of the request
# callbacks  how often Envoy calls into the module
# calls      how often the module calls Envoy
# allocated  how often Envoy asks the module for room, which it does for each call that returns bytes
#            (what the module allocates for itself is not counted, but its work is in the fuel)
# returned   the bytes that those calls return
# memory     the linear memory of the VM with this policy, in KiB
#
";

/// The prices that are kept.
pub(super) fn read() -> Prices {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    text.lines().filter(|line| !line.starts_with('#')).map(|line| entry(line).expect(line)).collect()
}

pub(super) fn write(prices: &Prices) {
    let titles: String = FIGURES.iter().map(|figure| format!("{figure:>10}")).collect();
    let mut text = format!("{HEAD}#{}\n", &titles[1..]);
    for (name, Price(figures)) in prices {
        figures.iter().for_each(|figure| text.push_str(&format!("{figure:>10}")));
        text.push_str(&format!("  {name}\n"));
    }
    std::fs::write(path(), text).expect("the budgets can be written");
}

fn entry(line: &str) -> Option<(String, Price)> {
    let (figures, name) = line.split_at_checked(10 * FIGURES.len())?;
    let figures: Vec<u64> =
        figures.split_whitespace().map(|figure| figure.parse().ok()).collect::<Option<_>>()?;
    Some((name.trim_start().to_owned(), Price(figures.try_into().ok()?)))
}

fn path() -> PathBuf {
    root().join("tests/vm/budgets.txt")
}
