//! What has changed, as a table; nothing if every figure is within its tolerance.

use super::Prices;
use super::price::{FIGURES, Price};

/// How far a figure may move, in percent.
const TOLERANCE: u64 = 2;

pub(super) fn table(budgets: &Prices, found: &Prices) -> String {
    let mut lines = Vec::new();
    for (name, price) in found {
        match budgets.get(name) {
            Some(budget) => lines.extend(changed(budget, price).map(|change| format!("{change}  {name}"))),
            None => lines.push(format!("{:>10}{:>44}  {name}", "new", "no budget")),
        }
    }
    let gone = budgets.keys().filter(|name| !found.contains_key(*name));
    lines.extend(gone.map(|name| format!("{:>10}{:>44}  {name}", "gone", "no request")));
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "{:>10}{:>12}{:>12}{:>10}{:>10}  of\n{}\n",
        "figure",
        "budget",
        "found",
        "by",
        "",
        lines.join("\n")
    )
}

fn changed(budget: &Price, found: &Price) -> impl Iterator<Item = String> {
    let pairs: Vec<_> = FIGURES.into_iter().zip(budget.0).zip(found.0).collect();
    pairs.into_iter().filter(|((_, budget), found)| left(*budget, *found)).map(|((figure, budget), found)| {
        let verdict = if found > budget { "dearer" } else { "cheaper" };
        format!("{figure:>10}{budget:>12}{found:>12}{:>10}{verdict:>10}", percent(budget, found))
    })
}

/// Whether a figure has left its budget, in either direction.
fn left(budget: u64, found: u64) -> bool {
    found.abs_diff(budget) * 100 > budget * TOLERANCE
}

fn percent(budget: u64, found: u64) -> String {
    let tenths = found.abs_diff(budget) * 1000 / budget.max(1);
    let sign = if found > budget { '+' } else { '-' };
    format!("{sign}{}.{} %", tenths / 10, tenths % 10)
}

#[test]
fn two_percent_are_forgiven_and_three_are_not() {
    let price = |fuel| Price([fuel, 7, 5, 3, 900, 1152]);
    let prices = |fuel| Prices::from([("a: b".to_owned(), price(fuel))]);
    assert_eq!(table(&prices(1_000), &prices(1_020)), "");
    assert_eq!(table(&prices(1_000), &prices(980)), "");
    let (dearer, cheaper) = (table(&prices(1_000), &prices(1_030)), table(&prices(1_000), &prices(970)));
    assert!(dearer.contains("+3.0 %    dearer  a: b"), "{dearer}");
    assert!(cheaper.contains("-3.0 %   cheaper  a: b"), "{cheaper}");
    assert!(table(&Prices::new(), &prices(1)).contains("no budget  a: b"));
    assert!(table(&prices(1), &Prices::new()).contains("no request  a: b"));
}
